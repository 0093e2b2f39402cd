"""Repeated n-grams of one text: the most frequent 2- to 4-grams, and all repeated 5- to 10-grams.

Definitions are those of datatrove's Gopher repetition filter (find_top_duplicate, find_all_duplicate). Every count is made in
two steps. A sketch, one small counter for each slot of a hash, is filled and read without compares: an n-gram that
repeats is in a slot that was hit twice, so no repeat is missed, and what is in a slot hit once is done with. What remains, in
ordinary text a small part, is counted exactly, by 64-bit hashes (see kernels.hashing for what that risks).
"""

from typing import Any

import numba
import numpy as np

from pipeline.kernels.bits import cleared, load64, lowest, signed
from pipeline.kernels.hashing import (
    FOURTH,
    GOLDEN,
    SECOND,
    THIRD,
    Bytes,
    Hashes,
    low_bytes,
    range_hash,
    sketch_bits,
    table_bits,
)
from pipeline.kernels.masks import NONE, Counts

Sketch = Any  # (n,) uint16

_CHAIN = FOURTH  # n-gram of hashes: gram * _CHAIN + next word's hash
_FULL = np.uint16(65535)
_ENDLESS = 1 << 30
# log2 of the slots of the most frequent n-grams' sketch, at most: 1 MB, which stays in a core's cache. A text of millions of
# words fills them all and is sieved less, but what is most frequent in it stands out the more.
TALLY_BITS = 19
_COMPARED = 4  # places with one prefix that are compared pair by pair


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _most_frequent(
    keys: Hashes, count: int, sketch: Sketch, shift: Any, threshold: int, chosen: Counts, tally: Counts, slots: Counts
) -> Any:
    """The highest exact count among the n-grams in slots of `threshold` hits and more, and the first n-gram that has it."""
    n = 0
    for x in range(count):
        chosen[n] = x
        n += sketch[keys[x] >> shift] >= threshold
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


