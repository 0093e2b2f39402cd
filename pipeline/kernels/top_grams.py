"""The most frequent 2- to 4-grams of one text, by the definition of datatrove's Gopher repetition filter (find_top_duplicate).

Every count is made in two steps. A sketch, one small counter for each slot of a hash, is filled and read without compares: an
n-gram that repeats is in a slot that was hit twice, so no repeat is missed, and what is in a slot hit once is done with. What
remains, in ordinary text a small part, is counted exactly, by 64-bit hashes (see kernels.hashing for what that risks).
Texts of short words of which only a few differ are counted by `kernels.few_words`, which changes no value.
"""

from typing import Any

import numpy as np

from pipeline.kernels import few_words, jit
from pipeline.kernels.bits import cleared, signed
from pipeline.kernels.hashing import (
    FOURTH,
    SECOND,
    Hashes,
    sketch_bits,
    table_bits,
)
from pipeline.kernels.masks import NONE, Counts

Sketch = Any  # (n,) uint16

_CHAIN = FOURTH  # n-gram of hashes: gram * _CHAIN + next word's hash
_FULL = np.uint16(65535)
# log2 of the slots of the most frequent n-grams' sketch, at most: 1 MB, which stays in a core's cache. A text of millions of
# words fills them all and is sieved less, but what is most frequent in it stands out the more.
TALLY_BITS = 19
SAMPLE = 1024


# The passes over all words are functions of their own: within a larger function they run half as fast.


@jit.inner
def _pairs(hashes: Hashes, count: int, keys: Hashes, places: Counts) -> None:
    """Keys and places of the `count` 2-grams."""
    for x in range(count):
        keys[x] = hashes[x] * _CHAIN + hashes[x + 1]
        places[x] = x


@jit.inner
def _longer(hashes: Hashes, words: int, n: int, count: int, keys: Hashes, places: Counts) -> Any:
    """Keys and places of the (n+1)-grams whose two n-grams are both among the `count` given; returns how many."""
    kept = 0
    for x in range(count - 1):
        place = signed(places[x])
        key = keys[x] * _CHAIN + hashes[min(place + n, words - 1)]
        places[kept] = place
        keys[kept] = key
        kept += signed(places[x + 1]) == place + 1
    return kept


@jit.inner
def _tallied(keys: Hashes, count: int, sketch: Sketch, shift: Any) -> Any:
    """Enter the keys into the sketch; returns the hits of its fullest slot."""
    cleared(sketch, 1 << signed(np.uint64(64) - shift))
    fullest = 0
    last = keys[0] >> shift
    hits = np.uint16(0)
    for x in range(count):
        slot = keys[x] >> shift
        if slot != last:  # of a run of one n-gram, hits stay in a register
            sketch[last] = hits
            fullest = max(fullest, signed(hits))
            hits = sketch[slot]
            last = slot
        hits = np.uint16(hits + (hits < _FULL))
    sketch[last] = hits
    return max(fullest, signed(hits))


@jit.inner
def _repeating(
    keys: Hashes, places: Counts, count: int, sketch: Sketch, shift: Any, threshold: int, chosen: Counts
) -> Any:
    """Keep the keys in slots of two hits and more; returns how many, and how many of them `_reaching` would choose."""
    kept = n = 0
    for x in range(count):
        key = keys[x]
        hits = signed(sketch[key >> shift])
        chosen[n] = kept
        n += hits >= threshold
        places[kept] = places[x]
        keys[kept] = key
        kept += hits > 1
    return kept, n


@jit.inner
def _reaching(keys: Hashes, count: int, sketch: Sketch, shift: Any, threshold: int, chosen: Counts) -> Any:
    """Indices of the keys in slots of `threshold` hits and more; returns how many."""
    n = 0
    for x in range(count):
        chosen[n] = x
        n += sketch[keys[x] >> shift] >= threshold
    return n


@jit.inner
def _upper_hits(keys: Hashes, count: int, sketch: Sketch, shift: Any, fullest: int, tally: Counts) -> Any:
    """Hits that about 1 of 16 keys has in its slot, or more; told from some of the keys where there are many."""
    cleared(tally, fullest + 1)
    step = 1 + count // SAMPLE
    looked_at = 0
    for x in range(0, count, step):
        tally[signed(sketch[keys[x] >> shift])] += 1
        looked_at += 1
    above = 0
    for hits in range(fullest, 0, -1):
        above += signed(tally[hits])
        if 16 * above > looked_at:
            return hits
    return 1


