"""Sentences of a line by a rule that needs no model, and the 64-byte masks that this and other kernels of text read by.

The rule. A terminal is a code point with Unicode's property Sentence_Terminal (`. ! ?` and those of other scripts; 15.0,
the list of datatrove 0.10.1's TERMINAL_PUNCTUATION, which also counts U+FF0E and U+FF61), or the ellipsis U+2026. A
closer is closing punctuation (categories Pe and Pf, Unicode 14.0), `"` or `'`. A sentence ends after a terminal and all
terminals and closers that follow it, if white space or the end of the line comes next, or if one of these terminals is
of the scripts written without spaces (U+3002, U+FF01, U+FF1F, U+FF61). What stands behind the last end is a sentence if it
holds a code point that is no white space. A line has at least one.

Abbreviations ("Dr. Who", "e.g. this") end sentences here. A trained tokenizer (Kiss and Strunk 2006, which C4 ran)
knows most of them, but its answer changes with its model; this one is the same in every release and every language.

All tables are written out, so that they do not follow the Python version.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.bits import lowest, pointer

TERMINALS = """
    21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 17D4-17D6
    17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 2026 203C-203D 2047-2049
    2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52
    FE56-FE57 FF01 FF0E FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89 11047-11048 110BE-110C1 11141-11143 111C5-111C6
    111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11944
    11946 11A42-11A43 11A9B-11A9C 11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F
    1DA88"""
SPACELESS = "3002 FF01 FF1F FF61"
CLOSERS = """
    22 27 29 5D 7D BB F3B F3D 169C 2019 201D 203A 2046 207E 208E 2309 230B 232A 2769 276B 276D 276F 2771 2773 2775 27C6
    27E7 27E9 27EB 27ED 27EF 2984 2986 2988 298A 298C 298E 2990 2992 2994 2996 2998 29D9 29DB 29FD 2E03 2E05 2E0A 2E0D
    2E1D 2E21 2E23 2E25 2E27 2E29 2E56 2E58 2E5A 2E5C 3009 300B 300D 300F 3011 3015 3017 3019 301B 301E-301F FD3E FE18
    FE36 FE38 FE3A FE3C FE3E FE40 FE42 FE44 FE48 FE5A FE5C FE5E FF09 FF3D FF5D FF60 FF63"""
SPACES = "9-D 1C-20 85 A0 1680 2000-200A 2028-2029 202F 205F 3000"  # str.isspace

SPACE, TERMINAL, CLOSER, ANYWHERE = 1, 2, 4, 8
TABLE_SIZE = 0x1DA89  # up to the last terminal
Pointer = Any  # numba's CPointer, made by `bits.pointer`
BLOCK = 64  # bytes a mask is taken of
PADDING = BLOCK + 2  # that must be readable after the start of a block: masks of code points look two bytes ahead


def code_points(ranges: str) -> list[int]:
    """The code points of a list of hexadecimal numbers and ranges, as Unicode's data files write them."""
    points: list[int] = []
    for part in ranges.split():
        first, _, last = part.partition("-")
        points += range(int(first, 16), int(last or first, 16) + 1)
    return points


@cache
def flags() -> npt.NDArray[np.uint8]:
    """(TABLE_SIZE,) uint8: the flags of every code point; code points beyond have none."""
    table = np.zeros(TABLE_SIZE, np.uint8)
    for flag, ranges in ((SPACE, SPACES), (TERMINAL, TERMINALS), (CLOSER, CLOSERS), (ANYWHERE, SPACELESS)):
        table[code_points(ranges)] |= flag
    return table


def count(texts: "pa.StringArray | pa.LargeStringArray") -> npt.NDArray[np.int64]:
    """(n,) int64: sentences of each text, read as one line. `texts` holds no nulls (ValueError)."""
    counts = np.zeros(len(texts), np.int64)
    for first, offsets, data in readable(texts):
        _count_all(data, offsets, flags(), counts[first : first + len(offsets) - 1])
    return counts


def readable(texts: Any) -> "list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.uint8]]]":
    """The texts in at most two parts (index of the first text, offsets, bytes), each with PADDING bytes behind its end.

    Only the texts whose end is too near the end of the buffer are copied. All arrays are read-only, so that a
    kernel is compiled for one type of them.
    """
    offsets, data = utf8_buffers(texts)
    data = _frozen(data)
    whole = int(np.searchsorted(offsets[1:], data.shape[0] - PADDING, "right"))  # texts that can be read in place
    parts = [(0, _frozen(offsets[: whole + 1]), data)] if whole else []
    if whole < len(offsets) - 1:
        start, end = int(offsets[whole]), int(offsets[-1])
        tail = np.zeros(end - start + PADDING, np.uint8)
        tail[: end - start] = data[start:end]
        parts.append((whole, _frozen(offsets[whole:] - start), _frozen(tail)))
    return parts


