"""Write the text of a page: the state, lines with their prefixes and markers, and plain text."""

from typing import Annotated, Any

import numba
import numpy as np

from pipeline.kernels import codepoints, jit_linked
from pipeline.kernels.html.blocks import Nodes

Bytes = Annotated[Any, numba.uint8[::1]]
Ints = Annotated[Any, numba.int32[::1]]
Grid = Annotated[Any, numba.int32[:, ::1]]
Word = Annotated[Any, numba.types.Array(numba.uint8, 1, "C", readonly=True)]
CodePoints = Annotated[Any, numba.types.Array(numba.int64, 1, "C", readonly=True)]
_BYTES, _INTS = numba.uint8[::1], numba.int32[::1]
_COLUMNS = {"kind": _BYTES, "tag": numba.int16[::1], "namespace": _BYTES, "attributes": numba.int32[:, ::1], "text": _BYTES,
            "source": _BYTES, "values": _BYTES}  # fmt: skip
TreeNodes = Annotated[Any, numba.types.NamedTuple([_COLUMNS.get(name, _INTS) for name in Nodes._fields], Nodes)]

# What an element means for the text.
(
    NONE, BOUNDARY, MARGIN, LIST_ROLE, ORDERED, LIST_ITEM, TABLE_ROLE, TABLE_ROW, TABLE_CELL, PREFORMATTED, QUOTE, HEADING_ROLE,
    LINE_BREAK, SUPERSCRIPT, QUOTED, INNER_QUOTED, RUBY_TEXT, LINK, STRONG, EMPHASIS, CODE, INLINE,
) = range(22)  # fmt: skip

# Columns of the stack of open elements that mean something. The last five: of a list its next number, its numbering, the step,
# the list around it, and where the text of its last item ends; of an item its number, whether its marker is written, and the
# item around it; of a heading the level before it; of block quotes and items also how many containers were open before.
END, ROLE, NODE, NUMBER, KIND, STEP, BEFORE, ITEM_END = range(8)
STACK_COLUMNS = 8
STACK = 1024  # elements; what is deeper has no markers (the parser keeps 512 elements open)

# Columns of the inline elements that have markers. VALUE: where a link's text begins; whether a quote or a bracket was written;
# the backticks of a code span.
I_ROLE, I_NODE, OPENED, VALUE = range(4)
INLINE_COLUMNS = 4
INLINE_DEPTH = 16
NOT_YET, WRITTEN, DECLINED = 0, 1, 2

# Columns of the containers.
IS_QUOTE, WIDTH, C_NUMBER, C_ORDERED, USED = range(5)
CONTAINER_COLUMNS = 5
MAX_CONTAINERS = 8  # deeper lists and quotes have no prefix of their own, so that a line's prefix has a bound
MAX_LEVELS = 8  # list items deeper than this are not indented further

DECIMAL, LOWER_LETTER, UPPER_LETTER, LOWER_ROMAN, UPPER_ROMAN = 1, 2, 3, 4, 5

# The state. Flags are 0 or 1.
_NUMBERS = [
    "size",  # bytes written
    "limit",  # bytes that there is room for
    "overfull",  # 1: there was no room; what is written is of no use
    "markdown",  # 1: Markdown, 0: plain text
    "links",  # 1: the addresses of links are written
    "newlines",  # line ends to write before the next text: 0, 1, 2 (a blank line)
    "hard",  # 1: of these, one is a <br> and nothing else
    "space",  # white space before the next text: 0 none, 1 some, 2 some with a line end in it
    "fresh",  # 1: nothing but a prefix or marker is on this line, or in this cell
    "line_start",  # where this line's text begins, behind its prefix
    "text_end",  # the end of the last text that is not white space, in <pre>
    "pre",  # 1: inside <pre>
    "beginning",  # 1: nothing but white space was written of this <pre>
    "fence",  # length of the open code fence, 0: none
    "pre_node",  # the <pre>
    "heading",  # level of the heading that this is in, 0: none
    "list",  # place of the innermost list in the stack, -1: none
    "item",  # place of the innermost list item in the stack, -1: none
    "level",  # how many lists this is in
    "after_list",  # 1: a list in a list ended since the last text
    "table",  # columns of the Markdown table that this is in, 0: none
    "table_rows",  # its rows so far
    "row",  # 0: not in a row that is one line; 1: its only cell with text; 2: its cells are joined
    "row_node",
    "cell",  # cells of this row so far
    "cells_written",  # of these, the ones that have been written or passed over
    "inline_count",  # inline elements with markers that are open in the page
    "unopened",  # of these, the ones whose opening marker is not written yet
    "marked",  # of these, the Markdown ones whose opening marker is written
    "active",  # their roles, a bit each
    "last_href",  # where in the values the last address stood that was written
    "code_end",  # where the last code span ended
    "code_fence",  # and how many backticks it has
    "region",  # what the last block was marked with
    "container_count",  # block quotes and list items that this is in, in Markdown
    "base",  # of these, how many were left by a mark, so that lines have no prefix for them
    "depth",  # elements on the stack
    "began",  # where the line or cell began that the text was written on last
]

