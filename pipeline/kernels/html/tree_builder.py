"""Build the tree: section 13.2.6 of the HTML standard, the tree construction dispatcher.

The rules of the insertion modes are in `before_body`, `in_body_start`, `in_body_end`, `in_table`, `other_modes` and
`foreign_content`.
"""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.attribute_facts import merge_attributes, note_facts
from pipeline.kernels.html.before_body import (
    after_head_start,
    anything_else,
    before_body_end,
    before_head_start,
    before_html_start,
    end_template,
    in_head_noscript_start,
    in_head_start,
)
from pipeline.kernels.html.bytes import IS_SPACE
from pipeline.kernels.html.foreign_content import foreign_end, foreign_start, is_foreign_start, is_foreign_text
from pipeline.kernels.html.formatting_elements import reconstruct_formatting_elements
from pipeline.kernels.html.in_body_end import in_body_end
from pipeline.kernels.html.in_body_start import in_body_start
from pipeline.kernels.html.in_table import (
    in_caption_end,
    in_caption_start,
    in_cell_end,
    in_cell_start,
    in_column_group_end,
    in_column_group_start,
    in_row_end,
    in_row_start,
    in_table_body_end,
    in_table_body_start,
    in_table_end,
    in_table_start,
    leave_column_group,
)
from pipeline.kernels.html.insertion import create_node, insert_characters
from pipeline.kernels.html.open_elements import current_node, is_table_context, narrow, pop
from pipeline.kernels.html.other_modes import after_body_end, in_frameset_end, in_frameset_start, in_template_start
from pipeline.kernels.html.quirks import is_quirks
from pipeline.kernels.html.state import (
    AFTER_AFTER_BODY,
    AFTER_AFTER_FRAMESET,
    AFTER_BODY,
    AFTER_FRAMESET,
    AFTER_HEAD,
    AGAIN,
    BEFORE_HEAD,
    BEFORE_HTML,
    CHARACTERS,
    DATA,
    DOCTYPE,
    DOCUMENT,
    DONE,
    END_OF_FILE,
    END_TAG,
    HTML_NAMESPACE,
    IN_BODY,
    IN_CAPTION,
    IN_CELL,
    IN_COLUMN_GROUP,
    IN_FRAMESET,
    IN_HEAD,
    IN_HEAD_NOSCRIPT,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    IN_TEMPLATE,
    IN_TEXT,
    INITIAL,
    MAX_OPEN,
    NONE,
    START_TAG,
    Bytes,
    Nodes,
    State,
)
from pipeline.kernels.html.tokenizer import next_token


@jit_linked.entry
def build(
    states: Any,
    nodes: Any,
    source: Any,
    size: int,
    values: Any,
    attributes: Any,
    entered: Any,
    references: Any,
    clones: int,
    work: int,
) -> None:
    """Parse source[:size], which PADDING zeros follow, into nodes, values and attributes.

    `states`: one record. `clones`: elements that may be made again. `work`: steps of walks of the stack that may be made.
    """
    state = states[0]
    _begin(state, nodes, source, size, clones, work)
    while True:
        node = current_node(state)
        state.cdata_allowed = nodes[node].namespace != HTML_NAMESPACE
        state.replace_nulls = state.cdata_allowed and is_foreign_text(state, nodes)
        kind = next_token(state, source, values, attributes, entered, references)
        if kind == START_TAG:
            state.skip_newline = 0
            note_facts(state, source, values, attributes)
            _start_tag(state, nodes)
            if state.merge_into != NONE:
                merge_attributes(state, nodes, source, attributes)
                state.merge_into = NONE
        elif kind == END_TAG:
            state.skip_newline = 0
            _end_tag(state, nodes)
        elif kind == CHARACTERS:
            _characters(state, nodes, values)
        elif kind == END_OF_FILE:
            break
        else:
            state.skip_newline = 0
            if kind == DOCTYPE and state.mode == INITIAL:
                state.quirks = is_quirks(state, source)
                state.mode = BEFORE_HTML
        if state.work_left < 0 and state.open_limit == MAX_OPEN:
            narrow(state, nodes)
    _end_of_file(state, nodes)


