"""The trained model of what a page's main content is: its file, and how it is evaluated.

Three parts: a linear score of words and classes (`token_scores`), the kind of page by boosted trees on the page's own features,
and boosted trees on the features of a block, of the scores around it, and of the page. A table then says how likely a block of
some score belongs to the main content, and the blocks above the cut with the highest expected F1 of the page are kept (`cut`).
Everything is integers, or IEEE 754 divisions and square roots in a fixed order: the same on every machine.

`main_content.npz` is written by `training/main_content/train.py`; `docs/extraction.md` says from which pages.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html import context, features, page_features
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.boosted_trees import Trees
from pipeline.kernels.html.measure import ROWS, Measurer
from pipeline.kernels.html.options import entry

PATH = Path(__file__).with_name("main_content.npz")
PAGE_TYPES = ("article", "collection", "documentation", "forum", "listing", "product", "service")

# Columns of the matrix: a block's features, the first stage's scores around it, scores of page types, the page's features.
CONTEXT = features.COUNT
TYPES = CONTEXT + context.COUNT
PAGE = TYPES + len(PAGE_TYPES)
COLUMNS = PAGE + page_features.COUNT

TOKEN_SCALE = 1024
_PARTS = ("features", "thresholds", "leaves")
SCORE_BINS, BIN_WIDTH = 256, 4096  # bins of a score in 1/65536; the middle bin begins at 0


@dataclass(frozen=True, slots=True)
class Model:
    """`token_weights` int16 (1/1024) at 2**bits places, `token_bias`; `types`: trees of each page type; `blocks`: of a block.

    `likely` (SCORE_BINS; int32, millionths): the share of words in blocks of that score that are main content. A page whose
    best block is below the bin `least` has no main content.
    """

    token_weights: npt.NDArray[np.int16]
    token_bias: int
    types: tuple[Trees, ...]
    blocks: Trees
    likely: npt.NDArray[np.int32]
    least: int

    @property
    def bits(self) -> int:
        return len(self.token_weights).bit_length() - 1

    def keep(self, measured: Measurer, keep: npt.NDArray[np.uint8]) -> None:
        """Fill `keep` for each block of the page that was just measured."""
        scores = self.scores(measured)
        cut(
            scores, measured.words, measured.blocks.count, self.likely, self.least, np.empty(SCORE_BINS, np.int64), keep
        )

    def scores(self, measured: Measurer) -> npt.NDArray[np.int32]:
        """Return the score of each block of the page that was just measured, in 1/65536."""
        count, matrix = measured.blocks.count, measured.matrix
        first = measured.score(self.bits, self.token_weights, self.token_bias)
        measured.sum_scores(first, TOKEN_SCALE)
        matrix[: min(count, ROWS), TYPES:PAGE] = self.type_scores(measured.page_row)
        matrix[: min(count, ROWS), PAGE:COLUMNS] = measured.page_row
        for start in range(0, count, ROWS):
            rows = min(ROWS, count - start)
            measured.fill(start, start + rows)
            measured.fill_context(TOKEN_SCALE, start, start + rows, CONTEXT)
            self.blocks.score(matrix, rows, measured.second[start:])
        return measured.second[:count]

    def type_scores(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return a score for each of PAGE_TYPES; the highest is the most likely one."""
        found = np.zeros(1, np.int32)
        scores = np.zeros(len(self.types), np.float32)
        for number, trees in enumerate(self.types):
            trees.score(row.reshape(1, -1), 1, found)
            scores[number] = found[0] / 65536
        return scores


@entry
def cut(scores: Any, words: Any, count: int, likely: Any, least: int, bins: Any, keep: Any) -> Any:
    """Keep the blocks whose score is in or above the bin that gives the highest expected F1 of the page's words.

    With n words in the blocks above a cut, t of them expected to be main content, and T expected on the whole page, the
    expected F1 is about 2 t / (n + T) (Ye et al. 2012, "Optimizing F-measures", section 4).
    `bins` (SCORE_BINS; int64) is scratch.
    """
    bins[:] = 0
    best = -1
    for block in range(count):
        place = min(max((scores[block] // BIN_WIDTH) + SCORE_BINS // 2, 0), SCORE_BINS - 1)
        bins[place] += words[block, w.WORDS]
        best = max(best, place)
    expected = np.int64(0)
    for place in range(SCORE_BINS):
        expected += bins[place] * likely[place]
    above = true = np.int64(0)
    highest = -1.0
    lowest_kept = SCORE_BINS
    if best >= least:
        for place in range(SCORE_BINS - 1, -1, -1):
            if bins[place] == 0:
                continue
            above += bins[place]
            true += bins[place] * likely[place]
            value = 2.0 * true / (above * 1000000.0 + expected)
            if value > highest:
                highest = value
                lowest_kept = place
    for block in range(count):
        place = min(max((scores[block] // BIN_WIDTH) + SCORE_BINS // 2, 0), SCORE_BINS - 1)
        keep[block] = place >= lowest_kept


def save(model: Model, path: Path, statement: dict[str, Any]) -> None:
    """Write a model with its data statement; the same model gives the same bytes."""
    arrays: dict[str, Any] = {
        "statement": np.frombuffer(json.dumps(statement, sort_keys=True, ensure_ascii=False).encode(), np.uint8),
        "token_weights": model.token_weights,
        "likely": model.likely,
        "numbers": np.array([model.token_bias, model.least, model.blocks.early, model.blocks.margin], np.int64),
    }
    for name, trees in [*((f"type{n}", trees) for n, trees in enumerate(model.types)), ("blocks", model.blocks)]:
        arrays |= {f"{name}_{part}": getattr(trees, part) for part in _PARTS}
    np.savez_compressed(path, **arrays)


def load(path: Path = PATH) -> tuple[Model, dict[str, Any]]:
    """Return the model in a file, and its data statement."""
    with np.load(path, allow_pickle=False) as file:
        named = [name.removesuffix("_leaves") for name in file.files if name.endswith("_leaves")]
        trees = {name: Trees(*(file[f"{name}_{part}"] for part in _PARTS)) for name in named}
        bias, least, early, margin = file["numbers"].tolist()
        types = tuple(trees[f"type{number}"] for number in range(len(PAGE_TYPES)))
        blocks = replace(trees["blocks"], early=early, margin=margin)
        model = Model(file["token_weights"], bias, types, blocks, file["likely"], least)
        statement: dict[str, Any] = json.loads(file["statement"].tobytes())
    return model, statement


@cache
def shipped() -> Model:
    """Return the model that comes with this package."""
    return load()[0]


@cache
def sha256() -> str:
    """Return the SHA-256 (hex) of the model file that comes with this package."""
    return hashlib.sha256(PATH.read_bytes()).hexdigest()
