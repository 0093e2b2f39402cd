"""The written-down Unicode tables against this Python's own, on every code point that it knows."""

import hashlib
import unicodedata

import pytest

from pipeline.kernels import codepoints

FLAGS = codepoints.flags()
KNOWN = [point for point in range(0x110000) if unicodedata.category(chr(point)) != "Cn"]


def holders(flag: int) -> set[int]:
    return {point for point in KNOWN if FLAGS[point] & flag}


def test_letters_spaces_and_line_breaks_are_those_of_python() -> None:
    assert holders(codepoints.LETTER) == {point for point in KNOWN if chr(point).isalpha()}
    assert holders(codepoints.SPACE) == {point for point in KNOWN if chr(point).isspace()}
    assert holders(codepoints.BREAK) == {point for point in KNOWN if len(f"a{chr(point)}a".splitlines()) == 2}


@pytest.mark.parametrize(
    ("flag", "categories"),
    [
        (codepoints.UPPERCASE, {"Lu", "Lt"}),
        (codepoints.DIGIT, {"Nd"}),
        (codepoints.SYMBOL, {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}),
    ],
)
def test_categories_are_those_of_python(flag: int, categories: set[str]) -> None:
    assert holders(flag) == {point for point in KNOWN if unicodedata.category(chr(point)) in categories}


def test_what_extends_a_word_is_marks_and_the_joiners_named() -> None:
    marks = {point for point in KNOWN if unicodedata.category(chr(point)) in ("Mn", "Mc", "Me")}
    assert holders(codepoints.EXTENDING) == marks | {0x200C, 0x200D, 0xFF9E, 0xFF9F}


def test_scripts_are_those_of_the_unicode_database() -> None:
    regex = pytest.importorskip("regex")
    single = regex.compile(r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
    katakana = regex.compile(r"[\p{Katakana}\u3031-\u3035\u309B\u309C\u30A0\u30FC\uFF70]")
    known = [point for point in KNOWN if not FLAGS[point] & codepoints.EXTENDING and not 0xD800 <= point < 0xE000]
    assert holders(codepoints.SINGLE) == {point for point in known if single.match(chr(point))}
    assert holders(codepoints.KATAKANA) == {point for point in known if katakana.match(chr(point))}


def test_punctuation_sets_are_those_of_the_reference() -> None:
    pytest.importorskip("regex")  # which datatrove's module wants
    reference = pytest.importorskip("datatrove.utils.text")
    content = {point for point in range(0x110000) if FLAGS[point] & codepoints.CONTENT}
    assert {chr(point) for point in set(range(0x110000)) - content} == reference.PUNCTUATION_SET
    terminal = {chr(point) for point in range(0x110000) if FLAGS[point] & codepoints.TERMINAL}
    assert terminal == reference.TERMINAL_PUNCTUATION


def test_no_table_depends_on_this_python() -> None:
    assert (
        hashlib.sha256(FLAGS.astype("<u2").tobytes()).hexdigest()
        == "2b2ae133cf0cd26c5313d27de0f037655690dae96383a58c4a45b74d62e52bf4"
    )


def test_ranges_may_be_single_whole_or_every_second() -> None:
    assert codepoints.code_points("A 20-22\n100-104/2").tolist() == [0xA, 0x20, 0x21, 0x22, 0x100, 0x102, 0x104]