@jit_linked.linked
def _begin(state: State, nodes: Nodes, source: Bytes, size: int, clones: int, work: int) -> None:
    """Set the state to what it is before the first token. `attribute_sets` goes on."""
    state.position = 3 if source[0] == 0xEF and source[1] == 0xBB and source[2] == 0xBF else 0  # a byte order mark
    state.end, state.content = size, DATA
    state.values_end = state.attributes_end = 0
    state.mode = state.original_mode = INITIAL
    state.open_count = state.formatting_count = state.template_count = state.node_count = state.merges = 0
    state.head = state.form = state.merge_into = NONE
    state.foster_parenting = state.skip_newline = state.bounded = 0
    state.frameset_ok = state.quirks = 1
    state.open_limit, state.clones_left, state.work_left = MAX_OPEN, clones, work
    for tag in range(len(state.open_by_tag)):
        state.open_by_tag[tag] = 0
    create_node(state, nodes, DOCUMENT, 0, HTML_NAMESPACE)


@jit_linked.linked
def _start_tag(state: State, nodes: Nodes) -> None:
    """Process a start tag by the rules of foreign content or of the insertion mode, until it is used up."""
    if is_foreign_start(state, nodes) and foreign_start(state, nodes) == DONE:
        return
    while _start_tag_by_mode(state, nodes) == AGAIN:
        pass


@jit_linked.linked
def _start_tag_by_mode(state: State, nodes: Nodes) -> Any:
    mode = state.mode
    if mode == IN_BODY:
        return in_body_start(state, nodes)
    if mode == IN_CELL:
        return in_cell_start(state, nodes)
    if mode == INITIAL or mode == BEFORE_HTML:
        return before_html_start(state, nodes)
    if mode == IN_TEMPLATE:
        return in_template_start(state, nodes)
    if state.tag == tags.HTML:
        return in_body_start(state, nodes)
    if mode == BEFORE_HEAD:
        return before_head_start(state, nodes)
    if mode == IN_HEAD:
        return in_head_start(state, nodes)
    if mode == IN_HEAD_NOSCRIPT:
        return in_head_noscript_start(state, nodes)
    if mode == AFTER_HEAD:
        return after_head_start(state, nodes)
    if mode == IN_ROW:
        return in_row_start(state, nodes)
    if mode == IN_TABLE_BODY:
        return in_table_body_start(state, nodes)
    if mode == IN_TABLE:
        return in_table_start(state, nodes)
    if mode == IN_CAPTION:
        return in_caption_start(state, nodes)
    if mode == IN_COLUMN_GROUP:
        return in_column_group_start(state, nodes)
    if mode == IN_FRAMESET or mode == AFTER_FRAMESET or mode == AFTER_AFTER_FRAMESET:
        return in_frameset_start(state, nodes)
    state.mode = IN_BODY  # after the body
    return AGAIN


@jit_linked.linked
def _end_tag(state: State, nodes: Nodes) -> None:
    """Process an end tag by the rules of foreign content or of the insertion mode, until it is used up."""
    if nodes[current_node(state)].namespace != HTML_NAMESPACE and foreign_end(state, nodes) == DONE:
        return
    while _end_tag_by_mode(state, nodes) == AGAIN:
        pass


@jit_linked.linked
def _end_tag_by_mode(state: State, nodes: Nodes) -> Any:
    mode = state.mode
    if mode == IN_BODY:
        return in_body_end(state, nodes)
    if mode == IN_TEXT:
        pop(state, nodes)
        state.mode = state.original_mode
        return DONE
    if mode == AFTER_BODY or mode == AFTER_AFTER_BODY:
        return after_body_end(state, nodes)
    if state.tag == tags.TEMPLATE and mode != INITIAL and mode != BEFORE_HTML and mode != IN_HEAD_NOSCRIPT:
        end_template(state, nodes)
        return DONE
    if mode <= AFTER_HEAD:
        return before_body_end(state, nodes)
    if mode == IN_CELL:
        return in_cell_end(state, nodes)
    if mode == IN_ROW:
        return in_row_end(state, nodes)
    if mode == IN_TABLE_BODY:
        return in_table_body_end(state, nodes)
    if mode == IN_TABLE:
        return in_table_end(state, nodes)
    if mode == IN_CAPTION:
        return in_caption_end(state, nodes)
    if mode == IN_COLUMN_GROUP:
        return in_column_group_end(state, nodes)
    if mode == IN_TEMPLATE:
        return DONE
    return in_frameset_end(state, nodes)


