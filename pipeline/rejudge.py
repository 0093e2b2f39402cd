"""What another recipe's rules would have made of a release: from the stored values of every row, without any text.

Each row of a document, kept or dropped, holds what its rules were judged by: integer features, language, score, URL, and the
answers of those rules that read the text itself. From these the rules of another recipe are judged anew, exact duplicates
are chosen anew among the survivors (their keys are stored, too), and each document's new fate is compared with its old one.

The answer is that of a build, to the document, as long as only rules, priorities and `dedup.exact` differ and near duplicates
are not looked for. What cannot be known without text is not guessed: a rule that reads text must stand in both recipes
alike, and other differences are named. A near duplicate stays one while its kept document is kept; who would have been
compared with whom else is not known, and how many that concerns is said. A copy of a document of another release stays one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.curate.checks import Columns, Outcome
from pipeline.curate.repeated_lines import EMPTIED
from pipeline.curate.rules import DOLMA, judge
from pipeline.dedup.candidates import exact_copies, preference
from pipeline.dedup.interface import EXACT, NEAR, SKETCH
from pipeline.errors import RecipeError
from pipeline.recipe import Recipe
from pipeline.recipe_rules import GopherDolmaRule, Rule, reader_of
from pipeline.release.schemas import MILLION
from pipeline.trust import manifest

KEPT = "kept"
COLUMNS = ("id", "url", "language", "language_score", "exact_hmac", "measures", "decisions", "text_bytes")

ROWS = pa.schema(
    {
        "id": pa.string(),
        "exact": pa.string(),
        "bytes": pa.int64(),
        "characters": pa.int64(),
        "kept_id": pa.string(),
        "kept_release": pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """So many documents of a source, of `bytes` of text, that were `old` and would be `new`: "kept" or a reason."""

    source: str
    old: str
    new: str
    documents: int
    bytes: int
    example: str  # the smallest id of them


@dataclass(frozen=True, slots=True)
class Rejudged:
    """`before`, `after`: documents kept, by source. `changes`: by source, the most frequent first.

    `unanswered`: differences of the recipes that need a build.
    """

    before: Mapping[str, int]
    after: Mapping[str, int]
    changes: tuple[Change, ...]
    unanswered: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class _Source:
    """The documents of one source: their ids, sizes, old fates, and the first check that each fails now (or "kept")."""

    name: str
    rows: pa.Table
    old: Any
    new: Any


def rejudge(release: Path, recipe: Recipe) -> Rejudged:
    """Judge the rows of `release` by the rules of `recipe`. Raises RecipeError where that needs the text."""
    predicate = manifest.parse((release / "manifest.json").read_bytes(), str(release))
    past = predicate["recipe"]
    present = recipe.canonical()
    sources = {source["name"]: source for source in present["sources"]}
    found = []
    for source in past["sources"]:
        if source["name"] in sources:
            old, new = _rules(past, source), _rules(present, sources[source["name"]])
            _refuse_readers(source["name"], old, new)
            found.append(_judged(release, predicate, source["name"], new))
    if not found:
        raise RecipeError("has no source of the release", where=recipe.name, wanted=", ".join(_names(past)))
    unknown = list(_deduplicate(found, present, [sources[source.name]["priority"] for source in found]))
    fresh = sum(_fresh(source) for source in found)
    if predicate["against"] and fresh:
        unknown.append(
            f"{fresh:,} documents would be kept that were not compared with the releases that this one was built against"
        )
    return Rejudged(
        {source.name: int((source.old == KEPT).sum()) for source in found},
        {source.name: int((source.new == KEPT).sum()) for source in found},
        tuple(change for source in found for change in _changes(source)),
        (*_unanswered(past, present), *unknown),
    )


def _rules(recipe: Mapping[str, Any], source: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rules: Sequence[Mapping[str, Any]] = recipe["rules"] if source["rules"] is None else source["rules"]
    return rules


def _refuse_readers(source: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> None:
    """Rules that read the text, and may change it, must be the same, in the same order; of Dolma's, bounds may differ."""
    before, after = ([rule for rule in rules if reader_of(rule)] for rules in (old, new))
    pairs = zip_longest(before, after)
    odd = next((one or other for one, other in pairs if one is None or other is None or not _alike(one, other)), None)
    if odd is not None:
        raise RecipeError(
            f"the rule {reader_of(odd)} differs from the release's, and it reads the text itself",
            where=f"rules of source {source}", wanted="the same rule with the same parameters",
            hint="build the recipe into another folder and compare the totals",
        )  # fmt: skip


