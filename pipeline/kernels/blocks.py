"""Units of text that repeat across documents: lines or paragraphs, hashed, counted once a document, and removed.

Lines are parted by "\\n" alone. A paragraph is a maximal run of lines that are not blank; blank is a line of nothing but
white space (`str.isspace`). Units are compared by their text with the white space at both ends gone and each run of it within
a line as one space: `" ".join(line.split())`, for a paragraph those of its lines joined by "\\n". A unit whose text, so read,
has fewer than `min_characters` code points is none: it is not counted and never removed.

Units are found by a 64-bit hash that is fast and public, so that somebody can make two texts of one hash. It proposes only:
units are counted by their text, and removed where their text equals the block's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.kernels import sentences
from pipeline.kernels.block_kernels import compare, count_lines, cut, find_all, write_all
from pipeline.kernels.sentences import (
    PADDING,
    readable,
)

UNITS = ("line", "paragraph")
MIN_CHARACTERS = 20
COUNTS = pa.schema([
    pa.field("hash", pa.uint64(), False), pa.field("text", pa.large_string(), False),
    pa.field("documents", pa.int64(), False),
])  # fmt: skip
SIEVE_BITS = 20  # of a hash: 1 MB says at once that most units are no block

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Units = tuple[Ints, Ints, Ints, Hashes]


def unit_hashes(texts: Any, *, unit: str = "line", min_characters: int = MIN_CHARACTERS) -> Units:
    """Every unit of every text, in order: offsets (documents + 1,) int64 into the others, starts, ends, hashes.

    `starts` and `ends`, int64, are bytes from the text's own beginning, without the white space around the unit; `hashes`,
    uint64, depend on its text alone. `texts`: a StringArray or LargeStringArray without nulls (ValueError).
    """
    parts = [_find(offsets, data, unit, min_characters) for _, offsets, data in readable(texts)]
    counts = [np.diff(part[0]) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *counts]))])
    starts, ends = (np.concatenate([np.zeros(0, np.int64), *(part[column] for part in parts)]) for column in (1, 2))
    return offsets, starts, ends, np.concatenate([np.zeros(0, np.uint64), *(part[3] for part in parts)])


def count(texts: Any, *, unit: str = "line", min_characters: int = MIN_CHARACTERS) -> pa.Table:
    """The distinct units of the texts, schema COUNTS, by hash and then text: how many of the texts hold each."""
    # Behind a blank text all others can be read where they are: else those at the buffer's end make a table of their own.
    texts = pa.concat_arrays([texts, pa.array([" " * PADDING], texts.type)])
    return merged([_count(offsets, data, unit, min_characters) for _, offsets, data in readable(texts)])


def merged(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables of `count` over disjoint documents as one, in its order; schema COUNTS, each column one chunk."""
    tables = [table for table in tables if table.num_rows]
    if len(tables) < 2:
        return (tables[0] if tables else COUNTS.empty_table()).combine_chunks()
    table = pa.concat_tables(tables)
    hashes = table.column("hash").to_numpy()
    order = np.argsort(hashes, kind="stable")
    table, hashes = table.take(pa.array(order)).combine_chunks(), hashes[order]
    texts = table.column("text")
    first = _firsts(hashes)
    unlike = ~first
    unlike[1:] &= pc.not_equal(texts.slice(1), texts.slice(0, len(texts) - 1)).to_numpy()
    if unlike.any():
        rows = np.flatnonzero(_in_groups(first, unlike))
        part = table.take(pa.array(rows)).select(["hash", "text"])
        inner, heads = _by_text(part.column("hash"), part.column("text"))
        order = np.arange(len(hashes))
        order[rows], first[rows] = rows[inner], heads
        table = table.take(pa.array(order))
    heads_at = np.flatnonzero(first)
    sums = np.add.reduceat(table.column("documents").to_numpy(), heads_at)
    kept = table.select(["hash", "text"]).take(pa.array(heads_at))
    return pa.table([*kept.columns, pa.array(sums)], schema=COUNTS).combine_chunks()


@dataclass(frozen=True, slots=True)
class Blocks:
    """What `remove` looks units up in: `texts`, a LargeStringArray, and which leading bits of a hash one of them has."""

    texts: Any
    sieve: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: pa.Table) -> "Blocks":
        """From a table with the columns `hash` and `text` of COUNTS."""
        sieve = np.zeros(1 << SIEVE_BITS, np.bool_)
        sieve[_leading(table.column("hash").to_numpy())] = True
        return cls(table.column("text").combine_chunks().cast(pa.large_string()), sieve)


