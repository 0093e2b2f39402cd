"""64-bit hashes of byte ranges for the feature kernels, and how a table of their slots is sized.

The hashes are fixed and public: the same counts in every process. Two different byte strings share a hash by chance once
in 2^64, so a text with n words and lines has a wrong repeat with a probability of n^2 / 2^64 or so (a million words: 1e-7;
a thousand: 1e-13). Somebody who works at it can make collisions. What they gain is that their own text counts as more
repetitive than it is, or that it alone is measured slowly; hidden repeats are not to be had that way.
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit
from pipeline.kernels.bits import folded, load64

Bytes = Any  # (n,) uint8. Any, here and below: mypy knows numpy's scalars, not what numba makes of them
Hashes = Any  # (n,) uint64

# Odd constants without structure: the golden ratio's bits, and multipliers of Murmur, xxHash and wyhash lineage.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
SECOND = np.uint64(0xD6E8FEB86659FD93)
THIRD = np.uint64(0xC2B2AE3D27D4EB4F)
FOURTH = np.uint64(0xA0761D6478BD642F)
MANY = 1 << 20
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@jit.inlined
def low_bytes(count: int) -> Any:
    """Mask of the lowest `count` bytes of a uint64, 1 to 8."""
    return ALL >> np.uint64(64 - 8 * count)


@jit.inlined
def finished(h: Any) -> Any:
    """Every input bit spread over the upper bits, from which slots are taken."""
    h ^= h >> np.uint64(29)
    h *= THIRD
    return h ^ (h >> np.uint64(32))


@jit.inner
def range_hash(data: Bytes, start: int, end: int) -> Any:
    """Hash of data[start:end]; up to 7 bytes past `end` must be readable.

    Up to 64 bytes are hashed by two or four overlapping pieces of 16, which depend on nothing but the length: most n-grams
    and lines are that long, and a loop's end that cannot be predicted costs more than the products.
    """
    length = end - start
    h = np.uint64(length) * GOLDEN
    if length >= 16:
        while end - start > 64:
            h = folded(load64(data, start) ^ SECOND, load64(data, start + 8) ^ h)
            start += 16
        pieces = folded(load64(data, start) ^ SECOND, load64(data, start + 8) ^ h)
        pieces += folded(load64(data, end - 16) ^ THIRD, load64(data, end - 8) ^ h)
        if length > 32:
            pieces ^= folded(load64(data, start + 16) ^ FOURTH, load64(data, start + 24) ^ h)
            pieces += folded(load64(data, end - 32) ^ GOLDEN, load64(data, end - 24) ^ h)
        return finished(pieces)
    if length >= 8:
        return finished(folded(load64(data, start) ^ THIRD, load64(data, end - 8) ^ h))
    if length > 0:
        h ^= load64(data, start) & low_bytes(length)
    return finished(h * SECOND)


@jit.entry
def sketch_bits(items: int) -> Any:
    """log2 of the slots of a sketch: 4 to 8 for each item, 2 to 4 of millions, for the memory. Never falls with `items`."""
    bits = 6
    while (1 << bits) < (4 * items if items < MANY else max(4 * MANY, 2 * items)):
        bits += 1
    return bits


@jit.entry
def table_bits(items: int) -> Any:
    """log2 of the slots of a table of items: 2 to 4 for each. Never falls with `items`."""
    bits = 6
    while (1 << bits) < 2 * items:
        bits += 1
    return bits
