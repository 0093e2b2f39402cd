"""A text as bit masks, one bit a byte in blocks of 64: white space, letters, line breaks and so on.

ASCII is classified by vector compares; each other code point is then looked up and corrects the masks. A property of a code
point stands at its first byte; white space, which ends words, at all of its bytes.
"""

from typing import Any

import numpy as np

from pipeline.kernels import codepoints, jit
from pipeline.kernels.bits import classify, lowest, ones, signed
from pipeline.kernels.hashing import ALL, Bytes

Masks = Any  # ROWS pointers to blocks + 1 uint64: the last block is a sentinel of white space
Counts = Any  # pointer to int32: positions in bytes, or numbers of code points

ROWS = 7
SPACE, LETTER, CONTENT, BREAK, NEWLINE, DOT, START = range(ROWS)

ONE, NONE = np.uint64(1), np.uint64(0)
_SPACE, _BREAK = np.uint64(codepoints.SPACE), np.uint64(codepoints.BREAK)
_SCRIPT = np.uint64(codepoints.SINGLE | codepoints.KATAKANA)
HORIZONTAL_ELLIPSIS = 0x2026


@jit.inner
def fill(data: Bytes, low: int, size: int, table: Any, masks: Masks, before: Counts) -> Any:
    """Fill `masks`, and `before` (code points that start before each block), for data[low : low + size].

    data must be readable to low + size rounded up to 64 bytes. Returns the number of blocks with the sentinel, and the counts
    that need no words: characters, upper case, digits, symbols, "#", newlines, U+2026; then how many code points are of
    scripts without spaces, whether any byte is >= 0x80, and whether a line ends otherwise than in "\\n".
    """
    blocks = (size + 63) >> 6
    characters = uppercase = digits = symbols = hashes = newlines = 0
    any_high = NONE
    other_breaks = NONE
    for b in range(blocks):
        space, letter, alnum, upper, symbol, line_break, newline, hash_sign, dot, high, start = classify(
            data, low + 64 * b
        )
        if b == blocks - 1 and size & 63:
            inside = (ONE << np.uint64(size & 63)) - ONE
            space |= ~inside
            letter &= inside
            alnum &= inside
            upper &= inside
            symbol &= inside
            line_break &= inside
            newline &= inside
            hash_sign &= inside
            dot &= inside
            high &= inside
            start &= inside
        masks[SPACE][b] = space
        masks[LETTER][b] = letter
        masks[CONTENT][b] = alnum
        masks[BREAK][b] = line_break
        masks[NEWLINE][b] = newline
        masks[DOT][b] = dot
        masks[START][b] = start
        before[b] = characters
        characters += ones(start)
        uppercase += ones(upper)
        digits += ones(alnum ^ letter)
        symbols += ones(symbol)
        hashes += ones(hash_sign)
        newlines += ones(newline)
        any_high |= high
        other_breaks |= line_break ^ newline
    for row in range(ROWS):
        masks[row][blocks] = NONE
    masks[SPACE][blocks] = ALL
    before[blocks] = characters
    ellipses = scripts = 0
    if any_high:
        upper_too, digits_too, symbols_too, ellipses, scripts, breaks_too = _correct(data, low, size, table, masks)
        uppercase += upper_too
        digits += digits_too
        symbols += symbols_too
        other_breaks |= np.uint64(breaks_too)
    return (
        blocks + 1, characters, uppercase, digits, symbols, hashes, newlines, ellipses, scripts, any_high != NONE,
        other_breaks != NONE,
    )  # fmt: skip


@jit.inlined
def code_point(data: Bytes, i: int) -> Any:
    """The code point that starts at data[i], and its length in bytes."""
    byte = signed(data[i])
    if byte < 0x80:
        return byte, 1
    second = signed(data[i + 1]) & 63
    if byte < 0xE0:
        return (byte & 31) << 6 | second, 2
    third = signed(data[i + 2]) & 63
    if byte < 0xF0:
        return (byte & 15) << 12 | second << 6 | third, 3
    return (byte & 7) << 18 | second << 12 | third << 6 | (signed(data[i + 3]) & 63), 4


@jit.inner
def _correct(data: Bytes, low: int, size: int, table: Any, masks: Masks) -> Any:
    """Enter the code points >= 0x80 into the masks; returns their counts (upper case, digits, symbols, ...) and line breaks."""
    uppercase = digits = symbols = scripts = NONE
    ellipses = breaks = 0
    for b in range((size + 63) >> 6):
        high = masks[START][b]
        if high:
            high &= classify(data, low + 64 * b)[9]
        letter = NONE
        content = NONE
        while high:
            k = lowest(high)
            high &= high - ONE
            point, width = code_point(data, low + 64 * b + k)
            at = np.uint64(k)
            kind = np.uint64(table[point])
            letter |= (kind >> np.uint64(1) & ONE) << at
            content |= (kind >> np.uint64(2) & ONE) << at
            uppercase += kind >> np.uint64(5) & ONE
            digits += kind >> np.uint64(6) & ONE
            symbols += kind >> np.uint64(7) & ONE
            scripts += kind >> np.uint64(8) & ONE | kind >> np.uint64(9) & ONE
            if kind & _SPACE:
                if kind & _BREAK:
                    masks[BREAK][b] |= ONE << at
                    breaks = 1
                content &= ~(ONE << at)
                whole = (ONE << np.uint64(width)) - ONE
                masks[SPACE][b] |= whole << at
                if k + width > 64:  # into the next block, which is the sentinel at the latest
                    masks[SPACE][b + 1] |= whole >> np.uint64(64 - k)
            elif point == HORIZONTAL_ELLIPSIS:
                ellipses += 1
        masks[LETTER][b] |= letter
        masks[CONTENT][b] |= content
    return signed(uppercase), signed(digits), signed(symbols), ellipses, signed(scripts), breaks


@jit.inlined
def characters_before(masks: Masks, before: Counts, position: int) -> Any:
    """Code points that start before a byte position, 0 <= position <= size."""
    b = position >> 6
    return signed(before[b]) + ones(masks[START][b] & ((ONE << np.uint64(position & 63)) - ONE))


@jit.inner
def first_filled(space: Any, start: int, end: int) -> Any:
    """The first byte of start:end that is no white space, or `end`."""
    filled = ~space[start >> 6] >> np.uint64(start & 63)
    while not filled:
        start = (start | 63) + 1
        if start >= end:
            return end
        filled = ~space[start >> 6]
    return min(start + lowest(filled), end)


@jit.inner
def last_filled(space: Any, position: int) -> Any:
    """The last byte at or before `position` that is no white space; there must be one."""
    while space[position >> 6] >> np.uint64(position & 63) & ONE:
        position -= 1
    return position
