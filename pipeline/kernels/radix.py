"""A stable radix sort of 64-bit keys with a 32-bit value each, least significant digit first (Knuth, TAOCP 3, section 5.2.5).

Seven digits of 10 bits; a digit that all keys have alike costs no pass. Hashes take all seven, small numbers one or two. Large
arrays are parted by their uppermost bits first, so that the passes over each part stay in the cache.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels import jit

_BITS = 10
_DIGITS = 7
_BUCKETS = 1 << _BITS
_PARTS = 128
_LARGE = 1 << 20  # rows from which on the passes would leave the cache: such arrays are parted first

Keys = npt.NDArray[np.uint64]
Values = npt.NDArray[np.uint32]


def sort(keys: Keys, values: Values) -> tuple[Keys, Values]:
    """Keys and values, both (n,), in the order of the keys; equal keys keep their order. The arguments are left as they are.

    Takes 24 bytes a row beside the arguments. Raises TypeError and ValueError for arrays of another kind or of two lengths.
    """
    if keys.dtype != np.uint64 or values.dtype != np.uint32:
        raise TypeError(f"keys of {keys.dtype}, values of {values.dtype}; wanted uint64 and uint32")
    if keys.shape != values.shape or keys.ndim != 1:
        raise ValueError(f"keys of shape {keys.shape}, values of shape {values.shape}; wanted one length")
    places = np.empty((_DIGITS, _BUCKETS), np.int64)
    first = np.array(keys), np.array(values)  # copies: contiguous and writable, whatever came
    second = np.empty_like(first[0]), np.empty_like(first[1])
    if len(keys) < _LARGE:
        return second if _sort(*first, *second, places) else first
    ends = np.zeros(_PARTS + 1, np.int64)
    _part(*first, *second, ends)
    for start, end in pairwise(ends.tolist()):
        part = slice(start, end)
        if _sort(second[0][part], second[1][part], first[0][part], first[1][part], places):
            second[0][part], second[1][part] = first[0][part], first[1][part]
    return second


@jit.entry
def _part(keys: Any, values: Any, to_keys: Any, to_values: Any, ends: Any) -> None:
    """Write the rows parted by the uppermost 7 bits in which keys differ; bucket b is ends[b] to ends[b + 1]."""
    different = np.uint64(0)
    for i in range(keys.shape[0]):
        different |= keys[i] ^ keys[0]
    shift = np.uint64(0)
    while different >> shift >= np.uint64(_PARTS):
        shift += np.uint64(1)
    low = np.uint64(_PARTS - 1)
    for i in range(keys.shape[0]):
        ends[np.int64(keys[i] >> shift & low) + 1] += 1
    for bucket in range(_PARTS):
        ends[bucket + 1] += ends[bucket]
    for i in range(keys.shape[0]):
        own = np.int64(keys[i] >> shift & low)
        place = ends[own]
        to_keys[place] = keys[i]
        to_values[place] = values[i]
        ends[own] = place + 1
    for bucket in range(_PARTS, 0, -1):
        ends[bucket] = ends[bucket - 1]
    ends[0] = 0


@jit.entry
def _sort(keys: Any, values: Any, other_keys: Any, other_values: Any, places: Any) -> bool:
    """Sort between the two pairs of arrays; True if the result is in the second."""
    count = keys.shape[0]
    low = np.uint64(_BUCKETS - 1)
    places[:] = 0
    for i in range(count):
        key = keys[i]
        for digit in range(_DIGITS):
            places[digit, np.int64(key >> np.uint64(_BITS * digit) & low)] += 1
    swapped = False
    for digit in range(_DIGITS):
        shift = np.uint64(_BITS * digit)
        if count == 0 or places[digit, np.int64(keys[0] >> shift & low)] == count:
            continue
        start: Any = 0
        for bucket in range(_BUCKETS):
            here = places[digit, bucket]
            places[digit, bucket] = start
            start += here
        for i in range(count):
            key = keys[i]
            own = np.int64(key >> shift & low)
            place = places[digit, own]
            other_keys[place] = key
            other_values[place] = values[i]
            places[digit, own] = place + 1
        keys, other_keys = other_keys, keys
        values, other_values = other_values, values
        swapped = not swapped
    return swapped
