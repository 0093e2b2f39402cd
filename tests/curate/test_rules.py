"""Rules against the reference's arithmetic, and the way from checks to bounds."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import rules
from pipeline.kernels import features
from pipeline.recipe import GopherQualityRule, LanguageRule, LengthRule
from pipeline.release.schemas import MILLION

GOPHER = GopherQualityRule(rule="gopher_quality").model_dump(mode="json")


def columns(texts: list[str], languages: list[str] | None = None) -> rules.Columns:
    measured = features.measure(pa.array(texts, pa.string()))
    labels = np.array(languages or ["en"] * len(texts), object)
    counts = {name: measured.column(name).to_numpy() for name in features.FEATURES}
    return rules.Columns(counts, labels, np.full(len(texts), 900_000, np.int64))


def first_failure(text: str, parameters: dict) -> str | None:
    checks = rules.judge(columns([text]), [parameters])
    return next((check.reason for check in checks if check.fails()[0]), None)


GOOD = "the quick brown fox and the lazy dog have to be friends of that house with windows " * 5

CASES = {
    "gopher_short_doc": "the dog and that cat",
    "gopher_long_doc": GOOD * 1300,
    "gopher_below_avg_threshold": "a b c d of to " * 30,
    "gopher_above_avg_threshold": "incomprehensibilities the and " * 30 + "extraordinarily-long-winded-words " * 60,
    "gopher_too_many_hashes": GOOD + "# " * 30,
    "gopher_too_many_ellipsis": GOOD + "word... " * 30,
    "gopher_too_many_bullets": "\n".join("- the dog and that cat sleep" for _ in range(20)),
    "gopher_too_many_end_ellipsis": "\n".join(
        "the dog and that cat sleep in the old house of my friends..."
        if n % 2
        else "and then they have to be with it now"
        for n in range(20)
    ),
    "gopher_below_alpha_threshold": GOOD + "12345 " * 60,
    "gopher_enough_stop_words": "quick brown foxes jump over lazy dogs near green rivers " * 10,
}


@pytest.mark.parametrize("reason", CASES)
def test_each_gopher_check_drops_the_text_that_breaks_it_alone(reason: str) -> None:
    assert first_failure(CASES[reason], GOPHER) == reason


def test_a_good_text_passes_every_gopher_check() -> None:
    assert first_failure(GOOD, GOPHER) is None


def test_a_bound_that_is_null_asks_nothing() -> None:
    assert first_failure(CASES["gopher_enough_stop_words"], {**GOPHER, "min_stop_words": None}) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_ratio_is_the_exact_quotient_rounded_half_to_even(part: int, whole: int) -> None:
    seen = rules.ratio(np.array([part]), np.array([whole]))[0]
    assert seen == (round(Fraction(part * MILLION, whole)) if whole else 0)


@pytest.mark.parametrize(("part", "even"), [(1, 0), (3, 2), (5, 2), (7, 4)])
def test_a_ratio_halfway_between_two_millionths_is_the_even_one(part: int, even: int) -> None:
    assert rules.ratio(np.array([part]), np.array([2_000_000]))[0] == even


@given(st.integers(1, 100_000), st.data())
def test_millionths_decide_as_the_ratios_themselves_do(whole: int, data: st.DataObject) -> None:
    bound = data.draw(st.sampled_from([0.1, 0.3, 0.8, 0.9]))
    part = data.draw(st.one_of(st.integers(0, whole), st.sampled_from([int(whole * bound), int(whole * bound) + 1])))
    seen = int(rules.ratio(np.array([part]), np.array([whole]))[0])
    exact, at = Fraction(part, whole), Fraction(str(bound))
    assert (seen > rules.millionths(bound)) == (exact > at)
    assert (seen < rules.millionths(bound)) == (exact < at)


def test_a_rule_for_some_languages_asks_the_others_nothing() -> None:
    parameters = LengthRule(rule="length", min_characters=100, languages=("en",)).model_dump(mode="json")
    check = rules.judge(columns(["short", "kurz"], ["en", "de"]), [parameters])[0]
    assert check.fails().tolist() == [True, False]
    assert check.asked().tolist() == [True, False]


def test_except_languages_takes_languages_out() -> None:
    parameters = LengthRule(rule="length", min_characters=100, except_languages=("zh",)).model_dump(mode="json")
    check = rules.judge(columns(["short", "短"], ["en", "zh"]), [parameters])[0]
    assert check.fails().tolist() == [True, False]


def test_length_counts_code_points_within_inclusive_bounds() -> None:
    parameters = LengthRule(rule="length", min_characters=3, max_characters=4).model_dump(mode="json")
    short, long = rules.judge(columns(["éé", "ééé", "éééé", "ééééé"]), [parameters])
    assert short.fails().tolist() == [True, False, False, False]
    assert long.fails().tolist() == [False, False, False, True]


def test_language_must_be_allowed_and_sure_enough() -> None:
    parameters = LanguageRule(rule="language", allow=("en",), min_score=0.95).model_dump(mode="json")
    allowed, score = rules.judge(columns(["a", "b"], ["en", "fr"]), [parameters])
    assert (allowed.reason, allowed.fails().tolist()) == ("language", [False, True])
    assert (score.reason, score.fails().tolist()) == ("language_score", [True, True])
