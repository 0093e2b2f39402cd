"""Walk through a page's tree and write its text: what each element means for lines, markers and cells."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.blocks import BLOCK_LEVEL, PRE, names_custom_element
from pipeline.kernels.html.names import ATTRIBUTE, TAG
from pipeline.kernels.html.render_markdown import can_emphasize, copy_code, copy_escaped, longest_run, put_language_of
from pipeline.kernels.html.render_output import Bytes, CodePoints, Grid, Ints, State, TreeNodes

_HREF, _START, _VALUE, _REVERSED, _TYPE, _DISPLAY = (
    ATTRIBUTE[name] for name in ("href", "start", "value", "reversed", "type", "display")
)
_LI, _TD, _TH, _TR, _H1, _CAPTION, _MATH, _SCRIPT = (
    TAG[name] for name in ("li", "td", "th", "tr", "h1", "caption", "math", "script")
)
_ELEMENT, _TEXT = 1, 3

_ROLES_OF = {
    o.MARGIN: "p blockquote dl figure hr fieldset", o.LIST_ROLE: "ul menu dir", o.ORDERED: "ol", o.LIST_ITEM: "li",
    o.TABLE_ROLE: "table", o.TABLE_ROW: "tr", o.TABLE_CELL: "td th", o.PREFORMATTED: "pre listing xmp plaintext",
    o.QUOTE: "blockquote", o.HEADING_ROLE: "h1 h2 h3 h4 h5 h6", o.LINE_BREAK: "br", o.SUPERSCRIPT: "sup", o.QUOTED: "q",
    o.RUBY_TEXT: "rt", o.LINK: "a", o.STRONG: "b strong", o.EMPHASIS: "i em cite dfn var", o.CODE: "code kbd samp tt",
}  # fmt: skip


def _roles() -> Any:
    roles = np.where(BLOCK_LEVEL, np.uint8(o.BOUNDARY), np.uint8(o.NONE))
    for role, names in _ROLES_OF.items():
        roles[[TAG[name] for name in names.split()]] = role
    return roles


ROLES = _roles()
_TABLE_PARTS = np.zeros(len(ROLES), np.bool_)
_TABLE_PARTS[[TAG[name] for name in ("thead", "tbody", "tfoot")]] = True

_LEFT, _RIGHT, _INNER_LEFT, _INNER_RIGHT = 0x201C, 0x201D, 0x2018, 0x2019
_QUOTES = np.array(sorted(map(ord, "\"'“”„‟‘’‚‛«»‹›「」『』《〈〝＂")), np.int64)
_BRACKETS = np.array(sorted(map(ord, "([（【《〈［〔")), np.int64)
_OPENING = np.frombuffer(b'<boilerplate reason="', np.uint8).copy()
_CLOSING = np.frombuffer(b"</boilerplate>", np.uint8).copy()
_JAVASCRIPT = np.frombuffer(b"javascript:", np.uint8).copy()


@jit_linked.linked
def is_one_of(code: int, codes: CodePoints) -> Any:
    for i in range(len(codes)):
        if codes[i] == code:
            return True
    return False


# ---- inline elements


@jit_linked.linked
def href_row(nodes: TreeNodes, node: int) -> Any:
    """Return the row of a link's address that is worth writing; -1 for places in the page, scripts and no address."""
    for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
        if nodes.attributes[row, 0] == _HREF:
            at = nodes.attributes[row, 3]
            end = at + nodes.attributes[row, 4]
            while at < end and nodes.values[at] <= 32:
                at += 1
            if at == end or nodes.values[at] == 35:
                return -1
            if end - at >= len(_JAVASCRIPT):
                same = True
                for i in range(len(_JAVASCRIPT)):
                    same = same and nodes.values[at + i] | 0x20 == _JAVASCRIPT[i] | 0x20
                if same:
                    return -1
            return row
    return -1