STATE = np.dtype(
    [
        *((name, np.int64) for name in _NUMBERS),
        ("stack", np.int32, (STACK, STACK_COLUMNS)),
        ("inlines", np.int32, (INLINE_DEPTH, INLINE_COLUMNS)),
        ("containers", np.int32, (MAX_CONTAINERS, CONTAINER_COLUMNS)),
    ],
    align=True,
)

State = Annotated[Any, numba.from_dtype(STATE)]

# White space that collapses, by first byte: 1 a space, 2 a line end, 3 perhaps (NEL, and U+2028, U+2029). No-break and
# ideographic spaces do not collapse (CSS Text, section 4): they are written as they are.
SPACES = np.zeros(256, np.uint8)
SPACES[[9, 11, 32, 28, 29, 30, 31]] = 1
SPACES[[10, 12, 13]] = 2
SPACES[[0xC2, 0xE2]] = 3


def _letters() -> Any:
    flags = codepoints.flags()[:0x20000]
    return (flags & (codepoints.LETTER | codepoints.DIGIT | codepoints.EXTENDING)) != 0


LETTER = _letters()
_ROMAN = np.array([1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1], np.int64)
_ROMAN_DIGITS = np.frombuffer(b"m cmd cdc xcl xlx ixv ivi ", np.uint8).copy()


@jit_linked.linked
def put(state: State, out: Bytes, byte: int) -> Any:
    if state.size >= state.limit:
        state.overfull = 1
        return
    out[state.size] = byte
    state.size += 1


@jit_linked.linked
def put_many(state: State, out: Bytes, byte: int, count: int) -> Any:
    for _ in range(count):
        put(state, out, byte)


@jit_linked.linked
def put_character(state: State, out: Bytes, code: int) -> Any:
    """Write a character of three UTF-8 bytes."""
    put(state, out, 0xE0 | code >> 12)
    put(state, out, 0x80 | code >> 6 & 0x3F)
    put(state, out, 0x80 | code & 0x3F)


