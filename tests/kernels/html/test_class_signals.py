"""What classes, ids, roles and tags say, against plain Python over strings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels.html.blocks import NODE, PARENT
from pipeline.kernels.html.class_signals import (
    FAR,
    FIRST_TOKEN,
    GROUP_COUNT,
    GROUPS,
    LANDMARKS,
    LAST_TOKEN,
    LIST_DEPTH,
    MAX_BYTES,
    MAX_TOKENS,
    ROLES,
    TAG_CODE,
    TAG_CODES,
)
from pipeline.kernels.html.measure import Measurer
from pipeline.kernels.html.names import TAG
from pipeline.kernels.html.parser import Tree
from pipeline.kernels.html.word_signals import PRIME, hashed, mixed_plain
from tests.kernels.html.measured import measured

NAMES = st.sampled_from(
    [
        *(part.strip("-") for parts in GROUPS.values() for part in parts.split()),
        "Nav_Main", "siteHeader", "col-12", "x", "md:flex", "js-Foo2Bar", "__a", "меню", "ñandú", "comments", "ADS",
        "ad", "header-ad",
        "foooter", "toc", "page", "_-_", "A1b22c333", "h-entry", "postBody", "BIGWord", "abcDEFghi",
    ]
)  # fmt: skip
VALUES = st.lists(NAMES, min_size=1, max_size=6).map(" ".join) | st.text("aAbn-_ 1.é", max_size=30)


def box_of(page: str) -> tuple[Measurer, int]:
    """The box of the last block-level element of a page."""
    _, found = measured(page)
    return found, found.blocks.box_count - 1


def groups_of(found: Measurer, box: int) -> set[str]:
    return {name for name, distance in zip(GROUPS, found.near[box].tolist(), strict=False) if distance == 0}


def landmarks_of(found: Measurer, box: int) -> set[str]:
    return {name for i, name in enumerate(LANDMARKS) if found.near[box, GROUP_COUNT + i] == 0}


def groups_by_in(value: str) -> set[str]:
    normal = "-" + re.sub("[^a-z0-9\x80-\U0010ffff]", "-", ascii_lower(value)) + "-"
    return {name for name, parts in GROUPS.items() if any(part in normal for part in parts.split())}


def ascii_lower(text: str) -> str:
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def tokens_by_parts(value: str) -> list[str]:
    """Names, and the parts of names of three bytes or more, as the docstring of `tokenize` has them."""
    found: list[str] = []
    for name in re.split(r"[ \t\n\v\f\r]+", value):
        divided = re.sub("([a-z])([A-Z])", r"\1-\2", name)
        parts = [part for part in re.split("[^A-Za-z\x80-\U0010ffff]+", divided) if len(part.encode()) >= 3]
        whole = re.sub("[0-9]+", "0", name)
        found += parts
        if name and parts != [whole]:
            found.append(whole)
    return found


@given(VALUES)
def test_the_groups_of_a_class_are_those_with_a_part_in_the_normalized_name(value: str) -> None:
    found, box = box_of(f'<div class="{value}">')
    assert groups_of(found, box) == groups_by_in(value)


@given(VALUES, VALUES)
def test_class_and_id_both_count_and_do_not_run_together(first: str, second: str) -> None:
    found, box = box_of(f'<div class="{first}" id="{second}">')
    assert groups_of(found, box) == groups_by_in(first) | groups_by_in(second)


@given(VALUES)
def test_the_tokens_of_a_class_are_its_names_and_their_parts(value: str) -> None:
    found, box = box_of(f'<p class="{value}">')
    first, last = found.signals.classes[box, [FIRST_TOKEN, LAST_TOKEN]].tolist()
    expected = [mixed_plain(TAG["p"] * int(PRIME) & 2**64 - 1), *map(hashed, tokens_by_parts(value)[:MAX_TOKENS])]
    assert found.signals.tokens[first:last].tolist() == expected


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ("Nav_Main", ["nav", "main", "nav_main"]),
        ("siteHeader", ["site", "header", "siteheader"]),
        ("col-12", ["col", "col-0"]),
        ("menu", ["menu"]),
        ("Menu", ["menu"]),
        ("h1", ["h0"]),
        ("item-2024x", ["item", "item-0x"]),
        ("ab cd", ["ab", "cd"]),
        ("меню", ["меню"]),
    ],
)
def test_names_parts_camel_case_and_digits_make_tokens(value: str, tokens: list[str]) -> None:
    assert [ascii_lower(token) for token in tokens_by_parts(value)] == tokens
    found, box = box_of(f'<p class="{value}">')
    first, last = found.signals.classes[box, [FIRST_TOKEN, LAST_TOKEN]].tolist()
    assert found.signals.tokens[first + 1 : last].tolist() == [hashed(token) for token in tokens]


def test_a_class_is_read_up_to_its_bound_of_bytes_and_tokens() -> None:
    found, box = box_of(f'<p class="{"x" * MAX_BYTES} footer">')
    assert groups_of(found, box) == set()
    found, box = box_of(f'<p class="{" ".join(f"w{chr(97 + i)}" for i in range(26))}">')
    first, last = found.signals.classes[box, [FIRST_TOKEN, LAST_TOKEN]].tolist()
    assert last - first == 1 + MAX_TOKENS


def test_classes_of_html_and_body_say_nothing_of_a_place() -> None:
    found, box = box_of("<html class=footer><body class=sidebar><p>a")
    assert all(groups_of(found, i) == set() for i in range(box + 1))


@pytest.mark.parametrize(("role", "landmark"), ROLES.items())
def test_a_role_says_the_same_as_its_element(role: str, landmark: str) -> None:
    found, box = box_of(f"<div role={role.upper()}>")
    assert landmarks_of(found, box) == {landmark}


@pytest.mark.parametrize(
    ("element", "landmarks"),
    [
        ("<nav>", {"nav"}),
        ("<ol>", {"list"}),
        ("<div itemprop=articleBody>", {"ITEMPROP_BODY"}),
        ("<div itemprop=price>", {"ITEMPROP_OTHER"}),
        ("<div aria-hidden=true>", {"HIDDEN"}),
        ("<div aria-hidden=false>", set()),
        ("<div hidden>", {"HIDDEN"}),
        ("<section style='display:none'>", {"section", "HIDDEN"}),
        ("<div role=unknown>", set()),
        ("<x-nav>", set()),
    ],
)
def test_elements_properties_and_what_hides_are_landmarks(element: str, landmarks: set[str]) -> None:
    assert landmarks_of(*box_of(element)) == landmarks


def distances(tree: Tree, found: Measurer, box: int) -> dict[str, int]:
    """Steps from a box to the nearest one around it with each landmark's element."""
    steps: dict[str, int] = {}
    at, step = box, 0
    while at >= 0:
        name = tree.name(int(found.blocks.boxes[at, NODE])) if at else ""
        steps.setdefault("list" if name in ("ul", "ol") else name, step)
        at, step = int(found.blocks.boxes[at, PARENT]), step + 1
    return {name: min(steps.get(name, FAR), FAR) for name in ("nav", "article", "list", "li", "p", "section")}


