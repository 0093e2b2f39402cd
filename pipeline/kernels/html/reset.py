"""Find the insertion mode that fits the open elements: section 13.2.4.1 of the HTML standard."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html import tags
from pipeline.kernels.html.state import (
    AFTER_HEAD,
    BEFORE_HEAD,
    HTML_NAMESPACE,
    IN_BODY,
    IN_CAPTION,
    IN_CELL,
    IN_COLUMN_GROUP,
    IN_FRAMESET,
    IN_HEAD,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    NONE,
    Nodes,
    State,
)


@jit_linked.linked
def reset_insertion_mode(state: State, nodes: Nodes) -> None:
    """Reset the insertion mode appropriately."""
    index = state.open_count - 1
    while index >= 0:
        mode = _mode_within(state, nodes, state.open_elements[index])
        if mode != NONE:
            state.mode = mode
            break
        index -= 1
    state.work_left -= state.open_count - index


@jit_linked.linked
def _mode_within(state: State, nodes: Nodes, node: int) -> Any:
    """Return the mode for the content of an open element, NONE where its parent decides."""
    tag = nodes[node].tag
    if nodes[node].namespace != HTML_NAMESPACE:
        return NONE
    if tag == tags.TD or tag == tags.TH:
        return IN_CELL
    if tag == tags.TR:
        return IN_ROW
    if tag == tags.TBODY or tag == tags.THEAD or tag == tags.TFOOT:
        return IN_TABLE_BODY
    if tag == tags.CAPTION:
        return IN_CAPTION
    if tag == tags.COLGROUP:
        return IN_COLUMN_GROUP
    if tag == tags.TABLE:
        return IN_TABLE
    if tag == tags.TEMPLATE:
        return state.template_modes[state.template_count - 1] if state.template_count > 0 else np.int64(IN_BODY)
    if tag == tags.HEAD:
        return IN_HEAD
    if tag == tags.BODY:
        return IN_BODY
    if tag == tags.FRAMESET:
        return IN_FRAMESET
    if tag == tags.HTML:
        return BEFORE_HEAD if state.head == NONE else AFTER_HEAD
    return NONE
