"""Read comments, doctypes and the beginnings of CDATA sections: sections 13.2.5.41 to 13.2.5.69 of the HTML standard."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.html.bytes import (
    APOSTROPHE,
    EXCLAMATION_MARK,
    GREATER_THAN,
    HYPHEN,
    IS_SPACE,
    QUOTATION_MARK,
    exact_word_at,
    number_of,
    word_at,
)
from pipeline.kernels.html.raw_text import find
from pipeline.kernels.html.state import CDATA_SECTION, COMMENT, DOCTYPE, NONE, Bytes, State

_CDATA = number_of(b"[CDATA[")
_DOCTYPE = number_of(b"doctype")
_PUBLIC, _SYSTEM = number_of(b"public"), number_of(b"system")
_LONG, _SHORT = 7, 6  # bytes of those


@jit_linked.linked
def markup_declaration(state: State, source: Bytes, at: int) -> Any:
    """Read what begins with "<!", whose next byte is at `at` (13.2.5.42); returns the token's kind."""
    if source[at] == HYPHEN and source[at + 1] == HYPHEN:
        state.position = _end_of_comment(source, at + 2, state.end)
        return COMMENT
    if word_at(source, at, _LONG) == _DOCTYPE:
        _read_doctype(state, source, at + _LONG)
        return DOCTYPE
    if state.cdata_allowed and exact_word_at(source, at, _LONG) == _CDATA:
        state.position = at + _LONG
        state.content = CDATA_SECTION
        return COMMENT
    skip_bogus_comment(state, source, at)
    return COMMENT


@jit_linked.linked
def skip_bogus_comment(state: State, source: Bytes, at: int) -> None:
    """Read over what is up to the next ">" (13.2.5.41)."""
    state.position = min(find(source, at, state.end, GREATER_THAN) + 1, state.end)


@jit_linked.linked
def _end_of_comment(source: Bytes, at: int, end: int) -> Any:
    """Return the place after a comment whose data begins at `at` (13.2.5.43 to 13.2.5.52)."""
    if source[at] == GREATER_THAN:
        return at + 1
    if source[at] == HYPHEN and source[at + 1] == GREATER_THAN:
        return at + 2
    at = find(source, at, end, HYPHEN)
    while at < end:
        if source[at + 1] == HYPHEN:
            if source[at + 2] == GREATER_THAN:
                return at + 3
            if source[at + 2] == EXCLAMATION_MARK and source[at + 3] == GREATER_THAN:
                return at + 4
            at += 1
        else:
            at = find(source, at + 1, end, HYPHEN)
    return end


@jit_linked.linked
def _read_doctype(state: State, source: Bytes, at: int) -> None:
    """Read a doctype after its first word (13.2.5.53 to 13.2.5.68)."""
    state.force_quirks = 0
    state.public_start = state.system_start = NONE
    state.public_length = state.system_length = 0
    at = _skip_space(source, at, state.end)
    state.doctype_name = at
    while at < state.end and not IS_SPACE[source[at]] and source[at] != GREATER_THAN:
        at += 1
    state.doctype_name_length = at - state.doctype_name
    if state.doctype_name_length == 0:
        state.force_quirks = 1
    at = _skip_space(source, at, state.end)
    if at < state.end and source[at] != GREATER_THAN:
        at = _read_identifiers(state, source, at)
    if at >= state.end:
        state.force_quirks = 1
    else:  # bogus (13.2.5.68), where the next byte is another
        at = find(source, at, state.end, GREATER_THAN)
    state.position = min(at + 1, state.end)


@jit_linked.linked
def _read_identifiers(state: State, source: Bytes, at: int) -> Any:
    """Read PUBLIC or SYSTEM and what follows it (13.2.5.56 to 13.2.5.67); returns the place after it."""
    if word_at(source, at, _SHORT) == _PUBLIC:
        at = _skip_space(source, at + _SHORT, state.end)
        start, length, at = _quoted(state, source, at)
        if start == NONE:
            return at
        state.public_start, state.public_length = start, length
        if state.force_quirks:
            return at
        at = _skip_space(source, at, state.end)
        if at >= state.end or source[at] == GREATER_THAN:
            return at
    elif word_at(source, at, _SHORT) == _SYSTEM:
        at = _skip_space(source, at + _SHORT, state.end)
    else:
        state.force_quirks = 1
        return at
    start, length, at = _quoted(state, source, at)
    if start == NONE:
        return at
    state.system_start, state.system_length = start, length
    return _skip_space(source, at, state.end)


@jit_linked.linked
def _quoted(state: State, source: Bytes, at: int) -> Any:
    """Return start and length of the string at `at`, and the place after it; NONE as the start where there is no quote.

    Without a quote, or where ">" stands before the second, the page is one in quirks mode.
    """
    quote = source[at]
    if at >= state.end or (quote != QUOTATION_MARK and quote != APOSTROPHE):
        state.force_quirks = 1
        return NONE, 0, at
    start = at + 1
    at = start
    while at < state.end and source[at] != quote and source[at] != GREATER_THAN:
        at += 1
    if at < state.end and source[at] == quote:
        return start, at - start, at + 1
    state.force_quirks = 1
    return start, at - start, at


@jit_linked.linked
def _skip_space(source: Bytes, at: int, end: int) -> Any:
    while at < end and IS_SPACE[source[at]]:
        at += 1
    return at
