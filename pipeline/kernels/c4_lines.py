"""What C4's line edit asks of a line: its phrases, citations, words and end. What follows from it stands in `kernels.c4`."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit
from pipeline.kernels.bits import lowest, ones
from pipeline.kernels.sentences import (
    SPACE,
    Lanes,
    Pointer,
    below,
    point_at,
)

POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
DIGIT = 16  # beside the flags of `sentences`
TABLE_SIZE = 0x1FBFA  # of the table of flags: up to the last digit
LOREM_IPSUM, JAVASCRIPT, CURLY_BRACKET, IN_POLICY = 1, 2, 4, 8


@intrinsic
def breaks(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of the code points that `str.splitlines()` breaks at; the second of "\\r\\n" is one too."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two, three = (Lanes(builder, args, ahead) for ahead in range(3))
        return one.mask(one.any(
            one.between(0x0A, 0x0D),
            one.between(0x1C, 0x1E),
            one.all(one.equal(0xC2), two.equal(0x85)),  # U+0085
            one.all(one.equal(0xE2), two.equal(0x80), three.between(0xA8, 0xA9)),  # U+2028, U+2029
        ))  # fmt: skip

    return types.uint64(data, types.int64), generate


@intrinsic
def brackets(typing_context: Any, data: Any, i: Any) -> Any:
    """`[`"""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.equal(0x5B))

    return types.uint64(data, types.int64), generate


@intrinsic
def curly_brackets(typing_context: Any, data: Any, i: Any) -> Any:
    """`{`"""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(lanes.equal(0x7B))

    return types.uint64(data, types.int64), generate


@intrinsic
def suspects(typing_context: Any, data: Any, i: Any) -> Any:
    """Where three letters start that each sought phrase has: lor(em), jav(ascript), coo(kie), (te)rms, (pri)vac(y)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, two, three = (Lanes(builder, args, ahead).fold() for ahead in range(3))
        return one.mask(one.any(*(
            one.all(one.equal(letters[0]), two.equal(letters[1]), three.equal(letters[2]))
            for letters in (b"lor", b"jav", b"coo", b"rms", b"vac")
        )))  # fmt: skip

    return types.uint64(data, types.int64), generate


