"""Note what the tree builder has to know of a start tag's attributes, and add attributes to <html> and <body>."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.hashing import finished
from pipeline.kernels.html import tags
from pipeline.kernels.html.bytes import exact_word_at, number_of, same_ignoring_case, word_at
from pipeline.kernels.html.name_lookup import hash_name
from pipeline.kernels.html.names import ATTRIBUTE, tag_set
from pipeline.kernels.html.state import (
    MAX_MERGED,
    MAX_MERGES,
    NAME,
    NAME_LENGTH,
    NAME_START,
    VALUE_LENGTH,
    VALUE_START,
    Attributes,
    Bytes,
    Nodes,
    State,
)

_IS_FORMATTING = tag_set("a b big code em font i nobr s small strike strong tt u")
_TYPE, _ENCODING = ATTRIBUTE["type"], ATTRIBUTE["encoding"]
_COLOR, _FACE, _SIZE = ATTRIBUTE["color"], ATTRIBUTE["face"], ATTRIBUTE["size"]
_HIDDEN = number_of(b"hidden")
_TEXT_HTML = (number_of(b"text/htm"), number_of(b"l"))
_XHTML = (number_of(b"applicat"), number_of(b"ion/xhtm"), number_of(b"l+xml"))
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@jit_linked.linked
def note_facts(state: State, source: Bytes, values: Bytes, attributes: Attributes) -> None:
    """Note facts of the attributes of the start tag that was read."""
    tag = state.tag
    if _IS_FORMATTING[tag]:
        state.signature = _signature(state, source, values, attributes)
    if tag == tags.INPUT or tag == tags.FONT or tag == tags.ANNOTATION_XML:
        state.is_hidden_input = state.has_font_attribute = state.has_html_encoding = 0
        for row in range(state.first_attribute, state.last_attribute):
            name = attributes[row, NAME]
            start, length = attributes[row, VALUE_START], attributes[row, VALUE_LENGTH]
            if name == _TYPE:
                state.is_hidden_input = length == 6 and word_at(values, start, 6) == _HIDDEN
            elif name == _ENCODING:
                state.has_html_encoding = _is_html_type(values, start, length)
            elif name == _COLOR or name == _FACE or name == _SIZE:
                state.has_font_attribute = 1


@jit_linked.linked
def _is_html_type(values: Bytes, start: int, length: int) -> Any:
    """Tell whether a value is text/html or application/xhtml+xml."""
    first, second = word_at(values, start, length), word_at(values, start + 8, length - 8)
    if length == 9:
        return first == _TEXT_HTML[0] and second == _TEXT_HTML[1]
    return length == 21 and first == _XHTML[0] and second == _XHTML[1] and word_at(values, start + 16, 5) == _XHTML[2]


@jit_linked.linked
def _signature(state: State, source: Bytes, values: Bytes, attributes: Attributes) -> Any:
    """Return a hash of the attributes, whatever their order."""
    total = np.uint64(0)
    for row in range(state.first_attribute, state.last_attribute):
        value = np.uint64(hash_name(source, attributes[row, NAME_START], attributes[row, NAME_LENGTH]))
        start, length = attributes[row, VALUE_START], attributes[row, VALUE_LENGTH]
        for at in range(start, start + length, 8):
            value = finished((value ^ exact_word_at(values, at, start + length - at)) * _FACTOR)
        total += finished((value ^ np.uint64(length)) * _FACTOR)
    return np.int64(total >> np.uint64(1))


@jit_linked.linked
def merge_attributes(state: State, nodes: Nodes, source: Bytes, attributes: Attributes) -> None:
    """Add the token's attributes to <html> or <body> (`merge_into`), except those that it has (13.2.6.4.7).

    The element gets the token's rows, which are the last in use, with its own values first. Merging has bounds.
    """
    node = nodes[state.merge_into]
    own, given = node.last_attribute - node.first_attribute, state.last_attribute - state.first_attribute
    if given == 0:
        return
    if own > 0 and (state.merges >= MAX_MERGES or own + given > MAX_MERGED):
        state.bounded = 1
        return
    state.merges += own > 0
    first, end = state.first_attribute, state.last_attribute
    for row in range(node.first_attribute, node.last_attribute):
        place = _row_with_name(source, attributes, row, first, state.last_attribute)
        for column in range(5):
            attributes[place, column] = attributes[row, column]
        end += place >= end
        state.last_attribute = end
    node.first_attribute, node.last_attribute = first, end
    state.attributes_end = end


@jit_linked.linked
def _row_with_name(source: Bytes, attributes: Attributes, wanted: int, first: int, last: int) -> Any:
    """Return the row from `first` on that has the name of another row; `last` where there is none."""
    length = attributes[wanted, NAME_LENGTH]
    for row in range(first, last):
        if attributes[row, NAME_LENGTH] == length and same_ignoring_case(
            source, attributes[row, NAME_START], attributes[wanted, NAME_START], length
        ):
            return row
    return last
