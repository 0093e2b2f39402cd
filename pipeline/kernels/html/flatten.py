"""Put a page's nodes into document order, as the arrays of a flat tree."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html.bytes import WIDTH, copy
from pipeline.kernels.html.state import NONE, TEXT, Bytes


@jit_linked.entry
def flatten(
    nodes: Any,
    values: Any,
    kind: Any,
    tag: Any,
    namespace: Any,
    parent: Any,
    end: Any,
    start: Any,
    length: Any,
    first_attribute: Any,
    last_attribute: Any,
    text: Any,
) -> Any:
    """Fill a tree's arrays; returns how many nodes it has. Texts that stand side by side become one."""
    count = np.int64(0)
    text_end = np.int64(0)
    node, above = np.int64(0), np.int64(NONE)  # the next node, and its parent's row
    while True:
        new = nodes[node]
        if new.kind == TEXT:
            if kind[count - 1] == TEXT and parent[count - 1] == above:
                length[count - 1] += new.length
                count -= 1
            else:
                start[count], length[count] = text_end, new.length
            _copy_text(text, text_end, values, new.start, new.length)
            text_end += new.length
        else:
            start[count], length[count] = new.start, new.length
        kind[count], tag[count], namespace[count], parent[count] = new.kind, new.tag, new.namespace, above
        first_attribute[count], last_attribute[count] = new.first_attribute, new.last_attribute
        count += 1
        end[count - 1] = count
        if new.first_child != NONE:
            above = count - 1
            node = new.first_child
            continue
        while node > 0 and nodes[node].next_sibling == NONE:
            node = nodes[node].parent
            if node >= 0:
                end[above] = count
                above = parent[above]
        if node == 0:
            return count
        node = nodes[node].next_sibling


@jit_linked.linked
def _copy_text(text: Bytes, to: int, values: Bytes, start: int, length: int) -> None:
    for k in range(0, length, WIDTH):
        copy(text, to + k, values, start + k)
