"""End tags in the insertion mode "in body": section 13.2.6.4.7 of the HTML standard."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.before_body import end_template
from pipeline.kernels.html.formatting_elements import (
    adoption_agency,
    any_other_end_tag,
    clear_to_marker,
    reconstruct_formatting_elements,
)
from pipeline.kernels.html.insertion import insert_implied
from pipeline.kernels.html.names import TAGS, tag_set
from pipeline.kernels.html.open_elements import BUTTON as BUTTON_SCOPE
from pipeline.kernels.html.open_elements import (
    LIST_ITEM,
    ORDINARY,
    close_in_scope,
    close_p,
    generate_implied_end_tags,
    in_scope,
    node_in_scope,
    pop,
    remove_node,
)
from pipeline.kernels.html.state import AFTER_BODY, AGAIN, DONE, HTML_NAMESPACE, NONE, Nodes, State

(
    _OTHER, _ROOT, _BLOCK, _FORM, _PARAGRAPH, _LIST_ITEM, _DEFINITION, _HEADING, _FORMATTING, _OBJECT, _BREAK, _TEMPLATE,
) = range(12)  # fmt: skip
_RULES = {
    _ROOT: "body html",
    _BLOCK: "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header "
    "hgroup listing main menu nav ol pre search section select summary ul",
    _FORM: "form",
    _PARAGRAPH: "p",
    _LIST_ITEM: "li",
    _DEFINITION: "dd dt",
    _HEADING: "h1 h2 h3 h4 h5 h6",
    _FORMATTING: "a b big code em font i nobr s small strike strong tt u",
    _OBJECT: "applet marquee object",
    _BREAK: "br",
    _TEMPLATE: "template",
}
_RULE = np.zeros(len(TAGS) + 1, np.int64)
for _rule, _words in _RULES.items():
    _RULE[tag_set(_words)] = _rule


@jit_linked.linked
def in_body_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in body"."""
    tag = state.tag
    rule = _RULE[tag]
    if rule == _OTHER:
        any_other_end_tag(state, nodes)
    elif rule == _BLOCK:
        close_in_scope(state, nodes, tag, ORDINARY, 0)
    elif rule == _FORMATTING:
        adoption_agency(state, nodes)
    elif rule == _PARAGRAPH:
        if not in_scope(state, nodes, tags.P, BUTTON_SCOPE):
            insert_implied(state, nodes, tags.P)
        close_p(state, nodes)
    elif rule == _LIST_ITEM:
        close_in_scope(state, nodes, tag, LIST_ITEM, tag)
    elif rule == _DEFINITION:
        close_in_scope(state, nodes, tag, ORDINARY, tag)
    elif rule == _HEADING:
        _heading(state, nodes)
    elif rule == _FORM:
        _form(state, nodes)
    elif rule == _OBJECT:
        if close_in_scope(state, nodes, tag, ORDINARY, 0):
            clear_to_marker(state)
    elif rule == _BREAK:
        reconstruct_formatting_elements(state, nodes)
        insert_implied(state, nodes, tags.BR)
        pop(state, nodes)
        state.frameset_ok = 0
    elif rule == _TEMPLATE:
        end_template(state, nodes)
    elif in_scope(state, nodes, tags.BODY, ORDINARY):
        state.mode = AFTER_BODY
        return AGAIN if tag == tags.HTML else DONE
    return DONE


@jit_linked.linked
def _heading(state: State, nodes: Nodes) -> None:
    """Process the end of a heading, which may have begun with another number."""
    found = False
    for tag in range(tags.H1, tags.H6 + 1):
        found = found or in_scope(state, nodes, tag, ORDINARY)
    if not found:
        return
    generate_implied_end_tags(state, nodes, 0)
    while state.open_count > 1:
        node = pop(state, nodes)
        if nodes[node].namespace == HTML_NAMESPACE and tags.H1 <= nodes[node].tag <= tags.H6:
            return


@jit_linked.linked
def _form(state: State, nodes: Nodes) -> None:
    """Process </form>, which may close a form around what is open."""
    if state.open_by_tag[tags.TEMPLATE]:
        close_in_scope(state, nodes, tags.FORM, ORDINARY, 0)
        return
    node, state.form = state.form, NONE
    if node == NONE or not nodes[node].is_open or not node_in_scope(state, nodes, node):
        return
    generate_implied_end_tags(state, nodes, 0)
    remove_node(state, nodes, node)
