"""Pages with known main content, measured: features, labels and tokens of their blocks, as arrays over all pages."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.html.truths import Page
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared
from pipeline.kernels.html import context, features, model, page_features, signals
from pipeline.kernels.html.measure import ROWS, Measurer
from pipeline.kernels.html.names import TAG
from pipeline.kernels.html.parser import TEXT, Parser
from training.main_content import alignment

WORD = re.compile(r"\w+")  # as the benchmark WCXB counts words
TOKEN_BITS = 18
UNIT = model.TOKEN_SCALE
_BR = TAG["br"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One page: `words` numbers of its words by `block`, `wanted` the counts of the truth's words by number."""

    page: Page
    set_name: str
    kind: str
    features: npt.NDArray[np.float32]
    page_row: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int32]
    token_ends: npt.NDArray[np.int64]
    signals: signals.Signals
    words: npt.NDArray[np.int32]
    block: npt.NDArray[np.int32]
    wanted: npt.NDArray[np.int64]


class Reader:
    """Measures pages, with buffers for the largest."""

    def __init__(self) -> None:
        self._parser, self._measurer = Parser(), Measurer(model.COLUMNS)
        self._indices, self._ends = np.zeros(1 << 24, np.int64), np.zeros(1 << 18, np.int64)

    def read(self, page: Page, set_name: str) -> Measured | None:
        """Return a measured page; None where its bytes are no text or its truth is not a text."""
        found = decode(page.html, page.charset, declared(page.html))
        if isinstance(found, Undecodable) or page.text is None:
            return None
        data = found[0].encode("utf-8", "surrogatepass")
        measured = self._measurer
        tree = self._parser.parse(data)
        blocks = measured.measure(tree, len(data))
        count = blocks.count
        rows = np.empty((count, features.COUNT), np.float32)
        for first in range(0, count, ROWS):
            last = min(first + ROWS, count)
            measured.fill(first, last)
            rows[first:last] = measured.matrix[: last - first, : features.COUNT]
        total = measured.expand(TOKEN_BITS, self._indices, self._ends) if count else 0
        words = [WORD.findall(text.lower()) for text in _texts(tree, blocks)]
        truth = WORD.findall(page.text.lower())
        numbers: dict[str, int] = {}
        wanted = np.array([numbers.setdefault(word, len(numbers)) for word in truth], np.int64)
        held = np.array([numbers.setdefault(word, len(numbers)) for text in words for word in text], np.int32)
        lengths = np.array([len(text) for text in words], np.int64)
        s = measured.signals
        kept = {
            "blocks": s.blocks[:count].copy(), "boxes": s.boxes[: blocks.box_count].copy(), "words": s.words[:count].copy(),
            "path_group": s.path_group[:count].copy(), "parent_group": s.parent_group[:count].copy(),
            "headings": s.headings[:count].copy(), "facts": s.facts.copy(),
        }  # fmt: skip
        return Measured(
            page, set_name, page.group or "", rows, measured.page_row.copy(), alignment.shares(words, truth), lengths,
            self._indices[:total].astype(np.int32), self._ends[:count].copy(),
            signals.Signals(*(kept.get(name, 0) for name in signals.Signals._fields)), held,
            np.repeat(np.arange(count, dtype=np.int32), lengths), np.bincount(wanted, minlength=len(numbers)),
        )  # fmt: skip


def _texts(tree: Any, blocks: Any) -> list[str]:
    """The text of each block, a line break as a space."""
    texts = []
    for first, last in zip(blocks.first.tolist(), blocks.last.tolist(), strict=True):
        parts = []
        for node in range(first, last + 1):
            if tree.kind[node] == TEXT and not blocks.hidden[node]:
                parts.append(tree.text_of(node))
            elif tree.tag[node] == _BR:
                parts.append(" ")
        texts.append("".join(parts))
    return texts


