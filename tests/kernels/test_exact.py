"""The exact key against plain Python: hashlib over unicodedata's NFC and str.split."""

import hashlib
import unicodedata
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import exact


def normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


PIECES = ["the", " ", "  ", "\n", "\r\n", "\t", "\x85", "\xa0", "\u1680", "\u2000", "\u2001", "\u2005", "\u2028", "\u202f",
          "\u205f", "\u3000", "\u3001", "\u2010", "\u200b", "\u180e", "\x1c", "\x1b", "e\u0301", "é", "\u0301", "\u0327",
          "ᄀ", "ᅡ", "ᆨ", "가", "\u212b", "豈", "漢", "\u0958", "\u2126", "\u09be", "a" * 64, "b" * 63, "c" * 62, "d" * 61,
          " " * 64, "😀", "\U000e0001", "Â", "\x00", "\U0001d15e", "\U0002f800"]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join)


@given(st.lists(hostile, max_size=8))
def test_texts_and_keys_equal_plain_python(texts: list[str]) -> None:
    wanted = [normalised(text) for text in texts]
    for kind in (pa.string(), pa.large_string()):
        array = pa.array(texts, kind)
        assert exact.normalise(array).to_pylist() == wanted
        assert exact.keys(array).to_pylist() == [hashlib.sha256(text.encode()).digest() for text in wanted]
        assert exact.sha256s(array) == [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def test_texts_that_need_python_and_those_that_do_not_keep_their_order() -> None:
    texts = ["plain  text", "Cafe\u0301", "", "e\u0302", " ", "漢字", "Å"]
    assert exact.normalise(pa.array(texts)).to_pylist() == ["plain text", "Café", "", "ê", "", "漢字", "Å"]
    assert exact.normalise(pa.array(texts)[2:5]).to_pylist() == ["", "ê", ""]


def test_the_exact_key_is_the_digest_of_the_text_with_single_spaces_in_nfc() -> None:
    wanted = hashlib.sha256("Café au lait".encode()).digest()
    texts = ["Café au lait", "  Cafe\u0301\tau\n\nlait\n", "Café\u00a0au\u3000lait"]
    assert exact.keys(pa.array(texts)).to_pylist() == [wanted] * 3
    assert wanted.hex() == "793e7643ce558259f6fe71f9ecaaf268acbcd011a2bb4c7f561df05a133d4d08"


def test_case_and_punctuation_are_part_of_the_exact_key() -> None:
    assert len(set(exact.keys(pa.array(["a b", "A b", "a b.", "ab"])).to_pylist())) == 4


def test_a_code_point_is_sure_only_if_it_is_nfc_by_itself_and_leaves_what_stands_before_it_alone() -> None:
    table = exact.unsure()
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    seconds = {chr(int(parts[1], 16)) for point in points
               if (parts := unicodedata.decomposition(chr(point)).split()) and parts[0][0] != "<" and parts[1:]}  # fmt: skip
    for point in points:
        if point < exact.TABLE_SIZE and table[point]:
            continue
        character = chr(point)
        assert unicodedata.is_normalized("NFC", character), hex(point)
        assert unicodedata.combining(character) == 0, hex(point)
        assert character not in seconds, hex(point)
        assert unicodedata.normalize("NFC", "\u1100" + character)[0] == "\u1100", hex(point)
        assert unicodedata.normalize("NFC", "\uac00" + character)[0] == "\uac00", hex(point)


@pytest.mark.parametrize("space", [chr(point) for point in range(0x110000) if chr(point).isspace()])
def test_every_white_space_is_normalised_wherever_it_falls_in_a_block(space: str) -> None:
    texts = [f"{'a' * before}{space * count}b" for before in (0, 1, 30, 60, 61, 62, 63, 64) for count in (1, 2, 40)]
    assert exact.normalise(pa.array(texts)).to_pylist() == [normalised(text) for text in texts]


def test_characters_that_look_like_white_space_in_their_bytes_are_kept() -> None:
    texts = [f"a{chr(point)}b" for point in range(0x80, 0x3100) if not chr(point).isspace()]
    assert exact.normalise(pa.array(texts)).to_pylist() == [normalised(text) for text in texts]


def test_no_texts_have_no_keys() -> None:
    assert exact.keys(pa.array([], pa.string())).to_pylist() == []
    assert exact.sha256s(pa.array([], pa.string())) == []
    assert exact.normalise(pa.array([], pa.string())).to_pylist() == []


@pytest.mark.parametrize("function", [exact.keys, exact.normalise, exact.sha256s])
def test_a_null_text_is_refused(function: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        function(pa.array(["a", None]))
