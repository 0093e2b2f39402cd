"""What the report takes from a release's rows: counts of values, languages and lengths, the largest clusters, samples.

One pass over the columns that are needed, batch by batch, so that memory does not grow with the release; texts are read of
the samples alone. Nothing depends on the order of batches or files: counts are sums, and samples are the rows whose ids,
by a mask that the release id gives, come first. So they are the same for everybody, and nobody can choose them but by
choosing the release.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.inspection import scales

ROWS = 8_192  # of a batch: with some 25 decisions a row, 8 MB; four times as many took 130 MB more, and no less time
SAMPLES = 20  # of kept documents, and of each reason
CLUSTERS = 12
MEMBERS = 2  # of a cluster
MILLION = 1_000_000
NONE = -(2**63)  # where a row has no bound
CELLS = len(scales.EDGES)
KEPT = ("id", "language", "language_score", "text_bytes", "decisions")
DROPPED = (
    "id", "source", "purl", "member", "path", "record", "url", "language", "language_score", "text_bytes", "decisions",
    "stage", "reason", "detail", "value", "low", "high", "kept_id", "kept_source", "kept_release", "similarity",
)  # fmt: skip
ORIGIN = ("id", "source", "purl", "member", "path", "record", "url", "language", "language_score", "text_bytes")

Paths = Callable[[str], Path]
Row = dict[str, Any]
Fates = tuple[Counter[int], Counter[int]]  # cells of kept and of dropped


def _fates() -> Fates:
    return Counter(), Counter()


@dataclass(frozen=True, slots=True)
class Measure:
    """What the checks of one name saw: `cells` of kept and dropped documents; `bounds` (low, high) with how often each applied;
    `failed`: how many documents are outside."""

    cells: Fates = field(default_factory=_fates)
    bounds: Counter[tuple[int | None, int | None]] = field(default_factory=Counter)
    failed: Counter[bool] = field(default_factory=Counter)


@dataclass(slots=True)
class Found:
    """All that was found. `samples` of kept rows have `text`, `title` and `license`; `dropped` are by (stage, reason)."""

    measures: dict[str, Measure] = field(default_factory=dict)
    lengths: Fates = field(default_factory=_fates)
    scores: Fates = field(default_factory=_fates)
    languages: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    clusters: list[Row] = field(default_factory=list)
    clustered: tuple[int, int] = (0, 0)  # clusters, and documents in them
    samples: list[Row] = field(default_factory=list)
    dropped: dict[tuple[str, str], list[Row]] = field(default_factory=dict)


def gather(paths: Paths, files: Sequence[Mapping[str, Any]], release_id: str, rows: int = ROWS) -> Found:
    """Read a release's rows. `files`: those of its manifest; `paths`: where each of them lies; `rows`: of a batch.

    Raises OSError, pa.ArrowException or ValueError where a file cannot be read as what it should be.
    """
    found = Found()
    mask = np.uint64(int.from_bytes(hashlib.sha256(f"pellucid/report/v1 {release_id}".encode()).digest()[:8], "big"))
    chosen: list[tuple[int, str, int]] = []  # of kept rows: key, file, row
    pools: dict[tuple[str, str], list[tuple[int, str, Row]]] = {}
    heads: list[tuple[int, str, Row]] = []
    for file in files:
        path = paths(file["name"])
        if file["kind"] == "kept":
            row = 0
            for batch in _batches(path, KEPT, rows):
                _count(found, batch, 0)
                keys = _keys(batch, mask)
                for place in _first(keys, SAMPLES):
                    chosen.append((int(keys[place]), file["name"], row + int(place)))
                chosen = sorted(chosen)[:SAMPLES]
                row += len(batch)
        elif file["kind"] == "dropped":
            for batch in _batches(path, DROPPED, rows):
                _count(found, batch, 1)
                _choose(pools, batch, _keys(batch, mask))
        elif file["kind"] == "clusters":
            heads = _largest(found, path, heads, rows)
    found.samples = _texts(paths, chosen)
    found.dropped = {reason: [row for _, _, row in pool] for reason, pool in sorted(pools.items())}
    found.clusters = _clusters(paths, files, [row for _, _, row in heads])
    return found


def _batches(path: Path, columns: Sequence[str], rows: int = ROWS) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        if file.metadata.num_rows:
            yield from file.iter_batches(rows, columns=list(columns), use_threads=False)


def _keys(batch: pa.RecordBatch, mask: np.uint64) -> npt.NDArray[np.uint64]:
    """A number a row (n,), by which samples are drawn: the first 8 bytes of its id, which is a digest, under the mask."""
    raw = bytes.fromhex("".join(batch.column("id").to_pylist()))
    if len(raw) != 16 * len(batch):
        raise ValueError("a document's id has not 32 hexadecimal digits")
    keys: npt.NDArray[np.uint64] = np.frombuffer(raw, ">u8")[::2].astype(np.uint64) ^ mask
    return keys


def _first(keys: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.int64]:
    """Places of the smallest keys, in no order."""
    if len(keys) <= count:
        return np.arange(len(keys))
    return np.argpartition(keys, count - 1)[:count]


def _count(found: Found, batch: pa.RecordBatch, fate: int) -> None:
    """Add a batch's languages, scores, lengths and decisions to the counts of its fate (0 kept, 1 dropped)."""
    for counted in pc.value_counts(batch.column("language").drop_null()).to_pylist():
        found.languages[fate][counted["values"]] += counted["counts"]
    for name, into, times in (("language_score", found.scores, 1), ("text_bytes", found.lengths, MILLION)):
        values = _ints(batch.column(name).drop_null())
        _tally(into[fate], scales.cells(values * times))
    decisions = batch.column("decisions").flatten()
    if not len(decisions):
        return
    names = decisions.field("reason").dictionary_encode()
    values, low, high = (_ints(decisions.field(name)) for name in ("value", "low", "high"))
    outside = ((low != NONE) & (values < low)) | ((high != NONE) & (values > high))
    lows, highs = np.unique(low), np.unique(high)  # few
    low_codes, high_codes = np.searchsorted(lows, low), np.searchsorted(highs, high)
    # One number for reason, bounds and verdict, and the cell below it.
    kinds = ((_ints(names.indices) * len(lows) + low_codes) * len(highs) + high_codes) * 2 + outside
    keys, counts = np.unique(kinds * CELLS + scales.cells(values), return_counts=True)
    for key, number in zip(keys.tolist(), counts.tolist(), strict=True):
        kind, cell = divmod(key, CELLS)
        kind, out = divmod(kind, 2)
        kind, high_code = divmod(kind, len(highs))
        reason_code, low_code = divmod(kind, len(lows))
        reason = names.dictionary[reason_code].as_py()
        if (measure := found.measures.get(reason)) is None:
            measure = found.measures[reason] = Measure()
        bounds = tuple(None if bound == NONE else int(bound) for bound in (lows[low_code], highs[high_code]))
        measure.cells[fate][cell] += number
        measure.bounds[bounds[0], bounds[1]] += number
        measure.failed[bool(out)] += number


