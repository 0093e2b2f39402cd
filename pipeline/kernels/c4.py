"""C4's line edit (Raffel et al. 2020, section 2.2) on UTF-8 bytes, with the decisions of datatrove 0.10.1's C4QualityFilter.

Lines are those of `str.splitlines()`, stripped; words those of `str.split()`. In the order of the reference, a line is
removed if it has a word of more than `max_word_length` code points, if without its citations (`[12]`, `[]`, `[edit]`,
`[citation needed]`; digits of any script, as `\\d` has them) it does not end in one of `. ? ! " '` or ends in `...`, or if it
has fewer than `min_words_per_line` words, citations counted. Reading stops at a line, not removed so far, that says
"lorem ipsum" in any case. Then lines that say "javascript" are removed, reading stops at a line with `{`, and lines with one
of POLICY are removed. The edited text is the lines kept so far, without citations, joined by a line feed, and stripped.

A removed span is a gap between neighbouring kept pieces of the text (a piece: what is kept of a line between two of its
citations; of a line of which nothing is left, the empty string before its citations or its end), or before the first or
behind the last, that holds more than the one line feed which joins two lines in the edited text too. What is gone in one go
is one span, whatever the reasons: 0 spans if and only if the text is unchanged.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit, sentences
from pipeline.kernels.bits import lowest, ones, pointer
from pipeline.kernels.sentences import (
    PADDING,
    SPACE,
    Lanes,
    Pointer,
    below,
    code_points,
    copy_block,
    count_line,
    point_at,
    readable,
    skip_spaces,
    trim_spaces,
)

POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
# First digits of the runs of ten of category Nd in Unicode 14.0, Python 3.11's; 3.12 knows two more scripts' digits.
DIGITS = """
    30 660 6F0 7C0 966 9E6 A66 AE6 B66 BE6 C66 CE6 D66 DE6 E50 ED0 F20 1040 1090 17E0 1810 1946 19D0 1A80 1A90 1B50 1BB0
    1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 11066 110F0 11136 111D0 112F0 11450 114D0 11650 116C0
    11730 118E0 11950 11C50 11D50 11DA0 16A60 16AC0 16B50 1D7CE 1D7D8 1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E950 1FBF0"""
DIGIT = 16  # beside the flags of `sentences`
TABLE_SIZE = 0x1FBFA  # up to the last digit

LOREM_IPSUM, JAVASCRIPT, CURLY_BRACKET, IN_POLICY = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class C4:
    """The parameters of the edit, with the reference's defaults. None and -1 turn a bound off."""

    remove_citations: bool = True
    terminal_punctuation: bool = True  # remove lines that do not end in it
    min_words_per_line: int | None = 3
    max_word_length: int | None = 1000
    lorem_ipsum: bool = True
    javascript: bool = True
    curly_bracket: bool = True
    policy: bool = True

    def __post_init__(self) -> None:
        for name in ("min_words_per_line", "max_word_length"):
            if (bound := getattr(self, name)) is not None and bound < -1:
                raise ValueError(f"{name} is {bound}, wanted None, -1 or a bound from 0 on")


@dataclass(frozen=True, slots=True)
class Edited:
    """`texts`, a LargeStringArray of n edited texts, whatever the verdict; and (n,) int64 counts of each."""

    texts: Any
    kept_lines: npt.NDArray[np.int64]
    removed_lines: npt.NDArray[np.int64]  # all others, also those behind the one where reading stopped
    removed_spans: npt.NDArray[np.int64]
    removed_characters: npt.NDArray[np.int64]  # code points of the text less those of the edited text
    sentences: npt.NDArray[np.int64]  # of the kept lines, by the rule of `kernels.sentences`
    lorem_ipsum: npt.NDArray[np.int64]  # 1 if reading stopped at a line with "lorem ipsum"
    curly_bracket: npt.NDArray[np.int64]  # 1 if it stopped at a line with "{"