@jit_linked.linked
def put_address(nodes: TreeNodes, row: int, state: State, out: Bytes) -> Any:
    """Write an address without the white space around it; what Markdown or a line would misread is percent-encoded."""
    at = nodes.attributes[row, 3]
    end = at + nodes.attributes[row, 4]
    while at < end and nodes.values[at] <= 32:
        at += 1
    while end > at and nodes.values[end - 1] <= 32:
        end -= 1
    state.last_href = nodes.attributes[row, 3]
    for i in range(at, end):
        byte = nodes.values[i]
        if byte == 9 or byte == 10 or byte == 13:
            continue
        coded = byte <= 32 or byte == 127
        if state.markdown:  # ( ) < > \ * _ ` | [ ] &
            coded = (
                coded or byte == 40 or byte == 41 or byte == 60 or byte == 62 or byte == 92 or byte == 124 or byte == 96
            )
        if coded:
            o.put(state, out, 37)
            o.put(state, out, 48 + (byte >> 4))
            low = byte & 15
            o.put(state, out, 48 + low if low < 10 else 55 + low)
        elif state.markdown and (byte == 42 or byte == 95 or byte == 38 or byte == 91 or byte == 93):
            o.put(state, out, 92)
            o.put(state, out, byte)
        else:
            o.put(state, out, byte)


@jit_linked.linked
def is_address(nodes: TreeNodes, row: int, out: Bytes, at: int, end: int) -> Any:
    """Whether the text that was written at out[at:end] is the address itself."""
    if end - at != nodes.attributes[row, 4]:
        return False
    for i in range(end - at):
        if out[at + i] != nodes.values[nodes.attributes[row, 3] + i]:
            return False
    return True


@jit_linked.linked
def open_inlines(
    nodes: TreeNodes, hidden: Bytes, code: int, adjacent: int, limit: int, state: State, out: Bytes
) -> Any:
    """Write the opening markers that are due before a text whose first character is `code`.

    `adjacent`: no white space was written before it; `limit`: the last text node of the block.
    """
    left = state.unopened
    for k in range(state.inline_count):
        if state.inlines[k, o.OPENED] != o.NOT_YET:
            continue
        role = state.inlines[k, o.I_ROLE]
        node = state.inlines[k, o.I_NODE]
        left -= 1
        state.inlines[k, o.OPENED] = o.DECLINED
        state.inlines[k, o.VALUE] = 0
        if role == o.SUPERSCRIPT:
            if adjacent and not state.fresh and (48 <= code <= 57 or code == 43 or code == 45 or code == 0x2212):
                before = o.code_point_before(out, state.size)
                if before == 41 or o.is_letter(before):
                    o.put(state, out, 94)
        elif role == o.RUBY_TEXT:
            state.inlines[k, o.OPENED] = o.WRITTEN
            if state.fresh or not is_one_of(o.code_point_before(out, state.size), _BRACKETS):
                o.put(state, out, 40)
                state.inlines[k, o.VALUE] = 1
        elif role == o.QUOTED or role == o.INNER_QUOTED:
            state.inlines[k, o.OPENED] = o.WRITTEN
            if not is_one_of(code, _QUOTES):
                o.put_character(state, out, _LEFT if role == o.QUOTED else _INNER_LEFT)
                state.inlines[k, o.VALUE] = 1
                state.fresh = 0
        elif role == o.LINK:
            row = href_row(nodes, node)
            if row >= 0 and nodes.attributes[row, 3] > state.last_href:
                if state.markdown:
                    if state.size > 0 and out[state.size - 1] == 33:
                        out[state.size - 1] = 92
                        o.put(state, out, 33)
                    o.put(state, out, 91)
                    state.fresh = 0
                state.inlines[k, o.VALUE] = state.size
                state.inlines[k, o.OPENED] = o.WRITTEN
                state.marked += 1
        elif role == o.CODE:
            open_code(nodes, hidden, node, code, state, out, k)
        elif can_emphasize(nodes, hidden, node, code, limit, state, out, left):
            o.put_many(state, out, 42, 2 if role == o.STRONG else 1)
            state.inlines[k, o.OPENED] = o.WRITTEN
            state.marked += 1
            state.fresh = 0
    state.unopened = 0


@jit_linked.linked
def open_code(nodes: TreeNodes, hidden: Bytes, node: int, code: int, state: State, out: Bytes, k: int) -> Any:
    """Begin a code span, or go on with the one that ends here."""
    ticks = 1 + longest_run(nodes, hidden, node + 1, nodes.end[node])
    state.inlines[k, o.VALUE] = ticks
    state.inlines[k, o.OPENED] = o.WRITTEN
    state.marked += 1
    state.fresh = 0
    if state.size > 0 and out[state.size - 1] == 96:
        if state.code_end == state.size and state.code_fence == ticks and code != 96:
            state.size -= ticks
            return
        o.put(state, out, 32)
    o.put_many(state, out, 96, ticks)
    if code == 96:
        o.put(state, out, 32)


