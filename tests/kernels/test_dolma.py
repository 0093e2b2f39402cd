"""Counts for Dolma's Gopher attributes, against the definitions told in plain Python."""

import statistics
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.kernels import dolma

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
WORDS = st.sampled_from(
    ["a", "b", "c", "the", "The", "be", "with", "have", "that", "#", "x#y", "…", "wait…", "...", "é", "中文", "１２", "42", "-",
     "*", "\x00", "\x00a", "𐐀", "e\u0301", "x" * 64, "x" * 65, "y" * 70]
)  # fmt: skip
SPACES = st.sampled_from([" ", "  ", "\n", "\n\n", "\r\n", "\t", "\x0b", "\x1c", "\x1f", "\x85", "\xa0", "\u1680", "\u2007",
                          "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\n- ", "\n*", "…\n"])  # fmt: skip
NO_SPACES = st.sampled_from(["\u180e", "\u200b", "\u2060", "\ufeff", "\u2010", "\u200f"])
PIECES = st.lists(st.tuples(st.one_of(WORDS, WORDS, WORDS, NO_SPACES), SPACES).map("".join), max_size=40)
REPETITIVE = st.tuples(PIECES, st.integers(1, 4), PIECES).map(lambda parts: "".join(parts[0] * parts[1] + parts[2]))
HOSTILE = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=60)


def by_definition(text: str) -> dict[str, int]:
    """Every count, from Python's own strings, in the words of the tagger's definitions."""
    words, lines = text.split(), text.split("\n")
    copies = Counter(lines)
    repeated = [line for line in lines if copies[line] > 1]
    counts = {
        "dolma_characters": len(text),
        "dolma_words": len(words),
        "dolma_word_characters": len("".join(words)),
        "dolma_twice_median_word_length": int(2 * statistics.median([Fraction(len(word)) for word in words] or [0])),
        "dolma_symbol_words": sum("#" in word or "\u2026" in word for word in words),
        "dolma_alphabetic_words": sum(any(map(str.isalpha, word)) for word in words),
        "dolma_stop_words": sum(words.count(word) for word in STOP_WORDS),
        "dolma_lines": len(lines),
        "dolma_bullet_lines": sum(line[:1] in ("*", "-") for line in lines),
        "dolma_ellipsis_lines": sum(line[-1:] == "\u2026" for line in lines),
        "dolma_repeated_lines": len(repeated),
        "dolma_repeated_line_characters": sum(map(len, repeated)),
    }
    for n in (2, 3, 4):
        counts[f"dolma_top_{n}_gram_characters"] = _top(_grams(words, n))
    for n in range(5, 11):
        seen = Counter(_grams(words, n))
        counts[f"dolma_repeated_{n}_gram_characters"] = sum(times * _size(g) for g, times in seen.items() if times > 1)
    for n in range(5, 11):
        counts[f"dolma_{n}_gram_characters"] = sum(map(_size, _grams(words, n)))
    return counts


def _grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def _size(gram: tuple[str, ...]) -> int:
    return sum(map(len, gram))


def _top(grams: list[tuple[str, ...]]) -> int:
    """Characters of the most common one, the first to come of those that are equally common, times its count."""
    best, most = 0, 0
    for gram in dict.fromkeys(grams):
        if grams.count(gram) > most:
            most = grams.count(gram)
            best = most * _size(gram)
    return best


def measured(*texts: str) -> list[dict[str, int]]:
    rows: list[dict[str, Any]] = dolma.measure(pa.array(texts, pa.large_string())).to_pylist()
    return rows


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(REPETITIVE, HOSTILE), min_size=1, max_size=4))
@example([""])
@example(["\n", "\n\n", " ", " \n "])
@example(["a a a a a a a a a a a a"])
@example(["ab c ab c a bc", "a b c d ef ab c d e f"])
@example(["\x00a b a b", "\x00\n", "\x00 \x00\x00 \x00"])
@example(["#\u180e… \u200b"])
@example(["b a a b a a b", "a bb cc a bb cc"])
def test_every_count_is_that_of_the_definition(texts: list[str]) -> None:
    assert measured(*texts) == [by_definition(text) for text in texts]


