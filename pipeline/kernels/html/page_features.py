"""The features of a page as a whole: what it says of itself, how much text, links and prose it has, and under which classes."""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX
from pipeline.kernels.html.class_signals import FAR, NEAR_NAMES
from pipeline.kernels.html.options import entry
from pipeline.kernels.html.page_signals import PAGE_COLUMNS, PAGE_NAMES
from pipeline.kernels.html.signals import (
    BLOCKS,
    BOXES,
    PATHS,
    S_CHARACTERS,
    S_LINKED,
    S_PROSE,
    S_PROSE_WORDS,
    S_WORDS,
    T_BLOCKS,
)
from pipeline.kernels.html.vocabulary import listed
from pipeline.kernels.html.word_signals import PRIME, SEED, hashed, mixed_plain

LONG = 40  # words of a long block


def text_hash(text: str) -> int:
    """Return the hash that `read_words` gives a block of these words."""
    value = int(SEED)
    for word in text.split():
        value = (value ^ hashed(word)) * int(PRIME) & 2**64 - 1
    return mixed_plain(value)


PHRASES = {
    "cart": "add to cart|add to bag|add to basket|buy now|in den warenkorb|ajouter au panier",
    "reply": "reply|quote|report|permalink|like",
    "cookies": "accept all|accept|reject all|accept cookies|cookie settings",
    "more": "read more|learn more|view all|show more|see all|load more",
}
_OWN = listed(
    """
blocks words link_share prose_share prose_words_share boxes bytes words_a_block priced dated like_blocks
long_blocks most_words foreign
    """
)
NAMES = (
    [f"page_{name}" for name in _OWN] + [f"page_phrase_{name}" for name in PHRASES] + [f"page_{name}" for name in NEAR_NAMES]
    + [f"page_{name}" for name in PAGE_NAMES]
)  # fmt: skip
COUNT = len(NAMES)
_PHRASES, _NEAR = len(_OWN), len(_OWN) + len(PHRASES)
_NEAR_COUNT = len(NEAR_NAMES)
_PAGE = _NEAR + _NEAR_COUNT
_HASHES = np.array([text_hash(p) for phrases in PHRASES.values() for p in phrases.split("|")], np.uint64)
_WHICH = np.array([i for i, phrases in enumerate(PHRASES.values()) for _ in phrases.split("|")], np.int64)


@entry
def fill(s: Any, page: Any, size: int, held: Any, out: Any) -> Any:
    """Fill `out` (COUNT; float32). `page`: the row of `page_signals`; `size`: bytes of the page.

    `held` (NEAR_COLUMNS; int64) is scratch.
    """
    count = s.facts[BLOCKS]
    out[:] = 0
    held[:] = 0
    total = float(max(s.sums[count, S_WORDS], 1))
    n = float(max(count, 1))
    out[0] = count
    out[1] = total
    out[2] = s.sums[count, S_LINKED] / float(max(s.sums[count, S_CHARACTERS], 1))
    out[3] = s.sums[count, S_PROSE] / n
    out[4] = s.sums[count, S_PROSE_WORDS] / total
    out[5] = s.facts[BOXES]
    out[6] = size
    out[7] = total / n
    priced = dated = most = long = foreign = largest = 0
    for b in range(count):
        row = s.words[b]
        k = row[w.WORDS]
        priced += row[w.PRICED]
        dated += row[w.DATED]
        foreign += row[w.FOREIGN]
        long += k > LONG
        most = max(most, k)
        for i in range(len(_HASHES)):
            if s.texts[b] == _HASHES[i]:
                out[_PHRASES + _WHICH[i]] += 1
        distances = s.near[s.blocks[b, BOX]]
        for i in range(_NEAR_COUNT):
            held[i] += k if distances[i] < FAR else 0
    for i in range(_NEAR_COUNT):
        out[_NEAR + i] = held[i] / total
    for g in range(s.facts[PATHS]):
        largest = max(largest, s.path_tally[g, T_BLOCKS])
    out[8] = priced / n
    out[9] = dated / n
    out[10] = largest
    out[11] = long
    out[12] = most
    out[13] = foreign / total
    for i in range(PAGE_COLUMNS):
        out[_PAGE + i] = page[i]
