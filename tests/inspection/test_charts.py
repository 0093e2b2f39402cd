"""Columns hold every value once, bounds lie among them, and charts are the same everywhere and harmless."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from pipeline.inspection import charts, scales
from pipeline.inspection.charts import BINS, Bar, Bound, Table, Tick

MILLION = 1_000_000
values = st.one_of(
    st.integers(0, 2 * MILLION),
    st.integers(0, 10**6).map(lambda whole: whole * MILLION),
    st.integers(0, 10**15),
    st.sampled_from(scales.EDGES[:-1]),
)


def counted(numbers: list[int]) -> Counter[int]:
    return Counter(scales.cells(np.array(numbers, np.int64)).tolist())


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_a_cell_is_the_last_edge_that_is_not_above_the_value(numbers: list[int]) -> None:
    for number, cell in zip(numbers, scales.cells(np.array(numbers, np.int64)).tolist(), strict=True):
        assert cell == max([place for place, edge in enumerate(scales.EDGES) if edge <= number], default=0)


@given(st.lists(values, max_size=50), st.lists(values, max_size=3))
@example([0, 510_000 * 10**12], [])
def test_every_value_is_in_one_column_and_every_bound_among_them(numbers: list[int], bounds: list[int]) -> None:
    scale = scales.scale(counted(numbers), bounds)
    assert 1 <= len(scale.edges) - 1 <= BINS
    assert all(low < high for low, high in zip(scale.edges, scale.edges[1:], strict=False))
    assert sum(scale.gather(counted(numbers))) == len(numbers)
    assert scale.beyond <= len(numbers) / 200
    for bound in bounds:
        assert scale.edges[0] <= bound <= scale.edges[-1] or bound > scales.EDGES[-1]
        assert 0 <= scale.place(bound) <= 10_000
    assert len(scale.ranges()) == len(scale.edges) - 1
    assert all(0 <= tick.at <= 10_000 for tick in scale.ticks())


@given(st.lists(values, min_size=1, max_size=50))
@example([5_000, 16_500_000])
def test_a_column_holds_what_lies_between_its_edges(numbers: list[int]) -> None:
    scale = scales.scale(counted(numbers))
    found = scale.gather(counted(numbers))
    for low, high, number in zip(scale.edges, scale.edges[1:], found, strict=False):
        inside = sum(low <= value < high for value in numbers)
        if high != scale.edges[-1]:
            assert number == inside
        else:
            assert number >= inside


@given(st.lists(values, min_size=2, max_size=2, unique=True), st.lists(values, min_size=1, max_size=20))
def test_a_larger_value_never_lies_further_left(two: list[int], numbers: list[int]) -> None:
    scale = scales.scale(counted([*two, *numbers]))
    assert scale.place(min(two)) <= scale.place(max(two))


@pytest.mark.parametrize(
    ("numbers", "bounds", "edges", "first"),
    [
        ([0, MILLION], [300_000], (0, 2 * MILLION, 2), "0"),
        ([n * MILLION for n in range(9)], [2 * MILLION], (0, 9 * MILLION, 9), "0"),
        ([n * 1000 * MILLION for n in range(1, 90)], [], (1000 * MILLION, 100_000 * MILLION, 20), "1,000 to 1,199"),
        ([5_000], [100_000], (0, 100_000, 20), "0 to 0.005"),
        ([801_000, 960_000], [800_000], (800_000, 965_000, 33), "0.8 to 0.805"),
        ([MILLION * 3 // 2, 60 * MILLION], [], (0, 62 * MILLION, 31), "0 to 2"),
        ([], [], (0, MILLION, 40), "0 to 0.025"),
    ],
)
def test_edges_are_numbers_that_a_person_would_choose(
    numbers: list[int], bounds: list[int], edges: tuple[int, int, int], first: str
) -> None:
    scale = scales.scale(counted(numbers), bounds)
    assert (scale.edges[0], scale.edges[-1]) == edges[:2]
    assert len(scale.edges) - 1 == edges[2]
    assert scale.ranges()[0] == first


def test_one_value_in_200_may_lie_beyond_and_is_counted_in_the_last_column() -> None:
    scale = scales.scale(counted([MILLION // 4] * 400 + [50 * MILLION]))
    assert scale.edges[-1] <= MILLION and scale.beyond == 1
    assert sum(scale.gather(counted([MILLION // 4] * 400 + [50 * MILLION]))) == 401
    assert scale.ranges()[-1].endswith("and more")


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10**9)), max_size=12))
def test_numbers_below_a_chart_do_not_overlap_in_a_narrow_window(drawn: list[tuple[int, int]]) -> None:
    ticks = [Tick(at, f"{number:,}") for at, number in sorted(drawn)]
    svg = html.fragment_fromstring(str(charts.histogram("a", "t", "d", [(1, 2)] * 4, ticks, [])))
    texts = [text for text in svg.iter("text") if text.get("class") == "soft"]
    assert bool(texts) == bool(ticks)
    free = 0.0
    for text in texts:
        width, at = 7.0 * len(text.text), float(text.get("x").rstrip("%")) * 2.9
        begins = {"start": at, "middle": at - width / 2, "end": at - width}[text.get("text-anchor")]
        assert begins >= free - 0.1 and begins + width <= 290.1
        free = begins + width


def test_bars_are_parts_of_the_longest_and_something_is_never_nothing() -> None:
    svg = str(charts.bars("a", "t", "d", [Bar("one", 3, 1), Bar("two", 2), Bar("three", 0, 1)], legend=True))
    assert '<rect class="kept" x="0%" y="18" width="75%"' in svg
    assert '<rect class="hatch" x="75%" y="18" width="25%"' in svg
    assert '<rect class="kept" x="0%" y="58" width="50%"' in svg
    assert 'width="0%"' not in svg
    tiny = str(charts.bars("a", "t", "d", [Bar("one", 10**9), Bar("two", 1)]))
    assert 'width="0.25%"' in tiny


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    for svg in (charts.bars("a", "t", "d", []), charts.histogram("a", "t", "d", [(0, 0)], [])):
        assert "<title" in svg and 'class="kept"' not in svg


def test_bounds_are_lines_with_labels_that_do_not_cross_each_other() -> None:
    svg = html.fragment_fromstring(
        str(
            charts.histogram(
                "a", "t", "d", [(1, 2)] * 4, [Tick(0, "0")], [Bound(4_000, "at most 2"), Bound(1_000, "at least 1")]
            )
        )
    )
    lines = [(line.get("x1"), int(line.get("y1"))) for line in svg.iter("line") if line.get("class") == "bound"]
    assert lines == [("10%", 0), ("40%", 15)]  # the left one's label stands above the right one's line
    assert [text.text for text in svg.iter("text") if text.get("class") == "at"] == ["at least 1", "at most 2"]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_line_of_a_bound_goes_through_the_label_of_the_other(one: int, other: int) -> None:
    bounds = [Bound(one, "at most 10"), Bound(other, "at least 2.5")]
    svg = html.fragment_fromstring(str(charts.histogram("a", "t", "d", [(1, 2)] * 4, [], bounds)))
    lines = [line for line in svg.iter("line") if line.get("class") == "bound"]
    labels = [text for text in svg.iter("text") if text.get("class") == "at"]
    for number, text in enumerate(labels):
        width, at = 7.0 * len(text.text), float(text.get("x").rstrip("%")) * 2.9
        begins = at if text.get("text-anchor") == "start" else at - width
        assert begins >= -1 and begins + width <= 291
        line = lines[1 - number]
        crossed = begins < float(line.get("x1").rstrip("%")) * 2.9 < begins + width
        assert not crossed or int(line.get("y1")) > int(text.get("y"))


def test_labels_and_cells_are_somebody_elses_words() -> None:
    evil = "<script>\u202e\"'"
    table = Table(evil, (evil,), [(evil, evil)], 1, (evil,))
    drawn = str(charts.figure(charts.bars("a", evil, evil, [Bar(evil, 1, 0, evil)]), evil, table))
    assert "<script" not in drawn and "\u202e" not in drawn and "U+202E" in drawn
    html.fragment_fromstring(drawn)


@pytest.mark.parametrize(
    ("hundredths", "shown"),
    [(0, "0%"), (10_000, "100%"), (1250, "12.5%"), (1, "0.01%"), (3333, "33.33%"), (1000, "10%")],
)
def test_per_cent_have_no_digits_that_say_nothing(hundredths: int, shown: str) -> None:
    assert charts.percent(hundredths) == shown


@pytest.mark.parametrize(
    ("label", "shown"), [("short", "short"), ("x" * 34, "x" * 34), ("a" * 20 + "b" * 20, "a" * 16 + "…" + "b" * 17)]
)
def test_long_labels_lose_their_middle(label: str, shown: str) -> None:
    assert charts.short(label) == shown
