"""Checks of a release as a whole, from what reading its shards left: each document once, duplicates, totals."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.trust import extraction
from pipeline.trust.findings import Findings, failed
from pipeline.trust.manifest import Manifest, Totals, sum_totals
from pipeline.trust.seen import Digests, Seen, Segment, Witnesses

EXACT = "exact_duplicate"
MILLION = 1_000_000
Places = npt.NDArray[np.int64]


def unique(seen: Seen) -> Findings:
    """No id stands twice, be it kept or dropped, in one source or two."""
    for digest, one, other in _repeated(seen.segments, [segment.ids for segment in seen.segments]):
        yield failed("unique", f"document {digest} stands in {one[0]}, row {one[1]}, too", *other)


def duplicates(seen: Seen, recipe: Mapping[str, Any]) -> Findings:
    """No two kept documents share an exact key, if the recipe drops exact duplicates."""
    if not (recipe.get("dedup") or {}).get("exact"):
        return
    for digest, one, other in _repeated(seen.segments, [segment.exact for segment in seen.segments]):
        yield failed("duplicates", f"exact_sha256 {digest} is that of {one[0]}, row {one[1]}, too", *other)
    for digest, one, other in _repeated(seen.segments, [segment.keyed for segment in seen.segments]):
        yield failed("duplicates", f"exact_hmac {digest} is that of {one[0]}, row {one[1]}, too", *other)


def witnesses(seen: Seen, recipe: Mapping[str, Any], against: Collection[str]) -> Findings:
    """Every duplicate's `kept_id` is a kept document of `kept_source` that comes before it in the order of preference (the
    source's priority, the longer text, the smaller id); exact ones have one exact key, near ones the recipe's threshold.

    against: ids of the releases that this one was built against. Of a kept document in one of them nothing else is known here.
    """
    kept = [segment for segment in seen.segments if len(segment.keyed)]
    ids = np.concatenate([np.zeros(0, "S16"), *(segment.ids for segment in kept)])
    order = np.argsort(ids, kind="stable")
    documents = _Kept(
        ids[order],
        np.concatenate([np.zeros(0, "S32"), *(segment.keyed for segment in kept)])[order],
        np.repeat([segment.source for segment in kept] or [""], [len(s.ids) for s in kept] or [0])[order],
        np.concatenate([np.zeros(0, np.int64), *(segment.characters for segment in kept)])[order],
    )
    priorities = {source["name"]: int(source.get("priority", 0)) for source in recipe["sources"]}
    near = recipe["dedup"].get("near")
    threshold = None if near is None else round(near["threshold"] * MILLION)
    for batch in seen.witnesses:
        yield from _witnesses(batch, documents, priorities, threshold, against, removed_ids(seen, "kept"))


def removed_ids(seen: Seen, fate: str) -> Digests:
    """Ids of what takedowns removed of one fate."""
    return np.concatenate([np.zeros(0, "S16"), *(gone.ids[fate] for gone in seen.removed)])


@dataclass(frozen=True, slots=True)
class _Kept:
    """All kept documents in the order of their ids."""

    ids: Digests
    keyed: Digests
    sources: npt.NDArray[np.str_]
    characters: npt.NDArray[np.int64]


def _witnesses(
    batch: Witnesses, kept: _Kept, priorities: Mapping[str, int], threshold: int | None, against: Collection[str],
    removed: Digests,
) -> Findings:  # fmt: skip
    here = batch.releases.is_null().to_numpy(zero_copy_only=False)
    unknown = np.array([release is not None and release not in against for release in batch.releases.to_pylist()])
    gone = np.isin(batch.kept, removed)  # of a document that was removed, no more is known than that it was kept
    if not len(kept.ids):
        kept = _Kept(
            np.zeros(1, "S16"), np.zeros(1, "S32"), np.zeros(1, "U1"), np.zeros(1, np.int64)
        )  # an id of nobody
    place = np.minimum(np.searchsorted(kept.ids, batch.kept), len(kept.ids) - 1)
    there = here & (kept.ids[place] == batch.kept)
    is_exact = np.array(batch.reasons.to_pylist()) == EXACT
    found = kept.sources[place]
    theirs = np.array([priorities.get(name, 0) for name in found.tolist()], np.int64)
    own = priorities.get(batch.source, 0)
    longer = kept.characters[place] - batch.characters
    before = (theirs > own) | ((theirs == own) & ((longer > 0) | ((longer == 0) & (batch.kept < batch.ids))))
    wrong: list[tuple[npt.NDArray[np.bool_], str]] = [
        (unknown, "kept_release is none of the releases that the manifest was built against"),
        (here & ~there & ~gone, "kept_id is no kept document of this release"),
        (
            there & (found != np.array(batch.sources.to_pylist())),
            "kept_source is not the source of the document that kept_id names",
        ),
        (there & ~before, "the document that kept_id names does not come before this one in the order of preference"),
        (
            there & is_exact & (kept.keyed[place] != batch.keyed),
            "an exact duplicate of a document with another exact_hmac",
        ),
        (is_exact & (batch.similarities != MILLION), "an exact duplicate with a similarity that is not 1"),
        ((batch.similarities < 0) | (batch.similarities > MILLION), "similarity is not between 0 and 1"),
    ]
    if threshold is None:
        wrong.append((~is_exact, "a near duplicate, and the recipe keeps such"))
    else:
        below = ~is_exact & (batch.similarities < threshold)
        wrong.append((below, f"a near duplicate below the recipe's threshold of {threshold / MILLION}"))
    for mask, detail in wrong:
        if mask.any():
            row = int(mask.argmax())
            yield failed("witnesses", f"{detail} ({_hex(batch.kept[row], 16)})", batch.file, int(batch.rows[row]))


def clusters(seen: Seen) -> Findings:
    """The clusters say of every duplicate what its own row says, and of no other document anything.

    Duplicates of documents of other releases are in no cluster, nor are those of documents that a takedown removed.
    """
    gone, heads = removed_ids(seen, "dropped"), removed_ids(seen, "kept")  # in clusters by id alone; without a cluster
    stated = []
    for m in seen.members:
        there = ~np.isin(m.ids, gone)
        kept, similar, own = m.kept[there], m.similarities[there], np.array(m.sources.to_pylist(), "U")[there]
        stated.append((m.ids[there], kept, similar, np.repeat(m.source, int(there.sum())), own, m.file))
    told = []
    for w in seen.witnesses:
        here = w.releases.is_null().to_numpy(zero_copy_only=False) & ~np.isin(w.kept, heads)
        sources = np.array(w.sources.to_pylist())
        own = np.repeat(w.source, int(here.sum()))
        told.append((w.ids[here], w.kept[here], w.similarities[here], sources[here], own, w.file))
    ours, theirs = _by_id(stated), _by_id(told)
    for ids, other, file, what in (
        (theirs, ours, [part[5] for part in told], "is dropped as a duplicate, and in no cluster"),
        (ours, theirs, [part[5] for part in stated], "is in a cluster, and not dropped as a duplicate"),
    ):
        missing = np.flatnonzero(~np.isin(ids[0], other[0]))
        if len(missing):
            yield failed("clusters", f"document {_hex(ids[0][missing[0]], 16)} {what}", file[int(ids[5][missing[0]])])
    if len(ours[0]) != len(theirs[0]) or (ours[0] != theirs[0]).any():
        if len(np.unique(ours[0])) < len(ours[0]):
            yield failed("clusters", "a document is in two clusters", stated[0][5])
        return
    for place, name in ((1, "kept document"), (2, "similarity"), (3, "kept_source"), (4, "source")):
        differs = np.flatnonzero(ours[place] != theirs[place])
        if len(differs):
            at = int(differs[0])
            yield failed(
                "clusters",
                f"document {_hex(ours[0][at], 16)} has another {name} in its own row",
                stated[int(ours[5][at])][5],
            )
    yield from _exact_counts(seen, gone)


def _exact_counts(seen: Seen, gone: Digests) -> Findings:
    """Each cluster counts as exact the duplicates that its documents' own rows call so; of those removed, any may be."""
    exact = [w.kept[np.array(w.reasons.to_pylist()) == EXACT] for w in seen.witnesses]
    told = Counter(np.concatenate([np.zeros(0, "S16"), *exact]).tolist())
    unknown = Counter(
        np.concatenate([np.zeros(0, "S16"), *(m.kept[np.isin(m.ids, gone)] for m in seen.members)]).tolist()
    )
    for m in seen.members:
        for head, stated in zip(m.heads.tolist(), m.exact.tolist(), strict=True):
            if not told[head] <= stated <= told[head] + unknown[head]:
                yield failed(
                    "clusters",
                    f"document {_hex(head, 16)} has {stated} exact duplicates, their own rows say {told[head]}",
                    m.file,
                )


