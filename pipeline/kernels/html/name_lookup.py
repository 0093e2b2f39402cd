"""Find the number of a name in a page, and hash the names that have none."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.hashing import finished
from pipeline.kernels.html import names
from pipeline.kernels.html.bytes import word_at
from pipeline.kernels.html.state import Bytes, Word

_TAG_KEYS, _TAG_NUMBERS = names.lookup_table(names.TAGS)
_ATTRIBUTE_KEYS, _ATTRIBUTE_NUMBERS = names.lookup_table(names.ATTRIBUTES)
# By number: a NUL at a name's end is as good as none in a key.
_TAG_LENGTHS = np.array([0, *map(len, names.TAGS)])
_ATTRIBUTE_LENGTHS = np.array([0, *map(len, names.ATTRIBUTES)])
_FIRST, _SECOND = np.uint64(names.FIRST_FACTOR), np.uint64(names.SECOND_FACTOR)
_SHIFT, _MASK, _LONGEST = np.uint64(64 - names.SLOT_BITS), names.SLOTS - 1, names.LONGEST


@jit_linked.linked
def tag_number(source: Bytes, start: int, length: int) -> Any:
    """Return the number of an element's name, without regard to case; 0 where it is not in the table."""
    if length > _LONGEST:
        return 0
    first, second = word_at(source, start, length), word_at(source, start + 8, length - 8)
    slot = _slot(first, second)
    while _TAG_NUMBERS[slot]:
        if _TAG_KEYS[slot, 0] == first and _TAG_KEYS[slot, 1] == second:
            return _TAG_NUMBERS[slot] if _TAG_LENGTHS[_TAG_NUMBERS[slot]] == length else 0
        slot = (slot + 1) & _MASK
    return 0


@jit_linked.linked
def attribute_number(source: Bytes, start: int, length: int) -> Any:
    """Return the number of an attribute's name, without regard to case; 0 where it is not in the table."""
    if length > _LONGEST:
        return 0
    first, second = word_at(source, start, length), word_at(source, start + 8, length - 8)
    slot = _slot(first, second)
    while _ATTRIBUTE_NUMBERS[slot]:
        if _ATTRIBUTE_KEYS[slot, 0] == first and _ATTRIBUTE_KEYS[slot, 1] == second:
            return _ATTRIBUTE_NUMBERS[slot] if _ATTRIBUTE_LENGTHS[_ATTRIBUTE_NUMBERS[slot]] == length else 0
        slot = (slot + 1) & _MASK
    return 0


@jit_linked.linked
def hash_name(source: Bytes, start: int, length: int) -> Any:
    """Return a hash of a name, without regard to case: the same in every process."""
    value = np.uint64(length)
    for at in range(start, start + length, 8):
        value = finished((value ^ word_at(source, at, start + length - at)) * _FIRST)
    return np.int64(value >> np.uint64(1))


@jit_linked.linked
def _slot(first: Word, second: Word) -> Any:
    return np.int64((first * _FIRST + second * _SECOND) >> _SHIFT)
