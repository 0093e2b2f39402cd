"""Words and grams of passages: the kernel against the rule in plain Python, and what winnowing promises."""

import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inspection import passages, trace_index
from pipeline.kernels import passage_words, winnow
from pipeline.kernels.passage_words import GRAM, LEAST, WINDOW

ODD = (
    "a b B é É ß İ Σς ǅ 漢 字 カ タ ー ｶﾞ e\u0301 \u200d \u00ad ภ า ษ ٣ 1 _ - ' . 😀 \ufe0f \U00020000 \u1e9e "
    "\n\u2028\t\x1c\u3000 \x00"
)
TEXT = st.text(st.sampled_from(sorted(set(ODD + " ,"))), max_size=120) | st.text(max_size=60)


def expected(texts: list[str], before: int) -> tuple[list[int], list[int], list[int], list[int], int]:
    keys: list[int] = []
    places: list[int] = []
    begins: list[int] = []
    marks: list[int] = []
    number = before
    for text in texts:
        words = passages.words(text)
        begins.append(number)
        for place, key in passages.kept(words):
            keys.append(key)
            places.append(number + place)
        for place, word in enumerate(words):
            if (number + place) % winnow.MARK == 0:
                marks.append(len(text[: word.start].encode()))
        number += len(words)
    return keys, places, begins, marks, number - before


@given(st.lists(TEXT, max_size=6), st.integers(0, 600))
def test_the_kernel_finds_the_grams_of_the_rule_in_plain_python(texts: list[str], before: int) -> None:
    found = winnow.grams(pa.array(texts, pa.large_string()), before)
    assert (*(part.tolist() for part in found[:4]), found[4]) == expected(texts, before)  # type: ignore[union-attr]
    padded = pa.array(["x y z", *texts, "q"], pa.string()).slice(1, len(texts))
    again = winnow.grams(padded, before)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_grams_that_do_not_fit_the_first_guess_are_all_there() -> None:
    texts = [" ".join(f"{chr(97 + n % 26)}{n % 7}" for n in range(3000))]
    found = winnow.grams(pa.array(["漢" * 5000, *texts], pa.string()), 10)
    assert (*(part.tolist() for part in found[:4]), found[4]) == expected(["漢" * 5000, *texts], 10)  # type: ignore[union-attr]


def test_numbers_that_leave_32_bits_are_refused() -> None:
    with pytest.raises(OverflowError, match="2\\^32"):
        winnow.grams(pa.array(["a b c d"], pa.string()), 0xFFFFFFFF - 3)
    winnow.grams(pa.array(["a b c d"], pa.string()), 0xFFFFFFFF - 4)


@given(st.lists(st.sampled_from(["a", "b", "c", "漢", "dd"]), min_size=LEAST, max_size=60), st.data())
def test_what_is_kept_of_a_slice_is_kept_of_the_whole_and_8_words_keep_a_gram(
    words: list[str], data: st.DataObject
) -> None:
    whole = passages.words(" ".join(words))
    low = data.draw(st.integers(0, len(words) - LEAST))
    high = data.draw(st.integers(low + LEAST, len(words)))
    own = passages.kept(whole[low:high])
    assert own
    assert {(place + low, key) for place, key in own} <= set(passages.kept(whole))


def naive_words(text: str) -> list[tuple[str, int, int]]:
    """The rule once more, from this Python's own properties of characters, for scripts that have spaces."""
    found: list[tuple[str, int, int]] = []
    for place, character in enumerate(text):
        kind = unicodedata.category(character)
        joins = kind in ("Mn", "Mc", "Me") or character in "\u200c\u200d"
        if not (kind[0] == "L" or kind == "Nd" or joins):
            continue
        folded = character.casefold()
        folded = folded if len(folded) == 1 else character.lower()
        folded = folded if len(folded) == 1 else character
        if found and found[-1][2] == place:
            found[-1] = (found[-1][0] + folded, found[-1][1], place + 1)
        elif not joins:
            found.append((folded, place, place + 1))
    return found


@given(st.text(st.sampled_from(sorted(set("aB1é\u0301\u200dÉßİΣςǅж٣_-'.,😀\ufe0f \n\u00ad\u1e9e\x00²Ⅷ")))))
def test_words_are_letters_and_digits_with_what_extends_them_whatever_their_case(text: str) -> None:
    found = [("".join(map(chr, word.folded)), word.start, word.end) for word in passages.words(text)]
    assert found == naive_words(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't **panic**: 3.14", ["don", "t", "panic", "3", "14"]),
        ("天気がいい ABC漢字", ["天", "気", "が", "い", "い", "abc", "漢", "字"]),
        ("カタカナとカナ", ["カタカナ", "と", "カナ"]),
        ("ภาษาไทย", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย"]),
        ("STRASSE straße STRAẞE", ["strasse", "straße", "straße"]),
        ("e\u0301 \u0301x \u200d", ["e\u0301", "x"]),
        ("\ud800 lone", ["lone"]),
        ("", []),
    ],
)
def test_words_of_known_texts(text: str, words: list[str]) -> None:
    assert ["".join(map(chr, word.folded)) for word in passages.words(text)] == words


def test_golden_values_pin_what_an_index_holds() -> None:
    text = "The quick brown fox, it is said, jumps over the lazy dog; 今天天气很好。 And so ON, and so forth."
    found: Any = winnow.grams(pa.array([text], pa.string()), 0)
    assert [f"{key:016x}" for key in found[0].tolist()][:3] == GOLDEN_KEYS
    assert (GRAM, WINDOW, LEAST) == (4, 5, 8)
    assert trace_index.MARK == winnow.MARK
    assert not passage_words.table().flags.writeable


GOLDEN_KEYS = ["717cb4ada9213517", "783bed693b45e3fc", "fd6cd822c5a2177b"]
