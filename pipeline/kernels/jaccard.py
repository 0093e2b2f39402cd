"""The exact Jaccard similarity of shingle sets, and the choice of who is dropped for whom.

A set is a sorted array of distinct uint64 that lies anywhere in memory, in a mapped file as a rule: it is named by its address
and its size. Similarities are compared as fractions of integers: no rounding decides.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit

MILLION = 1_000_000
NOBODY = np.uint32(0xFFFFFFFF)


def intersection(one: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> int:
    """How many values two sorted arrays of distinct uint64 have in common."""
    return common_at(one.ctypes.data, len(one), other.ctypes.data, len(other))


def similarity(common: int, size: int, other: int) -> int:
    """common / (size + other - common) in millionths, rounded half to even. At least one set is not empty (ValueError)."""
    union = size + other - common
    if union < 1:
        raise ValueError("two empty sets have no similarity")
    whole, rest = divmod(common * MILLION, union)
    return whole + (2 * rest > union or (2 * rest == union and whole % 2))


def gathered(addresses: npt.NDArray[np.uint64], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """One array of the sets at some addresses, set k at offsets[k] to offsets[k + 1]."""
    values = np.empty(int(offsets[-1]), np.uint64)
    _gather(addresses, offsets, values)
    return values


def common_at(address: int, size: int, other: int, other_size: int) -> int:
    """`intersection` of two sets that are named by address and size."""
    return int(_intersection(np.uint64(address), size, np.uint64(other), other_size, 0))


def choose(
    pairs: npt.NDArray[np.uint64], addresses: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64], threshold: int,
    kept: npt.NDArray[np.uint32], common: npt.NDArray[np.int64],
) -> int:  # fmt: skip
    """Go through `pairs` (later rank << 32 | earlier rank, sorted) and drop who is too much like an earlier kept document.

    addresses, sizes: of each rank's set; threshold: in millionths. kept: of each rank the rank that it is dropped for, NOBODY
    where it is kept; entries that are something else on entry are of documents that are out already. common: at each
    document that is dropped here, how many shingles it shares with that one. Returns how many pairs were compared.

    A document is compared with the earlier kept documents of its pairs in preference order, and dropped for the first whose
    similarity reaches the threshold.
    """
    return int(_choose(pairs, addresses, sizes, threshold, kept, common))


@intrinsic
def _at(_context: Any, address: Any, _index: Any) -> Any:
    """_at(address, i): the uint64 at an address, i places on."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        base = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(base, [arguments[1]]))

    return types.uint64(types.uint64, types.int64), generate


@jit.entry
def _gather(addresses: Any, offsets: Any, values: Any) -> None:
    for k in range(addresses.shape[0]):
        start = offsets[k]
        for i in range(offsets[k + 1] - start):
            values[start + i] = _at(addresses[k], i)


@jit.entry
def _intersection(one: Any, size: Any, other: Any, other_size: Any, wanted: Any) -> Any:
    """Values in common, or some number below `wanted` once it is sure that there are not so many."""
    a, b = np.uint64(one), np.uint64(other)
    i = j = common = 0
    spare = min(size, other_size) - wanted  # how many of the smaller set may still be missing in the larger
    smaller_is_one = size <= other_size
    while i < size and j < other_size:
        x, y = _at(a, i), _at(b, j)
        common += x == y
        i += x <= y
        j += y <= x
        if (i if smaller_is_one else j) - common > spare:
            return -1 if wanted else common
    return common


@jit.entry
def _choose(pairs: Any, addresses: Any, sizes: Any, threshold: int, kept: Any, common: Any) -> int:
    compared = 0
    for p in range(pairs.shape[0]):
        later, earlier = np.int64(pairs[p] >> np.uint64(32)), np.int64(pairs[p] & np.uint64(0xFFFFFFFF))
        if kept[later] != NOBODY or kept[earlier] != NOBODY:
            continue
        total = sizes[later] + sizes[earlier]
        # common / (total - common) >= threshold / million
        wanted = (threshold * total + threshold + MILLION - 1) // (threshold + MILLION)  # rounded up
        if min(sizes[later], sizes[earlier]) < wanted:
            continue
        compared += 1
        found = _intersection(addresses[later], sizes[later], addresses[earlier], sizes[earlier], wanted)
        if found >= wanted:
            kept[later] = np.uint32(earlier)
            common[later] = found
    return compared
