"""Lines and paragraphs of one text: where they are, what shape they have, how many repeat an earlier one."""

from typing import Any

import numpy as np

from pipeline.kernels import jit
from pipeline.kernels.bits import cleared, lowest, signed
from pipeline.kernels.hashing import Bytes, Hashes, range_hash, table_bits
from pipeline.kernels.masks import ONE, SPACE, Counts, Masks, characters_before, first_filled, last_filled

SHORT_LINE = 30  # code points; short_line_length of datatrove's FineWebQualityFilter
_TERMINAL = 16  # codepoints.TERMINAL


@jit.inlined
def _characters(masks: Masks, before: Counts, high: bool, start: int, end: int) -> Any:
    """Code points of start:end. `high`: some byte of the text is >= 0x80; without, they are bytes."""
    return characters_before(masks, before, end) - characters_before(masks, before, start) if high else end - start


@jit.inner
def find(
    data: Bytes, low: int, size: int, masks: Masks, row: int, blocks: int, starts: Counts, ends: Counts, filled: Counts
) -> Any:
    """The lines between the breaks of masks[row]: byte positions of each that is not empty, and its first that is no space.

    `filled` equals `ends` for a line of white space. Returns how many lines are not empty, and how many lines there are as
    str.splitlines counts: "\\r\\n" ends one, and nothing stands after the last break.
    """
    count = lines = start = 0
    for b in range(blocks):
        breaks = masks[row][b]
        while breaks:
            end = 64 * b + lowest(breaks)
            breaks &= breaks - ONE
            byte = data[low + end]
            if end > start:
                starts[count] = start
                ends[count] = end
                filled[count] = first_filled(masks[SPACE], start, end)
                count += 1
                lines += 1
            elif not (byte == 10 and end > 0 and data[low + end - 1] == 13):
                lines += 1
            start = end + (1 if byte < 0x80 else 2 if byte < 0xE0 else 3)  # U+0085 has 2 bytes, U+2028 and U+2029 3
    if start < size:
        starts[count] = start
        ends[count] = size
        filled[count] = first_filled(masks[SPACE], start, size)
        count += 1
        lines += 1
    return count, lines


@jit.inner
def shapes(
    data: Bytes,
    low: int,
    masks: Masks,
    before: Counts,
    high: bool,
    count: int,
    starts: Counts,
    ends: Counts,
    filled: Counts,
) -> Any:
    """Of the lines that `find` found: bullet lines, ellipsis lines, and the code points of the longest.

    A bullet line's first code point that is no white space is "-" or U+2022; an ellipsis line ends in "..." or U+2026, white
    space aside (Rae et al. 2021, section A.1.1).
    """
    bullets = ellipses = longest = 0
    for k in range(count):
        start, end, first = signed(starts[k]), signed(ends[k]), signed(filled[k])
        if end - start > longest:  # bytes bound code points
            longest = max(longest, _characters(masks, before, high, start, end))
        if first == end:
            continue
        i = low + first
        byte = data[i]
        bullets += byte == 45 or (byte == 0xE2 and data[i + 1] == 0x80 and data[i + 2] == 0xA2)
        last = last_filled(masks[SPACE], end - 1)
        if last - first >= 2:
            i = low + last
            byte = data[i]
            ellipses += (byte == 46 and data[i - 1] == 46 and data[i - 2] == 46) or (
                byte == 0xA6 and data[i - 1] == 0x80 and data[i - 2] == 0xE2
            )
    return bullets, ellipses, longest


@jit.inner
def endings(
    data: Bytes, low: int, table: Any, masks: Masks, before: Counts, high: bool, count: int,
    starts: Counts, ends: Counts, filled: Counts,
) -> Any:  # fmt: skip
    """Of the lines that are not blank: how many, how many whose last code point is terminal, how many that are short."""
    lines = terminated = short = 0
    for k in range(count):
        start, end = signed(starts[k]), signed(ends[k])
        if filled[k] == end:
            continue
        lines += 1
        i = low + end - 1
        point = signed(data[i])
        if point >= 0x80:
            point &= 63
            shift = 6
            i -= 1
            while data[i] & 0xC0 == 0x80:
                point |= (signed(data[i]) & 63) << shift
                shift += 6
                i -= 1
            point |= (signed(data[i]) & (0x1F if shift == 6 else 0x0F if shift == 12 else 7)) << shift
        terminated += (table[point] & _TERMINAL) != 0
        if end - start <= 4 * SHORT_LINE:  # a code point has 4 bytes at most
            characters = _characters(masks, before, high, start, end)
            short += characters <= SHORT_LINE
    return lines, terminated, short


@jit.inner
def paragraphs(
    masks: Masks, count: int, starts: Counts, ends: Counts, filled: Counts, begin: Counts, stop: Counts
) -> int:
    """re.split("\\n{2,}", text.strip()) from the lines between newlines: byte positions; returns how many, at least 1.

    Two lines are of one paragraph if a single newline parts them: `find` leaves empty lines out, so the gap says it.
    """
    first, last = 0, count
    while first < last and filled[first] == ends[first]:
        first += 1
    while last > first and filled[last - 1] == ends[last - 1]:
        last -= 1
    begin[0] = 0
    stop[0] = 0
    if first == last:
        return 1
    n = 0
    begin[0] = filled[first]
    for k in range(first + 1, last):
        if starts[k] - ends[k - 1] >= 2:
            stop[n] = ends[k - 1]
            n += 1
            begin[n] = starts[k]
    stop[n] = last_filled(masks[SPACE], signed(ends[last - 1]) - 1) + 1
    return n + 1


@jit.inner
def duplicates(
    data: Bytes, low: int, masks: Masks, before: Counts, high: bool, count: int, starts: Counts, ends: Counts, filled: Counts,
    hashes: Hashes, slots: Counts,
) -> Any:  # fmt: skip
    """How many of the ranges equal an earlier one, their code points, and those of them in ranges that are not blank.

    find_duplicates of datatrove's Gopher repetition filter, by 64-bit hashes. `filled` says which are blank, as `find` does.
    """
    repeated = characters = in_filled = 0
    if count < 2:
        return repeated, characters, in_filled
    bits = table_bits(count)
    shift = np.uint64(64 - bits)
    mask = (1 << bits) - 1
    cleared(slots, 1 << bits)
    for k in range(count):
        start, end = signed(starts[k]), signed(ends[k])
        h = range_hash(data, low + start, low + end)
        hashes[k] = h
        slot = signed(h >> shift)
        while True:
            other = slots[slot]
            if other == 0:
                slots[slot] = k + 1
                break
            if hashes[other - 1] == h:
                length = _characters(masks, before, high, start, end)
                repeated += 1
                characters += length
                if filled[k] != end:
                    in_filled += length
                break
            slot = (slot + 1) & mask
    return repeated, characters, in_filled
