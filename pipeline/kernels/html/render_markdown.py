"""Write text as Markdown (CommonMark, and GFM's tables) that reads back as the same text."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html.names import ATTRIBUTE
from pipeline.kernels.html.render_output import (
    LINK,
    SPACES,
    Bytes,
    State,
    TreeNodes,
    Word,
    code_point,
    code_point_before,
    is_blank,
    is_letter,
    is_wide,
    put,
    space_at,
)

_CLASS = ATTRIBUTE["class"]
_LANGUAGE, _LANG, _HIGHLIGHT, _DEFAULT, _NONE = (
    np.frombuffer(word, np.uint8).copy() for word in (b"language-", b"lang-", b"highlight-", b"default", b"none")
)

# Bytes that Markdown may read as markup: 1 anywhere, 2 at the beginning of a line.
_SPECIAL = np.zeros(256, np.uint8)
_SPECIAL[list(b"\\`*_[]<&~|#")] = 1
_SPECIAL[list(b">+-=:0123456789")] = 2


@jit_linked.linked
def is_alphanumeric(byte: int) -> Any:
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


@jit_linked.linked
def is_entity(text: Bytes, at: int, end: int) -> Any:
    """Whether the `&` at text[at] may begin a character reference; what comes after the text is not known."""
    for i in range(at + 1, min(at + 40, end)):
        if text[i] == 59:
            return i > at + 1
        if not is_alphanumeric(text[i]) and not (text[i] == 35 and i == at + 1):
            return False
    return True


@jit_linked.linked
def is_escaped(state: State, out: Bytes, text: Bytes, at: int, end: int, w: int, fresh: int) -> Any:
    """Whether the byte text[at], of those in _SPECIAL, needs a backslash. `fresh`: it begins a line."""
    byte = text[at]
    after = np.uint8(0)  # unknown
    if at + 1 < end:
        after = text[at + 1]
    if byte == 92 or byte == 96 or byte == 42:
        return True
    if byte == 95:
        before = out[w - 1] if w > 0 else np.uint8(32)
        return fresh or not is_alphanumeric(before) or not is_alphanumeric(after)
    if byte == 91:
        return state.active >> LINK & 1 == 1
    if byte == 93:
        return state.active >> LINK & 1 == 1 or after == 0 or after == 40 or after == 91 or after == 58
    if byte == 60:
        return after == 0 or after == 47 or after == 33 or after == 63 or 65 <= after <= 90 or 97 <= after <= 122
    if byte == 38:
        return is_entity(text, at, end)
    if byte == 126:
        return fresh or after == 126 or after == 0 or (w > 0 and out[w - 1] == 126)
    if byte == 124:
        return fresh or state.table > 0
    if byte == 35:
        return state.heading > 0 or (fresh and (after == 0 or after == 35 or SPACES[after] > 0))
    if not fresh:
        return False
    if byte == 62:
        return True
    if byte == 58:
        return after == 45
    return after == 0 or after == byte or SPACES[after] > 0


@jit_linked.linked
def list_number_end(text: Bytes, at: int, end: int) -> Any:
    """Return the place of the `.` or `)` where the line that begins at text[at] reads as an ordered list's item; else -1."""
    i = at
    while i < end and i < at + 9 and 48 <= text[i] <= 57:
        i += 1
    if i == end or (text[i] != 46 and text[i] != 41):
        return -1
    return i if i + 1 == end or SPACES[text[i + 1]] > 0 else -1


@jit_linked.linked
def copy_escaped(state: State, out: Bytes, text: Bytes, at: int, end: int) -> Any:
    """Write text[at:end], which begins with no white space, collapsed and escaped; what it ends with is left in `space`."""
    if state.size + 2 * (end - at) + 16 > state.limit:
        state.overfull = 1
        return
    w = state.size
    fresh = state.fresh
    state.fresh = 0
    number_end = np.int64(-1)
    if fresh and 48 <= text[at] <= 57:
        number_end = list_number_end(text, at, end)
    while at < end:
        byte = text[at]
        kind = SPACES[byte]
        if kind:
            size = space_at(text, at, end)
            if size:
                seen = 1
                while size:
                    if kind == 2:
                        seen = 2
                    at += size
                    size = 0
                    if at < end:
                        kind = SPACES[text[at]]
                        size = space_at(text, at, end)
                if at == end:
                    state.space = seen
                    break
                if seen == 1 or not is_wide(code_point(text, at)) or not is_wide(code_point_before(out, w)):
                    out[w] = 32
                    w += 1
                continue
        if _SPECIAL[byte] and (_SPECIAL[byte] == 1 or fresh):
            if at == number_end or ((byte < 48 or byte > 57) and is_escaped(state, out, text, at, end, w, fresh)):
                out[w] = 92
                w += 1
            out[w] = byte
            w += 1
            at += 1
            if number_end <= at - 1:
                fresh = 0
            continue
        if at == number_end:
            out[w] = 92
            w += 1
        out[w] = byte
        w += 1
        at += 1
        fresh = 0
    state.size = w