def test_every_code_point_parts_words_and_is_a_letter_as_python_says() -> None:
    points = [chr(point) for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]
    rows = dolma.measure(pa.array([f"1{point}1" for point in points], pa.large_string()))
    words, letters = (rows.column(name).to_numpy() for name in ("dolma_words", "dolma_alphabetic_words"))
    assert [c for c, count in zip(points, words, strict=True) if (count == 2) != c.isspace()] == []
    # Letters of a later Unicode than the running Python's may count here: no letter of Python's is missed.
    assert [c for c, count in zip(points, letters, strict=True) if c.isalpha() and count == 0] == []


def test_a_text_is_measured_alike_whatever_stands_beside_it() -> None:
    long = "the end of it all … # " * 3000 + "\n- x" * 5000
    texts = ["", "a b", long, "- a\n- a", "", long[:-1], "b"]
    assert measured(*texts) == [measured(text)[0] for text in texts] == [by_definition(text) for text in texts]


def test_scratch_given_back_after_a_huge_text_leaves_the_next_right() -> None:
    huge = "a\n" * (dolma._KEPT + 10)
    between = "x " * (dolma._KEPT - 10)
    rows = measured("a b a b", huge, "a b a b", between, huge, "a b a b")
    assert rows[0] == rows[2] == rows[5] == by_definition("a b a b")
    assert rows[1] == rows[4]
    assert rows[1]["dolma_repeated_lines"] == dolma._KEPT + 10
    assert rows[1]["dolma_5_gram_characters"] == rows[1]["dolma_repeated_5_gram_characters"] == 5 * (dolma._KEPT + 6)


def test_a_median_beyond_the_histogram_is_that_of_the_sorted_lengths() -> None:
    for lengths in ([64, 65], [65, 64, 1], [65], [70, 66], [1, 64, 65, 300], [1, 1, 90, 90], [64, 64, 65, 65]):
        text = " ".join("x" * length for length in lengths)
        assert measured(text)[0]["dolma_twice_median_word_length"] == 2 * statistics.median(lengths)


def test_a_slice_and_a_narrow_array_are_read_at_their_offsets() -> None:
    texts = pa.array(["skip me", "the the", "…\n*", "skip"], pa.string())
    assert dolma.measure(texts.slice(1, 2)).to_pylist() == [by_definition("the the"), by_definition("…\n*")]


def test_columns_are_int64_in_the_order_of_features_also_of_no_text() -> None:
    batch = dolma.measure(pa.array([], pa.large_string()))
    assert batch.num_rows == 0
    assert tuple(batch.schema.names) == dolma.FEATURES == tuple(by_definition(""))
    assert set(batch.schema.types) == {pa.int64()}


def test_texts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="null"):
        dolma.measure(pa.array(["a", None], pa.large_string()))
    with pytest.raises(TypeError, match="binary"):
        dolma.measure(pa.array([b"a"], pa.binary()))


def test_a_text_that_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dolma, "TEXT_LIMIT", 3)
    with pytest.raises(ValueError, match="text 1 has 4 bytes; at most 3"):
        dolma.measure(pa.array(["abc", "abcd"], pa.large_string()))


def test_golden_counts_of_a_small_text() -> None:
    text = "- the cat sat on the mat\n\n- the cat sat on the mat\n\n# wait…\nand with 42"
    assert list(measured(text)[0].values()) == [
        71, 19, 51, 6, 2, 15, 6, 6, 2, 1, 4, 48, 8, 14, 20, 80, 64, 36,
        0, 0, 0, 202, 226, 244, 256, 265, 268,
    ]  # fmt: skip


def test_attributes_name_every_count_but_none_twice_as_a_part() -> None:
    parts = [part for part, _ in dolma.ATTRIBUTES.values()]
    wholes = {whole for _, whole in dolma.ATTRIBUTES.values() if isinstance(whole, str)}
    assert len(parts) == len(set(parts)) == 19
    assert set(parts) | wholes == set(dolma.FEATURES)
    assert np.all(np.isin(list(wholes), dolma.FEATURES))
