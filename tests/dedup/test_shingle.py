"""The sets of documents that are compared, read again from survivors, against the reference in docs/minhash.md."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.dedup import shingle
from pipeline.dedup.interface import SHINGLES, WANTED
from tests.dedup.small_corpus import NEAR, Document, curated, quiet, table
from tests.kernels.test_shingles import expected

TEXTS = [
    "", "one", "one two three four five six seven", "\u6f22\u5b57\u304b\u306a\u3092\u66f8\u304f", " \n", "a b " * 30,
    "caf\u00e9 one two three", "cafe\u0301 one two three", "z " * 9 + "\U0001f600", "one two", *(f"n{k} x" for k in range(20)),
]  # fmt: skip
DOCUMENTS = [Document(number * 2**120 // 26 + number, "a", text) for number, text in enumerate(TEXTS)]


def wanted(path: Path, rows: list[int]) -> Path:
    with pa.ipc.new_file(path, WANTED) as writer:
        writer.write_table(pa.table([pa.array(rows, pa.uint32())], schema=WANTED))
    return path


def run(folder: Path, rows: list[int], parameters: dict[str, int] | None = None, **arguments: Any) -> list[dict]:
    files = curated(folder / "curated", DOCUMENTS, NEAR, **{"batch": 4, "shards": 3, **arguments})
    files["wanted"] = wanted(folder / "wanted", rows)
    result = shingle.run(parameters or {"words": 5, "characters": 500_000}, files, folder, quiet)
    assert result == {"documents": len(rows)}
    found = table(folder / "shingles.arrow")
    assert found.schema == SHINGLES
    return found.to_pylist()


@pytest.mark.parametrize("rows", [[0], [2, 3], [25], list(range(26)), list(range(1, 26, 2))])
def test_each_wanted_document_has_the_set_of_its_text_under_its_row(tmp_path: Path, rows: list[int]) -> None:
    found = run(tmp_path, rows)
    assert len(found) == len(rows)
    assert {row["row"]: row["hashes"] for row in found} == {row: expected(TEXTS[row]) for row in rows}


@pytest.mark.parametrize("shards", [1, 2, 9])
@pytest.mark.parametrize("batch", [1, 5, 100])
def test_sets_are_the_same_however_survivors_are_cut(tmp_path: Path, batch: int, shards: int) -> None:
    rows = [1, 2, 5, 6, 7, 21]
    found = run(tmp_path, rows, batch=batch, shards=shards)
    assert {row["row"]: row["hashes"] for row in found} == {row: expected(TEXTS[row]) for row in rows}


def test_words_and_characters_are_those_of_the_recipe(tmp_path: Path) -> None:
    rows = list(range(10))
    found = run(tmp_path, rows, {"words": 2, "characters": 9})
    assert {row["row"]: row["hashes"] for row in found} == {row: expected(TEXTS[row], 2, 9) for row in rows}


def test_no_wanted_documents_have_no_sets(tmp_path: Path) -> None:
    assert run(tmp_path, []) == []


def test_progress_tells_documents_and_bytes_of_text(tmp_path: Path) -> None:
    files = curated(tmp_path / "curated", DOCUMENTS, NEAR, batch=26, shards=1)
    files["wanted"] = wanted(tmp_path / "wanted", [2, 3, 8])
    seen: list[tuple[int, int]] = []
    shingle.run({"words": 5, "characters": 9}, files, tmp_path, lambda *made: seen.append(made))
    assert seen == [(3, sum(len(TEXTS[row].encode()) for row in (2, 3, 8)))]


def test_a_wanted_document_that_is_not_among_the_survivors_is_an_error(tmp_path: Path) -> None:
    files = curated(tmp_path / "curated", DOCUMENTS, NEAR, batch=26, shards=4)
    del files["survivors-00002.arrow"]
    files["wanted"] = wanted(tmp_path / "wanted", list(range(26)))
    with pytest.raises(ValueError, match=r"26 documents are wanted, \d+ of them are among the survivors"):
        shingle.run({"words": 5, "characters": 9}, files, tmp_path, quiet)
