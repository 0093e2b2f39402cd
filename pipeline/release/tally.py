"""What the documents about a release count of its kept rows: documents by language, bytes of text by publisher.

A publisher is the host of a document's URL, spelt as `trust.urls.domains` spells it, with all its labels; of a document whose
URL is a Package URL, the package. Shards are counted where they are written (`survey`), so that nothing is read again for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tally:
    """`languages`: kept documents by label; `publishers`: bytes of kept text, in UTF-8, by host or package."""

    languages: Mapping[str, int]
    publishers: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        return {"languages": dict(sorted(self.languages.items())), "publishers": dict(sorted(self.publishers.items()))}


def together(parts: Iterable[Tally]) -> Tally:
    """The sums of tallies."""
    languages: Counter[str] = Counter()
    publishers: Counter[str] = Counter()
    for part in parts:
        languages.update(part.languages)
        publishers.update(part.publishers)
    return Tally(languages, publishers)
