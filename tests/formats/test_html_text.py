"""The text of a page by each extractor, and the account of what is not in it."""

import html
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pipeline.formats.html_text import VERSION, all_text, extractor_identity, page_blocks, page_text
from pipeline.kernels.html import model
from pipeline.kernels.html.reasons import REASONS
from tests.kernels.html.measured import TEXTS
from tests.kernels.html.test_page_features import PAGE

FIXTURES = Path(__file__).parents[1] / "fixtures" / "html"
HIDDEN = "<p>shown <b>text</b><div hidden>not shown</div>"
ARTICLES = {
    name: f"<title>{text}</title><nav><a href=/>{text}</a></nav><main><h1>{text[:8]}</h1><p>{text * 5}</main>"
    for name, text in TEXTS.items()
}
PAGES = {
    "made": PAGE,
    "hidden": HIDDEN,
    "empty": "",
    "lone surrogate": "<p>a\ud800b",
    **ARTICLES,
    **{
        path.name: path.read_text("windows-1251" if "commented" in path.name else "utf-8")
        for path in sorted(FIXTURES.glob("*.html"))
    },
}
OURS = ["default", "all_text"]
pages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
ours = pytest.mark.parametrize("extractor", OURS)


def squeezed(text: str) -> str:
    return "".join(text.split())


@pages
@ours
def test_kept_and_cut_characters_are_all_that_is_visible(page: str, extractor: str) -> None:
    extraction = page_text(page, {"extractor": extractor}).extraction
    assert extraction.extractor == f"{'pellucid' if extractor == 'default' else extractor}/{VERSION}"
    assert extraction.kept_characters + sum(cut.characters for cut in extraction.cuts) == extraction.visible_characters
    assert [cut.reason for cut in extraction.cuts] == sorted({cut.reason for cut in extraction.cuts})
    assert all(cut.blocks > 0 and cut.characters > 0 and cut.reason in REASONS[1:] for cut in extraction.cuts)


@pages
@ours
def test_the_blocks_of_a_page_agree_with_its_text_and_counts(page: str, extractor: str) -> None:
    options = {"extractor": extractor}
    blocks, extraction = page_blocks(page, options), page_text(page, options).extraction
    kept = [block for block in blocks if block.reason is None]
    assert sum(block.characters for block in blocks) == extraction.visible_characters
    assert sum(block.characters for block in kept) == extraction.kept_characters
    cuts = {cut.reason: (cut.blocks, cut.characters) for cut in extraction.cuts}
    for reason, counts in cuts.items():
        cut = [block.characters for block in blocks if block.reason == reason]
        assert (len(cut), sum(cut)) == counts
    assert {block.reason for block in blocks} - {None} == set(cuts)
    for block in blocks:
        without_marker = re.sub(r"^ *(?:- |[0-9]+\. )", "", block.text)
        assert block.characters == len(squeezed(without_marker)) > 0


@pages
@ours
def test_the_text_has_every_kept_block_and_in_order(page: str, extractor: str) -> None:
    options = {"extractor": extractor}
    written, at = squeezed(page_text(page, options).text), 0
    for block in page_blocks(page, options):
        if block.reason is None:
            for character in squeezed(block.text):
                at = written.index(character, at) + 1


def test_all_text_cuts_what_is_hidden_and_nothing_else() -> None:
    extraction = page_text(HIDDEN, {"extractor": "all_text"}).extraction
    assert [(cut.reason, cut.blocks, cut.characters) for cut in extraction.cuts] == [("hidden", 1, 8)]
    assert page_text(HIDDEN, {"extractor": "all_text"}).text == "shown text"
    assert all_text("<title> a  b </title><nav>c</nav>d") == ("c\nd", "a b")


@pages
@ours
def test_marked_boilerplate_has_everything_and_names_the_reason_of_each_run_of_blocks(
    page: str, extractor: str
) -> None:
    options = {"extractor": extractor, "boilerplate": "mark"}
    marked = page_text(page, options)
    reasons = re.findall(r'(?m)^<boilerplate reason="(\w+)">$', marked.text)
    runs: list[str | None] = []
    for block in page_blocks(page, options):
        if not runs or runs[-1] != block.reason:
            runs.append(block.reason)
    assert reasons == [reason for reason in runs if reason]
    assert len(re.findall("(?m)^</boilerplate>$", marked.text)) == len(reasons)
    assert marked.extraction == page_text(page, {"extractor": extractor}).extraction
    written, at = squeezed(marked.text), 0
    for block in page_blocks(page, options):
        for character in squeezed(block.text):
            at = written.index(character, at) + 1


@pytest.mark.parametrize("name", ARTICLES)
def test_markdown_and_links_change_how_text_is_written_and_not_what_is_kept(name: str) -> None:
    plain = page_text(ARTICLES[name], {"extractor": "all_text"})
    markdown = page_text(ARTICLES[name], {"extractor": "all_text", "output": "markdown"})
    linked = page_text(ARTICLES[name], {"extractor": "all_text", "output": "markdown", "links": True})
    assert plain.extraction == markdown.extraction == linked.extraction
    assert re.search("(?m)^# ", markdown.text)
    assert not re.search("(?m)^# ", plain.text)
    assert "](/)" in linked.text
    assert "](/)" not in markdown.text + plain.text


@pytest.mark.parametrize("name", ["trafilatura", "resiliparse"])
@pages
def test_another_extractor_is_named_with_its_version_and_counts_of_its_text(page: str, name: str) -> None:
    if "\ud800" in page:
        pytest.skip("these libraries take no lone surrogates, and a decoded page has none")
    found = page_text(page, {"extractor": name})
    visible = page_text(page, {"extractor": "all_text"}).extraction.visible_characters
    assert found.extraction.extractor == f"{name}/{version(name)}"
    assert found.extraction.visible_characters == visible
    assert found.extraction.kept_characters == len(squeezed(found.text))
    assert found.extraction.cuts == ()
    assert page_blocks(page, {"extractor": name}) == []


@pytest.mark.parametrize("name", [*OURS, "trafilatura", "resiliparse"])
@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title> Η  πρώτη\nσελίδα </title>", "Η πρώτη σελίδα"),
        ("<title>a &amp; b</title>", "a & b"),
        ("<title> </title>", None),
        ("", None),
        ("<title>first</title><title>second</title>", "first"),
    ],
)
def test_every_extractor_gives_the_title_with_white_space_collapsed(head: str, title: str | None, name: str) -> None:
    assert page_text(f"{head}<svg><title>no</title></svg><p>text", {"extractor": name}).title == title


def test_the_identity_of_the_extractor_has_its_version_and_the_digest_of_its_model() -> None:
    assert extractor_identity() == {"name": "pellucid", "version": VERSION, "model_sha256": model.sha256()}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_page_without_options_is_read_by_our_own_extractor(text: str) -> None:
    options: dict[str, Any] = {}
    page = f"<p>{html.escape(text)}"
    assert page_text(page, options) == page_text(
        page, {"extractor": "default", "boilerplate": "cut", "links": False, "output": "text"}
    )
