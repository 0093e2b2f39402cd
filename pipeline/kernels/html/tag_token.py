"""Read a tag: section 13.2.5.8 (the tag name state) to 13.2.5.40 (the self-closing start tag state) of the HTML standard."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.bits import lowest
from pipeline.kernels.html.bytes import (
    AMPERSAND,
    APOSTROPHE,
    CARRIAGE_RETURN,
    ENDS_ATTRIBUTE_NAME,
    ENDS_TAG_NAME,
    EQUALS,
    GREATER_THAN,
    IS_SPACE,
    LINE_FEED,
    NUL,
    QUOTATION_MARK,
    SOLIDUS,
    WIDTH,
    copy,
    find_any,
    same_ignoring_case,
)
from pipeline.kernels.html.name_lookup import attribute_number, hash_name, tag_number
from pipeline.kernels.html.references import REPLACEMENT, put_code_point, put_reference
from pipeline.kernels.html.state import (
    NAME,
    NAME_LENGTH,
    NAME_START,
    VALUE_LENGTH,
    VALUE_START,
    Attributes,
    Bytes,
    Numbers,
    References,
    State,
)

# Names that are not in the table are compared with those before them in the tag, from this many on by a hash set.
_FEW = 8
# Steps in the set until an attribute is dropped: names that are made to collide would take quadratic time.
_MAX_PROBES = 64


@jit_linked.linked
def tag_token(
    state: State,
    source: Bytes,
    values: Bytes,
    attributes: Attributes,
    entered: Numbers,
    references: References,
    start: int,
) -> Any:
    """Read the tag whose name begins at `start`; False where the page ends in it, which makes it no tag at all."""
    at, end = start, state.end
    while at < end and not ENDS_TAG_NAME[source[at]]:
        at += 1
    _note_name(state, source, start, at - start)
    first = state.attributes_end
    seen, unknown = np.uint64(0), 0  # the known names of this tag, as bits; how many others
    while at < end:
        byte = source[at]
        if byte == GREATER_THAN:
            state.first_attribute, state.last_attribute = first, state.attributes_end
            state.position = at + 1
            return True
        if byte == SOLIDUS or IS_SPACE[byte]:
            at += 1
            state.self_closing = byte == SOLIDUS and source[at] == GREATER_THAN
            continue
        name, values_before = at, state.values_end
        at += 1  # also of "=", with which a name may begin
        while at < end and not ENDS_ATTRIBUTE_NAME[source[at]]:
            at += 1
        length = at - name
        at = _attribute_value(state, source, values, references, at)
        number = attribute_number(source, name, length)
        if number:
            bit = np.uint64(1) << np.uint64(number)
            is_new = not seen & bit
            seen |= bit
        else:
            is_new = _is_new_name(state, source, attributes, entered, name, length, first, unknown)
            unknown += is_new
        if is_new:
            _append(state, attributes, number, name, length, values_before)
        else:
            state.values_end = values_before
    state.position = end
    return False


@jit_linked.linked
def _note_name(state: State, source: Bytes, start: int, length: int) -> None:
    state.tag = tag_number(source, start, length)
    state.name_start, state.name_length = start, length
    state.name_hash = 0 if state.tag else hash_name(source, start, length) >> 32
    state.self_closing = 0


@jit_linked.linked
def _append(state: State, attributes: Attributes, number: int, name: int, length: int, value_start: int) -> None:
    row = state.attributes_end
    attributes[row, NAME], attributes[row, NAME_START], attributes[row, NAME_LENGTH] = number, name, length
    attributes[row, VALUE_START], attributes[row, VALUE_LENGTH] = value_start, state.values_end - value_start
    state.attributes_end = row + 1


@jit_linked.linked
def _attribute_value(state: State, source: Bytes, values: Bytes, references: References, at: int) -> Any:
    """Append an attribute's value, if there is one after its name (13.2.5.34 to 13.2.5.39); returns the place after it."""
    end = state.end
    after = at
    while after < end and IS_SPACE[source[after]]:
        after += 1
    if after >= end or source[after] != EQUALS:
        return at
    at = after + 1
    while at < end and IS_SPACE[source[at]]:
        at += 1
    if source[at] == QUOTATION_MARK or source[at] == APOSTROPHE:
        return _quoted_value(state, source, values, references, at + 1, source[at])
    return _unquoted_value(state, source, values, references, at)


