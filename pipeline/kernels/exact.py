"""What makes two texts the same: SHA-256 of the text in Unicode NFC with single spaces, from UTF-8 bytes.

The normalised text is `" ".join(unicodedata.normalize("NFC", text).split())`. White space is normalised by a kernel. It
also tells which texts may not be in NFC: those with a code point that is changed by NFC, combines with one before it, or
has a combining class (Unicode Standard Annex 15, section 9, where the quick check answers "no" or "maybe"). Python's
`unicodedata` decides about those, so that the key depends on its version of Unicode as little as NFC itself does.
"""

import hashlib
import unicodedata
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit, sha256
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.bits import lowest, ones, pointer
from pipeline.kernels.sentences import (
    PADDING,
    Lanes,
    Pointer,
    below,
    copy_block,
    point_at,
    readable,
)

# Where a code point may be other than NFC: all but ideographs and Hangul syllables, which are in it for ever.
UNSURE = ((0x300, 0x3400), (0x4DC0, 0x4E00), (0xA000, 0xAC00), (0xD7A4, 0xD800), (0xE000, 0x20000), (0x2F800, 0x2FA20))
TABLE_SIZE = 0x2FA20


@cache
def unsure() -> npt.NDArray[np.uint8]:
    """(TABLE_SIZE,) uint8: 1 for the code points for which NFC's quick check does not answer "yes"; none are beyond."""
    table = np.zeros(TABLE_SIZE, np.uint8)
    for first, behind in UNSURE:
        for point in range(first, behind):
            character = chr(point)
            if unicodedata.combining(character):
                table[point] = 1
            elif (parts := unicodedata.decomposition(character)) and parts[0] != "<":
                table[point] |= not unicodedata.is_normalized("NFC", character)
                for part in parts.split()[1:]:
                    table[int(part, 16)] = 1  # it combines with what stands before it
    table[0x1161:0x1176] = table[0x11A8:0x11C3] = 1  # vowels and finals of Hangul, which combine by a formula
    return table


def normalise(texts: "pa.StringArray | pa.LargeStringArray") -> pa.LargeStringArray:
    """Each text in NFC, with one space for each run of white space and none at its ends. No nulls (ValueError)."""
    offsets, data, changed = _normalised(texts)
    fast = pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(data))
    if not changed:
        return fast
    places = np.arange(len(texts))
    places[list(changed)] = len(texts) + np.arange(len(changed))
    slow = pa.array([encoded.decode() for encoded in changed.values()], pa.large_string())
    return pa.concat_arrays([fast, slow]).take(pa.array(places))


def keys(texts: "pa.StringArray | pa.LargeStringArray") -> pa.FixedSizeBinaryArray:
    """The exact key, 32 bytes, of each text: SHA-256 of the normalised text in UTF-8. No nulls (ValueError)."""
    offsets, data, changed = _normalised(texts)
    digests = sha256.digests(data, offsets)
    for row, encoded in changed.items():
        digests[row] = np.frombuffer(hashlib.sha256(encoded).digest(), np.uint8)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(digests), [None, pa.py_buffer(digests)])


def sha256s(texts: "pa.StringArray | pa.LargeStringArray") -> list[str]:
    """SHA-256 of each text's UTF-8 bytes, as 64 hex digits. No nulls (ValueError)."""
    offsets, data = utf8_buffers(texts)
    digits = sha256.digests(data, offsets).tobytes().hex()
    return [digits[at : at + 64] for at in range(0, len(digits), 64)]


def _normalised(texts: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], dict[int, bytes]]:
    """Offsets and bytes of the texts with single spaces; and by row, in order, those that NFC changes, normalised."""
    rows = len(texts)
    parts = readable(texts)
    out = np.empty(sum(int(offsets[-1] - offsets[0]) for _, offsets, _ in parts) + PADDING, np.uint8)
    starts, doubtful = np.zeros(rows + 1, np.int64), np.zeros(rows, np.bool_)
    changed = {}
    for first, offsets, data in parts:
        behind = first + len(offsets) - 1
        _single_spaces(data, offsets, unsure(), out, starts[first : behind + 1], doubtful[first:behind])
        for row in np.flatnonzero(doubtful[first:behind]).tolist():
            text = data[offsets[row] : offsets[row + 1]].tobytes().decode()
            if not unicodedata.is_normalized("NFC", text):
                changed[first + row] = " ".join(unicodedata.normalize("NFC", text).split()).encode()
    return starts, out[: starts[-1]], changed


