"""Start tags in the insertion mode "in body": section 13.2.6.4.7 of the HTML standard."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.before_body import insert_head_content
from pipeline.kernels.html.formatting_elements import (
    adoption_agency,
    append_marker,
    forget,
    insert_formatting_element,
    last_with_tag,
    place_of,
    reconstruct_formatting_elements,
)
from pipeline.kernels.html.insertion import (
    insert_element,
    insert_foreign_element,
    insert_raw_text,
    insert_void_element,
    unlink,
)
from pipeline.kernels.html.names import TAGS, tag_set
from pipeline.kernels.html.open_elements import (
    IS_SPECIAL,
    ORDINARY,
    close_in_scope,
    close_p,
    current_node,
    generate_implied_end_tags,
    in_scope,
    is_html,
    pop,
    pop_until,
    remove_node,
)
from pipeline.kernels.html.state import (
    DONE,
    HTML_NAMESPACE,
    IN_FRAMESET,
    IN_TABLE,
    MATHML_NAMESPACE,
    NONE,
    PLAINTEXT,
    RAWTEXT,
    RCDATA,
    SVG_NAMESPACE,
    Nodes,
    State,
)

# The rule for each start tag, in the order of the standard.
(
    _ORDINARY, _IGNORED, _HTML, _HEAD_CONTENT, _BODY, _FRAMESET, _BLOCK, _HEADING, _PRE, _FORM, _LIST_ITEM, _DEFINITION,
    _PLAINTEXT, _BUTTON, _ANCHOR, _FORMATTING, _NOBR, _OBJECT, _TABLE, _VOID, _INPUT, _PARAMETER, _RULER, _IMAGE, _TEXTAREA,
    _XMP, _RAW_TEXT, _SELECT, _OPTION, _RUBY_BASE, _RUBY_TEXT, _MATH, _SVG,
) = range(33)  # fmt: skip
_RULES = {
    _HTML: "html",
    _HEAD_CONTENT: "base basefont bgsound link meta noframes script style template title",
    _BODY: "body",
    _FRAMESET: "frameset",
    _BLOCK: "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup "
    "main menu nav ol p search section summary ul",
    _HEADING: "h1 h2 h3 h4 h5 h6",
    _PRE: "pre listing",
    _FORM: "form",
    _LIST_ITEM: "li",
    _DEFINITION: "dd dt",
    _PLAINTEXT: "plaintext",
    _BUTTON: "button",
    _ANCHOR: "a",
    _FORMATTING: "b big code em font i s small strike strong tt u",
    _NOBR: "nobr",
    _OBJECT: "applet marquee object",
    _TABLE: "table",
    _VOID: "area br embed img keygen wbr",
    _INPUT: "input",
    _PARAMETER: "param source track",
    _RULER: "hr",
    _IMAGE: "image",
    _TEXTAREA: "textarea",
    _XMP: "xmp",
    _RAW_TEXT: "iframe noembed",
    _SELECT: "select",
    _OPTION: "option optgroup",
    _RUBY_BASE: "rb rtc",
    _RUBY_TEXT: "rp rt",
    _MATH: "math",
    _SVG: "svg",
    _IGNORED: "caption col colgroup frame head tbody td tfoot th thead tr",
}
_RULE = np.zeros(len(TAGS) + 1, np.int64)
for _rule, _words in _RULES.items():
    _RULE[tag_set(_words)] = _rule
_CLOSES_P = np.isin(_RULE, (_BLOCK, _HEADING, _PRE, _PLAINTEXT, _RULER, _XMP))
_RECONSTRUCTS = np.isin(
    _RULE, (_ORDINARY, _FORMATTING, _NOBR, _OBJECT, _VOID, _INPUT, _IMAGE, _XMP, _MATH, _SVG, _SELECT, _OPTION)
)
# Elements that the search for an open <li>, <dd> or <dt> goes past, though they are special.
_IS_TRANSPARENT = tag_set("address div p")


@jit_linked.linked
def in_body_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in body"."""
    tag = state.tag
    rule = _RULE[tag]
    if _CLOSES_P[tag]:
        close_p(state, nodes)
    if rule == _SELECT and in_scope(state, nodes, tags.SELECT, ORDINARY):
        pop_until(state, nodes, tags.SELECT)
        return DONE
    if rule == _INPUT and in_scope(state, nodes, tags.SELECT, ORDINARY):
        pop_until(state, nodes, tags.SELECT)
    if rule == _OPTION:
        _close_option(state, nodes)
    if _RECONSTRUCTS[tag]:
        reconstruct_formatting_elements(state, nodes)
    if rule == _ORDINARY or rule == _BLOCK:
        insert_element(state, nodes)
    elif rule == _ANCHOR:
        _anchor(state, nodes)
    elif rule == _FORMATTING:
        insert_formatting_element(state, nodes)
    elif rule == _VOID:
        insert_void_element(state, nodes)
        state.frameset_ok = 0
    elif rule == _LIST_ITEM or rule == _DEFINITION:
        _list_item(state, nodes)
    elif rule == _HEADING:
        node = current_node(state)
        if nodes[node].namespace == HTML_NAMESPACE and tags.H1 <= nodes[node].tag <= tags.H6:
            pop(state, nodes)
        insert_element(state, nodes)
    else:
        _rarer_start(state, nodes, rule)
    return DONE