def _by_id(parts: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Ids, kept ids, similarities, sources of the kept, own sources, and the part's number, of all parts, in the ids' order."""
    kinds: tuple[Any, ...] = ("S16", "S16", np.int64, "U1", "U1")
    columns = [np.concatenate([np.zeros(0, kind), *(part[at] for part in parts)]) for at, kind in enumerate(kinds)]
    columns.append(np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts] or []))
    order = np.argsort(columns[0], kind="stable")
    return [column[order] for column in columns]


def removed(manifest: Manifest, seen: Seen) -> Findings:
    """What takedowns removed is what the manifest's policies say: no document more, none fewer."""
    stated = {bytes.fromhex(identifier) for step in manifest["policies"]["takedown"] for identifier in step["ids"]}
    there = {
        bytes(identifier).ljust(16, b"\0") for fate in ("kept", "dropped") for identifier in removed_ids(seen, fate)
    }
    for ids, what in (
        (there - stated, "was removed, and policies.takedown does not name it"),
        (stated - there, "is named in policies.takedown, and no row says that it was removed"),
    ):
        if ids:
            yield failed("removed", f"document {min(ids).hex()} {what} (of {len(ids)} such)", "manifest.json")


def totals(manifest: Manifest, seen: Seen) -> Findings:
    """Counts of the rows against the manifest's, source by source, and the manifest's own sums."""
    for entry in manifest["sources"]:
        counted, name = seen.sources[entry["name"]], f"source {entry['name']}"
        for key in ("kept", "dropped", "text_bytes"):
            yield from _equal(f"{name}: {key}", entry[key], getattr(counted, key))
        yield from _equal(f"{name}: read", entry["read"], counted.kept + counted.dropped)
        for artifact, read in zip(entry["artifacts"], counted.read.tolist(), strict=True):
            yield from _equal(f"{name}: read of {artifact['purl']}", artifact["read"], read)
        yield from _reasons(name, entry, counted.reasons)
        yield from _extraction(name, entry["extraction"], extraction.summed(counted.extraction))
    summed = sum_totals(manifest["sources"])
    for key in ("read", "kept", "dropped", "text_bytes"):
        yield from _equal(f"totals: {key}", manifest["totals"][key], summed[key])  # type: ignore[literal-required]
    yield from _reasons(
        "totals", manifest["totals"], Counter({(r["stage"], r["reason"]): r["documents"] for r in summed["reasons"]})
    )
    yield from _extraction("totals", manifest["totals"]["extraction"], summed["extraction"])


def _extraction(name: str, stated: Mapping[str, Any], counted: Mapping[str, Any]) -> Findings:
    for key in ("pages", "visible_characters", "kept_characters"):
        yield from _equal(f"{name}: extraction.{key}", stated[key], counted[key])
    said, seen = ({cut["reason"]: cut for cut in one["cuts"]} for one in (stated, counted))
    for reason in sorted({*said, *seen}):
        for key in ("blocks", "characters"):
            old, new = (one[reason][key] if reason in one else 0 for one in (said, seen))
            yield from _equal(f"{name}: {key} cut as {reason}", old, new)


def _reasons(name: str, stated: Totals, counted: Mapping[tuple[str, str], int]) -> Findings:
    said = {(row["stage"], row["reason"]): row["documents"] for row in stated["reasons"]}
    for stage, reason in sorted({*said, *counted}):
        key = stage, reason
        yield from _equal(f"{name}: {stage}/{reason}", said.get(key, 0), counted.get(key, 0))


def _equal(what: str, stated: int, counted: int) -> Findings:
    if stated != counted:
        yield failed("totals", f"{what}: the manifest says {stated:,}, its rows are {counted:,}", "manifest.json")


def _repeated(
    segments: Sequence[Segment], parts: Sequence[Digests]
) -> Iterator[tuple[str, tuple[str, int], tuple[str, int]]]:
    """For each digest that stands more than once: its hex, and the (file, row) of two of its places."""
    if not parts:
        return
    values = np.concatenate(parts)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.cumsum([0, *(len(part) for part in parts)])

    def place(index: int) -> tuple[str, int]:
        number = int(np.searchsorted(starts, index, side="right")) - 1
        return segments[number].file, int(index - starts[number])

    for at in np.flatnonzero(ordered[1:] == ordered[:-1]).tolist():
        yield _hex(ordered[at], values.dtype.itemsize), place(int(order[at])), place(int(order[at + 1]))


def _hex(digest: Any, width: int) -> str:
    """Hex of a numpy S scalar, which has lost the zero bytes at its end."""
    return bytes(digest).ljust(width, b"\0").hex()
