"""The shingles of each text: 64-bit hashes of every run of five words, straight from the UTF-8 bytes.

The words are the Unicode words of `kernels.words`, as they stand: no case is folded, punctuation stays. docs/minhash.md
specifies the hashes to the byte, with golden values; `kernels.minhash` makes signatures of them.

A shingle is hashed from the hashes of its words, so words of "ab c" and "a bc" differ where their bytes do not. Broder 1997
("On the resemblance and containment of documents") calls the set of a text's shingles its w-shingling; the ratio of
what two sets share to what they hold together is the texts' resemblance, which near-duplicate removal decides by.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import codepoints, jit, masks, words
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.bits import load64, pointer, signed
from pipeline.kernels.hashing import GOLDEN, SECOND, Bytes, Hashes, finished, low_bytes

WORDS = 5  # as Lee et al. 2022 ("Deduplicating training data makes language models better") and Penedo et al. 2024 (FineWeb)
CHARACTERS = 500_000  # of a text that are read: a bound on scratch and time for each text

_READ_AHEAD = 72  # bytes past a text that are read and masked away
_LEAST_ROOM = 1 << 16  # bytes of text that scratch has room for from the start
FOUND = 4  # where of_text leaves the shingle hashes in scratch
_SHORT = 32  # so few hashes are sorted by insertion: radix sort clears and sums 2,048 counts first


def hashes(
    texts: "pa.StringArray | pa.LargeStringArray", *, words: int = WORDS, characters: int = CHARACTERS
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """The shingle set of each text: offsets, (texts + 1,) int64, and the distinct hashes of text i, ascending, at
    values[offsets[i] : offsets[i + 1]], uint64.

    words: how many make a shingle. A text of fewer has one shingle of all its words, a text without words has none.
    characters: code points of a text that are read; what stands behind them is left out, a word there is cut.
    Raises TypeError and ValueError as `utf8_buffers` does, ValueError for an argument out of range.
    """
    offsets, data = readable(texts, words, characters)
    bounds = np.zeros(len(texts) + 1, np.int64)
    read = int(np.minimum(np.diff(offsets), 4 * characters).sum())
    values = _hashes(data, offsets, codepoints.flags(), words, characters, max(read // 5, 1024), bounds)
    return bounds, values[: bounds[-1]].copy()


def readable(texts: Any, words: int, characters: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets and bytes of the texts, the arguments checked."""
    if not 1 <= words <= 1 << 10:
        raise ValueError(f"a shingle of {words} words; wanted 1 to {1 << 10}")
    if not 1 <= characters <= 1 << 28:
        raise ValueError(f"{characters} characters of each text; wanted 1 to {1 << 28}")
    offsets, data = utf8_buffers(texts)
    data.flags.writeable = False  # whatever the buffer's owner says: one type, one compilation
    return offsets, data


@jit.entry
def _hashes(data: Bytes, offsets: Any, table: Any, words: int, characters: int, guess: int, bounds: Any) -> Any:
    """Fill bounds[1:]; returns the values, with room left behind the last. `guess`: how many there may be, of all texts."""
    values = np.empty(guess, np.uint64)
    scratch = room(0, characters)
    other = np.empty(0, np.uint64)
    counts = np.empty(8 * 256, np.int32)
    filled = 0
    for d in range(offsets.shape[0] - 1):
        size = cut(data, offsets[d], offsets[d + 1], characters)
        if size > capacity(scratch):
            scratch = room(size, characters)
        count = of_text(data, offsets[d], size, table, words, scratch)
        if filled + count > values.shape[0]:
            more = np.empty(2 * (filled + count), np.uint64)
            for k in range(filled):
                more[k] = values[k]
            values = more
        if count > other.shape[0]:
            other = np.empty(scratch[FOUND].shape[0], np.uint64)
        found = pointer(scratch[FOUND], 0)
        _sort(found, count, pointer(other, 0), pointer(counts, 0))
        filled += _distinct(found, count, pointer(values, filled))
        bounds[d + 1] = filled
    return values


@jit.inner
def cut(data: Bytes, start: int, end: int, characters: int) -> Any:
    """Bytes of the first `characters` code points of data[start:end]."""
    if end - start <= characters:
        return end - start
    i, left = start, characters
    while i < end:
        width = 64 if end - i >= 64 else end - i
        begun = 0
        for k in range(width):
            begun += data[i + k] & 0xC0 != 0x80
        if begun > left:
            break
        left -= begun
        i += width
    while i < end and (left or data[i] & 0xC0 == 0x80):
        left -= data[i] & 0xC0 != 0x80
        i += 1
    return i - start