@jit_linked.linked
def _quoted_value(state: State, source: Bytes, values: Bytes, references: References, at: int, quote: int) -> Any:
    """Append a value up to its quote (13.2.5.36, 13.2.5.37); returns the place after the quote."""
    end, to = state.end, state.values_end
    while at < end:
        copy(values, to, source, at)
        found = find_any(source, at, quote, AMPERSAND, CARRIAGE_RETURN, NUL)
        if found == 0:
            at += WIDTH
            to += WIDTH
            continue
        plain = lowest(found)
        at += plain
        to += plain
        if at >= end or source[at] == quote:
            break
        state.values_end = to
        at = _put_special(state, source, values, references, at)
        to = state.values_end
    state.values_end = to
    return at + 1


@jit_linked.linked
def _unquoted_value(state: State, source: Bytes, values: Bytes, references: References, at: int) -> Any:
    """Append a value up to white space or ">" (13.2.5.38); returns the place of that."""
    end = state.end
    while at < end and not IS_SPACE[source[at]] and source[at] != GREATER_THAN:
        if source[at] == AMPERSAND or source[at] == NUL:
            at = _put_special(state, source, values, references, at)
        else:
            values[state.values_end] = source[at]
            state.values_end += 1
            at += 1
    return at


@jit_linked.linked
def _put_special(state: State, source: Bytes, values: Bytes, references: References, at: int) -> Any:
    """Append what an ampersand, a NUL or a carriage return in a value stands for; returns the place after it."""
    if source[at] == AMPERSAND:
        return put_reference(state, values, references, source, at, True)
    if source[at] == NUL:
        put_code_point(state, values, REPLACEMENT)
        return at + 1
    values[state.values_end] = LINE_FEED
    state.values_end += 1
    return at + (2 if source[at + 1] == LINE_FEED else 1)


@jit_linked.linked
def _is_new_name(
    state: State,
    source: Bytes,
    attributes: Attributes,
    entered: Numbers,
    name: int,
    length: int,
    first: int,
    unknown: int,
) -> Any:
    """Tell whether an attribute's name is the first of its kind in its tag (13.2.5.33), among those not in the table.

    `first`: the tag's first row; `unknown`: its names so far. From _FEW on they are in the set `entered`.
    """
    if unknown < _FEW:
        for row in range(first, state.attributes_end):
            if attributes[row, NAME] == 0 and _is_name(source, attributes, row, name, length):
                return False
        return True
    if unknown == _FEW:
        state.attribute_sets += 1  # a set is known by its number, so that none has to be cleared
        for row in range(first, state.attributes_end):
            if attributes[row, NAME] == 0:
                _enter(
                    state,
                    source,
                    attributes,
                    entered,
                    row,
                    attributes[row, NAME_START],
                    attributes[row, NAME_LENGTH],
                )
    return _enter(state, source, attributes, entered, state.attributes_end, name, length)


@jit_linked.linked
def _enter(
    state: State, source: Bytes, attributes: Attributes, entered: Numbers, row: int, name: int, length: int
) -> Any:
    """Enter a name, that of `row`, in this tag's set, an open-addressed table; False where it is there.

    Also False after _MAX_PROBES steps. A quarter of the slots are in use at most, so that this is never by chance.
    """
    slots = len(entered)
    slot = (hash_name(source, name, length) >> 24) & (slots - 1)
    for _ in range(_MAX_PROBES):
        if entered[slot] >> 32 != state.attribute_sets:
            entered[slot] = state.attribute_sets << 32 | row
            return True
        if _is_name(source, attributes, entered[slot] & 0xFFFFFFFF, name, length):
            return False
        slot = (slot + 1) & (slots - 1)
    state.bounded = 1
    return False


@jit_linked.linked
def _is_name(source: Bytes, attributes: Attributes, row: int, name: int, length: int) -> Any:
    return attributes[row, NAME_LENGTH] == length and same_ignoring_case(
        source, attributes[row, NAME_START], name, length
    )
