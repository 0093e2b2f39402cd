"""The cut of a page, the model's file, and decisions that depend on the page alone."""

import hashlib
import os
import subprocess
import sys
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels.html import model
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.boosted_trees import Trees
from pipeline.kernels.html.main_content import Extractor, extractor
from tests.kernels.html.measured import TEXTS
from tests.kernels.html.test_page_features import PAGE

PAGES = [
    "",
    "<p>a",
    PAGE,
    PAGE * 30,
    "<div>" * 300 + "x",
    "•<p>—",
    *(f"<article><h1>{t[:9]}</h1><p>{t * 9}<nav><a href=x>{t}</a></nav>" for t in TEXTS.values()),
]
BLOCKS = st.lists(st.tuples(st.integers(-(2**20), 2**20), st.integers(0, 300)), min_size=1, max_size=20)
LIKELY = [round(1_000_000 / (1 + 2.0 ** (-(place - 128) / 8))) for place in range(model.SCORE_BINS)]


def kept(blocks: list[tuple[int, int]], likely: list[int], least: int) -> list[bool]:
    words = np.zeros((len(blocks), w.WORD_COLUMNS), np.int32)
    words[:, w.WORDS] = [n for _, n in blocks]
    scores = np.array([score for score, _ in blocks], np.int32)
    keep = np.full(len(blocks), 7, np.uint8)
    bins = np.full(model.SCORE_BINS, 7, np.int64)
    model.cut(scores, words, len(blocks), np.array(likely, np.int32), least, bins, keep)
    return [{0: False, 1: True}[value] for value in keep.tolist()]


def bin_of(score: int) -> int:
    return min(max(score // model.BIN_WIDTH + model.SCORE_BINS // 2, 0), model.SCORE_BINS - 1)


def best_cut(blocks: list[tuple[int, int]], likely: list[int], least: int) -> list[bool]:
    """Try every cut, the highest first, with exact numbers."""
    places = [bin_of(score) for score, _ in blocks]
    expected = sum(n * Fraction(likely[p], 1_000_000) for p, (_, n) in zip(places, blocks, strict=True))
    best, lowest = Fraction(-1), model.SCORE_BINS
    for cut in sorted({p for p, (_, n) in zip(places, blocks, strict=True) if n}, reverse=True):
        above = [(p, n) for p, (_, n) in zip(places, blocks, strict=True) if p >= cut]
        true = sum(n * Fraction(likely[p], 1_000_000) for p, n in above)
        value = 2 * true / (sum(n for _, n in above) + expected)
        if value > best:
            best, lowest = value, cut
    return [max(places) >= least and place >= lowest for place in places]


@given(BLOCKS)
def test_the_cut_is_the_one_with_the_highest_expected_f1_of_all(blocks: list[tuple[int, int]]) -> None:
    assert kept(blocks, LIKELY, 0) == best_cut(blocks, LIKELY, 0)


@given(BLOCKS, st.lists(st.integers(0, 1000), min_size=256, max_size=256))
def test_the_cut_is_the_best_one_where_likelihoods_do_not_rise_with_scores(
    blocks: list[tuple[int, int]], thousandths: list[int]
) -> None:
    likely = [1000 * value for value in thousandths]
    assert kept(blocks, likely, 0) == best_cut(blocks, likely, 0)


@given(BLOCKS, st.integers(0, 256))
def test_a_page_whose_best_block_is_below_the_least_bin_keeps_nothing(
    blocks: list[tuple[int, int]], least: int
) -> None:
    assert kept(blocks, LIKELY, least) == best_cut(blocks, LIKELY, least)


def test_the_best_block_in_the_least_bin_is_enough() -> None:
    assert kept([(0, 10)], LIKELY, 128) == [True]
    assert kept([(-1, 10)], LIKELY, 128) == [False]


def test_scores_beyond_the_bins_count_in_the_outermost_ones() -> None:
    assert kept([(2**31 - 1, 5), (-(2**31), 5)], LIKELY, 255) == [True, False]


def test_blocks_without_words_are_kept_with_the_blocks_of_their_score() -> None:
    assert kept([(90_000, 100), (90_000, 0), (400_000, 0), (-400_000, 0)], LIKELY, 0) == [True, True, True, False]
    assert kept([(90_000, 0)], LIKELY, 0) == [False]


def test_saving_a_model_twice_gives_the_same_bytes_and_loading_it_the_same_model(tmp_path: Path) -> None:
    shipped, statement = model.load()
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    model.save(shipped, first, statement)
    model.save(shipped, second, statement)
    assert first.read_bytes() == second.read_bytes()
    loaded, said = model.load(first)
    assert said == statement
    assert (loaded.token_bias, loaded.least, loaded.bits) == (shipped.token_bias, shipped.least, shipped.bits)
    assert (loaded.token_weights == shipped.token_weights).all()
    assert (loaded.likely == shipped.likely).all()
    for one, other in zip((*loaded.types, loaded.blocks), (*shipped.types, shipped.blocks), strict=True):
        assert all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Trees))


