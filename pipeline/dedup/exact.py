"""Exact duplicates over all sources: which document of a set with one normalised text is kept, and who lost to it.

Preference: the source's priority in the recipe, then longer text, then smaller id: a total order, so the
answer depends on no order of arrival. Each dropped row names the kept document. Near duplicates will be a second table of
the same columns (`LOSERS`), with their similarity.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup.interface import LOSERS, SKETCH
from pipeline.errors import TaskError
from pipeline.release.schemas import MILLION

REASON = "exact_duplicate"


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Choose among all survivors. Writes `out`/SOURCE.arrow (schema LOSERS, in id order) for every source.

    `parameters`: `exact` (false: nobody loses); `sources`, in recipe order, each with name, priority and alarm
    (`max_duplicate_share`); `sketches`, the source of each sketch in `files`. Raises TaskError where a source loses more
    than its alarm share, and where two sources read the same record.
    """
    sources = parameters["sources"]
    names = [source["name"] for source in sources]
    documents = _read(parameters["sketches"], files, sources)
    _refuse_overlap(documents, names)
    losers = choose(documents if parameters["exact"] else documents.slice(0, 0))
    seen = np.bincount(documents.column("source").to_numpy(), minlength=len(names)).tolist()
    lost = np.bincount(losers.column("source").to_numpy(), minlength=len(names)).tolist()
    _alarm(sources, seen, lost)
    for number, name in enumerate(names):
        mine = losers.filter(pc.equal(losers.column("source"), number)).sort_by("id")
        table = pa.table(
            {
                "id": _hex(mine.column("id")),
                "reason": [REASON] * mine.num_rows,
                "kept_id": _hex(mine.column("kept")),
                "kept_source": [names[source] for source in mine.column("kept_source").to_pylist()],
                "similarity": [MILLION] * mine.num_rows,
            },
            schema=LOSERS,
        )
        with pa.ipc.new_file(out / f"{name}.arrow", LOSERS) as writer:
            writer.write_table(table)
    progress(documents.num_rows, 0)
    return {"documents": documents.num_rows, "dropped": dict(zip(names, lost, strict=True))}


def choose(documents: pa.Table) -> pa.Table:
    """The rows of `documents` that lose, with `kept` and `kept_source`, the id and source of the document they lost to.

    `documents`: id (16 bytes), exact (32 bytes), characters (int64), source (int32), priority (int64).
    """
    ordered = documents.sort_by(
        [("exact", "ascending"), ("priority", "descending"), ("characters", "descending"), ("id", "ascending")]
    )
    count = ordered.num_rows
    exact = ordered.column("exact")
    first = np.ones(count, np.bool_)  # of its set of equal keys
    if count > 1:
        first[1:] = pc.not_equal(exact.slice(1), exact.slice(0, count - 1)).to_numpy()
    winner = np.maximum.accumulate(np.where(first, np.arange(count), 0))
    losers = np.flatnonzero(~first)
    winners = ordered.take(pa.array(winner[losers]))
    return (
        ordered.take(pa.array(losers))
        .append_column("kept", winners.column("id"))
        .append_column("kept_source", winners.column("source"))
    )


def _read(sketches: Mapping[str, str], files: Mapping[str, Path], sources: Sequence[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([*SKETCH, pa.field("source", pa.int32()), pa.field("priority", pa.int64())])
    numbers = {source["name"]: number for number, source in enumerate(sources)}
    parts = [schema.empty_table()]
    for key, name in sorted(sketches.items()):
        with pa.ipc.open_file(files[key]) as reader:
            table = reader.read_all()
        number = pa.repeat(pa.scalar(numbers[name], pa.int32()), table.num_rows)
        priority = pa.repeat(pa.scalar(sources[numbers[name]]["priority"], pa.int64()), table.num_rows)
        parts.append(pa.table([*table.columns, number, priority], schema=schema))
    return pa.concat_tables(parts)


def _refuse_overlap(documents: pa.Table, names: Sequence[str]) -> None:
    """Two sources that read one record of one artifact would give one document two fates."""
    ordered = documents.select(["id", "source"]).sort_by("id")
    ids = ordered.column("id")
    twice = pc.equal(ids.slice(1), ids.slice(0, max(len(ids) - 1, 0)))
    found = pc.index(twice, True).as_py()
    if found >= 0:
        pair = [names[number] for number in ordered.column("source").slice(found, 2).to_pylist()]
        raise TaskError(
            f"the sources {pair[0]} and {pair[1]} read the same record (document {ids[found].as_py().hex()})",
            where="dedup",
            wanted="sources of one artifact whose `members` do not overlap",
            hint="narrow `members` or `exclude` of one of them in the recipe",
        )


def _hex(ids: pa.ChunkedArray) -> list[str]:
    return [identifier.hex() for identifier in ids.to_pylist()]


def _alarm(sources: Sequence[Mapping[str, Any]], seen: Sequence[int], lost: Sequence[int]) -> None:
    loud = [
        f"{source['name']}: {gone:,} of {all_:,} documents ({gone / all_:.1%}, alarm at {source['alarm']:.1%})"
        for source, all_, gone in zip(sources, seen, lost, strict=True)
        if all_ and gone / all_ > source["alarm"]
    ]
    if loud:
        raise TaskError(
            "deduplication would drop more of a source than its alarm allows:\n  " + "\n  ".join(loud),
            where="dedup",
            hint="look at the source; if the loss is right, set its `max_duplicate_share` in the recipe",
        )
