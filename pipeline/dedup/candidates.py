"""All survivors in preference order, their exact copies, and the pairs of documents that are worth comparing.

Preference: the source's priority in the recipe, then longer text, then smaller id: a total order, so the answer depends on
no order of arrival. A document's place in it is its rank. Documents of other releases come before all own ones (by length,
id and release); no pairs are proposed among them, as they are never dropped.

The join goes band by band, and in each by ranges of keys that hold about RANGE_ROWS rows: what is in memory is one range, and
some 40 bytes a document for the order. Keys lie sorted in mapped files, so that a range is a slice of each.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.dedup.interface import ORDER, PAIRS, SKETCH, WANTED
from pipeline.errors import TaskError
from pipeline.kernels import join, radix

RANGE_ROWS = 1 << 20  # as many as a core's cache sorts well: 100 MB with the pairs that come of them
_SPARED_BITS = 48  # for the length of a text in the key of the order: 2^48 characters

Numbers = npt.NDArray[np.uint32]


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Order all survivors and propose pairs. Writes order.arrow, pairs.arrow and, for each artifact, what is compared.

    `parameters`: `sources`, in recipe order, each with name and priority; `artifacts`, each with its source's name, the keys
    in `files` of its sketch and of its bands (None: it has none), and the file `wanted` that is written for it; `against`:
    shards of other releases in the order of their ids, like artifacts; `exact`: whether copies are dropped; `near`: the
    recipe's parameters or None. Raises TaskError where two sources read one record.
    """
    sources = parameters["sources"]
    names = [source["name"] for source in sources]
    artifacts = [*parameters["against"], *parameters["artifacts"]]
    sketches = [mapped(files[artifact["sketch"]], SKETCH) for artifact in artifacts]
    of_source = sources_of(parameters, names, [table.num_rows for table in sketches])
    others = int((of_source == len(names)).sum())  # their places and their ranks are the first
    documents = pa.concat_tables([SKETCH.empty_table(), *sketches])
    _refuse_overlap(documents.column("id").slice(others), of_source[others:], names)
    _, levels = np.unique(np.array([source["priority"] for source in sources], np.int64), return_inverse=True)
    order = preference(documents, np.append(levels, len(names)).astype(np.int64)[of_source])
    exact = exact_copies(documents.column("exact"), order, parameters["exact"])
    with pa.ipc.new_file(out / "order.arrow", ORDER) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array(order), pa.array(exact)], schema=ORDER))
    near = parameters["near"]
    wanted = np.zeros(len(order), np.bool_)  # by rank
    skipped = np.zeros(len(names) + 1, np.int64)
    proposed = 0
    if near is not None:
        rank = np.empty(len(order), np.uint32)
        rank[order] = np.arange(len(order), dtype=np.uint32)
        starts = np.cumsum([0, *(table.num_rows for table in sketches)])
        bands = [
            (int(start), pa.ipc.open_file(pa.memory_map(str(files[artifact["bands"]]))))
            for artifact, start in zip(artifacts, starts.tolist(), strict=False)
            if artifact["bands"] is not None
        ]
        with pa.ipc.new_file(out / "pairs.arrow", PAIRS) as writer:
            for band in range(near["bands"]):
                pairs, passed = _band(bands, band, rank, exact, of_source[order], len(names) + 1, others, near)
                skipped += passed
                proposed += len(pairs)
                wanted[pairs >> np.uint64(32)] = True
                wanted[pairs & np.uint64(0xFFFFFFFF)] = True
                writer.write_batch(pa.RecordBatch.from_arrays([pa.array(pairs)], schema=PAIRS))
                progress(0, 0)
    wanted |= wanted[exact] & (exact >= others)  # a copy of a document that may be dropped is compared itself
    outputs = [artifact["wanted"] for artifact in artifacts]
    _write_wanted(out, wanted, order, list(zip(outputs, (table.num_rows for table in sketches), strict=True)))
    progress(len(order), 0)
    return {
        "documents": len(order),
        "pairs": proposed,
        "wanted": int(wanted.sum()),
        "skipped": dict(zip(names, skipped[: len(names)].tolist(), strict=True)),
    }


def sources_of(parameters: Mapping[str, Any], names: Sequence[str], sizes: Sequence[int]) -> npt.NDArray[np.int32]:
    """The number of each document's source, by place: other releases first, which have the number after the last.

    sizes: documents of each of `parameters["against"]`, then of each of `parameters["artifacts"]`.
    """
    numbers = [len(names)] * len(parameters["against"])
    numbers += [names.index(artifact["source"]) for artifact in parameters["artifacts"]]
    return np.repeat(np.array(numbers, np.int32), np.array(sizes, np.int64))


def preference(documents: pa.Table, priorities: npt.NDArray[np.int64]) -> Numbers:
    """Places of the documents (schema SKETCH) in preference order, (n,). Raises ValueError for 2^32 - 1 documents and more."""
    count = documents.num_rows
    if count >= int(join.LIMIT):
        raise ValueError(f"{count:,} documents; a rank has 32 bits")
    if not count:
        return np.zeros(0, np.uint32)
    ids = _fixed(documents.column("id"), ">u8", 2)
    characters = np.minimum(documents.column("characters").to_numpy(), (1 << _SPARED_BITS) - 1).astype(np.uint64)
    levels, level = np.unique(-priorities, return_inverse=True)
    if len(levels) >= 1 << (64 - _SPARED_BITS):
        raise ValueError(f"{len(levels)} different priorities; at most {(1 << (64 - _SPARED_BITS)) - 1}")
    first = level.astype(np.uint64) << np.uint64(_SPARED_BITS) | (np.uint64((1 << _SPARED_BITS) - 1) - characters)
    order = np.arange(count, dtype=np.uint32)
    for key in (ids[:, 1].astype(np.uint64), ids[:, 0].astype(np.uint64), first):  # the sort is stable: least first
        _, order = radix.sort(key[order], order)
    return order


