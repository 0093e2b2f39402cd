"""Each rule, by the text that it alone drops; who is asked; and that the page on recipes names every key and reason."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from pipeline.curate import rules
from pipeline.curate.checks import Columns
from pipeline.kernels import dolma, features
from pipeline.recipe_rules import MODELS, RuleSpec

DOCS = Path(__file__).parents[2] / "docs"


def parameters(name: str, **values: Any) -> dict[str, Any]:
    """A rule's parameters as a task gets them: defaults filled in, JSON values."""
    rule: Any = TypeAdapter(RuleSpec).validate_python({"rule": name, **values})
    return rule.model_dump(mode="json")


GOPHER = parameters("gopher_quality")


def columns(
    texts: list[str], languages: list[str] | None = None, urls: list[str] | None = None, outcome: Any = None
) -> Columns:
    measured = features.measure(pa.array(texts, pa.string()))
    labels = np.array(languages or ["en"] * len(texts), object)
    counts = {name: measured.column(name).to_numpy() for name in features.FEATURES}
    places = np.array(urls or ["pkg:pypi/x@1"] * len(texts), object)
    return Columns(counts, labels, np.full(len(texts), 900_000, np.int64), places, {0: outcome or {}})


def first_failure(text: str, rule: dict[str, Any], **known: Any) -> str | None:
    checks = rules.judge(columns([text], **known), [rule])
    return next((check.reason_of(0) for check in checks if check.fails()[0]), None)


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


def test_a_rule_for_some_languages_asks_the_others_nothing() -> None:
    rule = parameters("length", min_characters=100, languages=["en"])
    check = rules.judge(columns(["short", "kurz"], ["en", "de"]), [rule])[0]
    assert check.fails().tolist() == [True, False]
    assert check.asked().tolist() == [True, False]


def test_except_languages_takes_languages_out() -> None:
    rule = parameters("length", min_characters=100, except_languages=["zh"])
    check = rules.judge(columns(["short", "短"], ["en", "zh"]), [rule])[0]
    assert check.fails().tolist() == [True, False]


def test_length_counts_code_points_within_inclusive_bounds() -> None:
    rule = parameters("length", min_characters=3, max_characters=4)
    short, long = rules.judge(columns(["éé", "ééé", "éééé", "ééééé"]), [rule])
    assert short.fails().tolist() == [True, False, False, False]
    assert long.fails().tolist() == [False, False, False, True]


def test_language_must_be_allowed_and_sure_enough() -> None:
    rule = parameters("language", allow=["en"], min_score=0.95)
    allowed, score = rules.judge(columns(["a", "b"], ["en", "fr"]), [rule])
    assert (allowed.reason, allowed.fails().tolist()) == ("language", [False, True])
    assert (score.reason, score.fails().tolist()) == ("language_score", [True, True])


REPETITION = {
    "empty": "",
    "dup_para_frac": "one\n\ntwo\n\none\n\none\n\n" + "long " * 90,
    "dup_para_char_frac": "\n\n".join(["x" * 180, "y" * 120, "z" * 60, "x" * 180]),
    "dup_line_frac": "a\nb\na\na\n" + "longer line of other words",
    "dup_line_char_frac": "\n".join(["first " * 30, "second " * 20, "third " * 10, "first " * 30]),
    "top_2_gram": "ab cd " * 9 + " ".join(f"w{n}" for n in range(40)),
    "duplicated_5_n_grams": " ".join([f"w{n}" for n in range(80)] * 2),
}


@pytest.mark.parametrize("reason", REPETITION)
def test_a_repetition_is_found_under_its_own_reason(reason: str) -> None:
    assert first_failure(REPETITION[reason], parameters("gopher_repetition")) == reason


def test_a_text_that_repeats_nothing_passes_the_rules_on_repetition() -> None:
    text = "\n\n".join(" ".join(f"w{n}x{m}" for m in range(12)) for n in range(12))
    assert first_failure(text, parameters("gopher_repetition")) is None


