"""Repeated n-grams of one text: the most frequent 2- to 4-grams, and all repeated 5- to 10-grams.

Definitions are those of datatrove's Gopher repetition filter (find_top_duplicate, find_all_duplicate). Every count is made in
two steps. A sketch, one small counter for each slot of a hash, is filled and read without compares: an n-gram that
repeats is in a slot that was hit twice, so no repeat is missed, and what is in a slot hit once is done with. What remains, in
ordinary text a small part, is counted exactly, by 64-bit hashes (see kernels.hashing for what that risks).
"""

from typing import Any

import numpy as np

from pipeline.kernels import jit
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
from pipeline.kernels.masks import NONE, ONE, Counts

Sketch = Any  # (n,) uint16

_CHAIN = FOURTH  # n-gram of hashes: gram * _CHAIN + next word's hash
_FULL = np.uint16(65535)
_ENDLESS = 1 << 30
# log2 of the slots of the most frequent n-grams' sketch, at most: 1 MB, which stays in a core's cache. A text of millions of
# words fills them all and is sieved less, but what is most frequent in it stands out the more.
TALLY_BITS = 19
_SAMPLE = 1024
_COMPARED = 4  # places with one prefix that are compared pair by pair


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
    step = 1 + count // _SAMPLE
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
    _pairs(hashes, count, keys, places)
    for n in range(2, 5):
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


@jit.inner
def _prefix_length(offsets: Counts, places: int) -> Any:
    """How many bytes two equal n-grams are first told by, 5 to 16: the most that no more than 1 of 8 5-grams falls short of.

    In a long text some 5-grams are looked at. The length decides what is sieved out early, and no count.
    """
    short_by: Any = np.zeros(17, np.int64)
    step = 1 + places // _SAMPLE
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
