"""Insertion modes in tables: sections 13.2.6.4.9 to 13.2.6.4.15 of the HTML standard.

"In table text" has no mode here: the tokenizer gives runs of characters whole, and `tree_builder` decides on each.
"""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.before_body import insert_head_content
from pipeline.kernels.html.formatting_elements import append_marker, clear_to_marker
from pipeline.kernels.html.in_body_end import in_body_end
from pipeline.kernels.html.in_body_start import in_body_start
from pipeline.kernels.html.insertion import insert_element, insert_implied, insert_void_element
from pipeline.kernels.html.names import tag_set
from pipeline.kernels.html.open_elements import (
    TABLE,
    clear_back_to,
    close_in_scope,
    current_node,
    generate_implied_end_tags,
    in_scope,
    is_html,
    pop,
    pop_until,
)
from pipeline.kernels.html.reset import reset_insertion_mode
from pipeline.kernels.html.state import (
    AGAIN,
    DONE,
    HTML_NAMESPACE,
    IN_CAPTION,
    IN_CELL,
    IN_COLUMN_GROUP,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    NONE,
    Nodes,
    State,
)

_IS_CELL = tag_set("td th")
_IS_SECTION = tag_set("tbody tfoot thead")
_IS_PART = tag_set("caption col colgroup tbody td tfoot th thead tr")
_IS_ROW_GROUP_OR_ROW = tag_set("table tbody tfoot thead tr")


@jit_linked.linked
def in_table_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in table" (13.2.6.4.9)."""
    tag = state.tag
    if _IS_PART[tag]:
        return _table_part(state, nodes)
    if tag == tags.TABLE:
        if not in_scope(state, nodes, tags.TABLE, TABLE):
            return DONE
        pop_until(state, nodes, tags.TABLE)
        reset_insertion_mode(state, nodes)
        return AGAIN
    if tag == tags.STYLE or tag == tags.SCRIPT or tag == tags.TEMPLATE:
        insert_head_content(state, nodes)
    elif tag == tags.INPUT and state.is_hidden_input:
        insert_void_element(state, nodes)
    elif tag == tags.FORM:
        if state.form == NONE and state.open_by_tag[tags.TEMPLATE] == 0:
            state.form = insert_element(state, nodes)
            pop(state, nodes)
    else:
        state.foster_parenting = 1
        in_body_start(state, nodes)
        state.foster_parenting = 0
    return DONE


@jit_linked.linked
def _table_part(state: State, nodes: Nodes) -> Any:
    """Process the start tag of a caption, column, section, row or cell "in table"."""
    tag = state.tag
    clear_back_to(state, nodes, tags.TABLE)
    if tag == tags.CAPTION:
        append_marker(state)
        insert_element(state, nodes)
        state.mode = IN_CAPTION
    elif tag == tags.COLGROUP:
        insert_element(state, nodes)
        state.mode = IN_COLUMN_GROUP
    elif tag == tags.COL:
        insert_implied(state, nodes, tags.COLGROUP)
        state.mode = IN_COLUMN_GROUP
        return AGAIN
    elif _IS_SECTION[tag]:
        insert_element(state, nodes)
        state.mode = IN_TABLE_BODY
    else:
        insert_implied(state, nodes, tags.TBODY)
        state.mode = IN_TABLE_BODY
        return AGAIN
    return DONE


@jit_linked.linked
def in_table_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in table" (13.2.6.4.9)."""
    tag = state.tag
    if tag == tags.TABLE:
        if in_scope(state, nodes, tags.TABLE, TABLE):
            pop_until(state, nodes, tags.TABLE)
            reset_insertion_mode(state, nodes)
    elif not _IS_PART[tag] and tag != tags.BODY and tag != tags.HTML:
        state.foster_parenting = 1
        in_body_end(state, nodes)
        state.foster_parenting = 0
    return DONE


@jit_linked.linked
def _close_caption(state: State, nodes: Nodes) -> Any:
    if not close_in_scope(state, nodes, tags.CAPTION, TABLE, 0):
        return False
    clear_to_marker(state)
    state.mode = IN_TABLE
    return True


@jit_linked.linked
def in_caption_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in caption" (13.2.6.4.11)."""
    if not _IS_PART[state.tag]:
        return in_body_start(state, nodes)
    return AGAIN if _close_caption(state, nodes) else DONE


@jit_linked.linked
def in_caption_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in caption" (13.2.6.4.11)."""
    tag = state.tag
    if tag == tags.CAPTION:
        _close_caption(state, nodes)
        return DONE
    if tag == tags.TABLE:
        return AGAIN if _close_caption(state, nodes) else DONE
    if _IS_PART[tag] or tag == tags.BODY or tag == tags.HTML:
        return DONE
    return in_body_end(state, nodes)


@jit_linked.linked
def in_column_group_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in column group" (13.2.6.4.12)."""
    if state.tag == tags.COL:
        insert_void_element(state, nodes)
        return DONE
    if state.tag == tags.TEMPLATE:
        insert_head_content(state, nodes)
        return DONE
    return leave_column_group(state, nodes)


