"""All repeated 5- to 10-grams of one text, by the definition of datatrove's Gopher repetition filter (find_all_duplicate).

A sketch of prefixes says first which places cannot begin a repeat, as in `kernels.top_grams`; what remains is counted exactly,
by 64-bit hashes (see kernels.hashing for what that risks).
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit
from pipeline.kernels.bits import cleared, load64, lowest, signed
from pipeline.kernels.hashing import (
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
from pipeline.kernels.masks import NONE, ONE, Counts
from pipeline.kernels.top_grams import SAMPLE

_ENDLESS = 1 << 30
_COMPARED = 4  # places with one prefix that are compared pair by pair


@jit.inner
def _prefix_length(offsets: Counts, places: int) -> Any:
    """How many bytes two equal n-grams are first told by, 5 to 16: the most that no more than 1 of 8 5-grams falls short of.

    In a long text some 5-grams are looked at. The length decides what is sieved out early, and no count.
    """
    short_by: Any = np.zeros(17, np.int64)
    step = 1 + places // SAMPLE
    looked_at = 0
    for i in range(0, places, step):
        short_by[min(signed(offsets[i + 5]) - signed(offsets[i]), 16)] += 1
        looked_at += 1
    length = 5
    shorter = short_by[5]  # 5-grams of `length` bytes: shorter than any longer prefix
    while length < 16 and 8 * shorter <= looked_at:
        length += 1
        shorter += short_by[length]
    return length


@jit.inner
def _common_prefix(joined: Bytes, a: int, b: int) -> Any:
    """Bytes that joined[a:] and joined[b:] begin with alike, at least: exact below 64, _ENDLESS from there on."""
    for k in range(0, 64, 8):
        difference = load64(joined, a + k) ^ load64(joined, b + k)
        if difference:
            return k + (lowest(difference) >> 3)
    return _ENDLESS


@jit.inner
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
    cleared(marks, 1 << (bits - 2))
    last = NONE
    again = False
    for i in range(places):
        at = signed(offsets[i])
        h = ((load64(joined, at) & first) * GOLDEN ^ ((load64(joined, at + 8) & second) + THIRD)) * SECOND
        h ^= h >> np.uint64(32)
        h *= THIRD
        keys[i] = h
        if h != last or not again:  # from the third of a run on, nothing changes
            again = h == last
            last = h
            slot = signed(h >> shift)
            own = np.uint64(2 * (slot & 3))
            four = np.uint64(marks[slot >> 2])
            marks[slot >> 2] = four | (ONE | (four >> own & ONE) << ONE) << own  # two bits a slot: hit, hit again
    count = 0
    for i in range(places):
        h = keys[i]
        slot = signed(h >> shift)
        again = np.uint64(marks[slot >> 2]) >> np.uint64(2 * (slot & 3) + 1) & ONE != NONE
        kept[count] = i
        keys[count] = h
        limits[count] = _ENDLESS if again else length - 1
        count += again | (signed(offsets[i + 5]) - signed(offsets[i]) < length)
    return count


@jit.inner
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


@jit.inner
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


@jit.inner
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
