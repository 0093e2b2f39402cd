"""Which words of a page are in its truth: an alignment of two sequences of words that prefers long runs.

Truths are text without places, and a page has the same words in several of them (a teaser and the article, a menu and a
heading). So words are aligned in order, and a new run of matches costs something: the alignment with the highest number of
matching words minus the cost of runs (global alignment with affine gaps, Gotoh 1982). What is left of the truth is aligned
again, twice, with the rest of the page, because pages show parts in another order than their truths.
"""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

FIRST_COST, LATER_COST = 1.3, 2.3  # of a run of matches, in words
ROUNDS = 3
MOST = 1_500_000_000  # cells of one alignment's table; larger ones are left out

_GAP_PAGE, _GAP_TRUTH, _MATCH, _GOES_ON = 0, 1, 2, 4


@numba.njit(cache=True)
def matches(page: Any, truth: Any, cost: float) -> Any:
    """Return for each word of `page` (numbers; -1 matches nothing) the word of `truth` it is aligned with, or -1."""
    n, m = page.shape[0], truth.shape[0]
    back = np.zeros((n + 1, m + 1), np.uint8)
    in_match, in_gap = np.full(m + 1, -1e9, np.float32), np.zeros(m + 1, np.float32)
    next_match, next_gap = np.full(m + 1, -1e9, np.float32), np.zeros(m + 1, np.float32)
    for i in range(1, n + 1):
        next_gap[0] = 0
        word = page[i - 1]
        for j in range(1, m + 1):
            best, way = in_gap[j], _GAP_PAGE
            if next_gap[j - 1] > best:
                best, way = next_gap[j - 1], _GAP_TRUTH
            next_match[j] = -1e9
            if word >= 0 and word == truth[j - 1]:
                goes_on, begins = in_match[j - 1] + 1, in_gap[j - 1] + 1 - cost
                matched = max(goes_on, begins)
                run = _GOES_ON if goes_on >= begins else 0
                if matched >= best:
                    best, way = matched, _MATCH
                next_match[j] = matched
                back[i, j] = way | run
            else:
                back[i, j] = way
            next_gap[j] = best
        for j in range(m + 1):
            in_match[j], in_gap[j] = next_match[j], next_gap[j]
    found = np.full(n, -1, np.int32)
    i, j = n, m
    inside = False
    while i > 0 and j > 0:
        step = back[i, j]
        if inside or step & 3 == _MATCH:
            found[i - 1] = j - 1
            inside = step & _GOES_ON != 0
            i -= 1
            j -= 1
        elif step & 3 == _GAP_PAGE:
            i -= 1
        else:
            j -= 1
    return found


def shares(blocks: Sequence[Sequence[str]], truth: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the share of each block's words that are in the truth; 0 for a block without words."""
    numbers: dict[str, int] = {}
    wanted = np.array([numbers.setdefault(word, len(numbers)) for word in truth], np.int32)
    words = np.array([numbers.get(word, -1) for block in blocks for word in block], np.int32)
    lengths = np.array([len(block) for block in blocks], np.int64)
    got = np.zeros(len(words), np.bool_)
    places = np.arange(len(words))
    for turn in range(ROUNDS):
        if not len(places) or len(wanted) < 3 or len(places) * len(wanted) > MOST:
            break
        found = matches(words[places], wanted, np.float32(FIRST_COST if turn == 0 else LATER_COST))
        hit = found >= 0
        if not hit.any():
            break
        got[places[hit]] = True
        left = np.ones(len(wanted), np.bool_)
        left[found[hit]] = False
        wanted, places = wanted[left], places[~hit]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    sums = np.concatenate([[0], np.cumsum(got)])
    return (sums[ends[1:]] - sums[ends[:-1]]) / np.maximum(lengths, 1)
