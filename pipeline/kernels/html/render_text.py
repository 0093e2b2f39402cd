"""Write text: of paragraphs, of <pre>, of formulas; and the lines around blocks that are marked."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.names import ATTRIBUTE, TAG
from pipeline.kernels.html.render_inline import close_markers, open_inlines
from pipeline.kernels.html.render_markdown import copy_code, copy_escaped, longest_run, put_language_of
from pipeline.kernels.html.render_output import Bytes, Ints, State, TreeNodes
from pipeline.kernels.html.render_roles import ROLES

_ELEMENT, _TEXT = 1, 3
_TYPE, _DISPLAY = ATTRIBUTE["type"], ATTRIBUTE["display"]
_MATH, _SCRIPT = TAG["math"], TAG["script"]
_OPENING = np.frombuffer(b'<boilerplate reason="', np.uint8).copy()
_CLOSING = np.frombuffer(b"</boilerplate>", np.uint8).copy()


@jit_linked.linked
def close_fence(state: State, out: Bytes) -> Any:
    if state.fence:
        o.put(state, out, 10)
        o.put_prefix(state, out)
        o.put_many(state, out, 96, state.fence)
        state.fence = 0
        state.text_end = state.size


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
