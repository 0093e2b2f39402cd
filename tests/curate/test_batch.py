"""From checks to rows: lists of decisions, first failures, and the two tables."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import batch
from pipeline.curate.checks import Check
from pipeline.kernels import features

cells = st.tuples(st.integers(-3, 3), st.booleans(), st.sampled_from(["a", "b", "c"]))
bounds = st.tuples(st.none() | st.integers(-2, 2), st.none() | st.integers(-2, 2), st.booleans())


def columns(count: int) -> dict[str, Any]:
    text = [f"text {n}" for n in range(count)]
    known = {name: ["x"] * count for name in ("source", "purl", "artifact_sha256", "record_sha256", "url", "charset")}
    numbers = {name: [1] * count for name in ("record", "record_bytes", "text_bytes", "language_score")}
    measures = [pa.array([n] * count, pa.int64()) for n in range(len(features.FEATURES))]
    return {
        **known, **numbers, "id": [f"{n:032x}" for n in range(count)], "text": text, "text_sha256": text,
        "exact_sha256": text, "language": ["en"] * count, "edits": [[]] * count, "title": [None] * count,
        "measures": pa.StructArray.from_arrays(measures, fields=list(batch.MEASURES)),
    }  # fmt: skip


@given(st.integers(0, 6).flatmap(lambda n: st.tuples(
    st.just(n), st.lists(st.tuples(bounds, st.lists(cells, min_size=n, max_size=n)), max_size=5))))  # fmt: skip
def test_rows_are_those_that_a_loop_over_documents_and_checks_gives(drawn: Any) -> None:
    count, rows = drawn
    checks = []
    for number, ((low, high, named), column) in enumerate(rows):
        values = np.array([value for value, _, _ in column], np.int64)
        asked = np.array([there for _, there, _ in column], np.bool_)
        reasons = np.array([*(f"own/{name}" for _, _, name in column), None], object)[:-1] if named else None
        checks.append(Check(f"r{number}", values, low, high, asked, reasons))
    judged = batch._verdicts(columns(count), checks, count)
    found = {row["id"]: row for row in [*judged.survivors.to_pylist(), *judged.dropped.to_pylist()]}
    assert len(found) == count
    for row in range(count):
        asked_of = [check for check in checks if check.asked()[row]]
        wanted = [
            {"reason": check.reason_of(row), "value": int(check.values[row]), "low": check.low, "high": check.high}
            for check in asked_of
        ]
        seen = found[f"{row:032x}"]
        assert seen["decisions"] == wanted
        failing = [one for one, check in zip(wanted, asked_of, strict=True) if check.fails()[row]]
        if failing:
            assert seen["failed"] == [one["reason"] for one in failing]
            assert {key: seen[key] for key in failing[0]} == failing[0]
            assert seen["stage"] == "judge"
        else:
            assert seen["text"] == f"text {row}"
    assert sum(judged.reasons.values()) == judged.dropped.num_rows


def test_documents_that_are_marked_leave_survivors_and_dropped_ones_alike() -> None:
    values = np.arange(6)
    judged = batch._verdicts(
        columns(6), [Check("odd", values % 2, None, 0, None), Check("big", values, None, 4, None)], 6
    )
    assert judged.reasons == {"odd": 3}
    left, marked = batch.parted(
        judged, lambda rows: np.array([int(row, 16) < 2 for row in rows.column("id").to_pylist()])
    )
    assert [int(row, 16) for part in marked for row in part.column("id").to_pylist()] == [0, 1]
    assert [int(row, 16) for row in left.survivors.column("id").to_pylist()] == [2, 4]
    assert [int(row, 16) for row in left.dropped.column("id").to_pylist()] == [3, 5]
    assert left.reasons == {"odd": 2}
    same, none = batch.parted(judged, lambda rows: np.zeros(len(rows), np.bool_))
    assert (same is judged, none) == (True, [])
