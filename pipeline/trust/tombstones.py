"""What a takedown leaves: of each document that was removed its id, its artifact, and the hashes of its leaves.

The leaf hashes stay at their places in the content roots, so that roots, and every other document's proof, are what they were.
They confirm no guess of the text: a leaf holds digests that only the artifact's own bytes give.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import merkle, rows
from pipeline.trust.findings import Check, Findings, failed

FATES = ("kept", "dropped")


class Leaves(merkle.Tree):
    """A tree whose leaves are those of a file's rows, in order, and between them those of rows that were removed."""

    def __init__(self, removed: Mapping[int, bytes]) -> None:
        super().__init__()
        self.removed = removed

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        if not self.removed:
            super().extend(leaf_hashes)
            return
        for leaf in leaf_hashes:
            self._fill()
            super().extend([leaf])

    def root(self) -> bytes:
        self._fill()
        return super().root()

    def _fill(self) -> None:
        while self.size in self.removed:
            super().extend([self.removed[self.size]])


@dataclass(slots=True)
class Tombstones:
    """Of one shard: by kind of file the leaf hashes at their places, and by fate the places and ids of what was removed."""

    leaves: dict[str, dict[int, bytes]] = field(
        default_factory=lambda: {kind: {} for kind in ("data", "kept", "dropped", "clusters")}
    )
    places: dict[str, npt.NDArray[np.int64]] = field(
        default_factory=lambda: {fate: np.zeros(0, np.int64) for fate in FATES}
    )
    ids: dict[str, npt.NDArray[np.bytes_]] = field(default_factory=lambda: {fate: np.zeros(0, "S16") for fate in FATES})

    def tree(self, kind: str) -> Leaves:
        return Leaves(self.leaves[kind])

    def misplaced(self, fate: str, present: npt.NDArray[np.bytes_]) -> bool:
        """Whether what was removed does not lie, by its id, where its leaf stands among those that are present."""
        places, total = self.places[fate], len(present) + len(self.places[fate])
        if not len(places):
            return False
        if (np.diff(places) <= 0).any() or places[0] < 0 or places[-1] >= total:
            return True
        full = np.empty(total, "S16")
        full[places] = self.ids[fate]
        full[np.setdiff1d(np.arange(total), places, assume_unique=True)] = present
        return bool((full[1:] <= full[:-1]).any())


def among(own: Sequence[bytes], removed: Mapping[int, bytes]) -> tuple[list[bytes], list[int]]:
    """All leaf hashes of a file, from those of its rows and of what was removed; and the place of each row among them."""
    places = [place for place in range(len(own) + len(removed)) if place not in removed]
    found = dict(removed) | dict(zip(places, own, strict=True))
    return [found[place] for place in range(len(found))], places


def of_batches(batches: Iterable[pa.RecordBatch], file: str) -> Generator[Check, None, Tombstones]:
    """The tombstones of a file of removed documents, by the columns of `schemas.REMOVED`; findings where they have no form."""
    found, start, clusters_removed = Tombstones(), 0, 0
    for batch in batches:
        wrong = list(_form(batch, file, start))
        yield from wrong
        if wrong:
            return found
        for fate in FATES:
            mine = batch.filter(pc.equal(batch.column("fate"), fate))
            places, ids = mine.column("position").to_numpy(), rows.hex_bytes(mine.column("id"), 32)
            found.places[fate] = np.concatenate([found.places[fate], places])
            found.ids[fate] = np.concatenate([found.ids[fate], ids]) if ids is not None else found.ids[fate]
            _put(found.leaves[fate], places.tolist(), mine.column("leaf").to_pylist())
            if fate == "kept":
                _put(found.leaves["data"], places.tolist(), mine.column("data_leaf").to_pylist())
                clusters = mine.filter(mine.column("cluster_leaf").is_valid())
                of_clusters = (clusters.column(name).to_pylist() for name in ("cluster_position", "cluster_leaf"))
                _put(found.leaves["clusters"], *of_clusters)
                clusters_removed += len(clusters)
        start += len(batch)
    if len(found.leaves["clusters"]) != clusters_removed:
        yield failed("order", "two clusters that a takedown removed stand at one place", file)
    for fate in FATES:  # in the order of ids, which is that of places
        order = np.argsort(found.places[fate], kind="stable")
        found.places[fate], found.ids[fate] = found.places[fate][order], found.ids[fate][order]
    return found


def _put(leaves: dict[int, bytes], places: Iterable[int], hashes: Iterable[str]) -> None:
    leaves.update({place: bytes.fromhex(hash_) for place, hash_ in zip(places, hashes, strict=True)})


def _form(batch: pa.RecordBatch, file: str, start: int) -> Findings:
    """Known fates, hex digests, and the leaves that each fate has."""
    if rows.hex_bytes(batch.column("id"), 32) is None:
        yield failed("schema", "an id from this row on is not 32 lower-case hex digits", file, start)
    for name in ("leaf", "data_leaf", "cluster_leaf"):
        if rows.hex_bytes(batch.column(name).drop_null(), 64) is None:
            yield failed("schema", f"a {name} from this row on is not 64 lower-case hex digits", file, start)
    fates, kept = batch.column("fate").to_pylist(), pc.equal(batch.column("fate"), "kept")
    if odd := [row for row, fate in enumerate(fates) if fate not in FATES]:
        yield failed("ledger", f"there is no fate {fates[odd[0]]!r:.100}", file, start + odd[0])
    for wrong, what in (
        (pc.not_equal(batch.column("data_leaf").is_valid(), kept), "data_leaf is not there exactly for kept documents"),
        (
            pc.not_equal(batch.column("cluster_position").is_valid(), batch.column("cluster_leaf").is_valid()),
            "cluster_position and cluster_leaf are not there together",
        ),
    ):
        mask = np.asarray(wrong.to_numpy(zero_copy_only=False), np.bool_)
        yield from rows.first_finding("ledger", mask, file, start, lambda _, what=what: what)
