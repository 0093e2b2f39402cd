"""Blocks of visible text: which text nodes belong together, and the boxes around them."""

import sys
from typing import Any

import pytest
from hypothesis import given

from pipeline.formats.html_text import page_text
from pipeline.kernels.html.blocks import (
    BLOCK_LEVEL,
    BOX,
    CONCEALED,
    FIRST_BLOCK,
    INLINES,
    INPUTS,
    LAST_BLOCK,
    LINK_CHARACTERS,
    LINKS,
    PARENT,
    TIMES,
)
from pipeline.kernels.html.parser import Tree
from tests.kernels.html.measured import TEXTS
from tests.kernels.html.rendered import blocks_of
from tests.kernels.html.test_conservation import SOUPS, TREES


def texts_of(page: str) -> list[str]:
    """The text of each block, white space collapsed."""
    tree, blocks = blocks_of(page)
    return [
        " ".join(
            "".join(
                tree.text_of(node)
                for node in range(first, last + 1)
                if tree.kind[node] == 3 and not blocks.hidden[node]
            ).split()
        )
        for first, last in zip(blocks.first.tolist(), blocks.last.tolist(), strict=True)
    ]


def column(page: str, which: int) -> list[int]:
    found: list[int] = blocks_of(page)[1].table[:, which].tolist()
    return found


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("name", ["p", "div", "li", "td", "h2", "button", "summary", "option", "x-card"])
def test_a_block_level_or_custom_element_divides_the_text_before_in_and_after_it(name: str, text: str) -> None:
    wrapped = {"td": "<table><tr>{}</table>", "option": "<select>{}</select>"}.get(name, "{}")
    assert texts_of(f"{text}{wrapped.format(f'<{name}>{text}</{name}>')}{text}") == [text, text, text]


@pytest.mark.parametrize("name", ["b", "a", "span", "code", "unknown", "label", "ruby", "bdi"])
def test_an_inline_or_unknown_element_does_not_divide(name: str) -> None:
    assert texts_of(f"a <{name}>β </{name}>в") == ["a β в"]


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("a<br>b", ["ab"]),
        ("a<br><br>b", ["a", "b"]),
        ("a<br> \n<br>b", ["a", "b"]),
        ("a<br><b><br></b>b", ["a", "b"]),
        ("a<br>b<br>c", ["abc"]),
        ("<br><br>a<br><br><br>", ["a"]),
        ("a<hr>b", ["a", "b"]),
        ("<p> </p>\u3000<p>\u2028</p>", []),
    ],
)
def test_two_line_breaks_in_a_row_divide_and_one_does_not(page: str, texts: list[str]) -> None:
    assert texts_of(page) == texts


@pytest.mark.parametrize(
    "name",
    [
        "title",
        "script",
        "style",
        "template",
        "iframe",
        "noembed",
        "noframes",
        "textarea",
        "datalist",
        "svg",
        "audio",
        "video",
        "canvas",
    ],
)
def test_what_a_browser_does_not_display_as_text_is_in_no_block(name: str) -> None:
    assert texts_of(f"<body>a<{name}>b</{name}>c") == ["ac"]


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("<noscript>a<p>b</p></noscript>c", ["a", "b", "c"]),
        ("<select><option>a<option>b</select>", ["a", "b"]),
        ("<object>a<p>b</p></object>", ["a", "b"]),
        ("<details><summary>a</summary>b</details>", ["a", "b"]),
        ("<body><template shadowrootmode=open><p>a</p></template>b", ["a", "b"]),
        ("<dialog>a</dialog>", ["a"]),
        ("<table><caption>a<tr><th>b<td>c</table>", ["a", "b", "c"]),
    ],
)
def test_text_that_a_page_shows_at_times_is_text(page: str, texts: list[str]) -> None:
    assert texts_of(page) == texts


@pytest.mark.parametrize(
    "attribute",
    [
        "hidden", "hidden=until-found", "style=display:none", "style='color:red; DISPLAY : None'",
        "style='visibility:\thidden'",
    ],
)  # fmt: skip
def test_text_that_an_attribute_or_style_hides_is_in_flagged_blocks(attribute: str) -> None:
    page = f"<p>a</p><div {attribute}>b<p>c</p></div><p>d"
    assert texts_of(page) == ["a", "b", "c", "d"]
    assert [bool(flag) for flag in column(page, CONCEALED)] == [False, True, True, False]


@pytest.mark.parametrize("style", ["display:block", "overflow:hidden", "color:#none", "visibility:visible"])
def test_other_styles_do_not_hide(style: str) -> None:
    assert column(f"<p style='{style}'>a", CONCEALED) == [0]


def test_of_a_formula_with_a_tex_annotation_the_annotation_alone_is_text_and_flagged() -> None:
    annotation = "<annotation encoding='application/x-tex'>y</annotation>"
    formula = f"<math><semantics><mrow><mi>x</mi></mrow>{annotation}</semantics></math>"
    assert texts_of(f"a{formula}b<math><mi>z</mi></math>") == ["aybz"]
    tree, blocks = blocks_of(formula)
    flagged = [tree.text_of(node) for node in range(tree.count) if blocks.tex[node] and tree.kind[node] == 3]
    assert flagged == ["y"]


@pytest.mark.parametrize("kind", ["math/tex", "math/tex; mode=display", "MATH/TEX"])
def test_a_script_of_tex_is_text_and_flagged(kind: str) -> None:
    page = f"a<script type='{kind}'>x^2</script>b"
    assert texts_of(page) == ["ax^2b"]
    tree, blocks = blocks_of(page)
    assert [tree.text_of(n) for n in range(tree.count) if blocks.tex[n] and tree.kind[n] == 3] == ["x^2"]


