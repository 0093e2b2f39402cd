"""Decode character references: section 13.2.5.72 to 13.2.5.80 of the HTML standard."""

import html.entities
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels import jit_linked
from pipeline.kernels.bits import signed
from pipeline.kernels.html.bytes import AMPERSAND, EQUALS, NUMBER_SIGN, SEMICOLON
from pipeline.kernels.html.state import REFERENCE, Bytes, References, State

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz;"
_CODE = np.zeros(256, np.uint8)  # of a byte that a name may have: its place in the alphabet, from 1
_CODE[list(_ALPHABET)] = np.arange(1, len(_ALPHABET) + 1)
_SEMICOLON = int(_CODE[SEMICOLON])

REPLACEMENT = 0xFFFD
LAST_CODE_POINT = 0x10FFFF
_SMALL_X, _LETTER_A, _SMALL = 0x78, 0x61, 0x20

# Numeric references to C1 controls stand for what windows-1252 has there: the table of section 13.2.5.80.
_CONTROLS = np.array(
    [ord(bytes([byte]).decode("cp1252", "ignore") or chr(byte)) for byte in range(0x80, 0xA0)], np.int64
)


def trie() -> npt.NDArray[np.void]:
    """Return the names of section 13.5 as a trie of REFERENCE: children by a byte's code, and what a name stands for."""
    children: list[dict[int, int]] = [{}]
    texts = [b""]
    for name, text in html.entities.html5.items():
        node = 0
        for byte in name.encode():
            if byte not in children[node]:
                children[node][byte] = len(children)
                children.append({})
                texts.append(b"")
            node = children[node][byte]
        texts[node] = text.encode()
    nodes = np.zeros(len(children), REFERENCE)
    for node, (found, value) in enumerate(zip(children, texts, strict=True)):
        nodes["length"][node] = len(value)
        nodes["text"][node, : len(value)] = list(value)
        for byte, child in found.items():
            nodes["child"][node, _CODE[byte]] = child
    return nodes


def longest_growth() -> float:
    """Return the most bytes that a reference may stand for, per byte of the reference."""
    named = max(len(text.encode()) / (len(name) + 1) for name, text in html.entities.html5.items())
    return max(named, len(chr(REPLACEMENT).encode()) / len("&#0"))


@jit_linked.linked
def put_code_point(state: State, values: Bytes, number: int) -> None:
    """Append a code point to the values, as UTF-8."""
    at = state.values_end
    if number < 0x80:
        values[at] = number
        state.values_end = at + 1
    elif number < 0x800:
        values[at] = 0xC0 | number >> 6
        values[at + 1] = 0x80 | number & 63
        state.values_end = at + 2
    elif number < 0x10000:
        values[at] = 0xE0 | number >> 12
        values[at + 1] = 0x80 | number >> 6 & 63
        values[at + 2] = 0x80 | number & 63
        state.values_end = at + 3
    else:
        values[at] = 0xF0 | number >> 18
        values[at + 1] = 0x80 | number >> 12 & 63
        values[at + 2] = 0x80 | number >> 6 & 63
        values[at + 3] = 0x80 | number & 63
        state.values_end = at + 4


@jit_linked.linked
def put_reference(
    state: State, values: Bytes, references: References, source: Bytes, at: int, in_attribute: bool
) -> Any:
    """Append what the reference at source[at], an ampersand, stands for; returns the place after it (13.2.5.72).

    Where there is no reference, an ampersand is appended, and the place is that after it.
    """
    while source[at + 1] == AMPERSAND:
        put_code_point(state, values, AMPERSAND)
        at += 1
    if source[at + 1] == NUMBER_SIGN:
        return _put_numeric(state, values, source, at)
    place = at + 1
    node = found = 0
    found_end = place
    while _CODE[source[place]]:
        node = signed(references[node].child[_CODE[source[place]]])
        if node == 0:
            break
        place += 1
        if references[node].length:
            found, found_end = node, place
    if found and in_attribute and source[found_end - 1] != SEMICOLON:  # for historical reasons: 13.2.5.73
        following = source[found_end]
        if following == EQUALS or (_CODE[following] and _CODE[following] != _SEMICOLON):
            found = 0
    if found == 0:
        put_code_point(state, values, AMPERSAND)
        return at + 1
    for k in range(references[found].length):
        values[state.values_end + k] = references[found].text[k]
    state.values_end += references[found].length
    return found_end


@jit_linked.linked
def _put_numeric(state: State, values: Bytes, source: Bytes, at: int) -> Any:
    """Append a numeric reference: 13.2.5.75 to 13.2.5.80."""
    place = at + 2
    hexadecimal = source[place] | _SMALL == _SMALL_X
    if hexadecimal:
        place += 1
    first, number = place, 0
    while True:
        byte = signed(source[place])
        if 0x30 <= byte <= 0x39:
            digit = byte - 0x30
        elif hexadecimal and _LETTER_A <= byte | _SMALL <= _LETTER_A + 5:
            digit = (byte | _SMALL) - _LETTER_A + 10
        else:
            break
        if number <= LAST_CODE_POINT:
            number = number * (16 if hexadecimal else 10) + digit
        place += 1
    if place == first:  # no digits
        put_code_point(state, values, AMPERSAND)
        return at + 1
    if source[place] == SEMICOLON:
        place += 1
    if 0x80 <= number <= 0x9F:
        number = signed(_CONTROLS[number - 0x80])
    if number == 0 or number > LAST_CODE_POINT or 0xD800 <= number <= 0xDFFF:
        number = REPLACEMENT
    put_code_point(state, values, number)
    return place