@intrinsic
def characters(typing_context: Any, data: Any, i: Any) -> Any:
    """First bytes of code points: all but 0x80 to 0xBF."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(builder, args)
        return lanes.mask(builder.icmp_signed(">=", lanes.bytes, lanes.constant(0xC0)))

    return types.uint64(data, types.int64), generate


@jit.inner
def count_characters(data: Pointer, i: int, end: int) -> int:
    """Code points in bytes [i, end)."""
    found = 0
    while i < end:
        found += ones(characters(data, i) & below(end - i))
        i += 64
    return found


@jit.inner
def _says(data: Pointer, i: int, end: int, phrase: bytes) -> bool:
    """Whether `phrase` (lower-case letters and spaces) stands at i, in any case of ASCII."""
    if end - i < len(phrase):
        return False
    for k in range(len(phrase)):
        byte = data[i + k]
        if byte != phrase[k] and (phrase[k] == 32 or byte | 32 != phrase[k]):
            return False
    return True


@jit.inner
def _cookies(data: Pointer, start: int, i: int, end: int) -> bool:
    """Whether a phrase of POLICY has its "cookie" at i."""
    rest = i + 3
    if end - rest >= 3 and data[rest] == 0xE2 and data[rest + 1] == 0x84 and data[rest + 2] == 0xAA:
        rest += 3  # U+212A KELVIN SIGN, the one code point beyond ASCII with the lower case of a sought letter
    elif end - rest >= 1 and data[rest] | 32 == 107:
        rest += 1
    else:
        return False
    if not _says(data, rest, end, b"ie"):
        return False
    rest += 2
    if _says(data, rest, end, b" policy"):
        return True
    return _says(data, rest, end, b"s") and (
        (i - start >= 4 and _says(data, i - 4, i, b"use "))
        or (i - start >= 5 and _says(data, i - 5, i, b"uses "))
        or (i - start >= 7 and _says(data, i - 7, i, b"use of "))
    )


@jit.inner
def phrases(data: Pointer, start: int, end: int) -> int:
    """Which of LOREM_IPSUM, JAVASCRIPT, CURLY_BRACKET and IN_POLICY the line in bytes [start, end) has."""
    seen = 0
    for base in range(start, end, 64):
        if curly_brackets(data, base) & below(end - base):
            seen |= CURLY_BRACKET
        mask = suspects(data, base) & below(end - base)
        while mask:
            i = base + lowest(mask)
            mask &= mask - np.uint64(1)
            letter = data[i] | 32
            if letter == 108:
                if _says(data, i, end, b"lorem ipsum"):
                    seen |= LOREM_IPSUM
            elif letter == 106:
                if _says(data, i, end, b"javascript"):
                    seen |= JAVASCRIPT
            elif letter == 99:
                if _cookies(data, start, i, end):
                    seen |= IN_POLICY
            elif letter == 114:
                if i - start >= 2 and _says(data, i - 2, end, b"terms of use"):
                    seen |= IN_POLICY
            elif i - start >= 3 and _says(data, i - 3, end, b"privacy policy"):
                seen |= IN_POLICY
    return seen


@jit.inner
def citation(data: Pointer, i: int, end: int, table: Pointer) -> int:
    """Where the citation that starts with the `[` at i ends, or 0 if none does."""
    i += 1
    if i < end and data[i] == 101:
        return i + 5 if _exactly(data, i, end, b"edit]") else 0
    if i < end and data[i] == 99:
        return i + 16 if _exactly(data, i, end, b"citation needed]") else 0
    while i < end and data[i] != 93:
        point, width = point_at(data, i)
        if point >= TABLE_SIZE or not table[point] & DIGIT:
            return 0
        i += width
    return i + 1 if i < end else 0


@jit.inner
def _exactly(data: Pointer, i: int, end: int, phrase: bytes) -> bool:
    if end - i < len(phrase):
        return False
    for k in range(len(phrase)):  # noqa: SIM110 (numba has no generators here)
        if data[i + k] != phrase[k]:
            return False
    return True


@jit.inner
def too_few_words(data: Pointer, i: int, end: int, bound: int, table: Pointer) -> bool:
    """Whether the stripped line in bytes [i, end) has fewer than `bound` words; reads no further than it must."""
    words = 0
    within = False
    while i < end and words < bound:
        point, width = point_at(data, i)
        space = point < TABLE_SIZE and table[point] & SPACE != 0
        if not space and not within:
            words += 1
        within = not space
        i += width
    return words < bound


@jit.inner
def too_long_word(data: Pointer, i: int, end: int, bound: int, table: Pointer) -> bool:
    """Whether the line in bytes [i, end) has a word of more than `bound` code points.

    No word that starts before i is too long. A word that is needs bound + 1 bytes without white space from i on, so
    most of a line is skipped; where they are, code points are read up to the first white space behind them.
    """
    while end - i > bound:
        probe = i + bound
        while probe >= i and data[probe] != 32:
            probe -= 1
        if probe >= i:
            i = probe + 1
            continue
        behind = i + bound
        length = 0
        while i < end:
            point, width = point_at(data, i)
            i += width
            if point < TABLE_SIZE and table[point] & SPACE:
                length = 0
                if i > behind:
                    break
            else:
                length += 1
                if length > bound:
                    return True
    return False


@jit.inner
def terminated(data: Pointer, start: int, end: int) -> bool:
    """Whether the line ends in terminal punctuation as the reference has it."""
    if end == start:
        return False
    last = data[end - 1]
    if last == 46:
        return not (end - start >= 3 and data[end - 2] == 46 and data[end - 3] == 46)
    return last in (63, 33, 34, 39)
