"""Walk through a page's tree and write its text."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.blocks import names_custom_element
from pipeline.kernels.html.names import TAG
from pipeline.kernels.html.render_inline import close_inline, close_markers, close_quotes
from pipeline.kernels.html.render_lists import boundary, open_item, pop_containers, push, push_container, set_numbering
from pipeline.kernels.html.render_output import Bytes, Grid, Ints, State, TreeNodes
from pipeline.kernels.html.render_roles import ROLES
from pipeline.kernels.html.render_rows import row_shape, table_columns
from pipeline.kernels.html.render_text import begin_line_of_code, change_region, close_fence, write_text

_ELEMENT, _TEXT = 1, 3
_H1 = TAG["h1"]


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
            o.end_row(state, out)
        state.row = 0
        state.space = 0
        state.newlines = max(state.newlines, lines)
    elif role == o.PREFORMATTED:
        close_fence(state, out)
        state.pre = state.beginning = 0
        state.newlines = 2


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
