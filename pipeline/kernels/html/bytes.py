"""Classify and copy bytes of a page, 32 at a time, and compare names without regard to case.

The vector instructions below read and write without checks, so each caller touches the last byte first: with bounds checks
on, that is where a fault is found.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit_linked
from pipeline.kernels.bits import load64
from pipeline.kernels.hashing import low_bytes
from pipeline.kernels.html.state import Bytes, Word

WIDTH = 32  # bytes that are looked at together
PADDING = 64  # zero bytes after the source, and bytes after the values that copying may overwrite

NUL, TAB, LINE_FEED, FORM_FEED, CARRIAGE_RETURN, SPACE = 0, 9, 10, 12, 13, 32
EXCLAMATION_MARK, QUOTATION_MARK, NUMBER_SIGN, AMPERSAND, APOSTROPHE = 0x21, 0x22, 0x23, 0x26, 0x27
HYPHEN, SOLIDUS, SEMICOLON, LESS_THAN, EQUALS, GREATER_THAN, QUESTION_MARK = 0x2D, 0x2F, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F
LEFT_BRACKET, RIGHT_BRACKET = 0x5B, 0x5D

_LOW_BITS, _HIGH_BITS = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_FROM_A, _AFTER_Z = np.uint64(0x3F3F3F3F3F3F3F3F), np.uint64(0x2525252525252525)  # 0x80 - "A", 0x7F - "Z"
_VECTOR = ir.VectorType(ir.IntType(8), WIDTH)


def table(characters: bytes) -> Any:
    """Return a table by byte: True for those in `characters`."""
    found = np.zeros(256, np.bool_)
    found[list(characters)] = True
    return found


IS_SPACE = table(b"\t\n\f\r ")
IS_LETTER = table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
ENDS_TAG_NAME = table(b"\t\n\f\r />")
ENDS_ATTRIBUTE_NAME = table(b"\t\n\f\r />=")
LOWER = np.arange(256, dtype=np.uint8)
LOWER[ord("A") : ord("Z") + 1] += 32


def _vector(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


@intrinsic
def _masked(_context: Any, array: Any, _index: Any, _first: Any, _second: Any, _third: Any, _fourth: Any) -> Any:
    """_masked(bytes, i, a, b, c, d): bit k of a uint64 is set where byte i + k is one of the four. Little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_vector(context, builder, signature.args[0], arguments[0], arguments[1]))
        value.align = 1
        found = None
        for number in arguments[2:]:
            byte = builder.trunc(number, ir.IntType(8))
            one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), byte, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
            same = builder.icmp_unsigned("==", value, builder.shuffle_vector(one, one, zeros))
            found = same if found is None else builder.or_(found, same)
        return builder.zext(builder.bitcast(found, ir.IntType(WIDTH)), ir.IntType(64))

    return types.uint64(array, *([types.int64] * 5)), generate


@intrinsic
def _copied(_context: Any, target: Any, _to: Any, source: Any, _from: Any) -> Any:
    """_copied(target, i, source, j): WIDTH bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_vector(context, builder, signature.args[2], arguments[2], arguments[3]))
        value.align = 1
        builder.store(value, _vector(context, builder, signature.args[0], arguments[0], arguments[1])).align = 1
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64), generate


@jit_linked.linked
def find_any(source: Bytes, at: int, first: int, second: int, third: int, fourth: int) -> Any:
    """Return a mask of the WIDTH bytes from `at` on: bit k is set where byte k is one of the four."""
    if source[at + WIDTH - 1] < 0:  # never; an index out of bounds is found here
        return np.uint64(0)
    return _masked(source, at, first, second, third, fourth)


@jit_linked.linked
def copy(target: Bytes, to: int, source: Bytes, start: int) -> Any:
    """Copy WIDTH bytes."""
    if target[to + WIDTH - 1] < 0 or source[start + WIDTH - 1] < 0:  # never, as above
        return
    _copied(target, to, source, start)


@jit_linked.linked
def lowered(word: Word) -> Any:
    """Return 8 bytes with ASCII letters in lower case (as one number)."""
    low = word & _LOW_BITS
    upper = ((low + _FROM_A) ^ (low + _AFTER_Z)) & ~word & _HIGH_BITS
    return word | (upper >> np.uint64(2))


def number_of(word: bytes) -> Any:
    """Return up to 8 bytes as one little-endian number, with which `word_at` and `exact_word_at` can be compared."""
    return np.uint64(int.from_bytes(word, "little"))


@jit_linked.linked
def exact_word_at(source: Bytes, at: int, length: int) -> Any:
    """Return up to 8 bytes as one little-endian number; 8 bytes are read."""
    if length <= 0 or source[at + 7] < 0:  # never the second, as above
        return np.uint64(0)
    word = load64(source, at)
    return word if length >= 8 else word & low_bytes(length)


@jit_linked.linked
def word_at(source: Bytes, at: int, length: int) -> Any:
    """Return up to 8 bytes as one little-endian number, ASCII letters in lower case."""
    return lowered(exact_word_at(source, at, length))


@jit_linked.linked
def same_ignoring_case(source: Bytes, first: int, second: int, length: int) -> Any:
    """Tell whether two ranges of the source are the same name."""
    for k in range(length):
        if LOWER[source[first + k]] != LOWER[source[second + k]]:
            return False
    return True
