"""Markdown that a CommonMark parser reads as the same text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bench.html.conservation import beside, block_characters, squeezed
from tests.kernels.html.rendered import blocks_of, text_of
from tests.kernels.html.test_conservation import SOUPS, TREES

FIXTURES = Path(__file__).parents[2] / "fixtures" / "html"
MARKDOWN = MarkdownIt("commonmark").enable("table")
# Markers that are text to Markdown, too: of superscripts, quotations, rubies and formulas.
TEXT_MARKERS = set("^“”‘’()$")


def read_back(markdown: str) -> str:
    """Return the text that Markdown shows; HTML in it is text that it should not have."""
    return "".join(_texts(MARKDOWN.parse(markdown)))


def _texts(tokens: list[Token]) -> list[str]:
    texts = []
    for token in tokens:
        if token.type == "inline":
            texts += _texts(token.children or [])
        else:
            texts.append(token.content or " ")
    return texts


def characters_of(page: str) -> str:
    return "".join(block_characters(*blocks_of(page)))


def differs(page: str, *, links: bool = False) -> str:
    """Return the Markdown of a page if it does not read back as the page's text."""
    markdown = text_of(page, markdown=True, links=links)
    extra = beside(squeezed(read_back(markdown)), characters_of(page))
    return "" if extra is not None and extra.keys() <= TEXT_MARKERS else markdown


def test_reading_back_leaves_out_the_markup_and_nothing_else() -> None:
    assert (
        squeezed(read_back("# a\n\n- *b* `c`\n\n  > d\n\n```py\ne\n```\n\n| f | g |\n| --- | --- |\n| h |"))
        == "abcdefgh"
    )
    assert squeezed(read_back("\\*a\\* <b>c</b>")) == "*a*<b>c</b>"


@pytest.mark.parametrize("name", ["html-main-content-losses.html", "html-nested-ul.html"])
def test_fixtures_read_back_as_their_text(name: str) -> None:
    assert differs((FIXTURES / name).read_text()) == ""


@given(st.text(alphabet=st.sampled_from("*_`[]()<>&#+-=~|\\!:;.1a é「 \n"), max_size=40))
def test_any_text_reads_back_as_itself(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    for page in (
        f"<p>{escaped}",
        f"<h2>{escaped}</h2>",
        f"<ul><li>x<li>{escaped}",
        f"<b>{escaped}</b>x",
        f"<pre>{escaped}</pre>",
        f"<code>{escaped}</code>a",
        f"<table><tr><td>{escaped}<td>b<tr><td>c<td>d</table>",
        f"x<br>{escaped}",
    ):
        assert differs(page) == ""


@given(TREES.filter(lambda page: "math/tex" not in page))
def test_a_well_formed_page_reads_back_as_its_text(page: str) -> None:
    assert differs(page) == ""


@given(SOUPS.filter(lambda page: "math/tex" not in page), st.booleans())
def test_a_malformed_page_reads_back_as_its_text(page: str, links: bool) -> None:
    assert differs(page, links=links) == ""


@given(st.lists(st.sampled_from(["ul", "ol", "ol start=3", "blockquote", "div", "li"]), max_size=14))
def test_nested_lists_and_quotations_read_back_as_their_text(names: list[str]) -> None:
    page = "".join(f"<{name}>{'<li>' if name[1] == 'l' else ''}{chr(97 + i)}" for i, name in enumerate(names))
    closed = page + "".join(f"</{name.split()[0]}>{chr(65 + i)}" for i, name in enumerate(reversed(names)))
    assert differs(closed) == ""
