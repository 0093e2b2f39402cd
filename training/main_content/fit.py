"""Fit the parts of the model: the linear score of tokens, trees of page types and blocks, the table of likelihoods."""

from typing import Any

import lightgbm
import numba
import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from pipeline.kernels.html import model
from pipeline.kernels.html.boosted_trees import LEAF_SCALE, Trees
from training.main_content.pages import TOKEN_BITS, UNIT, Pages

DEPTH, KIND_DEPTH = 7, 6
EARLY, MARGIN = 48, 3  # trees after which rows beyond the margin (in the logit) are clear
BLOCK_TREES, KIND_TREES = 240, 120
MOST_WEIGHT = 8.0


@numba.njit(cache=True)
def fit_linear(
    tokens: Any,
    start: Any,
    rows: Any,
    shares: Any,
    weights: Any,
    bits: int,
    epochs: int,
    rate: float,
    decay: float,
    seed: int,
) -> Any:
    """Fit a logistic regression on hashed tokens by AdaGrad (Duchi et al. 2011); returns weights and bias."""
    np.random.seed(seed)
    places = 1 << bits
    weight, squares = np.zeros(places, np.float32), np.full(places, 1e-6, np.float32)
    bias, bias_squares = 0.0, 1e-6
    for _ in range(epochs):
        np.random.shuffle(rows)
        for row in rows:
            total = bias
            for k in range(start[row], start[row + 1]):
                total += weight[tokens[k]]
            likely = 1 / (1 + np.exp(-max(-30.0, min(30.0, total))))
            step = (likely - shares[row]) * weights[row]
            bias_squares += step * step
            bias -= rate * step / np.sqrt(bias_squares)
            for k in range(start[row], start[row + 1]):
                place = tokens[k]
                slope = step + decay * weight[place]
                squares[place] += slope * slope
                weight[place] -= rate * slope / np.sqrt(squares[place])
    return weight, bias


@numba.njit(cache=True)
def score_linear(tokens: Any, start: Any, rows: Any, weight: Any, bias: float, scores: Any) -> None:
    for row in rows:
        total = bias
        for k in range(start[row], start[row + 1]):
            total += weight[tokens[k]]
        scores[row] = total


def linear(pages: Pages, rows: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], seed: int) -> tuple[Any, float]:
    """Return weights and bias, rounded to the unit that the model stores."""
    sample = np.minimum(np.sqrt(pages.weight), 6) * weights
    weight, bias = fit_linear(
        pages.tokens, pages.token_start, rows.copy(), pages.shares, sample, TOKEN_BITS, 3, 0.03, 1e-4, seed
    )
    return np.rint(weight * UNIT) / UNIT, round(bias * UNIT) / UNIT


def kinds(pages: Pages, chosen: npt.NDArray[np.bool_], seed: int) -> lightgbm.Booster:
    """Fit the scores of page types on the pages whose type is known."""
    chosen = chosen & (pages.kind >= 0)
    parameters = {
        "objective": "multiclass", "num_class": len(model.PAGE_TYPES), "learning_rate": 0.06, "num_leaves": 15,
        "max_depth": KIND_DEPTH, "min_data_in_leaf": 8, "feature_fraction": 0.3, "lambda_l2": 3, **_common(seed),
    }  # fmt: skip
    return lightgbm.train(parameters, lightgbm.Dataset(pages.rows[chosen], pages.kind[chosen]), KIND_TREES)


def blocks(matrix: Any, shares: Any, weights: Any, seed: int) -> lightgbm.Booster:
    """Fit the trees of blocks: is more than half of a block's words in the truth."""
    parameters = {
        "objective": "binary", "learning_rate": 0.07, "num_leaves": 63, "max_depth": DEPTH, "min_data_in_leaf": 40,
        "feature_fraction": 0.3, "lambda_l2": 5, **_common(seed),
    }  # fmt: skip
    return lightgbm.train(
        parameters, lightgbm.Dataset(matrix, (shares >= 0.5).astype(int), weight=weights), BLOCK_TREES
    )


