"""Sums of regression trees (gradient boosting), evaluated so that they are the same on every machine.

A tree of depth D is stored as a whole binary tree: 2**D - 1 splits, in the order of a heap (the children of i are 2 i + 1 and
2 i + 2), then 2**D leaves. A row goes right where its feature is above the threshold (both float32); what LightGBM made
shallower is filled up with splits that send everything left. Leaves are integers: their sum does not depend on the order.

Most rows are clear after a part of the trees: with `early` trees and a `margin`, a row whose sum is at or beyond the margin
then is not evaluated further; its sum is doubled, which is about where the other trees would take it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html.options import entry, inner

LEAF_SCALE = 1 << 16  # leaves are in 1/65536
TILE = 32  # rows whose features stay in the first-level cache while all trees pass over them


@dataclass(frozen=True, slots=True)
class Trees:
    """`features` (trees, splits) uint16, `thresholds` (trees, splits) float32, `leaves` (trees, splits + 1) int32.

    `early`: trees after which clear rows stop (0: none do); `margin`: what is clear, in the unit of leaves.
    """

    features: npt.NDArray[np.uint16]
    thresholds: npt.NDArray[np.float32]
    leaves: npt.NDArray[np.int32]
    early: int = 0
    margin: int = 0

    @property
    def depth(self) -> int:
        return int(self.leaves.shape[1]).bit_length() - 1

    def score(self, matrix: npt.NDArray[np.float32], count: int, scores: npt.NDArray[np.int32]) -> None:
        """Fill `scores` (count) with the sum of the leaves that each row of `matrix` reaches."""
        rows = np.empty(TILE, np.int64)
        score(
            matrix, count, self.features, self.thresholds, self.leaves, self.depth, self.early, self.margin, rows, scores
        )  # fmt: skip


@inner
def add(
    matrix: Any,
    rows: Any,
    count: int,
    features: Any,
    thresholds: Any,
    leaves: Any,
    depth: int,
    first: int,
    last: int,
    scores: Any,
) -> Any:
    """Add trees first to last to the scores of `count` rows, four of which go down side by side: each step waits for memory."""
    splits = leaves.shape[1] - 1
    for tree in range(first, last):
        feature, threshold, leaf = features[tree], thresholds[tree], leaves[tree]
        at = 0
        while at + 4 <= count:
            a, b, c, d = matrix[rows[at]], matrix[rows[at + 1]], matrix[rows[at + 2]], matrix[rows[at + 3]]
            i = j = k = m = np.uint32(0)
            for _ in range(depth):
                i = np.uint32(2 * i + 1 + np.uint32(a[feature[i]] > threshold[i]))
                j = np.uint32(2 * j + 1 + np.uint32(b[feature[j]] > threshold[j]))
                k = np.uint32(2 * k + 1 + np.uint32(c[feature[k]] > threshold[k]))
                m = np.uint32(2 * m + 1 + np.uint32(d[feature[m]] > threshold[m]))
            scores[rows[at]] += leaf[i - splits]
            scores[rows[at + 1]] += leaf[j - splits]
            scores[rows[at + 2]] += leaf[k - splits]
            scores[rows[at + 3]] += leaf[m - splits]
            at += 4
        while at < count:
            a = matrix[rows[at]]
            i = np.uint32(0)
            for _ in range(depth):
                i = np.uint32(2 * i + 1 + np.uint32(a[feature[i]] > threshold[i]))
            scores[rows[at]] += leaf[i - splits]
            at += 1


@entry
def score(
    matrix: Any,
    count: int,
    features: Any,
    thresholds: Any,
    leaves: Any,
    depth: int,
    early: int,
    margin: int,
    rows: Any,
    scores: Any,
) -> Any:
    """Fill `scores` (count; int32); `rows` (TILE; int64) is scratch."""
    trees = features.shape[0]
    for first in range(0, count, TILE):
        used = min(first + TILE, count) - first
        for i in range(used):
            rows[i] = first + i
            scores[first + i] = 0
        add(matrix, rows, used, features, thresholds, leaves, depth, 0, early, scores)
        if early:
            left = 0
            for i in range(used):
                if -margin < scores[rows[i]] < margin:
                    rows[left] = rows[i]
                    left += 1
                else:
                    scores[rows[i]] *= 2
            used = left
        add(matrix, rows, used, features, thresholds, leaves, depth, early, trees, scores)
