"""Who is dropped as a duplicate, and for which kept document.

In preference order, a document is dropped if and only if an earlier kept document has the same normalised text, or is among
its pairs and has a verified Jaccard similarity at or above the threshold. No transitive closure: who is dropped drops nobody.
Documents of other releases come first in that order, are all kept, and are nobody's loss.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.dedup.candidates import mapped, sources_of
from pipeline.dedup.interface import EXACT, LOSERS, MEMBERS, NEAR, ORDER, SKETCH
from pipeline.kernels import jaccard, join, minhash

MILLION = jaccard.MILLION
TOGETHER = 1 << 21  # ranks whose pairs are held at once
_LOSERS_TOGETHER = 1024
_LARGEST = 3

Numbers = npt.NDArray[np.uint32]


class _Sets:
    """Where each rank's shingle set lies in the mapped files, and how large it is; 0 where there is none."""

    def __init__(self, count: int) -> None:
        self.addresses, self.sizes = np.zeros(count, np.uint64), np.zeros(count, np.int64)
        self.mapped: list[Any] = []  # keeps the files mapped

    def enter(self, path: Path, rank_of_row: Numbers) -> None:
        """Enter the sets of one artifact; rank_of_row: of each row of its sketch."""
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            ranks = rank_of_row[batch.column("row").to_numpy()]
            offsets = batch.column("hashes").offsets.to_numpy()
            self.sizes[ranks] = np.diff(offsets)
            base = batch.column("hashes").values.to_numpy().ctypes.data
            self.addresses[ranks] = np.uint64(base) + offsets[:-1].astype(np.uint64) * np.uint64(8)
            self.mapped.append(batch)

    def of(self, ranks: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
        """Copies of the sets of some ranks: offsets and values, as `kernels.shingles.hashes` gives them."""
        sizes = self.sizes[ranks]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return offsets, jaccard.gathered(self.addresses[ranks], offsets)

    def common(self, one: int, other: int) -> int:
        """How many shingles two ranks have in common."""
        return jaccard.common_at(
            int(self.addresses[one]), int(self.sizes[one]), int(self.addresses[other]), int(self.sizes[other])
        )


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Choose among all survivors. Writes, for every source and in id order, `out`/SOURCE.arrow (schema LOSERS),
    and `out`/SOURCE.members.arrow (schema MEMBERS): the documents of any source that its kept ones stand for.

    `parameters`: the names of `sources`, in recipe order; `artifacts`, each with its `task`, its source's name and the keys
    in `files` of its sketch and its shingles (None: nothing of it is compared); `near`: the recipe's parameters or None.
    `files` has order and pairs too. Returns counts, and by source what `alarm.check` asks for.
    """
    names, near = parameters["sources"], parameters["near"]
    table = mapped(files["order"], ORDER)
    order, exact = table.column("document").to_numpy(), table.column("exact").to_numpy()
    count = len(order)
    rank = np.empty(count, np.uint32)
    rank[order] = np.arange(count, dtype=np.uint32)
    artifacts = [*parameters["against"], *parameters["artifacts"]]
    sketches = [mapped(files[artifact["sketch"]], SKETCH) for artifact in artifacts]
    sizes = [sketch.num_rows for sketch in sketches]
    ids = pa.chunked_array([sketch.column("id").combine_chunks() for sketch in sketches], SKETCH.field("id").type)
    of_source = sources_of(parameters, names, sizes)[order]  # by rank
    others = int((of_source == len(names)).sum())
    sets = _Sets(count)
    start = 0
    for artifact, size in zip(artifacts, sizes, strict=True):
        if artifact["shingles"] is not None:
            sets.enter(files[artifact["shingles"]], rank[start : start + size])
        start += size
    kept, common, compared = decide(files.get("pairs"), exact, others, sets, near, progress)

    losers = np.flatnonzero(kept != jaccard.NOBODY)
    is_near = common[losers] >= 0
    similar, bands = _facts(losers, kept, common, sets, near)
    lost = np.bincount(of_source[losers], minlength=len(names)).tolist()
    seen = np.bincount(of_source[others:], minlength=len(names)).tolist()
    places, winners = order[losers], order[kept[losers]]
    own, theirs = ids.take(pa.array(places)), ids.take(pa.array(winners))
    ends = np.cumsum(sizes)
    maker = np.searchsorted(ends, winners, side="right").tolist()  # the artifact or shard of each winner
    releases = [artifacts[number].get("release") for number in maker]
    table = pa.table(
        {
            "id": [identifier.hex() for identifier in own.to_pylist()],
            "reason": np.where(is_near, NEAR, EXACT).tolist(),
            "kept_id": [identifier.hex() for identifier in theirs.to_pylist()],
            "kept_source": [artifacts[number]["source"] for number in maker],
            "kept_release": pa.array(releases, pa.string()),
            "similarity": similar,
            "bands": pa.array(bands, mask=~is_near),
        },
        schema=LOSERS,
    )
    members = table.select(["kept_id", "id", "reason", "similarity"]).append_column(
        MEMBERS.field("source"), pa.array([names[number] for number in of_source[losers].tolist()], pa.string())
    )
    for number, name in enumerate(names):
        mine = table.filter(pa.array(of_source[losers] == number)).sort_by("id")
        with pa.ipc.new_file(out / f"{name}.arrow", LOSERS) as writer:
            writer.write_table(mine)
        stood_for = members.filter(pa.array(of_source[kept[losers]] == number)).sort_by("id")
        with pa.ipc.new_file(out / f"{name}.members.arrow", MEMBERS) as writer:
            writer.write_table(stood_for)

    def entry(place: int, identifier: Any) -> dict[str, Any]:
        artifact = artifacts[int(np.searchsorted(ends, place, side="right"))]
        return {"id": identifier.as_py().hex(), "task": artifact["task"], "release": artifact.get("release")}

    by_source = [np.flatnonzero(of_source[losers] == number) for number in range(len(names))]
    elsewhere = [sum(releases[number] is not None for number in mine.tolist()) for mine in by_source]
    largest = [
        [
            {"copies": copies, "kept": entry(winners[k], theirs[k]), "example": entry(places[k], own[k])}
            for k, copies in _largest(mine, kept[losers])
        ]
        for mine in by_source
    ]
    progress(count, 0)
    return {
        "documents": count,
        "compared": compared,
        "seen": dict(zip(names, seen, strict=True)),
        "dropped": dict(zip(names, lost, strict=True)),
        "elsewhere": dict(zip(names, elsewhere, strict=True)),
        "largest": dict(zip(names, largest, strict=True)),
    }


def decide(
    pairs: Path | None, exact: Numbers, others: int, sets: _Sets, near: Mapping[str, Any] | None, progress: Any
) -> tuple[Numbers, npt.NDArray[np.int64], int]:
    """Of each rank the rank it is dropped for (NOBODY: it is kept), shingles in common (-1 for exact copies), pairs compared.

    exact: of each rank that of its first exact copy; others: how many of the first ranks are of other releases, and kept.
    """
    count = len(exact)
    kept = np.full(count, jaccard.NOBODY, np.uint32)
    common = np.full(count, -1, np.int64)
    copies = others + np.flatnonzero(exact[others:] != np.arange(others, count))
    compared = 0
    threshold = 0
    if near is not None and pairs is not None:
        threshold = near["threshold"]
        kept[copies] = exact[copies]  # out of the race until their first copy's fate is known
        for part in _in_order(pairs, count):
            compared += jaccard.choose(part, sets.addresses, sets.sizes, threshold, kept, common)
            progress(0, 0)
    first: dict[
        int, int
    ] = {}  # of copies whose first is dropped for a document that they are not like: the kept one of them
    for rank in copies.tolist():
        original = int(exact[rank])
        winner = int(kept[original])
        if winner == jaccard.NOBODY:
            kept[rank] = original
            continue
        shared = sets.common(rank, winner)
        if shared * MILLION >= threshold * (int(sets.sizes[rank] + sets.sizes[winner]) - shared):
            kept[rank], common[rank] = winner, shared
        elif original in first:
            kept[rank] = first[original]
        else:
            kept[rank], first[original] = jaccard.NOBODY, rank
    return kept, common, compared


def _in_order(path: Path, count: int) -> Any:
    """The distinct pairs of all bands, sorted, some ranks at a time."""
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = [reader.get_batch(number).column("pair").to_numpy() for number in range(reader.num_record_batches)]
    for start in range(0, count, TOGETHER):
        low, high = np.uint64(start << 32), np.uint64(min(start + TOGETHER, count) << 32)
        parts = [batch[np.searchsorted(batch, low) : np.searchsorted(batch, high)] for batch in batches]
        yield join.distinct(np.concatenate([np.zeros(0, np.uint64), *parts]))


def _facts(
    losers: npt.NDArray[np.int64], kept: Numbers, common: npt.NDArray[np.int64], sets: _Sets,
    near: Mapping[str, Any] | None,
) -> tuple[list[int], npt.NDArray[np.int64]]:  # fmt: skip
    """Similarity in millionths of each loser to the document it is dropped for, and the bands that both have in common."""
    similar = [MILLION] * len(losers)
    bands = np.zeros(len(losers), np.int64)
    of_near = np.flatnonzero(common[losers] >= 0)
    for start in range(0, len(of_near), _LOSERS_TOGETHER):
        at = of_near[start : start + _LOSERS_TOGETHER]
        own, theirs = losers[at], kept[losers[at]].astype(np.int64)
        for place, one, other in zip(at.tolist(), own.tolist(), theirs.tolist(), strict=True):
            similar[place] = jaccard.similarity(int(common[one]), int(sets.sizes[one]), int(sets.sizes[other]))
        if near is not None:
            keys = [_keys(sets, ranks, near) for ranks in (own, theirs)]
            bands[at] = (keys[0] == keys[1]).sum(axis=1)
    return similar, bands


def _keys(sets: _Sets, ranks: npt.NDArray[np.int64], near: Mapping[str, Any]) -> npt.NDArray[np.uint64]:
    signatures = minhash.signatures_of_hashes(
        *sets.of(ranks), permutations=near["bands"] * near["rows"], seed=near["seed"]
    )
    return minhash.band_keys(signatures, bands=near["bands"], rows=near["rows"])


def _largest(mine: npt.NDArray[np.int64], winners: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Of the kept documents that most of one source's losers were dropped for: a loser, by its number, and how many.

    mine: numbers of the source's losers; winners: of each loser the rank of its kept document. Of as many the earlier rank.
    """
    _, at, sizes = np.unique(winners[mine], return_index=True, return_counts=True)
    return [(int(mine[at[k]]), int(sizes[k])) for k in np.argsort(-sizes, kind="stable")[:_LARGEST].tolist()]
