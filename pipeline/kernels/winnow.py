"""The grams of each text that winnowing keeps, and where they stand: what an index of passages is made of.

The rule is in `kernels.passage_words`. One pass over the UTF-8, one code point at a time; of a text only its last words and
grams are in memory.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import jit, passage_words
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.bits import signed
from pipeline.kernels.hashing import GOLDEN, SECOND, finished
from pipeline.kernels.masks import code_point

MARK = 256  # words between two marks

_GRAM, _WINDOW = passage_words.GRAM, passage_words.WINDOW
_FOLDED = np.uint32(passage_words.FOLDED)
_LETTER, _SINGLE = np.uint32(passage_words.LETTER), np.uint32(passage_words.SINGLE)
_KATAKANA, _EXTENDING = np.uint32(passage_words.KATAKANA), np.uint32(passage_words.EXTENDING)
_OTHER = np.uint32(1)
_NOTHING = np.uint32(0)

Grams = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint32], int]


def grams(texts: "pa.StringArray | pa.LargeStringArray", before: int) -> Grams:
    """Keys (n,) uint64 and places (n,) uint32 of the grams that are kept; begins (texts,) uint32; marks; and the words of all.

    `before`: words of texts that went before: words are numbered through all texts of an index, and places and begins (the
    first word of each text) are such numbers. marks: for each word whose number is a multiple of MARK, in order, the byte of
    its text at which it begins. Raises OverflowError where numbers leave 32 bits, else as `utf8_buffers` does.
    """
    offsets, data = utf8_buffers(texts)
    data.flags.writeable = False  # whatever the buffer's owner says: one type, one compilation
    size = int(offsets[-1] - offsets[0])
    begins = np.empty(len(texts), np.uint32)
    marks = np.empty(size // MARK + 2, np.uint32)
    room = size // 12 + 64
    while True:
        keys, places = np.empty(room, np.uint64), np.empty(room, np.uint32)
        count, words, marked = _grams(data, offsets, passage_words.table(), before, keys, places, begins, marks)
        if before + words > 0xFFFFFFFF:
            raise OverflowError(f"{before + words:,} words; wanted at most 2^32 - 1")
        if count <= room:
            return keys[:count].copy(), places[:count].copy(), begins, marks[:marked].copy(), words
        room = count


@jit.entry
def _grams(data: Any, offsets: Any, table: Any, before: int, keys: Any, places: Any, begins: Any, marks: Any) -> Any:
    """Fill the arrays; returns how many grams there are (more than fit are counted only), words, and marks."""
    hashes = np.zeros(_GRAM, np.uint64)
    window = np.zeros(_WINDOW, np.uint64)
    count = words = marked = 0
    for d in range(offsets.shape[0] - 1):
        low, end = offsets[d], offsets[d + 1]
        first = words
        begins[d] = before + words
        last = -1  # of the text's grams that were kept, the last one
        kind = _NOTHING  # of the word under way
        h = np.uint64(0)
        i = low
        while True:
            own = _NOTHING
            entry = _NOTHING
            width = 0
            if i < end:
                point, width = code_point(data, i)
                entry = np.uint32(table[point])
                if entry & _EXTENDING:
                    own = kind  # of the word before it, if there is one
                elif entry & _LETTER:
                    own = entry & (_SINGLE | _KATAKANA)
                    own = own if own else _OTHER
            begin = own != _NOTHING and not entry & _EXTENDING and (own != kind or own == _SINGLE)
            if kind != _NOTHING and (begin or own == _NOTHING):
                number = words - first
                hashes[number % _GRAM] = finished(h)
                words += 1
                if number >= _GRAM - 1:
                    gram = number - (_GRAM - 1)
                    total = np.uint64(0)
                    for k in range(_GRAM):
                        total = total * GOLDEN + hashes[(gram + k) % _GRAM]
                    window[gram % _WINDOW] = finished(total)
                    if gram >= _WINDOW - 1:
                        least = gram
                        for k in range(gram - 1, gram - _WINDOW, -1):
                            if window[k % _WINDOW] < window[least % _WINDOW]:
                                least = k
                        if least != last:
                            last = least
                            if count < keys.shape[0]:
                                keys[count] = finished(window[least % _WINDOW])
                                places[count] = before + first + least
                            count += 1
                kind = _NOTHING
            if i >= end:
                break
            if begin:
                kind = own
                h = np.uint64(0)
                if (before + words) % MARK == 0:
                    marks[marked] = i - low
                    marked += 1
            if own != _NOTHING:
                h = (h + np.uint64(signed(entry & _FOLDED) + 1)) * SECOND
            i += width
    return count, words, marked