def edit(texts: "pa.StringArray | pa.LargeStringArray", parameters: C4) -> Edited:
    """Edit each text by itself. `texts` holds no nulls (ValueError)."""
    rows = len(texts)
    counts = np.empty((len(fields(Edited)) - 1, rows), np.int64)
    bounds = np.array([
        -1 if bound is None else bound for bound in (parameters.min_words_per_line, parameters.max_word_length)
    ], np.int64)  # fmt: skip
    sought = (
        LOREM_IPSUM * parameters.lorem_ipsum | JAVASCRIPT * parameters.javascript
        | CURLY_BRACKET * parameters.curly_bracket | IN_POLICY * parameters.policy
    )  # fmt: skip
    parts = readable(texts)
    # An edited text is never longer: what joins two lines replaces at least one byte.
    out = np.empty(sum(int(offsets[-1] - offsets[0]) for _, offsets, _ in parts) + PADDING, np.uint8)
    starts = np.zeros(rows + 1, np.int64)
    state, tally = np.zeros(7, np.int64), np.zeros(4, np.int64)
    for first, offsets, data in parts:
        _edit(
            data, offsets, _flags(), bounds, parameters.remove_citations, parameters.terminal_punctuation,
            sought, out, state, tally, starts[first : first + len(offsets)], counts[:, first : first + len(offsets) - 1],
        )  # fmt: skip
    edited = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(starts), pa.py_buffer(out[: starts[-1]]))
    return Edited(edited, *counts)


@cache
def _flags() -> npt.NDArray[np.uint8]:
    table = np.zeros(TABLE_SIZE, np.uint8)
    table[: sentences.TABLE_SIZE] = sentences.flags()
    for zero in code_points(DIGITS):
        table[zero : zero + 10] |= DIGIT
    return table


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
def _phrases(data: Pointer, start: int, end: int) -> int:
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
def _citation(data: Pointer, i: int, end: int, table: Pointer) -> int:
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
def _too_few_words(data: Pointer, i: int, end: int, bound: int, table: Pointer) -> bool:
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
def _too_long_word(data: Pointer, i: int, end: int, bound: int, table: Pointer) -> bool:
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
def _terminated(data: Pointer, start: int, end: int) -> bool:
    """Whether the line ends in terminal punctuation as the reference has it."""
    if end == start:
        return False
    last = data[end - 1]
    if last == 46:
        return not (end - start >= 3 and data[end - 2] == 46 and data[end - 3] == 46)
    return last in (63, 33, 34, 39)


# What is known of the edited text so far: where it ends in `out`, where its last piece ends in the text, spans removed
# before that; and the same three at the last code point that is no white space, for the strip at the end.
WRITTEN, READ, SPANS, SOLID_WRITTEN, SOLID_READ, SOLID_SPANS, OPEN = range(7)


@jit.inner
def _piece(
    data: Pointer, start: int, end: int, out: Pointer, state: Pointer, joins: bool, table: Pointer
) -> None:  # fmt: skip
    """Append bytes [start, end) of the text, behind a line feed if it `joins` the line before."""
    if state[OPEN] == 0:  # the edited text is stripped: nothing before its first code point that is no white space
        start = skip_spaces(data, start, end, table)
        if start == end:
            return
        state[SPANS] = start > state[READ]
        state[OPEN] = 1
    elif joins:
        out[state[WRITTEN]] = 10
        state[WRITTEN] += 1
        if not (start == state[READ] + 1 and data[start - 1] == 10):
            state[SPANS] += 1
    elif start > state[READ]:
        state[SPANS] += 1
    o = state[WRITTEN]
    for i in range(start, end, 64):
        copy_block(data, i, out, o + i - start)
    state[WRITTEN] = o + end - start
    state[READ] = end
    solid = trim_spaces(data, start, end, table)
    if solid > start:
        state[SOLID_WRITTEN] = o + solid - start
        state[SOLID_READ] = solid
        state[SOLID_SPANS] = state[SPANS]


@jit.inner
def _line(
    data: Pointer, start: int, end: int, out: Pointer, state: Pointer, citations: bool, table: Pointer
) -> int:  # fmt: skip
    """Append the line in bytes [start, end), without its `citations` if these go. Returns where it starts in `out`."""
    line: int = state[WRITTEN] + state[OPEN]
    joins = True
    piece = i = start
    while citations and i < end:
        mask = brackets(data, i) & below(end - i)
        if not mask:
            i += 64
            continue
        i += lowest(mask)
        behind = _citation(data, i, end, table)
        if not behind:
            i += 1
            continue
        if i > piece:
            _piece(data, piece, i, out, state, joins, table)
            joins = False
        piece = i = behind
    if piece < end:
        _piece(data, piece, end, out, state, joins, table)
    elif joins:  # nothing is left of the line
        _piece(data, start, start, out, state, joins, table)
    return line


