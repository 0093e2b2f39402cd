"""The most frequent n-grams of a text that is made of a few different words, such as one of single letters, without hashes.

Such a text has several times the words of an ordinary one in as many bytes, so what is done for each of them has to cost less.
The words are numbered as they come. With v of them an n-gram is a number below v^n, by which a plain table counts the 4-grams,
or the 3-grams where the other would be large; the counts of the shorter n-grams are sums of those, as each begins a longer one,
but for the one that ends the text.
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit
from pipeline.kernels.bits import cleared, signed
from pipeline.kernels.hashing import Hashes
from pipeline.kernels.masks import Counts

MOST = 101  # different words: more have no table of 3-grams
LEAST = 2048  # words of a text: fewer have no room in their scratch, and are quick as they are
_SLOTS = 11  # log2 of the slots of the table by which words are numbered
_TABLE = 1 << 20  # counts of a table, at most: 4 MB


@jit.inner
def numbered(hashes: Hashes, words: int, numbers: Counts, slots: Counts, found: Hashes) -> Any:
    """numbers[w]: of the w-th word, 0, 1, ... as they come. Returns how many words differ, or 0 if more than MOST do."""
    shift = np.uint64(64 - _SLOTS)
    cleared(slots, 1 << _SLOTS)
    different = 0
    for w in range(words):
        h = hashes[w]
        slot = signed(h >> shift)
        while True:
            number = signed(slots[slot]) - 1
            if number < 0:
                if different == MOST:
                    return 0
                number = different
                found[different] = h
                different += 1
                slots[slot] = different
                break
            if found[number] == h:
                break
            slot = (slot + 1) & ((1 << _SLOTS) - 1)
        numbers[w] = number
    return different


@jit.inlined
def longest(different: int, words: int) -> Any:
    """The n whose table of different^n counts, 3 or 4, has at most two for each word, the room of `slots`; 0 if none has."""
    room = min(_TABLE, 2 * words)
    if different == 0 or different**3 > room:
        return 0
    return 4 if different**4 <= room else 3


@jit.inner
def coded(numbers: Counts, words: int, different: int, n: int, codes: Counts) -> Any:
    """codes[x]: of the n-gram at x, its words' numbers as the digits of one number. Returns how many n-grams there are."""
    count = words - n + 1
    for x in range(count):
        codes[x] = (numbers[x] * different + numbers[x + 1]) * different + numbers[x + 2]
    if n == 4:
        for x in range(count):
            codes[x] = codes[x] * different + numbers[x + 3]
    return count


@jit.inner
def tallied(codes: Counts, count: int, table: Counts) -> None:
    """Count the codes in the table, which is zero."""
    last = signed(codes[0])
    hits = 0
    for x in range(count):
        code = signed(codes[x])
        if code != last:  # of a run of one n-gram, hits stay in a register
            table[last] = hits
            hits = signed(table[code])
            last = code
        hits += 1
    table[last] = hits


@jit.inner
def highest(table: Counts, size: int) -> Any:
    """The highest of `size` counts."""
    best = np.int32(0)
    for k in range(size):
        best = max(best, table[k])
    return signed(best)


@jit.inner
def first_of(codes: Counts, count: int, divisor: int, table: Counts, best: int) -> Any:
    """The first n-gram that is counted `best` times; its code is that of the longer one that it begins, over `divisor`."""
    x = 0
    over = np.uint32(divisor)  # 32 bits are divided in less time than 64
    while x < count - 1 and table[np.uint32(codes[x]) // over] != best:
        x += 1
    return x


@jit.inner
def shortened(table: Counts, different: int, size: int, last: int) -> None:
    """From the counts of n-grams those of (n-1)-grams, `size` of them, in place; `last`: the one that ends the text."""
    for k in range(size):
        total = 0
        for j in range(k * different, (k + 1) * different):
            total += signed(table[j])
        table[k] = total
    table[last] += 1


@jit.inner
def kept(hashes: Hashes, codes: Counts, count: int, table: Counts, chain: Any, keys: Hashes, places: Counts) -> Any:
    """Keys (by hashes, see `top_grams`) and places of the 3-grams that are there more than once; returns how many."""
    left = 0
    for x in range(count):
        keys[left] = (hashes[x] * chain + hashes[x + 1]) * chain + hashes[x + 2]
        places[left] = x
        left += table[codes[x]] > 1
    return left
