"""What the words of blocks say, against plain Python over strings."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.page_features import text_hash
from pipeline.kernels.html.vocabulary import MONTHS, STOP_WORDS
from tests.kernels.html.measured import TEXTS, measured

STOPS, COMMAS, SEPARATORS, CURRENCIES = ".!?؟۔…।。！．？", ",;،؛、，", "|»·•›‹", "$£¥€"
NOT_LETTERS = "@©()[]{}«\"'/\\-–—“”‘’「」（）☃🜚%&#*+=~^"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COMMON = [
    "the",
    "The",
    "THE",
    "2024",
    "1999",
    "2100",
    "12",
    "x1",
    "v2a",
    "März",
    "Ünï",
    "Ätna",
    "Øre",
    "Жук",
    "ελλ",
    "May",
    "une",
    "и",
]
PIECES = st.sampled_from(
    [
        *(word for text in TEXTS.values() for word in text.split()),
        *COMMON,
        "$5", "5 €", "£", "¥ 300", ":", "a:", ".", "...", "a.b", "1.5", "www.x.org", "a,b", ";", "?!", "。", "字。字",
        "、", "|", "»", "@", "©", "(", "—", "“x”", "🜚", "\u3000", "\u2028", "\u200b",
    ]
)  # fmt: skip


def width(character: str) -> int:
    """Characters of a word in a script without spaces; 0: of a script with spaces."""
    if "\u3005" <= character <= "\u9fff" and character not in STOPS + COMMAS:
        return 2
    thai_lao, burmese, khmer = (
        "\u0e00" <= character <= "\u0eff",
        "\u1000" <= character <= "\u109f",
        "\u1780" <= character <= "\u17ff",
    )
    return 4 if thai_lao or burmese or khmer else 0


def in_word(character: str) -> bool:
    return not (character.isspace() or character in STOPS + COMMAS + SEPARATORS + CURRENCIES + NOT_LETTERS + ":")


def words_of(text: str) -> list[tuple[str, bool]]:
    """Words, and whether one was cut because it was full."""
    found: list[tuple[str, bool]] = []
    word = ""
    for character in text + " ":
        if word and (not in_word(character) or 0 < width(character) <= len(word)):
            found.append((word, in_word(character)))
            word = ""
        if in_word(character):
            word += character
    return found


@dataclass
class Said:
    """What the oracle reads in a text."""

    text: str

    def row(self) -> dict[int, int]:
        text = self.text
        found = words_of(text)
        whole = [word for word, was_full in found if not was_full]
        letters = [c for c in text if in_word(c)]
        last = text.rstrip()[-1:]
        mixed_script = [word for word, full in found if full or any(not latin(c) for c in word)]
        digits = sum(c in "0123456789" for c in text)
        years = [word for word in whole if re.fullmatch("[0-9]+", word) and 1900 <= int(word) < 2100]
        return {
            w.WORDS: len(found),
            w.STOPS: sum(ascii_lower(word) in STOP_WORDS for word in whole),
            w.CAPITALIZED: sum(starts_with_capital(word) for word in whole),
            w.DIGITS: digits,
            w.LETTERS: len(letters) - digits,
            w.UPPER_LETTERS: sum(c in CAPITALS for c in text),
            w.COMMAS: sum(c in COMMAS for c in text),
            w.SENTENCES: len(re.findall(r"[.!?](?=\s|$)|[؟۔…।。！．？]", text)),
            w.SEPARATORS: sum(c in SEPARATORS for c in text),
            w.END: {"": 0, ".": 1, "!": 2, "?": 3, ":": 4}.get(last, int(last in STOPS)),
            w.BEGIN: begin(text.lstrip()),
            w.PRICED: int(any(c in CURRENCIES for c in text) and digits > 0),
            w.DATED: int(bool(years) or (digits > 0 and any(ascii_lower(word) in MONTHS for word in whole))),
            w.SIGNS: ("©" in text) + 2 * ("@" in text),
            w.FOREIGN: len(mixed_script),
        }


def ascii_lower(word: str) -> str:
    return "".join(c.lower() if c in CAPITALS else c for c in word)


def latin(character: str) -> bool:
    return character.isascii() or "\u00c0" <= character <= "\u02bf" or "\u1e00" <= character <= "\u1eff"


def starts_with_capital(word: str) -> bool:
    return word[0] in CAPITALS or "À" <= word[0] <= "Þ" or "А" <= word[0] <= "Я"


def begin(text: str) -> int:
    if not in_word(text[0]):
        return 3
    return 2 if text[0] in "0123456789" else int(starts_with_capital(text[0]))


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_counts_of_a_text_in_each_script_are_those_of_plain_python(text: str) -> None:
    _, found = measured(f"<p>{text}")
    expected = Said(text).row()
    assert {column: int(found.words[0, column]) for column in expected} == expected


@given(st.lists(PIECES, min_size=1, max_size=25).map(" ".join).filter(lambda text: text.strip()))
def test_counts_of_any_mixed_text_are_those_of_plain_python(text: str) -> None:
    _, found = measured(f"<p>{escaped(text)}")
    expected = Said(text).row()
    assert {column: int(found.words[0, column]) for column in expected} == expected


@given(st.lists(PIECES, min_size=1, max_size=25).map(" ".join).filter(lambda text: text.strip()))
def test_a_word_has_the_hash_of_its_lower_case_with_every_digit_as_0(text: str) -> None:
    _, found = measured(f"<p>{escaped(text)}")
    expected = [w.hashed(re.sub("[0-9]", "0", word)) for word, _ in words_of(text)]
    assert found.signals.hashes[: len(expected)].tolist() == expected


@pytest.mark.parametrize("text", ["Read more", "ADD  TO\nCART", "accept", "read more »"])
def test_a_block_has_the_hash_of_its_words_whatever_stands_between_them(text: str) -> None:
    _, found = measured(f"<p>{text.replace(' ', ' <b></b>')}")
    assert int(found.signals.texts[0]) == text_hash(" ".join(word for word, _ in words_of(text)).lower())


def test_equal_words_give_equal_hashes_in_any_case_and_other_words_other_ones() -> None:
    words = sorted({word for text in TEXTS.values() for word, _ in words_of(text)} | STOP_WORDS | MONTHS)
    hashes = {w.hashed(word) for word in words}
    assert len(hashes) == len({ascii_lower(word) for word in words})
    assert w.hashed("PAGE") == w.hashed("page")


@pytest.mark.parametrize(
    ("text", "words"),
    [("日本語", 2), ("日本", 1), ("ab日本", 2), ("ไทยไท", 2), ("한국어 문장", 2), ("don't", 2), ("a_b", 1), ("x2y", 1)],
)
def test_scripts_without_spaces_are_cut_by_number_and_others_at_what_is_no_letter(text: str, words: int) -> None:
    assert measured(f"<p>{text}")[1].words[0, w.WORDS] == words


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("1899", 0),
        ("1900", 1),
        ("2099", 1),
        ("2100", 0),
        ("19990", 0),
        ("x1999", 0),
        ("5 May", 1),
        ("May", 0),
        ("5 Mayo", 1),
    ],
)
def test_a_year_of_two_centuries_or_a_month_with_a_number_is_a_date(text: str, dated: int) -> None:
    assert measured(f"<p>on {text}")[1].words[0, w.DATED] == dated


def test_a_word_over_two_inline_elements_is_one_and_a_line_break_ends_it() -> None:
    _, found = measured("<p>won<b>der</b>ful<br>day")
    assert found.signals.hashes[:2].tolist() == [w.hashed("wonderful"), w.hashed("day")]
    assert (found.words[0, w.WORDS], found.words[0, w.LINES]) == (2, 1)


def test_bold_and_code_characters_are_the_letters_and_digits_in_those_elements() -> None:
    _, found = measured("<p>ab <b>cd, 1</b> <code>e_f</code> <b><code>g.</code></b>")
    assert (found.words[0, w.BOLD_CHARACTERS], found.words[0, w.CODE_CHARACTERS]) == (4, 4)


def test_words_of_title_and_description_are_counted_and_distinct_ones_too() -> None:
    head = "<title>Green Apples</title><meta name=description content='apples and pears'>"
    _, found = measured(f"{head}<p>Apples, apples and green pears<p>nothing")
    assert found.words[:2, w.IN_TITLE].tolist() == [3, 0]
    assert found.words[:2, w.TITLE_WORDS].tolist() == [2, 0]
    assert found.words[:2, w.DESCRIPTION_WORDS].tolist() == [3, 0]