@jit_linked.linked
def _rarer_start(state: State, nodes: Nodes, rule: int) -> None:
    """Process start tags that pages have fewer of."""
    if rule == _HEAD_CONTENT:
        insert_head_content(state, nodes)
    elif rule == _PRE:
        insert_element(state, nodes)
        state.skip_newline, state.frameset_ok = 1, 0
    elif rule == _FORM:
        _form(state, nodes)
    elif rule == _BUTTON:
        close_in_scope(state, nodes, tags.BUTTON, ORDINARY, 0)
        reconstruct_formatting_elements(state, nodes)
        insert_element(state, nodes)
        state.frameset_ok = 0
    elif rule == _OBJECT:
        insert_element(state, nodes)
        append_marker(state)
        state.frameset_ok = 0
    elif rule == _TABLE:
        if not state.quirks:
            close_p(state, nodes)
        insert_element(state, nodes)
        state.frameset_ok = 0
        state.mode = IN_TABLE
    elif rule == _INPUT:
        insert_void_element(state, nodes)
        if not state.is_hidden_input:
            state.frameset_ok = 0
    elif rule == _PARAMETER:
        insert_void_element(state, nodes)
    elif rule == _RULER:
        if in_scope(state, nodes, tags.SELECT, ORDINARY):
            generate_implied_end_tags(state, nodes, 0)
        insert_void_element(state, nodes)
        state.frameset_ok = 0
    elif rule == _TEXTAREA:
        insert_raw_text(state, nodes, RCDATA)
        state.skip_newline, state.frameset_ok = 1, 0
    elif rule == _XMP or rule == _RAW_TEXT:
        insert_raw_text(state, nodes, RAWTEXT)
        if state.tag != tags.NOEMBED:
            state.frameset_ok = 0
    elif rule == _SELECT:
        insert_element(state, nodes)
        state.frameset_ok = 0
    elif rule == _OPTION:
        insert_element(state, nodes)
    elif rule == _MATH or rule == _SVG:
        insert_foreign_element(state, nodes, MATHML_NAMESPACE if rule == _MATH else SVG_NAMESPACE)
    elif rule == _RUBY_BASE or rule == _RUBY_TEXT:
        if in_scope(state, nodes, tags.RUBY, ORDINARY):
            generate_implied_end_tags(state, nodes, tags.RTC if rule == _RUBY_TEXT else 0)
        insert_element(state, nodes)
    elif rule == _NOBR:
        if in_scope(state, nodes, tags.NOBR, ORDINARY):
            adoption_agency(state, nodes)
            reconstruct_formatting_elements(state, nodes)
        insert_formatting_element(state, nodes)
    elif rule == _IMAGE:
        state.tag, state.name_hash = tags.IMG, 0
        insert_void_element(state, nodes)
        state.frameset_ok = 0
    elif rule == _PLAINTEXT:
        insert_element(state, nodes)
        state.content = PLAINTEXT
    elif rule == _HTML or rule == _BODY:
        _repeated_root(state, nodes, rule == _BODY)
    elif rule == _FRAMESET:
        _frameset(state, nodes)


