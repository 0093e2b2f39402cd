"""Create nodes and insert them: section 13.2.6.1 of the HTML standard."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.open_elements import (
    current_node,
    integration_of,
    is_html,
    make_room,
    pop,
    push,
)
from pipeline.kernels.html.state import (
    ELEMENT,
    HTML_INTEGRATION,
    HTML_NAMESPACE,
    IN_TEXT,
    MATHML_ANNOTATION,
    NONE,
    TEXT,
    Nodes,
    State,
)

_FOSTERS = tag_set("table tbody tfoot thead tr")


@jit_linked.linked
def create_node(state: State, nodes: Nodes, kind: int, tag: int, namespace: int) -> Any:
    """Create a node that is nowhere yet."""
    node = state.node_count
    state.node_count = node + 1
    new = nodes[node]
    new.kind, new.tag, new.namespace = kind, tag, namespace
    new.integration = new.is_open = new.name_hash = 0
    new.parent = new.first_child = new.last_child = new.next_sibling = new.previous_sibling = NONE
    new.start = new.length = new.first_attribute = new.last_attribute = 0
    return node


@jit_linked.linked
def create_element(state: State, nodes: Nodes, namespace: int) -> Any:
    """Create the element of a start tag."""
    node = create_node(state, nodes, ELEMENT, state.tag, namespace)
    new = nodes[node]
    new.name_hash, new.start, new.length = state.name_hash, state.name_start, state.name_length
    new.first_attribute, new.last_attribute = state.first_attribute, state.last_attribute
    if namespace != HTML_NAMESPACE:
        new.integration = integration_of(namespace, state.tag)
        if new.integration == MATHML_ANNOTATION and state.has_html_encoding:
            new.integration = HTML_INTEGRATION
    return node


@jit_linked.linked
def clone(state: State, nodes: Nodes, node: int) -> Any:
    """Create an element for the token that made another; each takes one of the page's clones."""
    state.clones_left -= 1
    copy = create_node(state, nodes, ELEMENT, nodes[node].tag, HTML_NAMESPACE)
    new, old = nodes[copy], nodes[node]
    new.name_hash, new.start, new.length = old.name_hash, old.start, old.length
    new.first_attribute, new.last_attribute = old.first_attribute, old.last_attribute
    return copy


@jit_linked.linked
def unlink(nodes: Nodes, node: int) -> None:
    """Take a node from its parent, if it has one."""
    parent = nodes[node].parent
    if parent == NONE:
        return
    before, after = nodes[node].previous_sibling, nodes[node].next_sibling
    if before == NONE:
        nodes[parent].first_child = after
    else:
        nodes[before].next_sibling = after
    if after == NONE:
        nodes[parent].last_child = before
    else:
        nodes[after].previous_sibling = before
    nodes[node].parent = nodes[node].previous_sibling = nodes[node].next_sibling = NONE


@jit_linked.linked
def link(nodes: Nodes, node: int, parent: int, following: int) -> None:
    """Make a node, which has no parent, a child before the child `following`; the last child where that is NONE."""
    before = nodes[parent].last_child if following == NONE else nodes[following].previous_sibling
    nodes[node].parent, nodes[node].next_sibling, nodes[node].previous_sibling = parent, following, before
    if following == NONE:
        nodes[parent].last_child = node
    else:
        nodes[following].previous_sibling = node
    if before == NONE:
        nodes[parent].first_child = node
    else:
        nodes[before].next_sibling = node


@jit_linked.linked
def appropriate_place(state: State, nodes: Nodes, target: int) -> Any:
    """Return the parent for a new node, and the child that it goes before (NONE: at the end).

    Usually the end of `target`; with foster parenting, what may not be in a table goes before it.
    """
    if not state.foster_parenting or nodes[target].namespace != HTML_NAMESPACE or not _FOSTERS[nodes[target].tag]:
        return target, NONE
    index = state.open_count - 1
    while index > 0:
        node = state.open_elements[index]
        if is_html(nodes, node, tags.TEMPLATE):
            break
        if is_html(nodes, node, tags.TABLE):
            if nodes[node].parent != NONE:
                state.work_left -= state.open_count - index
                return nodes[node].parent, node
            index -= 1
            break
        index -= 1
    state.work_left -= state.open_count - index
    return state.open_elements[index], NONE


@jit_linked.linked
def attach(state: State, nodes: Nodes, node: int, target: int) -> None:
    """Insert a node at the appropriate place."""
    parent, following = appropriate_place(state, nodes, target)
    link(nodes, node, parent, following)


@jit_linked.linked
def open_element(state: State, nodes: Nodes, node: int) -> None:
    """Insert an element at the appropriate place and open it."""
    make_room(state, nodes)
    attach(state, nodes, node, current_node(state))
    push(state, nodes, node)


@jit_linked.linked
def insert_element(state: State, nodes: Nodes) -> Any:
    """Insert the HTML element of a start tag."""
    node = create_element(state, nodes, HTML_NAMESPACE)
    open_element(state, nodes, node)
    return node


@jit_linked.linked
def insert_void_element(state: State, nodes: Nodes) -> None:
    """Insert an element that is closed at once."""
    insert_element(state, nodes)
    pop(state, nodes)


@jit_linked.linked
def insert_foreign_element(state: State, nodes: Nodes, namespace: int) -> None:
    """Insert an element of SVG or MathML."""
    open_element(state, nodes, create_element(state, nodes, namespace))
    if state.self_closing:
        pop(state, nodes)


@jit_linked.linked
def insert_implied(state: State, nodes: Nodes, tag: int) -> Any:
    """Insert an element that the page has no start tag of."""
    node = create_node(state, nodes, ELEMENT, tag, HTML_NAMESPACE)
    open_element(state, nodes, node)
    return node


@jit_linked.linked
def insert_raw_text(state: State, nodes: Nodes, content: int) -> None:
    """Insert an element whose content is raw text (13.2.6.2)."""
    insert_element(state, nodes)
    state.content = content
    state.raw_name, state.raw_length = state.name_start, state.name_length
    state.original_mode = state.mode
    state.mode = IN_TEXT


@jit_linked.linked
def insert_characters(state: State, nodes: Nodes, start: int, end: int) -> None:
    """Insert a text, values[start:end], at the appropriate place. Texts that meet later are made one when the tree is flat."""
    if end <= start:
        return
    parent, following = appropriate_place(state, nodes, current_node(state))
    before = nodes[parent].last_child if following == NONE else nodes[following].previous_sibling
    if before != NONE and nodes[before].kind == TEXT and nodes[before].start + nodes[before].length == start:
        nodes[before].length += end - start
        return
    node = create_node(state, nodes, TEXT, 0, HTML_NAMESPACE)
    nodes[node].start, nodes[node].length = start, end - start
    link(nodes, node, parent, following)
