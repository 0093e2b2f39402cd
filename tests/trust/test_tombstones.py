"""What a takedown leaves has a form, and places where its ids belong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.release import schemas
from pipeline.trust import manifest, shards, tombstones
from pipeline.trust.findings import Check
from pipeline.trust.seen import Seen
from pipeline.trust.tombstones import Tombstones
from tests.trust import small_release as small

LEAF = "ab" * 32


def row(number: int, **changes: Any) -> dict[str, Any]:
    kept = changes.get("fate", "kept") == "kept"
    return {
        "id": f"{number:032x}", "source": "a", "purl": "pkg:a/b@1", "artifact_sha256": "c" * 64, "fate": "kept",
        "position": number, "leaf": f"{number:02x}" * 32, "data_leaf": LEAF if kept else None,
        "cluster_position": None, "cluster_leaf": None,
    } | changes  # fmt: skip


def read(*rows: Mapping[str, Any], batch: int = 2) -> tuple[list[Check], Tombstones]:
    batches = pa.Table.from_pylist(list(rows), schemas.REMOVED).combine_chunks().to_batches(max_chunksize=batch)
    found, reading = [], tombstones.of_batches(batches, "removed")
    while True:
        try:
            found.append(next(reading))
        except StopIteration as end:
            return found, end.value


def ids(*numbers: int) -> Any:
    return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in numbers), "S16")


def test_leaves_are_read_by_kind_and_place() -> None:
    head = row(5, cluster_position=2, cluster_leaf="12" * 32)
    wrong, found = read(row(1), row(3, fate="dropped"), head, row(0, fate="dropped", position=7))
    assert not wrong
    assert found.leaves["kept"] == {1: b"\x01" * 32, 5: b"\x05" * 32}
    assert found.leaves["data"] == {1: b"\xab" * 32, 5: b"\xab" * 32}
    assert found.leaves["dropped"] == {3: b"\x03" * 32, 7: bytes(32)}
    assert found.leaves["clusters"] == {2: b"\x12" * 32}
    assert found.places["dropped"].tolist() == [3, 7]
    assert [bytes(one).ljust(16, b"\0")[-1] for one in found.ids["kept"]] == [1, 5]


def test_places_ascend_and_ids_go_with_them() -> None:
    _, found = read(row(1, position=5), row(2, position=3), row(4, position=4))
    assert found.places["kept"].tolist() == [3, 4, 5]
    assert found.ids["kept"].tolist() == ids(2, 4, 1).tolist()


@pytest.mark.parametrize(("change", "check", "said"), [
    ({"id": "A" * 32}, "schema", "an id"),
    ({"leaf": "x" * 64}, "schema", "a leaf"),
    ({"data_leaf": "ab"}, "schema", "a data_leaf"),
    ({"cluster_position": 1, "cluster_leaf": "ab"}, "schema", "a cluster_leaf"),
    ({"fate": "lost"}, "ledger", "no fate 'lost'"),
    ({"data_leaf": None}, "ledger", "data_leaf is not there"),
    ({"fate": "dropped", "data_leaf": LEAF}, "ledger", "data_leaf is not there"),
    ({"cluster_position": 1}, "ledger", "not there together"),
    ({"cluster_leaf": LEAF}, "ledger", "not there together"),
])  # fmt: skip
def test_a_row_without_the_form_of_a_removed_one_is_named(change: dict[str, Any], check: str, said: str) -> None:
    wrong, _ = read(row(0), row(1), row(2), {**row(3), **change})
    assert any(one.name == check and said in one.detail for one in wrong), wrong


def test_two_clusters_at_one_place_are_refused() -> None:
    heads = [row(number, cluster_position=1, cluster_leaf=f"{number:02x}" * 32) for number in range(3)]
    wrong, _ = read(*heads)
    assert [one.name for one in wrong] == ["order"]


@pytest.mark.parametrize(("places", "removed", "present", "misplaced"), [
    ([1], [5], [3, 8], False),
    ([0, 3], [1, 9], [3, 8], False),
    ([], [], [8, 3], False),
    ([0], [5], [3, 8], True),
    ([2], [5], [3, 8], True),
    ([3], [9], [3, 8], True),  # one place after the last
    ([-1], [9], [3, 8], True),
    ([1, 1], [5, 6], [3, 8], True),
    ([2, 1], [6, 5], [3, 8], True),
    ([1], [3], [3, 8], True),  # an id that is also present
])  # fmt: skip
def test_what_was_removed_lies_among_the_rest_by_its_id(
    places: list[int], removed: list[int], present: list[int], misplaced: bool
) -> None:
    gone = Tombstones()
    gone.places["kept"], gone.ids["kept"] = np.array(places, np.int64), ids(*removed)
    assert gone.misplaced("kept", ids(*present)) is misplaced


@pytest.mark.parametrize("place", [-1, 99])
def test_a_removed_cluster_stands_at_a_place_of_its_file(tmp_path: Path, place: int) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    stated = manifest.parse((folder / "manifest.json").read_bytes())
    (file,) = [one for one in stated["files"] if one["name"].startswith("provenance/notes/clusters-")]
    gone, (entry,) = Tombstones(), [one for one in stated["sources"] if one["name"] == "notes"]
    assert not list(shards.clusters_shard(folder, entry, file, gone, Seen()))
    gone.leaves["clusters"] = {place: bytes(32)}
    (wrong,) = shards.clusters_shard(folder, entry, file, gone, Seen())
    assert wrong.name == "order"
