"""Tags in SVG and MathML: section 13.2.6.5 of the HTML standard."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.insertion import insert_foreign_element
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.open_elements import current_node, pop, pop_until_index
from pipeline.kernels.html.state import (
    AGAIN,
    DONE,
    HTML_INTEGRATION,
    HTML_NAMESPACE,
    MATHML_ANNOTATION,
    MATHML_TEXT,
    Nodes,
    State,
)

# Start tags that end foreign content.
_BREAKS_OUT = tag_set(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p "
    "pre ruby s small span strong strike sub sup table tt u ul var"
)


@jit_linked.linked
def is_foreign_start(state: State, nodes: Nodes) -> Any:
    """Tell whether a start tag is processed by the rules of foreign content (13.2.6, the dispatcher)."""
    node = current_node(state)
    if nodes[node].namespace == HTML_NAMESPACE:
        return False
    integration = nodes[node].integration
    if integration == HTML_INTEGRATION:
        return False
    if integration == MATHML_TEXT:
        return state.tag == tags.MGLYPH or state.tag == tags.MALIGNMARK
    return not (integration == MATHML_ANNOTATION and state.tag == tags.SVG)


@jit_linked.linked
def is_foreign_text(state: State, nodes: Nodes) -> Any:
    """Tell whether characters are processed by the rules of foreign content."""
    node = current_node(state)
    integration = nodes[node].integration
    return nodes[node].namespace != HTML_NAMESPACE and integration != HTML_INTEGRATION and integration != MATHML_TEXT


@jit_linked.linked
def _leave(state: State, nodes: Nodes) -> None:
    """Close elements until the current node is of HTML or an integration point."""
    while state.open_count > 1 and is_foreign_text(state, nodes):
        pop(state, nodes)


@jit_linked.linked
def foreign_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag in foreign content."""
    if _BREAKS_OUT[state.tag] or (state.tag == tags.FONT and state.has_font_attribute):
        _leave(state, nodes)
        return AGAIN
    insert_foreign_element(state, nodes, nodes[current_node(state)].namespace)
    return DONE


@jit_linked.linked
def foreign_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag in foreign content."""
    if state.tag == tags.BR or state.tag == tags.P:
        _leave(state, nodes)
        return AGAIN
    index = state.open_count - 1
    while index > 0:
        node = state.open_elements[index]
        if nodes[node].namespace == HTML_NAMESPACE:
            break
        if nodes[node].tag == state.tag and nodes[node].name_hash == state.name_hash:
            pop_until_index(state, nodes, index)
            return DONE
        index -= 1
    state.work_left -= state.open_count - index
    return AGAIN
