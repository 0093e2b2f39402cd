"""Which documents share a band key: pairs of ranks from keys, with buckets bounded.

Ranks number the documents in preference order. The documents of one key are a bucket. In a bucket of m documents each is
paired with the `first` earliest and with the `neighbours` right before it; of all m * (m - 1) / 2 pairs the others are
skipped, and counted. Small buckets are compared in full.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels import jit

Pairs = npt.NDArray[np.uint64]  # later rank << 32 | earlier rank

LIMIT = np.uint32(0xFFFFFFFF)  # a rank has 32 bits, and the last of them says "nobody"
_INSERTION = 24  # buckets up to this are sorted by insertion


def propose(
    keys: npt.NDArray[np.uint64], ranks: npt.NDArray[np.uint32], sources: npt.NDArray[np.int32], number: int, *,
    first: int, neighbours: int,
) -> tuple[Pairs, npt.NDArray[np.int64]]:  # fmt: skip
    """Pairs of the buckets of sorted `keys`, in no order; and pairs skipped, (number,) by the later document's source.

    ranks: (n,) of the document of each key, in any order; they are sorted in place within each bucket. sources: of each
    rank, 0 to number - 1. A pair is (later << 32) | earlier; one that stands in two buckets of `keys` comes twice.
    """
    skipped = np.zeros(number, np.int64)
    pairs = np.empty(_count(keys, first, neighbours), np.uint64)
    _pairs(keys, ranks, sources, first, neighbours, pairs, skipped)
    return pairs, skipped


def distinct(pairs: Pairs) -> Pairs:
    """The pairs, sorted and each once; sorts in place. numpy's own `unique` goes by a hash table, at a tenth of the speed."""
    pairs.sort()
    new = np.ones(len(pairs), np.bool_)
    np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
    found: Pairs = pairs[new]
    return found


@jit.entry
def _count(keys: Any, first: int, neighbours: int) -> int:
    total = start = 0
    for i in range(1, keys.shape[0] + 1):
        if i == keys.shape[0] or keys[i] != keys[start]:
            bound = first + neighbours
            size = i - start
            full = min(size, bound + 1)  # the j-th has j before it, of which at most `bound` are taken
            total += full * (full - 1) // 2 + (size - full) * bound
            start = i
    return total


@jit.entry
def _pairs(keys: Any, ranks: Any, sources: Any, first: int, neighbours: int, pairs: Any, skipped: Any) -> None:
    made = start = 0
    for i in range(1, keys.shape[0] + 1):
        if i < keys.shape[0] and keys[i] == keys[start]:
            continue
        if i - start > 1:
            _ordered(ranks, start, i)
            for j in range(start + 1, i):
                later = np.uint64(ranks[j]) << np.uint64(32)
                near = max(j - neighbours, start)
                for k in range(start, min(start + first, near)):
                    pairs[made] = later | np.uint64(ranks[k])
                    made += 1
                for k in range(near, j):
                    pairs[made] = later | np.uint64(ranks[k])
                    made += 1
                skipped[sources[ranks[j]]] += max(near - start - first, 0)
        start = i


@jit.inner
def _ordered(ranks: Any, start: int, end: int) -> None:
    """Sort ranks[start:end]: small buckets by insertion, others by heap, which no input makes slow (Knuth 3, section 5.2.3).

    numba's own sort takes 3 s to compile.
    """
    size = end - start
    if size > _INSERTION:
        for root in range(size // 2 - 1, -1, -1):
            _sift(ranks, start, root, size)
        for last in range(size - 1, 0, -1):
            ranks[start], ranks[start + last] = ranks[start + last], ranks[start]
            _sift(ranks, start, 0, last)
        return
    for i in range(start + 1, end):
        rank = ranks[i]
        k = i
        while k > start and ranks[k - 1] > rank:
            ranks[k] = ranks[k - 1]
            k -= 1
        ranks[k] = rank


@jit.inner
def _sift(ranks: Any, start: int, root: int, size: int) -> None:
    """Let the rank at `root` sink in the heap of `size` ranks from `start` on."""
    rank = ranks[start + root]
    while True:
        child = 2 * root + 1
        if child >= size:
            break
        child += child + 1 < size and ranks[start + child + 1] > ranks[start + child]
        if ranks[start + child] <= rank:
            break
        ranks[start + root] = ranks[start + child]
        root = child
    ranks[start + root] = rank
