"""Train the model of main content, and say how good it is by cross-validation over sites.

    python -m training.main_content.train --wcxb FOLDER --known FOLDER --out pipeline/kernels/html/main_content.npz
    python -m training.main_content.train --wcxb FOLDER --known FOLDER --folds 5 --seed 1

FOLDER of --wcxb: a clone of the benchmark WCXB, of which only the `dev` split is read. FOLDER of --known: pages of manuals and
articles with a known text (`bench/html/known.py`, `bench/html/articles.py`); those of the second truth are never trained on.

Cross-validation is nested: no model that scores a fold saw a page of it or of its sites, and neither did the first stage whose
scores its trees are trained with; the table of likelihoods is from the other folds.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.html import truths
from pipeline.kernels.html import model
from pipeline.kernels.html.features import NAMES
from training.main_content import fit
from training.main_content.pages import UNIT, Measured, Pages, Reader

WEIGHTS = {"wcxb": 1.0, "manuals": 0.5, "articles": 1.0}
DOUBTFUL_WEIGHT = 0.05  # of pages whose truth is not on the page, stops early, or is empty
MANUALS_A_SITE = 7  # pages of one manual, language and generator that are trained on
MOST_BLOCKS = {"wcxb": 2000, "manuals": 600, "articles": 600}  # of a page that trees are trained on, drawn
H1 = 4  # code of the tag, `class_signals.TAG_CODES`
LEAST = range(0, 200, 4)  # bins that are tried for the best block of a page with main content


def read(wcxb: Path | None, known: Path | None) -> Iterator[Measured]:
    """Measure every page of both folders that is trained on."""
    reader = Reader()
    listed: list[tuple[str, truths.Page]] = []
    if wcxb:
        listed += [("wcxb", page) for page in truths.load(wcxb).pages]
    if known:
        seen: Counter[Any] = Counter()
        for set_name, page in truths.training_pages(known):
            key = page.site, page.language, page.group
            seen[key] += 1
            if set_name != "manuals" or seen[key] <= MANUALS_A_SITE:
                listed.append((set_name if set_name == "manuals" else "articles", page))
    for number, (set_name, page) in enumerate(listed, 1):
        if number % 500 == 0 or number == len(listed):
            print(f"measured {number:,} of {len(listed):,} pages", file=sys.stderr)
        found = reader.read(page, set_name)
        if found is not None:
            yield found


class Trainer:
    """What all fits share: pages, weights of blocks, which blocks trees are trained on."""

    def __init__(self, pages: Pages, seed: int) -> None:
        self.pages, self.seed = pages, seed
        # WCXB's truths of documentation mostly leave the title out, which manuals have: they do not say where it belongs.
        titles = (pages.features[:, NAMES.index("tag")] == H1) & (pages.shares < 0.5)
        documentation = pages.kind == model.PAGE_TYPES.index("documentation")
        silent = (pages.set_name == "wcxb") & documentation
        self.used = ~(titles & silent[pages.page])
        self.weights = np.minimum(pages.weight, fit.MOST_WEIGHT) * pages.trust[pages.page] * self.used
        counts = np.maximum(np.diff(pages.start), 1)
        most = np.array([MOST_BLOCKS[name] for name in pages.set_name])
        drawn = np.random.RandomState(1).rand(len(pages.page)) < np.minimum(1, most / counts)[pages.page]
        self.rows = self.used & drawn & (pages.trust[pages.page] > 0)

    def first_stage(self, training: npt.NDArray[np.bool_]) -> tuple[Any, float, Any]:
        """Fit the linear score and the page types on pages."""
        rows = np.flatnonzero(training[self.pages.page] & self.used)
        weight, bias = fit.linear(self.pages, rows, self.pages.trust[self.pages.page], self.seed)
        return weight, bias, fit.kinds(self.pages, training, self.seed + 1)

    def score_first(
        self, stage: tuple[Any, float, Any], chosen: npt.NDArray[np.bool_], scores: Any, kinds: Any
    ) -> None:
        """Fill in the first stage's scores of the chosen pages."""
        weight, bias, booster = stage
        pages = self.pages
        rows = np.flatnonzero(chosen[pages.page])
        fit.score_linear(pages.tokens, pages.token_start, rows, weight.astype(np.float64), bias, scores)
        kinds[chosen] = booster.predict(pages.rows[chosen], raw_score=True)

    def trees(self, matrix: Any, training: npt.NDArray[np.bool_]) -> Any:
        """Fit the trees of blocks on pages, given the matrix of all pages."""
        rows = np.flatnonzero(training[self.pages.page] & self.rows)
        return fit.blocks(matrix[rows], self.pages.shares[rows], self.weights[rows], self.seed + 1)

    def table(self, logits: Any, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
        """Fit the table of likelihoods on blocks whose logits come from models that did not see them."""
        rows = chosen[self.pages.page] & self.used
        weights = self.pages.lengths * self.pages.trust[self.pages.page]
        return fit.likelihood(logits[rows], self.pages.shares[rows], weights[rows])

    def least(self, logits: Any, likely: Any, chosen: npt.NDArray[np.bool_]) -> int:
        """Return the bin below which a page has no main content: the one with the best F1 on WCXB's chosen pages."""
        pages = self.pages
        chosen = chosen & (pages.set_name == "wcxb")
        if not chosen.any():
            return 0
        scores = pages.f1(fit.choose(pages, logits, likely, 0))
        places = fit.bins(logits)
        best = np.array(
            [places[a:b].max() if a < b else 0 for a, b in zip(pages.start[:-1], pages.start[1:], strict=True)]
        )
        found = [np.where(best < bin_, pages.without_text, scores)[chosen].mean() for bin_ in LEAST]
        return LEAST[int(np.argmax(found))]


def out_of_fold(trainer: Trainer, fold: Any, folds: int, nested: bool) -> tuple[Any, Any, Any]:
    """Return the logit of every block from models that did not see its fold, and the first stage's scores and types.

    `nested`: the first stage's scores of training pages come from models that did not see the scored fold either.
    """
    pages = trainer.pages
    blocks = len(pages.page)
    scores, kinds = np.zeros(blocks), np.zeros((len(pages.all), len(model.PAGE_TYPES)))
    for k in range(folds):
        trainer.score_first(trainer.first_stage(fold != k), fold == k, scores, kinds)
    logits = np.zeros(blocks)
    for k in range(folds):
        began = time.monotonic()
        inner_scores, inner_kinds = scores.copy(), kinds.copy()
        if nested:
            for other in range(folds):
                if other != k:
                    stage = trainer.first_stage((fold != k) & (fold != other))
                    trainer.score_first(stage, fold == other, inner_scores, inner_kinds)
        matrix = pages.matrix(pages.context(inner_scores), inner_kinds)
        booster = trainer.trees(matrix, fold != k)
        here = (fold == k)[pages.page]
        logits[here] = fit.predict(booster, matrix[here])
        print(f"fold {k + 1} of {folds}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return logits, scores, kinds


def cross_validate(trainer: Trainer, fold: Any, folds: int) -> npt.NDArray[np.float64]:
    """Return each page's F1 by models, table and bound from the other folds alone."""
    pages = trainer.pages
    logits, _, _ = out_of_fold(trainer, fold, folds, nested=True)
    scores = np.zeros(len(pages.all))
    for k in range(folds):
        likely = trainer.table(logits, fold != k)
        least = trainer.least(logits, likely, fold != k)
        scores[fold == k] = pages.f1(fit.choose(pages, logits, likely, least))[fold == k]
    return scores


def final(trainer: Trainer, fold: Any, folds: int) -> model.Model:
    """Return the model of all pages; its table of likelihoods is from blocks that the models did not see."""
    pages = trainer.pages
    logits, scores, kinds = out_of_fold(trainer, fold, folds, nested=False)
    everything = np.ones(len(pages.all), np.bool_)
    weight, bias, types = trainer.first_stage(everything)
    booster = trainer.trees(pages.matrix(pages.context(scores), kinds), everything)
    likely = trainer.table(logits, everything)
    return model.Model(
        np.clip(np.rint(weight * UNIT), -32768, 32767).astype(np.int16),
        round(bias * UNIT),
        tuple(
            fit.to_trees(types, fit.KIND_DEPTH, number, len(model.PAGE_TYPES))
            for number in range(len(model.PAGE_TYPES))
        ),
        replace(fit.to_trees(booster, fit.DEPTH), early=fit.EARLY, margin=fit.MARGIN * fit.LEAF_SCALE),
        likely,
        trainer.least(logits, likely, everything),
    )


def show(pages: Pages, scores: npt.NDArray[np.float64]) -> dict[str, float]:
    """Print and return the mean F1 of each set and of WCXB's page types."""
    found = {name: float(scores[pages.set_name == name].mean()) for name in sorted(set(pages.set_name))}
    for number, kind in enumerate(model.PAGE_TYPES):
        chosen = (pages.set_name == "wcxb") & (pages.kind == number)
        if chosen.any():
            found[f"wcxb {kind}"] = float(scores[chosen].mean())
    for name, value in found.items():
        print(f"{name:24} {value:.4f}")
    return found


def main() -> None:
    """Train or cross-validate, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wcxb", type=Path, help="folder of the benchmark WCXB")
    parser.add_argument("--known", type=Path, help="folder of pages with known text")
    parser.add_argument("--doubtful", type=Path, help="JSON object whose keys are ids of pages with a doubtful truth")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="train on all pages and write the model; without it: cross-validate")
    given = parser.parse_args()
    pages = Pages(read(given.wcxb, given.known), WEIGHTS)
    if given.doubtful:
        doubtful = set(json.loads(given.doubtful.read_text()))
        pages.trust[[one.set_name == "wcxb" and one.page.id in doubtful for one in pages.all]] = DOUBTFUL_WEIGHT
    print(f"{len(pages.all):,} pages, {len(pages.page):,} blocks", file=sys.stderr)
    trainer = Trainer(pages, given.seed)
    fold = pages.folds(given.seed, given.folds)
    if given.out is None:
        show(pages, cross_validate(trainer, fold, given.folds))
        return
    trained = final(trainer, fold, given.folds)
    sets = Counter(pages.set_name.tolist())
    statement = {
        "pages": dict(sorted(sets.items())),
        "sources": {
            "wcxb": "dev split of the Web Content Extraction Benchmark by Murrough Foley, CC-BY-4.0",
            "manuals": "documentation in Debian and PyPI packages with a known text (docs/extraction.md)",
            "articles": "test pages of fundus, Postlight Parser and newspaper4k, MIT and Apache-2.0 (docs/extraction.md)",
        },
        "seed": given.seed,
    }
    model.save(trained, given.out, statement)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
