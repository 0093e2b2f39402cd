"""The radix sort against numpy's stable sort."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import radix

WHOLE = 2**64 - 1
few = st.sampled_from([0, 1, 1023, 1024, 1 << 60, WHOLE - 1, WHOLE])  # many ties, and digits that all have alike
numbers = st.one_of(few, st.integers(0, 3000), st.integers(0, WHOLE))


def check(keys: np.ndarray, values: np.ndarray) -> None:
    """Both ways: at once, and parted first as large arrays are."""
    before = keys.copy(), values.copy()
    order = np.argsort(keys, kind="stable")
    for large in (1 << 20, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(radix, "_LARGE", large)
            found = radix.sort(keys, values)
        assert [array.dtype for array in found] == [np.uint64, np.uint32]
        assert np.array_equal(found[0], keys[order])
        assert np.array_equal(found[1], values[order])
        assert np.array_equal(keys, before[0])
        assert np.array_equal(values, before[1])
        assert not any(np.shares_memory(one, other) for one in found for other in (keys, values))


@given(st.lists(numbers, max_size=60))
def test_keys_are_sorted_and_equal_ones_keep_their_order(keys: list[int]) -> None:
    check(np.array(keys, np.uint64), np.arange(len(keys), dtype=np.uint32))


@given(st.lists(few, max_size=30), st.data())
def test_values_may_repeat_and_are_anything(keys: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=len(keys), max_size=len(keys)))
    check(np.array(keys, np.uint64), np.array(values, np.uint32))


@pytest.mark.parametrize("bit", range(64))
def test_a_single_bit_that_differs_sorts(bit: int) -> None:
    keys = np.array([1 << bit, 0, 1 << bit, 0, 0], np.uint64)
    check(keys, np.arange(5, dtype=np.uint32))
    check(np.uint64(WHOLE) ^ keys, np.arange(5, dtype=np.uint32))


def test_many_hashes_are_sorted() -> None:
    draw = np.random.default_rng(7)
    keys = draw.integers(0, WHOLE, 100_000, np.uint64, endpoint=True)
    check(keys, draw.integers(0, 2**32, 100_000, np.uint32))
    check(keys % np.uint64(999), np.arange(100_000, dtype=np.uint32))
    check(keys % np.uint64(999) << np.uint64(20) | np.uint64(1 << 63), np.arange(100_000, dtype=np.uint32))


def test_an_array_as_large_as_is_parted_is_sorted() -> None:
    keys = np.random.default_rng(8).integers(0, 1 << 30, (1 << 20) + 1, np.uint64)
    check(keys, np.arange(len(keys), dtype=np.uint32))


@pytest.mark.parametrize("key", [0, 5, 1 << 40, WHOLE])
@pytest.mark.parametrize("count", [0, 1, 2, 3000])
def test_keys_that_are_all_alike_stay_as_they_are(key: int, count: int) -> None:
    check(np.full(count, key, np.uint64), np.arange(count, dtype=np.uint32)[::-1])


def test_arrays_that_are_read_only_strided_or_turned_round_are_taken_as_others_are() -> None:
    draw = np.random.default_rng(1)
    keys, values = draw.integers(0, 50, (400, 3), np.uint64), draw.integers(0, 9, 800, np.uint32)
    keys.flags.writeable = values.flags.writeable = False
    for own, theirs in ((keys[:, 1], values[::2]), (keys[::-1, 2], values[::-2]), (keys[:, 0][::-3], values[:134])):
        check(own, theirs)


@pytest.mark.parametrize(("key", "value"), [("int64", "uint32"), (">u8", "uint32"), ("uint64", "int64")])
def test_arrays_of_another_kind_are_refused(key: str, value: str) -> None:
    with pytest.raises(TypeError, match="wanted uint64 and uint32"):
        radix.sort(np.zeros(2, key), np.zeros(2, value))


@pytest.mark.parametrize(("keys", "values"), [((2,), (3,)), ((0,), (1,)), ((2, 2), (2, 2)), ((), ())])
def test_arrays_of_another_shape_are_refused(keys: tuple, values: tuple) -> None:
    with pytest.raises(ValueError, match="wanted one length"):
        radix.sort(np.zeros(keys, np.uint64), np.zeros(values, np.uint32))


SCRIPT = """
import hashlib, numpy
from pipeline.kernels import radix
draw = numpy.random.default_rng(3)
found = radix.sort(draw.integers(0, 2**64 - 1, 5000, numpy.uint64) >> 20, numpy.arange(5000, dtype=numpy.uint32))
print(hashlib.sha256(b"".join(array.tobytes() for array in found)).hexdigest())
"""


def test_a_plain_processor_gives_the_same_order() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "NUMBA_CPU_NAME": "generic"}
    environment["NUMBA_CPU_FEATURES"] = ""
    said = [
        subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True, text=True).stdout
        for env in ({**os.environ, "PYTHONPATH": environment["PYTHONPATH"]}, environment)
    ]
    assert said[0] == said[1]
    assert len(said[0]) == 65
