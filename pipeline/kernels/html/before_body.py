"""Insertion modes before the body: sections 13.2.6.4.1 to 13.2.6.4.6 of the HTML standard.

A function for the start tags of each mode and one for the end tags; DONE or AGAIN says whether the token is used up.
"""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.formatting_elements import append_marker, clear_to_marker
from pipeline.kernels.html.insertion import (
    create_element,
    create_node,
    insert_element,
    insert_implied,
    insert_raw_text,
    insert_void_element,
    link,
)
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.open_elements import pop, pop_until, push, remove_node
from pipeline.kernels.html.reset import reset_insertion_mode
from pipeline.kernels.html.state import (
    AFTER_HEAD,
    AGAIN,
    BEFORE_HEAD,
    BEFORE_HTML,
    DONE,
    ELEMENT,
    HTML_NAMESPACE,
    IN_BODY,
    IN_FRAMESET,
    IN_HEAD,
    IN_HEAD_NOSCRIPT,
    IN_TEMPLATE,
    INITIAL,
    MAX_OPEN,
    NONE,
    RAWTEXT,
    RCDATA,
    SCRIPT_DATA,
    Nodes,
    State,
)

# Start tags that the body, tables and templates also treat by the rules of "in head".
IS_HEAD_CONTENT = tag_set("base basefont bgsound link meta title style noframes script template")
_IS_NOSCRIPT_CONTENT = tag_set("basefont bgsound link meta noframes style")
_IS_VOID = tag_set("base basefont bgsound link meta")


@jit_linked.linked
def anything_else(state: State, nodes: Nodes) -> None:
    """Take the step that a mode before the body takes for any other token, which is then looked at again."""
    mode = state.mode
    if mode == INITIAL:
        state.mode = BEFORE_HTML
    elif mode == BEFORE_HTML:
        _insert_html(state, nodes, create_node(state, nodes, ELEMENT, tags.HTML, HTML_NAMESPACE))
    elif mode == BEFORE_HEAD:
        state.head = insert_implied(state, nodes, tags.HEAD)
        state.mode = IN_HEAD
    elif mode == IN_HEAD:
        pop(state, nodes)
        state.mode = AFTER_HEAD
    elif mode == IN_HEAD_NOSCRIPT:
        pop(state, nodes)
        state.mode = IN_HEAD
    else:
        insert_implied(state, nodes, tags.BODY)
        state.mode = IN_BODY


@jit_linked.linked
def _insert_html(state: State, nodes: Nodes, node: int) -> None:
    link(nodes, node, 0, NONE)
    push(state, nodes, node)
    state.mode = BEFORE_HEAD


@jit_linked.linked
def before_html_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "before html" (13.2.6.4.2)."""
    if state.tag == tags.HTML:
        _insert_html(state, nodes, create_element(state, nodes, HTML_NAMESPACE))
        return DONE
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def before_head_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "before head" (13.2.6.4.3); <html> is for the caller."""
    if state.tag == tags.HEAD:
        state.head = insert_element(state, nodes)
        state.mode = IN_HEAD
        return DONE
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def in_head_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in head" (13.2.6.4.4)."""
    tag = state.tag
    if IS_HEAD_CONTENT[tag]:
        insert_head_content(state, nodes)
        return DONE
    if tag == tags.NOSCRIPT:
        insert_element(state, nodes)
        state.mode = IN_HEAD_NOSCRIPT
        return DONE
    if tag == tags.HEAD:
        return DONE
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def insert_head_content(state: State, nodes: Nodes) -> None:
    """Insert an element of IS_HEAD_CONTENT (13.2.6.4.4)."""
    tag = state.tag
    if _IS_VOID[tag]:
        insert_void_element(state, nodes)
    elif tag == tags.TITLE:
        insert_raw_text(state, nodes, RCDATA)
    elif tag == tags.SCRIPT:
        insert_raw_text(state, nodes, SCRIPT_DATA)
    elif tag == tags.TEMPLATE:
        _insert_template(state, nodes)
    else:
        insert_raw_text(state, nodes, RAWTEXT)


@jit_linked.linked
def _insert_template(state: State, nodes: Nodes) -> None:
    """Insert a <template>. A declarative shadow root is one as well, with its attribute: a reader of the tree shows it."""
    insert_element(state, nodes)
    append_marker(state)
    state.frameset_ok = 0
    if state.template_count < MAX_OPEN:
        state.template_modes[state.template_count] = IN_TEMPLATE
        state.template_count += 1
    state.mode = IN_TEMPLATE


@jit_linked.linked
def end_template(state: State, nodes: Nodes) -> None:
    """Process </template>, whatever the mode (13.2.6.4.4)."""
    if state.open_by_tag[tags.TEMPLATE] == 0:
        return
    pop_until(state, nodes, tags.TEMPLATE)
    clear_to_marker(state)
    if state.template_count > 0:
        state.template_count -= 1
    reset_insertion_mode(state, nodes)


@jit_linked.linked
def in_head_noscript_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in head noscript" (13.2.6.4.5)."""
    if _IS_NOSCRIPT_CONTENT[state.tag]:
        insert_head_content(state, nodes)
        return DONE
    if state.tag == tags.HEAD or state.tag == tags.NOSCRIPT:
        return DONE
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def after_head_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "after head" (13.2.6.4.6)."""
    tag = state.tag
    if tag == tags.BODY:
        insert_element(state, nodes)
        state.frameset_ok = 0
        state.mode = IN_BODY
        return DONE
    if tag == tags.FRAMESET:
        insert_element(state, nodes)
        state.mode = IN_FRAMESET
        return DONE
    if tag == tags.HEAD:
        return DONE
    if IS_HEAD_CONTENT[tag] and state.head != NONE:
        push(state, nodes, state.head)
        insert_head_content(state, nodes)
        remove_node(state, nodes, state.head)
        return DONE
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def before_body_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag in one of these modes; </template> is for the caller."""
    mode, tag = state.mode, state.tag
    if mode == INITIAL:
        anything_else(state, nodes)
        return AGAIN
    if mode == IN_HEAD and tag == tags.HEAD:
        anything_else(state, nodes)
        return DONE
    if mode == IN_HEAD_NOSCRIPT and tag == tags.NOSCRIPT:
        anything_else(state, nodes)
        return DONE
    if tag == tags.BR:
        anything_else(state, nodes)
        return AGAIN
    if mode != IN_HEAD_NOSCRIPT and (tag == tags.BODY or tag == tags.HTML):
        anything_else(state, nodes)
        return AGAIN
    if mode <= BEFORE_HEAD and tag == tags.HEAD:
        anything_else(state, nodes)
        return AGAIN
    return DONE
