"""How many documents have which value of a decision."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.release import LAST, Opened

SAMPLE = 20_000  # documents that are looked at: the first by id, which is a random sample, since ids are hashes
BINS = 30  # about
SKEWED = 20  # where the largest value is so many times the middle one, bins grow with the value
NEAR = "near_duplicate"  # has a similarity, and no decision
_MILLION = 1_000_000
_DECISION = (
    "SELECT one.value AS value, one.low AS low, one.high AS high FROM (SELECT unnest(list_filter(decisions, "
    "lambda one: one.reason = $name)) AS one FROM read_parquet({files}) WHERE id <= $last)"
)
_SIMILARITY = (
    "SELECT similarity AS value, $threshold::BIGINT AS low, NULL::BIGINT AS high FROM read_parquet({files}) "
    "WHERE id <= $last AND reason = $name"
)


def of_decision(engine: Engine, opened: Opened, name: str) -> dict[str, Any] | None:
    """The values of a decision over a sample of kept and dropped documents; of near duplicates, their similarities.

    `edges`: n + 1 values (millionths), between which the n `bins` lie: how many documents, and how many of them fail. `low`,
    `high`: the bounds, where all documents have the same. None where there are no values.
    """
    rows = opened.rows("kept") + opened.rows("dropped")
    last = f"{LAST if rows <= SAMPLE else LAST * SAMPLE // rows:032x}"
    bound: dict[str, Any] = {"last": last, "name": name}
    parts = []
    for kind in ("dropped",) if name == NEAR else ("kept", "dropped"):
        if files := opened.paths(opened.between(kind, "0" * 32, last)):
            bound[kind] = files
            parts.append((_SIMILARITY if name == NEAR else _DECISION).format(files=f"${kind}"))
    if not parts:
        return None
    if name == NEAR:
        near = opened.manifest["recipe"]["dedup"].get("near") or {}
        bound["threshold"] = round(near["threshold"] * _MILLION) if "threshold" in near else None
    asked = engine.rows(" UNION ALL ".join(parts), bound)
    if not asked:
        return None
    values = sorted(row["value"] for row in asked)
    limits = edges(values)
    bins = [{"documents": 0, "failing": 0} for _ in limits[1:]]
    failing = 0
    for row in asked:
        place = min(max(bisect_right(limits, row["value"]) - 1, 0), len(bins) - 1)
        bins[place]["documents"] += 1
        if _fails(row):
            bins[place]["failing"] += 1
            failing += 1
    return {
        "what": "similarity" if name == NEAR else "value", "asked": len(asked), "failing": failing,
        "sampled": rows > SAMPLE, "of": rows, "edges": limits, "bins": bins,
        "low": _same(row["low"] for row in asked), "high": _same(row["high"] for row in asked),
    }  # fmt: skip


def edges(values: Sequence[int]) -> list[int]:
    """Round numbers, some BINS of them, that enclose sorted values but for the lowest and highest 0.5 %: equal steps, or equal
    ratios where few values are far above the others."""
    first, final = values[len(values) // 200], values[-1 - len(values) // 200]
    middle = values[len(values) // 2]
    if first > 0 and final > SKEWED * max(1, middle):
        ratio = math.log(final / first) / BINS
        return sorted(
            {_round(first * math.exp(ratio * number)) for number in range(BINS)} | {_round(final) + _unit(final)}
        )
    if first <= 0 < middle and final > SKEWED * middle:
        return sorted({first, 0, *edges([value for value in values if value > 0])})
    step = _step((final - first) / BINS)
    start = first // step * step
    return [start + step * number for number in range((final - start) // step + 2)]


def place(limits: Sequence[int], value: int) -> float | None:
    """Where a value lies among the edges, from 0 to their number less one; None outside."""
    if not limits[0] <= value <= limits[-1]:
        return None
    number = min(bisect_right(limits, value), len(limits) - 1)
    return number - 1 + (value - limits[number - 1]) / (limits[number] - limits[number - 1])


def _step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, ... millionths that is no smaller."""
    power = int(10 ** math.floor(math.log10(least))) if least >= 1 else 1
    return next(power * one for one in (1, 2, 5, 10) if power * one >= least)


def _round(value: float) -> int:
    """Down to two digits."""
    return int(value / _unit(value)) * _unit(value)


def _unit(value: float) -> int:
    """What the second digit counts; 1 at least."""
    return int(10 ** max(0, math.floor(math.log10(max(1.0, value))) - 1))


def _fails(row: dict[str, Any]) -> bool:
    return (row["low"] is not None and row["value"] < row["low"]) or (
        row["high"] is not None and row["value"] > row["high"]
    )


def _same(bounds: Any) -> int | None:
    found = set(bounds)
    return found.pop() if len(found) == 1 else None
