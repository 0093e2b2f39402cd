"""Writing a shard: survivors less the losers, rows aligned and in id order, the ledger whole."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.curate.batch import DROPPED, SURVIVORS
from pipeline.dedup.interface import LOSERS, MEMBERS
from pipeline.kernels.features import FEATURES
from pipeline.release import schemas, task
from pipeline.trust import keyed

KEYS = {"keys": {"s": "5" * 64}, "release_key": "6" * 64}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def survivor(identifier: str) -> dict:
    row = dict.fromkeys(SURVIVORS.names, "x") | {
        "id": identifier * 16, "offset": 0, "length": 5, "record": 0, "path": None, "record_bytes": 5,
        "artifact_sha256": "s", **dict.fromkeys(schemas.WORK, sha256(identifier)), "text_bytes": 4,
        "language": "en", "language_score": 900_000, "measures": dict.fromkeys(FEATURES, 1), "title": None, "edits": [],
        "extractor": "pellucid/1", "visible_characters": 9, "kept_characters": 4,
        "cuts": [{"reason": "footer", "blocks": 1, "characters": 5}],
        "decisions": [{"reason": "too_short", "value": 4, "low": 1, "high": None}], "text": f"text of {identifier}",
    }  # fmt: skip
    return {name: row[name] for name in SURVIVORS.names}


def dropped(identifier: str) -> dict:
    return dict.fromkeys(DROPPED.names) | {
        "id": identifier * 16, "source": "docs", "purl": "p", "artifact_sha256": "s", "record": 0, "cuts": [],
        "edits": [], "decisions": [], "failed": [], "stage": "read", "reason": "unreadable:link",
    }  # fmt: skip


def spill(path: Path, rows: list[dict], schema: pa.Schema) -> Path:
    with pa.ipc.new_file(path, schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return path


MEMBERS_OF_DOCS = [  # kept id, id, reason, similarity, source; the documents are of any source, ids as `survivor` makes them
    ("bb", "f2", "near_duplicate", 812_345, "other"), ("bb", "f3", "near_duplicate", 900_000, "docs"),
    ("bb", "f9", "exact_duplicate", 1_000_000, "docs"), ("bb", "f1", "near_duplicate", 900_000, "other"),
    ("dd", "f4", "exact_duplicate", 1_000_000, "other"), ("c0", "f5", "near_duplicate", 999_999, "docs"),
]  # fmt: skip


def run(tmp_path: Path) -> dict:
    members = [
        dict(zip(MEMBERS.names, (kept * 16, own * 16, *facts), strict=True)) for kept, own, *facts in MEMBERS_OF_DOCS
    ]
    files = {
        "survivors/a": spill(tmp_path / "1", [survivor("dd"), survivor("aa")], SURVIVORS),
        "survivors/b": spill(tmp_path / "2", [survivor("bb"), survivor("cc")], SURVIVORS),
        "dropped/a": spill(tmp_path / "3", [dropped("b1")], DROPPED),
        "losers": spill(
            tmp_path / "4",
            [dict(zip(LOSERS.names, ("cc" * 16, "near_duplicate", "ee" * 16, "other", "fe" * 32, 900_001, 12), strict=True))],
            LOSERS,
        ),
        "members": spill(tmp_path / "5", members, MEMBERS),
    }  # fmt: skip
    return task.run(
        {"source": "docs", "shard": 0, "shards": 2, "license": "MIT", **KEYS}, files, tmp_path, lambda *_: None
    )


def test_kept_and_data_are_aligned_and_in_id_order(tmp_path: Path) -> None:
    run(tmp_path)
    data = pq.read_table(tmp_path / "data/docs/train-00000-of-00002.parquet").to_pylist()
    kept = pq.read_table(tmp_path / "provenance/docs/kept-00000-of-00002.parquet").to_pylist()
    assert [row["id"] for row in data] == [row["id"] for row in kept] == [name * 16 for name in ("aa", "bb", "dd")]
    assert data[1]["text"] == "text of bb"
    assert data[0]["license"] == "MIT"


def test_a_loser_is_in_the_ledger_with_its_witness_and_its_decisions(tmp_path: Path) -> None:
    run(tmp_path)
    rows = pq.read_table(tmp_path / "provenance/docs/dropped-00000-of-00002.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["b1" * 16, "cc" * 16]
    assert {key: rows[1][key] for key in ("stage", *LOSERS.names[1:])} == {
        "stage": "dedup", "reason": "near_duplicate", "kept_id": "ee" * 16, "kept_source": "other", "kept_release": "fe" * 32,
        "similarity": 900_001, "bands": 12,
    }  # fmt: skip
    assert rows[1]["decisions"][0]["reason"] == "too_short"
    assert rows[0]["measures"] is None


def test_digests_of_rows_are_keyed_and_what_was_null_stays_so(tmp_path: Path) -> None:
    run(tmp_path)
    (lost, copy) = pq.read_table(tmp_path / "provenance/docs/dropped-00000-of-00002.parquet").to_pylist()
    assert [lost[name] for name in schemas.KEYED] == [None] * 3
    own, whole = (keyed.of(bytes.fromhex(digit * 64), b"cc") for digit in "56")
    assert [copy[name] for name in schemas.KEYED] == [own, own, whole]
    kept = pq.read_table(tmp_path / "provenance/docs/kept-00000-of-00002.parquet").to_pylist()[1]
    own, whole = (keyed.of(bytes.fromhex(digit * 64), b"bb") for digit in "56")
    assert [kept[name] for name in schemas.KEYED] == [own, own, whole]
    assert [kept[name] for name in schemas.PLAIN] == [sha256("bb")] * 2


def test_the_result_counts_what_the_files_hold(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result["kept"], result["dropped"], result["text_bytes"], result["languages"]) == (3, 2, 12, {"en": 3})
    assert result["reasons"] == [
        {"stage": "dedup", "reason": "near_duplicate", "documents": 1},
        {"stage": "read", "reason": "unreadable:link", "documents": 1},
    ]
    assert result["extraction"] == {
        "pages": 4, "visible_characters": 36, "kept_characters": 16,
        "cuts": [{"reason": "footer", "blocks": 4, "characters": 20}],
    }  # fmt: skip
    assert [(file["kind"], file["rows"], file["first_id"], file["last_id"]) for file in result["files"]] == [
        ("data", 3, "aa" * 16, "dd" * 16), ("kept", 3, "aa" * 16, "dd" * 16), ("dropped", 2, "b1" * 16, "cc" * 16),
        ("clusters", 2, "bb" * 16, "dd" * 16),
    ]  # fmt: skip


def test_each_kept_document_of_the_shard_that_stands_for_others_is_a_cluster_the_most_alike_first(
    tmp_path: Path,
) -> None:
    run(tmp_path)
    rows = pq.read_table(tmp_path / "provenance/docs/clusters-00000-of-00002.parquet").to_pylist()
    assert [tuple(row.values())[:5] for row in rows] == [("bb" * 16, "docs", 5, 1, 3), ("dd" * 16, "docs", 2, 1, 0)]
    assert rows[1]["members"] == [{"id": "f4" * 16, "source": "other", "similarity": 1_000_000}]
    assert [(row["id"][:2], row["similarity"], row["source"]) for row in rows[0]["members"]] == [
        ("f9", 1_000_000, "docs"), ("f1", 900_000, "other"), ("f3", 900_000, "docs"), ("f2", 812_345, "other"),
    ]  # fmt: skip


def test_a_shard_without_rows_has_its_four_files(tmp_path: Path) -> None:
    files = {
        "losers": spill(tmp_path / "losers", [], LOSERS), "members": spill(tmp_path / "members", [], MEMBERS),
    }  # fmt: skip
    parameters = {"source": "docs", "shard": 1, "shards": 2, "license": "MIT", **KEYS}
    result = task.run(parameters, files, tmp_path, lambda *_: None)
    assert [file["rows"] for file in result["files"]] == [0, 0, 0, 0]
    assert all((tmp_path / file["name"]).is_file() for file in result["files"])