@jit_linked.linked
def _characters(state: State, nodes: Nodes, values: Bytes) -> None:
    """Process a run of characters, values[text_start:text_end]."""
    if state.skip_newline:
        state.skip_newline = 0
        if values[state.text_start] == 10:
            state.text_start += 1
            state.space_end = max(state.space_end, state.text_start)
    if state.mode == IN_FRAMESET or state.mode == AFTER_FRAMESET or state.mode == AFTER_AFTER_FRAMESET:
        _keep_space(state, values)
    if state.frameset_ok and state.replace_nulls and _shows_something(state, values):
        state.frameset_ok = 0
    while state.text_start < state.text_end and _characters_by_mode(state, nodes) == AGAIN:
        pass


@jit_linked.linked
def _keep_space(state: State, values: Bytes) -> None:
    """Drop all characters but white space (13.2.6.4.18)."""
    to = state.text_start
    for at in range(state.text_start, state.text_end):
        if IS_SPACE[values[at]]:
            values[to] = values[at]
            to += 1
    state.text_end = state.space_end = state.values_end = to


@jit_linked.linked
def _shows_something(state: State, values: Bytes) -> Any:
    """Tell whether foreign text is more than white space and what NULs are replaced by (13.2.6.5)."""
    for at in range(state.space_end, state.text_end):
        byte = values[at]
        if not IS_SPACE[byte] and byte != 0xEF and byte != 0xBF and byte != 0xBD:  # the bytes of U+FFFD
            return True
    return False


@jit_linked.linked
def _characters_by_mode(state: State, nodes: Nodes) -> Any:
    mode, start, end = state.mode, state.text_start, state.text_end
    if mode == IN_TEXT:
        insert_characters(state, nodes, start, end)
        return DONE
    if is_foreign_text(state, nodes):
        insert_characters(state, nodes, start, end)
        return DONE
    if mode <= AFTER_HEAD or mode == IN_COLUMN_GROUP:
        return _characters_after_space(state, nodes)
    if (mode == AFTER_BODY or mode == AFTER_AFTER_BODY) and state.space_end < end:
        state.mode = IN_BODY
        return AGAIN
    if (mode == IN_TABLE or mode == IN_TABLE_BODY or mode == IN_ROW) and is_table_context(state, nodes):
        _characters_in_table(state, nodes)
        return DONE
    if mode != IN_FRAMESET and mode != AFTER_FRAMESET:
        reconstruct_formatting_elements(state, nodes)
        if state.space_end < end:
            state.frameset_ok = 0
    insert_characters(state, nodes, start, end)
    return DONE


@jit_linked.linked
def _characters_after_space(state: State, nodes: Nodes) -> Any:
    """Process characters of which white space at the beginning is treated apart: before the body, and in column groups."""
    if state.mode >= IN_HEAD:
        insert_characters(state, nodes, state.text_start, state.space_end)
    state.text_start = state.space_end
    if state.text_start == state.text_end:
        return DONE
    if state.mode == IN_COLUMN_GROUP:
        return leave_column_group(state, nodes)
    anything_else(state, nodes)
    return AGAIN


@jit_linked.linked
def _characters_in_table(state: State, nodes: Nodes) -> None:
    """Process characters in a table: white space stays, other text goes before it (13.2.6.4.10)."""
    if state.space_end < state.text_end:
        state.foster_parenting = 1
        reconstruct_formatting_elements(state, nodes)
        state.frameset_ok = 0
    insert_characters(state, nodes, state.text_start, state.text_end)
    state.foster_parenting = 0


@jit_linked.linked
def _end_of_file(state: State, nodes: Nodes) -> None:
    """Close templates, and make <html>, <head> and <body> where they are missing."""
    if state.mode == IN_TEXT:
        pop(state, nodes)
        state.mode = state.original_mode
    while state.open_by_tag[tags.TEMPLATE]:
        end_template(state, nodes)
    while state.mode <= AFTER_HEAD:
        anything_else(state, nodes)
