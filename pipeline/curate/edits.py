"""Rules that read the text itself, and may change it: C4's line removal, filters of datatrove, Dolma's attributes.

What repeats in a source goes first, if its recipe asks for that (`curate.repeated_lines`). Then these rules run, in the order
of the recipe, each on what the one before left; all else is measured on the text as it would be released. What they found is
kept for `curate.rules`, which answers at the rule's own place; what they changed is told in the document's row: how many
spans and characters are gone, and the SHA-256 before and after.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate import datatrove_filters
from pipeline.curate.checks import Bools, Ints, Outcome, Strings, rounded_down, rounded_up
from pipeline.curate.rules import DOLMA, variants
from pipeline.kernels import c4, dolma
from pipeline.recipe_rules import reader_of

Parameters = Mapping[str, Any]
Edit = dict[str, Any]  # of `release.schemas.WORK_EDIT`


@dataclass(frozen=True, slots=True)
class Batch:
    """What is known of n documents before they are measured: `texts` (a LargeStringArray), and `ids`.

    `edits`: what was done to the texts as they were extracted; none where it is empty.
    """

    texts: Any
    ids: Sequence[str]
    urls: Strings
    languages: Strings
    edits: Sequence[Sequence[Edit]] = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """`texts` as they would be released; `outcomes` by index of the rule; `edits` of each document, in order."""

    texts: Any
    outcomes: Mapping[int, Outcome]
    edits: Sequence[Sequence[Edit]]


def prepare(rules: Sequence[Parameters]) -> None:
    """Raise RecipeError where a rule names a datatrove filter that cannot be loaded, before any document is read."""
    for rule in rules:
        if rule["rule"] == "datatrove":
            for override in ({}, *rule["by_language"].values()):
                _filter({**rule, **override})


def versions(rules: Sequence[Parameters]) -> dict[str, str]:
    """Name to version of the packages beside our own that rules of datatrove depend on. Raises RecipeError as `prepare`."""
    found: dict[str, str] = {}
    for rule in rules:
        if rule["rule"] == "datatrove":
            for override in ({}, *rule["by_language"].values()):
                found |= datatrove_filters.versions(_filter({**rule, **override}))
    return dict(sorted(found.items()))


def apply(batch: Batch, rules: Sequence[Parameters]) -> Edited:
    """Run the rules of `rules` that read text; the texts are unchanged where there are none."""
    texts = batch.texts
    outcomes: dict[int, Outcome] = {}
    edits = [list(made) for made in batch.edits] if batch.edits else [list[Edit]() for _ in batch.ids]
    for index, rule in enumerate(rules):
        if (reader := READERS.get(rule["rule"])) is None:
            continue
        found: dict[str, Any] = {}
        for parameters, applies in variants(rule, batch.languages):
            rows = np.arange(len(texts)) if applies is None else np.flatnonzero(applies)
            if not len(rows):
                continue
            part = Batch(texts.take(pa.array(rows)), [batch.ids[row] for row in rows.tolist()], batch.urls[rows],
                         batch.languages[rows])  # fmt: skip
            outcome, after, changed, spans = reader(part, parameters)
            for name, values in outcome.items():
                if name not in found:
                    found[name] = np.full(len(texts), None if values.dtype == object else 0, values.dtype)
                found[name][rows] = values
            texts = replace(texts, rows, part.texts, after, changed, spans, str(reader_of(rule)), edits)
        outcomes[index] = found
    for index, rule in enumerate(rules):
        if rule["rule"] == "gopher_dolma":
            outcomes[index] = _dolma(texts)
    return Edited(texts, outcomes, edits)


def _c4(part: Batch, parameters: Parameters) -> tuple[Outcome, Any, Bools, Ints | None]:
    names = c4.C4.__dataclass_fields__
    edited = c4.edit(part.texts, c4.C4(**{name: parameters[name] for name in names}))
    whole = (edited.lorem_ipsum == 0) & (edited.curly_bracket == 0) & (edited.kept_lines > 0)
    passes = whole & (edited.sentences >= (parameters["min_sentences"] or 0))
    outcome = {
        "lorem_ipsum": edited.lorem_ipsum, "curly_bracket": edited.curly_bracket, "sentences": edited.sentences,
        "kept_lines": edited.kept_lines,
    }  # fmt: skip
    return outcome, edited.texts, passes, edited.removed_spans


def _datatrove(part: Batch, parameters: Parameters) -> tuple[Outcome, Any, Bools, Ints | None]:
    found = _filter(parameters).apply(part.texts, list(part.urls), list(part.languages), part.ids)
    reasons = np.array([*found.reasons, None], object)[:-1]
    empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(found.texts)), 0).to_numpy(zero_copy_only=False)
    passed = np.array([reason is None for reason in reasons], np.bool_)
    reasons[passed & empty] = f"datatrove/{parameters['filter']}/emptied"
    return {"reasons": reasons}, found.texts, passed & ~empty, None


def _dolma(texts: Any) -> Outcome:
    """The attributes of Dolma's tagger in millionths, rounded up where they are bounded from above, else down.

    They are measured for recipes that name the rule alone: they cost as much as all other features together.
    """
    measured = dolma.measure(texts)
    counts = {name: measured.column(name).to_numpy() for name in dolma.FEATURES}
    found = {}
    for attribute, (low, _) in DOLMA.items():
        part, by = dolma.ATTRIBUTES[attribute]
        whole = by if isinstance(by, int) else np.maximum(counts[by], 1)  # as there
        found[attribute] = (rounded_down if low else rounded_up)(counts[part], whole)
    return found


READERS = {"c4": _c4, "datatrove": _datatrove}


def _filter(parameters: Parameters) -> Any:
    return datatrove_filters.load(parameters["filter"], parameters["arguments"], parameters["words"])


def replace(
    texts: Any, rows: Ints, before: Any, after: Any, passes: Bools, spans: Ints | None, name: str, edits: list[list[Edit]],
) -> Any:  # fmt: skip
    """The texts with those of `rows` that passed and changed put in place, each told in `edits` under `name`."""
    differs = pc.not_equal(before, after).to_numpy(zero_copy_only=False)
    changed = np.flatnonzero(passes & differs)
    if not len(changed):
        return texts
    lengths = pc.utf8_length(before).to_numpy() - pc.utf8_length(after).to_numpy()
    for at in changed.tolist():
        edits[rows[at]].append(
            {
                "edit": name,
                "spans": None if spans is None else int(spans[at]),
                "characters": int(lengths[at]),
                "sha256_before": hashlib.sha256(before[at].as_buffer()).hexdigest(),
                "sha256_after": hashlib.sha256(after[at].as_buffer()).hexdigest(),
            }
        )
    index = np.arange(len(texts))
    index[rows[changed]] = len(texts) + changed
    return pa.concat_arrays([texts, after]).take(pa.array(index))
