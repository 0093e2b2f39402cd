"""All that is measured of a page before anything is decided: words, classes, features; with buffers that grow as pages ask."""

from typing import Any

import numpy as np

from pipeline.kernels.html import (
    class_signals,
    context,
    features,
    page_features,
    page_signals,
    token_scores,
    word_signals,
)
from pipeline.kernels.html.blocks import Blocks, Finder


class Measurer:
    """Measures pages, one at a time; what it returns is overwritten by the next.

    `columns`: of the matrix of features beyond those of blocks (context, probabilities of page types, the page's own).
    """

    def __init__(self, columns: int) -> None:
        self.finder = Finder()
        self.columns = columns
        self._blocks = self._boxes = self._text = -1
        self.page = np.zeros(page_signals.PAGE_COLUMNS, np.int32)
        self.page_row = np.zeros(page_features.COUNT, np.float32)
        table = 1 << word_signals.TABLE_BITS
        self.keys, self.bits = np.zeros(table, np.uint64), np.zeros(table, np.uint8)
        self.stamps = np.zeros(table, np.int32)
        self.scratch = np.zeros(class_signals.MAX_TOKENS + 1, np.uint64)
        self.found = np.zeros(token_scores.MOST, np.int64)

    def _grow(self, blocks: int, boxes: int, text: int) -> None:
        if blocks > self._blocks:
            n = self._blocks = blocks * 5 // 4 + 64
            self.words = np.empty((n, word_signals.WORD_COLUMNS), np.int32)
            self.texts, self.alike = np.empty(n, np.uint64), np.empty(n, np.uint64)
            self.sums = np.empty((n + 1, features.SUM_COLUMNS), np.int64)
            self.float_sums = np.empty((n + 1, 2), np.float64)
            self.which, self.path_group, self.parent_group = np.empty((3, n), np.int32)
            self.headings = np.empty((n, 2), np.int32)
            # Groups of like blocks are at most as many as blocks; the page's features use a row for each distance, too.
            self.tallies = np.empty((max(n, class_signals.NEAR_COLUMNS), 6), np.int64)
            self.float_tallies = np.empty((n, 2), np.float64)
            self.scores, self.second = np.empty((2, n), np.int32)
            self.matrix = np.empty((n, self.columns), np.float32)
            self.slot_bits = max(6, (2 * n).bit_length())
            self.slots = np.empty(1 << self.slot_bits, np.int32)
        if boxes > self._boxes:
            n = self._boxes = boxes * 5 // 4 + 64
            self.classes = np.empty((n, class_signals.CLASS_COLUMNS), np.int32)
            self.near = np.empty((n, class_signals.NEAR_COLUMNS), np.uint8)
            self.shapes = np.empty(n, np.uint64)
            self.tokens = np.empty(n * (class_signals.MAX_TOKENS + 1), np.uint64)
            self.levels = np.empty((n, len(features.LEVEL)), np.float32)
            self.box_scores = np.empty((n, 4), np.int32)
        if text > self._text:
            n = self._text = text * 5 // 4 + 64
            self.hashes = np.empty(n, np.uint64)  # a word has at least one byte

    def measure(self, tree: Any, size: int) -> Blocks:
        """Measure a tree of `size` bytes: fills `matrix[:, :features.COUNT]`, `page_row`, and what later steps read."""
        found = self.blocks = self.finder.find(tree)
        nodes, marks, table, boxes = found.nodes, found.marks, found.table, found.boxes
        count, box_count = found.count, found.box_count
        self._grow(count + 1, box_count, size + 64)
        page_signals.read_page(nodes, tree.count, self.page, self.keys, self.bits)
        word_signals.read_words(
            nodes, marks, table, count, self.keys, self.bits, self.stamps, self.words, self.hashes, self.texts
        )
        class_signals.read_classes(
            nodes, marks, boxes, box_count, self.classes, self.near, self.shapes, self.tokens, self.scratch
        )
        self.slot_bits_used = max(6, (2 * count).bit_length())
        self.paths, self.parents = features.fill(
            nodes, table, boxes, self.classes, self.near, self.shapes, self.words, self.texts, count, box_count,
            int(self.page[page_signals.TITLE_WORDS_]), int(self.page[page_signals.DESCRIPTION_WORDS_]), self.sums, self.alike,
            self.slots, self.slot_bits_used, self.which, self.tallies, self.levels, self.headings, self.path_group,
            self.parent_group, self.matrix,
        )  # fmt: skip
        page_features.fill(
            table, self.near, self.words, self.texts, self.sums, self.path_group, self.page, count, box_count, size,
            self.tallies, self.page_row,
        )  # fmt: skip
        return found

    def expand(self, bits: int, indices: Any, ends: Any) -> int:
        """Write the token features of the measured page's blocks, for training; returns how many."""
        b = self.blocks
        total = token_scores.expand(
            b.nodes, b.table, b.boxes, self.classes, self.tokens, self.words, self.hashes, self.texts, self.headings,
            self.shapes, b.count, self.scratch, bits, self.found, indices, ends,
        )  # fmt: skip
        return int(total)

    def score(self, bits: int, weights: Any, bias: int) -> Any:
        """Return the first stage's score of each block (int32, 1/1024)."""
        b = self.blocks
        token_scores.score(
            b.nodes, b.table, b.boxes, self.classes, self.tokens, self.words, self.hashes, self.texts, self.headings,
            self.shapes, b.count, b.box_count, self.scratch, bits, self.found, weights, bias, self.box_scores, self.scores,
        )  # fmt: skip
        return self.scores[: b.count]

    def context(self, scores: Any, scale: float, at: int) -> None:
        """Fill the columns of `matrix` from `at` on with what `scores` say around each block."""
        b = self.blocks
        context.fill(
            scores, scale, b.table, b.boxes, self.words, self.headings, self.path_group, self.paths, self.parent_group,
            self.parents, b.count, self.float_sums, self.float_tallies, at, self.matrix,
        )  # fmt: skip
