"""What Dolma's Gopher tagger makes its attributes of: integer counts of each text, from its UTF-8 bytes.

Definitions: `get_attributes` in python/dolma/taggers/gopher.py of Dolma 1.2.1, which the tagger `gopher_v1` writes down. Words
are those of str.split(), lines those of split("\\n"), empty ones and the one after a last "\\n" among them. An attribute is a
count or the ratio of two; only the counts leave this module (`ATTRIBUTES` says which make which).

Repeats are decided on 64-bit hashes of code points; as in `kernels.hashing`, two different ones of a text of n words fall
together with a probability of n^2 / 2^64 or so.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import codepoints, jit
from pipeline.kernels.arrow import utf8_buffers

TOP, REPEATED = range(2, 5), range(5, 11)  # n of the n-grams
FEATURES = (
    "dolma_characters",  # code points of the text
    "dolma_words",
    "dolma_word_characters",  # code points of all words
    "dolma_twice_median_word_length",  # of the words' code points; 0 without words
    "dolma_symbol_words",  # words with "#" or U+2026
    "dolma_alphabetic_words",  # words with a letter (str.isalpha)
    "dolma_stop_words",  # occurrences of STOP_WORDS, in that case
    "dolma_lines",
    "dolma_bullet_lines",  # lines that start with "*" or "-"
    "dolma_ellipsis_lines",  # lines that end in U+2026
    "dolma_repeated_lines",  # lines that have an equal one, all of them
    "dolma_repeated_line_characters",  # code points in those, white space too
    *(f"dolma_top_{n}_gram_characters" for n in TOP),  # of the most common one (the first of equals) x its count
    *(f"dolma_repeated_{n}_gram_characters" for n in REPEATED),  # of n-grams that occur twice or more, every occurrence
    *(f"dolma_{n}_gram_characters" for n in REPEATED),  # of all n-grams: a word counts in each that it is part of
)
STOP_WORDS = "the be to of and that have with"  # REQUIRED_ENGLISH_WORDS of the tagger

# Attribute of the tagger, in its order: (count, the count or number that it is divided by). A divisor of 0 is taken as 1.
ATTRIBUTES: dict[str, tuple[str, str | int]] = {
    **{
        f"fraction_of_characters_in_most_common_{n}grams": (f"dolma_top_{n}_gram_characters", "dolma_word_characters")
        for n in TOP
    },
    **{
        f"fraction_of_characters_in_duplicate_{n}grams": (
            f"dolma_repeated_{n}_gram_characters",
            f"dolma_{n}_gram_characters",
        )
        for n in REPEATED
    },
    "character_count": ("dolma_characters", 1),
    "word_count": ("dolma_words", 1),
    "median_word_length": ("dolma_twice_median_word_length", 2),
    "symbol_to_word_ratio": ("dolma_symbol_words", "dolma_words"),
    "fraction_of_words_with_alpha_character": ("dolma_alphabetic_words", "dolma_words"),
    "required_word_count": ("dolma_stop_words", 1),
    "fraction_of_lines_starting_with_bullet_point": ("dolma_bullet_lines", "dolma_lines"),
    "fraction_of_lines_ending_with_ellipsis": ("dolma_ellipsis_lines", "dolma_lines"),
    "fraction_of_duplicate_lines": ("dolma_repeated_lines", "dolma_lines"),
    "fraction_of_characters_in_duplicate_lines": ("dolma_repeated_line_characters", "dolma_word_characters"),
}

TEXT_LIMIT = (1 << 31) - 128  # bytes: counts of a text are int32
_LINES, _TOP, _REPEATED, _ALL = (
    FEATURES.index(name)
    for name in ("dolma_lines", "dolma_top_2_gram_characters", "dolma_repeated_5_gram_characters",
                 "dolma_5_gram_characters")
)  # fmt: skip
_FIRST_REPEATED, _LONGEST = REPEATED.start, REPEATED.stop - 1
_KEPT = 1 << 18  # words or lines: what a larger text took is given back after it
_LETTER, _SPACE = codepoints.LETTER, codepoints.SPACE
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's bits
_FINISHER = np.uint64(0xD6E8FEB86659FD93)
_SEED = np.uint64(0xC2B2AE3D27D4EB4F)  # not 0, so that a leading U+0000 counts


@cache
def _stop_text() -> npt.NDArray[np.uint8]:
    return np.frombuffer(STOP_WORDS.encode(), np.uint8)


@cache
def _table() -> npt.NDArray[np.uint16]:
    return codepoints.flags()


def measure(texts: "pa.StringArray | pa.LargeStringArray") -> pa.RecordBatch:
    """One row a text, one int64 column a feature, in the order of FEATURES.

    Raises TypeError and ValueError as `utf8_buffers` does (nulls, invalid UTF-8), and ValueError for a text of 2 GiB.
    """
    offsets, data = utf8_buffers(texts)
    data.flags.writeable = False  # whatever the buffer's owner says: one type, one compilation
    sizes = np.diff(offsets)
    if len(sizes) and sizes.max() > TEXT_LIMIT:
        raise ValueError(f"text {sizes.argmax()} has {sizes.max()} bytes; at most {TEXT_LIMIT} can be measured")
    counts = np.zeros((len(texts), len(FEATURES)), np.int64)
    _measure(data, offsets, _table(), _stop_text(), counts)
    columns = [pa.array(np.ascontiguousarray(column)) for column in counts.T]
    return pa.RecordBatch.from_arrays(columns, names=list(FEATURES))


@jit.entry
def _measure(data: Any, offsets: Any, table: Any, stop_text: Any, counts: Any) -> None:
    """counts[d]: the features of the text data[offsets[d] : offsets[d + 1]]."""
    stops = np.empty(stop_text.shape[0], np.uint64)
    unused, sizes, row = np.empty(1, np.uint64), np.empty(stop_text.shape[0], np.int32), np.empty(_TOP, np.int64)
    found = _scan(stop_text, 0, stop_text.shape[0], table, stops[:0], stops, sizes, unused, sizes[-1:], row)
    stops = stops[:found].copy()
    room = slots = -1
    word_hashes = line_hashes = grams = keys = np.empty(0, np.uint64)
    word_sizes = line_sizes = places = candidates = tallies = np.empty(0, np.int32)
    before = np.empty(0, np.int64)
    for d in range(offsets.shape[0] - 1):
        low, high = offsets[d], offsets[d + 1]
        words, lines = _sizes(data, low, high, table)
        items = max(words, lines)
        if items > room or items <= _KEPT < room:
            room = items if items > _KEPT else min(_KEPT, 1024 + 2 * items)
            word_hashes, line_hashes = np.empty(room, np.uint64), np.empty(room, np.uint64)
            grams = np.empty(room, np.uint64)
            word_sizes, line_sizes = np.empty(room, np.int32), np.empty(room, np.int32)
            places, candidates = np.empty(room, np.int32), np.empty(room, np.int32)
            before = np.empty(room + 1, np.int64)
            slots = _slots(room)
            keys, tallies = np.empty(slots, np.uint64), np.empty(slots, np.int32)
        row = counts[d]
        _scan(data, low, high, table, stops, word_hashes, word_sizes, line_hashes, line_sizes, row)
        _tally(line_hashes, lines, keys, tallies, places)
        for k in range(lines):
            if tallies[places[k]] > 1:
                row[_LINES + 3] += 1
                row[_LINES + 4] += line_sizes[k]
        row[3] = _twice_median(word_sizes, words)
        _grams(word_hashes, word_sizes, words, grams, before, candidates, keys, tallies, places, row)


@jit.inlined
def _code_point(data: Any, i: int) -> Any:
    """The code point at data[i], and its bytes. The text is valid UTF-8: nothing is checked."""
    first = np.int64(data[i])
    if first < 0x80:
        return first, 1
    second = np.int64(data[i + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, 2
    third = np.int64(data[i + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, 3
    return (first & 0x07) << 18 | second << 12 | third << 6 | (np.int64(data[i + 3]) & 0x3F), 4


@jit.inner
def _sizes(data: Any, low: int, high: int, table: Any) -> Any:
    """Words and lines of data[low:high]: scratch is made by what is there."""
    words, lines, inside = 0, 1, False
    i = low
    while i < high:
        point, width = _code_point(data, i)
        space = (table[point] & _SPACE) != 0
        words += inside and space
        inside = not space
        lines += point == 10
        i += width
    return words + inside, lines


@jit.inlined
def _finished(h: Any) -> Any:
    """Every input bit spread over all: slots are taken from the upper ones."""
    h ^= h >> np.uint64(32)
    h *= _FINISHER
    h ^= h >> np.uint64(29)
    h *= _MULTIPLIER
    return h ^ (h >> np.uint64(32))


@jit.inlined
def _with(h: Any, point: Any) -> Any:
    """The hash of a string, from that of all but its last code point."""
    h = (h ^ np.uint64(point)) * _MULTIPLIER
    return h ^ (h >> np.uint64(29))


@jit.inner
def _scan(data: Any, low: int, high: int, table: Any, stops: Any, word_hashes: Any, word_sizes: Any, line_hashes: Any,
          line_sizes: Any, row: Any) -> Any:  # fmt: skip
    """Hashes and code points of each word and line, and in `row` all counts that need no comparing. Returns the words."""
    characters = words = word_characters = symbol_words = alphabetic = stop_words = lines = bullets = ellipses = 0
    word, word_size, symbol, letter = _SEED, 0, False, False
    line, line_size, last = _SEED, 0, 0
    i = low
    while i <= high:  # once more past the end: there a word and a line end
        point, width = (10, 1) if i == high else _code_point(data, i)
        kind = table[point]
        if (kind & _SPACE) != 0:
            if word_size:
                h = _finished(word)
                word_hashes[words], word_sizes[words] = h, word_size
                words += 1
                word_characters += word_size
                symbol_words += symbol
                alphabetic += letter
                if 2 <= word_size <= 4:
                    for stop in stops:
                        stop_words += stop == h
                word, word_size, symbol, letter = _SEED, 0, False, False
        else:
            word = _with(word, point)
            word_size += 1
            symbol |= point == 0x23 or point == 0x2026
            letter |= (kind & _LETTER) != 0
        if point == 10:
            line_hashes[lines], line_sizes[lines] = _finished(line), line_size
            lines += 1
            ellipses += last == 0x2026
            characters += line_size
            line, line_size, last = _SEED, 0, 0
        else:
            bullets += line_size == 0 and (point == 0x2A or point == 0x2D)
            line = _with(line, point)
            line_size += 1
            last = point
        i += width
    row[0], row[1], row[2] = characters + lines - 1, words, word_characters
    row[4], row[5], row[6] = symbol_words, alphabetic, stop_words
    row[_LINES], row[_LINES + 1], row[_LINES + 2] = lines, bullets, ellipses
    return words


@jit.inner
def _twice_median(sizes: Any, words: int) -> Any:
    """Twice the median of sizes[:words], which are 1 or more; 0 of none. Counted up to 64, sorted only beyond that."""
    if words == 0:
        return 0
    lower, upper = (words - 1) // 2, words // 2
    histogram = np.zeros(65, np.int64)
    for k in range(words):
        histogram[min(sizes[k], 65) - 1] += 1
    twice = below = 0
    for size in range(1, 65):
        up_to = below + histogram[size - 1]
        twice += size * ((below <= lower < up_to) + (below <= upper < up_to))
        below = up_to
    if upper >= below:
        ordered = np.sort(sizes[:words])
        return np.int64(ordered[lower]) + np.int64(ordered[upper])
    return twice


@jit.inner
def _slots(items: int) -> int:
    """Slots of a table of so many items: a power of two, 2 to 4 for each. Never falls with `items`."""
    slots = 64
    while slots < 2 * items:
        slots *= 2
    return slots


@jit.inner
def _tally(hashes: Any, items: int, keys: Any, tallies: Any, places: Any) -> None:
    """tallies[places[k]]: how often hashes[k] is among hashes[:items]."""
    slots = _slots(items)
    tallies[:slots] = 0
    for k in range(items):
        key = hashes[k]
        at = np.int64(key & np.uint64(slots - 1))
        while tallies[at] != 0 and keys[at] != key:
            at = (at + 1) & (slots - 1)
        keys[at] = key
        tallies[at] += 1
        places[k] = at


@jit.inner
def _grams(word_hashes: Any, sizes: Any, words: int, grams: Any, before: Any, candidates: Any, keys: Any, tallies: Any,
           places: Any, row: Any) -> None:  # fmt: skip
    """The characters of n-grams, n of 2 to 10.

    An n-gram can occur twice only where its first and its last n - 1 words do: from the words on, only the starts that
    are left are looked at (`candidates`, ascending, with the hash of their n-gram in `grams`). before[k] is the number of
    characters of the first k words.
    """
    before[0] = 0
    for k in range(words):
        before[k + 1] = before[k] + sizes[k]
    _tally(word_hashes, words, keys, tallies, places)
    left = 0
    for k in range(words):
        if tallies[places[k]] > 1:
            candidates[left], grams[left] = k, word_hashes[k]
            left += 1
    all_grams = before[words]  # of the n-grams before, from which those that are longer by a word follow
    for n in range(2, min(words, _LONGEST) + 1):
        starts = 0
        for j in range(left - 1):
            k = candidates[j]
            if candidates[j + 1] == k + 1:  # so k + n <= words
                candidates[starts] = k
                grams[starts] = _finished((grams[j] * _MULTIPLIER) ^ word_hashes[k + n - 1])
                starts += 1
        _tally(grams, starts, keys, tallies, places)
        most, top, repeated, left = 1, before[n], 0, 0
        for j in range(starts):
            count, k = tallies[places[j]], candidates[j]
            if count > 1:
                size = before[k + n] - before[k]
                repeated += size
                if count > most:
                    most, top = count, size
                candidates[left], grams[left] = k, grams[j]
                left += 1
        # The n-grams are the (n-1)-grams but the last, each with the word that follows: words n - 1 to the end.
        all_grams += before[words] - before[n - 1] - (before[words] - before[words - n + 1])
        if n < _FIRST_REPEATED:
            row[_TOP + n - 2] = most * top
        else:
            row[_REPEATED + n - _FIRST_REPEATED] = repeated
            row[_ALL + n - _FIRST_REPEATED] = all_grams