@jit_linked.linked
def _anchor(state: State, nodes: Nodes) -> None:
    """Process <a>, which closes one that is active."""
    place = last_with_tag(state, nodes, tags.A)
    if place != NONE:
        active = state.formatting_elements[place]
        adoption_agency(state, nodes)
        place = place_of(state, active)
        if place != NONE:
            forget(state, place)
        remove_node(state, nodes, active)
    reconstruct_formatting_elements(state, nodes)
    insert_formatting_element(state, nodes)


@jit_linked.linked
def _list_item(state: State, nodes: Nodes) -> None:
    """Process <li>, <dd> or <dt>, which closes one that is open."""
    state.frameset_ok = 0
    is_item = state.tag == tags.LI
    open_items = state.open_by_tag[tags.LI] if is_item else state.open_by_tag[tags.DD] + state.open_by_tag[tags.DT]
    index = state.open_count - 1 if open_items else np.int64(0)
    state.work_left -= index
    while index > 0:
        node = state.open_elements[index]
        tag = nodes[node].tag
        if nodes[node].namespace != HTML_NAMESPACE:
            if nodes[node].integration != 0:
                break
        elif tag == tags.LI if is_item else (tag == tags.DD or tag == tags.DT):
            generate_implied_end_tags(state, nodes, tag)
            pop_until(state, nodes, tag)
            break
        elif IS_SPECIAL[tag] and not _IS_TRANSPARENT[tag]:
            break
        index -= 1
    state.work_left += index
    close_p(state, nodes)
    insert_element(state, nodes)


@jit_linked.linked
def _form(state: State, nodes: Nodes) -> None:
    """Process <form>, which is ignored in another one."""
    in_template = state.open_by_tag[tags.TEMPLATE] > 0
    if state.form != NONE and not in_template:
        return
    close_p(state, nodes)
    node = insert_element(state, nodes)
    if not in_template:
        state.form = node


@jit_linked.linked
def _close_option(state: State, nodes: Nodes) -> None:
    """Close what an <option> or <optgroup> may not be in."""
    if state.open_by_tag[tags.SELECT] and in_scope(state, nodes, tags.SELECT, ORDINARY):
        generate_implied_end_tags(state, nodes, tags.OPTGROUP if state.tag == tags.OPTION else 0)
    elif is_html(nodes, current_node(state), tags.OPTION):
        pop(state, nodes)


@jit_linked.linked
def _repeated_root(state: State, nodes: Nodes, is_body: bool) -> None:
    """Process <html> or <body> where there is one: the attributes that it lacks are added to it, by the caller."""
    if state.open_by_tag[tags.TEMPLATE]:
        return
    if not is_body:
        state.merge_into = state.open_elements[0]
    elif state.open_count > 1 and is_html(nodes, state.open_elements[1], tags.BODY):
        state.frameset_ok = 0
        state.merge_into = state.open_elements[1]


@jit_linked.linked
def _frameset(state: State, nodes: Nodes) -> None:
    """Process <frameset>, which takes the place of a body that has nothing to show."""
    if state.open_count < 2 or not is_html(nodes, state.open_elements[1], tags.BODY) or not state.frameset_ok:
        return
    unlink(nodes, state.open_elements[1])
    while state.open_count > 1:
        pop(state, nodes)
    insert_element(state, nodes)
    state.mode = IN_FRAMESET
