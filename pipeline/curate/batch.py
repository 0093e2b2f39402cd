"""A batch of documents on its way through curation: edited, measured, judged; columns in, columns out, no row objects."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate import edits, language, rules
from pipeline.curate.checks import Check, Columns
from pipeline.curate.repeated_lines import Removed
from pipeline.kernels import exact, features
from pipeline.release import schemas

KEPT = schemas.work_kept(features.FEATURES)
DROPPED = schemas.work_dropped(features.FEATURES)
SURVIVORS = pa.schema([*KEPT, *(schemas.DATA.field(name) for name in ("text", "title"))])
MEASURES = schemas.measures(features.FEATURES)


@dataclass(frozen=True, slots=True)
class Judged:
    """`survivors` (schema SURVIVORS) and `dropped` (schema DROPPED), with the reasons of the latter."""

    survivors: pa.RecordBatch
    dropped: pa.RecordBatch
    reasons: Counter[str]


def judge(
    origin: Mapping[str, Any], texts: Sequence[str], listed: Sequence[Mapping[str, Any]], model: Path, characters: int,
    remove: Callable[[Any], Removed] | None = None,
) -> Judged:  # fmt: skip
    """Judge n documents. `origin`: their columns that are known already, by name; `listed`: the recipe's rules.

    `model`, `characters`: the language model and how much of each text it reads. `remove`: takes from the texts, a
    LargeStringArray, what repeats in the source.
    """
    extracted = pa.array(texts, pa.large_string())
    removed = None if remove is None else remove(extracted)
    read, made = (extracted, []) if removed is None else (removed.texts, removed.edits)
    labels, scores = language.identify(read, model, characters)
    urls = np.array([*origin["url"], None], object)[:-1]
    edited = edits.apply(edits.Batch(read, origin["id"], urls, labels, made), listed)
    measured = features.measure(edited.texts)
    counts = {name: measured.column(name).to_numpy() for name in features.FEATURES}
    checks = [] if removed is None else [removed.check]
    checks += rules.judge(Columns(counts, labels, scores, urls, edited.outcomes), listed)
    columns = {
        **origin,
        "text": edited.texts.cast(pa.string()),
        "text_sha256": exact.sha256s(edited.texts),
        "text_bytes": pc.binary_length(edited.texts),
        "exact_sha256": [key.as_py().hex() for key in exact.keys(edited.texts)],
        "language": labels,
        "language_score": scores,
        "edits": list(edited.edits),
        "measures": pa.StructArray.from_arrays(measured.columns, fields=list(MEASURES)),
    }
    return _verdicts(columns, checks, len(texts))


def parted(
    judged: Judged, named: Callable[[pa.RecordBatch], npt.NDArray[np.bool_]]
) -> tuple[Judged, list[pa.RecordBatch]]:
    """`judged` without the documents that `named` marks, in a batch of survivors or dropped ones, and these."""
    marks = [pa.array(named(batch)) for batch in (judged.survivors, judged.dropped)]
    if not any(pc.any(mark).as_py() for mark in marks):
        return judged, []
    batches = list(zip((judged.survivors, judged.dropped), marks, strict=True))
    survivors, dropped = (batch.filter(pc.invert(mark)) for batch, mark in batches)
    left = Judged(survivors, dropped, Counter(dropped.column("reason").to_pylist()))
    return left, [batch.filter(mark) for batch, mark in batches]


def _verdicts(columns: dict[str, Any], checks: Sequence[Check], count: int) -> Judged:
    """Survivors and dropped rows, from the documents' columns and the checks of all rules."""
    names, which = _reasons(checks, count)
    asked, fails = _matrix([check.asked() for check in checks], count), _matrix([c.fails() for c in checks], count)
    values = _matrix([check.values for check in checks], count, np.int64)
    bounds = {
        side: pa.array([getattr(check, side) for check in checks], pa.int64()) for side in ("low", "high")
    }  # of each check, None where open
    columns["decisions"] = _lists(asked, pa.StructArray.from_arrays(
        [names.take(pa.array(which[asked])), pa.array(values[asked]),
         *(bounds[side].take(pa.array(np.nonzero(asked)[1])) for side in ("low", "high"))],
        fields=list(schemas.DECISION),
    ), schemas.DECISIONS)  # fmt: skip
    lost = fails.any(axis=1)
    dropped = np.flatnonzero(lost)
    # The first check that failed is the reason. A recipe may have no rules, so no checks.
    first = fails[dropped].argmax(axis=1) if checks else dropped
    survivors = _batch(columns, SURVIVORS, count).filter(pa.array(~lost))
    columns["failed"] = _lists(fails, names.take(pa.array(which[fails])), schemas.REASONS)
    ledger = {
        "stage": ["judge"] * len(dropped),
        "reason": names.take(pa.array(which[dropped, first])),
        "value": values[dropped, first],
        **{side: array.take(pa.array(first)) for side, array in bounds.items()},
    }
    known = pa.schema([field for field in DROPPED if field.name in columns])
    rows = _batch(columns, known, count).take(pa.array(dropped))
    ledger |= {name: rows.column(name) for name in known.names}
    made = _batch(ledger, DROPPED, len(dropped))
    return Judged(survivors, made, Counter(made.column("reason").to_pylist()))


def _reasons(checks: Sequence[Check], count: int) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    """The distinct names of reasons, and (documents, checks) which of them stands for each check of each document."""
    names: dict[str, int] = {}
    which = np.zeros((count, len(checks)), np.int64)
    for at, check in enumerate(checks):
        if check.reasons is None:
            which[:, at] = names.setdefault(check.reason, len(names))
        else:
            which[:, at] = [names.setdefault(str(reason), len(names)) for reason in check.reasons]
    return pa.array(list(names), pa.string()), which


def _matrix(rows: Sequence[Any], count: int, kind: Any = np.bool_) -> npt.NDArray[Any]:
    """(documents, checks), from one array of documents a check."""
    return np.stack(rows, axis=1) if rows else np.zeros((count, 0), kind)


def _lists(mask: npt.NDArray[np.bool_], items: pa.Array, kind: pa.DataType) -> pa.ListArray:
    """For each row of `mask` the list of as many items as it has marks, in their order."""
    offsets = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items, type=kind)


def _batch(columns: Mapping[str, Any], schema: pa.Schema, count: int) -> pa.RecordBatch:
    """The columns that the schema names, of its types; nulls for those that are not there."""
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(count, field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values if values.type == field.type else values.cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