@jit.inner
def room(size: int, characters: int) -> Any:
    """Scratch for texts of up to `size` bytes: a copy of the text, masks, counts, word positions, shingles (FOUND), sums.

    About 14 bytes a byte, with room for somewhat larger texts, but not for more than a text of so many `characters` can hold.
    A word takes a byte and what parts it from the next takes another, or it has a code point of three; so a text of n bytes has
    at most (n + 1) / 2 words.
    """
    size = max(size, min(size + size // 4, 4 * characters), _LEAST_ROOM)
    blocks = (size >> 6) + 2
    most = size // 2 + 2
    return (np.empty(size + _READ_AHEAD, np.uint8), np.empty(masks.ROWS * blocks, np.uint64), np.empty(blocks, np.int32),
            np.empty(2 * most, np.int32), np.empty(most, np.uint64), np.empty(most + 1, np.uint64))  # fmt: skip


@jit.inner
def capacity(scratch: Any) -> Any:
    """Bytes of the largest text that scratch is for."""
    return scratch[0].shape[0] - _READ_AHEAD


@jit.inner
def of_text(data: Bytes, low: int, size: int, table: Any, length: int, scratch: Any) -> Any:
    """Hash the shingles of data[low : low + size] into scratch[FOUND], in the order of the text; returns how many."""
    copy, bits, before, positions, found, sums = scratch
    source = pointer(data, low)
    if low + size + _READ_AHEAD > data.shape[0]:  # the last texts of a buffer: reading ahead would leave it
        for i in range(size):
            copy[i] = data[low + i]
        for i in range(size, size + _READ_AHEAD):
            copy[i] = 0
        source = pointer(copy, 0)
    rows = before.shape[0]
    of_bits = (pointer(bits, 0), pointer(bits, rows), pointer(bits, 2 * rows), pointer(bits, 3 * rows),
               pointer(bits, 4 * rows), pointer(bits, 5 * rows), pointer(bits, 6 * rows))  # fmt: skip
    starts, ends = pointer(positions, 0), pointer(positions, found.shape[0])
    kinds = pointer(table, 0)
    filled = masks.fill(source, 0, size, kinds, of_bits, pointer(before, 0))
    if filled[8]:  # code points of scripts written without spaces
        count, _, _, _ = words.split(source, 0, size, kinds, starts, ends)
    else:
        count = words.find(of_bits, filled[0], starts, ends)
    return _hash(source, count, length, starts, ends, pointer(sums, 0), pointer(found, 0))


@jit.inner
def _hash(data: Bytes, count: int, length: int, starts: Any, ends: Any, sums: Hashes, found: Hashes) -> Any:
    """Hash the shingles of the words at those positions into `found`; returns how many.

    The sum of a shingle's word hashes, each times a power of GOLDEN, is the difference of two sums over all words: two products
    for a shingle of any length.
    """
    power = np.uint64(1)
    for _ in range(length):
        power *= GOLDEN
    total = np.uint64(0)
    sums[0] = total
    for w in range(count):
        i = signed(starts[w])
        rest = signed(ends[w]) - i
        h = np.uint64(rest) * GOLDEN
        while rest > 8:
            h = (h ^ load64(data, i)) * SECOND
            h ^= h >> np.uint64(32)
            rest -= 8
            i += 8
        total = total * GOLDEN + finished((h ^ (load64(data, i) & low_bytes(rest))) * SECOND)
        sums[w + 1] = total
        if w + 1 >= length:
            found[w + 1 - length] = finished(total - sums[w + 1 - length] * power)
    if count >= length:
        return count - length + 1
    if count:
        found[0] = finished(total)
        return 1
    return 0


@jit.inner
def _sort(items: Hashes, count: int, other: Hashes, counts: Any) -> None:
    """Sort items[:count], ascending; `other` has as much room, `counts` 8 x 256. Radix sort: no input makes it slow."""
    if count <= _SHORT:
        for i in range(1, count):
            item = items[i]
            k = i
            while k > 0 and items[k - 1] > item:
                items[k] = items[k - 1]
                k -= 1
            items[k] = item
        return
    for k in range(8 * 256):
        counts[k] = 0
    for i in range(count):
        item = items[i]
        for digit in range(8):
            counts[256 * digit + signed(item >> np.uint64(8 * digit) & np.uint64(255))] += 1
    for digit in range(8):
        place = 0
        for k in range(256 * digit, 256 * digit + 256):
            place, counts[k] = place + counts[k], place
        for i in range(count):
            item = items[i]
            k = 256 * digit + signed(item >> np.uint64(8 * digit) & np.uint64(255))
            other[counts[k]] = item
            counts[k] += 1
        items, other = other, items


@jit.inner
def _distinct(items: Hashes, count: int, out: Hashes) -> Any:
    """Copy the sorted items to `out`, each value once; returns how many."""
    kept = 0
    for i in range(count):
        out[kept] = items[i]
        kept += i + 1 == count or items[i] != items[i + 1]
    return kept
