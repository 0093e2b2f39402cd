"""The documents that a release has beside its shards: dataset card, Croissant, summary of its content.

Each is a function of what the manifest says, of the shards' columns and of a tally of the kept rows: no time, host, path or
release id, so that a rebuild gives the same bytes. The manifest covers them; `trust.names.DOCUMENTS` says which there are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.release.card import card
from pipeline.release.croissant import croissant
from pipeline.release.summary import summary
from pipeline.release.tally import Tally
from pipeline.trust.names import DOCUMENTS


@dataclass(frozen=True, slots=True)
class Facts:
    """What the documents are made of, all but `columns` and `tally` as in the manifest. `files`: entries of the Parquet files;
    `columns`: of each kind of file, as `survey.columns` gives them; `tally`: of all kept rows.
    """

    recipe: Mapping[str, Any]
    totals: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    against: Sequence[Mapping[str, str]]
    columns: Mapping[str, Sequence[Mapping[str, Any]]]
    tally: Tally


def documents(facts: Facts) -> dict[str, bytes]:
    """The bytes of each document, by its name in the release."""
    made = {
        "README.md": card(facts).encode(),
        "SUMMARY.md": summary(facts).encode(),
        "croissant.json": croissant(facts),
    }
    if set(made) != set(DOCUMENTS):
        raise AssertionError(f"{sorted(made)} were made, {sorted(DOCUMENTS)} belong to a release")
    return made


def entries(made: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """What the manifest says of the documents."""
    return [
        {
            "name": name, "kind": DOCUMENTS[name], "source": None, "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data), "rows": None, "leaves": None, "root": None, "first_id": None, "last_id": None,
        }
        for name, data in made.items()
    ]  # fmt: skip
