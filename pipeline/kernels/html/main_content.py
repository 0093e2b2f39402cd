"""The main content of a page: which of its blocks are kept, and why the others are not."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html import model, reasons
from pipeline.kernels.html.blocks import CONCEALED, Blocks
from pipeline.kernels.html.measure import Measurer
from pipeline.kernels.html.parser import Parser, Tree


@dataclass(frozen=True, slots=True)
class Decision:
    """A page's tree and blocks, and of each block the index in `reasons.REASONS` of why it is cut (0: kept).

    All of it is overwritten by the next page of the thread.
    """

    tree: Tree
    blocks: Blocks
    reasons: npt.NDArray[np.uint8]


class Extractor:
    """Parser, measures and model with their buffers, for one thread."""

    def __init__(self) -> None:
        self._parser = Parser()
        self._measurer = Measurer(model.COLUMNS)
        self._model = model.shipped()

    def parse(self, data: bytes) -> tuple[Tree, Blocks]:
        """Return the tree and the blocks of a page, without a decision."""
        tree = self._parser.parse(data)
        return tree, self._measurer.finder.find(tree)

    def all_text(self, data: bytes) -> Decision:
        """Return the page's blocks, all kept but those that an attribute or a style hides."""
        tree, blocks = self.parse(data)
        why = np.zeros(blocks.count, np.uint8)
        why[blocks.table[:, CONCEALED] != 0] = reasons.REASONS.index("hidden")
        return Decision(tree, blocks, why)

    def decide(self, data: bytes) -> Decision:
        """Return the page's blocks, each with the reason why it is cut, or kept."""
        tree = self._parser.parse(data)
        measured = self._measurer
        blocks = measured.measure(tree, len(data))
        keep, why = np.empty((2, blocks.count), np.uint8)
        if blocks.count:
            self._model.keep(measured, keep)
            reasons.explain(blocks.nodes, blocks.marks, measured.signals, keep, blocks.count, why)
        return Decision(tree, blocks, why)


_local: Any = threading.local()


def extractor() -> Extractor:
    """Return this thread's extractor."""
    found: Extractor | None = getattr(_local, "extractor", None)
    if found is None:
        found = _local.extractor = Extractor()
    return found
