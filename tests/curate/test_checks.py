"""Checks: integers that decide as the exact ratios of the counts would."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.curate import checks
from pipeline.release.schemas import MILLION

BOUNDS = [0.01, 0.1, 0.12, 0.16, 0.2, 0.3, 0.67, 0.8, 0.9, 3, 10]


@given(st.integers(1, 10**8), st.sampled_from(BOUNDS), st.data())
@example(10**7, 0.2, None)
def test_a_ratio_is_outside_its_bound_exactly_where_the_counts_are(
    whole: int, bound: float, data: st.DataObject
) -> None:
    at = Fraction(str(bound))
    near = [int(whole * at) + step for step in (-1, 0, 1)]
    part = near[2] if data is None else data.draw(st.sampled_from([*near, 0, whole, whole // 3]))
    part = max(part, 0)
    exact = Fraction(part, whole)
    (high,) = checks.at_most("r", np.array([part]), np.array([whole]), bound)
    (low,) = checks.at_least("r", np.array([part]), np.array([whole]), bound)
    assert bool(high.fails()[0]) == (exact > at)
    assert bool(low.fails()[0]) == (exact < at)
    assert abs(Fraction(int(high.values[0]), MILLION) - exact) < Fraction(1, MILLION)
    assert abs(Fraction(int(low.values[0]), MILLION) - exact) < Fraction(1, MILLION)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from(BOUNDS))
def test_a_ratio_decides_as_floats_do_in_the_reference(part: int, whole: int, bound: float) -> None:
    (high,) = checks.at_most("r", np.array([part]), np.array([whole]), bound)
    (low,) = checks.at_least("r", np.array([part]), np.array([whole]), bound)
    assert bool(high.fails()[0]) == (part / whole > bound)
    assert bool(low.fails()[0]) == (part / whole < bound)


def test_a_ratio_of_nothing_is_zero() -> None:
    (check,) = checks.at_most("r", np.array([0, 5]), np.array([0, 0]), 0.5)
    assert check.values.tolist() == [0, 0]


def test_a_bound_that_is_none_asks_nothing() -> None:
    assert checks.at_most("r", np.array([1]), 1, None) == checks.at_least("r", np.array([1]), 1, None) == []


def test_a_value_on_its_bound_is_inside() -> None:
    check = checks.Check("r", np.array([4, 5, 6, 7]), low=5, high=6)
    assert check.fails().tolist() == [True, False, False, True]


def test_who_was_not_asked_cannot_fail() -> None:
    check = checks.Check("r", np.array([9, 9]), high=1).only(np.array([True, False])).only(np.array([True, True]))
    assert check.fails().tolist() == [True, False]
    assert check.asked().tolist() == [True, False]


@pytest.mark.parametrize(("value", "wanted"), [(0.1, 100_000), (1e-7, 0), (2.5e-6, 2), (3.5e-6, 4), (10, 10_000_000)])
def test_bounds_of_a_recipe_are_millionths_rounded_half_to_even(value: float, wanted: int) -> None:
    assert checks.millionths(value) == wanted
