"""Insertion modes of templates, framesets, and after the body: sections 13.2.6.4.16 to 13.2.6.4.23 of the HTML standard."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.before_body import IS_HEAD_CONTENT, insert_head_content
from pipeline.kernels.html.insertion import insert_element, insert_void_element
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.open_elements import current_node, is_html, pop
from pipeline.kernels.html.state import (
    AFTER_AFTER_BODY,
    AFTER_AFTER_FRAMESET,
    AFTER_BODY,
    AFTER_FRAMESET,
    AGAIN,
    DONE,
    IN_BODY,
    IN_COLUMN_GROUP,
    IN_FRAMESET,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    Nodes,
    State,
)

_IS_TABLE_CHILD = tag_set("caption colgroup tbody tfoot thead")


@jit_linked.linked
def in_template_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in template" (13.2.6.4.16): the first one decides what the content is like."""
    tag = state.tag
    if IS_HEAD_CONTENT[tag]:
        insert_head_content(state, nodes)
        return DONE
    if _IS_TABLE_CHILD[tag]:
        mode = IN_TABLE
    elif tag == tags.COL:
        mode = IN_COLUMN_GROUP
    elif tag == tags.TR:
        mode = IN_TABLE_BODY
    elif tag == tags.TD or tag == tags.TH:
        mode = IN_ROW
    else:
        mode = IN_BODY
    if state.template_count > 0:
        state.template_modes[state.template_count - 1] = mode
    state.mode = mode
    return AGAIN


@jit_linked.linked
def in_frameset_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in frameset" or after it (13.2.6.4.18, 13.2.6.4.19, 13.2.6.4.21)."""
    tag = state.tag
    if tag == tags.NOFRAMES:
        insert_head_content(state, nodes)
    elif state.mode == IN_FRAMESET:
        if tag == tags.FRAMESET:
            insert_element(state, nodes)
        elif tag == tags.FRAME:
            insert_void_element(state, nodes)
    return DONE


@jit_linked.linked
def in_frameset_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in frameset" or after it."""
    if state.mode == IN_FRAMESET and state.tag == tags.FRAMESET:
        if state.open_count > 1:
            pop(state, nodes)
        if not is_html(nodes, current_node(state), tags.FRAMESET):
            state.mode = AFTER_FRAMESET
    elif state.mode == AFTER_FRAMESET and state.tag == tags.HTML:
        state.mode = AFTER_AFTER_FRAMESET
    return DONE


@jit_linked.linked
def after_body_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "after body" or after that (13.2.6.4.17, 13.2.6.4.20)."""
    if state.mode == AFTER_BODY and state.tag == tags.HTML:
        state.mode = AFTER_AFTER_BODY
        return DONE
    state.mode = IN_BODY
    return AGAIN