@numba.njit(cache=True, nogil=True, boundscheck=False)
def top(
    hashes: Hashes, characters: Counts, words: int, sketch: Sketch, keys: Hashes, places: Counts, chosen: Counts,
    tally: Counts, slots: Counts,
) -> Any:  # fmt: skip
    """For n = 2, 3, 4: code points of the most frequent n-gram, joined by spaces, times its count; first seen on ties.

    0 where there is no n-gram. An (n+1)-gram can repeat only where two neighbouring n-grams do, so each n looks only at the
    places that the one before left. A slot's hits bound every count in it from above: only n-grams of slots that reach the
    best exact count are counted, and nearly always those are the ones of the fullest slot.
    """
    two = characters[2] + 1 if words >= 2 else 0  # nothing repeats: the first n-gram, once
    three = characters[3] + 2 if words >= 3 else 0
    four = characters[4] + 3 if words >= 4 else 0
    if words < 3:
        return two, three, four
    count = words - 1
    for n in range(2, 5):
        bits = min(sketch_bits(count), TALLY_BITS)
        shift = np.uint64(64 - bits)
        cleared(sketch, 1 << bits)
        if n == 2:
            for x in range(count):
                slot = (hashes[x] * _CHAIN + hashes[x + 1]) >> shift
                hits = sketch[slot]
                sketch[slot] = hits + (hits < _FULL)
        else:
            for x in range(count):
                slot = keys[x] >> shift
                hits = sketch[slot]
                sketch[slot] = hits + (hits < _FULL)
        kept = fullest = 0
        for x in range(count):
            if n == 2:
                place = x
                key = hashes[x] * _CHAIN + hashes[x + 1]
            else:
                place = signed(places[x])
                key = keys[x]
            times = signed(sketch[key >> shift])
            places[kept] = place
            keys[kept] = key
            kept += times > 1
            fullest = max(fullest, times)
        count = kept
        if fullest < 2:
            break
        best, first = _most_frequent(keys, count, sketch, shift, fullest, chosen, tally, slots)
        if best < fullest:
            best, first = _most_frequent(keys, count, sketch, shift, best, chosen, tally, slots)
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
        kept = 0
        for x in range(count - 1):  # on to n + 1: this place and the next are both kept
            place = signed(places[x])
            key = keys[x] * _CHAIN + hashes[min(place + n, words - 1)]
            places[kept] = place
            keys[kept] = key
            kept += signed(places[x + 1]) == place + 1
        count = kept
        if count < 2:
            break
    return two, three, four


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _prefix_length(offsets: Counts, places: int) -> Any:
    """How many bytes two equal n-grams are first told by, 5 to 16: the most that no more than 1 of 8 5-grams falls short of."""
    short_by: Any = np.zeros(17, np.int64)
    for i in range(places):
        short_by[min(signed(offsets[i + 5]) - signed(offsets[i]), 16)] += 1
    length = 5
    shorter = short_by[5]  # 5-grams of `length` bytes: shorter than any longer prefix
    while length < 16 and 8 * shorter <= places:
        length += 1
        shorter += short_by[length]
    return length


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _common_prefix(joined: Bytes, a: int, b: int) -> Any:
    """Bytes that joined[a:] and joined[b:] begin with alike, at least: exact below 64, _ENDLESS from there on."""
    for k in range(0, 64, 8):
        difference = load64(joined, a + k) ^ load64(joined, b + k)
        if difference:
            return k + (lowest(difference) >> 3)
    return _ENDLESS


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _sieve(
    joined: Bytes, offsets: Counts, places: int, length: int, marks: Bytes, keys: Hashes, kept: Counts, limits: Counts
) -> int:
    """The places at which a 5-gram or longer may repeat, by a sketch of prefixes of `length` bytes; returns how many.

    keys: hash of the prefix; limits: _ENDLESS if the prefix may be elsewhere too, else length - 1, and then the place is
    kept only for its 5-gram being shorter than that. No place of a repeated n-gram is missed: two equal n-grams of `length`
    bytes and more share the prefix, hence the slot.
    """
    first = low_bytes(min(length, 8))
    second = low_bytes(length - 8) if length > 8 else NONE
    bits = sketch_bits(places)
    shift = np.uint64(64 - bits)
    cleared(marks, 1 << bits)
    for i in range(places):
        at = signed(offsets[i])
        h = ((load64(joined, at) & first) * GOLDEN ^ ((load64(joined, at + 8) & second) + THIRD)) * SECOND
        h ^= h >> np.uint64(32)
        h *= THIRD
        keys[i] = h
        slot = h >> shift
        marks[slot] = marks[slot] << np.uint8(1) | np.uint8(1)  # 0, 1, 3, 7, ..., 255: above 1 from the second on
    count = 0
    for i in range(places):
        h = keys[i]
        again = marks[h >> shift] > 1
        kept[count] = i
        keys[count] = h
        limits[count] = _ENDLESS if again else length - 1
        count += again | (signed(offsets[i + 5]) - signed(offsets[i]) < length)
    return count


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _limit(
    joined: Bytes, offsets: Counts, length: int, count: int, keys: Hashes, places: Counts, limits: Counts,
    previous: Counts, rank: Counts, slots: Counts, bits: int,
) -> int:  # fmt: skip
    """Narrow the limits: no n-gram at place x with more than limits[x] bytes repeats. Drops places whose 5-gram is longer.

    Places with the same prefix are compared with each other, so that each limit is the longest prefix shared with any other
    place. Where more than _COMPARED places share a prefix, all of them keep the limit _ENDLESS: that is safe, and bounds
    the work.
    """
    shift = np.uint64(64 - bits)
    mask = (1 << bits) - 1
    for x in range(count):
        if limits[x] < length:
            continue
        limits[x] = length - 1
        key = keys[x]
        slot = signed(key >> shift)
        while True:
            y = signed(slots[slot]) - 1
            if y < 0:
                rank[x] = 1
                slots[slot] = x + 1
                break
            if keys[y] == key:
                slots[slot] = x + 1
                previous[x] = y
                own_rank = signed(rank[y]) + 1
                rank[x] = own_rank
                if own_rank > _COMPARED:
                    limits[x] = _ENDLESS
                    if own_rank == _COMPARED + 1:
                        for _ in range(_COMPARED):
                            limits[y] = _ENDLESS
                            y = signed(previous[y])
                    break
                at = signed(offsets[places[x]])
                for _ in range(own_rank - 1):
                    shared = _common_prefix(joined, at, signed(offsets[places[y]]))
                    limits[x] = max(limits[x], shared)
                    limits[y] = max(limits[y], shared)
                    y = signed(previous[y])
                break
            slot = (slot + 1) & mask
    left = 0
    for x in range(count):
        place = signed(places[x])
        limit = limits[x]
        places[left] = place
        limits[left] = limit
        left += signed(offsets[place + 5]) - signed(offsets[place]) <= limit
    return left


