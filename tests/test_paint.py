"""What commands say: whole and plain in a pipe, wrapped and harmless on a terminal, the same facts in both."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline import look
from pipeline.look import Fact, Heading, Item, Row, Table
from pipeline.paint import paint, wrap

PURL = "pkg:pypi/neutron@29.0.0?file_name=neutron-29.0.0.tar.gz#neutron-29.0.0/doc/source/install/overview.rst"
MARKUP = "https://example.org/[bold]a[/bold]?[link=https://evil.example]b[/link]"
SAID: list[Item] = [
    Fact("url", PURL, indent=2),
    Heading("Decisions"),
    Table("<<>~", (Row(("ok", "too_short", "6,778", "at least 200")), Row(("FAIL", "too_long", "9", PURL), "bad"))),
    f"signed      {'a' * 64}",
    Fact("title", MARKUP),
]


def shown(items: list[Item], width: int, colour: bool = False) -> str:
    out = io.StringIO()
    paint(items, Console(file=out, force_terminal=True, width=width, color_system="truecolor" if colour else None))
    return out.getvalue()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_on_a_terminal_nothing_is_lost_or_cut_and_no_line_is_wider_than_it(width: int) -> None:
    said = shown(SAID, width)
    assert all(look.width(line) <= width for line in said.split("\n"))
    assert "\u2026" not in said
    assert all(line == line.rstrip() for line in said.split("\n"))
    for item in ("too_short", "FAIL", "6,778", "Decisions"):
        assert item in said
    long = shown([Table("<<>", (Row(("ok", "datatrove/" + "b" * 70, "1")),))], width)
    assert long.count("b") == 70 and max(map(len, long.split("\n"))) <= width
    for text in (PURL, MARKUP, "a" * 64):
        assert squeezed(text) in squeezed(shown([Fact("url", text)], width))
        assert squeezed(text) in squeezed(shown([Table("~", (Row((text,)),))], width))


def test_in_a_pipe_every_value_stands_whole_on_its_line_and_columns_are_aligned() -> None:
    lines = list(look.plain(SAID))
    assert lines[0] == f"  url         {PURL}"
    assert lines[3:5] == ["ok    too_short  6,778  at least 200", f"FAIL  too_long       9  {PURL}"]
    assert "\x1b" not in "".join(lines)


def test_markup_in_a_value_is_text() -> None:
    items: list[Item] = [
        Fact("url", MARKUP),
        MARKUP,
        Heading(MARKUP),
        Table("<~", (Row((MARKUP, MARKUP)),), (MARKUP, "x")),
    ]
    said = shown(items, 400, colour=True)
    assert said.count(MARKUP) == 6
    assert "\x1b]8" not in said  # a hyperlink of the terminal


@pytest.mark.parametrize("item", [
    Fact("url", "a\x1b[2J\nok   signature\r\u202e\u2028"), Heading("a\x1b[2J\nok   signature\r"),
    Table("~", (Row(("a\x1b[2J\nok   signature\r\u202e",)),)),
])  # fmt: skip
def test_a_value_cannot_write_a_line_or_move_the_cursor(item: Item) -> None:
    for said in (*look.plain([item]), *shown([item], 200).split("\n")):
        assert not set(said) & set("\x1b\r\u202e\u2028")
        assert not said.startswith("ok ")


def test_a_long_word_breaks_after_a_separator_and_a_short_one_not_at_all() -> None:
    assert wrap("see pkg:pypi/a@1?file_name=a.tar.gz#docs/index.rst now", 20) == [
        "see pkg:pypi/a@1?", "file_name=a.tar.gz#", "docs/index.rst now",
    ]  # fmt: skip
    assert wrap("member a/b.txt, offset 0", 12) == ["member", "a/b.txt,", "offset 0"]


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Mn", "Me"))), st.integers(2, 90))
def test_wrapped_text_fits_and_loses_only_spaces(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert squeezed("".join(lines)) == squeezed(text)
    assert all(look.width(line) <= columns for line in lines)


def test_wide_characters_take_two_columns() -> None:
    assert look.width("漢字e\u0301") == 5
    (first, second) = look.plain([Table("<<", (Row(("漢字", "x")), Row(("abcd", "x"))))])
    assert (first, second) == ("漢字  x", "abcd  x")
