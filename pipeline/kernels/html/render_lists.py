"""Begin and end blocks: what stands on the stack, lists and their numbers, block quotes."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import render_output as o
from pipeline.kernels.html.names import ATTRIBUTE, TAG
from pipeline.kernels.html.render_inline import close_markers
from pipeline.kernels.html.render_output import Bytes, State, TreeNodes

_ELEMENT = 1
_LI = TAG["li"]
_START, _VALUE, _REVERSED, _TYPE = (ATTRIBUTE[name] for name in ("start", "value", "reversed", "type"))


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
