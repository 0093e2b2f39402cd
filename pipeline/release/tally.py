"""What the documents about a release count of its kept rows: documents by language, bytes of text by publisher.

A publisher is the host of a document's URL, spelt as `trust.urls.domains` spells it, with all its labels; of a document whose
URL is a Package URL, the package. Shards are counted where they are written, so that nothing is read again for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust.urls import canonical_url, domains

COLUMNS = ("url", "text_bytes", "language")
# What of a URL says who published it: scheme and authority, or a Package URL without qualifiers and subpath.
_PUBLISHER = r"^(?P<publisher>https?://[^/?#]*|pkg:[^?#]*)"


@dataclass(frozen=True, slots=True)
class Tally:
    """`languages`: kept documents by label; `publishers`: bytes of kept text, in UTF-8, by host or package."""

    languages: Mapping[str, int] = field(default_factory=dict)
    publishers: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"languages": dict(sorted(self.languages.items())), "publishers": dict(sorted(self.publishers.items()))}


def of_rows(kept: pa.Table) -> Tally:
    """The tally of kept rows; of the table COLUMNS are read."""
    publisher = pc.struct_field(pc.extract_regex(kept.column("url"), _PUBLISHER), "publisher")
    named = pa.table([pc.coalesce(publisher, kept.column("url")), kept.column("text_bytes")], names=["name", "bytes"])
    found: Counter[str] = Counter()
    for row in named.group_by("name", use_threads=False).aggregate([("bytes", "sum")]).to_pylist():
        found[_publisher(row["name"])] += row["bytes_sum"]
    return Tally(Counter(kept.column("language").to_pylist()), found)


def together(parts: Iterable[Tally]) -> Tally:
    """The sums of tallies."""
    languages: Counter[str] = Counter()
    publishers: Counter[str] = Counter()
    for part in parts:
        languages.update(part.languages)
        publishers.update(part.publishers)
    return Tally(languages, publishers)


def _publisher(url: str) -> str:
    """The host or package of a URL; empty for what has neither."""
    return next(iter(domains(canonical_url(url))), "")
