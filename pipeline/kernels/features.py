"""What rules are judged by: integer counts of each text, measured in one pass over its UTF-8 bytes.

A word is a maximal run of code points that are not white space (Python's `str.split()`), the word of the reference rule
sets when their tokenizer is white space. Scripts written without spaces are one word a run: rules that count words say
so in a recipe by `except_languages`. Lines are those of `str.splitlines()`.

Only counts leave this module. Ratios are taken in `curate.rules`, so that a stored row can be judged again by other
thresholds without its text.
"""

import unicodedata
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels.arrow import utf8_buffers

FEATURES = (
    "characters",  # code points
    "words",
    "content_words",  # words with a code point that is neither punctuation, symbol nor control
    "content_characters",  # code points in those words
    "alphabetic_words",  # words with a letter (str.isalpha)
    "stop_words",  # how many of STOP_WORDS stand in the text as words of their own, in lower case
    "hashes",  # '#'
    "ellipses",  # '...' (not overlapping) and U+2026
    "lines",
    "bullet_lines",  # lines whose first character that is no white space is '-' or U+2022
    "ellipsis_lines",  # lines that end in '...' or U+2026, white space aside
)

# Rae et al. 2021 (Gopher), section A.1.1: a document must hold two of these.
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

SPACE, ALPHA, SYMBOL, BREAK = 1, 2, 4, 8
# Above the last assigned letter and symbol, but for tags and variation selectors (category Mn, Cf), there is nothing.
TABLE_SIZE = 0x33480


@cache
def flags() -> npt.NDArray[np.uint8]:
    """(TABLE_SIZE,) uint8: the flags of every code point; code points beyond have none."""
    table = np.zeros(TABLE_SIZE, np.uint8)
    for point in range(TABLE_SIZE):
        category = unicodedata.category(chr(point))
        if category[0] == "L":
            table[point] = ALPHA
        elif category[0] in "PS" or category == "Cc":
            table[point] = SYMBOL
    for point in (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
                  0x205F, 0x3000):  # fmt: skip
        table[point] |= SPACE  # str.isspace
    for point in (10, 11, 12, 13, 28, 29, 30, 0x85, 0x2028, 0x2029):
        table[point] |= BREAK  # str.splitlines
    return table


@cache
def _stop_words() -> npt.NDArray[np.uint32]:
    return np.array([int.from_bytes(word.encode(), "little") for word in STOP_WORDS], np.uint32)


def measure(texts: "pa.StringArray | pa.LargeStringArray") -> pa.RecordBatch:
    """One row a text, one int64 column a feature, in the order of FEATURES. `texts` holds no nulls (ValueError)."""
    offsets, data = utf8_buffers(texts)
    counts = np.zeros((len(FEATURES), len(texts)), np.int64)
    _measure(data, offsets, flags(), _stop_words(), counts)
    return pa.RecordBatch.from_arrays([pa.array(row) for row in counts], names=list(FEATURES))


