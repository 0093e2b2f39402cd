"""Rules that change texts: what they leave, what is told of it, and who is left alone."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.curate import edits
from pipeline.errors import RecipeError
from tests.curate.test_rules import parameters

PROSE = "The first sentence is here. A second follows it. And a third one too."
MENU = "home about contact\n" + PROSE + "\nPlease enable JavaScript to read this page.\n" + PROSE
C4 = parameters("c4", min_sentences=3)


def batch(*texts: str, languages: list[str] | None = None) -> edits.Batch:
    count = len(texts)
    return edits.Batch(
        pa.array(texts, pa.large_string()), [f"{n:032x}" for n in range(count)],
        np.array(["https://example.org/"] * count, object), np.array(languages or ["en"] * count, object),
    )  # fmt: skip


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_without_a_rule_that_reads_text_nothing_is_touched() -> None:
    given = batch("a", "b")
    edited = edits.apply(given, [parameters("length"), parameters("gopher_quality")])
    assert edited.texts is given.texts
    assert edited.outcomes == {}
    assert edited.edits == [[], []]


def test_lines_are_removed_and_the_row_says_how_much_and_from_what_to_what() -> None:
    edited = edits.apply(batch(MENU, PROSE), [parameters("length"), C4])
    assert edited.texts.to_pylist() == [f"{PROSE}\n{PROSE}", PROSE]
    removed = len(MENU) - len(f"{PROSE}\n{PROSE}")
    assert edited.edits == [
        [{"edit": "c4", "spans": 2, "characters": removed, "sha256_before": sha256(MENU),
          "sha256_after": sha256(f"{PROSE}\n{PROSE}")}],
        [],
    ]  # fmt: skip
    assert edited.outcomes[1]["sentences"].tolist() == [6, 3]


@pytest.mark.parametrize("text", ["home\n" + PROSE + "\nHere comes lorem ipsum again.", f"menu\n{PROSE[:27]}"])
def test_a_text_that_is_dropped_is_not_changed(text: str) -> None:
    edited = edits.apply(batch(text), [C4])
    assert edited.texts.to_pylist() == [text]
    assert edited.edits == [[]]


def test_a_rule_for_some_languages_leaves_the_others_alone() -> None:
    rule = parameters("c4", min_sentences=3, languages=["en"])
    edited = edits.apply(batch(MENU, MENU, languages=["de", "en"]), [rule])
    assert [len(made) for made in edited.edits] == [0, 1]
    assert edited.texts.to_pylist() == [MENU, f"{PROSE}\n{PROSE}"]


def test_a_language_may_have_its_own_parameters() -> None:
    rule = parameters("c4", by_language={"de": {"javascript": False}})
    edited = edits.apply(batch(MENU, MENU, languages=["de", "en"]), [rule])
    assert ["JavaScript" in text for text in edited.texts.to_pylist()] == [True, False]
    assert edited.outcomes[0]["sentences"].tolist() == [7, 6]


def test_each_rule_reads_what_the_one_before_left() -> None:
    paragraph = "x" * 250 + "."
    text = "\n".join(["menu", *(f"word word {paragraph}" for _ in range(3)), "menu"])
    rules = [C4, parameters("datatrove", filter="C4ParagraphFilter")]
    edited = edits.apply(batch(text, PROSE), rules)
    assert edited.outcomes[1]["reasons"].tolist() == [None, "datatrove/C4ParagraphFilter/< 3 paragraphs"]
    assert [[edit["edit"] for edit in made] for made in edited.edits] == [["c4"], []]


def test_what_a_filter_of_datatrove_changes_is_told_too() -> None:
    rule = parameters("datatrove", filter="C4QualityFilter", words="whitespace", arguments={"min_num_sentences": 1})
    edited = edits.apply(batch(MENU), [rule])
    (made,) = edited.edits[0]
    assert made["edit"] == "datatrove/C4QualityFilter"
    assert made["spans"] is None
    assert (made["sha256_before"], made["sha256_after"]) == (sha256(MENU), sha256(f"{PROSE}\n{PROSE}"))


def test_a_text_that_a_filter_of_datatrove_empties_is_dropped() -> None:
    rule = parameters("datatrove", filter="C4QualityFilter", words="whitespace", arguments={"min_num_sentences": -1})
    edited = edits.apply(batch("menu\nabout"), [rule])
    assert edited.outcomes[0]["reasons"].tolist() == ["datatrove/C4QualityFilter/emptied"]
    assert edited.texts.to_pylist() == ["menu\nabout"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [({"filter": "NoSuchFilter"}, "has no filter"), ({"filter": "LambdaFilter"}, "a function of Python")],
)
def test_a_filter_that_cannot_be_had_is_refused_before_any_document(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        edits.prepare([parameters("datatrove", **rule)])


def test_versions_name_what_a_filter_runs_on() -> None:
    found = edits.versions([parameters("length"), parameters("datatrove", filter="C4ParagraphFilter")])
    assert set(found) == {"datatrove"}


def test_attributes_of_dolma_are_rounded_towards_the_side_that_fails_and_measured_on_the_released_text() -> None:
    rule = parameters("gopher_dolma")
    found = edits.apply(batch("abc # 12", " \n \n"), [rule]).outcomes[0]
    assert found["fraction_of_words_with_alpha_character"][0] == 333_333  # bounded from below
    assert found["symbol_to_word_ratio"][0] == 333_334  # bounded from above
    assert found["fraction_of_characters_in_duplicate_lines"][1] == 2_000_000  # a divisor of 0 is taken as 1
    after = edits.apply(batch(MENU), [rule, C4]).outcomes[0]
    assert after["word_count"][0] == 2_000_000 * len(PROSE.split())
