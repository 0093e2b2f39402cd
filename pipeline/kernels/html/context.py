"""What a score of every block says around each of them: neighbours, windows, ancestors, like blocks, headings."""

from typing import Any, NamedTuple

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, FIRST_BLOCK, LAST_BLOCK, PARENT
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.signals import BLOCKS, PARENTS, PATHS

NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (4, 10, 30)
LEVELS = 7
MISSING = -99.0  # where there is no such block
LEAST_WEIGHT = 0.1
NAMES = (
    ["score"] + [f"score{n:+d}" for n in NEIGHBOURS] + [f"scores_{side}{n}" for n in WINDOWS for side in ("before", "after")]
    + [f"scores_level{n}" for n in range(LEVELS)] + ["scores_path", "scores_parent", "score_heading", "score_major_heading"]
    + ["scores_page", "scores_best", "scores_best_before", "scores_best_after"]
)  # fmt: skip
COUNT = len(NAMES)


class Scores(NamedTuple):
    """Scores of blocks, in 1/`unit`, and their sums: float64, means weighted by the square root of a block's words.

    values int32; sums (blocks + 1, 2): score times weight and weight of the blocks before; paths, parents (groups, 2): the same
    of groups of like blocks; best (blocks, 2) int32: the highest score up to the block, and from it on.
    """

    values: Any
    sums: Any
    paths: Any
    parents: Any
    best: Any


@inner
def sum_groups(sums: Any, count: int, groups: int, which: Any, tally: Any) -> Any:
    tally[:groups] = 0.0
    for b in range(count):
        g = which[b]
        tally[g, 0] += sums[b + 1, 0] - sums[b, 0]
        tally[g, 1] += sums[b + 1, 1] - sums[b, 1]


@entry
def sum_scores(s: Any, c: Any, unit: int) -> Any:
    """Fill the sums of `c` (Scores) from its values."""
    count = s.facts[BLOCKS]
    c.sums[0] = 0.0
    best = c.values[0]
    for b in range(count):
        weight = np.sqrt(float(s.words[b, w.WORDS])) + 0.5
        c.sums[b + 1, 0] = c.sums[b, 0] + c.values[b] / float(unit) * weight
        c.sums[b + 1, 1] = c.sums[b, 1] + weight
        best = max(best, c.values[b])
        c.best[b, 0] = best
    best = c.values[count - 1]
    for b in range(count - 1, -1, -1):
        best = max(best, c.values[b])
        c.best[b, 1] = best
    sum_groups(c.sums, count, s.facts[PATHS], s.path_group, c.paths)
    sum_groups(c.sums, count, s.facts[PARENTS], s.parent_group, c.parents)


@entry
def fill(s: Any, c: Any, unit: int, first: int, last: int, at: int, out: Any) -> Any:
    """Fill COUNT columns of `out` from column `at` on, for blocks first to last (exclusive)."""
    count = s.facts[BLOCKS]
    scale = float(unit)
    sums = c.sums
    for b in range(first, last):
        value = c.values[b] / scale
        weight = sums[b + 1, 1] - sums[b, 1]
        o = out[b - first]
        o[at] = value
        j = at + 1
        for k in range(len(NEIGHBOURS)):
            other = b + NEIGHBOURS[k]
            o[j] = c.values[other] / scale if 0 <= other < count else MISSING
            j += 1
        for k in range(len(WINDOWS)):
            low, high = max(b - WINDOWS[k], 0), min(b + WINDOWS[k] + 1, count)
            o[j] = (sums[b, 0] - sums[low, 0]) / max(sums[b, 1] - sums[low, 1], LEAST_WEIGHT)
            o[j + 1] = (sums[high, 0] - sums[b + 1, 0]) / max(sums[high, 1] - sums[b + 1, 1], LEAST_WEIGHT)
            j += 2
        box = np.int64(s.blocks[b, BOX])
        for _ in range(LEVELS):
            start, end = s.boxes[box, FIRST_BLOCK], s.boxes[box, LAST_BLOCK]
            others = sums[end, 1] - sums[start, 1] - weight
            o[j] = (sums[end, 0] - sums[start, 0] - value * weight) / max(others, LEAST_WEIGHT)
            box = np.int64(max(s.boxes[box, PARENT], 0))
            j += 1
        path, parent = c.paths[s.path_group[b]], c.parents[s.parent_group[b]]
        heading, major = s.headings[b, 0], s.headings[b, 1]
        o[j] = path[0] / path[1]
        o[j + 1] = parent[0] / parent[1]
        o[j + 2] = c.values[heading] / scale if heading >= 0 else MISSING
        o[j + 3] = c.values[major] / scale if major >= 0 else MISSING
        o[j + 4] = sums[count, 0] / sums[count, 1]
        o[j + 5] = c.best[count - 1, 0] / scale
        o[j + 6] = c.best[b, 0] / scale
        o[j + 7] = c.best[b, 1] / scale