@jit_linked.linked
def copy_code(state: State, out: Bytes, text: Bytes, at: int, end: int) -> Any:
    """Write text[at:end] of a code span or a formula: white space collapsed, nothing escaped but `|` in tables."""
    if state.size + 2 * (end - at) + 16 > state.limit:
        state.overfull = 1
        return
    while at < end:
        size = space_at(text, at, end)
        if size:
            while size:
                at += size
                size = 0
                if at < end:
                    size = space_at(text, at, end)
            if at == end:
                state.space = 1
                break
            put(state, out, 32)
            continue
        if text[at] == 124 and state.table and state.row:
            put(state, out, 92)
        put(state, out, text[at])
        at += 1
    state.fresh = 0


@jit_linked.linked
def longest_run(nodes: TreeNodes, hidden: Bytes, first: int, end: int) -> Any:
    """Return the length of the longest run of backticks in the texts of nodes [first, end)."""
    longest = 0
    run = 0
    for node in range(first, end):
        if nodes.kind[node] == 3 and not hidden[node]:
            for at in range(nodes.start[node], nodes.start[node] + nodes.length[node]):
                run = run + 1 if nodes.text[at] == 96 else 0
                longest = max(longest, run)
    return longest


@jit_linked.linked
def can_emphasize(
    nodes: TreeNodes, hidden: Bytes, node: int, code: int, limit: int, state: State, out: Bytes, inner_marker: int
) -> Any:
    """Whether CommonMark reads `*` around the element `node` as emphasis (section 6.2: flanking delimiter runs).

    `code`: its first character; `limit`: the last text node of the block; `inner_marker`: another marker follows this one.
    """
    before_space = state.fresh == 1 or state.size == 0 or out[state.size - 1] == 32
    if not before_space:
        before = code_point_before(out, state.size)
        if before == 42 or (before >= 128 and not is_letter(before) and (not is_letter(code) or inner_marker)):
            return False
        if is_letter(before) and (not is_letter(code) or inner_marker):
            return False
    if not is_letter(code) and code >= 128:
        return False
    # Its last character: a letter, or what follows is white space or ASCII punctuation.
    last = min(nodes.end[node] - 1, limit)
    seen = 0
    while (
        last > node
        and seen < 8
        and (nodes.kind[last] != 3 or hidden[last] or is_blank(nodes.text, nodes.start[last], nodes.length[last]))
    ):
        if nodes.kind[last] == 1 and not hidden[last]:
            return False
        last -= 1
        seen += 1
    if last <= node or seen == 8:
        return False
    at = nodes.start[last] + nodes.length[last]
    trailing = 0
    while SPACES[nodes.text[at - 1]]:
        at -= 1
        trailing = 1
    code = code_point_before(nodes.text, at)
    if code >= 128 and not is_letter(code):
        return False
    if trailing or (nodes.parent[last] == node and is_letter(code)):
        return True
    after = nodes.end[node]
    seen = 0
    while after <= limit and seen < 8:
        if nodes.kind[after] == 3 and not hidden[after] and nodes.length[after]:
            byte = nodes.text[nodes.start[after]]
            return byte < 128 and not is_alphanumeric(byte)
        if nodes.kind[after] == 1 and not hidden[after]:
            return False
        after += 1
        seen += 1
    return after > limit


@jit_linked.linked
def begins_with(values: Bytes, at: int, end: int, word: Word) -> Any:
    if end - at < len(word):
        return False
    for i in range(len(word)):
        if values[at + i] != word[i]:
            return False
    return True


@jit_linked.linked
def put_language_of(nodes: TreeNodes, node: int, state: State, out: Bytes) -> Any:
    """Write the language that a class of `node` names (`language-xyz`, `highlight-xyz`); True if there is one."""
    for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
        if nodes.attributes[row, 0] != _CLASS:
            continue
        at = nodes.attributes[row, 3]
        end = at + min(nodes.attributes[row, 4], 512)
        while at < end:
            stop = at
            while stop < end and not SPACES[nodes.values[stop]]:
                stop += 1
            size = 0
            if begins_with(nodes.values, at, stop, _LANGUAGE):
                size = len(_LANGUAGE)
            elif begins_with(nodes.values, at, stop, _LANG):
                size = len(_LANG)
            elif begins_with(nodes.values, at, stop, _HIGHLIGHT):
                size = len(_HIGHLIGHT)
            if size and names_language(nodes.values, at + size, stop):
                for i in range(at + size, stop):
                    put(state, out, nodes.values[i])
                return True
            at = stop + 1
    return False


@jit_linked.linked
def names_language(values: Bytes, at: int, end: int) -> Any:
    """Whether values[at:end] names a language: at most 24 letters, digits, `+`, `-`, `#`, `_`, `.`; `default` is none."""
    if end <= at or end > at + 24:
        return False
    for i in range(at, end):
        byte = values[i]
        if not is_alphanumeric(byte) and byte != 43 and byte != 45 and byte != 35 and byte != 95 and byte != 46:
            return False
    return not (begins_with(values, at, end, _DEFAULT) or begins_with(values, at, end, _NONE))
