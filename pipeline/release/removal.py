"""Take documents out of one shard of a release: their rows go, the hashes of their leaves stay at their places."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.release import parquet, schemas
from pipeline.trust import extraction, leaves, page_rows
from pipeline.trust.extraction import ExtractionTotals


@dataclass(frozen=True, slots=True)
class Removed:
    """`files`: entries of the manifest for all files of the shard; `written` those that are new in `out`, by name. How many
    documents were kept, and dropped by (stage, reason), before; bytes of kept text; what their pages held."""

    files: tuple[dict[str, Any], ...]
    written: frozenset[str]
    kept: int
    dropped: Counter[tuple[str, str]]
    text_bytes: int
    extraction: ExtractionTotals


def remove(release: Path, out: Path, files: Mapping[str, Mapping[str, Any]], ids: Collection[str]) -> Removed:
    """Remove documents from a shard. `files`: its entries in the manifest by kind; `out`: folder for what changes."""
    kept, dropped, clusters = (pq.read_table(release / files[kind]["name"]) for kind in ("kept", "dropped", "clusters"))
    before = schemas.REMOVED.empty_table()
    if "removed" in files:
        before = pq.read_table(release / files["removed"]["name"])
    wanted = pa.array(sorted(ids), pa.string())
    of_kept, of_dropped, of_clusters = (
        pc.is_in(table.column("id"), value_set=wanted) for table in (kept, dropped, clusters)
    )
    gone_kept, gone_dropped = kept.filter(of_kept), dropped.filter(of_dropped)
    entries, written = {kind: dict(entry) for kind, entry in files.items()}, set()
    heads = _cluster_leaves(clusters.filter(of_clusters), _places(clusters, before, "cluster_position", of_clusters))
    of_texts: list[str | None] = []
    if gone_kept.num_rows:
        data = pq.read_table(release / files["data"]["name"])
        of_texts = _text_leaves(data.filter(of_kept), gone_kept)
        for kind, table in (("data", data), ("kept", kept)):
            _write(table.filter(pc.invert(of_kept)), out, entries[kind], _schema(kind, kept))
            written.add(kind)
    if gone_dropped.num_rows:
        _write(dropped.filter(pc.invert(of_dropped)), out, entries["dropped"], _schema("dropped", dropped))
        written.add("dropped")
    if heads:
        _write(clusters.filter(pc.invert(of_clusters)), out, entries["clusters"], schemas.CLUSTERS)
        written.add("clusters")
    stones = [
        _tombstones("kept", gone_kept, _places(kept, before, "position", of_kept, "kept"), of_texts, heads),
        _tombstones("dropped", gone_dropped, _places(dropped, before, "position", of_dropped, "dropped"), None, {}),
    ]
    removed = pa.concat_tables([before, *stones]).sort_by("id")
    name = files["kept"]["name"].replace("/kept-", "/removed-")
    entries["removed"] = {**files["kept"], "name": name, "kind": "removed"}
    _write(removed, out, entries["removed"], schemas.REMOVED)
    root = leaves.content_root("removed", removed.select(schemas.REMOVED.names).cast(schemas.REMOVED)).hex()
    entries["removed"].update(leaves=removed.num_rows, root=root)
    written.add("removed")
    reasons = zip(*(gone_dropped.column(name).to_pylist() for name in ("stage", "reason")), strict=True)
    return Removed(
        tuple(entries.values()), frozenset(str(entries[kind]["name"]) for kind in written), gone_kept.num_rows,
        Counter(reasons), pc.sum(gone_kept.column("text_bytes")).as_py() or 0,
        extraction.summed(page_rows.totals(gone) for gone in (gone_kept, gone_dropped)),
    )  # fmt: skip


def _places(
    table: pa.Table, before: pa.Table, column: str, chosen: pa.ChunkedArray, fate: str = "kept"
) -> npt.NDArray[np.int64]:
    """The places of the chosen rows among the leaves of their file, of which some may have been removed before."""
    taken = before.filter(pc.equal(before.column("fate"), fate)).column(column).drop_null().to_numpy()
    present = np.setdiff1d(np.arange(table.num_rows + len(taken)), taken, assume_unique=True)
    found: npt.NDArray[np.int64] = present[np.asarray(chosen.to_numpy(), np.bool_)]
    return found


def _tombstones(
    fate: str, rows: pa.Table, places: npt.NDArray[np.int64], of_texts: list[str | None] | None,
    clusters: Mapping[str, tuple[int, str]],
) -> pa.Table:  # fmt: skip
    """The rows of `schemas.REMOVED` for rows of one fate."""
    count, data = rows.num_rows, of_texts if of_texts is not None else [None] * rows.num_rows
    ids = rows.column("id").to_pylist()
    heads = [clusters.get(identifier, (None, None)) for identifier in ids]
    columns = [
        *(rows.column(name).combine_chunks() for name in ("id", "source", "purl", "artifact_sha256")),
        pa.repeat(pa.scalar(fate), count), pa.array(places, pa.int64()),
        pa.array([leaf.hex() for leaf in leaves.leaf_hashes(fate, _batch(rows))], pa.string()), pa.array(data, pa.string()),
        pa.array([place for place, _ in heads], pa.int64()), pa.array([leaf for _, leaf in heads], pa.string()),
    ]  # fmt: skip
    return pa.table(columns, schema=schemas.REMOVED)


def _text_leaves(data: pa.Table, kept: pa.Table) -> list[str | None]:
    """The leaves of rows of texts, in hex. `kept`: the rows beside them."""
    digests = [bytes.fromhex(digest) for digest in kept.column("text_sha256").to_pylist()]
    return [leaf.hex() for leaf in leaves.leaf_hashes("data", _batch(data), digests)]


def _batch(rows: pa.Table) -> pa.RecordBatch:
    """A table as one batch."""
    return (rows.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)])[0]


def _cluster_leaves(rows: pa.Table, places: npt.NDArray[np.int64]) -> dict[str, tuple[int, str]]:
    """Place and leaf of the clusters of documents that are removed, by the document's id."""
    if not rows.num_rows:
        return {}
    hashes = leaves.leaf_hashes("clusters", _batch(rows))
    return {
        identifier: (place, leaf.hex())
        for identifier, place, leaf in zip(rows.column("id").to_pylist(), places.tolist(), hashes, strict=True)
    }


def _write(table: pa.Table, out: Path, entry: dict[str, Any], schema: pa.Schema) -> None:
    """Write a file as a build does, and put what it is now into its entry."""
    path = out / entry["name"]
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write(table, path, schema)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    ids = table.column("id")
    entry.update(
        sha256=digest, bytes=path.stat().st_size, rows=table.num_rows,
        first_id=ids[0].as_py() if len(ids) else None, last_id=ids[-1].as_py() if len(ids) else None,
    )  # fmt: skip


def _schema(kind: str, provenance: pa.Table) -> pa.Schema:
    if kind == "data":
        return schemas.DATA
    measures = provenance.schema.field("measures").type
    names = [measures.field(number).name for number in range(measures.num_fields)]
    return (schemas.kept if kind == "kept" else schemas.dropped)(names)