def _ints(values: pa.Array) -> npt.NDArray[np.int64]:
    """Integers as numpy has them, NONE where there is none. Not by `to_numpy` or a scalar: these import pandas, 0.3 s."""
    array = values.cast(pa.int64())
    if not len(array):
        return np.zeros(0, np.int64)
    validity, data = array.buffers()
    found = np.frombuffer(data, np.int64)[array.offset : array.offset + len(array)]
    if not array.null_count:
        return found
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return np.where(bits[array.offset : array.offset + len(array)] == 1, found, NONE)


def _array(places: npt.NDArray[np.int64]) -> pa.Array:
    """Integers as Arrow has them; `pa.array` imports pandas, too."""
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(np.ascontiguousarray(places, np.int64))])


def _strings(values: Sequence[str]) -> pa.Array:
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def _tally(into: Counter[int], found: npt.NDArray[np.int64]) -> None:
    for cell, number in zip(*np.unique(found, return_counts=True), strict=True):
        into[int(cell)] += int(number)


def _choose(
    pools: dict[tuple[str, str], list[tuple[int, str, Row]]], batch: pa.RecordBatch, keys: npt.NDArray[np.uint64]
) -> None:
    """Keep of each reason the SAMPLES rows of the smallest keys."""
    stages, reasons = (batch.column(name).dictionary_encode() for name in ("stage", "reason"))
    codes = _ints(stages.indices) * len(reasons.dictionary) + _ints(reasons.indices)
    for code in np.unique(codes):
        stage, reason = divmod(int(code), len(reasons.dictionary))
        pool = pools.setdefault((stages.dictionary[stage].as_py(), reasons.dictionary[reason].as_py()), [])
        places = np.flatnonzero(codes == code)
        if len(pool) == SAMPLES:
            places = places[keys[places] < np.uint64(pool[-1][0])]
        places = places[_first(keys[places], SAMPLES)]
        rows = batch.select([name for name in DROPPED if name != "decisions"]).take(_array(places)).to_pylist()
        pool += [(int(keys[place]), row["id"], row) for place, row in zip(places, rows, strict=True)]
        pool.sort(key=lambda one: one[:2])
        del pool[SAMPLES:]


