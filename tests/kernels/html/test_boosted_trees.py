"""Sums of regression trees against recursion in Python."""

import numpy as np
import pytest

from pipeline.kernels.html.boosted_trees import TILE, Trees


def made(seed: int, depth: int, trees: int, early: int = 0, margin: int = 0, features: int = 5) -> Trees:
    draw = np.random.default_rng(seed)
    splits = 2**depth - 1
    return Trees(
        draw.integers(0, features, (trees, splits)).astype(np.uint16),
        draw.integers(-3, 4, (trees, splits)).astype(np.float32),
        draw.integers(-1000, 1000, (trees, splits + 1)).astype(np.int32),
        early,
        margin,
    )


def leaf(trees: Trees, tree: int, row: list[float], at: int = 0) -> int:
    splits = trees.features.shape[1]
    if at >= splits:
        return int(trees.leaves[tree, at - splits])
    right = row[trees.features[tree, at]] > trees.thresholds[tree, at]
    return leaf(trees, tree, row, 2 * at + 1 + right)


def expected(trees: Trees, row: list[float]) -> int:
    leaves = [leaf(trees, tree, row) for tree in range(len(trees.leaves))]
    first = sum(leaves[: trees.early])
    if trees.early and abs(first) >= trees.margin:
        return 2 * first
    return sum(leaves)


def scored(trees: Trees, matrix: np.ndarray) -> list[int]:
    scores = np.full(len(matrix), 77, np.int32)
    trees.score(matrix, len(matrix), scores)
    return scores.tolist()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, TILE - 1, TILE, TILE + 1, 100])
@pytest.mark.parametrize(("early", "margin"), [(0, 0), (3, 900), (7, 1), (3, 100_000)])
def test_a_row_gets_the_sum_of_the_leaves_that_it_reaches(rows: int, early: int, margin: int) -> None:
    trees = made(rows, 4, 7, early, margin)
    # Integers, as thresholds are: many values are equal to a threshold, and go left.
    matrix = np.random.default_rng(rows).integers(-4, 5, (rows, 5)).astype(np.float32)
    assert scored(trees, matrix) == [expected(trees, row) for row in matrix.tolist()]


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_trees_of_any_depth_are_evaluated(depth: int) -> None:
    trees = made(depth, depth, 5)
    matrix = np.random.default_rng(depth).normal(size=(50, 5)).astype(np.float32)
    assert trees.depth == depth
    assert scored(trees, matrix) == [expected(trees, row) for row in matrix.tolist()]


def test_a_value_at_the_threshold_goes_left_and_the_next_float_goes_right() -> None:
    trees = Trees(np.zeros((1, 1), np.uint16), np.full((1, 1), 0.1, np.float32), np.array([[1, 2]], np.int32))
    at = np.float32(0.1)
    matrix = np.array([[at], [np.nextafter(at, np.float32(1))], [np.nextafter(at, np.float32(0))]], np.float32)
    assert scored(trees, matrix) == [1, 2, 1]


@pytest.mark.parametrize(("value", "score"), [(9, 8), (10, 20), (11, 22), (-9, -10), (-10, -20)])
def test_a_row_at_or_beyond_the_margin_stops_early_and_its_sum_is_doubled(value: int, score: int) -> None:
    leaves = np.array([[value, value], [-1, -1]], np.int32)
    trees = Trees(np.zeros((2, 1), np.uint16), np.zeros((2, 1), np.float32), leaves, early=1, margin=10)
    assert scored(trees, np.zeros((1, 1), np.float32)) == [score]


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    trees = made(1, 5, 9, 4, 500)
    matrix = np.random.default_rng(1).normal(size=(70, 5)).astype(np.float32)
    assert scored(trees, matrix) == [scored(trees, row.reshape(1, -1))[0] for row in matrix]
