"""A release against its own artifacts, by independent code: counts, pointers, texts, and the tools that people use."""

import hashlib
import hmac
import json
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from checks import artifacts
from pipeline.sources.fetch import Cache

SAMPLE = 50


@pytest.fixture(scope="session")
def manifest(release: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((release / "manifest.json").read_bytes())
    return dict(value["predicate"])


def rows(release: Path, kind: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
    files = sorted(release.glob(f"provenance/*/{kind}-*.parquet"))
    return [row for path in files for row in pq.read_table(path, columns=columns).to_pylist()]


def test_every_source_has_as_many_rows_as_other_code_finds_records(release: Path, manifest: dict[str, Any]) -> None:
    specs = {source["name"]: source for source in manifest["recipe"]["sources"]}
    unreadable = {
        (row["artifact_sha256"], row["member"])
        for row in rows(release, "dropped", ["artifact_sha256", "member", "stage"])
        if row["stage"] == "read"
    }
    for source in manifest["sources"]:
        spec = specs[source["name"]]
        for artifact in source["artifacts"]:
            path = Cache().path(artifact["sha256"])
            found = artifacts.members(path)
            names = [""] if "" in found else list(artifacts.selected(list(found), spec))
            expected = sum(
                artifacts.count(artifacts.plain(found[name]), spec["format"])
                for name in names
                if (artifact["sha256"], name) not in unreadable or spec["format"]["kind"] == "jsonl"
            )
            if "" not in found:
                expected += len(list(artifacts.selected(artifacts.links(path), spec)))
                expected += sum((artifact["sha256"], name) in unreadable for name in names) * (
                    spec["format"]["kind"] != "jsonl"
                )
            assert artifact["read"] == expected, artifact["purl"]
        assert source["read"] == source["kept"] + source["dropped"]


@pytest.mark.parametrize("kind", ["kept", "dropped"])
def test_pointers_lead_to_bytes_with_the_digest_of_the_row(release: Path, manifest: dict[str, Any], kind: str) -> None:
    formats = {source["name"]: source["format"]["kind"] for source in manifest["recipe"]["sources"]}
    candidates = [row for row in rows(release, kind) if row["record_hmac"] is not None]
    chosen = random.Random(20261123).sample(candidates, min(SAMPLE, len(candidates)))
    for row in sorted(chosen, key=lambda row: row["artifact_sha256"]):
        found = artifacts.members(Cache().path(row["artifact_sha256"]))
        data = artifacts.plain(found[row["member"] or ""])
        if row["offset"] is None:
            assert formats[row["source"]] == "json", "other records are runs of bytes"
            piece = _subtree(data, row["path"] or "")
            assert _keyed(row["artifact_sha256"], piece) == row["record_hmac"], row["id"]
            continue
        piece = data[row["offset"] : row["offset"] + row["length"]]
        assert _keyed(row["artifact_sha256"], piece) == row["record_hmac"], row["id"]
        assert len(piece) == row["record_bytes"]


def _keyed(artifact: str, data: bytes) -> str:
    """As docs/format.md has it, by other code."""
    key = hashlib.sha256(b"pellucid/ledger-key/v1\0" + Cache().path(artifact).read_bytes()).digest()
    return hmac.new(key, hashlib.sha256(data).digest(), "sha256").hexdigest()


def _subtree(data: bytes, path: str) -> bytes:
    value = json.loads(data)
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_texts_have_the_digest_of_their_row(release: Path) -> None:
    for path in sorted(release.glob("data/*/*.parquet")):
        kept = release / "provenance" / path.parent.name / path.name.replace("train-", "kept-")
        texts = pq.read_table(path, columns=["id", "text"]).to_pylist()
        for row, known in zip(texts, pq.read_table(kept, columns=["id", "text_sha256"]).to_pylist(), strict=True):
            assert row["id"] == known["id"]
            assert hashlib.sha256(row["text"].encode()).hexdigest() == known["text_sha256"]


def test_no_two_kept_documents_say_the_same(release: Path) -> None:
    keys = [row["exact_sha256"] for row in rows(release, "kept", ["exact_sha256"])]
    assert len(keys) == len(set(keys))


def test_datasets_reads_texts_and_provenance(release: Path, manifest: dict[str, Any], tmp_path: Path) -> None:
    from datasets import load_dataset

    texts = load_dataset(str(release), split="train", cache_dir=str(tmp_path))
    provenance = load_dataset(str(release), "provenance", split="train", cache_dir=str(tmp_path))
    dropped = load_dataset(str(release), "dropped", split="train", cache_dir=str(tmp_path))
    assert len(texts) == len(provenance) == manifest["totals"]["kept"]
    assert len(dropped) == manifest["totals"]["dropped"]
    assert texts[0]["id"] == provenance[0]["id"]


def test_duckdb_reads_the_release(release: Path, manifest: dict[str, Any]) -> None:
    query = f"SELECT count(*), sum(text_bytes) FROM read_parquet('{release}/provenance/*/kept-*.parquet')"
    assert duckdb.sql(query).fetchall() == [(manifest["totals"]["kept"], manifest["totals"]["text_bytes"])]