@jit_linked.linked
def close_inline(nodes: TreeNodes, state: State, out: Bytes, k: int) -> Any:
    """Write the closing marker of an inline element whose opening one was written."""
    role = state.inlines[k, o.I_ROLE]
    if role == o.RUBY_TEXT:
        if state.inlines[k, o.VALUE]:
            o.put(state, out, 41)
    elif role == o.QUOTED or role == o.INNER_QUOTED:
        if state.inlines[k, o.VALUE]:
            o.put_character(state, out, _RIGHT if role == o.QUOTED else _INNER_RIGHT)
    elif role == o.LINK:
        state.marked -= 1
        row = href_row(nodes, state.inlines[k, o.I_NODE])
        if state.markdown:
            o.put(state, out, 93)
            o.put(state, out, 40)
            put_address(nodes, row, state, out)
            o.put(state, out, 41)
        elif not is_address(nodes, row, out, state.inlines[k, o.VALUE], state.size):
            o.put(state, out, 32)
            o.put(state, out, 40)
            put_address(nodes, row, state, out)
            o.put(state, out, 41)
        else:
            state.last_href = nodes.attributes[row, 3]
    elif role == o.CODE:
        state.marked -= 1
        if out[state.size - 1] == 96:
            o.put(state, out, 32)
        o.put_many(state, out, 96, state.inlines[k, o.VALUE])
        state.code_end = state.size
        state.code_fence = state.inlines[k, o.VALUE]
    elif role == o.STRONG or role == o.EMPHASIS:
        state.marked -= 1
        o.put_many(state, out, 42, 2 if role == o.STRONG else 1)


@jit_linked.linked
def close_markers(nodes: TreeNodes, state: State, out: Bytes) -> Any:
    """Close, where a block ends, what Markdown closes there; it is opened again in the next block."""
    for i in range(state.inline_count):
        k = state.inline_count - 1 - i
        if state.inlines[k, o.OPENED] == o.WRITTEN and state.inlines[k, o.I_ROLE] >= o.LINK:
            close_inline(nodes, state, out, k)
            state.inlines[k, o.OPENED] = o.NOT_YET
            state.unopened += 1


@jit_linked.linked
def close_quotes(nodes: TreeNodes, state: State, out: Bytes) -> Any:
    """Close quotations and readings before what cannot have a mark behind it: a code fence, a table."""
    for i in range(state.inline_count):
        k = state.inline_count - 1 - i
        if state.inlines[k, o.OPENED] == o.WRITTEN and state.inlines[k, o.I_ROLE] < o.LINK:
            close_inline(nodes, state, out, k)
            state.inlines[k, o.OPENED] = o.DECLINED


# ---- block-level elements


@jit_linked.linked
def boundary(nodes: TreeNodes, state: State, out: Bytes, lines: int) -> Any:
    """End a block: the next text begins after at least so many line ends; in a row that is one line, after a space."""
    if state.marked:
        close_markers(nodes, state, out)
    state.hard = 0
    if state.row:
        state.space = max(state.space, 1)
        return
    if state.pre:
        state.size = state.text_end
        lines = 1
    state.newlines = max(state.newlines, lines)


@jit_linked.linked
def row_shape(nodes: TreeNodes, row: int, first: Ints, region: Ints, flags: Bytes, block: int, blocks: int) -> Any:
    """Return a row's cells, those with text, the region of the text (-2: none), and the block behind it.

    The cells are -1 if the row is not one line: a cell has two blocks or a <pre>, or the cells are of different regions.
    """
    cells = 0
    filled = 0
    of = -2
    node = row + 1
    while node < nodes.end[row]:
        if nodes.kind[node] != _ELEMENT or (nodes.tag[node] != _TD and nodes.tag[node] != _TH):
            node = max(nodes.end[node], node + 1)
            continue
        stop = nodes.end[node]
        cells += 1
        inside = 0
        while block < blocks and first[block] < node:
            block += 1
        while block < blocks and first[block] < stop:
            if region[block] >= 0:
                inside += 1
                if inside > 1 or flags[first[block]] & PRE or (of >= 0 and of != region[block]):
                    return -1, filled, of, block
                of = region[block]
            block += 1
        filled += inside
        node = stop
    return cells, filled, of, block


