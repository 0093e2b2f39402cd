"""The choice among exact duplicates, against a quadratic oracle."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup import exact
from pipeline.dedup.interface import SKETCH
from pipeline.errors import TaskError

document = st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3))  # key, source, characters


def table(documents: list[tuple[int, int, int]], priorities: tuple[int, ...] = (0, 5, 0)) -> pa.Table:
    return pa.table(
        {
            "id": pa.array([number.to_bytes(16, "big") for number in range(len(documents))], pa.binary(16)),
            "exact": pa.array([bytes([key]) * 32 for key, _, _ in documents], pa.binary(32)),
            "characters": pa.array([characters for _, _, characters in documents], pa.int64()),
            "source": pa.array([source for _, source, _ in documents], pa.int32()),
            "priority": pa.array([priorities[source] for _, source, _ in documents], pa.int64()),
        }
    )


@given(st.lists(document, max_size=30), st.randoms())
def test_one_of_each_set_is_kept_by_priority_then_length_then_id(documents: list, random) -> None:
    priorities = (0, 5, 0)
    best: dict[int, tuple] = {}
    for number, (key, source, characters) in enumerate(documents):
        rank = (-priorities[source], -characters, number)
        best[key] = min(best.get(key, rank), rank)
    expected = {
        number: best[key][2] for number, (key, source, characters) in enumerate(documents) if best[key][2] != number
    }
    rows = table(documents)
    order = list(range(len(documents)))
    random.shuffle(order)
    losers = exact.choose(rows.take(pa.array(order, pa.int64())))
    seen = {
        int.from_bytes(row["id"], "big"): (int.from_bytes(row["kept"], "big"), row["kept_source"])
        for row in losers.to_pylist()
    }
    assert seen == {loser: (winner, documents[winner][1]) for loser, winner in expected.items()}


def sketch(path: Path, keys: list[int], first_id: int) -> Path:
    rows = pa.table(
        [
            pa.array([(first_id + n).to_bytes(16, "big") for n in range(len(keys))], pa.binary(16)),
            pa.array([bytes([key]) * 32 for key in keys], pa.binary(32)),
            pa.array([10] * len(keys), pa.int64()),
        ],
        schema=SKETCH,
    )
    with pa.ipc.new_file(path, SKETCH) as writer:
        writer.write_table(rows)
    return path


def parameters(alarm: float) -> dict:
    sources = [{"name": name, "priority": 0, "alarm": alarm} for name in ("first", "second")]
    return {"exact": True, "sources": sources, "sketches": {"a": "first", "b": "second"}}


def test_losers_of_each_source_name_the_kept_document_and_its_source(tmp_path: Path) -> None:
    files = {"a": sketch(tmp_path / "a", [1, 2], 1), "b": sketch(tmp_path / "b", [2, 3], 8)}
    result = exact.run(parameters(1.0), files, tmp_path, lambda *_: None)
    assert result == {"documents": 4, "dropped": {"first": 0, "second": 1}}
    with pa.ipc.open_file(tmp_path / "second.arrow") as reader:
        row = reader.read_all().to_pylist()
    assert row == [
        {
            "id": f"{8:032x}", "reason": "exact_duplicate", "kept_id": f"{2:032x}", "kept_source": "first",
            "similarity": 1_000_000,
        }
    ]  # fmt: skip


def test_a_source_that_loses_more_than_its_alarm_stops_the_build(tmp_path: Path) -> None:
    files = {"a": sketch(tmp_path / "a", [1, 2], 1), "b": sketch(tmp_path / "b", [2, 3], 8)}
    with pytest.raises(TaskError, match=r"second: 1 of 2 documents \(50.0%, alarm at 49.0%\)"):
        exact.run(parameters(0.49), files, tmp_path, lambda *_: None)


def test_a_recipe_can_keep_exact_duplicates(tmp_path: Path) -> None:
    files = {"a": sketch(tmp_path / "a", [1, 2], 1), "b": sketch(tmp_path / "b", [2, 3], 8)}
    result = exact.run({**parameters(0.1), "exact": False}, files, tmp_path, lambda *_: None)
    assert result["dropped"] == {"first": 0, "second": 0}


def test_two_sources_that_read_the_same_record_are_refused(tmp_path: Path) -> None:
    files = {"a": sketch(tmp_path / "a", [1, 2], 1), "b": sketch(tmp_path / "b", [3], 2)}
    with pytest.raises(TaskError, match="the sources first and second read the same record"):
        exact.run(parameters(1.0), files, tmp_path, lambda *_: None)


def test_a_corpus_without_survivors_has_no_losers(tmp_path: Path) -> None:
    result = exact.run({**parameters(0.5), "sketches": {}}, {}, tmp_path, lambda *_: None)
    assert result == {"documents": 0, "dropped": {"first": 0, "second": 0}}