def test_the_model_that_is_shipped_is_the_file_in_the_package_and_its_digest_is_that_of_the_file() -> None:
    assert model.sha256() == hashlib.sha256(model.PATH.read_bytes()).hexdigest()
    assert model.shipped() is model.shipped()
    assert len(model.shipped().types) == len(model.PAGE_TYPES)


def test_the_shipped_model_reads_no_column_that_is_not_written_and_has_a_likelihood_for_every_bin() -> None:
    shipped = model.shipped()
    assert shipped.blocks.features.max() < model.COLUMNS
    assert all(trees.features.max() < model.COLUMNS - model.PAGE for trees in shipped.types)
    assert shipped.likely.shape == (model.SCORE_BINS,)
    assert 0 <= shipped.likely.min() <= shipped.likely.max() <= 1_000_000
    for trees in (shipped.blocks, *shipped.types):
        assert trees.leaves.shape[1] == trees.features.shape[1] + 1 == 1 << trees.depth
        # No sum of leaves leaves the range of int32, doubled after the early trees or not.
        assert 2 * np.abs(trees.leaves.astype(np.int64)).max(axis=1).sum() < 2**31


def test_a_type_whose_trees_say_more_has_the_higher_score() -> None:
    shipped = model.shipped()
    split, threshold = np.zeros((1, 1), np.uint16), np.zeros((1, 1), np.float32)
    types = tuple(Trees(split, threshold, np.array([[n, -65536 * n]], np.int32)) for n in range(7))
    own = replace(shipped, types=types)
    row = np.zeros(model.COLUMNS - model.PAGE, np.float32)
    assert own.type_scores(row).tolist() == [n / 65536 for n in range(7)]
    row[0] = 1
    assert own.type_scores(row).tolist() == [-n for n in range(7)]


def decisions(ours: Extractor, pages: list[str]) -> list[list[int]]:
    return [ours.decide(page.encode()).reasons.tolist() for page in pages]


def test_a_page_has_the_decision_that_it_has_alone_whatever_was_read_before() -> None:
    used = Extractor()
    alone = [decisions(Extractor(), [page])[0] for page in PAGES]
    assert decisions(used, PAGES) == alone
    assert decisions(used, PAGES[::-1]) == alone[::-1]
    assert [len(reasons) > 0 for reasons in alone] == [page != "" for page in PAGES]


def test_scores_do_not_depend_on_how_many_blocks_are_measured_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Extractor()
    together = decisions(ours, PAGES)
    monkeypatch.setattr(model, "ROWS", 7)
    assert decisions(ours, PAGES) == together


def test_two_processes_with_other_hash_seeds_decide_alike() -> None:
    code = "from tests.kernels.html.test_model import *; print(decisions(extractor(), PAGES))"
    root = Path(__file__).parents[3]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True, cwd=root
        ).stdout
        for environment in (os.environ | {"PYTHONHASHSEED": seed} for seed in "12")
    }
    assert outputs == {f"{decisions(extractor(), PAGES)}\n"}


def test_a_thread_has_one_extractor() -> None:
    assert extractor() is extractor()