@jit_linked.linked
def table_columns(
    nodes: TreeNodes, table: int, first: Ints, region: Ints, flags: Bytes, block: int, blocks: int
) -> Any:
    """Return how many columns a table has that can be one of GFM; 0 if it cannot: a cell has two blocks, or it is no grid."""
    columns = 0
    rows = 0
    of = -2
    node = table + 1
    while node < nodes.end[table]:
        if nodes.kind[node] != _ELEMENT:
            node += 1
        elif nodes.tag[node] == _TR:
            cells, filled, here, block = row_shape(nodes, node, first, region, flags, block, blocks)
            if cells < 0 or (of >= 0 and here >= 0 and of != here):
                return 0
            if filled:
                of = here
                rows += 1
                columns = max(columns, cells)
            node = nodes.end[node]
        elif nodes.tag[node] == _CAPTION and rows:
            while block < blocks and (region[block] < 0 or first[block] < node):
                block += 1
            if block < blocks and first[block] < nodes.end[node]:
                return 0
            node = nodes.end[node]
        elif _TABLE_PARTS[nodes.tag[node]]:
            node += 1
        else:
            node = nodes.end[node]
    return columns if rows > 1 and columns > 1 else 0


@jit_linked.linked
def number_of(values: Bytes, at: int, length: int, default: int) -> Any:
    """Return the integer that an attribute's value begins with; `default` if it begins with none, or is too long."""
    end = at + length
    while at < end and values[at] <= 32:
        at += 1
    negative = at < end and values[at] == 45
    if at < end and (values[at] == 45 or values[at] == 43):
        at += 1
    number = 0
    digits = 0
    while at < end and 48 <= values[at] <= 57:
        number = 10 * number + values[at] - 48
        digits += 1
        at += 1
        if digits > 9:
            return default
    if digits == 0:
        return default
    return -number if negative else number


@jit_linked.linked
def set_numbering(nodes: TreeNodes, node: int, state: State, place: int) -> Any:
    """Set the first number, the step and the numbering of an ordered list."""
    start = np.int64(-1 << 40)
    step = 1
    numbering = o.DECIMAL
    for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
        name = nodes.attributes[row, 0]
        at = nodes.attributes[row, 3]
        if name == _START:
            start = number_of(nodes.values, at, nodes.attributes[row, 4], start)
        elif name == _REVERSED:
            step = -1
        elif name == _TYPE and nodes.attributes[row, 4] == 1:
            kind = nodes.values[at]
            if kind == 97:
                numbering = o.LOWER_LETTER
            elif kind == 65:
                numbering = o.UPPER_LETTER
            elif kind == 105:
                numbering = o.LOWER_ROMAN
            elif kind == 73:
                numbering = o.UPPER_ROMAN
    if start == np.int64(-1 << 40):
        start = np.int64(1)
        if step < 0:
            start = count_items(nodes, node)
    state.stack[place, o.NUMBER] = start
    state.stack[place, o.STEP] = step
    state.stack[place, o.KIND] = numbering


@jit_linked.linked
def count_items(nodes: TreeNodes, node: int) -> Any:
    count = np.int64(0)
    child = node + 1
    while child < nodes.end[node]:
        count += nodes.kind[child] == _ELEMENT and nodes.tag[child] == _LI
        child = max(nodes.end[child], child + 1)
    return count


@jit_linked.linked
def push(nodes: TreeNodes, node: int, role: int, state: State) -> Any:
    """Put an element on the stack; returns its place."""
    place = state.depth
    state.depth += 1
    state.stack[place, o.END] = nodes.end[node]
    state.stack[place, o.ROLE] = role
    state.stack[place, o.NODE] = node
    state.stack[place, o.NUMBER] = state.stack[place, o.KIND] = state.stack[place, o.STEP] = 0
    state.stack[place, o.BEFORE] = state.stack[place, o.ITEM_END] = -1
    return place


@jit_linked.linked
def push_container(state: State, is_quote: int, number: int, ordered: int) -> Any:
    if state.markdown and state.container_count < o.MAX_CONTAINERS and not (state.row or state.pre):
        k = state.container_count
        state.containers[k, o.IS_QUOTE] = is_quote
        state.containers[k, o.WIDTH] = 0
        state.containers[k, o.C_NUMBER] = number
        state.containers[k, o.C_ORDERED] = ordered
        state.containers[k, o.USED] = 0
        state.container_count += 1
        return True
    return False


@jit_linked.linked
def pop_containers(state: State, count: int) -> Any:
    if state.markdown:
        state.container_count = count
        state.base = min(state.base, count)