@jit_linked.linked
def in_column_group_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in column group" (13.2.6.4.12)."""
    if state.tag == tags.COL:
        return DONE
    again = leave_column_group(state, nodes)
    return DONE if state.tag == tags.COLGROUP else again


@jit_linked.linked
def leave_column_group(state: State, nodes: Nodes) -> Any:
    """Close the column group, and look at the token again; DONE, for it is ignored, where there is none."""
    if not is_html(nodes, current_node(state), tags.COLGROUP):
        return DONE
    pop(state, nodes)
    state.mode = IN_TABLE
    return AGAIN


@jit_linked.linked
def _has_section_in_scope(state: State, nodes: Nodes) -> Any:
    return (
        in_scope(state, nodes, tags.TBODY, TABLE)
        or in_scope(state, nodes, tags.THEAD, TABLE)
        or in_scope(state, nodes, tags.TFOOT, TABLE)
    )


@jit_linked.linked
def _close_section(state: State, nodes: Nodes) -> None:
    clear_back_to(state, nodes, tags.TBODY)
    if state.open_count > 1:
        pop(state, nodes)
    state.mode = IN_TABLE


@jit_linked.linked
def in_table_body_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in table body" (13.2.6.4.13)."""
    tag = state.tag
    if tag == tags.TR:
        clear_back_to(state, nodes, tags.TBODY)
        insert_element(state, nodes)
        state.mode = IN_ROW
        return DONE
    if _IS_CELL[tag]:
        clear_back_to(state, nodes, tags.TBODY)
        insert_implied(state, nodes, tags.TR)
        state.mode = IN_ROW
        return AGAIN
    if _IS_PART[tag]:
        if not _has_section_in_scope(state, nodes):
            return DONE
        _close_section(state, nodes)
        return AGAIN
    return in_table_start(state, nodes)


@jit_linked.linked
def in_table_body_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in table body" (13.2.6.4.13)."""
    tag = state.tag
    if _IS_SECTION[tag]:
        if in_scope(state, nodes, tag, TABLE):
            _close_section(state, nodes)
        return DONE
    if tag == tags.TABLE:
        if not _has_section_in_scope(state, nodes):
            return DONE
        _close_section(state, nodes)
        return AGAIN
    return in_table_end(state, nodes)


@jit_linked.linked
def _close_row(state: State, nodes: Nodes) -> Any:
    if not in_scope(state, nodes, tags.TR, TABLE):
        return False
    clear_back_to(state, nodes, tags.TR)
    if state.open_count > 1:
        pop(state, nodes)
    state.mode = IN_TABLE_BODY
    return True


@jit_linked.linked
def in_row_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in row" (13.2.6.4.14)."""
    if _IS_CELL[state.tag]:
        clear_back_to(state, nodes, tags.TR)
        insert_element(state, nodes)
        state.mode = IN_CELL
        append_marker(state)
        return DONE
    if _IS_PART[state.tag]:
        return AGAIN if _close_row(state, nodes) else DONE
    return in_table_start(state, nodes)


@jit_linked.linked
def in_row_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in row" (13.2.6.4.14)."""
    tag = state.tag
    if tag == tags.TR:
        _close_row(state, nodes)
        return DONE
    if tag == tags.TABLE:
        return AGAIN if _close_row(state, nodes) else DONE
    if _IS_SECTION[tag]:
        if not in_scope(state, nodes, tag, TABLE):
            return DONE
        return AGAIN if _close_row(state, nodes) else DONE
    return in_table_end(state, nodes)


@jit_linked.linked
def _close_cell(state: State, nodes: Nodes) -> None:
    """Close the cell (13.2.6.4.15)."""
    generate_implied_end_tags(state, nodes, 0)
    while state.open_count > 1:
        node = pop(state, nodes)
        if nodes[node].namespace == HTML_NAMESPACE and _IS_CELL[nodes[node].tag]:
            break
    clear_to_marker(state)
    state.mode = IN_ROW


@jit_linked.linked
def in_cell_start(state: State, nodes: Nodes) -> Any:
    """Process a start tag "in cell" (13.2.6.4.15)."""
    if not _IS_PART[state.tag]:
        return in_body_start(state, nodes)
    if not in_scope(state, nodes, tags.TD, TABLE) and not in_scope(state, nodes, tags.TH, TABLE):
        return DONE
    _close_cell(state, nodes)
    return AGAIN


@jit_linked.linked
def in_cell_end(state: State, nodes: Nodes) -> Any:
    """Process an end tag "in cell" (13.2.6.4.15)."""
    tag = state.tag
    if _IS_CELL[tag]:
        if close_in_scope(state, nodes, tag, TABLE, 0):
            clear_to_marker(state)
            state.mode = IN_ROW
        return DONE
    if _IS_ROW_GROUP_OR_ROW[tag]:
        if not in_scope(state, nodes, tag, TABLE):
            return DONE
        _close_cell(state, nodes)
        return AGAIN
    if _IS_PART[tag] or tag == tags.BODY or tag == tags.HTML:
        return DONE
    return in_body_end(state, nodes)
