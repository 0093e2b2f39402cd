"""Blocks of a source: exact counts, whatever the artifacts, their order and the memory; sorted runs that merge."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate import line_blocks, line_counts, line_runs
from pipeline.errors import TaskError
from pipeline.kernels import blocks

LINES = st.sampled_from(
    ["home | about | help", "© 2024 Example Ltd", "a", "b", "c", "漢字", " a ", "", "  ", "two  words"]
)
TEXT = st.lists(LINES, max_size=6).map("\n".join).filter(str.strip)  # an empty one is no document
DOCUMENTS = st.lists(TEXT, max_size=12)


def artifact(folder: Path, texts: Sequence[str | None]) -> tuple[dict[str, Any], Path]:
    """A JSONL artifact; None stands for a record without text."""
    data = "".join(json.dumps({} if text is None else {"text": text}) + "\n" for text in texts).encode()
    sha256 = hashlib.sha256(data).hexdigest()
    path = folder / sha256
    path.write_bytes(data)
    return {"purl": "pkg:generic/lines", "file": "lines.jsonl", "sha256": sha256}, path


def counted(
    folder: Path, texts: Sequence[str | None], name: str = "counts", **parameters: Any
) -> tuple[Path, dict[str, Any]]:
    described, path = artifact(folder, texts)
    out = folder / name
    out.mkdir()
    given = {
        "artifact": described, "source": "s", "format": {"kind": "jsonl", "text": "text"}, "members": ["**"], "exclude": [],
        "unit": "line", "min_characters": 1, **parameters,
    }  # fmt: skip
    result = line_counts.run(given, {"artifact": path}, out, lambda _documents, _bytes: None)
    assert [path.name for path in out.iterdir()] == ["lines.arrow"]
    return out / "lines.arrow", result


def merged(folder: Path, paths: Sequence[Path], documents: int = 1, share: int = 0) -> tuple[bytes, dict[str, Any]]:
    """The bytes of blocks.arrow, and what the task returned."""
    files = {f"input-{number}": path for number, path in enumerate(paths)}
    out = folder / "blocks"
    out.mkdir(exist_ok=True)
    given = {"source": "s", "unit": "line", "min_documents": documents, "min_share": share, "inputs": list(files)}
    result = line_blocks.run(given, files, out, lambda _documents, _bytes: None)
    assert [path.name for path in out.iterdir()] == ["blocks.arrow"]
    return (out / "blocks.arrow").read_bytes(), result


def rows(data: bytes) -> dict[str, int]:
    with pa.ipc.open_file(pa.py_buffer(data)) as reader:
        table = reader.read_all()
    assert table.schema == blocks.COUNTS
    pairs = list(zip(table["hash"].to_pylist(), table["text"].to_pylist(), strict=True))
    assert pairs == sorted(pairs)
    return dict(zip(table["text"].to_pylist(), table["documents"].to_pylist(), strict=True))


def expected(texts: Sequence[str]) -> Counter[str]:
    compared = [{" ".join(line.split()) for line in text.split("\n")} - {""} for text in texts]
    return Counter(line for lines in compared for line in lines)


@settings(deadline=None)
@given(DOCUMENTS, st.integers(1, 5), st.integers(0, 1_000_000))
def test_a_block_stands_in_as_many_documents_as_both_bounds_ask(texts: list[str], documents: int, share: int) -> None:
    with TemporaryDirectory() as name:
        path, result = counted(Path(name), texts)
        assert result["documents"] == len(texts)
        data, result = merged(Path(name), [path], documents, share)
    threshold = max(documents, math.ceil(share * len(texts) / 1_000_000))
    found = {line: count for line, count in expected(texts).items() if count >= threshold}
    assert rows(data) == found
    assert result == {
        "documents": len(texts), "threshold": threshold, "blocks": len(found), "characters": sum(map(len, found)),
    }  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS, st.integers(0, 12), st.integers(0, 12), st.randoms(use_true_random=False))
def test_one_artifact_or_three_in_any_order_make_the_same_bytes(
    texts: list[str], first: int, second: int, random: Any
) -> None:
    low, high = sorted((first, second))
    parts = [texts[:low], texts[low:high], texts[high:]]
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole, result = merged(folder, [counted(folder, texts)[0]], 2)
        paths = [counted(folder, part, f"part-{number}")[0] for number, part in enumerate(parts)]
        random.shuffle(paths)
        assert merged(folder, paths, 2) == (whole, result)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 60).map("line number {}".format), min_size=1, max_size=80), st.integers(2, 5))
def test_little_memory_changes_nothing(lines: list[str], fan_in: int) -> None:
    texts = ["\n".join(lines[at : at + 3]) for at in range(len(lines))]
    with TemporaryDirectory() as name, TemporaryDirectory() as other:
        whole = counted(Path(name), texts)[0]
        with (
            patch.object(line_counts, "BATCH_BYTES", 1),
            patch.multiple(line_runs, RUN_BYTES=100, PIECE_BYTES=50, FAN_IN=fan_in),
        ):
            small = counted(Path(other), texts)[0]
            assert merged(Path(other), [small] * 7, 1) == merged(Path(name), [whole] * 7, 1)
        assert rows(merged(Path(other), [small])[0]) == expected(texts)


def test_no_more_than_a_run_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    add = line_runs.Runs.add

    def watched(self: line_runs.Runs, table: pa.Table) -> None:
        add(self, table)
        held.append(sum(each.nbytes for each in self.tables))

    monkeypatch.setattr(line_runs.Runs, "add", watched)
    monkeypatch.setattr(line_counts, "BATCH_BYTES", 1 << 10)
    monkeypatch.setattr(line_runs, "RUN_BYTES", 1 << 14)
    pieces = []
    join = line_runs.joined
    monkeypatch.setattr(line_runs, "PIECE_BYTES", 1 << 10)
    monkeypatch.setattr(line_runs, "joined", lambda runs: (pieces.append(t.nbytes) or t for t in join(runs)))
    path, result = counted(tmp_path, [f"a line that says {number}\nand another, {number}" for number in range(5000)])
    assert result["units"] == 10_000
    assert len(held) > 100  # batches
    assert max(held) <= 1 << 14
    assert len(pieces) > 100
    assert max(pieces) <= 20 * (2 << 10)  # runs, of a piece each
    assert sum(rows(merged(tmp_path, [path])[0]).values()) == 10_000


def test_units_of_one_hash_in_many_pieces_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    def table(texts: list[str], number: int = 7) -> pa.Table:
        columns = [pa.array([number] * len(texts), pa.uint64()), pa.array(texts, pa.large_string())]
        return pa.table([*columns, pa.array([1] * len(texts))], schema=blocks.COUNTS)

    runs = [[table(["a"]), table(["b", "c"]), table(["d"], 9)], [table(["b"]), table(["c"]), table(["x"], 8)], []]
    found = pa.concat_tables(list(line_runs.joined([iter(run) for run in runs])))
    assert found.to_pylist() == [
        {"hash": 7, "text": "a", "documents": 1}, {"hash": 7, "text": "b", "documents": 2},
        {"hash": 7, "text": "c", "documents": 2}, {"hash": 8, "text": "x", "documents": 1},
        {"hash": 9, "text": "d", "documents": 1},
    ]  # fmt: skip


def test_units_of_one_document_in_each_artifact_are_found(tmp_path: Path) -> None:
    paths = [counted(tmp_path, [f"own {number}", "shared line"], str(number))[0] for number in range(5)]
    assert rows(merged(tmp_path, paths, 5)[0]) == {"shared line": 5}


def test_units_of_too_few_documents_can_be_left_out_where_the_artifact_is_alone(tmp_path: Path) -> None:
    path, result = counted(tmp_path, ["a\nb", "a", "a\na"], least=2)
    assert result == {"documents": 3, "units": 1, "bytes": 7}
    assert rows(merged(tmp_path, [path], 2)[0]) == {"a": 3}


def test_records_without_text_are_no_documents(tmp_path: Path) -> None:
    path, result = counted(tmp_path, ["a", None, "a"])
    assert result["documents"] == 2
    assert merged(tmp_path, [path], 1, 1_000_000)[1]["threshold"] == 2


def test_an_empty_source_has_no_blocks(tmp_path: Path) -> None:
    data, result = merged(tmp_path, [counted(tmp_path, [])[0]])
    assert rows(data) == {}
    assert result == {"documents": 0, "threshold": 1, "blocks": 0, "characters": 0}


def test_the_rows_are_the_same_in_every_release(tmp_path: Path) -> None:
    path, _ = counted(tmp_path, ["home | about\na", "home | about\nb"])
    merged(tmp_path, [path], 2)
    with pa.ipc.open_file(tmp_path / "blocks" / "blocks.arrow") as reader:
        found = reader.read_all().to_pylist()
    assert found == [{"hash": 8637235322696235169, "text": "home | about", "documents": 2}]


def test_an_artifact_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    described, path = artifact(tmp_path, ["a"])
    path.write_bytes(b"other")
    with pytest.raises(TaskError, match="the cached file has sha256"):
        line_counts.run({"artifact": described}, {"artifact": path}, tmp_path, lambda _documents, _bytes: None)