KEPT, REMOVED, SENTENCES, STOPPED = range(4)


@jit.inner
def _read_line(
    data: Pointer, start: int, end: int, table: Pointer, bounds: Pointer, citations: bool, terminal: bool, sought: int,
    out: Pointer, state: Pointer, tally: Pointer,
) -> None:  # fmt: skip
    """Append the line in bytes [start, end) if it is kept, and count it in `tally`."""
    tally[REMOVED] += 1  # taken back if it is kept
    if tally[STOPPED]:
        return
    start = skip_spaces(data, start, end, table)
    end = trim_spaces(data, start, end, table)
    if terminal and not _terminated(data, start, end) and not (citations and end > start and data[end - 1] == 93):
        return  # most lines of real text that are removed end here, unread
    if _too_few_words(data, start, end, bounds[0], table):
        return
    if bounds[1] >= 0 and _too_long_word(data, start, end, bounds[1], table):
        return
    written, read, spans, opened = state[WRITTEN], state[READ], state[SPANS], state[OPEN]
    solid_written, solid_read, solid_spans = state[SOLID_WRITTEN], state[SOLID_READ], state[SOLID_SPANS]
    line = _line(data, start, end, out, state, citations, table)
    if not terminal or _terminated(out, line, state[WRITTEN]):
        seen = _phrases(out, line, state[WRITTEN]) & sought
        if not seen:
            tally[KEPT] += 1
            tally[REMOVED] -= 1
            tally[SENTENCES] += count_line(out, line, state[WRITTEN], table)
            return
        if seen & LOREM_IPSUM:
            tally[STOPPED] = LOREM_IPSUM
        elif not seen & JAVASCRIPT and seen & CURLY_BRACKET:
            tally[STOPPED] = CURLY_BRACKET
    state[WRITTEN], state[READ], state[SPANS], state[OPEN] = written, read, spans, opened
    state[SOLID_WRITTEN], state[SOLID_READ], state[SOLID_SPANS] = solid_written, solid_read, solid_spans


@jit.entry
def _edit(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], table: npt.NDArray[np.uint8],
    bounds: npt.NDArray[np.int64], citations: bool, terminal: bool, sought: int, out: npt.NDArray[np.uint8],
    state: npt.NDArray[np.int64], tally: npt.NDArray[np.int64], starts: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> None:  # fmt: skip
    """Edit each text to `out` from starts[0] on; starts[1:] is where each ends. `counts`: of Edited, one column a text."""
    source, target, kinds, limits = pointer(data, 0), pointer(out, 0), pointer(table, 0), pointer(bounds, 0)
    written, told = pointer(state, 0), pointer(tally, 0)
    blanks_go = terminal or bounds[0] > 0
    for row in range(counts.shape[1]):
        begin, end = offsets[row], offsets[row + 1]
        state[:] = 0
        state[WRITTEN] = state[SOLID_WRITTEN] = starts[row]
        state[READ] = state[SOLID_READ] = begin
        tally[:] = 0
        line = begin
        for base in range(begin, end, 64):
            mask = breaks(source, base) & below(end - base)
            while mask:
                at = base + lowest(mask)
                mask &= mask - np.uint64(1)
                if at < line:  # the line feed of "\r\n"
                    continue
                if at == line and blanks_go:
                    tally[REMOVED] += 1
                else:
                    _read_line(source, line, at, kinds, limits, citations, terminal, sought, target, written, told)
                byte = data[at]
                line = at + (2 if byte == 0xC2 or (byte == 13 and at + 1 < end and data[at + 1] == 10) else 1)
                if byte == 0xE2:
                    line = at + 3
        if line < end:
            _read_line(source, line, end, kinds, limits, citations, terminal, sought, target, written, told)
        starts[row + 1] = state[SOLID_WRITTEN]
        counts[0, row] = tally[KEPT]
        counts[1, row] = tally[REMOVED]
        counts[2, row] = state[SOLID_SPANS] + (state[SOLID_READ] < end)
        counts[3, row] = count_characters(source, begin, end) - count_characters(target, starts[row], starts[row + 1])
        counts[4, row] = tally[SENTENCES]
        counts[5, row] = tally[STOPPED] == LOREM_IPSUM
        counts[6, row] = tally[STOPPED] == CURLY_BRACKET