LONG = "this line of text is long enough to count as one and it has no end"
FINEWEB = {
    "empty": "\n \n",
    "line_punct_ratio": "\n".join(f"{LONG} {n}" for n in range(20)),
    "short_line_ratio": "\n".join(f"Short line {n}." for n in range(20)),
    "char_dup_ratio": "\n".join([f"{LONG}.", f"{LONG}.", *(f"{LONG} {n}." for n in range(20))]),
    "list_ratio": "\n".join(f"{'x' * (40 + n)}." for n in range(20)),
}


@pytest.mark.parametrize("reason", FINEWEB)
def test_each_fineweb_check_drops_the_text_that_breaks_it_alone(reason: str) -> None:
    assert first_failure(FINEWEB[reason], parameters("fineweb")) == reason


def test_a_text_without_ended_lines_can_be_excused() -> None:
    rule = parameters("fineweb", unless_no_line_is_terminated=True)
    assert first_failure(FINEWEB["line_punct_ratio"], rule) is None
    assert first_failure(f"Ended.\n{FINEWEB['line_punct_ratio']}", rule) == "line_punct_ratio"


def test_words_of_chinese_count_when_a_recipe_asks_for_them() -> None:
    text = "这条河流经过很多村庄。孩子们在水边玩耍，老人们坐在树下讲故事。" * 5
    assert first_failure(text, GOPHER) == "gopher_short_doc"
    rule = parameters(
        "gopher_quality", by_language={"zh": {"words": "unicode", "min_mean_word_length": 1, "min_stop_words": None}}
    )
    assert first_failure(text, rule, languages=["zh"]) is None
    assert first_failure(text, rule, languages=["en"]) == "gopher_short_doc"


def test_a_language_with_its_own_parameters_is_asked_by_these_alone() -> None:
    rule = parameters("length", min_characters=10, by_language={"de": {"min_characters": 4}})
    checks = rules.judge(columns(["kurz", "kurz", "kur"], ["de", "en", "de"]), [rule])
    assert [check.low for check in checks] == [10_000_000, 4_000_000]
    assert np.logical_or.reduce([check.fails() for check in checks]).tolist() == [False, True, True]
    assert np.sum([check.asked() for check in checks], axis=0).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("bound", "text", "reason"),
    [
        ({"min_letters": 0.5}, "123 456 ab", "too_few_letters"),
        ({"max_uppercase": 0.5}, "ABCd 12", "too_many_uppercase"),
        ({"max_digits": 0.2}, "a1b2", "too_many_digits"),
        ({"max_symbols": 0.2}, "a+b-c", "too_many_symbols"),
        ({"max_spaces": 0.4}, "a  b\n\n", "too_many_spaces"),
    ],
)
def test_shares_of_characters_are_bounded(bound: dict[str, float], text: str, reason: str) -> None:
    assert first_failure(text, parameters("character_ratio", **bound)) == reason
    assert first_failure("plain words of lower case", parameters("character_ratio", **bound)) is None


@pytest.mark.parametrize(
    ("bound", "text", "reason"),
    [
        ({"min_mean": 10}, "short\nlines", "short_lines"),
        ({"max_mean": 30}, "x" * 31, "long_lines"),
        ({"max_longest": 30}, "a\nb\n" + "é" * 31, "longest_line"),
    ],
)
def test_lengths_of_lines_are_bounded(bound: dict[str, float], text: str, reason: str) -> None:
    assert first_failure(text, parameters("line_length", **bound)) == reason
    assert first_failure("twenty characters ok", parameters("line_length", **bound)) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/a", "url_domain_blocked"),
        ("https://www.Example.ORG.:443/a", "url_domain_blocked"),
        ("https://notexample.org/a", None),
        ("https://example.org.evil.net/a", None),
        ("https://fine.net/?q=example.org", None),
        ("https://fine.net/CASINO-night", "url_word_blocked"),
        ("pkg:pypi/example.org@1#a", None),
        ("https://[broken/", None),
    ],
)
def test_a_blocked_domain_stands_for_its_subdomains_and_for_nothing_else(url: str, reason: str | None) -> None:
    rule = parameters("url", block_domains=["example.org"], block_words=["casino"])
    assert first_failure("text", rule, urls=[url]) == reason


