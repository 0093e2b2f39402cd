"""The longest runs of a passage's words that stand in a document, where no document holds all of it.

Every gram that winnowing keeps of the passage is looked up. Two that are neighbours in the passage and stand in a document at
the same distance are links of a chain; a chain is a run of words that a document has, but for a word between two grams and
some words at its ends. These are read from the text, so what is told is certain. Any run of at least LEAST words holds a gram
that is kept, so none is overlooked, unless a bound was reached: then the answer is `cut`.

The idea is that of OLMoTrace (Liu et al. 2025, "OLMoTrace: tracing language model outputs back to trillions of training
tokens"), which finds such runs in a suffix array.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.inspection import passages
from pipeline.inspection.passages import Word
from pipeline.inspection.trace_index import Index, Segment
from pipeline.inspection.trace_texts import Texts, documents
from pipeline.kernels.passage_words import LEAST, WINDOW

PAIRS = 1 << 21  # places of grams that are chained, the rarest grams first
READ = 500  # places at which texts are read
EACH = 20  # of these, for one chain of grams

Lookup = Callable[[Index, Segment, int], tuple[int, int]]
Chain = tuple[
    Segment, int, int
]  # where one stands: document, and the number that the passage's first word would have there


def longest(index: Index, texts: Texts, words: Sequence[Word], lookup: Lookup) -> tuple[list[tuple[int, int]], bool]:
    """Runs as (first word, behind the last), none within another, the longest first; and whether some may be missing."""
    grams = passages.kept(words)
    ranges = []
    for segment in index.segments:
        for number, (_, key) in enumerate(grams):
            low, high = lookup(index, segment, key)
            if low < high:
                ranges.append((high - low, segment.number, number, low))
    ranges.sort()
    sums = np.cumsum([one[0] for one in ranges])
    taken = int(np.searchsorted(sums, PAIRS, "right"))
    cut = taken < len(ranges)
    chains: dict[tuple[int, int], list[Chain]] = {}
    for segment in index.segments:
        own = [(number, low, count) for count, place, number, low in ranges[:taken] if place == segment.number]
        if own:
            _chains(index, segment, grams, own, chains)
    runs: set[tuple[int, int]] = set()
    left = READ
    for (first, last), places in sorted(chains.items(), key=lambda one: (-_span(grams, *one[0]), one[0])):
        # In the first window of a run a gram is kept, and in its last one: no run goes on farther than a window.
        low = max(0, grams[first][0] - WINDOW + 1)
        high = min(len(words), grams[last][0] + LEAST)
        if any(begin <= low and high <= end for begin, end in runs):
            continue
        cut = cut or len(places) > EACH
        for chain in places[:EACH]:
            if not left:
                return _ordered(runs), True
            left -= 1
            runs.update(_common(index, texts, words, chain, low, high))
    return _ordered(runs), cut


def _span(grams: Sequence[tuple[int, int]], first: int, last: int) -> int:
    return grams[last][0] - grams[first][0]


def _chains(
    index: Index,
    segment: Segment,
    grams: Sequence[tuple[int, int]],
    ranges: Any,
    chains: dict[tuple[int, int], list[Chain]],
) -> None:
    """Enter the chains of a segment by their first and last gram."""
    entries = index.array(segment, "entries")
    at = [(entries[low : low + count] & np.uint64(0xFFFFFFFF)).astype(np.int64) for _, low, count in ranges]
    numbers = np.concatenate([np.full(len(own), number) for own, (number, _, _) in zip(at, ranges, strict=True)])
    place = np.concatenate(at)
    start = place - np.array([where for where, _ in grams])[numbers]
    own = documents(index, segment, place)
    order = np.lexsort((numbers, start, own))
    numbers, start, own = numbers[order], start[order], own[order]
    links = (np.diff(numbers) == 1) & (np.diff(start) == 0) & (np.diff(own) == 0)
    firsts = np.flatnonzero(np.append(True, ~links))
    lasts = np.append(firsts[1:], len(numbers)) - 1
    kinds = numbers[firsts] * len(grams) + numbers[lasts]
    order = np.argsort(kinds, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1):
        known = chains.setdefault(divmod(int(kinds[part[0]]), len(grams)), [])
        room = max(0, EACH + 1 - len(known))
        known += [(segment, int(own[firsts[one]]), int(start[firsts[one]])) for one in part[:room]]


def _common(
    index: Index, texts: Texts, words: Sequence[Word], chain: Chain, low: int, high: int
) -> list[tuple[int, int]]:
    """The runs of LEAST words or more, of the words low to high of the passage, that the document has at that place."""
    segment, document, start = chain
    begins = index.array(segment, "begins")
    low = max(low, int(begins[document]) - start)
    high = min(high, int(begins[document + 1]) - start)
    found = texts.words(segment, document, start + low, high - low)
    same = [word.folded == own.folded for word, own in zip(found, words[low:high], strict=False)]
    bounds = np.flatnonzero(np.diff(np.array([0, *same, 0]))).reshape(-1, 2) + low
    return [(int(first), int(last)) for first, last in bounds if last - first >= LEAST]


def _ordered(runs: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs that are within no other, the longest first."""
    outer = [one for one in runs if not any(a <= one[0] and one[1] <= b and (a, b) != one for a, b in runs)]
    return sorted(outer, key=lambda one: (one[0] - one[1], one[0]))