def exact_copies(keys: pa.ChunkedArray, order: Numbers, drop: bool) -> Numbers:
    """Of each rank the rank of the first document with the same exact key (32 bytes): its own where it is the first."""
    own = np.arange(len(order), dtype=np.uint32)
    if not drop or not len(order):
        return own
    whole = _fixed(keys, "S32", 1)[:, 0]
    short = _fixed(keys, "<u8", 4)[:, 0]
    ordered, ranks = radix.sort(short[order].astype(np.uint64), own)
    same = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1  # equal in 64 bits to the one before
    first = own.copy()
    for at in same.tolist():
        key, k = whole[order[ranks[at]]], at - 1
        while k >= 0 and ordered[k] == ordered[at]:  # nearly always the one before: then the whole key is the same
            if whole[order[ranks[k]]] == key:
                first[ranks[at]] = first[ranks[k]]
                break
            k -= 1
    return first


def _band(
    bands: Sequence[tuple[int, Any]], band: int, rank: Numbers, exact: Numbers, sources: npt.NDArray[np.int32],
    number: int, others: int, near: Mapping[str, Any],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:  # fmt: skip
    """The pairs of one band whose later one is an own document, sorted and distinct, and the pairs skipped by source.

    others: how many of the first ranks are documents of other releases.
    """
    runs = []
    for start, reader in bands:
        for batch in range(band, reader.num_record_batches, near["bands"]):
            columns = reader.get_batch(batch)
            runs.append((start, columns.column("key").to_numpy(), columns.column("row").to_numpy()))
    parts, skipped = [np.zeros(0, np.uint64)], np.zeros(number, np.int64)
    for keys, places in _ranges(runs):
        ranks = rank[places]
        first = exact[ranks] == ranks  # exact copies are out of the race
        ordered, by_key = radix.sort(keys[first], ranks[first])
        pairs, passed = join.propose(
            ordered, by_key, sources, number, first=near["bucket_first"], neighbours=near["bucket_neighbours"]
        )
        parts.append(pairs[pairs >= np.uint64(others << 32)])
        skipped += passed
    return join.distinct(np.concatenate(parts)), skipped


def _ranges(runs: Sequence[tuple[int, Any, Any]]) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]]:
    """Keys and places of documents, range of keys by range of keys; keys are hashes, so equal ranges hold about as many."""
    count = max(1, -(-sum(len(keys) for _, keys, _ in runs) // RANGE_ROWS))
    cuts = [(k << 64) // count for k in range(1, count)]
    bounds = [
        np.concatenate([[0], np.searchsorted(keys, np.array(cuts, np.uint64)), [len(keys)]]).astype(np.int64)
        for _, keys, _ in runs
    ]
    for k in range(count):
        slices = [slice(bound[k], bound[k + 1]) for bound in bounds]
        yield (
            np.concatenate([np.zeros(0, np.uint64), *(run[1][cut] for run, cut in zip(runs, slices, strict=True))]),
            np.concatenate(
                [
                    np.zeros(0, np.int64),
                    *(run[0] + run[2][cut].astype(np.int64) for run, cut in zip(runs, slices, strict=True)),
                ]
            ),
        )


def _write_wanted(out: Path, wanted: npt.NDArray[np.bool_], order: Numbers, files: Sequence[tuple[str, int]]) -> None:
    """One file for each artifact, of its name and number of documents, of which some are compared."""
    by_place = np.zeros(len(order), np.bool_)
    by_place[order] = wanted
    start = 0
    for name, size in files:
        rows = np.flatnonzero(by_place[start : start + size]).astype(np.uint32)
        start += size
        if len(rows):
            (out / name).parent.mkdir(exist_ok=True)
            with pa.ipc.new_file(out / name, WANTED) as writer:
                writer.write_batch(pa.RecordBatch.from_arrays([pa.array(rows)], schema=WANTED))


def _refuse_overlap(ids: pa.ChunkedArray, of_source: npt.NDArray[np.int32], names: Sequence[str]) -> None:
    """Two sources that read one record of one artifact would give one document two fates."""
    if len(ids) < 2:
        return
    high = _fixed(ids, ">u8", 2)
    _, order = radix.sort(high[:, 0].astype(np.uint64), np.arange(len(ids), dtype=np.uint32))
    ordered = high[order]
    for at in np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1)).tolist():
        one, other = sorted((int(order[at]), int(order[at + 1])))
        raise TaskError(
            f"the sources {names[of_source[one]]} and {names[of_source[other]]} read the same record "
            f"(document {ids[one].as_py().hex()})",
            where="dedup",
            wanted="sources of one artifact whose `members` do not overlap",
            hint="narrow `members` or `exclude` of one of them in the recipe",
        )


def mapped(path: Path, schema: pa.Schema) -> pa.Table:
    """The rows of an IPC file without compression, mapped into memory."""
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    if table.schema != schema:
        raise ValueError(f"{path.name} has columns {table.schema.names}, wanted {schema.names}")
    return table


def _fixed(column: pa.ChunkedArray, kind: str, width: int) -> npt.NDArray[Any]:
    """A column of fixed-size binary as an array (n, width) of `kind`."""
    array = column.combine_chunks()
    size = np.dtype(kind).itemsize * width
    return np.frombuffer(array.buffers()[1], kind, len(array) * width, array.offset * size).reshape(-1, width)
