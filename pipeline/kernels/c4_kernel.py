"""The kernel of C4's line edit: which lines of a text stay, and the text that is left. See `kernels.c4`."""

import numpy as np
import numpy.typing as npt

from pipeline.kernels import jit
from pipeline.kernels.bits import lowest, pointer
from pipeline.kernels.c4_lines import (
    CURLY_BRACKET,
    JAVASCRIPT,
    LOREM_IPSUM,
    brackets,
    breaks,
    citation,
    count_characters,
    phrases,
    terminated,
    too_few_words,
    too_long_word,
)
from pipeline.kernels.sentences import (
    Pointer,
    below,
    copy_block,
    count_line,
    skip_spaces,
    trim_spaces,
)

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
        behind = citation(data, i, end, table)
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
    if terminal and not terminated(data, start, end) and not (citations and end > start and data[end - 1] == 93):
        return  # most lines of real text that are removed end here, unread
    if too_few_words(data, start, end, bounds[0], table):
        return
    if bounds[1] >= 0 and too_long_word(data, start, end, bounds[1], table):
        return
    written, read, spans, opened = state[WRITTEN], state[READ], state[SPANS], state[OPEN]
    solid_written, solid_read, solid_spans = state[SOLID_WRITTEN], state[SOLID_READ], state[SOLID_SPANS]
    line = _line(data, start, end, out, state, citations, table)
    if not terminal or terminated(out, line, state[WRITTEN]):
        seen = phrases(out, line, state[WRITTEN]) & sought
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
def edit_all(
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