@jit_linked.linked
def open_item(nodes: TreeNodes, node: int, state: State, out: Bytes) -> Any:
    within = state.list
    number = np.int64(0)
    kind = np.int64(0)
    if within >= 0 and state.stack[within, o.KIND]:
        kind = np.int64(state.stack[within, o.KIND])
        number = np.int64(state.stack[within, o.NUMBER])
        for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
            if nodes.attributes[row, 0] == _VALUE:
                number = number_of(nodes.values, nodes.attributes[row, 3], nodes.attributes[row, 4], number)
        state.stack[within, o.NUMBER] = number + state.stack[within, o.STEP]
    before = state.container_count
    bounded = push_container(state, 0, number, kind > 0)
    lines = 1 if bounded or not state.markdown else 2
    if state.markdown and kind and state.stack[within, o.ITEM_END] != state.size:
        lines = 2  # in CommonMark, only a 1 can begin a list behind a paragraph without a blank line
    boundary(nodes, state, out, lines)
    place = push(nodes, node, o.LIST_ITEM, state)
    state.stack[place, o.NUMBER] = before if state.markdown else number
    state.stack[place, o.KIND] = kind
    state.stack[place, o.STEP] = state.row > 0 or state.pre > 0  # no marker in a row, and none in a <pre>
    state.stack[place, o.BEFORE] = state.item
    state.item = place


@jit_linked.linked
def open_element(
    nodes: TreeNodes, hidden: Bytes, flags: Bytes, node: int, first: Ints, region: Ints, block: int, blocks: int,
    state: State, out: Bytes,
) -> Any:  # fmt: skip
    tag = nodes.tag[node]
    role = int(ROLES[tag])
    if tag == 0 and names_custom_element(nodes.source, nodes.start[node], nodes.length[node]):
        role = o.BOUNDARY
    if role == o.NONE:
        return
    if role == o.LINE_BREAK:
        break_line(nodes, state, out)
        return
    lines = 2 if state.markdown else 1
    if state.depth >= o.STACK:
        if role < o.LINE_BREAK:
            boundary(nodes, state, out, lines)
        return
    if role > o.LINE_BREAK:
        open_inline(nodes, node, role, state)
    elif role == o.TABLE_CELL:
        if state.row and nodes.parent[node] != state.row_node:
            return
        boundary(nodes, state, out, lines)
        push(nodes, node, o.BOUNDARY, state)
        if state.row:
            state.cell += 1
            state.space = 0
    elif role == o.LIST_ITEM:
        open_item(nodes, node, state, out)
    elif role == o.LIST_ROLE or role == o.ORDERED:
        boundary(nodes, state, out, 2 if state.level == 0 or (state.markdown and role == o.ORDERED) else 1)
        place = push(nodes, node, o.LIST_ROLE, state)
        state.stack[place, o.BEFORE] = state.list
        state.list = place
        state.level += 1
        if role == o.ORDERED:
            set_numbering(nodes, node, state, place)
    elif role == o.HEADING_ROLE:
        boundary(nodes, state, out, 2)
        place = push(nodes, node, role, state)
        state.stack[place, o.NUMBER] = state.heading
        state.heading = tag - _H1 + 1
    elif role == o.TABLE_ROLE:
        if state.row == 0:
            boundary(nodes, state, out, 2)
            close_quotes(nodes, state, out)
            place = push(nodes, node, role, state)
            state.stack[place, o.NUMBER] = state.table
            state.stack[place, o.STEP] = state.table_rows
            state.table = state.table_rows = 0
            if state.markdown and not state.pre:
                state.table = table_columns(nodes, node, first, region, flags, block, blocks)
    elif role == o.TABLE_ROW:
        if state.row == 0:
            boundary(nodes, state, out, lines)
            push(nodes, node, role, state)
            state.row_node = node
            state.cell = state.cells_written = 0
            if state.markdown:
                state.row = 2 if state.table else 0
            elif not state.pre:
                cells, filled, _, _ = row_shape(nodes, node, first, region, flags, block, blocks)
                if cells > 0:
                    state.row = 2 if filled > 1 else 1
    elif role == o.PREFORMATTED and state.row == 0 and state.pre == 0:
        boundary(nodes, state, out, 2)
        close_quotes(nodes, state, out)
        push(nodes, node, role, state)
        state.pre = state.beginning = 1
        state.pre_node = node
        state.text_end = state.size
        state.fence = 0
    elif role == o.QUOTE:
        boundary(nodes, state, out, 2)
        place = push(nodes, node, role, state)
        state.stack[place, o.NUMBER] = state.container_count
        push_container(state, 1, 0, 0)
    else:
        if role == o.MARGIN or role == o.PREFORMATTED:
            lines = 2
        boundary(nodes, state, out, lines)
        push(nodes, node, o.MARGIN if lines == 2 else o.BOUNDARY, state)


