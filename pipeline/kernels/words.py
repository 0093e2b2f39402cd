"""Words of one text: white-space words, and the words of scripts that are written without spaces.

A white-space word is a maximal run of code points that are no white space: Python's str.split().

A Unicode word is a piece of a white-space word. The rule follows Unicode Standard Annex #29, section 4.1, in its default
for scripts that need a dictionary, and is otherwise coarser (punctuation stays with the word that it touches, as in
white-space words). Code points are of four kinds, the first that applies:
  extending  categories Mn, Mc, Me; U+200C, U+200D; U+FF9E, U+FF9F: belongs to what stands before it;
  single     scripts Han, Hiragana, Thai, Lao, Khmer, Myanmar: each begins a word;
  katakana   script Katakana, U+3031 to 3035, 309B, 309C, 30A0, 30FC, FF70: a run of them is one word;
  other      a run of them is one word; an extending code point that nothing precedes in its white-space word is one.
So a word begins with each white-space word, at each single, and where katakana or other follows another kind (extending code
points aside). Text without singles and katakana has the same words by both rules.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels import codepoints, jit
from pipeline.kernels.bits import load64, lowest, ones, signed, store64
from pipeline.kernels.hashing import GOLDEN, SECOND, Bytes, Hashes, finished, low_bytes
from pipeline.kernels.masks import (
    CONTENT,
    DOT,
    LETTER,
    NONE,
    ONE,
    SPACE,
    START,
    Counts,
    Masks,
    characters_before,
    code_point,
)

# Rae et al. 2021 (Gopher), section A.1.1: a document must hold two of these.
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

PADDING = 80  # bytes after the joined words that prefixes of them may read

_SINGLE, _KATAKANA, _EXTENDING = codepoints.SINGLE, codepoints.KATAKANA, codepoints.EXTENDING


@jit.inner
def count(masks: Masks, blocks: int) -> Any:
    """Words, content words, code points in those, words with a letter, letters, white space, and "..." (not overlapping).

    Adding a mask of letters to the mask of words carries a bit out of exactly those words that hold a letter, into the first
    byte after them: a word's bits plus any of its own bits lie between one and two times the next power of two. Words without
    content are few, and their characters are taken off one by one.
    """
    words = content_words = characters = alphabetic = letters = spaces = ellipses = 0
    word_before = NONE  # the last block's top bit was of a word
    letter_carry = NONE
    content_carry = NONE
    dots_before = NONE
    counted = -1  # the last byte of the last "..."
    for b in range(blocks):
        space = masks[SPACE][b]
        word = ~space
        ends = space & (word << ONE | word_before)
        word_before = word >> np.uint64(63)
        start = masks[START][b]
        words += ones(ends)
        letters += ones(masks[LETTER][b])
        spaces += ones(space & start)
        characters += ones(word & start)

        total = word + masks[LETTER][b]
        over = ONE if total < word else NONE
        carried = total + letter_carry
        letter_carry = over | (ONE if carried < total else NONE)
        alphabetic += ones(carried & ends)

        total = word + masks[CONTENT][b]
        over = ONE if total < word else NONE
        carried = total + content_carry
        content_carry = over | (ONE if carried < total else NONE)
        content_words += ones(carried & ends)
        symbols = ends & ~carried
        while symbols:
            i = 64 * b + lowest(symbols) - 1
            symbols &= symbols - ONE
            while i >= 0 and not masks[SPACE][i >> 6] >> np.uint64(i & 63) & ONE:
                characters -= signed(masks[START][i >> 6] >> np.uint64(i & 63) & ONE)
                i -= 1

        dots = masks[DOT][b]
        thirds = (
            dots & (dots << ONE | dots_before >> np.uint64(63)) & (dots << np.uint64(2) | dots_before >> np.uint64(62))
        )
        dots_before = dots
        while thirds:
            i = 64 * b + lowest(thirds)
            thirds &= thirds - ONE
            if counted < 0 or i - counted >= 3:
                ellipses += 1
                counted = i
    return words, content_words, characters, alphabetic, letters, spaces, ellipses


@jit.inner
def find(masks: Masks, blocks: int, starts: Counts, ends: Counts) -> int:
    """Byte positions of the white-space words; returns how many."""
    carry = NONE
    i = j = 0
    for b in range(blocks):
        space = masks[SPACE][b]
        word = ~space
        shifted = word << ONE | carry
        carry = word >> np.uint64(63)
        begin = word & ~shifted
        while begin:
            starts[i] = 64 * b + lowest(begin)
            begin &= begin - ONE
            i += 1
        end = space & shifted
        while end:
            ends[j] = 64 * b + lowest(end)
            end &= end - ONE
            j += 1
    return i


@jit.inner
def split(data: Bytes, low: int, size: int, table: Any, starts: Counts, ends: Counts) -> Any:
    """Byte positions of the Unicode words; returns how many, content words, code points in those, and words with a letter."""
    words = content_words = content_characters = alphabetic = 0
    i, end = low, low + size
    kind = 0  # of the word under way: _SINGLE, _KATAKANA, 1 for other; 0 for none
    seen = 0  # flags of its code points
    length = 0  # its code points
    while i <= end:
        flags = signed(codepoints.SPACE)  # the end of the text ends a word
        width = 1
        if i < end:
            point, width = code_point(data, i)
            flags = signed(table[point])
        space = flags & codepoints.SPACE
        if flags & _SINGLE:
            own = _SINGLE
        elif flags & _KATAKANA:
            own = _KATAKANA
        else:
            own = 1
        begins = kind == 0 or (not flags & _EXTENDING and (own != kind or own == _SINGLE))
        if kind and (space or begins):
            ends[words] = i - low
            words += 1
            content_words += seen & codepoints.CONTENT != 0
            content_characters += length if seen & codepoints.CONTENT else 0
            alphabetic += seen & codepoints.LETTER != 0
            kind = 0
        if not space:
            if begins:
                starts[words] = i - low
                kind = own
                seen = 0
                length = 0
            seen |= flags
            length += 1
        i += width
    return words, content_words, content_characters, alphabetic


@jit.inner
def join(
    data: Bytes, low: int, masks: Masks, before: Counts, high: bool, words: int, starts: Counts, ends: Counts,
    hashes: Hashes, joined: Bytes, offsets: Counts, characters: Counts,
) -> int:  # fmt: skip
    """Hash the words, and write them into `joined` one after the other without what parts them.

    offsets, characters: (words + 1,) bytes and code points of `joined` before each word. `high`: some byte is >= 0x80.
    8 bytes at a time are copied, so what stands behind a word is overwritten by the next; PADDING bytes at the end are zero.
    """
    at = total = 0
    for w in range(words):
        i = low + signed(starts[w])
        length = signed(ends[w]) - signed(starts[w])
        offsets[w] = at
        characters[w] = total
        value = load64(data, i)
        store64(joined, at, value)
        h = np.uint64(length) * GOLDEN
        rest, out = length, at
        while rest > 8:
            h = (h ^ value) * SECOND
            h ^= h >> np.uint64(32)
            rest -= 8
            i += 8
            out += 8
            value = load64(data, i)
            store64(joined, out, value)
        hashes[w] = finished((h ^ (value & low_bytes(rest))) * SECOND)
        at += length
        if high:
            total += characters_before(masks, before, signed(ends[w])) - characters_before(
                masks, before, signed(starts[w])
            )
        else:
            total = at
    offsets[words] = at
    characters[words] = total
    for k in range(0, PADDING, 8):
        store64(joined, at + k, NONE)
    return at


def stop_table() -> npt.NDArray[np.uint64]:
    """(4096, 2) uint64: by the top 12 bits of a stop word's hash, the hash and a bit of its own. Other rows are zero."""
    table = np.zeros((4096, 2), np.uint64)
    whole = (1 << 64) - 1
    for k, word in enumerate(STOP_WORDS):  # at most 8 bytes each: `join` without its loop
        h = (len(word) * int(GOLDEN) & whole ^ int.from_bytes(word.encode(), "little")) * int(SECOND) & whole
        h = _finished(h)
        if table[h >> 52, 1]:
            raise AssertionError(f"two stop words share the slot of {word}: take more bits")
        table[h >> 52] = h, 1 << k
    return table


def _finished(h: int) -> int:
    h ^= h >> 29
    h = h * 0xC2B2AE3D27D4EB4F & ((1 << 64) - 1)
    return h ^ h >> 32


@jit.inner
def stop_words(hashes: Hashes, words: int, table: Any) -> Any:
    """How many different stop words are among the words."""
    found = NONE
    for w in range(words):
        h = hashes[w]
        k = signed(h >> np.uint64(52))
        if table[2 * k] == h:
            found |= table[2 * k + 1]
    return ones(found)