def _alike(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether what the rows tell of the old rule answers the new one, too."""
    if old == new or old["rule"] != "gopher_dolma" or new["rule"] != "gopher_dolma":
        return old == new
    bounds = set(GopherDolmaRule.model_fields) - set(Rule.model_fields) - {"rule"}
    if old["by_language"] or new["by_language"]:
        return False
    asked = all(old[name] is not None for name in bounds if new[name] is not None)
    return asked and all(old[name] == new[name] for name in old if name not in bounds)


def _judged(release: Path, predicate: Mapping[str, Any], name: str, rules: Sequence[Mapping[str, Any]]) -> _Source:
    tables, old, new = [], [], []
    for entry in predicate["files"]:
        if entry["source"] != name or entry["kind"] not in ("kept", "dropped"):
            continue
        extra = ("reason", "kept_id", "kept_release") if entry["kind"] == "dropped" else ()
        for batch in _batches(release / entry["name"], (*COLUMNS, *extra)):
            fates = batch.column("reason").to_pylist() if extra else [KEPT] * batch.num_rows
            old.append(np.array([*fates, None], object)[:-1])
            new.append(_verdicts(batch, rules))
            characters = pc.struct_field(batch.column("measures"), "characters")
            witness = [
                batch.column(name) if extra else pa.nulls(batch.num_rows, pa.string())
                for name in ("kept_id", "kept_release")
            ]
            columns = [batch.column(name) for name in ("id", "exact_hmac", "text_bytes")]
            tables.append(pa.table([*columns, characters, *witness], schema=ROWS))
    empty = np.array([], object)
    rows = pa.concat_tables([ROWS.empty_table(), *tables])
    return _Source(name, rows, np.concatenate([empty, *old]), np.concatenate([empty, *new]))


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of documents, those that were judged; what could not be read or held no text has no measures."""
    try:
        for batch in pq.ParquetFile(path).iter_batches(65_536, columns=list(columns)):
            yield batch.filter(pc.is_valid(batch.column("measures")))
    except (OSError, pa.ArrowException) as error:
        raise RecipeError(f"cannot be read: {error}", where=str(path), hint="pellucid verify RELEASE") from error


def _verdicts(batch: pa.RecordBatch, rules: Sequence[Mapping[str, Any]]) -> Any:
    """For each row the reason of the first check that fails, or "kept"."""
    measures = batch.column("measures")
    features = {
        field.name: pc.struct_field(measures, field.name).to_numpy(zero_copy_only=False) for field in measures.type
    }
    outcomes = {
        index: _outcome(batch.column("decisions"), rule)
        for index, rule in enumerate(rules)
        if reader_of(rule) is not None
    }
    columns = Columns(
        features,
        np.array([*batch.column("language").to_pylist(), None], object)[:-1],
        batch.column("language_score").to_numpy(zero_copy_only=False),
        np.array([*batch.column("url").to_pylist(), None], object)[:-1],
        outcomes,
    )
    verdicts = np.full(batch.num_rows, KEPT, object)
    for check in reversed(judge(columns, rules)):
        fails = np.flatnonzero(check.fails())
        verdicts[fails] = [check.reason_of(row) for row in fails.tolist()]
    verdicts[_emptied(batch.column("decisions"))] = EMPTIED  # asked before all rules
    return verdicts


def _emptied(decisions: pa.ListArray) -> Any:
    """Rows of documents of which `repeated_lines` leaves nothing."""
    flat = pc.list_flatten(decisions)
    mine = pc.equal(pc.struct_field(flat, "reason"), EMPTIED).to_numpy(zero_copy_only=False)
    return pc.list_parent_indices(decisions).to_numpy()[mine & (pc.struct_field(flat, "value").to_numpy() > 0)]


def _outcome(decisions: pa.ListArray, rule: Mapping[str, Any]) -> Outcome:
    """What a rule that reads the text answered, read back from the rows. What was not asked is 0, as in `rules.c4`."""
    rows = pc.list_parent_indices(decisions).to_numpy()
    flat = pc.list_flatten(decisions)
    reasons = pc.struct_field(flat, "reason")
    values = pc.struct_field(flat, "value").to_numpy()
    if rule["rule"] == "c4":
        places = {"lorem_ipsum": "lorem_ipsum", "curly_bracket": "curly_bracket", "sentences": "too_few_sentences",
                  "kept_lines": "emptied"}  # fmt: skip
        found = {}
        for name, reason in places.items():
            mine = pc.equal(reasons, reason).to_numpy(zero_copy_only=False)
            found[name] = np.zeros(len(decisions), np.int64)
            found[name][rows[mine]] = values[mine] // MILLION
        return found
    if rule["rule"] == "gopher_dolma":
        found = {attribute: np.zeros(len(decisions), np.int64) for attribute in DOLMA}
        for attribute, known in found.items():
            mine = pc.equal(reasons, f"gopher_v1_{attribute}").to_numpy(zero_copy_only=False)
            known[rows[mine]] = values[mine]
        return found
    answers = np.full(len(decisions), None, object)
    mine = pc.starts_with(reasons, f"datatrove/{rule['filter']}/").to_numpy(zero_copy_only=False) & (values > 0)
    answers[rows[mine]] = reasons.filter(pa.array(mine)).to_pylist()
    return {"reasons": answers}


def _deduplicate(sources: Sequence[_Source], recipe: Mapping[str, Any], priorities: Sequence[int]) -> Iterator[str]:
    """Survivors that are copies of others become duplicates; yields what cannot be known without text."""
    dedup = recipe["dedup"]
    for source in sources:
        _drop_elsewhere(source, dedup)
    near = [(source.old == NEAR) & (source.new == KEPT) & (dedup["near"] is not None) for source in sources]
    alive = [np.flatnonzero((source.new == KEPT) & ~mine) for source, mine in zip(sources, near, strict=True)]
    if dedup["exact"]:
        _drop_exact(sources, alive, priorities)
    left = _ids(sources, [(source.new == KEPT) & ~mine for source, mine in zip(sources, near, strict=True)])
    alone = 0
    for source, mine in zip(sources, near, strict=True):
        rows = np.flatnonzero(mine)
        there = pc.is_in(source.rows.column("kept_id").take(pa.array(rows)), value_set=left).to_numpy()
        source.new[rows[there]] = NEAR
        alone += int((~there).sum())
    if dedup["near"] is None:
        return
    if alone:
        yield (
            f"{alone:,} near duplicates lose the document that they were dropped for; they are counted as kept, though another "
            "document may take its place"
        )
    fresh = sum(_fresh(source) for source in sources)
    if fresh:
        yield f"{fresh:,} documents would be kept that were compared with no others; some may be near duplicates"


def _fresh(source: _Source) -> int:
    """Documents that would be kept and were compared with no others when the release was built."""
    return int(((source.new == KEPT) & (source.old != KEPT) & (source.old != NEAR)).sum())


def _drop_elsewhere(source: _Source, dedup: Mapping[str, Any]) -> None:
    """Survivors that are copies of documents of another release stay what they are: that release does not change."""
    elsewhere = source.rows.column("kept_release").is_valid().to_numpy() & (source.new == KEPT)
    for reason, dropped in ((EXACT, dedup["exact"]), (NEAR, dedup["near"] is not None)):
        if dropped:
            source.new[elsewhere & (source.old == reason)] = reason


def _ids(sources: Sequence[_Source], masks: Sequence[Any]) -> Any:
    parts = [
        source.rows.column("id").filter(pa.array(mask)).combine_chunks()
        for source, mask in zip(sources, masks, strict=True)
    ]
    return pa.concat_arrays([pa.array([], pa.string()), *parts])


def _drop_exact(sources: Sequence[_Source], alive: Sequence[Any], priorities: Sequence[int]) -> None:
    parts = [SKETCH.empty_table()]
    for source, rows in zip(sources, alive, strict=True):
        mine = source.rows.take(pa.array(rows))
        columns = [
            pa.array([bytes.fromhex(value) for value in mine.column(name).to_pylist()], SKETCH.field(name).type)
            for name in ("id", "exact")
        ]
        parts.append(pa.table([*columns, mine.column("characters")], schema=SKETCH))
    documents = pa.concat_tables(parts)
    order = preference(documents, np.repeat(np.array(priorities, np.int64), [len(rows) for rows in alive]))
    first = exact_copies(documents.column("exact"), order, True)
    lost = order[first != np.arange(len(order))]
    number = np.repeat(np.arange(len(sources)), [len(rows) for rows in alive])
    row = np.concatenate([np.zeros(0, np.int64), *alive])
    for at in lost.tolist():
        sources[number[at]].new[row[at]] = EXACT


def _changes(source: _Source) -> Iterator[Change]:
    differs = np.flatnonzero(source.old != source.new)
    rows = source.rows.take(pa.array(differs))
    count: Counter[tuple[str, str]] = Counter()
    size: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for at, identifier, length in zip(
        differs.tolist(), rows.column("id").to_pylist(), rows.column("bytes").to_pylist(), strict=True
    ):
        pair = source.old[at], source.new[at]
        count[pair] += 1
        size[pair] += length
        example[pair] = min(identifier, example.get(pair, identifier))
    for (old, new), documents in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        yield Change(source.name, old, new, documents, size[old, new], example[old, new])


def _unanswered(past: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    """Differences of two recipes that change what is read, cut or labelled, and so need a build."""
    for name in sorted(set(_names(present)) - set(_names(past))):
        yield f"source {name} is not in the release"
    for name in sorted(set(_names(past)) - set(_names(present))):
        yield f"source {name} of the release is not in the recipe; its documents were left out of the comparison"
    old, new = ({source["name"]: source for source in recipe["sources"]} for recipe in (past, present))
    for name in sorted(set(old) & set(new)):
        for key in sorted({*old[name], *new[name]} - {"rules", "priority", "max_drop_share", "max_cut_share"}):
            if old[name].get(key) != new[name].get(key):
                yield f"{key} of source {name} differs"
    if present["dedup"]["near"] not in (None, past["dedup"]["near"]):
        yield "dedup.near differs; near duplicates were taken as they are in the release"
    old_lines, new_lines = (
        {line for lines in recipe.get("opt_out", ()) for line in lines} for recipe in (past, present)
    )
    if old_lines != new_lines:
        more, fewer = len(new_lines - old_lines), len(old_lines - new_lines)
        yield f"opt_out differs, by {more:,} lines more and {fewer:,} fewer; what the lists keep out was taken as it is"
    if past["language_model"] != present["language_model"]:
        yield "the language model, or how much of a text it reads, differs"


def _names(recipe: Mapping[str, Any]) -> list[str]:
    return [source["name"] for source in recipe["sources"]]
