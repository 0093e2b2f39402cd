"""The features kernel against plain Python, over real words and hostile Unicode."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import features


def oracle(text: str) -> dict[str, int]:
    def content(character: str) -> bool:
        category = unicodedata.category(character)
        return not (category[0] in "PS" or category == "Cc")

    words, lines = text.split(), text.splitlines()
    contents = [word for word in words if any(map(content, word))]
    return {
        "characters": len(text),
        "words": len(words),
        "content_words": len(contents),
        "content_characters": sum(map(len, contents)),
        "alphabetic_words": sum(any(c.isalpha() for c in word) for word in words),
        "stop_words": len(set(words) & set(features.STOP_WORDS)),
        "hashes": text.count("#"),
        "ellipses": text.count("...") + text.count("…"),
        "lines": len(lines),
        "bullet_lines": sum(line.lstrip().startswith(("•", "-")) for line in lines),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in lines),
    }


PIECES = ["the ", "of", "and", "with\n", "haves ", "...", "..", ".", "…", "#", "-", "•", " ", "\n", "\r\n", "\r", "\t",
          "\u2028", "\x85", "\x1c", "\u3000", "\u200b", "漢字", "ไทย", "é", "e\u0301", "\U0001f600", "\U00020000",
          "\U000e0001", "\x00", "\u0600", "١", "a", "1", "+", "\ufeff"]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join)


@given(st.lists(hostile, max_size=8))
def test_every_count_equals_plain_python(texts: list[str]) -> None:
    expected = [oracle(text) for text in texts]
    assert features.measure(pa.array(texts, pa.string())).to_pylist() == expected
    assert features.measure(pa.array(texts, pa.large_string())).to_pylist() == expected


def test_the_flags_agree_with_python_on_every_code_point() -> None:
    table = features.flags()
    for point in range(0x110000):
        character = chr(point)
        seen = int(table[point]) if point < features.TABLE_SIZE else 0
        assert bool(seen & features.SPACE) == character.isspace(), hex(point)
        assert bool(seen & features.ALPHA) == character.isalpha(), hex(point)
        assert bool(seen & features.BREAK) == (len(f"a{character}a".splitlines()) == 2), hex(point)


def test_a_sliced_array_is_measured_as_its_copy() -> None:
    texts = pa.array(["zero", "one and two", "", "漢字 ...", "four"])
    assert features.measure(texts[1:4]).to_pylist() == features.measure(pa.array(texts[1:4].to_pylist())).to_pylist()


def test_no_texts_give_no_rows() -> None:
    assert features.measure(pa.array([], pa.string())).num_rows == 0


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        features.measure(pa.array(["a", None]))


def test_texts_must_be_strings() -> None:
    with pytest.raises(TypeError, match="int64"):
        features.measure(pa.array([1]))