class Pages:
    """All pages together: blocks `start[i]` to `start[i + 1]` are those of page i; `page` is the page of each block."""

    def __init__(self, measured: Iterable[Measured], weights: Mapping[str, float]) -> None:
        """`weights`: how much the pages of each set count, beside others."""
        self.all = list(measured)
        counts = [len(one.lengths) for one in self.all]
        self.start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.page = np.repeat(np.arange(len(self.all)), counts)
        self.features = np.concatenate([one.features for one in self.all])
        self.rows = np.stack([one.page_row for one in self.all])
        self.shares = np.concatenate([one.shares for one in self.all])
        self.lengths = np.concatenate([one.lengths for one in self.all]).astype(np.float64)
        self.tokens = np.concatenate([one.tokens for one in self.all])
        ends = np.concatenate([np.diff(np.concatenate([[0], one.token_ends])) for one in self.all])
        self.token_start = np.concatenate([[0], np.cumsum(ends)]).astype(np.int64)
        kinds = list(model.PAGE_TYPES)
        self.kind = np.array([kinds.index(one.kind) if one.kind in kinds else -1 for one in self.all])
        self.set_name = np.array([one.set_name for one in self.all])
        self.site = [f"{one.set_name if one.set_name != 'wcxb' else ''}:{one.page.site}" for one in self.all]
        self.trust = np.array([weights[one.set_name] for one in self.all], np.float64)
        wanted = np.array([one.wanted.sum() for one in self.all], np.float64)
        self.without_text = wanted == 0
        total = np.bincount(self.page, self.lengths, len(self.all))
        # A block counts by its words, beside what its page's F1 divides by, so that short and long pages weigh alike.
        weight = self.lengths / (wanted[self.page] + 0.3 * total[self.page] + 20)
        self.weight = weight / weight.mean()

    def folds(self, seed: int, count: int) -> npt.NDArray[np.int64]:
        """Return the fold of each page: sites whole, the largest first, into the smallest fold."""
        sizes = Counter(self.site)
        random = np.random.RandomState(seed)
        sites = sorted(sizes)
        random.shuffle(sites)
        sites.sort(key=lambda site: -sizes[site])
        load = np.zeros(count)
        chosen = {}
        for site in sites:
            chosen[site] = random.choice(np.flatnonzero(load == load.min()))
            load[chosen[site]] += sizes[site]
        return np.array([chosen[site] for site in self.site])

    def context(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return what scores of blocks say around each block, as `context.fill` computes it."""
        values = np.rint(scores * UNIT).astype(np.int32)
        found = np.zeros((len(values), context.COUNT), np.float32)
        most = int(np.diff(self.start).max()) + 1
        sums, paths, parents, best = (
            np.zeros((most, 2)),
            np.zeros((most, 2)),
            np.zeros((most, 2)),
            np.zeros((most, 2), np.int32),
        )
        for number, one in enumerate(self.all):
            first, last = self.start[number], self.start[number + 1]
            if first < last:
                given = context.Scores(values[first:last], sums, paths, parents, best)
                context.sum_scores(one.signals, given, UNIT)
                context.fill(one.signals, given, UNIT, 0, last - first, 0, found[first:last])
        return found

    def matrix(self, context_: Any, kinds: Any) -> npt.NDArray[np.float32]:
        """Return the features of all blocks in the order of `model.COLUMNS`; `kinds`: scores of page types, by page."""
        return np.hstack([self.features, context_, kinds[self.page].astype(np.float32), self.rows[self.page]])

    def f1(self, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Return each page's word F1 with these blocks kept, as WCXB's evaluate.py counts it."""
        scores = np.zeros(len(self.all))
        for number, one in enumerate(self.all):
            words = one.words[kept[self.start[number] : self.start[number + 1]][one.block]]
            wanted = int(one.wanted.sum())
            if not wanted or not len(words):
                scores[number] = not wanted and not len(words)
                continue
            both = np.minimum(np.bincount(words, minlength=len(one.wanted)), one.wanted).sum()
            scores[number] = 2 * both / (len(words) + wanted)
        return scores


assert page_features.COUNT + model.PAGE == model.COLUMNS
