"""Write the markers of inline elements: emphasis, code, links, quotations, superscripts, readings."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.names import ATTRIBUTE
from pipeline.kernels.html.render_markdown import can_emphasize, longest_run
from pipeline.kernels.html.render_output import Bytes, CodePoints, State, TreeNodes

_HREF = ATTRIBUTE["href"]
_LEFT, _RIGHT, _INNER_LEFT, _INNER_RIGHT = 0x201C, 0x201D, 0x2018, 0x2019
_QUOTES = np.array(sorted(map(ord, "\"'“”„‟‘’‚‛«»‹›「」『』《〈〝＂")), np.int64)
_BRACKETS = np.array(sorted(map(ord, "([（【《〈［〔")), np.int64)
_JAVASCRIPT = np.frombuffer(b"javascript:", np.uint8).copy()


@jit_linked.linked
def is_one_of(code: int, codes: CodePoints) -> Any:
    for i in range(len(codes)):
        if codes[i] == code:
            return True
    return False


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
