"""Reasons of cut blocks, and the hand-written rules."""

import numpy as np
import pytest

from pipeline.kernels.html import reasons, rules
from tests.kernels.html.measured import measured


def reasons_of(page: str, keep: list[int] | None = None) -> list[str]:
    _, found = measured(page)
    count = found.blocks.count
    why = np.full(count, 99, np.uint8)
    kept = np.array(keep if keep is not None else [0] * count, np.uint8)
    reasons.explain(found.blocks.nodes, found.blocks.marks, found.signals, kept, count, why)
    return [reasons.REASONS[number] for number in why.tolist()]


@pytest.mark.parametrize(
    ("opening", "reason"),
    [
        ("<nav>", "navigation"),
        ("<footer>", "footer"),
        ("<aside>", "sidebar"),
        ("<header>", "header"),
        ("<dialog>", "dialog"),
        ("<form>", "form"),
        ("<select><option>", "form"),
        ("<button>", "form"),
        ("<div class=skip-link><a href=#x>", "skip_link"),
        ("<div class=breadcrumbs>", "breadcrumbs"),
        ("<div class=pager>", "pagination"),
        ("<div id=onetrust>", "cookie_banner"),
        ("<div class=subscribe>", "newsletter"),
        ("<div class=sponsor>", "advertisement"),
        ("<div class=share>", "share_links"),
        ("<div id=disqus>", "comments"),
        ("<div class=recommended>", "related_content"),
        ("<div class=toc>", "table_of_contents"),
        ("<div class=disclaimer>", "copyright"),
        ("<div class=byline>", "metadata"),
        ("<div role=navigation>", "navigation"),
        ("<div role=contentinfo>", "footer"),
        ("<div class=xyz>", "boilerplate"),
        ("<div hidden class=share>", "hidden"),
    ],
)
def test_each_sign_gives_its_reason(opening: str, reason: str) -> None:
    assert reasons_of(f"{opening}some текст 文字") == [reason]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<nav><aside>a", "sidebar"),
        ("<aside><nav>a", "navigation"),
        ("<footer><div><div class=share>a", "share_links"),
        ("<div class=share><div><footer>a", "footer"),
        ("<nav><footer><div><div><p>a", "footer"),
    ],
)
def test_the_nearest_sign_wins(page: str, reason: str) -> None:
    assert reasons_of(page) == [reason]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<nav class=footer>a", "navigation"),
        ("<footer class=pagination>a", "pagination"),
        ("<div class='share pagination breadcrumb'>a", "breadcrumbs"),
        ("<form class='related comments'>a", "comments"),
        ("<div class='footer nav'>a", "navigation"),
    ],
)
def test_of_equally_near_signs_the_first_in_the_list_wins(page: str, reason: str) -> None:
    assert reasons_of(page) == [reason]


def test_a_block_of_links_without_a_sign_is_a_link_list_and_one_of_text_is_boilerplate() -> None:
    assert reasons_of("<div><a href=x>abcd</a> abc<p><a href=x>abc</a> abc<p><a>abc</a>") == [
        "link_list",
        "boilerplate",
        "boilerplate",
    ]
    assert reasons_of("<nav><a href=x>abcd</a>") == ["navigation"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<p>© 2024 x", "copyright"),
        ("<footer><p>© 2024 x", "copyright"),
        ("<footer>© 2024 x", "footer"),
        ("<p><a href=x>© 2024</a>", "copyright"),
        ("<p>© 2024 " + "word " * 38, "copyright"),
        ("<p>© 2024 " + "word " * 39, "boilerplate"),
    ],
)
def test_a_short_block_with_the_copyright_sign_is_copyright_unless_its_own_element_says_more(
    page: str, reason: str
) -> None:
    assert reasons_of(page) == [reason]


def test_kept_blocks_have_no_reason_even_where_signs_are() -> None:
    assert reasons_of("<nav>a<p hidden>b</p><p>c", [1, 1, 0]) == ["kept", "kept", "navigation"]


def kept_by_rules(page: str) -> list[bool]:
    _, found = measured(page)
    keep = np.full(found.blocks.count, 9, np.uint8)
    rules.decide(found.blocks.table, found.near, found.words, found.blocks.count, keep)
    return [bool(value) for value in keep.tolist()]


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("<nav>a</nav><p>b</p><footer>c</footer>", [False, True, False]),
        ("<p>a</p><main><p>b</p><nav>c</nav></main>", [False, True, False]),
        ("<nav><article>a</article></nav>", [True]),
        ("<article><p>b<div class=share>c</div></article>", [True, False]),
        ("<p><a href=x>short link</a><p>text <a href=x>b</a>", [False, True]),
        ("<p><a href=x>a link of more than ten words is taken for a sentence here</a>", [True]),
        ("<p hidden>a<p>b", [False, True]),
        ("<div itemprop=articleBody>a</div><p>b", [True, False]),
    ],
)
def test_the_rules_keep_what_is_nearer_to_the_main_element_than_to_boilerplate(page: str, kept: list[bool]) -> None:
    assert kept_by_rules(page) == kept