@jit_linked.linked
def break_line(nodes: TreeNodes, state: State, out: Bytes) -> Any:
    """Treat a <br>: a line end, two are a blank line; a space where there is one line only."""
    if state.row or (state.markdown and state.heading):
        state.space = max(state.space, 1)
        return
    if state.marked and (state.newlines or state.active >> o.CODE & 1):
        close_markers(nodes, state, out)
    if state.pre:
        state.size = state.text_end
    state.hard = state.newlines == 0 and state.pre == 0
    state.newlines = min(state.newlines + 1, 2)


@jit_linked.linked
def open_inline(nodes: TreeNodes, node: int, role: int, state: State) -> Any:
    if state.pre or state.inline_count >= o.INLINE_DEPTH or state.active >> o.CODE & 1:
        return
    if role == o.LINK and not state.links:
        return
    if role >= o.STRONG and not state.markdown:
        return
    if role == o.QUOTED and state.active >> o.QUOTED & 1:
        role = o.INNER_QUOTED
    if state.active >> role & 1:
        return
    push(nodes, node, o.INLINE, state)
    k = state.inline_count
    state.inline_count += 1
    state.unopened += 1
    state.active |= 1 << role
    state.inlines[k, o.I_ROLE] = role
    state.inlines[k, o.I_NODE] = node
    state.inlines[k, o.OPENED] = o.NOT_YET
    state.inlines[k, o.VALUE] = 0


@jit_linked.linked
def close_element(nodes: TreeNodes, state: State, out: Bytes) -> Any:
    """Take the top element from the stack."""
    state.depth -= 1
    place = state.depth
    role = state.stack[place, o.ROLE]
    lines = 2 if state.markdown else 1
    if role == o.INLINE:
        state.inline_count -= 1
        k = state.inline_count
        if state.inlines[k, o.OPENED] == o.WRITTEN:
            close_inline(nodes, state, out, k)
        elif state.inlines[k, o.OPENED] == o.NOT_YET:
            state.unopened -= 1
        state.active &= ~(1 << state.inlines[k, o.I_ROLE])
        return
    if role == o.LIST_ROLE:
        state.level -= 1
        state.list = state.stack[place, o.BEFORE]
        state.after_list = state.level > 0
        lines = 1 if state.level else 2
    elif role == o.LIST_ITEM:
        lines = 1
    elif role != o.BOUNDARY and role != o.TABLE_ROW:
        lines = 2
    boundary(nodes, state, out, lines)
    if role == o.LIST_ITEM:
        state.item = state.stack[place, o.BEFORE]
        if state.list >= 0:
            state.stack[state.list, o.ITEM_END] = state.size
        pop_containers(state, state.stack[place, o.NUMBER])
    elif role == o.QUOTE:
        pop_containers(state, state.stack[place, o.NUMBER])
    elif role == o.HEADING_ROLE:
        state.heading = state.stack[place, o.NUMBER]
    elif role == o.TABLE_ROLE:
        state.table = state.stack[place, o.NUMBER]
        state.table_rows = state.stack[place, o.STEP]
    elif role == o.TABLE_ROW:
        if state.row and state.markdown:
            end_row = state.cells_written > 0
            if end_row:
                o.end_row(state, out)
        state.row = 0
        state.space = 0
        state.newlines = max(state.newlines, lines)
    elif role == o.PREFORMATTED:
        close_fence(state, out)
        state.pre = state.beginning = 0
        state.newlines = 2


@jit_linked.linked
def close_fence(state: State, out: Bytes) -> Any:
    if state.fence:
        o.put(state, out, 10)
        o.put_prefix(state, out)
        o.put_many(state, out, 96, state.fence)
        state.fence = 0
        state.text_end = state.size


# ---- text


