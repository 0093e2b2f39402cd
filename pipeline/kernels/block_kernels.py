"""The kernels of `kernels.blocks`: units found and hashed, their texts written and compared, and units cut out of texts."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit
from pipeline.kernels.bits import folded, lowest, ones, pointer
from pipeline.kernels.c4_lines import count_characters
from pipeline.kernels.hashing import SECOND, finished, range_hash
from pipeline.kernels.sentences import (
    Lanes,
    Pointer,
    below,
    copy_block,
    skip_spaces,
    trim_spaces,
)


@intrinsic
def newlines(typing_context: Any, data: Any, i: Any) -> Any:
    """Line feeds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.equal(0x0A))

    return types.uint64(data, types.int64), generate


@intrinsic
def uneven(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of white space other than U+0020, and spaces before a space: what a unit's text has none of."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two, three = (Lanes(builder, args, ahead) for ahead in range(3))
        general = one.any(three.between(0x80, 0x8A), three.between(0xA8, 0xA9), three.equal(0xAF))
        return one.mask(one.any(
            one.all(one.equal(0x20), two.equal(0x20)),
            one.between(0x09, 0x0D),
            one.between(0x1C, 0x1F),
            one.all(one.equal(0xC2), one.any(two.equal(0x85), two.equal(0xA0))),
            one.all(one.equal(0xE1), two.equal(0x9A), three.equal(0x80)),
            one.all(one.equal(0xE2), two.equal(0x80), general),  # U+2000 to 200A, 2028, 2029, 202F
            one.all(one.equal(0xE2), two.equal(0x81), three.equal(0x9F)),
            one.all(one.equal(0xE3), two.equal(0x80), three.equal(0x80)),
        ))  # fmt: skip

    return types.uint64(data, types.int64), generate


@jit.entry
def count_lines(data: Any, offsets: Any) -> int:
    source = pointer(data, 0)
    found: int = offsets.shape[0]
    begin, end = offsets[0], offsets[-1]
    for base in range(begin, end, 64):
        found += ones(newlines(source, base) & below(end - base))
    return found


@jit.inner
def _line_end(data: Pointer, base: int, mask: Any, end: int) -> Any:
    """The next line feed before `end`, or `end`; and the block of 64 bytes that it stands in, with the line feeds behind it."""
    while not mask and base + 64 < end:
        base += 64
        mask = newlines(data, base) & below(end - base)
    stop = end
    if mask:
        stop = base + lowest(mask)
        mask &= mask - np.uint64(1)
    return base, mask, stop


@jit.inner
def _is_even(data: Pointer, start: int, end: int) -> bool:
    for base in range(start, end, 64):  # noqa: SIM110 (numba has no generators here)
        if uneven(data, base) & below(end - base):
            return False
    return True


@jit.inner
def _copy(data: Pointer, start: int, end: int, out: Pointer, o: int) -> int:
    """Bytes [start, end) to `out` from o on; returns their end there. Up to 63 bytes more are overwritten."""
    for base in range(start, end, 64):
        copy_block(data, base, out, o + base - start)
    return o + end - start


@jit.inner
def _write(data: Pointer, start: int, end: int, table: Pointer, out: Pointer, o: int) -> int:
    """The unit in bytes [start, end), which begin and end in no white space, as it is compared; returns where it ends."""
    i = start
    while i < end:
        mask = uneven(data, i) & below(end - i)
        if not mask:
            stop = min(i + 64, end)
            o = _copy(data, i, stop, out, o)
            i = stop
            continue
        stop = i + lowest(mask)
        o = _copy(data, i, stop, out, o)
        # A space before an uneven one belongs to its run; a paragraph's lines have one "\n" between each other.
        if out[o - 1] == 32:
            o -= 1
        i = skip_spaces(data, stop, end, table)
        joint = np.uint8(32)
        for k in range(stop, i):
            if data[k] == 10:
                joint = np.uint8(10)
        out[o] = joint
        o += 1
    return o


@jit.entry
def find_all(
    data: Any, offsets: Any, table: Any, paragraphs: bool, least: int, scratch: Any, found: Any, starts: Any, ends: Any,
    hashes: Any,
) -> None:  # fmt: skip
    source, kinds, room = pointer(data, 0), pointer(table, 0), pointer(scratch, 0)
    n = 0
    for row in range(offsets.shape[0] - 1):
        begin, end = offsets[row], offsets[row + 1]
        line = begin
        opened = closed = characters = 0  # the paragraph under way: its bytes, its code points
        h = np.uint64(0)
        base = begin
        mask = newlines(source, base) & below(end - base)
        while line <= end:
            base, mask, stop = _line_end(source, base, mask, end)
            first = line
            line = stop + 1
            while first < stop and source[first] == 32:
                first += 1
            first = skip_spaces(source, first, stop, kinds)
            last = trim_spaces(source, first, stop, kinds)
            if first < last and not paragraphs and last - first < least:
                continue
            if first == last or not paragraphs:
                if characters >= least and characters:
                    starts[n], ends[n], hashes[n] = opened - begin, closed - begin, h
                    n += 1
                characters = 0
                h = np.uint64(0)
            if first == last:
                continue
            if _is_even(source, first, last):
                this = range_hash(source, first, last)
                size = count_characters(source, first, last) if paragraphs or last - first < 4 * least else least
            else:
                written = _write(source, first, last, kinds, room, 0)
                this = range_hash(room, 0, written)
                size = count_characters(room, 0, written)
            if not paragraphs:
                if size >= least:
                    starts[n], ends[n], hashes[n] = first - begin, last - begin, this
                    n += 1
                continue
            if characters:
                characters += 1
            else:
                opened = first
            closed = last
            characters += size
            h = finished(folded(h ^ this, SECOND) + this)
        if characters >= least and characters:
            starts[n], ends[n], hashes[n] = opened - begin, closed - begin, h
            n += 1
        found[row + 1] = n


@jit.entry
def write_all(data: Any, starts: Any, ends: Any, table: Any, out: Any, offsets: Any) -> None:
    source, kinds, target = pointer(data, 0), pointer(table, 0), pointer(out, 0)
    for k in range(starts.shape[0]):
        offsets[k + 1] = _write(source, starts[k], ends[k], kinds, target, offsets[k])


@jit.entry
def compare(data: Any, starts: Any, ends: Any, first: Any, unlike: Any) -> None:
    """Mark the units whose bytes differ from those of the first of their group."""
    source = pointer(data, 0)
    a = b = 0
    for k in range(starts.shape[0]):
        if first[k]:
            a, b = starts[k], ends[k]
            continue
        i, size = starts[k], ends[k] - starts[k]
        unlike[k] = size != b - a
        if size == b - a:
            for j in range(size):
                if source[a + j] != source[i + j]:
                    unlike[k] = True
                    break


@jit.entry
def cut(
    data: Any, offsets: Any, table: Any, starts: Any, ends: Any, spans: Any, out: Any, bounds: Any
) -> None:  # fmt: skip
    """Write each text without its units at [starts, ends) to `out` from bounds[0] on; bounds[1:] is where each ends."""
    source, kinds, target = pointer(data, 0), pointer(table, 0), pointer(out, 0)
    k = 0
    for row in range(offsets.shape[0] - 1):
        begin, end, o = offsets[row], offsets[row + 1], bounds[row]
        if not spans[row]:
            bounds[row + 1] = _copy(source, begin, end, target, o)
            continue
        behind = k + spans[row]
        solid = with_break = o  # behind the last line written that is not blank, without and with its line break
        after_blank = True  # the line written last is blank, or there is none
        cutting = drop_blanks = False
        line = base = begin
        mask = newlines(source, base) & below(end - base)
        while line < end:
            base, mask, stop = _line_end(source, base, mask, end)
            start = line
            line = min(stop + 1, end)
            while k < behind and ends[k] <= start:
                k += 1
            if k < behind and starts[k] < stop:
                cutting = True
                drop_blanks = after_blank
            elif skip_spaces(source, start, stop, kinds) < stop:
                solid = o + stop - start
                o = with_break = _copy(source, start, line, target, o)
                after_blank = cutting = False
            elif not (cutting and drop_blanks):
                o = _copy(source, start, line, target, o)
                after_blank = True
        if cutting:
            o = with_break if source[end - 1] == 10 else solid
        k = behind
        bounds[row + 1] = o
