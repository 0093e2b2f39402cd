"""The first stage's scores of blocks, and what scores say around a block, against plain Python."""

import math

import numpy as np
import pytest

from pipeline.kernels.html import context, token_scores
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, FIRST_BLOCK, LAST_BLOCK, PARENT
from pipeline.kernels.html.measure import Measurer
from pipeline.kernels.html.word_signals import hashed, mixed_plain
from tests.kernels.html.measured import TEXTS, measured
from tests.kernels.html.test_page_features import PAGE

BITS = 14
TITLED = [
    f"<h{1 + n % 3} class=t{n}>{t[:9]}</h{1 + n % 3}><p><b class='x yz'>{t}</b> {t}"
    for n, t in enumerate(TEXTS.values())
]
DEEP = f"<div id=a1><section class='post main'><article class=entry><div class='text body'>{''.join(TITLED)}</div></article>"
PAGES = {"page": PAGE, "deep": DEEP, "one": "<p>a", "text alone": "a", "no words": "<p>•<p>—", "big": PAGE * 20}


def expanded(found: Measurer) -> list[list[int]]:
    """Places of the features of each block."""
    indices, ends = np.zeros(2_000_000, np.int64), np.zeros(found.blocks.count, np.int64)
    total = found.expand(BITS, indices, ends)
    assert total == ends[-1]
    return [part.tolist() for part in np.split(indices[:total], ends[:-1])]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_score_is_the_sum_of_the_weights_of_the_features_and_the_bias(page: str) -> None:
    _, found = measured(page)
    draw = np.random.default_rng(len(page))
    for bias in (0, -1500):
        weights = draw.integers(-(2**15), 2**15, 1 << BITS).astype(np.int16)
        expected = [bias + int(weights[block].astype(int).sum()) for block in expanded(found)]
        assert found.score(BITS, weights, bias).tolist() == expected


def place(value: int, number: int) -> int:
    """The place of a feature: its hash, salted by the number of its kind."""
    return mixed_plain(value ^ (number * 0xD6E8FEB86659FD93 & 2**64 - 1)) >> (64 - BITS)


def test_words_and_classes_are_features_of_their_kinds_and_occur_as_often_as_they_stand_there() -> None:
    _, found = measured("<div class=outer><div class=around><p>green green tea</p></div></div>")
    features = expanded(found)[0]
    assert features.count(place(hashed("green"), 5)) == 2  # WORD
    assert features.count(place(hashed("tea"), 5)) == 1
    assert place(hashed("absent"), 5) not in features
    around, beyond, far, ancestor = 1, 2, 3, 4
    for name, kind in (("around", beyond), ("outer", far)):
        assert place(hashed(name), kind) in features
        assert place(hashed(name), ancestor) in features
        assert place(hashed(name), around) not in features


def test_a_block_of_many_words_gives_its_first_and_last_ones_alone() -> None:
    words = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    features = expanded(measured("<p>" + " ".join(words))[1])[0]
    given = [word for word in words if place(hashed(word), 5) in features]
    assert given == words[: token_scores.FIRST_WORDS] + words[-token_scores.LAST_WORDS :]


class Around:
    """A page whose blocks have random scores, and what is written of them."""

    def __init__(self, page: str, unit: int = 1024) -> None:
        _, self.found = measured(page)
        self.count = self.found.blocks.count
        self.scores = np.random.default_rng(self.count).integers(-9000, 9000, self.count).astype(np.int32)
        self.found.sum_scores(self.scores, unit)
        parts = []
        for start in range(0, self.count, 100):
            end = min(start + 100, self.count)
            self.found.fill_context(unit, start, end, 3)
            parts.append(self.found.matrix[: end - start, 3 : 3 + context.COUNT].copy())
        self.rows = np.concatenate(parts)
        self.weights = [math.sqrt(n) + 0.5 for n in self.found.words[: self.count, w.WORDS].tolist()]
        self.values = [score / unit for score in self.scores.tolist()]

    def mean(self, blocks: list[int]) -> float:
        """The mean of blocks' scores, long blocks counting more; 0 of none."""
        weight = sum(self.weights[b] for b in blocks)
        return sum(self.values[b] * self.weights[b] for b in blocks) / weight if blocks else 0.0

    def feature(self, name: str) -> np.ndarray:
        return self.rows[:, context.NAMES.index(name)]


@pytest.fixture(scope="module", params=["page", "deep", "one", "no words", "big"])
def around(request: pytest.FixtureRequest) -> Around:
    return Around(PAGES[request.param])


def test_own_and_neighbours_scores_are_written_and_missing_beyond_the_ends(around: Around) -> None:
    assert around.feature("score").tolist() == np.float32(around.values).tolist()
    for offset in context.NEIGHBOURS:
        places = [b + offset for b in range(around.count)]
        expected = [around.values[p] if 0 <= p < around.count else context.MISSING for p in places]
        assert around.feature(f"score{offset:+d}").tolist() == np.float32(expected).tolist()


def test_windows_are_means_weighted_by_the_root_of_words(around: Around) -> None:
    for size in context.WINDOWS:
        for side in ("before", "after"):
            spans = [
                range(max(b - size, 0), b) if side == "before" else range(b + 1, min(b + size + 1, around.count))
                for b in range(around.count)
            ]
            expected = [around.mean(list(span)) for span in spans]
            assert np.allclose(around.feature(f"scores_{side}{size}"), expected, atol=1e-4)


def test_levels_are_means_of_the_other_blocks_in_each_ancestor(around: Around) -> None:
    boxes = around.found.blocks.boxes.tolist()
    for b in range(around.count):
        box = int(around.found.blocks.table[b, BOX])
        for level in range(context.LEVELS):
            others = [o for o in range(boxes[box][FIRST_BLOCK], boxes[box][LAST_BLOCK]) if o != b]
            assert math.isclose(around.feature(f"scores_level{level}")[b], around.mean(others), abs_tol=1e-3)
            box = max(boxes[box][PARENT], 0)


def test_like_blocks_and_the_page_have_their_means(around: Around) -> None:
    signals = around.found.signals
    for name, which in (("path", signals.path_group), ("parent", signals.parent_group)):
        groups = which[: around.count].tolist()
        means = {g: around.mean([b for b in range(around.count) if groups[b] == g]) for g in set(groups)}
        assert np.allclose(around.feature(f"scores_{name}"), [means[g] for g in groups], atol=1e-4)
    assert np.allclose(around.feature("scores_page"), around.mean(list(range(around.count))), atol=1e-4)


def test_the_best_scores_are_those_of_the_page_up_to_a_block_and_from_it_on(around: Around) -> None:
    values = np.float32(around.values).tolist()
    assert around.feature("scores_best").tolist() == [max(values)] * around.count
    assert around.feature("scores_best_before").tolist() == [max(values[: b + 1]) for b in range(around.count)]
    assert around.feature("scores_best_after").tolist() == [max(values[b:]) for b in range(around.count)]


def test_a_heading_gives_its_score_and_is_missing_where_there_is_none(around: Around) -> None:
    for column, name in enumerate(("score_heading", "score_major_heading")):
        headings = around.found.signals.headings[: around.count, column].tolist()
        expected = [around.values[h] if h >= 0 else context.MISSING for h in headings]
        assert around.feature(name).tolist() == np.float32(expected).tolist()