def test_only_allowed_domains_pass_where_some_are_named() -> None:
    rule = parameters("url", allow_domains=["gov.uk"])
    assert first_failure("text", rule, urls=["https://www.gov.uk/x"]) is None
    assert first_failure("text", rule, urls=["https://gov.uk.com/x"]) == "url_domain_not_allowed"
    assert first_failure("text", rule, urls=["pkg:pypi/x@1"]) == "url_domain_not_allowed"


def outcome(**counts: int) -> dict[str, Any]:
    known = {"lorem_ipsum": 0, "curly_bracket": 0, "sentences": 9, "kept_lines": 3, **counts}
    return {name: np.array([value], np.int64) for name, value in known.items()}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({}, None),
        ({"lorem_ipsum": 1, "sentences": 0, "kept_lines": 0}, "lorem_ipsum"),
        ({"curly_bracket": 1, "sentences": 0, "kept_lines": 0}, "curly_bracket"),
        ({"sentences": 4}, "too_few_sentences"),
    ],
)
def test_c4_answers_by_what_its_reading_found(found: dict[str, int], reason: str | None) -> None:
    assert first_failure("text", parameters("c4"), outcome=outcome(**found)) == reason


def test_a_text_of_which_c4_leaves_nothing_is_dropped_though_sentences_are_not_asked() -> None:
    rule = parameters("c4", min_sentences=None)
    assert first_failure("text", rule, outcome=outcome(sentences=0, kept_lines=0)) == "emptied"


def test_a_document_that_c4_stopped_reading_is_not_asked_for_sentences() -> None:
    checks = rules.judge(columns(["text"], outcome=outcome(lorem_ipsum=1, sentences=0)), [parameters("c4")])
    assert [check.reason for check in checks if check.asked()[0]] == ["lorem_ipsum", "curly_bracket"]


def test_a_filter_of_datatrove_drops_for_its_own_reason() -> None:
    rule = parameters("datatrove", filter="C4ParagraphFilter")
    said = {"reasons": np.array([None, "datatrove/C4ParagraphFilter/short"], object)}
    (check,) = rules.judge(columns(["a", "b"], outcome=said), [rule])
    assert check.fails().tolist() == [False, True]
    assert [check.reason_of(row) for row in (0, 1)] == ["datatrove/C4ParagraphFilter", said["reasons"][1]]


def test_attributes_of_dolma_are_bounded_in_the_order_of_its_tagger() -> None:
    rule = parameters("gopher_dolma")
    values = {name: np.array([1_000_000 if low else 0], np.int64) for name, (low, _) in rules.DOLMA.items()}
    good = {**values, "word_count": np.array([60_000_000]), "median_word_length": np.array([4_500_000]),
            "required_word_count": np.array([2_000_000])}  # fmt: skip
    assert first_failure("text", rule, outcome=good) is None
    for name, (low, _) in rules.DOLMA.items():
        wrong = {**good, name: np.array([0 if low else 950_000])}
        assert first_failure("text", rule, outcome=wrong) == f"gopher_v1_{name}"
    assert list(rules.DOLMA) == [name for name in dolma.ATTRIBUTES if name in rules.DOLMA]


def test_every_rule_of_a_recipe_has_its_function() -> None:
    assert {parameters_of(model) for model in MODELS} == set(rules.RULES)


def parameters_of(model: Any) -> str:
    (name,) = model.model_fields["rule"].annotation.__args__
    return str(name)


def test_the_page_on_recipes_names_every_rule_and_every_key_of_it() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    for model in MODELS:
        assert f"`rule: {parameters_of(model)}`" in page
        for key in model.model_fields:
            ends_of_the_range = re.sub(r"_[6-9]_grams$", "_10_grams", key)
            assert f"`{ends_of_the_range}`" in page, key


def test_the_page_on_recipes_names_every_reason() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    for case in (CASES, FINEWEB, REPETITION):
        for reason in case:
            assert f"`{reason}`" in page or reason in ("empty", "top_2_gram"), reason
    for reason in ("lorem_ipsum", "curly_bracket", "too_few_sentences", "emptied", "too_short", "too_long", "language"):
        assert f"`{reason}`" in page
