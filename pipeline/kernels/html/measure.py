"""All that is measured of a page before anything is decided: words, classes, features; with buffers that grow as pages ask."""

from typing import Any

import numpy as np

from pipeline.kernels.html import (
    class_signals,
    context,
    features,
    page_features,
    page_signals,
    page_sums,
    token_scores,
    word_signals,
)
from pipeline.kernels.html.blocks import Blocks, Finder
from pipeline.kernels.html.signals import BLOCKS, BOXES, DESCRIPTION, FACTS, SUM_COLUMNS, TALLY_COLUMNS, TITLE, Signals

ROWS = 512  # blocks whose features are in memory at a time: a row has some 2 kB


class Measurer:
    """Measures pages, one at a time; what it returns is overwritten by the next.

    `columns`: of the matrix of features; what is beyond those of blocks is filled by others.
    """

    def __init__(self, columns: int) -> None:
        self.finder = Finder()
        self._blocks = self._boxes = self._words = -1
        self.matrix = np.empty((ROWS, columns), np.float32)
        self.page = np.zeros(page_signals.PAGE_COLUMNS, np.int32)
        self.page_row = np.zeros(page_features.COUNT, np.float32)
        table = 1 << word_signals.TABLE_BITS
        self._keys, self._bits, self._stamps = (
            np.zeros(table, np.uint64),
            np.zeros(table, np.uint8),
            np.zeros(table, np.int32),
        )
        self._scratch = np.zeros(class_signals.MAX_TOKENS + 1, np.uint64)
        self._found = np.zeros(token_scores.MOST, np.int64)
        self._held = np.zeros(class_signals.NEAR_COLUMNS, np.int64)
        self._holders = np.zeros((len(page_sums.SHARES), 3), np.int32)
        self._facts = np.zeros(FACTS, np.int64)

    def _grow(self, blocks: int, boxes: int, words: int) -> None:
        if blocks > self._blocks:
            n = self._blocks = blocks * 5 // 4 + 64
            self.words = np.empty((n, word_signals.WORD_COLUMNS), np.int32)
            self._texts, self._alike = np.empty(n, np.uint64), np.empty(n, np.uint64)
            self._sums = np.empty((n + 1, SUM_COLUMNS), np.int64)
            self._groups = np.empty((3, n), np.int32)  # copies, path, parent
            self._pairs = np.empty((2, n, 2), np.int32)  # headings, prose
            self._tallies = np.empty((2, n, TALLY_COLUMNS), np.int64)  # groups are at most as many as blocks
            self._slots = np.empty(1 << _slot_bits(n), np.int32)
            self._first, self.second = np.empty((2, n), np.int32)
            self._score_sums, self._score_best = np.empty((n + 1, 2), np.float64), np.empty((n, 2), np.int32)
            self._score_groups = np.empty((2, n, 2), np.float64)
        if boxes > self._boxes:
            n = self._boxes = boxes * 5 // 4 + 64
            self._classes = np.empty((n, class_signals.CLASS_COLUMNS), np.int32)
            self.near = np.empty((n, class_signals.NEAR_COLUMNS), np.uint8)
            self._shapes = np.empty(n, np.uint64)
            self._tokens = np.empty(n * (class_signals.MAX_TOKENS + 1), np.uint64)  # and one for the tag
            self._levels = np.empty((n, len(features.LEVEL)), np.float32)
            self._given = np.empty((n, 4), np.int32)
        if words > self._words:
            n = self._words = words * 5 // 4 + 64
            self._hashes = np.empty(n, np.uint64)

    def measure(self, tree: Any, size: int) -> Blocks:
        """Measure a tree of a page of `size` bytes: words, classes, sums, and the page's own row of features."""
        found = self.blocks = self.finder.find(tree)
        nodes, table, boxes = found.nodes, found.table, found.boxes
        # A word has a character of its own.
        self._grow(found.count + 1, found.box_count, found.visible_characters)
        page_signals.read_page(nodes, tree.count, self.page, self._keys, self._bits)
        word_signals.read_words(
            nodes,
            found.marks,
            table,
            found.count,
            self._keys,
            self._bits,
            self._stamps,
            self.words,
            self._hashes,
            self._texts,
        )
        class_signals.read_classes(
            nodes,
            found.marks,
            boxes,
            found.box_count,
            self._classes,
            self.near,
            self._shapes,
            self._tokens,
            self._scratch,
        )
        facts = self._facts
        facts[BLOCKS], facts[BOXES] = found.count, found.box_count
        facts[TITLE], facts[DESCRIPTION] = (
            self.page[page_signals.TITLE_WORDS_],
            self.page[page_signals.DESCRIPTION_WORDS_],
        )
        copies, path_group, parent_group = self._groups
        path_tally, parent_tally = self._tallies
        headings, prose = self._pairs
        self.signals = Signals(
            table, boxes, self.words, self._hashes, self._texts, self._classes, self.near, self._shapes, self._tokens,
            self._sums, copies, path_group, parent_group, path_tally, parent_tally, headings, prose, self._levels,
            self._holders, facts,
        )  # fmt: skip
        page_sums.sum_page(nodes, self.signals, self._alike, self._slots, _slot_bits(found.count))
        page_features.fill(self.signals, self.page, size, self._held, self.page_row)
        return found

    def fill(self, first: int, last: int) -> None:
        """Fill the features of blocks first to last (exclusive; at most ROWS of them) in `matrix`."""
        features.fill(self.blocks.nodes, self.signals, first, last, self.matrix)

    def expand(self, bits: int, indices: Any, ends: Any) -> int:
        """Write the token features of the measured page's blocks, for training; returns how many."""
        return int(
            token_scores.expand(self.blocks.nodes, self.signals, self._scratch, bits, self._found, indices, ends)
        )

    def score(self, bits: int, weights: Any, bias: int) -> Any:
        """Return the first stage's score of each block (int32, 1/1024), and sum what they say around each block."""
        token_scores.score(
            self.blocks.nodes, self.signals, self._scratch, bits, self._found, weights, bias, self._given, self._first
        )
        return self._first[: self.blocks.count]

    def sum_scores(self, scores: Any, unit: int) -> None:
        """Sum scores (int32, in 1/unit) over the page, for `fill_context`."""
        paths, parents = self._score_groups
        self._scores = context.Scores(scores, self._score_sums, paths, parents, self._score_best)
        context.sum_scores(self.signals, self._scores, unit)

    def fill_context(self, unit: int, first: int, last: int, at: int) -> None:
        """Fill the columns of `matrix` from `at` on with what the summed scores say around blocks first to last."""
        context.fill(self.signals, self._scores, unit, first, last, at, self.matrix)


def _slot_bits(items: int) -> int:
    """Bits of a table of slots at least twice as many as items."""
    return max(6, (2 * items).bit_length())