@numba.njit(cache=True, nogil=True, boundscheck=False)
def _measure(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint8],
    stops: npt.NDArray[np.uint32],
    out: npt.NDArray[np.int64],
) -> None:
    size = np.uint32(table.shape[0])
    for row in range(offsets.shape[0] - 1):
        i, end = offsets[row], offsets[row + 1]
        characters = words = content_words = content_characters = alphabetic_words = 0
        hashes = ellipses = lines = bullet_lines = ellipsis_lines = 0
        found = np.uint32(0)  # bit k: STOP_WORDS[k] was seen
        word_length = 0  # code points of the word under way
        word_flags: Any = 0  # of which kinds: ALPHA, or CONTENT (not a symbol)
        word_start = i
        dots = 0  # '.' in a row, for '...' that do not overlap
        line_open = False  # the line under way has a code point
        first: Any = np.uint32(0)  # its first code point that is no white space
        tail: int = 0  # what it ends with, white space aside: 0 to 3 dots in a row, or 3 for U+2026
        previous: Any = np.uint32(0)
        while i < end:
            byte = np.uint32(data[i])
            start = i
            if byte < 0x80:
                point = byte
                i += 1
            elif byte < 0xE0:
                point = (byte & 0x1F) << 6 | (np.uint32(data[i + 1]) & 0x3F)
                i += 2
            elif byte < 0xF0:
                point = (byte & 0x0F) << 12 | (np.uint32(data[i + 1]) & 0x3F) << 6 | (np.uint32(data[i + 2]) & 0x3F)
                i += 3
            else:
                point = (
                    (byte & 0x07) << 18
                    | (np.uint32(data[i + 1]) & 0x3F) << 12
                    | (np.uint32(data[i + 2]) & 0x3F) << 6
                    | (np.uint32(data[i + 3]) & 0x3F)
                )
                i += 4
            kind = table[point] if point < size else np.uint8(0)
            characters += 1

            if point == 46:  # '.'
                dots += 1
                if dots == 3:
                    ellipses += 1
                    dots = 0
            else:
                dots = 0
                if point == 35:
                    hashes += 1
                elif point == 0x2026:
                    ellipses += 1

            if kind & SPACE:
                if word_length:
                    words += 1
                    if word_flags & 16:
                        content_words += 1
                        content_characters += word_length
                    if word_flags & ALPHA:
                        alphabetic_words += 1
                    found |= _stop_word(data, word_start, start, stops)
                    word_length = 0
                    word_flags = 0
                if kind & BREAK:
                    if not (point == 10 and previous == 13):  # "\r\n" is one break
                        lines += 1
                        bullet_lines += first == 45 or first == 0x2022
                        ellipsis_lines += tail >= 3
                    line_open = False
                    first = np.uint32(0)
                    tail = 0
                else:
                    line_open = True
            else:
                if word_length == 0:
                    word_start = start
                word_length += 1
                word_flags |= kind & ALPHA
                if not kind & SYMBOL:
                    word_flags |= 16
                if first == 0:
                    # U+0000 cannot be told from "none yet"; it is no bullet, and 1 is none either.
                    first = point if point else np.uint32(1)
                if point == 46:
                    # Dots before white space do not count with dots after it: ". .." ends in two.
                    tail = tail + 1 if previous == 46 else 1
                elif point == 0x2026:
                    tail = 3
                else:
                    tail = 0
                line_open = True
            previous = point
        if word_length:
            words += 1
            if word_flags & 16:
                content_words += 1
                content_characters += word_length
            if word_flags & ALPHA:
                alphabetic_words += 1
            found |= _stop_word(data, word_start, end, stops)
        if line_open:
            lines += 1
            bullet_lines += first == 45 or first == 0x2022
            ellipsis_lines += tail >= 3
        stop_words: Any = 0
        while found:
            stop_words += found & np.uint32(1)
            found >>= np.uint32(1)
        out[0, row] = characters
        out[1, row] = words
        out[2, row] = content_words
        out[3, row] = content_characters
        out[4, row] = alphabetic_words
        out[5, row] = stop_words
        out[6, row] = hashes
        out[7, row] = ellipses
        out[8, row] = lines
        out[9, row] = bullet_lines
        out[10, row] = ellipsis_lines


@numba.njit(cache=True, nogil=True, boundscheck=False, inline="always")
def _stop_word(
    data: npt.NDArray[np.uint8], start: int, end: int, stops: npt.NDArray[np.uint32]
) -> np.uint32:  # bit k for STOP_WORDS[k], 0 for other words
    length = end - start
    if length < 2 or length > 4:
        return np.uint32(0)
    packed = np.uint32(0)
    for k in range(length):
        packed |= np.uint32(data[start + k]) << np.uint32(8 * k)
    for k in range(stops.shape[0]):
        if stops[k] == packed:
            return np.uint32(1) << np.uint32(k)
    return np.uint32(0)