def remove(
    texts: Any, blocks: "pa.Table | Blocks", *, unit: str = "line", min_characters: int = MIN_CHARACTERS
) -> tuple[Any, Ints]:
    """The texts, a LargeStringArray, without the units whose text is one of `blocks`; and (n,) int64 units removed of each.

    The lines of a removed unit go with their line breaks. Blank lines behind it go too where the line left before it is blank
    or there is none, so that no gap is wider than one that was there. Where the text's last line that is not blank goes, all
    behind the last such line that is left goes: with that one's line break if the text ended without one. Texts that hold no
    block come back byte for byte.
    """
    if not isinstance(blocks, Blocks):
        blocks = Blocks.of(blocks)
    parts = readable(texts)
    out = np.empty(sum(int(offsets[-1] - offsets[0]) for _, offsets, _ in parts) + PADDING, np.uint8)
    bounds, spans = np.zeros(len(texts) + 1, np.int64), np.zeros(len(texts), np.int64)
    for at, offsets, data in parts:
        found, starts, ends, hashes = _find(offsets, data, unit, min_characters)
        likely = np.flatnonzero(blocks.sieve[_leading(hashes)])
        begins = np.repeat(offsets[:-1], np.diff(found))[likely]
        starts, ends = starts[likely] + begins, ends[likely] + begins
        hit = pc.is_in(_texts(data, starts, ends), value_set=blocks.texts).to_numpy(zero_copy_only=False)
        rows = np.searchsorted(found, likely[hit], "right") - 1
        spans[at : at + len(offsets) - 1] = np.bincount(rows, minlength=len(offsets) - 1)
        cut(
            data, offsets, _spaces(), starts[hit], ends[hit], spans[at : at + len(offsets) - 1], out,
            bounds[at : at + len(offsets)],
        )  # fmt: skip
    edited = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(bounds), pa.py_buffer(out[: bounds[-1]]))
    return edited, spans


def _leading(hashes: Hashes) -> Ints:
    return (hashes >> np.uint64(64 - SIEVE_BITS)).astype(np.int64)


def _spaces() -> npt.NDArray[np.uint8]:
    return sentences.flags()


def _find(offsets: Ints, data: Any, unit: str, min_characters: int) -> Units:
    """As `unit_hashes`, for a part of `readable`."""
    if unit not in UNITS:
        raise ValueError(f"unit is {unit!r}, wanted one of {', '.join(UNITS)}")
    lines = count_lines(data, offsets)
    found = np.zeros(len(offsets), np.int64)
    starts, ends, hashes = np.empty(lines, np.int64), np.empty(lines, np.int64), np.empty(lines, np.uint64)
    scratch = np.empty(int(np.diff(offsets).max(initial=0)) + PADDING, np.uint8)
    find_all(data, offsets, _spaces(), unit == "paragraph", min_characters, scratch, found, starts, ends, hashes)
    return found, starts[: found[-1]], ends[: found[-1]], hashes[: found[-1]]


def _count(offsets: Ints, data: Any, unit: str, min_characters: int) -> pa.Table:
    """As `count`, for a part of `readable`."""
    found, starts, ends, hashes = _find(offsets, data, unit, min_characters)
    if not len(hashes):
        return COUNTS.empty_table()
    documents = np.repeat(np.arange(len(found) - 1), np.diff(found))
    begins = np.repeat(offsets[:-1], np.diff(found))
    order = np.argsort(hashes, kind="stable")
    hashes, documents = hashes[order], documents[order]
    starts, ends = (starts + begins)[order], (ends + begins)[order]
    first = _firsts(hashes)
    unlike = np.zeros(len(hashes), np.bool_)
    compare(data, starts, ends, first, unlike)
    if unlike.any():  # other white space, or another text of the same hash
        rows = np.flatnonzero(_in_groups(first, unlike))
        inner, heads = _by_text(pa.array(hashes[rows]), _texts(data, starts[rows], ends[rows]))
        first[rows] = heads
        for column in (documents, starts, ends):
            column[rows] = column[rows[inner]]
    heads_at = np.flatnonzero(first)
    new = first.copy()
    new[1:] |= documents[1:] != documents[:-1]
    sums = np.add.reduceat(new.astype(np.int64), heads_at)
    texts = _texts(data, starts[heads_at], ends[heads_at])
    return pa.table([pa.array(hashes[heads_at]), texts, pa.array(sums)], schema=COUNTS)


def _firsts(hashes: Hashes) -> npt.NDArray[np.bool_]:
    """Which of the sorted hashes differ from the one before."""
    first = np.ones(len(hashes), np.bool_)
    first[1:] = hashes[1:] != hashes[:-1]
    return first


def _in_groups(first: npt.NDArray[np.bool_], marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which items are of a group with a marked one; groups begin where `first` is."""
    group = np.cumsum(first) - 1
    found: Any = np.bincount(group, weights=marked) > 0
    which: npt.NDArray[np.bool_] = found[group]
    return which


def _by_text(hashes: Any, texts: Any) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The stable order of the rows by hash and text, and which of the rows, so ordered, differ from the one before."""
    table = pa.table({"hash": hashes, "text": texts, "row": np.arange(len(hashes))})
    table = table.sort_by([("hash", "ascending"), ("text", "ascending"), ("row", "ascending")])
    first = np.ones(table.num_rows, np.bool_)
    for name in ("hash", "text"):
        column = table.column(name)
        same = pc.equal(column.slice(1), column.slice(0, len(column) - 1)).to_numpy()
        first[1:] = ~same if name == "hash" else first[1:] | ~same
    return table.column("row").to_numpy(), first


def _texts(data: Any, starts: Ints, ends: Ints) -> Any:
    """The units at these bytes of `data` as they are compared, a LargeStringArray."""
    out = np.empty(int((ends - starts).sum()) + PADDING, np.uint8)
    offsets = np.zeros(len(starts) + 1, np.int64)
    write_all(data, starts, ends, _spaces(), out, offsets)
    return pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]]))
