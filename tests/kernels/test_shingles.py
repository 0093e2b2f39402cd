"""Shingle sets against the reference in docs/minhash.md, and its golden values."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import codepoints, shingles
from tests.kernels.test_features import hostile, repetitive, unicode_words

PAGE = (Path(__file__).parents[2] / "docs" / "minhash.md").read_text()


def reference_of_the_page() -> dict[str, Any]:
    """The names that the page's Python defines: the appendix comes first, it is data."""
    reference: dict[str, Any] = {}
    for block in sorted(
        re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), key=lambda code: "CODE_POINTS = " not in code
    ):
        exec(block, reference)  # noqa: S102
    reference["words_of"] = cache(reference["words_of"])  # of half a million code points it takes a second
    return reference


REFERENCE = reference_of_the_page()


def rows_of(heading: str) -> list[list[str]]:
    """The cells, without backticks, of the table whose first head is `heading`."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def golden_texts() -> list[tuple[str, list[str]]]:
    """Each text of the page's table with its other cells."""
    return [(text_of(first), rest) for first, *rest in rows_of("text")]


def text_of(literal: str) -> str:
    text, _, times = literal.partition(" * ")
    return str(ast.literal_eval(text)) * int(times or 1)


def sets(texts: list[str], **arguments: int) -> list[list[int]]:
    offsets, values = shingles.hashes(pa.array(texts, pa.string()), **arguments)
    assert offsets.dtype == np.int64
    assert values.dtype == np.uint64
    assert len(offsets) == len(texts) + 1
    assert offsets[0] == 0
    assert offsets[-1] == len(values)
    return [part.tolist() for part in np.split(values, offsets[1:-1])] if texts else []


@cache
def expected(text: str, words: int = 5, characters: int = 500_000) -> list[int]:
    return REFERENCE["shingle_set"](text, words, characters)  # type: ignore[no-any-return]


@given(st.lists(st.one_of(hostile, repetitive), max_size=6))
def test_shingle_sets_equal_the_reference(texts: list[str]) -> None:
    assert sets(texts) == [expected(text) for text in texts]


@given(st.lists(hostile, max_size=3), st.integers(1, 9), st.integers(1, 90))
def test_shingles_of_other_lengths_and_of_texts_cut_short_equal_the_reference(
    texts: list[str], words: int, characters: int
) -> None:
    assert sets(texts, words=words, characters=characters) == [expected(text, words, characters) for text in texts]


@given(st.lists(st.one_of(hostile, repetitive), min_size=1, max_size=5), st.data())
def test_a_slice_of_either_string_type_has_the_shingles_of_its_copy(texts: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(texts)))
    length = data.draw(st.integers(0, len(texts) - start))
    offsets, values = shingles.hashes(pa.array(texts[start : start + length], pa.string()))
    for kind in (pa.string(), pa.large_string()):
        sliced = shingles.hashes(pa.array(texts, kind).slice(start, length))
        assert sliced[0].tolist() == offsets.tolist()
        assert sliced[1].tolist() == values.tolist()


def test_golden_words_and_texts_of_the_page_have_their_hashes() -> None:
    words = [(str(ast.literal_eval(word)), int(digest, 16)) for word, digest in rows_of("word")]
    assert len(words) >= 10
    assert [REFERENCE["word_hash"](word) for word, _ in words] == [digest for _, digest in words]
    assert sets([word for word, _ in words]) == [[REFERENCE["finish"](digest)] for _, digest in words]
    golden = golden_texts()
    assert len(golden) >= 20
    for found, (text, (words_read, count, least, greatest, *_)) in zip(
        sets([t for t, _ in golden]), golden, strict=True
    ):
        assert len(REFERENCE["words_of"](text[: shingles.CHARACTERS])) == int(words_read)
        assert len(found) == int(count)
        if found:
            assert (f"{found[0]:016x}", f"{found[-1]:016x}") == (least, greatest)
        assert found == expected(text)


def test_the_code_points_of_the_page_are_those_of_the_kernels() -> None:
    flags = codepoints.flags()
    kinds = REFERENCE["KINDS"]
    assert {p for p in range(0x110000) if flags[p] & codepoints.SPACE} == kinds["SPACE"]
    assert {p for p in range(0x110000) if flags[p] & codepoints.EXTENDING} == kinds["EXTENDING"]
    assert {p for p in range(0x110000) if flags[p] & codepoints.SINGLE} == kinds["SINGLE"] - kinds["EXTENDING"]
    assert {p for p in range(0x110000) if flags[p] & codepoints.KATAKANA} == kinds["KATAKANA"] - kinds["EXTENDING"]
    assert not kinds["SINGLE"] & kinds["KATAKANA"]


