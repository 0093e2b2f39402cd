"""The datatrove adapter against datatrove's own objects, and everything that it must refuse before the first document."""

import hashlib
import os
import subprocess
import sys
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate import datatrove_filters
from pipeline.curate.datatrove_filters import REFUSED, draw, load, versions
from pipeline.errors import RecipeError, TaskError

PROSE = "The quick brown fox and the lazy dog have been friends with each other, to be sure of that. "
LONG = PROSE * 8


def judge(name: str, texts: list[str], words: str = "whitespace", **arguments: Any) -> list[str | None]:
    return outcome(name, texts, words, **arguments).reasons


def outcome(name: str, texts: list[str], words: str = "whitespace", **arguments: Any) -> datatrove_filters.Outcome:
    ids = [f"{row:032x}" for row in range(len(texts))]
    urls = ["https://example.org/page"] * len(texts)
    return load(name, arguments, words).apply(pa.array(texts, pa.large_string()), urls, ["en"] * len(texts), ids)


def refusal(name: str, words: str = "whitespace", **arguments: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        load(name, arguments, words)
    assert f"filter {name}" in caught.value.where
    return str(caught.value)


def test_every_filter_that_datatrove_has_was_read_for_this_adapter() -> None:
    import datatrove.pipeline.filters as filters

    there = {name for name, value in vars(filters).items() if isinstance(value, type)}
    usable = {"C4ParagraphFilter", "C4QualityFilter", "FineWebQualityFilter", "GopherQualityFilter",
              "GopherRepetitionFilter", "RegexFilter", "SamplerFilter", "URLFilter"}  # fmt: skip
    assert there == usable | set(REFUSED)


def test_a_drop_carries_the_filters_own_reason_in_its_namespace() -> None:
    assert judge("GopherQualityFilter", [LONG, "short", "a b " * 60]) == [
        None,
        "datatrove/GopherQualityFilter/gopher_short_doc",
        "datatrove/GopherQualityFilter/gopher_below_avg_threshold",
    ]
    assert judge("FineWebQualityFilter", ["", "x"]) == [
        "datatrove/FineWebQualityFilter/empty", "datatrove/FineWebQualityFilter/line_punct_ratio",
    ]  # fmt: skip
    assert judge("C4ParagraphFilter", ["x"]) == ["datatrove/C4ParagraphFilter/< 3 paragraphs"]


def test_a_filter_without_reasons_gives_the_name_of_its_class() -> None:
    reasons = judge("RegexFilter", ["good", "bad"], regex_exp="a")
    assert reasons == [None, "datatrove/RegexFilter/regex_filter"]


def test_arguments_reach_the_filter() -> None:
    assert judge("GopherQualityFilter", [PROSE], min_doc_words=5) == [None]
    assert judge("GopherQualityFilter", [PROSE], min_doc_words=5, stop_words=["no", "none"]) == [
        "datatrove/GopherQualityFilter/gopher_enough_stop_words"
    ]
    assert judge("GopherRepetitionFilter", [LONG], top_n_grams=[[2, 1.0]], dup_n_grams=[]) == [None]
    assert judge("FineWebQualityFilter", [PROSE + "fox;"], stop_chars=[";"]) == [None]


def test_what_a_filter_edits_is_returned_and_what_it_drops_is_left_as_it_was() -> None:
    kept = "One line of prose that ends.\nA menu\n" + "And a line with a citation[1].\n" * 4
    found = outcome("C4QualityFilter", [kept, "A menu\nOne line that ends."])
    assert found.reasons == [None, "datatrove/C4QualityFilter/too_few_sentences"]
    assert found.texts.to_pylist() == [
        "One line of prose that ends.\n" + "\n".join(["And a line with a citation."] * 4),
        "A menu\nOne line that ends.",
    ]
    assert found.texts.type == pa.large_string()


def test_no_documents_give_no_reasons() -> None:
    found = outcome("GopherQualityFilter", [])
    assert found.reasons == []
    assert found.texts.type == pa.large_string()


HOSTILE = st.lists(
    st.one_of(st.sampled_from(["the ", "and ", "of", " ", "\n", "\n\n", "\r\n", "\u2028", "\x85", "\x1c", "...", "-", "#",
                               "漢字。", "a b c d e. "]), st.text(max_size=6)), max_size=60).map("".join)  # fmt: skip


@given(st.lists(HOSTILE, max_size=4))
@settings(max_examples=60)
def test_whitespace_words_are_those_of_split_and_sentences_are_lines(texts: list[str]) -> None:
    from datatrove.utils.text import split_into_sentences, split_into_words

    tokenizer = load("GopherQualityFilter", {}, "whitespace").tokenizer
    for text in texts:
        assert split_into_words(text, tokenizer) == text.split()
        pieces = split_into_sentences(text, tokenizer)
        assert "".join(pieces) == text
        assert len(pieces) == max(1, sum(bool(line.strip()) for line in text.splitlines()))
        assert tokenizer.sent_tokenize(text) == [line for line in text.splitlines() if line.strip()]


@given(st.lists(HOSTILE, min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_a_verdict_depends_on_the_document_alone(texts: list[str], random: Any) -> None:
    order = random.sample(range(len(texts)), len(texts))
    ids = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
    for name, arguments in (
        ("GopherQualityFilter", {"min_doc_words": 3, "min_stop_words": 1}), ("GopherRepetitionFilter", {}),
        ("FineWebQualityFilter", {}), ("C4QualityFilter", {"min_num_sentences": 1}), ("SamplerFilter", {"seed": 7}),
    ):  # fmt: skip
        filter_ = load(name, arguments, "whitespace")

        def apply(rows: list[int], filter_: Any = filter_) -> list[tuple[str, str | None]]:
            part = pa.array([texts[row] for row in rows], pa.large_string())
            found = filter_.apply(part, [None] * len(rows), ["en"] * len(rows), [ids[row] for row in rows])
            return list(zip(found.texts.to_pylist(), found.reasons, strict=True))

        whole = apply(list(range(len(texts))))
        assert apply(order) == [whole[row] for row in order]
        assert [apply([row])[0] for row in range(len(texts))] == whole


def test_the_sampler_draws_by_seed_and_id_and_its_draws_are_pinned() -> None:
    assert draw(1, "0" * 32) == 0.18261621768126968
    assert draw(1, "0" * 32) != draw(2, "0" * 32) != draw(2, "1" * 32)
    reasons = judge("SamplerFilter", ["x"] * 4000, rate=0.25, seed=3)
    assert 900 < reasons.count(None) < 1100
    assert set(reasons) == {None, "datatrove/SamplerFilter/sampler_filter"}
    assert judge("SamplerFilter", ["x"] * 50, rate=0.0, seed=3).count(None) == 0
    assert judge("SamplerFilter", ["x"] * 50, rate=1.0, seed=3).count(None) == 50


def test_a_filter_that_raises_drops_the_document_and_names_the_exception() -> None:
    reasons = judge("GopherQualityFilter", ["", LONG], min_doc_words=None)
    assert reasons == ["datatrove/GopherQualityFilter/error:ZeroDivisionError", None]


@pytest.mark.parametrize("fault", [MemoryError("no memory"), OSError("disk"), ImportError("gone")])
def test_a_fault_of_the_machine_fails_the_task_and_drops_nothing(fault: Exception) -> None:
    class Faulty:
        def filter(self, document: object) -> bool:
            raise fault

    broken = datatrove_filters.Filter("RegexFilter", Faulty())
    with pytest.raises(TaskError, match=f"{type(fault).__name__}.*{fault}") as caught:
        broken.apply(pa.array(["a"], pa.large_string()), [None], ["en"], ["f" * 32])
    assert "f" * 32 in caught.value.where


def test_an_unknown_filter_is_refused_with_those_that_exist() -> None:
    message = refusal("GopherFilter")
    assert "GopherQualityFilter, GopherRepetitionFilter" in message
    assert "LambdaFilter" not in message


@pytest.mark.parametrize("name", ["BaseFilter", "os", "base_filter", "__name__"])
def test_only_filters_are_found_by_name(name: str) -> None:
    assert "datatrove has no filter" in refusal(name)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_no_lock_can_pin_is_refused_with_what_to_use(name: str) -> None:
    message = refusal(name)
    assert REFUSED[name][0] in message
    assert f"next:   {REFUSED[name][1]}" in message


def test_a_sampler_without_a_seed_is_refused() -> None:
    assert "argument 'seed' is missing" in refusal("SamplerFilter", rate=0.5)
    assert "argument 'seed' is missing" in refusal("SamplerFilter", rate=0.5, seed=None)


def test_arguments_that_the_constructor_does_not_take_are_refused_with_those_it_takes() -> None:
    message = refusal("GopherQualityFilter", min_words=30)
    assert "unknown argument 'min_words'" in message
    assert "min_doc_words, max_doc_words" in message
    assert "exclusion_writer" not in message
    assert "argument 'regex_exp' is missing" in refusal("RegexFilter")
    assert "its constructor refuses" in refusal("RegexFilter", regex_exp="(")


@pytest.mark.parametrize(
    ("name", "argument", "value", "wanted"),
    [
        ("GopherQualityFilter", "min_doc_words", "30", "int"),
        ("GopherQualityFilter", "min_doc_words", True, "int"),
        ("GopherQualityFilter", "stop_words", "the", "list[str]"),
        ("GopherQualityFilter", "stop_words", [1], "list[str]"),
        ("GopherRepetitionFilter", "top_n_grams", [2, 0.2], "tuple[tuple[int, float]]"),
        ("GopherRepetitionFilter", "top_n_grams", [[2, 0.2, 3]], "tuple[tuple[int, float]]"),
        ("C4QualityFilter", "remove_citations", 1, "bool"),
        ("RegexFilter", "regex_exp", 5, "str"),
    ],
)
def test_an_argument_of_another_kind_is_refused(name: str, argument: str, value: Any, wanted: str) -> None:
    message = refusal(name, **{argument: value})
    assert f"argument {argument!r} is" in message
    assert wanted in message.partition("wanted:")[2]


@pytest.mark.parametrize("value", [print, object(), float("nan"), {1, 2}, b"x"])
def test_an_argument_without_stable_identity_is_refused(value: Any) -> None:
    assert "stable identity" in refusal("GopherQualityFilter", min_doc_words=value)


def test_a_writer_of_its_own_is_refused() -> None:
    assert "are in the ledger" in refusal("RegexFilter", regex_exp="a", exclusion_writer=None)


def test_a_language_without_a_tokenizer_to_choose_is_refused() -> None:
    assert "`words: whitespace`" in refusal("GopherQualityFilter", language="de")


def test_other_words_are_refused() -> None:
    assert "datatrove or whitespace" in refusal("GopherQualityFilter", words="unicode")


def test_a_tokenizer_that_fetches_its_model_is_refused() -> None:
    assert "downloads its model" in refusal("GopherQualityFilter", words="datatrove", language="bod_Tibt")


def test_a_language_that_datatrove_cannot_tokenize_is_refused() -> None:
    assert "no tokenizer for the language 'klingon'" in refusal(
        "GopherQualityFilter", words="datatrove", language="klingon"
    )


WITHOUT = """
import importlib.util, sys
from pipeline.curate.datatrove_filters import load
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in sys.argv[2:] else found(name, *rest)
load(sys.argv[1], {}, "datatrove")
"""


@pytest.mark.parametrize(
    ("name", "packages", "said"),
    [
        ("GopherQualityFilter", ["spacy"], ["pip install spacy", "words: whitespace"]),
        ("URLFilter", ["tldextract", "fasteners", "ahocorasick"], ["pip install pyahocorasick fasteners tldextract"]),
    ],
)
def test_packages_that_are_missing_are_named_before_the_first_document(
    name: str, packages: list[str], said: list[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, name, *packages], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RecipeError" in done.stderr
    assert [part for part in said if part not in done.stderr] == []


def test_a_filter_without_words_needs_no_tokenizer() -> None:
    assert judge("RegexFilter", ["a"], words="datatrove", regex_exp="b") == [None]


def test_datatroves_own_words_are_counted_with_its_tokenizer() -> None:
    text = "one, two, three."  # spaCy's words: one , two , three .
    arguments = {"min_doc_words": 0, "max_non_alpha_words_ratio": 0.6, "min_stop_words": 0}
    assert judge("GopherQualityFilter", [text], words="whitespace", **arguments) == [None]
    assert judge("GopherQualityFilter", [text], words="datatrove", **arguments) == [
        "datatrove/GopherQualityFilter/gopher_below_alpha_threshold"
    ]
    assert "spacy" in versions(load("GopherQualityFilter", arguments, "datatrove"))


def test_the_url_filter_reads_its_lists_from_the_installed_packages() -> None:
    urls = ["https://example.org/a", "https://sub.example.co.uk/", "https://example.org/xxx", None]
    texts = pa.array(["x"] * len(urls), pa.large_string())
    filter_ = load("URLFilter", {"extra_domains": ["example.co.uk"]}, "whitespace")
    assert filter_.apply(texts, urls, ["en"] * 4, list("abcd")).reasons == [
        None,
        "datatrove/URLFilter/domain",
        "datatrove/URLFilter/hard_blacklisted",
        "datatrove/URLFilter/error:AssertionError",
    ]
    assert set(versions(filter_)) == {"datatrove", "tldextract", "pyahocorasick"}


def test_versions_name_what_a_verdict_depends_on() -> None:
    from importlib.metadata import version

    assert versions(load("GopherQualityFilter", {}, "whitespace")) == {"datatrove": version("datatrove")}


def test_the_same_question_is_answered_by_the_same_filter() -> None:
    one = load("GopherQualityFilter", {"min_doc_words": 3, "min_stop_words": 0}, "whitespace")
    assert load("GopherQualityFilter", {"min_stop_words": 0, "min_doc_words": 3}, "whitespace") is one
    assert load("GopherQualityFilter", {"min_doc_words": 4}, "whitespace") is not one


def test_texts_are_not_held_after_a_batch() -> None:
    from datatrove.utils.text import split_into_parts

    judge("GopherQualityFilter", [LONG])
    assert split_into_parts.cache_info().currsize == 0


def test_datatrove_is_imported_when_a_recipe_asks_for_it_only() -> None:
    code = "import sys, pipeline.curate.datatrove_filters as f; assert 'datatrove' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_hash_seed_changes_no_verdict() -> None:
    code = (
        "import pyarrow as pa; from pipeline.curate.datatrove_filters import load\n"
        "texts = pa.array(['a b. ' * 30, 'the of and ' * 40, '', 'x\\n' * 9], pa.large_string())\n"
        "for name in ('GopherQualityFilter', 'GopherRepetitionFilter', 'FineWebQualityFilter', 'C4QualityFilter'):\n"
        "    print(load(name, {}, 'whitespace').apply(texts, [None] * 4, ['en'] * 4, list('abcd')).reasons)\n"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert b"gopher_short_doc" in runs.pop()
