"""Find where raw text ends: section 13.2.5, the states of RCDATA, RAWTEXT, script data, PLAINTEXT and CDATA sections."""

from typing import Any

from pipeline.kernels import jit_linked
from pipeline.kernels.bits import lowest
from pipeline.kernels.html.bytes import (
    ENDS_TAG_NAME,
    EXCLAMATION_MARK,
    GREATER_THAN,
    HYPHEN,
    LESS_THAN,
    RIGHT_BRACKET,
    SOLIDUS,
    WIDTH,
    find_any,
    same_ignoring_case,
)
from pipeline.kernels.html.state import CDATA_SECTION, PLAINTEXT, SCRIPT_DATA, Bytes, State

_NOT_ESCAPED, _ESCAPED, _DOUBLE_ESCAPED = range(3)


@jit_linked.linked
def end_of_raw_text(state: State, source: Bytes) -> Any:
    """Return where the end tag of raw text begins, or "]]>"; the source's end where there is none."""
    if state.content == PLAINTEXT:
        return state.end
    if state.content == CDATA_SECTION:
        return _end_of_cdata(source, state.position, state.end)
    if state.content == SCRIPT_DATA:
        return _end_of_script(state, source)
    at = find(source, state.position, state.end, LESS_THAN)
    while at < state.end and not _is_end_tag(state, source, at):
        at = find(source, at + 1, state.end, LESS_THAN)
    return at


@jit_linked.linked
def find(source: Bytes, at: int, end: int, byte: int) -> Any:
    """Return where the byte is next from `at` on, or `end`."""
    while at < end:
        found = find_any(source, at, byte, byte, byte, byte)
        if found:
            return min(at + lowest(found), end)
        at += WIDTH
    return end


@jit_linked.linked
def _end_of_cdata(source: Bytes, at: int, end: int) -> Any:
    """Return where "]]>" is next (13.2.5.69 to 13.2.5.71)."""
    at = find(source, at, end, RIGHT_BRACKET)
    while at < end and not (source[at + 1] == RIGHT_BRACKET and source[at + 2] == GREATER_THAN):
        at = find(source, at + 1, end, RIGHT_BRACKET)
    return at


@jit_linked.linked
def _end_of_script(state: State, source: Bytes) -> Any:
    """Return where a script's end tag begins (13.2.5.15 to 13.2.5.31).

    "<!--" escapes, "<script" in it escapes twice, and then the next "</script>" ends that and not the script; "-->" ends both.
    """
    escaped, at, end = _NOT_ESCAPED, state.position, state.end
    while at < end:
        found = find_any(source, at, LESS_THAN, HYPHEN if escaped else LESS_THAN, LESS_THAN, LESS_THAN)
        if found == 0:
            at += WIDTH
            continue
        at += lowest(found)
        if at >= end:
            break
        if source[at] == HYPHEN:
            at, closed = _skip_hyphens(source, at, end)
            if closed:
                escaped = _NOT_ESCAPED
            continue
        if _is_end_tag(state, source, at):
            if escaped != _DOUBLE_ESCAPED:
                return at
            escaped = _ESCAPED
        elif escaped == _ESCAPED and _is_tag(state, source, at + 1):
            escaped = _DOUBLE_ESCAPED
        elif (
            escaped == _NOT_ESCAPED
            and source[at + 1] == EXCLAMATION_MARK
            and source[at + 2] == HYPHEN
            and source[at + 3] == HYPHEN
        ):
            escaped = _ESCAPED
            at += 1
        at += 1
    return end


@jit_linked.linked
def _skip_hyphens(source: Bytes, at: int, end: int) -> Any:
    """Return the place after a run of hyphens, and whether it is that of a "-->" (its ">" is read later, as a character)."""
    first = at
    while at < end and source[at] == HYPHEN:
        at += 1
    return at, at - first >= 2 and at < end and source[at] == GREATER_THAN


@jit_linked.linked
def _is_end_tag(state: State, source: Bytes, at: int) -> Any:
    """Tell whether source[at] begins an appropriate end tag (13.2.5)."""
    return source[at + 1] == SOLIDUS and _is_tag(state, source, at + 2)


@jit_linked.linked
def _is_tag(state: State, source: Bytes, at: int) -> Any:
    """Tell whether source[at] begins the element's own name, to its end."""
    end = at + state.raw_length
    return (
        end <= state.end
        and ENDS_TAG_NAME[source[end]]
        and same_ignoring_case(source, at, state.raw_name, state.raw_length)
    )
