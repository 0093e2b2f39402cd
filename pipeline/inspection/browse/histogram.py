"""How many documents have which value of a decision."""

from typing import Any

from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.release import LAST, Opened

SAMPLE = 20_000  # documents that are looked at: the first by id, which is a random sample, since ids are hashes
BINS = 30
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
_ENDS = (
    "SELECT count(*) AS asked, quantile_disc(value, 0.005) AS first, quantile_disc(value, 0.995) AS final, "
    "count(*) FILTER (WHERE value < low OR value > high) AS failing, min(low) AS low, max(low) AS most_low, "
    "min(high) AS least_high, max(high) AS high FROM ({values})"
)
_COUNTS = (
    "SELECT least($bins - 1, greatest(0, (value - $first) // $width))::INTEGER AS bin, count(*) AS documents, "
    "count(*) FILTER (WHERE value < low OR value > high) AS failing FROM ({values}) GROUP BY bin ORDER BY bin"
)


def of_decision(engine: Engine, opened: Opened, name: str) -> dict[str, Any] | None:
    """The values of a decision over a sample of kept and dropped documents; of near duplicates, their similarities.

    `bins`: from, to (millionths), how many and how many of them fail. The lowest and highest 0.5 % stand in the first and last
    bin. `low`, `high`: the bounds, where all documents have the same. None where there are no values.
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
    values = " UNION ALL ".join(parts)
    ends = engine.rows(_ENDS.format(values=values), bound)[0]
    if not ends["asked"]:
        return None
    first, width = ends["first"], max(1, -(-(ends["final"] - ends["first"] + 1) // BINS))
    bound |= {"first": first, "width": width, "bins": BINS}
    counted = {row["bin"]: row for row in engine.rows(_COUNTS.format(values=values), bound)}
    bins = [
        {
            "from": first + number * width, "to": first + (number + 1) * width,
            "documents": counted[number]["documents"] if number in counted else 0,
            "failing": counted[number]["failing"] if number in counted else 0,
        }
        for number in range(BINS)
    ]  # fmt: skip
    return {
        "what": "similarity" if name == NEAR else "value", "asked": ends["asked"], "failing": ends["failing"],
        "sampled": rows > SAMPLE, "of": rows, "bins": bins, "low": _same(ends["low"], ends["most_low"]),
        "high": _same(ends["least_high"], ends["high"]),
    }  # fmt: skip


def _same(least: int | None, most: int | None) -> int | None:
    return least if least == most else None
