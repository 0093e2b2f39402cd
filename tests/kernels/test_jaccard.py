"""Similarities of shingle sets and the choice among pairs, against Python's sets and fractions."""

import os
import subprocess
import sys
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import jaccard

MILLION = 1_000_000
NOBODY = 2**32 - 1
WHOLE = 2**64 - 1
member = st.one_of(st.integers(0, 30), st.integers(WHOLE - 9, WHOLE), st.sampled_from([2**63 - 1, 2**63, 2**63 + 1]))
members = st.sets(member, max_size=40)


def array(values: set[int] | range) -> np.ndarray:
    return np.array(sorted(values), np.uint64)


@given(members, members)
def test_values_in_common_are_those_of_both_sets(one: set[int], other: set[int]) -> None:
    assert jaccard.intersection(array(one), array(other)) == len(one & other)


def test_large_sets_have_in_common_what_both_hold() -> None:
    twos, threes = set(range(0, 60_000, 2)), set(range(0, 90_000, 3))
    assert jaccard.intersection(array(twos), array(threes)) == len(twos & threes) == 10_000


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_similarity_is_the_exact_fraction_in_millionths(common: int, more: int, others: int) -> None:
    union = common + more + others
    if union:
        found = jaccard.similarity(common, common + more, common + others)
        assert found == round(Fraction(common, union) * MILLION)
        assert isinstance(int(found), int)


@pytest.mark.parametrize(
    ("common", "union", "millionths"),
    [(1, 2_000_000, 0), (3, 2_000_000, 2), (5, 2_000_000, 2), (7, 2_000_000, 4), (1, 3, 333_333), (2, 3, 666_667)],
)
def test_a_half_is_rounded_to_the_even_millionth(common: int, union: int, millionths: int) -> None:
    assert jaccard.similarity(common, union, common) == millionths


def test_two_empty_sets_have_no_similarity() -> None:
    with pytest.raises(ValueError, match="two empty sets"):
        jaccard.similarity(0, 0, 0)
    assert jaccard.similarity(0, 0, 1) == 0


@given(st.lists(members, max_size=6))
def test_sets_are_gathered_from_where_they_lie(sets: list[set[int]]) -> None:
    arrays = [array(values) for values in sets]
    offsets = np.concatenate([[0], np.cumsum([len(values) for values in sets])]).astype(np.int64)
    found = jaccard.gathered(np.array([values.ctypes.data for values in arrays], np.uint64), offsets)
    assert found.dtype == np.uint64
    assert found.tolist() == [value for values in arrays for value in values.tolist()]


def expected(
    sets: list[set[int]], pairs: list[tuple[int, int]], threshold: Fraction, out: dict[int, int]
) -> dict[int, tuple[int, int]]:
    """Of each document that is dropped here for whom, and how many values both hold."""
    found: dict[int, tuple[int, int]] = {}
    for later, earlier in sorted(pairs):
        if {later, earlier} & {*found, *out}:
            continue
        common = len(sets[later] & sets[earlier])
        if Fraction(common, len(sets[later] | sets[earlier])) >= threshold:
            found[later] = earlier, common
    return found


def chosen(
    sets: list[set[int]], pairs: list[tuple[int, int]], millionths: int, out: dict[int, int]
) -> tuple[dict[int, tuple[int, int]], int]:
    arrays = [array(values) for values in sets]
    kept = np.full(len(sets), NOBODY, np.uint32)
    kept[list(out)] = list(out.values())
    common = np.full(len(sets), -7, np.int64)
    compared = jaccard.choose(
        np.array(sorted(later << 32 | earlier for later, earlier in pairs), np.uint64),
        np.array([values.ctypes.data for values in arrays], np.uint64), np.array([len(values) for values in sets]),
        millionths, kept, common,
    )  # fmt: skip
    assert {rank: int(kept[rank]) for rank in out} == out
    found = {rank: (int(kept[rank]), int(common[rank])) for rank in range(len(sets)) if kept[rank] != NOBODY}
    assert all(common[rank] == -7 for rank in range(len(sets)) if rank not in found or rank in out)
    return {rank: fact for rank, fact in found.items() if rank not in out}, compared


THRESHOLDS = (10_000, 250_000, 333_333, 333_334, 500_000, 666_666, 666_667, 800_000, 999_999, MILLION)


@given(st.data())
def test_who_is_dropped_and_for_whom_is_what_fractions_say(data: st.DataObject) -> None:
    base = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=30))
    small = st.sets(st.sampled_from(base), min_size=1, max_size=30)
    sets = data.draw(st.lists(small, min_size=2, max_size=12))
    pair = st.tuples(st.integers(0, len(sets) - 1), st.integers(0, len(sets) - 1))
    pairs = {(max(p), min(p)) for p in data.draw(st.lists(pair, max_size=60)) if p[0] != p[1]}
    out = data.draw(st.dictionaries(st.integers(0, len(sets) - 1), st.integers(0, 5), max_size=3))
    millionths = data.draw(st.sampled_from(THRESHOLDS))
    found, compared = chosen(sets, list(pairs), millionths, out)
    assert found == expected(sets, list(pairs), Fraction(millionths, MILLION), out)
    assert len(found) <= compared <= len(pairs)


