"""How many documents have which value of a decision."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from pipeline.inspection import scales
from pipeline.inspection.browse import documents
from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.release import LAST, Opened

SAMPLE = 20_000  # documents that are looked at: the first by id, which is a random sample, since ids are hashes
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

    `bounds`: each pair that documents were judged by, the most frequent first. `edges`: n + 1 values (millionths), between
    which the n `bins` lie: how many documents, and how many of them fail; with `beyond` and `whole` they are a `scales.Scale`,
    as in the report. None where there are no values.
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
    bounds = Counter((row["low"], row["high"]) for row in asked if (row["low"], row["high"]) != (None, None))
    ordered = sorted(bounds, key=lambda pair: (-bounds[pair], str(pair)))
    cells = scales.cells(np.array([row["value"] for row in asked], np.int64)).tolist()
    failed = [cell for cell, row in zip(cells, asked, strict=True) if not documents.holds(row)]
    counted = Counter(cells)
    scale = scales.scale(counted, [one for pair in bounds for one in pair if one is not None])
    pairs = zip(scale.gather(counted), scale.gather(Counter(failed)), strict=True)
    return {
        "what": "similarity" if name == NEAR else "value", "asked": len(asked), "failing": len(failed),
        "sampled": rows > SAMPLE, "of": rows, **asdict(scale),
        "bounds": [{"low": low, "high": high, "documents": bounds[low, high]} for low, high in ordered],
        "bins": [{"documents": number, "failing": failing} for number, failing in pairs],
    }  # fmt: skip