@jit.inner
def _most_frequent(keys: Hashes, chosen: Counts, n: int, tally: Counts, slots: Counts) -> Any:
    """The highest exact count among the n chosen, and the first n-gram that has it."""
    different = NONE
    for y in range(n):
        different |= keys[chosen[y]] ^ keys[chosen[0]]
    if not different:  # one slot with one n-gram in it: the rule in ordinary text
        return n, signed(chosen[0])
    bits = table_bits(n)
    own_shift = np.uint64(64 - bits)
    mask = (1 << bits) - 1
    cleared(slots, 1 << bits)
    for y in range(n):
        key = keys[chosen[y]]
        slot = signed((key * SECOND) >> own_shift)  # other bits than the sketch's, in which these are all alike
        while True:
            other = signed(slots[slot])
            if other == 0:
                slots[slot] = y + 1
                tally[y] = 1
                break
            if keys[chosen[other - 1]] == key:
                tally[other - 1] += 1
                tally[y] = 0
                break
            slot = (slot + 1) & mask
    best = first = 0
    for y in range(n):
        if tally[y] > best:
            best = signed(tally[y])
            first = signed(chosen[y])
    return best, first


@jit.inner
def _of_few_words(
    hashes: Hashes, characters: Counts, words: int, keys: Hashes, places: Counts, numbers: Counts, codes: Counts, slots: Counts
) -> Any:  # fmt: skip
    """What `top` returns for 2, 3 and, if the table is of 4-grams, 4; that n, 0 for a text of too many different words.

    With a table of 3-grams, the keys and places of those that repeat are left, and the last value is how many.
    """
    two = three = four = left = 0
    different = few_words.numbered(hashes, words, numbers, slots, keys)
    longest = few_words.longest(different, words)
    if longest == 0:
        return two, three, four, longest, left
    count = few_words.coded(numbers, words, different, longest, codes)
    size = different**longest
    cleared(slots, size)
    few_words.tallied(codes, count, slots)
    if longest == 3:
        left = few_words.kept(hashes, codes, count, slots, _CHAIN, keys, places)
    divisor = 1
    for n in range(longest, 1, -1):
        best = few_words.highest(slots, size)
        x = few_words.first_of(codes, count, divisor, slots, best)
        found = (signed(characters[x + n]) - signed(characters[x]) + n - 1) * best
        if n == 4:
            four = found
        elif n == 3:
            three = found
        else:
            two = found
            break
        divisor *= different
        size //= different
        few_words.shortened(slots, different, size, signed(codes[count - 1]) % size)
    return two, three, four, longest, left


@jit.inner
def top(
    hashes: Hashes, characters: Counts, words: int, short: bool, sketch: Sketch, keys: Hashes, places: Counts, chosen: Counts,
    tally: Counts, slots: Counts,
) -> Any:  # fmt: skip
    """For n = 2, 3, 4: code points of the most frequent n-gram, joined by spaces, times its count; first seen on ties.

    0 where there is no n-gram. `short`: the words are so short that they may be a few different ones, see `few_words`. An
    (n+1)-gram can repeat only where two neighbouring n-grams do, so each n looks only at the places that the one before left.
    A slot's hits bound every count in it from above: only n-grams of slots that reach the best exact count are counted, and
    nearly always those are the ones of the fullest slot.
    """
    two = characters[2] + 1 if words >= 2 else 0  # nothing repeats: the first n-gram, once
    three = characters[3] + 2 if words >= 3 else 0
    four = characters[4] + 3 if words >= 4 else 0
    if words < 3:
        return two, three, four
    shortest = 2
    if short and words >= few_words.LEAST:
        few_two, few_three, few_four, longest, count = _of_few_words(
            hashes, characters, words, keys, places, chosen, tally, slots
        )
        if longest:
            two, three = few_two, few_three
            if longest == 4:
                return two, three, few_four
            if count > 1:
                count = _longer(hashes, words, 3, count, keys, places)
            if count < 2:
                return two, three, four
            shortest = 4
    if shortest == 2:
        count = words - 1
        _pairs(hashes, count, keys, places)
    for n in range(shortest, 5):
        shift = np.uint64(64 - min(sketch_bits(count), TALLY_BITS))
        fullest = _tallied(keys, count, sketch, shift)
        if fullest < 2:
            break
        if n < 4:
            count, reach = _repeating(keys, places, count, sketch, shift, fullest, chosen)
        else:  # nothing comes after
            reach = _reaching(keys, count, sketch, shift, fullest, chosen)
        best, first = _most_frequent(keys, chosen, reach, tally, slots)
        if best < fullest:  # other slots of more than `best` hits may hold a better one
            least = max(best, _upper_hits(keys, count, sketch, shift, fullest, tally))
            reach = _reaching(keys, count, sketch, shift, least, chosen)
            best, first = _most_frequent(keys, chosen, reach, tally, slots)
            if best < least:
                reach = _reaching(keys, count, sketch, shift, best, chosen)
                best, first = _most_frequent(keys, chosen, reach, tally, slots)
        if best < 2:
            break
        place = signed(places[first])
        found = (signed(characters[place + n]) - signed(characters[place]) + n - 1) * best
        if n == 2:
            two = found
        elif n == 3:
            three = found
        else:
            four = found
            break
        count = _longer(hashes, words, n, count, keys, places)
        if count < 2:
            break
    return two, three, four