@numba.njit(cache=True, nogil=True, boundscheck=False)
def repeated(
    joined: Bytes, offsets: Counts, characters: Counts, words: int, marks: Bytes, keys: Hashes, places: Counts,
    limits: Counts, previous: Counts, rank: Counts, slots: Counts, out: Any,
) -> None:  # fmt: skip
    """out[n - 2], n = 5 to 10: code points in repeated n-grams, which are joined without separators.

    As in the reference, an n-gram that was seen before counts and the next n words are skipped. Without separators an
    (n+1)-gram may repeat though none of its n-grams does ("ab c" equals "a bc"), so what cannot repeat is told by its bytes:
    two equal n-grams begin with the same bytes. See _sieve and _limit.
    """
    for k in range(3, 9):
        out[k] = 0
    count = words - 4
    if count < 2:
        return
    length = _prefix_length(offsets, count)
    count = _sieve(joined, offsets, count, length, marks, keys, places, limits)
    if count < 2:
        return
    bits = table_bits(count)
    cleared(slots, 1 << bits)
    used = count  # entries of the table up to this one are of an earlier use, and count as empty
    count = _limit(joined, offsets, length, count, keys, places, limits, previous, rank, slots, bits)
    for n in range(5, 11):
        if count < 2:
            return
        out[n - 2], passed = _count(
            joined, offsets, characters, words, n, count, places, limits, slots, bits, used, keys
        )
        used += count
        if 4 * passed > count:
            left = 0
            for x in range(count):
                place = signed(places[x])
                places[left] = place
                limits[left] = limits[x]
                left += place + n <= words and signed(offsets[place + n]) - signed(offsets[place]) <= limits[x]
            count = left


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _count(
    joined: Bytes, offsets: Counts, characters: Counts, words: int, n: int, count: int, places: Counts, limits: Counts,
    slots: Counts, bits: int, used: int, hashes: Hashes,
) -> Any:  # fmt: skip
    """Code points in repeated n-grams at the candidate places, and how many places were passed over for their limit.

    slots: a table of 2^bits entries; those up to `used` are empty, and place x enters as used + x + 1.
    """
    shift = np.uint64(64 - bits)
    mask = (1 << bits) - 1
    total = passed = x = next_place = 0
    while x < count:
        place = signed(places[x])
        if place > words - n:
            break
        x += 1
        if place < next_place:
            continue
        start, end = signed(offsets[place]), signed(offsets[place + n])
        if end - start > limits[x - 1]:  # nor can any longer one repeat
            passed += 1
            continue
        h = range_hash(joined, start, end)
        slot = signed(h >> shift)
        while True:
            other = signed(slots[slot]) - used
            if other <= 0:
                slots[slot] = used + x
                hashes[x - 1] = h
                break
            if hashes[other - 1] == h:
                total += signed(characters[place + n]) - signed(characters[place])
                next_place = place + n
                if x + n - 1 < count and places[x + n - 1] == next_place:  # no place in between was dropped
                    x += n - 1
                break
            slot = (slot + 1) & mask
    return total, passed