def _largest(found: Found, path: Path, heads: list[tuple[int, str, Row]], size: int) -> list[tuple[int, str, Row]]:
    """The CLUSTERS clusters of most documents so far; counts them all."""
    number, documents = found.clustered
    columns = ("id", "source", "documents", "exact_duplicates", "near_duplicates")
    start = 0
    for batch in _batches(path, columns, size):
        sizes = _ints(batch.column("documents"))
        number, documents = number + len(sizes), documents + int(sizes.sum())
        least = -heads[-1][0] if len(heads) == CLUSTERS else 0
        places = np.flatnonzero(sizes >= least)
        if len(places) > CLUSTERS:
            cut = np.sort(sizes[places])[-CLUSTERS]
            places = places[sizes[places] >= cut]
        rows = batch.take(_array(places)).to_pylist()
        found_here = [
            (-row["documents"], row["id"], {**row, "path": path, "row": start + int(place)})
            for row, place in zip(rows, places, strict=True)
        ]
        start += len(batch)
        heads = heapq.nsmallest(CLUSTERS, [*heads, *found_here], key=lambda one: one[:2])
    found.clustered = (number, documents)
    return heads


def _rows_at(path: Path, columns: Sequence[str], places: Sequence[int], rows: int = 1024) -> dict[int, Row]:
    """The rows at these places of a file, reading no row group that holds none of them, and of one no more than needed."""
    found: dict[int, Row] = {}
    wanted = np.array(sorted(places), np.int64)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        start = 0
        for group in range(file.metadata.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            mine = wanted[(wanted >= start) & (wanted < end)] - start
            done = 0
            batches = file.iter_batches(rows, row_groups=[group], columns=list(columns), use_threads=False)
            while len(mine) and mine[-1] >= done:
                batch = next(batches)
                here = mine[(mine >= done) & (mine < done + len(batch))]
                taken = batch.take(_array(here - done)).to_pylist()
                found.update(zip((here + start).tolist(), taken, strict=True))
                done += len(batch)
            start = end
    return found


def _texts(paths: Paths, chosen: Sequence[tuple[int, str, int]]) -> list[Row]:
    """The rows of the chosen kept documents, with their texts, in the order of the draw."""
    by_file: dict[str, list[int]] = {}
    for _, name, row in chosen:
        by_file.setdefault(name, []).append(row)
    found: dict[tuple[str, int], Row] = {}
    for name, places in by_file.items():
        data = name.replace("provenance/", "data/").replace("/kept-", "/train-")
        origins = _rows_at(paths(name), ORIGIN, places, ROWS)
        texts = _rows_at(paths(data), ("text", "title", "license"), places, 256)
        found.update({(name, place): {**origins[place], **texts[place]} for place in places})
    return [found[name, row] for _, name, row in chosen]


def _clusters(paths: Paths, files: Sequence[Mapping[str, Any]], heads: Sequence[Row]) -> list[Row]:
    """The largest clusters with the URL of the kept document, and of some members URL and similarity."""
    wanted: dict[str, Row] = {}
    for head in heads:
        members = _rows_at(head["path"], ("members",), [head["row"]], ROWS)[head["row"]]["members"]
        alike = sorted(members, key=lambda member: (-member["similarity"], member["id"]))
        head["members"] = [alike[0], alike[-1]] if len(alike) > MEMBERS else alike
        # Of a member that a takedown removed, there is no row any more.
        wanted |= {row["id"]: {"url": None, "purl": "", "member": None} for row in (head, *head["members"])}
    ids = _strings(sorted(wanted))
    sources = {row["source"] for head in heads for row in (head, *head["members"])}
    for file in files:
        if file["kind"] in ("kept", "dropped") and file["source"] in sources:
            for batch in _batches(paths(file["name"]), ("id", "url", "purl", "member")):
                hits = batch.filter(pc.is_in(batch.column("id"), value_set=ids))
                wanted |= {row["id"]: row for row in hits.to_pylist()}
    return [
        {**head, **wanted[head["id"]], "members": [{**member, **wanted[member["id"]]} for member in head["members"]]}
        for head in heads
    ]
