"""Keep the list of active formatting elements: section 13.2.4.3 of the HTML standard, and the adoption agency of 13.2.6.4.7.

Elements are equal here where tag, number of attributes and a 64-bit hash of their names and values are.
"""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html.insertion import attach, clone, insert_element, link, open_element, unlink
from pipeline.kernels.html.open_elements import (
    current_node,
    generate_implied_end_tags,
    index_of,
    insert_at,
    is_html,
    is_special,
    node_in_scope,
    pop,
    pop_until_index,
    remove,
    remove_node,
)
from pipeline.kernels.html.state import MAX_FORMATTING, NARROW_OPEN, NONE, Nodes, State

_OUTER_LOOP, _INNER_LOOP = 8, 3  # the standard's bounds of the adoption agency
_SAME = 3  # Noah's Ark clause: as many equal elements may be in the list


@jit_linked.linked
def forget(state: State, index: int) -> None:
    """Take the entry at a place from the list."""
    state.formatting_count -= 1
    for k in range(index, state.formatting_count):
        state.formatting_elements[k] = state.formatting_elements[k + 1]
        state.formatting_signatures[k] = state.formatting_signatures[k + 1]


@jit_linked.linked
def place_of(state: State, node: int) -> Any:
    """Return the place of an element in the list, NONE where it is not there."""
    index = state.formatting_count - 1
    while index >= 0 and state.formatting_elements[index] != node:
        index -= 1
    return index


@jit_linked.linked
def append(state: State, node: int, signature: int) -> None:
    """Add an element, or a marker, at the end of the list."""
    if state.open_limit == NARROW_OPEN:
        return
    if state.formatting_count >= MAX_FORMATTING:
        forget(state, 0)
        state.bounded = 1
    state.formatting_elements[state.formatting_count] = node
    state.formatting_signatures[state.formatting_count] = signature
    state.formatting_count += 1


@jit_linked.linked
def append_marker(state: State) -> None:
    """Add a marker, which keeps formatting elements before it out of what is behind it."""
    append(state, NONE, 0)


@jit_linked.linked
def clear_to_marker(state: State) -> None:
    """Take entries from the end of the list up to and with the last marker."""
    while state.formatting_count > 0:
        state.formatting_count -= 1
        if state.formatting_elements[state.formatting_count] == NONE:
            return


@jit_linked.linked
def last_with_tag(state: State, nodes: Nodes, tag: int) -> Any:
    """Return the place of the last element of this tag after the last marker, NONE where there is none."""
    index = state.formatting_count - 1
    while index >= 0 and state.formatting_elements[index] != NONE:
        if nodes[state.formatting_elements[index]].tag == tag:
            return index
        index -= 1
    return NONE


@jit_linked.linked
def insert_formatting_element(state: State, nodes: Nodes) -> None:
    """Insert a formatting element and push it onto the list; of three equal ones the earliest goes (Noah's Ark clause)."""
    node = insert_element(state, nodes)
    index, same = state.formatting_count - 1, 0
    state.work_left -= state.formatting_count
    while index >= 0 and state.formatting_elements[index] != NONE:
        if state.formatting_signatures[index] == state.signature:
            other = state.formatting_elements[index]
            if nodes[other].tag == state.tag and (
                nodes[other].last_attribute - nodes[other].first_attribute
                == nodes[node].last_attribute - nodes[node].first_attribute
            ):
                same += 1
                if same == _SAME:
                    forget(state, index)
                    break
        index -= 1
    append(state, node, state.signature)


@jit_linked.linked
def reconstruct_formatting_elements(state: State, nodes: Nodes) -> None:
    """Open again what was closed with a block that it was opened in (13.2.4.3)."""
    index = state.formatting_count - 1
    if index < 0 or _is_settled(state, nodes, index):
        return
    while index > 0 and not _is_settled(state, nodes, index - 1):
        index -= 1
    while index < state.formatting_count:
        if state.clones_left <= 0:
            state.formatting_count = index
            state.bounded = 1
            return
        node = clone(state, nodes, state.formatting_elements[index])
        open_element(state, nodes, node)
        state.formatting_elements[index] = node
        index += 1


@jit_linked.linked
def _is_settled(state: State, nodes: Nodes, index: int) -> Any:
    node = state.formatting_elements[index]
    return node == NONE or nodes[node].is_open == 1


@jit_linked.linked
def any_other_end_tag(state: State, nodes: Nodes) -> None:
    """Close the innermost element of the end tag's name, unless a special one is in between (13.2.6.4.7)."""
    if state.open_by_tag[state.tag] == 0:
        return
    index = state.open_count - 1
    while index > 0:
        node = state.open_elements[index]
        if is_html(nodes, node, state.tag) and nodes[node].name_hash == state.name_hash:
            generate_implied_end_tags(state, nodes, state.tag)
            pop_until_index(state, nodes, index)
            return
        if is_special(nodes, node):
            break
        index -= 1
    state.work_left -= state.open_count - index


