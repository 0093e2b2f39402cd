"""Count what the size of a page's arrays is derived from."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html.bytes import APOSTROPHE, GREATER_THAN, LESS_THAN, NUL, QUOTATION_MARK, SOLIDUS, SPACE


@jit_linked.entry
def count_bytes(source: Any, size: int) -> Any:
    """Return how many bytes of source[:size] are "<", ">", NUL, and can stand before an attribute (spaces, "/", quotes)."""
    opened = closed = nulls = separators = 0
    for at in range(size):
        byte = source[at]
        opened += byte == LESS_THAN
        closed += byte == GREATER_THAN
        nulls += byte == NUL
        separators += (byte <= SPACE) | (byte == SOLIDUS) | (byte == QUOTATION_MARK) | (byte == APOSTROPHE)
    return opened, closed, nulls, separators