ELEMENTS = st.sampled_from(
    ["<nav>", "<article>", "<ul>", "<li>", "<p>", "<section>", "<div>", "</div>", "</nav>", "</ul>", "<b>", "x"]
)


@given(st.lists(ELEMENTS, max_size=60).map("".join))
def test_a_distance_is_the_number_of_boxes_to_the_nearest_element(page: str) -> None:
    tree, found = measured(page)
    for box in range(found.blocks.box_count):
        expected = distances(tree, found, box)
        assert {name: int(found.near[box, GROUP_COUNT + LANDMARKS.index(name)]) for name in expected} == expected


def test_a_distance_stops_at_far() -> None:
    found, box = box_of("<nav>" + "<div>" * (FAR - 1))
    assert found.near[box, GROUP_COUNT + LANDMARKS.index("nav")] == FAR - 1
    found, box = box_of("<nav>" + "<div>" * (FAR + 300))
    assert found.near[box, GROUP_COUNT + LANDMARKS.index("nav")] == FAR


def test_lists_around_are_counted_and_tags_have_their_codes() -> None:
    found, box = box_of("<ul><li><dl><dd><ol><li>")
    assert found.signals.classes[box, [LIST_DEPTH, TAG_CODE]].tolist() == [3, 1 + TAG_CODES.index("li")]
    assert found.signals.classes[box_of("<x-y>")[1], TAG_CODE] == 0


def test_the_shape_of_a_box_depends_on_its_tag_and_tokens_but_not_on_their_order() -> None:
    page = "<div class='a1 bcd'></div><div class='bcd a2'></div><p class='a1 bcd'></p><div class=bcd></div><div id=bcd></div>"
    _, found = measured(page)
    first, second, other_tag, other_class, an_id = found.signals.shapes[
        found.blocks.box_count - 5 : found.blocks.box_count
    ].tolist()
    assert first == second
    assert other_class == an_id
    assert len({first, other_tag, other_class}) == 3