@jit_linked.linked
def adoption_agency(state: State, nodes: Nodes) -> None:
    """Close a formatting element that may be misnested: the adoption agency algorithm (13.2.6.4.7)."""
    node = current_node(state)
    if is_html(nodes, node, state.tag) and place_of(state, node) == NONE:
        pop(state, nodes)
        return
    for _ in range(_OUTER_LOOP):
        place = last_with_tag(state, nodes, state.tag)
        if place == NONE:
            any_other_end_tag(state, nodes)
            return
        formatting = state.formatting_elements[place]
        if not nodes[formatting].is_open:
            forget(state, place)
            return
        if not node_in_scope(state, nodes, formatting):
            return
        index = index_of(state, formatting)
        furthest_index = _furthest_block(state, nodes, index)
        if furthest_index == NONE or state.clones_left <= 0:
            pop_until_index(state, nodes, index)
            forget(state, place)
            return
        _adopt(state, nodes, formatting, index, furthest_index)


@jit_linked.linked
def _furthest_block(state: State, nodes: Nodes, index: int) -> Any:
    """Return the place of the topmost special element within the formatting element, NONE where there is none (step 4.7)."""
    state.work_left -= state.open_count - index
    for k in range(index + 1, state.open_count):
        if is_special(nodes, state.open_elements[k]):
            return k
    return NONE


@jit_linked.linked
def _adopt(state: State, nodes: Nodes, formatting: int, index: int, furthest_index: int) -> None:
    """Take the furthest block out of the formatting element, and put a clone of that into the block (steps 4.9 to 4.19)."""
    furthest = state.open_elements[furthest_index]
    common_ancestor = state.open_elements[index - 1]
    bookmark = place_of(state, formatting)
    last, bookmark = _inner_loop(state, nodes, formatting, furthest, furthest_index, bookmark)

    unlink(nodes, last)
    attach(state, nodes, last, common_ancestor)

    copy = clone(state, nodes, formatting)
    _move_children(nodes, furthest, copy)
    link(nodes, copy, furthest, NONE)
    place = place_of(state, formatting)
    signature = state.formatting_signatures[place]
    forget(state, place)
    _enter_at(state, bookmark - (place < bookmark), copy, signature)
    remove_node(state, nodes, formatting)
    insert_at(state, nodes, index_of(state, furthest) + 1, copy)


@jit_linked.linked
def _inner_loop(state: State, nodes: Nodes, formatting: int, furthest: int, furthest_index: int, bookmark: int) -> Any:
    """Clone what is open between the formatting element and the furthest block (step 4.13).

    Returns the last node, and the place in the list that the formatting element's clone gets.
    """
    last, index, counter = furthest, furthest_index, 0
    while True:
        counter += 1
        index -= 1
        node = state.open_elements[index]
        if node == formatting:
            return last, bookmark
        place = place_of(state, node)
        state.work_left -= MAX_FORMATTING
        if counter > _INNER_LOOP and place != NONE:
            forget(state, place)
            bookmark -= place < bookmark
            place = NONE
        if place == NONE:
            remove(state, nodes, index)
            continue
        copy = clone(state, nodes, node)
        _replace(state, nodes, index, place, copy)
        if last == furthest:
            bookmark = place + 1
        unlink(nodes, last)
        link(nodes, last, copy, NONE)
        last = copy


@jit_linked.linked
def _replace(state: State, nodes: Nodes, index: int, place: int, copy: int) -> None:
    """Put a clone in an element's place among the open elements and in the list."""
    nodes[state.open_elements[index]].is_open = 0
    nodes[copy].is_open = 1
    state.open_elements[index] = copy
    state.formatting_elements[place] = copy


@jit_linked.linked
def _move_children(nodes: Nodes, old_parent: int, new_parent: int) -> None:
    """Make all children of a node those of another, which has none."""
    child = nodes[old_parent].first_child
    nodes[new_parent].first_child, nodes[new_parent].last_child = child, nodes[old_parent].last_child
    nodes[old_parent].first_child = nodes[old_parent].last_child = NONE
    while child != NONE:
        nodes[child].parent = new_parent
        child = nodes[child].next_sibling


@jit_linked.linked
def _enter_at(state: State, place: int, node: int, signature: int) -> None:
    """Put an element into the list at a place; there is room for it."""
    for k in range(state.formatting_count, place, -1):
        state.formatting_elements[k] = state.formatting_elements[k - 1]
        state.formatting_signatures[k] = state.formatting_signatures[k - 1]
    state.formatting_elements[place] = node
    state.formatting_signatures[place] = signature
    state.formatting_count += 1
