"""The documents that a release has beside its shards: dataset card, Croissant, summary of its content.

Each is a function of what the manifest says, of the shards' schemas and of a tally of the kept rows: no time, host, path or
release id, so that a rebuild gives the same bytes. The manifest covers them; `trust.names.DOCUMENTS` says which there are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.release import tally
from pipeline.release.card import card
from pipeline.release.croissant import croissant
from pipeline.release.summary import summary
from pipeline.trust.names import DOCUMENTS


@dataclass(frozen=True, slots=True)
class Facts:
    """What the documents are made of, all but `schemas` and `tally` as in the manifest. `files`: entries of the Parquet files;
    `schemas`: of a Parquet file of each kind; `tally`: of all kept rows.
    """

    recipe: Mapping[str, Any]
    totals: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    against: Sequence[Mapping[str, str]]
    schemas: Mapping[str, pa.Schema]
    tally: tally.Tally


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


def of_folder(
    folder: Path, recipe: Mapping[str, Any], totals: Mapping[str, Any], sources: Sequence[Mapping[str, Any]],
    files: Sequence[Mapping[str, Any]], against: Sequence[Mapping[str, Any]],
) -> dict[str, bytes]:  # fmt: skip
    """`documents` of a release whose Parquet files (`files`) lie in a folder: what must be counted is read from them."""
    kept = (
        pq.read_table(folder / file["name"], columns=list(tally.COLUMNS)) for file in files if file["kind"] == "kept"
    )
    shards = {file["kind"]: folder / file["name"] for file in files}
    others = [{key: str(value) for key, value in other.items()} for other in against]
    counted = tally.together(map(tally.of_rows, kept))
    return documents(Facts(recipe, totals, sources, files, others, schemas_of(shards), counted))


def entries(made: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """What the manifest says of the documents."""
    return [
        {
            "name": name, "kind": DOCUMENTS[name], "source": None, "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data), "rows": None, "leaves": None, "root": None, "first_id": None, "last_id": None,
        }
        for name, data in made.items()
    ]  # fmt: skip


def schemas_of(paths: Mapping[str, Path]) -> dict[str, pa.Schema]:
    """The schemas of a Parquet file of each kind."""
    return {kind: pq.read_schema(path) for kind, path in paths.items()}
