"""Preference order, exact copies, ranges of keys and what is compared, each against plain Python."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup import candidates
from pipeline.dedup.interface import BANDS, ORDER, PAIRS, SKETCH, WANTED
from pipeline.errors import TaskError
from tests.dedup.small_corpus import NEAR, quiet, table

Row = tuple[int, bytes, int]  # id, exact key, characters


def sketch(rows: Sequence[Row]) -> pa.Table:
    columns = [
        pa.array([number.to_bytes(16, "big") for number, _, _ in rows], pa.binary(16)),
        pa.array([key.ljust(32, b"\0") for _, key, _ in rows], pa.binary(32)),
        pa.array([characters for _, _, characters in rows], pa.int64()),
    ]
    return pa.table(columns, schema=SKETCH)


def write(path: Path, found: pa.Table, *more: pa.Table) -> Path:
    with pa.ipc.new_file(path, found.schema) as writer:
        for part in (found, *more):
            writer.write_table(part)
    return path


def bands(*of_band: dict[int, int]) -> list[pa.Table]:
    """One table a band, of the key of each row, in the order of the keys."""
    made = []
    for keys in of_band:
        rows = sorted(keys, key=lambda row: (keys[row], row))
        columns = [pa.array([keys[row] for row in rows], pa.uint64()), pa.array(rows, pa.uint32())]
        made.append(pa.table(columns, schema=BANDS))
    return made


def parameters(**changes: Any) -> dict[str, Any]:
    sources = [{"name": "first", "priority": 0}, {"name": "second", "priority": 0}]
    artifacts = [
        {"source": source, "sketch": key, "bands": f"{key}.bands", "wanted": f"wanted/{key}.arrow"}
        for key, source in (("x", "first"), ("y", "second"))
    ]
    near = {**NEAR, "bands": 2, "rows": 1}
    return {"sources": sources, "against": [], "artifacts": artifacts, "exact": True, "near": near, **changes}


numbers = st.one_of(st.integers(0, 9), st.integers(0, 2**128 - 1), st.integers(0, 9).map(lambda n: n << 64))
lengths = st.one_of(st.integers(0, 3), st.sampled_from([2**31, 2**32, 2**40, 2**40 + 1, 2**48 - 2]))


@given(st.lists(st.tuples(numbers, lengths, st.sampled_from([-(2**53), -1, 0, 7, 2**53])), unique_by=lambda r: r[0]))
def test_documents_are_preferred_by_priority_then_length_then_id(rows: list[tuple[int, int, int]]) -> None:
    documents = sketch([(number, b"", characters) for number, characters, _ in rows])
    order = candidates.preference(documents, np.array([priority for *_, priority in rows], np.int64))
    assert order.dtype == np.uint32
    assert order.tolist() == sorted(range(len(rows)), key=lambda k: (-rows[k][2], -rows[k][1], rows[k][0]))


def test_texts_of_2_to_the_48_characters_count_as_of_one_length() -> None:
    documents = sketch([(2, b"", 2**50), (1, b"", 2**49), (3, b"", 2**48 - 2)])
    assert candidates.preference(documents, np.zeros(3, np.int64)).tolist() == [1, 0, 2]


def test_more_documents_or_priorities_than_there_are_numbers_for_are_refused() -> None:
    with pytest.raises(ValueError, match="4,294,967,295 documents; a rank has 32 bits"):
        candidates.preference(SimpleNamespace(num_rows=2**32 - 1), np.zeros(0, np.int64))  # type: ignore[arg-type]
    count = 1 << 16
    documents = pa.table([pa.array([bytes(16)] * count, pa.binary(16)), [bytes(32)] * count, [1] * count], SKETCH.names)
    with pytest.raises(ValueError, match="65536 different priorities; at most 65535"):
        candidates.preference(documents, np.arange(count))


# Keys of which the first 8 bytes are alike, and such as differ in the last bytes only, zeros among them.
keys = st.builds(
    lambda head, middle, tail: head * 8 + middle * 23 + tail, *[st.sampled_from([b"\0", b"a", b"\xff"])] * 3
)


@given(st.lists(keys, max_size=25), st.data())
def test_the_first_of_the_copies_is_that_of_the_lowest_rank(found: list[bytes], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(found))))
    column = sketch([(0, key, 0) for key in found]).column("exact")
    cut = data.draw(st.integers(0, len(found)))
    chunked = pa.chunked_array([column.chunk(0)[:cut], column.chunk(0)[cut:]]) if found else column
    ranked = [found[place] for place in order]
    first = candidates.exact_copies(chunked, np.array(order, np.uint32), True)
    assert first.dtype == np.uint32
    assert first.tolist() == [ranked.index(key) for key in ranked]
    own = candidates.exact_copies(chunked, np.array(order, np.uint32), False)
    assert own.tolist() == list(range(len(found)))


def test_a_hundred_thousand_copies_are_all_copies_of_the_first() -> None:
    count = 100_000
    column = pa.chunked_array([pa.array([hashlib.sha256(b"x").digest()] * count, pa.binary(32))])
    assert not candidates.exact_copies(column, np.arange(count, dtype=np.uint32)[::-1].copy(), True).any()


EDGES = [0, 1, 2**62, 2**63 - 1, 2**63, 2**64 // 3, 2**64 // 3 + 1, 2**64 - 1]
some_keys = st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1)), max_size=12).map(sorted)


@given(st.lists(some_keys, max_size=4), st.integers(1, 6))
def test_ranges_hold_every_key_once_in_ascending_ranges_and_equal_keys_together(
    runs: list[list[int]], rows: int
) -> None:
    starts = [1000 * k for k in range(len(runs))]
    given_runs = [
        (start, np.array(found, np.uint64), np.arange(len(found), dtype=np.uint32))
        for start, found in zip(starts, runs, strict=True)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "RANGE_ROWS", rows)
        ranges = [list(zip(*map(np.ndarray.tolist, pair), strict=True)) for pair in candidates._ranges(given_runs)]
    entries = [(key, start + k) for start, found in zip(starts, runs, strict=True) for k, key in enumerate(found)]
    assert sorted(entry for part in ranges for entry in part) == sorted(entries)
    filled = [part for part in ranges if part]
    assert all(max(one)[0] < min(other)[0] for one, other in pairwise(filled))
    assert len(ranges) == max(1, -(-len(entries) // rows))


def test_keys_that_are_hashes_fill_no_range_much_above_its_bound() -> None:
    draw = np.random.default_rng(5)
    runs = [(0, np.sort(draw.integers(0, 2**64 - 1, 3000, np.uint64)), np.arange(3000, dtype=np.uint32))] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "RANGE_ROWS", 500)
        sizes = [len(found) for found, _ in candidates._ranges(runs)]
    assert len(sizes) == 24
    assert max(sizes) < 800


def test_pairs_and_documents_to_compare_are_those_of_equal_keys_and_their_copies(tmp_path: Path) -> None:
    """Ranks: second/8, second/9, first/1, first/2, first/3 (a copy of first/1), second/7 (of first/2), first/4, first/5."""
    x = sketch([(3, b"P", 7), (2, b"Q", 8), (5, b"S", 1), (1, b"P", 9), (4, b"R", 2)])
    y = sketch([(9, b"U", 10), (7, b"Q", 3), (8, b"T", 11)])
    one, other = bands({0: 50, 1: 60, 3: 70, 4: 70, 2: 99}, {0: 1, 1: 1, 2: 99, 3: 2, 4: 1})
    files = {
        "x": write(tmp_path / "x", x), "x.bands": write(tmp_path / "x.bands", one, other), "y": write(tmp_path / "y", y),
        "y.bands": write(tmp_path / "y.bands", *bands({0: 70, 2: 8}, {0: 2**64 - 1, 2: 7}), *bands({1: 60}, {1: 3})),
    }  # fmt: skip
    result = candidates.run(parameters(), files, tmp_path, quiet)
    order = table(tmp_path / "order.arrow")
    assert order.schema == ORDER
    assert order.column("document").to_pylist() == [7, 5, 3, 1, 0, 6, 4, 2]
    assert order.column("exact").to_pylist() == [0, 1, 2, 3, 2, 3, 6, 7]
    with pa.ipc.open_file(tmp_path / "pairs.arrow") as reader:
        assert reader.schema == PAIRS
        batches = [reader.get_batch(k).column("pair").to_pylist() for k in range(reader.num_record_batches)]
    assert batches == [[2 << 32 | 1, 6 << 32 | 1, 6 << 32 | 2], [6 << 32 | 3]]  # copies are paired with nobody
    wanted = {key: table(tmp_path / "wanted" / f"{key}.arrow") for key in "xy"}
    assert all(found.schema == WANTED for found in wanted.values())
    assert wanted["x"].column("row").to_pylist() == [0, 1, 3, 4]  # row 0 is a copy of row 3
    assert wanted["y"].column("row").to_pylist() == [0, 1]
    assert result == {"documents": 8, "pairs": 4, "wanted": 6, "skipped": {"first": 0, "second": 0}}


def test_an_artifact_of_which_nothing_is_compared_gets_no_list_and_one_without_band_keys_is_ordered_too(
    tmp_path: Path,
) -> None:
    files = {
        "x": write(tmp_path / "x", sketch([(1, b"P", 7), (2, b"Q", 7)])),
        "x.bands": write(tmp_path / "x.bands", *bands({0: 5, 1: 6}, {0: 5, 1: 6})),
        "y": write(tmp_path / "y", sketch([(9, b"P", 9)])),
    }
    listed = parameters()["artifacts"]
    artifacts = [listed[0], {**listed[1], "bands": None}]
    candidates.run(parameters(artifacts=artifacts), files, tmp_path, quiet)
    assert table(tmp_path / "order.arrow").to_pydict() == {"document": [2, 0, 1], "exact": [0, 0, 2]}
    assert not (tmp_path / "wanted").exists()


def test_a_recipe_that_keeps_near_duplicates_makes_an_order_and_no_pairs(tmp_path: Path) -> None:
    files = {key: write(tmp_path / key, sketch([(at, b"", 1)])) for at, key in enumerate("xy")}
    result = candidates.run(parameters(near=None), files, tmp_path, quiet)
    assert {path.name for path in tmp_path.iterdir()} == {"x", "y", "order.arrow"}
    assert result == {"documents": 2, "pairs": 0, "wanted": 0, "skipped": {"first": 0, "second": 0}}


@pytest.mark.parametrize("number", [2, 2**63, 2**64, 2**127 + 5])
def test_two_sources_that_read_the_same_record_are_refused(tmp_path: Path, number: int) -> None:
    others = [(number ^ 1 << bit, b"", 1) for bit in (0, 63, 64, 127)]
    files = {
        "x": write(tmp_path / "x", sketch([*others[:2], (number, b"A", 1)])),
        "y": write(tmp_path / "y", sketch([(number, b"B", 1)])),
    }
    with pytest.raises(TaskError, match="the sources first and second read the same record") as caught:
        candidates.run(parameters(near=None), files, tmp_path, quiet)
    assert f"{number:032x}" in str(caught.value)


def test_records_whose_ids_are_alike_in_one_half_only_are_different_records(tmp_path: Path) -> None:
    rows = [(7 << 64 | k, b"", 1) for k in range(3)] + [(k << 64 | 7, b"", 1) for k in range(3)]
    files = {"x": write(tmp_path / "x", sketch(rows[:2])), "y": write(tmp_path / "y", sketch(rows[2:]))}
    assert candidates.run(parameters(near=None), files, tmp_path, quiet)["documents"] == 6


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    files = {"x": write(tmp_path / "x", sketch([]).rename_columns(["id", "exact", "letters"]))}
    with pytest.raises(ValueError, match=r"x has columns \['id', 'exact', 'letters'\], wanted \['id', 'exact', 'char"):
        candidates.run(parameters(artifacts=parameters()["artifacts"][:1]), files, tmp_path, quiet)