@intrinsic
def spaces(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of white space (str.isspace); the intrinsics `two_byte_spaces`, `three_byte_spaces` tell the longer."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.any(lanes.between(0x09, 0x0D), lanes.between(0x1C, 0x20)))

    return types.uint64(data, types.int64), generate


@intrinsic
def two_byte_spaces(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of U+0085 and U+00A0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two = (Lanes(builder, args, ahead) for ahead in range(2))
        return one.mask(one.all(one.equal(0xC2), one.any(two.equal(0x85), two.equal(0xA0))))

    return types.uint64(data, types.int64), generate


@intrinsic
def three_byte_spaces(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two, three = (Lanes(builder, args, ahead) for ahead in range(3))
        general = one.any(three.between(0x80, 0x8A), three.between(0xA8, 0xA9), three.equal(0xAF))
        return one.mask(one.any(
            one.all(one.equal(0xE1), two.equal(0x9A), three.equal(0x80)),
            one.all(one.equal(0xE2), two.equal(0x80), general),
            one.all(one.equal(0xE2), two.equal(0x81), three.equal(0x9F)),
            one.all(one.equal(0xE3), two.equal(0x80), three.equal(0x80)),
        ))  # fmt: skip

    return types.uint64(data, types.int64), generate


@intrinsic
def plain_spaces(typing_context: Any, data: Any, i: Any) -> Any:
    """U+0020."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.equal(0x20))

    return types.uint64(data, types.int64), generate


@intrinsic
def beyond_latin(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of code points from U+0300 on, the first of all that are not sure."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.between(0xCC, 0xF4))

    return types.uint64(data, types.int64), generate


@jit.inner
def _doubtful(data: Pointer, base: int, mask: Any, table: Pointer) -> bool:
    while mask:
        point, _ = point_at(data, base + lowest(mask))
        if point < TABLE_SIZE and table[point]:
            return True
        mask &= mask - np.uint64(1)
    return False


@jit.entry
def _single_spaces(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], table: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], doubtful: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """Write the texts to `out` from starts[0] on, white space normalised; mark those that may not be in NFC."""
    source, target, kinds = pointer(data, 0), pointer(out, 0), pointer(table, 0)
    one = np.uint64(1)
    o = starts[0]
    for row in range(doubtful.shape[0]):
        begin, end = offsets[row], offsets[row + 1]
        doubt = False
        # Of a run of white space its first byte is kept, as a space; all its other bytes are dropped.
        spilled = np.uint64(0)  # bytes of white space in the next block that belong to a code point of this one
        before = one  # 1 if the last byte was white space; so it is before a text, and leading white space is dropped
        for base in range(begin, end, 64):
            inside = below(end - base)
            space = (spaces(source, base) & inside) | spilled
            spilled = np.uint64(0)
            wide = beyond_latin(source, base) & inside
            two = two_byte_spaces(source, base) & inside
            if two:
                space |= two | two << one
                spilled = two >> np.uint64(63)
            if wide:
                three = three_byte_spaces(source, base) & inside
                if three:
                    space |= three | three << one | three << np.uint64(2)
                    spilled |= three >> np.uint64(63) | three >> np.uint64(62)
                if not doubt:
                    doubt = _doubtful(source, base, wide, kinds)
            drop = space & (space << one | before)
            before = space >> np.uint64(63) if end - base >= 64 else np.uint64(0)
            keep = inside & ~drop
            left, to = keep, o
            while left:
                start = lowest(left)
                run = ~(left >> np.uint64(start))
                length = lowest(run) if run else 64
                copy_block(source, base + start, target, to)  # what it copies too much is written over
                to += length
                left &= ~(below(length) << np.uint64(start))
            blanks = space & keep & ~plain_spaces(source, base)
            while blanks:
                at = lowest(blanks)
                out[o + ones(keep & below(at))] = 32
                blanks &= blanks - one
            o += ones(keep)
        if o > starts[row] and out[o - 1] == 32:
            o -= 1
        starts[row + 1] = o
        doubtful[row] = doubt
