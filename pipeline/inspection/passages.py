"""The words of a passage, and its grams that an index of passages holds: the rule of `kernels.passage_words` in plain Python.

A passage has some hundred words, so compiled code would take longer to load than this takes to run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.kernels.passage_words import EXTENDING, FOLDED, GRAM, KATAKANA, LETTER, SINGLE, WINDOW, table

_MASK = (1 << 64) - 1
_GOLDEN, _SECOND, _THIRD = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xC2B2AE3D27D4EB4F


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared, and where it stands: text[start:end], in code points."""

    folded: tuple[int, ...]
    start: int
    end: int


def words(text: str, most: int | None = None) -> list[Word]:
    """The words of a text, or the first `most`."""
    entries = table()[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)].tolist()
    found: list[Word] = []
    letters: list[int] = []
    start = kind = 0
    for place, entry in enumerate(entries):
        if entry & EXTENDING:
            own = kind
        elif entry & LETTER:
            own = entry & (SINGLE | KATAKANA) or LETTER
        else:
            own = 0
        begins = own and not entry & EXTENDING and (own != kind or own == SINGLE)
        if kind and (begins or not own):
            found.append(Word(tuple(letters), start, place))
            if len(found) == most:
                return found
            kind = 0
        if begins:
            start, kind, letters = place, own, []
        if own:
            letters.append(entry & FOLDED)
    if kind:
        found.append(Word(tuple(letters), start, len(entries)))
    return found


def kept(passage: Sequence[Word]) -> list[tuple[int, int]]:
    """The grams that winnowing keeps: (number of the first word, key), ascending."""
    hashes = [_word_hash(word.folded) for word in passage]
    grams = [_gram_hash(hashes[place : place + GRAM]) for place in range(len(hashes) - GRAM + 1)]
    places = {
        min(range(low, low + WINDOW), key=lambda place: (grams[place], -place))
        for low in range(len(grams) - WINDOW + 1)
    }
    return [(place, _finished(grams[place])) for place in sorted(places)]


def _word_hash(folded: Sequence[int]) -> int:
    h = 0
    for point in folded:
        h = (h + point + 1) * _SECOND & _MASK
    return _finished(h)


def _gram_hash(hashes: Sequence[int]) -> int:
    total = 0
    for h in hashes:
        total = (total * _GOLDEN + h) & _MASK
    return _finished(total)


def _finished(h: int) -> int:
    h = (h ^ h >> 29) * _THIRD & _MASK
    return h ^ h >> 32