def _common(seed: int) -> dict[str, Any]:
    return {
        "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "verbose": -1, "max_bin": 63, "seed": seed,
        "deterministic": True, "force_col_wise": True,
    }  # fmt: skip


def predict(booster: lightgbm.Booster, matrix: Any) -> npt.NDArray[np.float64]:
    """Return the logits of rows, with the early stop that the kernel has."""
    part = booster.predict(matrix, raw_score=True, num_iteration=EARLY)
    return np.where(np.abs(part) >= MARGIN, 2 * part, booster.predict(matrix, raw_score=True))


def to_trees(booster: lightgbm.Booster, depth: int, first: int = 0, step: int = 1) -> Trees:
    """Return every `step`th tree of a booster from `first` on, as the kernel evaluates them.

    A threshold becomes the largest float32 that is not above it: for a float32 x, x <= threshold says the same of both.
    """
    listed = booster.dump_model()["tree_info"][first::step]
    splits = (1 << depth) - 1
    features = np.zeros((len(listed), splits), np.uint16)
    thresholds = np.full((len(listed), splits), np.inf, np.float32)
    leaves = np.zeros((len(listed), splits + 1), np.int32)
    for number, info in enumerate(listed):
        waiting = [(info["tree_structure"], 0, 0)]
        while waiting:
            node, place, level = waiting.pop()
            if "leaf_value" in node:
                width = 1 << (depth - level)
                start = (place - ((1 << level) - 1)) * width
                leaves[number, start : start + width] = round(node["leaf_value"] * LEAF_SCALE)
                continue
            threshold = np.float64(node["threshold"])
            rounded = np.float32(threshold)
            if np.float64(rounded) > threshold:
                rounded = np.nextafter(rounded, np.float32(-np.inf))
            features[number, place], thresholds[number, place] = node["split_feature"], rounded
            waiting += [(node["left_child"], 2 * place + 1, level + 1), (node["right_child"], 2 * place + 2, level + 1)]
    return Trees(features, thresholds, leaves)


def likelihood(logits: Any, shares: Any, weights: Any) -> npt.NDArray[np.int32]:
    """Return how likely a block of each bin of scores is main content, in millionths, never falling (isotonic regression)."""
    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logits, shares, sample_weight=weights)
    middles = (np.arange(model.SCORE_BINS) - model.SCORE_BINS // 2 + 0.5) * model.BIN_WIDTH / LEAF_SCALE
    return np.rint(fitted.predict(middles) * 1_000_000).astype(np.int32)


def bins(logits: Any) -> npt.NDArray[np.int64]:
    """Return the bin of each score, as `model.cut` has it."""
    scores = np.floor(logits * LEAF_SCALE).astype(np.int64)
    return np.clip(scores // model.BIN_WIDTH + model.SCORE_BINS // 2, 0, model.SCORE_BINS - 1)


def choose(pages: Pages, logits: Any, likely: npt.NDArray[np.int32], least: int) -> npt.NDArray[np.bool_]:
    """Return which blocks are kept, by the rule of `model.cut`."""
    kept = np.zeros(len(logits), np.bool_)
    place = bins(logits)
    for number in range(len(pages.all)):
        first, last = pages.start[number], pages.start[number + 1]
        here = place[first:last]
        if first == last or here.max() < least:
            continue
        words = np.bincount(here, pages.lengths[first:last], model.SCORE_BINS)
        true = words * likely
        above, found = np.cumsum(words[::-1]), np.cumsum(true[::-1])
        expected = np.where(words[::-1] > 0, 2 * found / (above * 1e6 + true.sum() + 1e-9), -1)
        kept[first:last] = here >= model.SCORE_BINS - 1 - int(np.argmax(expected))
    return kept
