"""Read tokens from a page: section 13.2.5 of the HTML standard.

The states of the standard are places in the functions below. Runs of characters are one token, which is what the tree builder
is made for; parse errors are not reported; comments are read over.
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.bits import lowest
from pipeline.kernels.html.bytes import (
    AMPERSAND,
    CARRIAGE_RETURN,
    EXCLAMATION_MARK,
    IS_LETTER,
    IS_SPACE,
    LESS_THAN,
    LINE_FEED,
    NUL,
    QUESTION_MARK,
    SOLIDUS,
    WIDTH,
    copy,
    find_any,
)
from pipeline.kernels.html.markup_declarations import markup_declaration, skip_bogus_comment
from pipeline.kernels.html.raw_text import end_of_raw_text
from pipeline.kernels.html.references import REPLACEMENT, put_code_point, put_reference
from pipeline.kernels.html.state import (
    CDATA_SECTION,
    CHARACTERS,
    COMMENT,
    DATA,
    END_OF_FILE,
    END_TAG,
    RCDATA,
    START_TAG,
    Attributes,
    Bytes,
    Numbers,
    References,
    State,
)
from pipeline.kernels.html.tag_token import tag_token

_NO_TOKEN = -1


@jit_linked.linked
def next_token(
    state: State, source: Bytes, values: Bytes, attributes: Attributes, entered: Numbers, references: References
) -> Any:
    """Read the next token into the state; returns its kind."""
    if state.position >= state.end:
        return END_OF_FILE
    if state.content != DATA:
        if _raw_characters(state, source, values, references):
            return CHARACTERS
        return _after_raw_text(state, source, values, attributes, entered, references)
    if source[state.position] == LESS_THAN:
        kind = _markup(state, source, values, attributes, entered, references)
        if kind != _NO_TOKEN:
            return kind
    if _characters(state, source, values, references):
        return CHARACTERS
    return COMMENT  # NULs alone, which are dropped


@jit_linked.linked
def _markup(
    state: State, source: Bytes, values: Bytes, attributes: Attributes, entered: Numbers, references: References
) -> Any:
    """Read what begins with "<" (13.2.5.6, the tag open state); _NO_TOKEN where it is a character."""
    after = state.position + 1
    byte = source[after]
    if IS_LETTER[byte]:
        complete = tag_token(state, source, values, attributes, entered, references, after)
        return START_TAG if complete else END_OF_FILE
    if byte == SOLIDUS:
        if IS_LETTER[source[after + 1]]:
            return _end_tag(state, source, values, attributes, entered, references)
        if after + 1 >= state.end:
            return _NO_TOKEN
        skip_bogus_comment(state, source, after + 1)
        return COMMENT
    if byte == EXCLAMATION_MARK:
        return markup_declaration(state, source, after + 1)
    if byte == QUESTION_MARK:
        skip_bogus_comment(state, source, after)
        return COMMENT
    return _NO_TOKEN


@jit_linked.linked
def _end_tag(
    state: State, source: Bytes, values: Bytes, attributes: Attributes, entered: Numbers, references: References
) -> Any:
    """Read an end tag, whose attributes are dropped (13.2.5.7)."""
    values_end, attributes_end = state.values_end, state.attributes_end
    complete = tag_token(state, source, values, attributes, entered, references, state.position + 2)
    state.values_end, state.attributes_end = values_end, attributes_end
    return END_TAG if complete else END_OF_FILE


@jit_linked.linked
def _characters(state: State, source: Bytes, values: Bytes, references: References) -> Any:
    """Read characters up to the next markup (13.2.5.1, the data state); False where there are none.

    Line breaks are normalized (section 13.2.3.5).
    """
    at, end, to = state.position, state.end, state.values_end
    state.text_start = to
    while at < end:
        copy(values, to, source, at)
        found = find_any(source, at, LESS_THAN, AMPERSAND, CARRIAGE_RETURN, NUL)
        if found == 0:
            at += WIDTH
            to += WIDTH
            continue
        plain = lowest(found)
        at += plain
        to += plain
        if at >= end:  # the zeros after the source
            to -= at - end
            at = end
            break
        byte = source[at]
        if byte == LESS_THAN:
            following = source[at + 1]
            if at > state.position and (
                IS_LETTER[following]
                or following == EXCLAMATION_MARK
                or following == QUESTION_MARK
                or (following == SOLIDUS and at + 2 < end)
            ):
                break
            at += 1
            to += 1
            while source[at] == LESS_THAN and source[at + 1] == LESS_THAN:
                values[to] = LESS_THAN
                at += 1
                to += 1
        else:
            state.values_end = to
            at = _put_special(state, source, values, references, at, byte == AMPERSAND)
            to = state.values_end
    state.position, state.values_end = at, to
    return _note_text(state, values)


@jit_linked.linked
def _put_special(
    state: State, source: Bytes, values: Bytes, references: References, at: int, is_reference: bool
) -> Any:
    """Append what an ampersand, a carriage return or a NUL in text stands for; returns the place after it."""
    if is_reference:
        return put_reference(state, values, references, source, at, False)
    if source[at] == CARRIAGE_RETURN:
        values[state.values_end] = LINE_FEED
        state.values_end += 1
        return at + (2 if source[at + 1] == LINE_FEED else 1)
    while at < state.end and source[at] == NUL:
        if state.replace_nulls:
            put_code_point(state, values, REPLACEMENT)
        at += 1
    return at


@jit_linked.linked
def _raw_characters(state: State, source: Bytes, values: Bytes, references: References) -> Any:
    """Read the characters of raw text (13.2.5.2 to 13.2.5.5, 13.2.5.69); False where there are none."""
    at, to = state.position, state.values_end
    end = end_of_raw_text(state, source)
    ampersand = AMPERSAND if state.content == RCDATA else NUL
    state.text_start, state.replace_nulls = to, 1
    while at < end:
        copy(values, to, source, at)
        found = find_any(source, at, ampersand, CARRIAGE_RETURN, NUL, NUL)
        plain = lowest(found) if found else np.int64(WIDTH)
        at += plain
        to += plain
        if at >= end:
            to -= at - end
            at = end
        elif found:
            state.values_end = to
            at = _put_special(state, source, values, references, at, source[at] == AMPERSAND)
            to = state.values_end
    state.position, state.values_end = at, to
    return _note_text(state, values)


@jit_linked.linked
def _after_raw_text(
    state: State, source: Bytes, values: Bytes, attributes: Attributes, entered: Numbers, references: References
) -> Any:
    """Read the end tag after raw text, or "]]>" after a CDATA section (13.2.5.70)."""
    content, state.content = state.content, DATA
    if content == CDATA_SECTION:
        state.position += 3
        return COMMENT
    return _end_tag(state, source, values, attributes, entered, references)


@jit_linked.linked
def _note_text(state: State, values: Bytes) -> Any:
    """Note where the token's characters end, and the white space that they begin with; False where there are none."""
    at, end = state.text_start, state.values_end
    while at < end and IS_SPACE[values[at]]:
        at += 1
    state.space_end, state.text_end = at, end
    return end > state.text_start