@pytest.mark.parametrize("kind", ["", "module", "application/ld+json", "text/template", "text/javascript"])
def test_a_script_of_another_type_is_not_text(kind: str) -> None:
    assert texts_of(f"a<script type='{kind}'>x</script>b") == ["ab"]


def test_a_formula_in_something_hidden_stays_hidden() -> None:
    inside = "<math><annotation encoding='application/x-tex'>y</annotation></math><script type=math/tex>z</script>"
    assert texts_of(f"a<video>{inside}</video>b") == ["ab"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_characters_are_the_code_points_that_are_not_white_space(text: str) -> None:
    _, blocks = blocks_of(f"<p>{text} <b>{text}</b>")
    assert blocks.characters.tolist() == [2 * len("".join(text.split()))]


def test_every_white_space_character_of_python_is_white_space_and_no_other_is() -> None:
    characters = [
        c for c in map(chr, range(1, sys.maxunicode + 1)) if c not in "<&\r" and not "\ud800" <= c <= "\udfff"
    ]
    for start in range(0, len(characters), 50_000):
        part = "".join(characters[start : start + 50_000])
        assert blocks_of("<p>" + part)[1].visible_characters == len("".join(part.split()))
    for character in (
        [c for c in characters if c.isspace()] + [chr(c) for c in range(0x2000, 0x2100)] + ["\u0084", "\ufeff"]
    ):
        page = f"<p>a{character}b"
        assert blocks_of(page)[1].characters.tolist() == [len("".join(page[3:].split()))]


def test_links_are_counted_once_each_with_their_characters() -> None:
    page = "<p>ab <a href=x>cd<b>e</b></a> <a href=y>f</a><a>no</a><p>g"
    assert column(page, LINKS) == [2, 0]
    assert column(page, LINK_CHARACTERS) == [4, 0]


def test_elements_in_a_block_are_counted_and_those_before_a_boundary_are_not() -> None:
    page = "<p><time>a</time> <i>b</i> <input></p><time></time><p>c"
    assert column(page, TIMES) == [1, 0]
    assert column(page, INPUTS) == [1, 0]
    assert column(page, INLINES) == [3, 0]


def by_the_rules(tree: Tree, hidden: Any) -> tuple[list[list[int]], dict[int, tuple[int, int]]]:
    """Text nodes of each block, and of each block-level element its first block and the one after its last."""
    found: list[list[int]] = []
    boxes: dict[int, tuple[int, int]] = {}
    fresh, breaks = True, 0
    stack: list[tuple[int, int]] = []  # open block-level elements: the node, blocks before it
    for node in range(1, tree.count + 1):
        while stack and (node == tree.count or tree.end[stack[-1][0]] <= node):
            opened, first = stack.pop()
            boxes[opened] = (first, len(found))
            fresh = True
        if node == tree.count:
            break
        if tree.kind[node] == 3:
            if hidden[node] or not tree.text_of(node).strip():
                continue
            if fresh:
                found.append([])
            found[-1].append(node)
            fresh, breaks = False, 0
            continue
        name = tree.name(node)
        level = bool(BLOCK_LEVEL[tree.tag[node]]) or (tree.tag[node] == 0 and "-" in name)
        if level and tree.namespace[node] == 0 and not hidden[node]:
            stack.append((node, len(found)))
            fresh = True
        elif name == "br":
            breaks += 1
            fresh = fresh or breaks > 1
    return found, boxes


@given(TREES | SOUPS)
def test_blocks_and_boxes_are_those_of_the_rules_on_any_page(page: str) -> None:
    tree, blocks = blocks_of(page)
    expected, boxes = by_the_rules(tree, blocks.hidden)
    assert blocks.first.tolist() == [nodes[0] for nodes in expected]
    assert blocks.last.tolist() == [nodes[-1] for nodes in expected]
    characters = [len("".join("".join(map(tree.text_of, nodes)).split())) for nodes in expected]
    assert blocks.characters.tolist() == characters
    rows = blocks.boxes[1:]
    assert {row[0]: (row[FIRST_BLOCK], row[LAST_BLOCK]) for row in rows.tolist()} == boxes


@given(TREES)
def test_a_box_has_exactly_the_blocks_whose_box_is_inside_it(page: str) -> None:
    _, blocks = blocks_of(page)
    around: dict[int, set[int]] = {box: set() for box in range(blocks.box_count)}
    for block, box in enumerate(blocks.table[:, BOX].tolist()):
        while box >= 0:
            around[box].add(block)
            box = int(blocks.boxes[box, PARENT])
    spans = {box: set(range(row[FIRST_BLOCK], row[LAST_BLOCK])) for box, row in enumerate(blocks.boxes.tolist())}
    assert spans == around


@pytest.mark.parametrize(
    ("page", "blocks", "text"),
    [
        ("<p>x <span hidden>h</span> y</p>", ["x", "h", "y"], "x y"),
        ("<p><span style='display:none'>h</span> y</p>", ["h", "y"], "y"),
        ("<p>使<b hidden>用</b>字</p>", ["使", "用", "字"], "使字"),
    ],
)
def test_what_is_hidden_inside_a_line_is_a_block_of_its_own_and_leaves_the_line_whole(
    page: str, blocks: list[str], text: str
) -> None:
    assert [found.strip() for found in texts_of(page)] == blocks
    assert page_text(page, {"extractor": "all_text"}).text == text
