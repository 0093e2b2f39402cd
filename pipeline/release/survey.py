"""What the documents about a release take from its Parquet: columns, and the tally of the kept rows.

Apart from `documents`, because a build makes the documents in a process that has no Arrow: its write tasks survey the shards.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.release import documents
from pipeline.release.tally import Tally, together
from pipeline.trust.urls import canonical_url, domains

COLUMNS = ("url", "text_bytes", "language")
# What of a URL says who published it: scheme and authority, or a Package URL without qualifiers and subpath.
_PUBLISHER = r"^(?P<publisher>https?://[^/?#]*|pkg:[^?#]*)"


def of_rows(kept: pa.Table) -> Tally:
    """The tally of kept rows; of the table COLUMNS are read."""
    publisher = pc.struct_field(pc.extract_regex(kept.column("url"), _PUBLISHER), "publisher")
    named = pa.table([pc.coalesce(publisher, kept.column("url")), kept.column("text_bytes")], names=["name", "bytes"])
    found: Counter[str] = Counter()
    for row in named.group_by("name", use_threads=False).aggregate([("bytes", "sum")]).to_pylist():
        found[_publisher(row["name"])] += row["bytes_sum"]
    return Tally(Counter(kept.column("language").to_pylist()), found)


def columns(schema: pa.Schema) -> list[dict[str, Any]]:
    """The columns of a file as JSON: `name`, `many` (a list of what follows), and `type` (`text`, `integer`) or, of a struct,
    `fields`, each with name and type.
    """
    return [_column(field) for field in schema]


def documents_of(
    folder: Path, recipe: Mapping[str, Any], totals: Mapping[str, Any], sources: Sequence[Mapping[str, Any]],
    files: Sequence[Mapping[str, Any]], against: Sequence[Mapping[str, Any]],
) -> dict[str, bytes]:  # fmt: skip
    """The documents of a release whose Parquet files (`files`) lie in a folder: what has to be counted is read from them."""
    kept = (pq.read_table(folder / file["name"], columns=list(COLUMNS)) for file in files if file["kind"] == "kept")
    shards = {file["kind"]: folder / file["name"] for file in files}
    others = [{key: str(value) for key, value in other.items()} for other in against]
    described = {kind: columns(pq.read_schema(path)) for kind, path in shards.items()}
    counted = together(map(of_rows, kept))
    return documents.documents(documents.Facts(recipe, totals, sources, files, others, described, counted))


def _publisher(url: str) -> str:
    """The host or package of a URL; empty for what has neither."""
    return next(iter(domains(canonical_url(url))), "")


def _column(field: pa.Field) -> dict[str, Any]:
    kind, many = field.type, pa.types.is_list(field.type)
    if many:
        kind = kind.value_type
    if pa.types.is_struct(kind):
        inner = [kind.field(number) for number in range(kind.num_fields)]
        return {"name": field.name, "many": many, "fields": [{"name": i.name, "type": _type(i.type)} for i in inner]}
    return {"name": field.name, "many": many, "type": _type(kind)}


def _type(kind: pa.DataType) -> str:
    return "integer" if pa.types.is_integer(kind) else "text"