@jit_linked.linked
def begin(state: State, out: Bytes, code: int) -> Any:
    """Write what is due before a text whose first character is `code`; returns whether nothing was."""
    if state.row:
        if state.cells_written < state.cell or state.newlines or state.size == 0:
            o.next_cell(state, out)
            return 0
    elif state.newlines or state.size == 0:
        o.new_line(state, out)
        if state.markdown and state.heading:
            o.put_many(state, out, 35, state.heading)
            o.put(state, out, 32)
            state.fresh = 1
        return 0
    if state.space:
        spaces = state.space
        state.space = 0
        if state.fresh == 0 and (
            spaces == 1 or not o.is_wide(code) or not o.is_wide(o.code_point_before(out, state.size))
        ):
            o.put(state, out, 32)
        return 0
    return 1


@jit_linked.linked
def write_text(
    nodes: TreeNodes,
    hidden: Bytes,
    tex: Bytes,
    node: int,
    limit: int,
    state: State,
    out: Bytes,
) -> Any:
    at = np.int64(nodes.start[node])
    end = at + nodes.length[node]
    if state.pre:
        begin_preformatted(nodes, hidden, state, out)
        o.copy_preformatted(state, out, nodes.text, at, end)
        return
    size = o.space_at(nodes.text, at, end) if at < end else 0
    while size:
        state.space = max(state.space, 2 if o.SPACES[nodes.text[at]] == 2 else 1)
        at += size
        size = o.space_at(nodes.text, at, end) if at < end else 0
    if at == end:
        return
    code = o.code_point(nodes.text, at)
    if tex[node]:
        code = np.int64(36)
    adjacent = begin(state, out, code)
    if state.unopened:
        open_inlines(nodes, hidden, code, adjacent, limit, state, out)
    if tex[node]:
        write_formula(nodes, node, at, end, state, out)
    elif state.markdown == 0:
        o.copy_plain(state, out, nodes.text, at, end)
    elif state.active >> o.CODE & 1:
        copy_code(state, out, nodes.text, at, end)
    else:
        copy_escaped(state, out, nodes.text, at, end)


@jit_linked.linked
def begin_preformatted(nodes: TreeNodes, hidden: Bytes, state: State, out: Bytes) -> Any:
    """Begin the next line of a <pre>; in Markdown, its code fence before the first one."""
    if not (state.newlines or state.size == 0):
        return
    o.new_line(state, out)
    if state.markdown == 0 or state.fence:
        return
    node = state.pre_node
    state.fence = max(3, 1 + longest_run(nodes, hidden, node + 1, nodes.end[node]))
    o.put_many(state, out, 96, state.fence)
    named = put_language_of(nodes, node, state, out)
    if not named and node + 1 < nodes.end[node] and nodes.kind[node + 1] == _ELEMENT:
        named = put_language_of(nodes, node + 1, state, out)
    for _ in range(2):  # Sphinx and Jekyll name it outside
        node = nodes.parent[node]
        if not named and node > 0:
            named = put_language_of(nodes, node, state, out)
    o.put(state, out, 10)
    o.put_prefix(state, out)
    state.line_start = state.text_end = state.size
    state.beginning = 1


@jit_linked.linked
def write_formula(nodes: TreeNodes, node: int, at: int, end: int, state: State, out: Bytes) -> Any:
    """Write TeX between dollars: two for a formula on a line of its own, none if it has its own."""
    dollars = 2 if is_display(nodes, node) else 1
    first = nodes.text[at]
    if first == 36 or (first == 92 and at + 1 < end and (nodes.text[at + 1] == 40 or nodes.text[at + 1] == 91)):
        dollars = 0
    o.put_many(state, out, 36, dollars)
    copy_code(state, out, nodes.text, at, end)
    state.space = 0
    o.put_many(state, out, 36, dollars)


@jit_linked.linked
def is_display(nodes: TreeNodes, node: int) -> Any:
    """Whether the formula is <math display="block">, or a script whose type says mode=display."""
    for _ in range(8):
        node = nodes.parent[node]
        if node <= 0:
            return False
        name = _DISPLAY if nodes.tag[node] == _MATH else _TYPE
        if nodes.tag[node] == _MATH or nodes.tag[node] == _SCRIPT:
            for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
                if nodes.attributes[row, 0] == name:
                    length = nodes.attributes[row, 4]
                    last = nodes.values[nodes.attributes[row, 3] + length - 1] if length else 0
                    return last == 107 or last == 75 or last == 121 or last == 89  # bloc-k, displa-y
            return False
    return False


