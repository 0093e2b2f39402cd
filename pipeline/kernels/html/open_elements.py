"""Keep the stack of open elements: section 13.2.4.2 of the HTML standard, and what other sections do with it.

`open_elements[0]` is <html>; it is never closed. Walks of the stack are charged to the page's budget of work.
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.state import (
    HTML_INTEGRATION,
    HTML_NAMESPACE,
    MATHML_ANNOTATION,
    MATHML_TEXT,
    NARROW_OPEN,
    NONE,
    Nodes,
    State,
)

# "Has an element in scope": which elements end the search. (Select is among them since 2025.)
ORDINARY, LIST_ITEM, BUTTON, TABLE = range(4)
_ENDS_SCOPE = tag_set("applet caption html table td th marquee object select template")
_ENDS_TABLE_SCOPE = tag_set("html table template")
_IMPLIED_END = tag_set("dd dt li optgroup option p rb rp rt rtc")
IS_SPECIAL = tag_set(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd details "
    "dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html "
    "iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript object ol p param plaintext "
    "pre script search section select source style summary table tbody td template textarea tfoot th thead title tr track ul "
    "wbr xmp"
)
# Where "clear the stack back to a table context" (table body context, table row context) stops.
TABLE_CONTEXT = tag_set("table template html")
TABLE_BODY_CONTEXT = tag_set("tbody tfoot thead template html")
TABLE_ROW_CONTEXT = tag_set("tr template html")
_TAKES_TABLE_TEXT = tag_set("table tbody template tfoot thead tr")


@jit_linked.linked
def current_node(state: State) -> Any:
    """Return the innermost open element; the document where there is none yet."""
    return state.open_elements[state.open_count - 1] if state.open_count else np.int64(0)


@jit_linked.linked
def is_html(nodes: Nodes, node: int, tag: int) -> Any:
    """Tell whether a node is an HTML element with this tag."""
    return nodes[node].tag == tag and nodes[node].namespace == HTML_NAMESPACE


@jit_linked.linked
def is_special(nodes: Nodes, node: int) -> Any:
    """Tell whether an element is special (13.2.4.2)."""
    if nodes[node].namespace == HTML_NAMESPACE:
        return IS_SPECIAL[nodes[node].tag]
    return nodes[node].integration != 0


@jit_linked.linked
def push(state: State, nodes: Nodes, node: int) -> None:
    """Open an element; there is room for one, as `make_room` sees to."""
    state.open_elements[state.open_count] = node
    state.open_count += 1
    nodes[node].is_open = 1
    if nodes[node].namespace == HTML_NAMESPACE:
        state.open_by_tag[nodes[node].tag] += 1


@jit_linked.linked
def pop(state: State, nodes: Nodes) -> Any:
    """Close the innermost open element; returns it."""
    state.open_count -= 1
    node = state.open_elements[state.open_count]
    _note_closed(state, nodes, node)
    return node


@jit_linked.linked
def _note_closed(state: State, nodes: Nodes, node: int) -> None:
    nodes[node].is_open = 0
    if nodes[node].namespace == HTML_NAMESPACE:
        state.open_by_tag[nodes[node].tag] -= 1


@jit_linked.linked
def make_room(state: State, nodes: Nodes) -> None:
    """Close elements until one more may be opened."""
    while state.open_count >= state.open_limit:
        pop(state, nodes)
        state.bounded = 1


@jit_linked.linked
def narrow(state: State, nodes: Nodes) -> None:
    """Take a page that has used up its budget of work on with few open elements, and no active formatting elements.

    Each token takes constant time from then on.
    """
    state.bounded = 1
    state.open_limit = NARROW_OPEN
    state.formatting_count = 0
    state.clones_left = 0
    make_room(state, nodes)


@jit_linked.linked
def index_of(state: State, node: int) -> Any:
    """Return the place of a node among the open elements, NONE where it is not open."""
    index = state.open_count - 1
    while index >= 0 and state.open_elements[index] != node:
        index -= 1
    state.work_left -= state.open_count - index
    return index


@jit_linked.linked
def remove(state: State, nodes: Nodes, index: int) -> None:
    """Close the open element at a place, and those within it not."""
    _note_closed(state, nodes, state.open_elements[index])
    state.open_count -= 1
    state.work_left -= state.open_count - index
    for k in range(index, state.open_count):
        state.open_elements[k] = state.open_elements[k + 1]


@jit_linked.linked
def remove_node(state: State, nodes: Nodes, node: int) -> None:
    """Close this element, wherever it is, and those within it not. <html> stays open."""
    if node == NONE or not nodes[node].is_open:
        return
    index = index_of(state, node)
    if index > 0:
        remove(state, nodes, index)


@jit_linked.linked
def insert_at(state: State, nodes: Nodes, index: int, node: int) -> None:
    """Open an element at a place of the stack."""
    state.work_left -= state.open_count - index
    for k in range(state.open_count, index, -1):
        state.open_elements[k] = state.open_elements[k - 1]
    state.open_elements[index] = node
    state.open_count += 1
    nodes[node].is_open = 1
    state.open_by_tag[nodes[node].tag] += 1


@jit_linked.linked
def in_scope(state: State, nodes: Nodes, tag: int, scope: int) -> Any:
    """Tell whether an HTML element with this tag is in scope (13.2.4.2)."""
    if state.open_by_tag[tag] == 0:
        return False
    index = state.open_count - 1
    found = False
    while index >= 0:
        node = state.open_elements[index]
        if is_html(nodes, node, tag):
            found = True
            break
        if _ends_scope(nodes, node, scope):
            break
        index -= 1
    state.work_left -= state.open_count - index
    return found


@jit_linked.linked
def node_in_scope(state: State, nodes: Nodes, wanted: int) -> Any:
    """Tell whether this element is in scope."""
    index = state.open_count - 1
    found = False
    while index >= 0:
        node = state.open_elements[index]
        if node == wanted:
            found = True
            break
        if _ends_scope(nodes, node, ORDINARY):
            break
        index -= 1
    state.work_left -= state.open_count - index
    return found


@jit_linked.linked
def _ends_scope(nodes: Nodes, node: int, scope: int) -> Any:
    tag = nodes[node].tag
    if nodes[node].namespace != HTML_NAMESPACE:
        return scope != TABLE and nodes[node].integration != 0
    if scope == TABLE:
        return _ENDS_TABLE_SCOPE[tag]
    if _ENDS_SCOPE[tag]:
        return True
    return (scope == LIST_ITEM and (tag == tags.OL or tag == tags.UL)) or (scope == BUTTON and tag == tags.BUTTON)


@jit_linked.linked
def generate_implied_end_tags(state: State, nodes: Nodes, but: int) -> None:
    """Close elements whose end tag may be left out, except `but` (13.2.6.3)."""
    while True:
        node = current_node(state)
        tag = nodes[node].tag
        if not _IMPLIED_END[tag] or nodes[node].namespace != HTML_NAMESPACE or tag == but:
            return
        pop(state, nodes)


@jit_linked.linked
def pop_until(state: State, nodes: Nodes, tag: int) -> None:
    """Close elements up to and with one of this tag."""
    while state.open_count > 1:
        if is_html(nodes, pop(state, nodes), tag):
            return


@jit_linked.linked
def pop_until_index(state: State, nodes: Nodes, index: int) -> None:
    """Close elements down to and with the one at a place."""
    while state.open_count > max(index, 1):
        pop(state, nodes)


@jit_linked.linked
def close_in_scope(state: State, nodes: Nodes, tag: int, scope: int, but: int) -> Any:
    """Close an element of this tag and what is in it, if it is in scope; returns whether it was."""
    if not in_scope(state, nodes, tag, scope):
        return False
    generate_implied_end_tags(state, nodes, but)
    pop_until(state, nodes, tag)
    return True


@jit_linked.linked
def close_p(state: State, nodes: Nodes) -> None:
    """Close a <p> in button scope, if there is one (13.2.6.4.7)."""
    if state.open_by_tag[tags.P]:
        close_in_scope(state, nodes, tags.P, BUTTON, tags.P)


@jit_linked.linked
def is_table_context(state: State, nodes: Nodes) -> Any:
    """Tell whether the current node is one whose text the modes in tables look at (13.2.6.4.9)."""
    node = current_node(state)
    return nodes[node].namespace == HTML_NAMESPACE and _TAKES_TABLE_TEXT[nodes[node].tag]


@jit_linked.linked
def clear_back_to(state: State, nodes: Nodes, context: int) -> None:
    """Close elements until the current node is of a context: tags.TABLE, tags.TBODY or tags.TR (13.2.6.4.9 and on)."""
    while state.open_count > 1:
        node = current_node(state)
        tag = nodes[node].tag
        if nodes[node].namespace == HTML_NAMESPACE:
            if context == tags.TABLE and TABLE_CONTEXT[tag]:
                return
            if context == tags.TBODY and TABLE_BODY_CONTEXT[tag]:
                return
            if context == tags.TR and TABLE_ROW_CONTEXT[tag]:
                return
        pop(state, nodes)


@jit_linked.linked
def integration_of(namespace: int, tag: int) -> Any:
    """Return which integration point an element is by its name (13.2.6); annotation-xml may be one by its attributes."""
    if namespace == 1 and (tag == tags.FOREIGNOBJECT or tag == tags.DESC or tag == tags.TITLE):
        return HTML_INTEGRATION
    if namespace == 2:
        if tag == tags.MI or tag == tags.MO or tag == tags.MN or tag == tags.MS or tag == tags.MTEXT:
            return MATHML_TEXT
        if tag == tags.ANNOTATION_XML:
            return MATHML_ANNOTATION
    return 0
