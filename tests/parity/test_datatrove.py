"""Our rule sets judge as datatrove's filters do, defects and all; the few that we do not mirror are shown here."""

import itertools
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pyarrow as pa
import pytest

from bench.parity import PASSED, SETS, compare, ours, reference
from pipeline.kernels import features
from tests.parity import documents

# `emptied` is ours: the reference drops a text without sentences before that could be asked.
REASONS = {
    "gopher_quality": {
        "gopher_short_doc", "gopher_long_doc", "gopher_below_avg_threshold", "gopher_above_avg_threshold",
        "gopher_too_many_hashes", "gopher_too_many_ellipsis", "gopher_too_many_bullets", "gopher_too_many_end_ellipsis",
        "gopher_below_alpha_threshold", "gopher_enough_stop_words"},
    "gopher_repetition": {
        "empty", "dup_para_frac", "dup_para_char_frac", "dup_line_frac", "dup_line_char_frac", "top_2_gram", "top_3_gram",
        "top_4_gram", *(f"duplicated_{n}_n_grams" for n in range(5, 11))},
    "fineweb": {"empty", "line_punct_ratio", "short_line_ratio", "char_dup_ratio", "list_ratio"},
    "c4": {"lorem_ipsum", "curly_bracket", "too_few_sentences"},
}  # fmt: skip


@cache
def texts() -> pa.LargeStringArray:
    real = documents.real()
    # Spoilt are all short ones, and each of the languages.
    wide = [text for text in real if len(text) < 1500] + list(documents.translations().values())
    found = [*real, *itertools.chain.from_iterable(map(documents.spoilt, wide)), *documents.made()]
    return pa.array(list(dict.fromkeys(found)), pa.large_string())


def array(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def both(name: str, text: str, parameters: Any = None, arguments: Any = None) -> tuple[str, str]:
    """Our verdict and the reference's, on one text."""
    mine, theirs = (
        ours(array(text), ["0"], name, parameters or {}),
        reference(array(text), ["0"], name, arguments or {}),
    )
    return mine[0][0], theirs[0][0]


def measured(text: str) -> dict[str, int]:
    return features.measure(array(text)).to_pylist()[0]


def test_the_documents_are_many_and_in_many_languages() -> None:
    assert len(documents.catalogues()) >= 30
    assert len(documents.real()) >= 250
    assert len(texts()) >= 2000


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_verdict_and_first_reason_is_the_references(name: str) -> None:
    tally = compare(texts(), [str(row) for row in range(len(texts()))], name)
    assert tally.differing == []
    assert set(tally.reasons) == REASONS[name] | {PASSED}


VARIANTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("gopher_quality", {"min_words": 5, "max_mean_word_length": 14, "min_alphabetic_words": 0.7, "min_stop_words": None},
     {"min_doc_words": 5, "max_avg_word_length": 14, "max_non_alpha_words_ratio": 0.7, "min_stop_words": None}),
    ("gopher_quality", {"min_words": 1, "min_mean_word_length": None, "max_symbol_ratio": 0.01, "max_bullet_lines": 0.1,
                        "max_ellipsis_lines": 0.05, "min_stop_words": 8},
     {"min_doc_words": 1, "min_avg_word_length": None, "max_symbol_word_ratio": 0.01, "max_bullet_lines_ratio": 0.1,
      "max_ellipsis_lines_ratio": 0.05, "min_stop_words": 8}),
    ("gopher_repetition", {"max_duplicate_paragraphs": None, "max_duplicate_paragraph_characters": None,
                           "max_duplicate_lines": 0.1, "max_duplicate_line_characters": 0.05},
     {"dup_para_frac": None, "dup_para_char_frac": None, "dup_line_frac": 0.1, "dup_line_char_frac": 0.05}),
    ("gopher_repetition", {"max_duplicate_lines": None, "max_duplicate_line_characters": None, "max_top_2_gram": None,
                           "max_top_3_gram": 0.1, "max_top_4_gram": 0.05,
                           **{f"max_duplicated_{n}_grams": None for n in range(5, 10)}, "max_duplicated_10_grams": 0.01},
     {"dup_line_frac": None, "dup_line_char_frac": None, "top_n_grams": [[3, 0.1], [4, 0.05]],
      "dup_n_grams": [[10, 0.01]]}),
    ("fineweb", {"min_terminated_lines": 0.5, "unless_no_line_is_terminated": True, "max_short_lines": 0.3,
                 "max_duplicate_characters": 0.1, "max_newlines_per_word": 0.1},
     {"line_punct_thr": 0.5, "line_punct_exclude_zero": True, "short_line_thr": 0.3, "char_duplicates_ratio": 0.1,
      "new_line_ratio": 0.1}),
    ("c4", {"min_sentences": 1, "min_words_per_line": 1, "max_word_length": 30, "terminal_punctuation": False,
            "remove_citations": False, "curly_bracket": False},
     {"min_num_sentences": 1, "min_words_per_line": 1, "max_word_length": 30, "filter_no_terminal_punct": False,
      "remove_citations": False, "filter_curly_bracket": False}),
    ("c4", {"min_sentences": 2, "javascript": False, "policy": False, "lorem_ipsum": False},
     {"min_num_sentences": 2, "filter_javascript": False, "filter_policy": False, "filter_lorem_ipsum": False}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "arguments"), VARIANTS)
def test_so_it_is_with_other_thresholds(name: str, parameters: dict[str, Any], arguments: dict[str, Any]) -> None:
    some = texts().take(pa.array(range(0, len(texts()), 3)))
    tally = compare(some, [str(row) for row in range(len(some))], name, parameters, arguments)
    assert tally.differing == []
    assert len(tally.reasons) >= 2