@given(st.integers(1, 200), st.integers(0, 60), st.integers(0, 60), st.integers(10_000, MILLION))
def test_two_sets_reach_a_threshold_exactly_when_their_fraction_does(
    common: int, more: int, others: int, millionths: int
) -> None:
    one, other = set(range(common + more)), {*range(common), *range(10**6, 10**6 + others)}
    fraction = Fraction(common, common + more + others)
    for threshold in {millionths, *(round(fraction * MILLION) + step for step in (-1, 0, 1))}:
        if 1 <= threshold <= MILLION:
            found, _ = chosen([one, other], [(1, 0)], threshold, {})
            assert found == ({1: (0, common)} if fraction * MILLION >= threshold else {})
            assert chosen([other, one], [(1, 0)], threshold, {})[0] == found


@pytest.mark.parametrize(("common", "union", "dropped"), [(4, 5, True), (3, 4, False), (800_000 - 1, 10**6, False)])
@pytest.mark.parametrize("where", ["front", "back", "spread"])
def test_four_fifths_are_dropped_at_four_fifths_and_less_is_not(
    common: int, union: int, dropped: bool, where: str
) -> None:
    larger = set(range(union))
    smaller = {
        "front": set(range(common)), "back": set(range(union - common, union)),
        "spread": {k * union // common for k in range(common)},
    }[where]  # fmt: skip
    assert len(smaller) == common
    for sets in ([larger, smaller], [smaller, larger]):
        assert chosen(sets, [(1, 0)], 800_000, {})[0] == ({1: (0, common)} if dropped else {})


def test_no_place_of_what_is_missing_ends_a_comparison_too_early() -> None:
    threshold = Fraction(4, 5)
    for size in (1, 2, 9, 10, 11):
        for gap in range(size + 1):  # from here on `missing` values are other ones
            for missing in range(size - gap + 1):
                one = set(range(0, 2 * size, 2))
                other = {value + (gap <= value // 2 < gap + missing) for value in one}
                alike = Fraction(size - missing, size + missing) >= threshold
                assert bool(chosen([one, other], [(1, 0)], 800_000, {})[0]) == alike


def test_a_document_is_dropped_for_the_earliest_kept_one_that_is_enough_like_it() -> None:
    base = set(range(100))
    sets = [base | {200, 201, 202}, {*range(50)}, base | {300}, base]
    assert chosen(sets, [(3, 0), (3, 1), (3, 2)], 800_000, {})[0] == {3: (0, 100)}
    assert chosen(sets, [(3, 2), (3, 1)], 800_000, {})[0] == {3: (2, 100)}


def test_who_is_dropped_drops_nobody() -> None:
    sets = [set(range(start, start + 90)) for start in (0, 9, 18, 27)]
    assert Fraction(81, 99) >= Fraction(4, 5) > Fraction(72, 108)
    everyone = [(later, earlier) for later in range(4) for earlier in range(later)]
    assert chosen(sets, everyone, 800_000, {})[0] == {1: (0, 81), 3: (2, 81)}
    assert chosen(sets, everyone, 800_000, {0: 9})[0] == {2: (1, 81)}
    assert chosen(sets, everyone, 800_000, {1: 0})[0] == {3: (2, 81)}


def test_sets_whose_sizes_differ_too_much_are_not_read() -> None:
    sets = [set(range(100)), set(range(79))]
    assert chosen(sets, [(1, 0)], 800_000, {}) == ({}, 0)
    assert chosen([set(range(100)), set(range(80))], [(1, 0)], 800_000, {}) == ({1: (0, 80)}, 1)
    kept, common = np.full(2, NOBODY, np.uint32), np.zeros(2, np.int64)
    nowhere = np.zeros(2, np.uint64)  # to read there would end the process
    pair, sizes = np.array([1 << 32], np.uint64), np.array([10**9, 0])
    assert jaccard.choose(pair, nowhere, sizes, 10_000, kept, common) == 0


def test_fewest_values_in_common_that_suffice_are_those_of_the_fraction() -> None:
    for total in range(2, 60):
        for millionths in THRESHOLDS:
            threshold = Fraction(millionths, MILLION)
            least = ceil(threshold * total / (1 + threshold))
            for common in {max(least - 1, 0), least} - {0}:
                size, rest = total // 2, total - total // 2
                if common > size:
                    continue
                sets = [set(range(size)), {*range(common), *range(1000, 1000 + rest - common)}]
                assert bool(chosen(sets, [(1, 0)], millionths, {})[0]) == (common >= least)


SCRIPT = """
import numpy
from pipeline.kernels import jaccard
arrays = [numpy.arange(start, 900 + start, dtype=numpy.uint64) for start in range(0, 400, 40)]
kept, common = numpy.full(10, 2**32 - 1, numpy.uint32), numpy.zeros(10, numpy.int64)
pairs = numpy.array([later << 32 | earlier for later in range(10) for earlier in range(later)], numpy.uint64)
addresses = numpy.array([array.ctypes.data for array in arrays], numpy.uint64)
print(jaccard.choose(pairs, addresses, numpy.full(10, 900), 800_000, kept, common), kept.tolist(), common.tolist())
"""


def test_a_plain_processor_chooses_the_same() -> None:
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "",
    }  # fmt: skip
    said = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True, text=True)
    sets = [set(range(start, 900 + start)) for start in range(0, 400, 40)]
    everyone = [(later, earlier) for later in range(10) for earlier in range(later)]
    found, compared = chosen(sets, everyone, 800_000, {})
    kept = [found.get(rank, (NOBODY, 0)) for rank in range(10)]
    assert said.stdout.strip() == f"{compared} {[one for one, _ in kept]} {[common for _, common in kept]}"
    assert found == expected(sets, everyone, Fraction(4, 5), {})
