"""The features of a page as a whole: what it says of itself, how much text, links and prose it has, and under which classes."""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX
from pipeline.kernels.html.class_signals import FAR, NEAR_NAMES
from pipeline.kernels.html.features import S_CHARACTERS, S_LINKED, S_PROSE, S_PROSE_WORDS, S_WORDS
from pipeline.kernels.html.options import entry
from pipeline.kernels.html.page_signals import PAGE_COLUMNS, PAGE_NAMES
from pipeline.kernels.html.word_signals import PRIME, SEED, hashed


def text_hash(text: str) -> int:
    """Return the hash that `read_words` gives a block of these words."""
    value = int(SEED)
    for word in text.split():
        value = (value ^ hashed(word)) * int(PRIME) & 2**64 - 1
    return int(mixed_plain(value))


def mixed_plain(value: int) -> int:
    value ^= value >> 32
    value = value * 0x9E3779B97F4A7C15 & 2**64 - 1
    return value ^ (value >> 29)


PHRASES = {
    "cart": "add to cart|add to bag|add to basket|buy now|in den warenkorb|ajouter au panier",
    "reply": "reply|quote|report|permalink|like",
    "cookies": "accept all|accept|reject all|accept cookies|cookie settings",
    "more": "read more|learn more|view all|show more|see all|load more",
}
_OWN = [
    "blocks",
    "words",
    "link_share",
    "prose_share",
    "prose_words_share",
    "boxes",
    "bytes",
    "words_a_block",
    "priced",
    "dated",
    "like_blocks",
    "long_blocks",
    "most_words",
    "foreign",
]
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
def fill(
    blocks: Any,
    near: Any,
    words: Any,
    texts: Any,
    sums: Any,
    path_group: Any,
    page: Any,
    count: int,
    box_count: int,
    size: int,
    tallies: Any,
    out: Any,
) -> Any:
    """Fill `out` (COUNT; float32). `page`: the row of `page_signals`; `size`: bytes of the page."""
    out[:] = 0
    total = float(max(sums[count, S_WORDS], 1))
    n = float(max(count, 1))
    out[0] = count
    out[1] = total
    out[2] = sums[count, S_LINKED] / float(max(sums[count, S_CHARACTERS], 1))
    out[3] = sums[count, S_PROSE] / n
    out[4] = sums[count, S_PROSE_WORDS] / total
    out[5] = box_count
    out[6] = size
    out[7] = total / n
    priced = dated = most = long = largest = foreign = 0
    held = tallies
    for i in range(_NEAR_COUNT):
        held[i, 0] = 0
    for b in range(count):
        row = words[b]
        k = row[w.WORDS]
        priced += row[w.PRICED]
        dated += row[w.DATED]
        foreign += row[w.FOREIGN]
        long += k > 40
        most = max(most, k)
        for i in range(len(_HASHES)):
            if texts[b] == _HASHES[i]:
                out[_PHRASES + _WHICH[i]] += 1
        distances = near[blocks[b, BOX]]
        for i in range(_NEAR_COUNT):
            held[i, 0] += k if distances[i] < FAR else 0
    for i in range(_NEAR_COUNT):
        out[_NEAR + i] = held[i, 0] / total
    for b in range(count):
        held[path_group[b], 1] = 0
    for b in range(count):
        g = path_group[b]
        held[g, 1] += 1
        largest = max(largest, held[g, 1])
    out[8] = priced / n
    out[9] = dated / n
    out[10] = largest
    out[11] = long
    out[12] = most
    out[13] = foreign / total
    for i in range(PAGE_COLUMNS):
        out[_PAGE + i] = page[i]