def test_a_share_above_its_bound_by_less_than_a_millionth_is_above_it() -> None:
    for hashes, verdict in ((110_000, PASSED), (110_001, "gopher_too_many_hashes")):
        text = "#word " * hashes + "word " * (1_100_000 - hashes - 2) + "the of"
        assert both("gopher_quality", text, {"max_words": None}, {"max_doc_words": None}) == (verdict, verdict)


# Defects of the reference that are mirrored: what it does is what its users' corpora were made with.


def repeated(joint: str) -> Callable[[str, int], int]:
    """The reference's count of characters in repeated n-grams, with another joint."""

    def count(text: str, n: int) -> int:
        words, seen, total, at = text.split(), set(), 0, 0
        while at < len(words) - n + 1:
            gram = joint.join(words[at : at + n])
            if gram in seen:
                total += len(gram.replace(joint, "") if joint else gram)
                at += n
            else:
                seen.add(gram)
                at += 1
        return total

    return count


def test_n_grams_of_5_to_10_words_are_joined_without_separators_so_that_other_words_can_repeat_them() -> None:
    from datatrove.pipeline.filters.gopher_repetition_filter import find_all_duplicate

    text = "a b c d ef x ab c d e f"
    assert find_all_duplicate(text.split(), 5) == measured(text)["duplicated_5_gram_characters"] == 6
    assert repeated("")(text, 5) == 6
    assert repeated(" ")(text, 5) == 0


def test_the_digit_1_in_full_width_is_punctuation_and_the_others_are_not() -> None:
    from datatrove.utils.text import PUNCTUATION_SET

    assert [digit for digit in "０１２３４５６７８９" if digit in PUNCTUATION_SET] == ["１"]
    assert measured("０ １ ２")["content_words"] == 2


def test_many_symbols_count_as_words_because_the_set_of_punctuation_is_a_list_of_some() -> None:
    from datatrove.utils.text import PUNCTUATION_SET

    assert not PUNCTUATION_SET & set("¿¡±×÷€•")
    assert measured("± € • \\ .")["content_words"] == 3


def test_overlapping_top_n_grams_count_twice_so_that_a_share_can_pass_1() -> None:
    text = "a a a a"
    assert measured(text)["top_2_gram_characters"] == 9 > len(text)


def test_stop_words_are_case_sensitive() -> None:
    assert measured("The BE To")["stop_words"] == 0


def test_a_line_that_ends_in_a_blank_or_a_carriage_return_is_not_terminated() -> None:
    assert measured("One. \nTwo.\r\nThree.")["terminated_lines"] == 1
    assert both("fineweb", "A sentence of some length, that ends here. \r\n" * 3) == ("line_punct_ratio",) * 2


def test_lorem_ipsum_is_looked_for_in_those_lines_only_that_were_not_removed_before() -> None:
    body = "One line of text that ends.\n" * 5
    assert both("c4", body + "Lorem ipsum dolor") == (PASSED, PASSED)
    assert both("c4", body + "Lorem ipsum dolor.") == ("lorem_ipsum", "lorem_ipsum")


def test_a_bracket_in_a_line_about_javascript_is_removed_with_the_line() -> None:
    body = "One line of text that ends.\n" * 5
    assert both("c4", body + "This { is JavaScript.") == (PASSED, PASSED)
    assert both("c4", body + "This { is another.") == ("curly_bracket", "curly_bracket")


# Defects that are not mirrored. None shows with default thresholds.


def test_a_threshold_of_zero_is_a_bound_here_and_off_there() -> None:
    text = "- the list of that and more words\nThe rest of it have to be words with sense\n" * 6
    assert both("gopher_quality", text, {"max_bullet_lines": 0.0}, {"max_bullet_lines_ratio": 0.0}) == (
        "gopher_too_many_bullets", PASSED,
    )  # fmt: skip
    assert both("gopher_quality", text, {"max_bullet_lines": None}, {"max_bullet_lines_ratio": 0.0}) == (PASSED, PASSED)


def test_a_text_without_words_has_ratios_of_zero_here_and_raises_there() -> None:
    for text in ("", " \n "):
        assert both("gopher_quality", text, {"min_words": None}, {"min_doc_words": None}) == (
            "gopher_below_avg_threshold", "error:ZeroDivisionError",
        )  # fmt: skip


def test_a_text_without_content_words_has_a_mean_of_zero_here_and_no_number_there() -> None:
    mine, theirs = both("gopher_quality", "? ! ?", {"min_words": None}, {"min_doc_words": None})
    assert mine == "gopher_below_avg_threshold"
    assert theirs == "gopher_below_alpha_threshold"  # NaN is neither below 3 nor above 10


def test_a_text_of_which_c4_leaves_no_line_is_dropped_here_and_an_empty_document_there() -> None:
    found = reference(array("menu"), ["0"], "c4", {"min_num_sentences": -1})
    assert (found[0], found[1].to_pylist()) == ([PASSED], [""])
    assert ours(array("menu"), ["0"], "c4", {"min_sentences": None})[0] == ["emptied"]


def test_a_comparison_that_finds_a_difference_says_where() -> None:
    tally = compare(array("short", "x " * 60), ["one", "two"], "gopher_quality", {"min_words": None})
    assert tally.differing == [("one", "gopher_enough_stop_words", "gopher_short_doc")]
    assert tally.reasons == Counter({"gopher_short_doc": 1, "gopher_below_avg_threshold": 1})
