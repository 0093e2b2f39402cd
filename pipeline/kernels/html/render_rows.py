"""Find out whether a row of a table can be one line, and a table one of Markdown."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html.blocks import PRE
from pipeline.kernels.html.names import TAG, tag_set
from pipeline.kernels.html.render_output import Bytes, Ints, TreeNodes

_ELEMENT = 1
_TD, _TH, _TR, _CAPTION = TAG["td"], TAG["th"], TAG["tr"], TAG["caption"]
_TABLE_PARTS = tag_set("thead tbody tfoot")


@jit_linked.linked
def row_shape(nodes: TreeNodes, row: int, first: Ints, region: Ints, flags: Bytes, block: int, blocks: int) -> Any:
    """Return a row's cells, those with text, the region of the text (-2: none), and the block behind it.

    The cells are -1 if the row is not one line: a cell has two blocks or a <pre>, or the cells are of different regions.
    """
    cells = 0
    filled = 0
    of = -2
    node = row + 1
    while node < nodes.end[row]:
        if nodes.kind[node] != _ELEMENT or (nodes.tag[node] != _TD and nodes.tag[node] != _TH):
            node = max(nodes.end[node], node + 1)
            continue
        stop = nodes.end[node]
        cells += 1
        inside = 0
        while block < blocks and first[block] < node:
            block += 1
        while block < blocks and first[block] < stop:
            if region[block] >= 0:
                inside += 1
                if inside > 1 or flags[first[block]] & PRE or (of >= 0 and of != region[block]):
                    return -1, filled, of, block
                of = region[block]
            block += 1
        filled += inside
        node = stop
    return cells, filled, of, block


@jit_linked.linked
def table_columns(
    nodes: TreeNodes, table: int, first: Ints, region: Ints, flags: Bytes, block: int, blocks: int
) -> Any:
    """Return how many columns a table has that can be one of GFM; 0 if it cannot: a cell has two blocks, or it is no grid."""
    columns = 0
    rows = 0
    of = -2
    node = table + 1
    while node < nodes.end[table]:
        if nodes.kind[node] != _ELEMENT:
            node += 1
        elif nodes.tag[node] == _TR:
            cells, filled, here, block = row_shape(nodes, node, first, region, flags, block, blocks)
            if cells < 0 or (of >= 0 and here >= 0 and of != here):
                return 0
            if filled:
                of = here
                rows += 1
                columns = max(columns, cells)
            node = nodes.end[node]
        elif nodes.tag[node] == _CAPTION and rows:
            while block < blocks and (region[block] < 0 or first[block] < node):
                block += 1
            if block < blocks and first[block] < nodes.end[node]:
                return 0
            node = nodes.end[node]
        elif _TABLE_PARTS[nodes.tag[node]]:
            node += 1
        else:
            node = nodes.end[node]
    return columns if rows > 1 and columns > 1 else 0