def _frozen(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


# Masks: bit k is byte i + k of the array. Written in LLVM's vector operations, which become the widest that the processor
# has; loops over bytes with an early exit are not vectorised by any compiler that numba can use.
BYTES = ir.VectorType(ir.IntType(8), BLOCK)


class Lanes:
    """64 bytes behind the pointer `args[0]`, from `args[1]` + ahead on, and the comparisons that masks are made of."""

    def __init__(self, builder: Any, args: Any, ahead: int = 0) -> None:
        self.builder = builder
        place = builder.gep(args[0], [builder.add(args[1], ir.Constant(args[1].type, ahead))])
        self.place = builder.bitcast(place, BYTES.as_pointer())
        self.bytes = builder.load(self.place)
        self.bytes.align = 1

    def constant(self, byte: int) -> Any:
        return ir.Constant(BYTES, [byte & 0xFF] * BLOCK)

    def fold(self) -> "Lanes":
        """In lower case, for comparison with letters (other bytes change too)."""
        self.bytes = self.builder.or_(self.bytes, self.constant(0x20))
        return self

    def equal(self, byte: int) -> Any:
        return self.builder.icmp_unsigned("==", self.bytes, self.constant(byte))

    def between(self, low: int, high: int) -> Any:
        shifted = self.builder.sub(self.bytes, self.constant(low))
        return self.builder.icmp_unsigned("<=", shifted, self.constant(high - low))

    def any(self, *found: Any) -> Any:
        return self._join(self.builder.or_, found)

    def all(self, *found: Any) -> Any:
        return self._join(self.builder.and_, found)

    def mask(self, found: Any) -> Any:
        return self.builder.bitcast(found, ir.IntType(64))

    def _join(self, operation: Any, found: Any) -> Any:
        joined = found[0]
        for other in found[1:]:
            joined = operation(joined, other)
        return joined


@intrinsic
def ends(typing_context: Any, data: Any, i: Any) -> Any:
    """`.`, `!`, `?`, and the first bytes of all longer code points that may be terminals (U+0589 and up: 0xD6)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.any(lanes.equal(0x21), lanes.equal(0x2E), lanes.equal(0x3F), lanes.between(0xD6, 0xF4)))

    return types.uint64(data, types.int64), generate


@intrinsic
def copy_block(typing_context: Any, data: Any, i: Any, out: Any, o: Any) -> Any:
    """64 bytes of `data` from i on to `out` from o on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source = Lanes(builder, args[:2])
        target = Lanes(builder, args[2:])
        builder.store(source.bytes, target.place).align = 1
        return context.get_dummy_value()

    return types.void(data, types.int64, out, types.int64), generate


@jit.inlined
def below(count: int) -> np.uint64:
    """The lowest `count` bits; all 64 if there are more."""
    return ~np.uint64(0) if count >= 64 else (np.uint64(1) << np.uint64(count)) - np.uint64(1)


@jit.inner
def point_at(data: Pointer, i: int) -> tuple[Any, int]:
    """The code point that starts at byte i of valid UTF-8, and its length in bytes."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (np.int64(data[i + 1]) & 0x3F), 2
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (np.int64(data[i + 1]) & 0x3F) << 6 | (np.int64(data[i + 2]) & 0x3F), 3
    return (
        (byte & 0x07) << 18
        | (np.int64(data[i + 1]) & 0x3F) << 12
        | (np.int64(data[i + 2]) & 0x3F) << 6
        | (np.int64(data[i + 3]) & 0x3F)
    ), 4


@jit.inner
def skip_spaces(data: Pointer, i: int, end: int, table: Pointer) -> int:
    """Where the first code point that is no white space starts in [i, end), or end."""
    while i < end:
        point, width = point_at(data, i)
        if point >= TABLE_SIZE or not table[point] & SPACE:
            break
        i += width
    return i


@jit.inner
def trim_spaces(data: Pointer, start: int, end: int, table: Pointer) -> int:
    """Where the last code point that is no white space ends in [start, end), or start."""
    while end > start:
        i = end - 1
        while data[i] & 0xC0 == 0x80:
            i -= 1
        point, _ = point_at(data, i)
        if point >= TABLE_SIZE or not table[point] & SPACE:
            break
        end = i
    return end


@jit.inner
def count_line(data: Pointer, start: int, end: int, table: Pointer) -> int:
    """Sentences of the line in bytes [start, end); PADDING bytes behind it can be read."""
    found = 0
    last = i = start  # last: where the sentence under way starts
    while i < end:
        mask = ends(data, i) & below(end - i)
        base, i = i, i + 64
        while mask:
            at = base + lowest(mask)
            mask &= mask - np.uint64(1)
            point, width = point_at(data, at)
            if point >= TABLE_SIZE or not table[point] & TERMINAL:
                continue
            anywhere = False
            while at < end:
                point, width = point_at(data, at)
                kind = table[point] if point < TABLE_SIZE else np.uint8(0)
                if not kind & (TERMINAL | CLOSER):
                    break
                anywhere |= kind & ANYWHERE != 0
                at += width
            if anywhere or at == end or kind & SPACE:
                found += 1
                last = at
            if at >= base + 64:  # the run goes on in a later block
                i = at
                break
            mask &= ~below(at - base)
    if trim_spaces(data, last, end, table) > last:
        found += 1
    return max(found, 1)


@jit.entry
def _count_all(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint8],
    out: npt.NDArray[np.int64],
) -> None:
    for row in range(out.shape[0]):
        out[row] = count_line(pointer(data, 0), offsets[row], offsets[row + 1], pointer(table, 0))
