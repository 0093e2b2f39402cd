"""Ours: kernels on the Arrow array as Parquet gives it."""

from functools import cache
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate import edits, language, rules
from pipeline.curate.checks import Columns
from pipeline.kernels import c4, exact, features
from pipeline.recipe_rules import C4Rule, FinewebRule, GopherQualityRule, GopherRepetitionRule, LanguageRule, Rule

CHARACTERS = 1000
GOPHER = ((GopherQualityRule, "gopher_quality"), (GopherRepetitionRule, "gopher_repetition"), (FinewebRule, "fineweb"))


@cache
def listed(chain: bool) -> list[dict[str, Any]]:
    """The rules with their reference thresholds: the chain in datatrove's order, or those of the features alone."""
    models: list[tuple[type[Rule], dict[str, Any]]] = [(kind, {"rule": name}) for kind, name in GOPHER]
    if chain:
        models = [(LanguageRule, {"rule": "language", "allow": ["en"], "min_score": 0.65}), models[1], models[0],
                  (C4Rule, {"rule": "c4"}), models[2]]  # fmt: skip
    return [kind.model_validate(values).model_dump(mode="json") for kind, values in models]


def judge(texts: Any, model: Path | None) -> int:
    """Survivors of the rules: edit, measure, decide; all but provenance and the writing of `curate.batch`."""
    count = len(texts)
    labels, scores = np.full(count, "en", object), np.zeros(count, np.int64)
    if model is not None:
        labels, scores = language.identify(texts, model, CHARACTERS)
    urls, ids = np.full(count, "", object), [""] * count
    edited = edits.apply(edits.Batch(texts, ids, urls, labels), listed(model is not None))
    measured = features.measure(edited.texts)
    counts = {name: measured.column(name).to_numpy() for name in features.FEATURES}
    fails = np.zeros(count, np.bool_)
    for check in rules.judge(Columns(counts, labels, scores, urls, edited.outcomes), listed(model is not None)):
        fails |= check.fails()
    return int((~fails).sum())


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts, model = measure.read(job["documents"]), Path(job["model"])
    run = {
        "features": lambda: features.measure(texts),
        "features_judged": lambda: judge(texts, None),
        "c4": lambda: c4.edit(texts, c4.C4()),
        "language": lambda: language.identify(texts, model, CHARACTERS),
        "chain": lambda: judge(texts, model),
        "exact": lambda: exact.keys(texts),
    }[work]
    small = texts[: measure.WARM_DOCUMENTS]
    facts = {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}
    if work == "chain":
        facts["survivors"] = judge(texts, model)
    warm = run if facts["bytes"] < 50e6 else lambda: (features.measure(small), c4.edit(small, c4.C4()), None)
    return warm, run, facts


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("numba", "numpy", "pyarrow"))
