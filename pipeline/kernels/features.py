"""What rules are judged by: integer counts of each text, measured from its UTF-8 bytes; no Python string is made.

Characters are code points. Lines of `lines`, `longest_line`, `bullet_lines` and `ellipsis_lines` are those of str.splitlines();
the others are parted by "\\n" as their reference does. Words are those of str.split(), as in the reference rule sets
when their tokenizer is white space; features named `unicode_` count the words that `kernels.words` defines for scripts
written without spaces. Only counts leave this module: ratios are taken in `curate.rules`, so that a stored row can be
judged again by other thresholds without its text.

Definitions: Rae et al. 2021 (Gopher), sections A.1.1 and table A1, and Penedo et al. 2024 (FineWeb), section 3.4, as datatrove
0.10.1's GopherQualityFilter, GopherRepetitionFilter and FineWebQualityFilter read them. Repeats are decided on 64-bit hashes,
see `kernels.hashing`.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import codepoints, jit, lines, masks, repeated_grams, top_grams, words
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.bits import ones, pointer
from pipeline.kernels.hashing import Bytes, sketch_bits, table_bits

_REPEATED = tuple(f"duplicated_{n}_gram_characters" for n in range(5, 11))

FEATURES = (
    # text
    "characters",  # code points
    "letters",  # str.isalpha
    "uppercase",  # categories Lu, Lt
    "digits",  # category Nd
    "symbols",  # categories P*, S*
    "spaces",  # str.isspace
    "lines",  # str.splitlines
    "longest_line",  # its code points
    # Gopher quality
    "words",
    "content_words",  # words with a code point that is not in datatrove's PUNCTUATION_SET
    "content_characters",  # code points in those words
    "alphabetic_words",  # words with a letter
    "stop_words",  # how many of words.STOP_WORDS are words of the text
    "hashes",  # "#"
    "ellipses",  # "..." (not overlapping) and U+2026
    "bullet_lines",  # lines whose first character that is no white space is "-" or U+2022
    "ellipsis_lines",  # lines that end in "..." or U+2026, white space aside
    # Gopher repetition
    "paragraphs",  # re.split("\n{2,}", text.strip())
    "duplicate_paragraphs",  # equal to an earlier one
    "duplicate_paragraph_characters",
    "split_lines",  # re.split("\n+", text)
    "duplicate_lines",
    "duplicate_line_characters",
    "top_2_gram_characters",  # of the most frequent one, its words joined by spaces, times its count
    "top_3_gram_characters",
    "top_4_gram_characters",
    *_REPEATED,  # words joined without separators; after a repeated one the next n words are skipped
    # FineWeb
    "filled_lines",  # text.split("\n") that are not blank
    "terminated_lines",  # of those, that end in a code point of datatrove's TERMINAL_PUNCTUATION
    "short_lines",  # of those, with at most lines.SHORT_LINE code points
    "duplicate_filled_line_characters",
    "newlines",  # "\n"
    # Unicode words
    "unicode_words",
    "unicode_content_words",
    "unicode_content_characters",
    "unicode_alphabetic_words",
    "unicode_top_2_gram_characters",
    "unicode_top_3_gram_characters",
    "unicode_top_4_gram_characters",
    *(f"unicode_{name}" for name in _REPEATED),
)

(_LINES, _WORDS, _HASHES, _PARAGRAPHS, _TOP, _FILLED, _UNICODE, _UNICODE_TOP) = (
    FEATURES.index(name)
    for name in ("lines", "words", "hashes", "paragraphs", "top_2_gram_characters", "filled_lines", "unicode_words",
                 "unicode_top_2_gram_characters")
)  # fmt: skip

TEXT_LIMIT = (1 << 31) - 128  # bytes: positions are int32
_READ_AHEAD = 72  # bytes past a text that are read and masked away
_TOGETHER = 64  # rows that are written to the columns at once: one by one, each count would miss the cache
_KEPT_BYTES, _KEPT_ITEMS = 4 << 20, 1 << 20  # scratch that outlives a text


@cache
def _tables() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint64]]:
    return codepoints.flags(), words.stop_table().ravel()


def measure(texts: "pa.StringArray | pa.LargeStringArray") -> pa.RecordBatch:
    """One row a text, one int64 column a feature, in the order of FEATURES.

    Raises TypeError and ValueError as `utf8_buffers` does (nulls, invalid UTF-8), and ValueError for a text of 2 GiB.
    """
    offsets, data = utf8_buffers(texts)
    data.flags.writeable = False  # whatever the buffer's owner says: one type, one compilation
    sizes = np.diff(offsets)
    if len(sizes) and sizes.max() > TEXT_LIMIT:
        raise ValueError(f"text {sizes.argmax()} has {sizes.max()} bytes; at most {TEXT_LIMIT} can be measured")
    counts = np.empty((len(FEATURES), len(texts)), np.int64)
    _measure(data, offsets, *_tables(), counts)
    return pa.RecordBatch.from_arrays([pa.array(row) for row in counts], names=list(FEATURES))


@jit.entry
def _measure(data: Bytes, offsets: Any, table: Any, stops: Any, counts: Any) -> None:
    """counts[:, d]: the features of the text data[offsets[d] : offsets[d + 1]].

    Scratch follows what the largest text holds of bytes, lines and words; what a huge text took is given back after it.
    """
    bytes_room = lines_room = items_room = -1
    kinds = pointer(table, 0)
    of_stops = pointer(stops, 0)
    tail = np.empty(0, np.uint8)
    joined = np.empty(0, np.uint8)
    bits = np.empty(0, np.uint64)
    before = np.empty(0, np.int32)
    of_lines = np.empty(0, np.int32)
    of_items = np.empty(0, np.int32)
    hashes = np.empty(0, np.uint64)
    sketch = np.empty(0, np.uint16)
    marks = np.empty(0, np.uint8)
    slots = np.empty(0, np.int32)
    features = counts.shape[0]
    ready = np.zeros(_TOGETHER * features, np.int64)
    block_room = 0
    for d in range(offsets.shape[0] - 1):
        low = offsets[d]
        size = offsets[d + 1] - low
        if size > bytes_room or size < _KEPT_BYTES < bytes_room:
            bytes_room = _roomier(size, _KEPT_BYTES)
            block_room = (bytes_room >> 6) + 2
            bits = np.empty(masks.ROWS * block_room, np.uint64)
            before = np.empty(block_room, np.int32)
            joined = np.empty(bytes_room + words.PADDING + 8, np.uint8)
            tail = np.empty(0, np.uint8)
        out = pointer(ready, d % _TOGETHER * features)
        source = pointer(data, low)
        if low + size + _READ_AHEAD > data.shape[0]:  # the last texts of a buffer: reading ahead would leave it
            if tail.shape[0] < size + _READ_AHEAD:
                tail = np.empty(size + _READ_AHEAD, np.uint8)
            for i in range(size):
                tail[i] = data[low + i]
            for i in range(size, size + _READ_AHEAD):
                tail[i] = 0
            source = pointer(tail, 0)
        low = 0
        of_bits = (pointer(bits, 0), pointer(bits, block_room), pointer(bits, 2 * block_room), pointer(bits, 3 * block_room),
                   pointer(bits, 4 * block_room), pointer(bits, 5 * block_room), pointer(bits, 6 * block_room))  # fmt: skip
        of_blocks = pointer(before, 0)
        (blocks, total, uppercase, digits, symbols, hash_signs, newlines, ellipses, scripts, high,
         other_breaks) = masks.fill(source, low, size, kinds, of_bits, of_blocks)  # fmt: skip
        (word_count, content_words, content_characters, alphabetic, letters, spaces, dots) = words.count(
            of_bits, blocks
        )
        out[0] = total
        out[1] = letters
        out[2] = uppercase
        out[3] = digits
        out[4] = symbols
        out[5] = spaces
        out[_WORDS] = word_count
        out[_WORDS + 1] = content_words
        out[_WORDS + 2] = content_characters
        out[_WORDS + 3] = alphabetic
        out[_HASHES] = hash_signs
        out[_HASHES + 1] = ellipses + dots
        out[_FILLED + 4] = newlines

        line_room = (_bits_set(of_bits, blocks, masks.BREAK) if other_breaks else newlines) + 1
        if line_room > lines_room or line_room < _KEPT_ITEMS < lines_room:
            lines_room = _roomier(line_room, _KEPT_ITEMS)
            of_lines = np.empty(3 * lines_room, np.int32)
        item_room = (
            max(line_room, word_count + 2 * scripts) + 1
        )  # a code point of these scripts begins two words at most
        if item_room > items_room or item_room < _KEPT_ITEMS < items_room:
            items_room = _roomier(item_room, _KEPT_ITEMS)
            of_items = np.empty(6 * items_room, np.int32)
            hashes = np.empty(2 * items_room, np.uint64)
            sketch = np.empty(1 << min(sketch_bits(items_room), top_grams.TALLY_BITS), np.uint16)
            marks = np.empty(1 << sketch_bits(items_room), np.uint8)
            slots = np.empty(1 << table_bits(items_room), np.int32)

        starts, ends, filled = pointer(of_lines, 0), pointer(of_lines, lines_room), pointer(of_lines, 2 * lines_room)
        begin, stop, third = pointer(of_items, 0), pointer(of_items, items_room), pointer(of_items, 2 * items_room)
        fourth, places, characters = (
            pointer(of_items, 3 * items_room), pointer(of_items, 4 * items_room), pointer(of_items, 5 * items_room)
        )  # fmt: skip
        keys, of_words, of_slots = pointer(hashes, 0), pointer(hashes, items_room), pointer(slots, 0)
        scratch = (begin, stop, third, fourth, places, characters)
        sketches = (pointer(sketch, 0), pointer(marks, 0))
        line_count, out[_LINES] = lines.find(source, low, size, of_bits, masks.BREAK, blocks, starts, ends, filled)
        out[_HASHES + 2], out[_HASHES + 3], out[_LINES + 1] = lines.shapes(
            source, low, of_bits, of_blocks, high, line_count, starts, ends, filled
        )
        if other_breaks:
            line_count, _ = lines.find(source, low, size, of_bits, masks.NEWLINE, blocks, starts, ends, filled)
        out[_FILLED], out[_FILLED + 1], out[_FILLED + 2] = lines.endings(
            source, low, kinds, of_bits, of_blocks, high, line_count, starts, ends, filled
        )
        repeats, out[_PARAGRAPHS + 5], out[_FILLED + 3] = lines.duplicates(
            source, low, of_bits, of_blocks, high, line_count, starts, ends, filled, keys, of_slots
        )
        begins_empty = size > 0 and source[low] == 10
        ends_empty = size > 0 and source[low + size - 1] == 10
        out[_PARAGRAPHS + 3] = line_count + begins_empty + ends_empty + (size == 0)
        out[_PARAGRAPHS + 4] = repeats + (begins_empty and ends_empty)  # "" before and after: one repeats the other
        count = lines.paragraphs(of_bits, line_count, starts, ends, filled, begin, stop)
        out[_PARAGRAPHS] = count
        out[_PARAGRAPHS + 1], out[_PARAGRAPHS + 2], _ = lines.duplicates(
            source, low, of_bits, of_blocks, high, count, begin, stop, stop, keys, of_slots
        )

        words.find(of_bits, blocks, begin, stop)
        _repetition(
            source, low, of_bits, of_blocks, high, word_count, scratch, keys, of_words, pointer(joined, 0), sketches, of_slots,
            pointer(ready, d % _TOGETHER * features + _TOP),
        )  # fmt: skip
        out[_WORDS + 4] = words.stop_words(of_words, word_count, of_stops)
        if scripts:
            word_count, content_words, content_characters, alphabetic = words.split(
                source, low, size, kinds, begin, stop
            )
            out[_UNICODE] = word_count
            out[_UNICODE + 1] = content_words
            out[_UNICODE + 2] = content_characters
            out[_UNICODE + 3] = alphabetic
            _repetition(
                source, low, of_bits, of_blocks, high, word_count, scratch, keys, of_words, pointer(joined, 0), sketches,
                of_slots, pointer(ready, d % _TOGETHER * features + _UNICODE_TOP),
            )  # fmt: skip
        else:
            for k in range(4):
                out[_UNICODE + k] = out[_WORDS + k]
            for k in range(9):
                out[_UNICODE_TOP + k] = out[_TOP + k]
        if d % _TOGETHER == _TOGETHER - 1 or d == offsets.shape[0] - 2:
            first = d - d % _TOGETHER
            for k in range(features):
                for row in range(d - first + 1):
                    counts[k, first + row] = ready[row * features + k]


@jit.inner
def _repetition(
    source: Bytes, low: int, bits: Any, before: Any, high: bool, count: int, scratch: Any, keys: Any, of_words: Any,
    joined: Bytes, sketches: Any, slots: Any, out: Any,
) -> None:  # fmt: skip
    """The nine n-gram features, into out[0:9], of the words whose positions are in the first two of `scratch`.

    Leaves the hashes of the words in of_words.
    """
    first, second, third, fourth, offsets, characters = scratch
    size = words.join(source, low, bits, before, high, count, first, second, of_words, joined, offsets, characters)
    short = size <= 2 * count  # two bytes a word or fewer: an ordinary text has 4 to 6, and is not looked at for it
    out[0], out[1], out[2] = top_grams.top(
        of_words, characters, count, short, sketches[0], keys, first, second, third, slots
    )
    repeated_grams.repeated(
        joined, offsets, characters, count, sketches[1], keys, first, second, third, fourth, slots, out
    )


@jit.inner
def _roomier(wanted: int, kept: int) -> Any:
    """How much to allocate: more than wanted, so that slightly larger texts fit as well, but no more for what is not kept."""
    return wanted if wanted >= kept else min(wanted + wanted // 4 + 1024, kept)


@jit.inner
def _bits_set(bits: Any, blocks: int, row: int) -> Any:
    total = 0
    for b in range(blocks):
        total += ones(bits[row][b])
    return total
