"""What a score of every block says around each of them: neighbours, windows, ancestors, like blocks, headings."""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, FIRST_BLOCK, LAST_BLOCK, PARENT
from pipeline.kernels.html.options import entry

NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (4, 10, 30)
LEVELS = 7
MISSING = -99.0
NAMES = (
    ["score"] + [f"score{n:+d}" for n in NEIGHBOURS] + [f"scores_{side}{n}" for n in WINDOWS for side in ("before", "after")]
    + [f"scores_level{n}" for n in range(LEVELS)] + ["scores_path", "scores_parent", "score_heading", "score_major_heading"]
    + ["scores_page", "scores_best", "scores_best_before", "scores_best_after"]
)  # fmt: skip
COUNT = len(NAMES)


@entry
def fill(
    scores: Any,
    scale: float,
    blocks: Any,
    boxes: Any,
    words: Any,
    headings: Any,
    path_group: Any,
    paths: int,
    parent_group: Any,
    parents: int,
    count: int,
    sums: Any,
    tallies: Any,
    at: int,
    out: Any,
) -> Any:
    """Fill COUNT columns of `out` from column `at` on. Means are weighted by the square root of a block's words.

    `scores` int32, in units of `scale`; `sums` (count + 1, 2) and `tallies` (groups, 2), float64, are scratch.
    """
    sums[0] = 0.0
    best = -1e9
    for b in range(count):
        weight = np.sqrt(float(words[b, w.WORDS])) + 0.5
        value = scores[b] * scale
        sums[b + 1, 0] = sums[b, 0] + value * weight
        sums[b + 1, 1] = sums[b, 1] + weight
        best = max(best, value)
    running = -1e9
    for b in range(count):
        value = scores[b] * scale
        weight = sums[b + 1, 1] - sums[b, 1]
        o = out[b]
        o[at] = value
        j = at + 1
        for k in range(len(NEIGHBOURS)):
            other = b + NEIGHBOURS[k]
            o[j] = scores[other] * scale if 0 <= other < count else MISSING
            j += 1
        for k in range(len(WINDOWS)):
            low, high = max(b - WINDOWS[k], 0), min(b + WINDOWS[k] + 1, count)
            o[j] = (sums[b, 0] - sums[low, 0]) / max(sums[b, 1] - sums[low, 1], 0.1)
            o[j + 1] = (sums[high, 0] - sums[b + 1, 0]) / max(sums[high, 1] - sums[b + 1, 1], 0.1)
            j += 2
        box = np.int64(blocks[b, BOX])
        for _ in range(LEVELS):
            first, last = boxes[box, FIRST_BLOCK], boxes[box, LAST_BLOCK]
            o[j] = (sums[last, 0] - sums[first, 0] - value * weight) / max(sums[last, 1] - sums[first, 1] - weight, 0.1)
            box = np.int64(max(boxes[box, PARENT], 0))
            j += 1
        running = max(running, value)
        o[at + COUNT - 4] = sums[count, 0] / sums[count, 1]
        o[at + COUNT - 3] = best
        o[at + COUNT - 2] = running
    running = -1e9
    for b in range(count - 1, -1, -1):
        running = max(running, scores[b] * scale)
        out[b, at + COUNT - 1] = running
    for which in range(2):
        groups = parents if which else paths
        tallies[:groups] = 0.0
        for b in range(count):
            g = parent_group[b] if which else path_group[b]
            tallies[g, 0] += sums[b + 1, 0] - sums[b, 0]
            tallies[g, 1] += sums[b + 1, 1] - sums[b, 1]
        for b in range(count):
            g = parent_group[b] if which else path_group[b]
            out[b, at + COUNT - 8 + which] = tallies[g, 0] / tallies[g, 1]
            heading = headings[b, which]
            out[b, at + COUNT - 6 + which] = scores[heading] * scale if heading >= 0 else MISSING