@given(hostile)
def test_the_words_of_the_page_are_those_of_the_features(text: str) -> None:
    assert REFERENCE["words_of"](text) == unicode_words(text)


def test_words_that_are_joined_otherwise_make_other_shingles() -> None:
    joined = ["ab c", "a bc", "abc", "a b c", "c ab", "漢字", "漢 字x", "漢字 x"]
    found = sets(joined)
    assert len({tuple(hashes) for hashes in found}) == len(joined) - 1
    assert (
        found[6] == found[7]
    )  # the same three words: where each Han character is one, a space between them is not seen


def test_swapped_words_make_other_shingles() -> None:
    texts = ["a b c d e", "b a c d e", "a b c e d", "e d c b a", "a a b b b", "b b a a b", "a a a a b", "b a a a a"]
    assert len({hashes[0] for hashes in sets(texts)}) == len(texts)


def test_a_text_of_fewer_words_than_a_shingle_has_one_and_a_text_without_words_none() -> None:
    assert [len(found) for found in sets(["", " \n\u2028", "a", "a b c d", "a b c d e", "a b c d e f"])] == [
        0,
        0,
        1,
        1,
        1,
        2,
    ]


def test_hundred_thousands_of_shingles_are_sorted_and_distinct() -> None:
    numbers = [str(i * i % 30_011) for i in range(60_000)]
    found = sets([" ".join(numbers), "a b", " ".join(numbers[:40]), "x " * 5_000])
    assert found == [expected(" ".join(numbers)), expected("a b"), expected(" ".join(numbers[:40])), expected("x " * 5)]
    assert len(found[0]) > 20_000
    assert all(a < b for a, b in zip(found[0], found[0][1:], strict=False))


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 34, 255, 256, 257])
def test_sets_are_ascending_whichever_way_they_are_sorted(count: int) -> None:
    text = " ".join(str(i) for i in range(count + 4))
    assert sets([text, text]) == [expected(text)] * 2
    assert len(expected(text)) == count


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17, 24, 25, 63, 64, 65, 1000])
def test_words_of_every_length_are_hashed_as_the_reference_does_wherever_they_stand(size: int) -> None:
    word = "".join(chr(97 + i % 26) for i in range(size))
    texts = [f"{' ' * before}{word} {word[1:]}z" for before in (0, 1, 8, 55, 62, 63, 64, 65)]
    assert sets(texts) == [expected(text) for text in texts]


@pytest.mark.parametrize("unit", ["a", "é", "漢", "\U0001f600", "é漢", "ab ", "\u3000a", "a\U0001f600漢é "])
def test_a_cap_counts_code_points_at_every_width(unit: str) -> None:
    text = (unit * 400)[:400]
    for characters in (1, 2, 3, 31, 63, 64, 65, 66, 127, 128, 129, 398, 399, 400, 401):
        assert sets([text, "x y"], characters=characters) == [
            expected(text, 5, characters),
            expected("x y", 5, characters),
        ]


def test_what_stands_behind_the_cap_changes_nothing() -> None:
    text = "漢é a" * 100_000  # 400,000 code points
    long = text + "b" * 100_000
    assert sets([long + "b", long + "漢字 other words"]) == [sets([long])[0]] * 2
    assert sets([long[:-1] + "c"]) != sets([long])


def test_long_texts_leave_no_trace_in_the_next() -> None:
    long = "a漢 b\n" * 90_000 + "カ" * 40_000
    short = ["", "a b", "漢字 カナ", "one two three four five six"]
    alone = sets(short)
    together = sets([*short, long, *short, " ".join(map(str, range(90_000))), *short])
    assert together[:4] == together[5:9] == together[10:] == alone
    assert together[4] == expected(long)


def test_the_last_text_of_a_buffer_is_read_no_further_than_it_goes() -> None:
    text = "Read ahead " * 7
    offsets = pa.py_buffer(memoryview(bytes(4) + len(text).to_bytes(4, "little")))
    tight = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text.encode()))
    assert shingles.hashes(tight)[1].tolist() == expected(text)


def test_no_texts_have_no_shingles() -> None:
    assert sets([]) == []


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        shingles.hashes(pa.array(["a", None]))


@pytest.mark.parametrize(
    ("name", "value"), [("words", 0), ("words", 1025), ("characters", 0), ("characters", (1 << 28) + 1)]
)
def test_an_argument_out_of_range_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"{value} .*wanted 1 to"):
        shingles.hashes(pa.array(["a"]), **{name: value})