@jit_linked.linked
def change_region(nodes: TreeNodes, to: int, names: Bytes, name_ends: Ints, state: State, out: Bytes) -> Any:
    """Close the mark around the last blocks and open the one of the next."""
    if state.marked:
        close_markers(nodes, state, out)
    if state.pre:
        state.size = state.text_end
        close_fence(state, out)
        state.beginning = 1
    lines = 2 if state.markdown else 1
    if state.region > 0:
        o.put_many(state, out, 10, lines)
        for i in range(len(_CLOSING)):
            o.put(state, out, _CLOSING[i])
        lines = 2
    if to > 0:
        o.put_many(state, out, 10, 2 if state.size else 0)
        for i in range(len(_OPENING)):
            o.put(state, out, _OPENING[i])
        for i in range(name_ends[to], name_ends[to + 1]):
            o.put(state, out, names[i])
        o.put(state, out, 34)
        o.put(state, out, 62)
        lines = 2 if state.markdown else 1
    else:
        lines = 2
    while state.base < state.container_count and state.containers[state.base, o.USED]:
        state.base += 1
    state.region = to
    state.newlines = lines
    state.hard = state.space = state.after_list = 0
    state.text_end = state.size


@jit_linked.linked
def first_of_line(nodes: TreeNodes, hidden: Bytes, node: int, after: int) -> Any:
    """Return the first of the text nodes of white space that stand on the line of a <pre> which begins with text `node`."""
    found = node
    at = node - 1
    while at > after:
        if nodes.kind[at] == _TEXT:
            if not hidden[at]:
                if not o.is_blank(nodes.text, nodes.start[at], nodes.length[at]):
                    break
                found = at
        elif ROLES[nodes.tag[at]] and ROLES[nodes.tag[at]] <= o.LINE_BREAK and not hidden[at]:
            break
        at -= 1
    return found


@jit_linked.entry
def walk(
    nodes: TreeNodes, count: int, hidden: Bytes, tex: Bytes, flags: Bytes, first: Ints, last: Ints, joined: Ints,
    region: Ints, names: Bytes, name_ends: Ints, state: State, out: Bytes, spans: Grid,
) -> Any:  # fmt: skip
    """Write the text of blocks whose `region` is 0 (kept) or a number of `names` (marked with that name), not those of -1.

    joined: 1 for a block that goes on in the line of the block before it.

    spans: where the text of each block begins and ends in `out`. If there was not room enough, state.overfull is 1.
    """
    blocks = len(first)
    block = 0
    state.list = state.item = state.last_href = state.code_end = -1
    current = -1  # the block whose text is written
    node = 0
    while node < count and not state.overfull:
        while state.depth and state.stack[state.depth - 1, o.END] <= node:
            close_element(nodes, state, out)
        while block < blocks and (region[block] < 0 or last[block] < node):
            block += 1
        if block == blocks:
            break
        if nodes.kind[node] == _TEXT:
            if first[block] <= node and not hidden[node]:
                if current != block:
                    if current >= 0:
                        spans[current, 1] = state.size
                    if region[block] != state.region:
                        change_region(nodes, region[block], names, name_ends, state, out)
                    if state.row == 0 and not joined[block]:
                        state.newlines = max(state.newlines, 1)
                    if state.pre:
                        begin_line_of_code(nodes, hidden, node, current, last, state, out)
                write_text(nodes, hidden, tex, node, last[block], state, out)
                if current != block:
                    current = block
                    spans[block, 0] = state.began
        elif nodes.kind[node] == _ELEMENT:
            if hidden[node] & 1:
                if nodes.end[node] <= first[block]:
                    node = nodes.end[node]
                    continue
            elif nodes.namespace[node] == 0 and not hidden[node]:
                open_element(nodes, hidden, flags, node, first, region, block, blocks, state, out)
        node += 1
    while state.depth:
        close_element(nodes, state, out)
    if current >= 0:
        spans[current, 1] = state.size
    if state.region > 0:
        change_region(nodes, 0, names, name_ends, state, out)


@jit_linked.linked
def begin_line_of_code(
    nodes: TreeNodes, hidden: Bytes, node: int, current: int, last: Ints, state: State, out: Bytes
) -> Any:
    """Write the white space that stands before a block's text in its line of a <pre>."""
    after = last[current] if current >= 0 else 0
    begin_preformatted(nodes, hidden, state, out)
    for at in range(first_of_line(nodes, hidden, node, after), node):
        if nodes.kind[at] == _TEXT and not hidden[at]:
            o.copy_preformatted(state, out, nodes.text, nodes.start[at], nodes.start[at] + nodes.length[at])