@jit_linked.linked
def put_number(state: State, out: Bytes, number: int) -> Any:
    if number < 0:
        put(state, out, 45)
        number = -number
    factor = 1
    while factor * 10 <= number:
        factor *= 10
    while factor:
        put(state, out, 48 + number // factor % 10)
        factor //= 10


@jit_linked.linked
def space_at(text: Bytes, at: int, end: int) -> Any:
    """Bytes of the collapsible white space that begins at text[at]; 0 where none does."""
    kind = SPACES[text[at]]
    if kind == 0:
        return 0
    if kind < 3:
        return 1
    if text[at] == 0xC2:
        return 2 if at + 1 < end and text[at + 1] == 0x85 else 0
    return 3 if at + 2 < end and text[at + 1] == 0x80 and 0xA8 <= text[at + 2] <= 0xA9 else 0


@jit_linked.linked
def is_blank(text: Bytes, start: int, length: int) -> Any:
    """Whether these bytes are collapsible white space of ASCII alone."""
    for at in range(start, start + length):
        if SPACES[text[at]] == 0 or SPACES[text[at]] == 3:
            return False
    return True


@jit_linked.linked
def code_point(text: Bytes, at: int) -> Any:
    """The code point that begins at text[at]; the text is valid UTF-8."""
    first = np.int64(text[at])
    if first < 0x80:
        return first
    if first < 0xE0:
        return (first & 0x1F) << 6 | text[at + 1] & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | text[at + 2] & 0x3F
    return (first & 0x07) << 18 | (text[at + 1] & 0x3F) << 12 | (text[at + 2] & 0x3F) << 6 | text[at + 3] & 0x3F


@jit_linked.linked
def code_point_before(text: Bytes, at: int) -> Any:
    """The code point that ends before text[at], at > 0."""
    at -= 1
    while at > 0 and text[at] & 0xC0 == 0x80:
        at -= 1
    return code_point(text, at)


@jit_linked.linked
def is_letter(code: int) -> Any:
    """Whether it is a letter, a digit or a mark; all of planes 2 and 3 are ideographs."""
    return LETTER[code] if code < 0x20000 else code < 0x40000


@jit_linked.linked
def is_wide(code: int) -> Any:
    """Whether a line end beside it is no space: East Asian Width F, W or H and not Hangul; emoji are left out."""
    if code < 0x2E80 or code > 0x3FFFF:
        return False
    if code <= 0xA4CF:
        return not (code == 0x303F or 0x3130 <= code <= 0x318F or 0x3200 <= code <= 0x321E or 0x3260 <= code <= 0x327E)
    return (
        0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE6F
        or 0xFF01 <= code <= 0xFF9F
        or 0xFFE0 <= code <= 0xFFE6
        or code >= 0x20000
    )


@jit_linked.linked
def put_label(state: State, out: Bytes, number: int, kind: int) -> Any:
    """Write the number of an ordered list's item as its list numbers them, and a full stop."""
    if kind >= LOWER_ROMAN and 0 < number < 4000:
        base = 0 if kind == LOWER_ROMAN else 32
        for i in range(13):
            while number >= _ROMAN[i]:
                number -= _ROMAN[i]
                put(state, out, _ROMAN_DIGITS[2 * i] - base)
                if _ROMAN_DIGITS[2 * i + 1] != 32:
                    put(state, out, _ROMAN_DIGITS[2 * i + 1] - base)
    elif LOWER_LETTER <= kind <= UPPER_LETTER and number > 0:
        base = 97 if kind == LOWER_LETTER else 65
        length = 1
        power = 26
        first = 1
        while number - first >= power:
            first += power
            power *= 26
            length += 1
        rest = number - first
        for _ in range(length):
            power //= 26
            put(state, out, base + rest // power % 26)
    else:
        put_number(state, out, number)
    put(state, out, 46)


@jit_linked.linked
def put_prefix(state: State, out: Bytes) -> Any:
    """Begin a line of Markdown: `> ` for each block quote, the marker of each list item or the spaces below it."""
    for k in range(state.base, state.container_count):
        if state.containers[k, IS_QUOTE]:
            put(state, out, 62)
            put(state, out, 32)
        elif state.containers[k, USED]:
            put_many(state, out, 32, state.containers[k, WIDTH])
        else:
            began = state.size
            if state.containers[k, C_ORDERED]:
                put_number(state, out, min(max(state.containers[k, C_NUMBER], 0), 999_999_999))
                put(state, out, 46)
            else:
                put(state, out, 45)
            put(state, out, 32)
            state.containers[k, WIDTH] = state.size - began
        state.containers[k, USED] = 1


@jit_linked.linked
def put_line_end(state: State, out: Bytes) -> Any:
    """End a line; spaces of an empty line's prefix go."""
    if state.size == state.line_start:
        while state.size > 0 and out[state.size - 1] == 32:
            state.size -= 1
    put(state, out, 10)


@jit_linked.linked
def put_blank_line(state: State, out: Bytes) -> Any:
    """Write a blank line between two paragraphs of the containers that both are in."""
    quoted = state.base
    for k in range(state.base, state.container_count):
        if not state.containers[k, USED]:
            break
        if state.containers[k, IS_QUOTE]:
            quoted = k + 1
    for k in range(state.base, quoted):
        if state.containers[k, IS_QUOTE]:
            put(state, out, 62)
            if k + 1 < quoted:
                put(state, out, 32)
        else:
            put_many(state, out, 32, state.containers[k, WIDTH])
    put(state, out, 10)


@jit_linked.linked
def put_marker(state: State, out: Bytes) -> Any:
    """Write the marker of the list item that begins here in plain text."""
    item = state.item
    if item < 0 or state.stack[item, STEP]:
        return
    state.stack[item, STEP] = 1
    put_many(state, out, 32, 2 * (min(state.level, MAX_LEVELS) - 1))
    if state.stack[item, KIND]:
        put_label(state, out, state.stack[item, NUMBER], state.stack[item, KIND])
    else:
        put(state, out, 45)
    put(state, out, 32)


@jit_linked.linked
def new_line(state: State, out: Bytes) -> Any:
    """Begin the next text on a line of its own, after as many line ends as are due, with prefix and marker."""
    markdown = state.markdown
    if state.size > 0:
        if markdown:
            if state.hard and state.newlines == 1:
                put(state, out, 92)
            if state.after_list and (
                state.item < 0 or state.container_count == 0 or state.containers[state.container_count - 1, USED]
            ):
                state.newlines = 2
        put(state, out, 10)
        if state.newlines > 1:
            if markdown:
                put_blank_line(state, out)
            else:
                put(state, out, 10)
    state.began = state.size
    if markdown:
        put_prefix(state, out)
    elif state.pre == 0 or state.beginning:
        put_marker(state, out)
    state.newlines = state.hard = state.space = state.after_list = 0
    state.fresh = 1
    state.line_start = state.text_end = state.size


@jit_linked.linked
def next_cell(state: State, out: Bytes) -> Any:
    """Begin the text of a cell in a row that is one line."""
    if state.cells_written == 0 and state.table:
        state.newlines = 2 if state.table_rows == 0 else 1
        state.hard = 0
        new_line(state, out)
    elif state.newlines or state.size == 0:
        new_line(state, out)
    if state.row == 2:
        if state.table:
            put_bars(state, out, state.cell)
        elif state.cells_written < state.cell:
            for _ in range(max(state.cells_written, 1), state.cell):
                if state.size > state.line_start:
                    put(state, out, 32)
                put(state, out, 124)
            if state.cell > 1:
                put(state, out, 32)
        state.fresh = 1
        state.began = state.size
    state.cells_written = state.cell
    state.space = 0


@jit_linked.linked
def put_bars(state: State, out: Bytes, cells: int) -> Any:
    """Begin cells of a Markdown table's row until `cells` have begun."""
    while state.cells_written < cells:
        if state.size > state.line_start and out[state.size - 1] != 32:
            put(state, out, 32)
        put(state, out, 124)
        put(state, out, 32)
        state.cells_written += 1


@jit_linked.linked
def end_row(state: State, out: Bytes) -> Any:
    """End a row of a Markdown table; below the first one stands the line of dashes."""
    if state.cells_written == 0:
        return
    if state.table_rows == 0:
        put_bars(state, out, state.table)
    if out[state.size - 1] != 32:
        put(state, out, 32)
    put(state, out, 124)
    if state.table_rows == 0:
        put(state, out, 10)
        put_prefix(state, out)
        put(state, out, 124)
        for _ in range(state.table):
            put(state, out, 32)
            put_many(state, out, 45, 3)
            put(state, out, 32)
            put(state, out, 124)
    state.table_rows += 1


@jit_linked.linked
def copy_plain(state: State, out: Bytes, text: Bytes, at: int, end: int) -> Any:
    """Write text[at:end], which begins with no white space, with white space collapsed; that at its end is left in `space`."""
    w = state.size
    if w + (end - at) > state.limit:
        state.overfull = 1
        return
    while at < end:
        byte = text[at]
        kind = SPACES[byte]
        size = 0
        if kind:
            size = space_at(text, at, end)
        if size == 0:
            out[w] = byte
            w += 1
            at += 1
            continue
        if kind == 1 and at + 1 < end and SPACES[text[at + 1]] == 0:  # one space between two words
            out[w] = 32
            w += 1
            at += 1
            continue
        seen = 1
        while size:
            if kind == 2:
                seen = 2
            at += size
            size = 0
            if at < end:
                kind = SPACES[text[at]]
                size = space_at(text, at, end)
        if at == end:
            state.space = seen
            break
        if seen == 1 or not is_wide(code_point(text, at)) or not is_wide(code_point_before(out, w)):
            out[w] = 32
            w += 1
    state.size = w
    state.fresh = 0


@jit_linked.linked
def copy_preformatted(state: State, out: Bytes, text: Bytes, at: int, end: int) -> Any:
    """Write text[at:end] line by line as it is; blank lines at the beginning of a <pre> are left out."""
    while at < end and state.overfull == 0:
        byte = text[at]
        at += 1
        if byte != 10:
            put(state, out, byte)
            if SPACES[byte] == 0 or SPACES[byte] == 3:
                state.text_end = state.size
                state.beginning = 0
                state.fresh = 0
        elif state.beginning:
            state.size = state.line_start
        else:
            put_line_end(state, out)
            if state.markdown:
                put_prefix(state, out)
            state.line_start = state.size
