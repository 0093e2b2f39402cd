"""Write one shard of one source: data, the kept rows aligned with it, and the ledger of the dropped, each in id order."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.interface import EXACT
from pipeline.kernels.features import FEATURES
from pipeline.release import keyed, parquet, schemas, survey
from pipeline.trust import extraction, index, leaves, page_rows

KEPT, DROPPED = schemas.kept(FEATURES), schemas.dropped(FEATURES)
KINDS = {"data": schemas.DATA, "kept": KEPT, "dropped": DROPPED, "clusters": schemas.CLUSTERS}
WORK_KEPT, WORK_DROPPED = schemas.work_kept(FEATURES), schemas.work_dropped(FEATURES)


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Write shard `parameters["shard"]` of `parameters["shards"]` of one source into `out`, as a release lays it out.

    `files`: `losers`, `members`, and the `survivors-*` and `dropped-*` of every curate task of the source that had rows for the
    shard. `parameters["keys"]`, `parameters["release_key"]`: the keys (hex) of the source's artifacts, by their SHA-256, and of
    the release, for the digests of the rows.

    Beside the files of the release `index.arrow`: what the shard puts into the index trees (`trust.index`). Returns for
    each file its name in the release and what the manifest says of it, the counts by reason, and what the documents need: tally
    and columns.
    """
    source, number, shards = parameters["source"], parameters["shard"], parameters["shards"]
    survivors = _concat([files[key] for key in sorted(files) if key.startswith("survivors")])
    ledger = _concat([files[key] for key in sorted(files) if key.startswith("dropped")])
    with pa.ipc.open_file(files["losers"]) as reader:
        losers = reader.read_all()
    with pa.ipc.open_file(files["members"]) as reader:
        members = reader.read_all()

    names = {
        "data": f"data/{source}/train-{number:05d}-of-{shards:05d}.parquet",
        "kept": f"provenance/{source}/kept-{number:05d}-of-{shards:05d}.parquet",
        "dropped": f"provenance/{source}/dropped-{number:05d}-of-{shards:05d}.parquet",
        "clusters": f"provenance/{source}/clusters-{number:05d}-of-{shards:05d}.parquet",
    }
    keys = {name: bytes.fromhex(key) for name, key in parameters["keys"].items()}
    whole = bytes.fromhex(parameters["release_key"])
    kept, dropped = (keyed.published(table, keys, whole) for table in _split(survivors, losers, ledger))
    data = _data(kept, parameters["license"])
    written = []
    for kind, table, schema in (
        ("data", data, schemas.DATA),
        ("kept", kept, KEPT),
        ("dropped", dropped, DROPPED),
        ("clusters", clusters(kept.column("id"), members, source), schemas.CLUSTERS),
    ):
        path = out / names[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        table = table.select(schema.names).cast(schema)
        parquet.write(table, path, schema)
        ids = table.column("id")
        written.append(
            {
                "name": names[kind], "kind": kind, "source": source, "rows": table.num_rows,
                "leaves": table.num_rows,
                "root": _root(kind, table, kept).hex(),
                "first_id": ids[0].as_py() if len(ids) else None, "last_id": ids[-1].as_py() if len(ids) else None,
            }
        )  # fmt: skip
    _write_index(kept, dropped, out / "index.arrow")
    reasons = Counter(zip(dropped.column("stage").to_pylist(), dropped.column("reason").to_pylist(), strict=True))
    pages = extraction.summed(page_rows.totals(table) for table in (kept, dropped))
    text_bytes = pc.sum(kept.column("text_bytes")).as_py() or 0
    progress(kept.num_rows, text_bytes)
    return {
        "files": written,
        "kept": kept.num_rows,
        "dropped": dropped.num_rows,
        "text_bytes": text_bytes,
        "extraction": pages,
        **survey.of_rows(kept).to_json(),
        "columns": {kind: survey.columns(schema) for kind, schema in KINDS.items()},
        "reasons": [
            {"stage": stage, "reason": reason, "documents": count} for (stage, reason), count in sorted(reasons.items())
        ],
    }


def _root(kind: str, table: pa.Table, kept: pa.Table) -> bytes:
    """The content root of a file. The digests of texts are those that were made when the texts were."""
    if kind == "data":
        table = table.append_column("text_sha256", kept.column("text_sha256").combine_chunks())
    return leaves.content_root(kind, table)


def _write_index(kept: pa.Table, dropped: pa.Table, path: Path) -> None:
    digests = bytes.fromhex("".join(kept.column("text_sha256").to_pylist()))
    parts = [
        index.of_rows(fate, rows.select(list(index.COLUMNS)).combine_chunks().to_batches()[0], texts)
        for fate, rows, texts in (("kept", kept, digests), ("dropped", dropped, b""))
        if rows.num_rows
    ]
    table = index.to_table(index.together(parts))
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def _split(survivors: pa.Table | None, losers: pa.Table, ledger: pa.Table | None) -> tuple[pa.Table, pa.Table]:
    """Kept rows (with text) and the ledger with the duplicates added, both in id order."""
    empty = pa.schema([*WORK_KEPT, *(schemas.DATA.field(name) for name in ("text", "title"))]).empty_table()
    survivors = empty if survivors is None else survivors
    lost = pc.is_in(survivors.column("id"), value_set=losers.column("id").combine_chunks())
    kept = survivors.filter(pc.invert(lost)).sort_by("id")
    duplicates = survivors.filter(lost).drop_columns(["text", "title"])
    rows = [] if ledger is None else [ledger]
    if duplicates.num_rows:
        rows.append(_duplicate_rows(duplicates, losers))
    dropped = pa.concat_tables(rows).sort_by("id") if rows else WORK_DROPPED.empty_table()
    return kept, dropped


def _duplicate_rows(duplicates: pa.Table, losers: pa.Table) -> pa.Table:
    facts = losers.take(pc.index_in(duplicates.column("id"), value_set=losers.column("id").combine_chunks()))
    count = duplicates.num_rows
    columns = {name: duplicates.column(name) for name in duplicates.column_names}
    columns |= {
        "failed": pa.array([[]] * count, schemas.REASONS),
        "stage": pa.repeat(pa.scalar("dedup"), count),
        "reason": facts.column("reason"),
        "kept_id": facts.column("kept_id"),
        "kept_source": facts.column("kept_source"),
        "kept_release": facts.column("kept_release"),
        "similarity": facts.column("similarity"),
        "bands": facts.column("bands"),
    }
    arrays = [columns[field.name] if field.name in columns else pa.nulls(count, field.type) for field in WORK_DROPPED]
    return pa.table(arrays, schema=WORK_DROPPED)


def clusters(kept: pa.ChunkedArray, members: pa.Table, source: str) -> pa.Table:
    """One row (schema CLUSTERS) for each of the `kept` ids that stands for others. `members`: of the whole source."""
    rows = members.filter(pc.is_in(members.column("kept_id"), value_set=kept.combine_chunks()))
    rows = rows.sort_by([("kept_id", "ascending"), ("similarity", "descending"), ("id", "ascending")])
    ids = rows.column("kept_id").to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]])) if len(ids) else np.zeros(0, np.int64)
    ends = np.append(starts, len(ids))
    exact = pc.equal(rows.column("reason"), EXACT).to_numpy().astype(np.int64)
    exacts = np.add.reduceat(exact, starts) if len(ids) else np.zeros(0, np.int64)
    sizes = np.diff(ends)
    items = pa.StructArray.from_arrays(
        [rows.column(field.name).combine_chunks() for field in schemas.MEMBER], fields=list(schemas.MEMBER)
    )
    lists = pa.ListArray.from_arrays(
        pa.array(ends if len(ids) else np.zeros(1, np.int64), pa.int32()),
        items,
        type=schemas.CLUSTERS.field("members").type,
    )
    columns = [ids[starts], [source] * len(starts), sizes + 1, exacts, sizes - exacts]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schemas.CLUSTERS, strict=False)]
    return pa.table([*arrays, lists], schema=schemas.CLUSTERS)


def _data(kept: pa.Table, license_expression: str) -> pa.Table:
    columns = {
        name: kept.column(name) if name != "license" else pa.repeat(pa.scalar(license_expression), kept.num_rows)
        for name in schemas.DATA.names
    }
    return pa.table(columns, schema=schemas.DATA)


def _concat(paths: list[Path]) -> pa.Table | None:
    tables = []
    for path in paths:
        with pa.ipc.open_file(path) as reader:
            tables.append(reader.read_all())
    return pa.concat_tables(tables) if tables else None
