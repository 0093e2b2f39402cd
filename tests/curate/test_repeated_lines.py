"""The edit that removes a source's blocks, from the documents to the file and back."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.curate import edits, repeated_lines
from pipeline.kernels import blocks
from pipeline.recipe_rules import C4Rule

PAGES = [
    "Home | Products | Contact\n\nThe first page.\n\n(c) 2024 Example Ltd\n",
    "  Home | Products |  Contact\n\nThe second page.\n\n(c) 2024 Example Ltd\n",
    "Home | Products | Contact\n(c) 2024 Example Ltd\n",
    "Nothing that repeats.  \r\n",
]


def file(folder: Path, texts: list[str], documents: int) -> Path:
    counts = blocks.count(pa.array(texts, pa.large_string()))
    path = folder / "blocks.arrow"
    with pa.ipc.new_file(path, blocks.COUNTS) as writer:
        writer.write_table(counts.filter(pa.compute.greater_equal(counts["documents"], documents)))
    return path


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_navigation_and_footers_go_and_a_page_of_nothing_else_is_empty(tmp_path: Path, kind: pa.DataType) -> None:
    edited, spans = repeated_lines.apply(pa.array(PAGES, kind), file(tmp_path, PAGES, 3))
    assert edited.to_pylist() == ["The first page.\n", "The second page.\n", "", PAGES[3]]
    assert spans.tolist() == [2, 2, 2, 0]
    assert edited.type == pa.large_string()


def test_a_source_without_blocks_is_left_as_it_is(tmp_path: Path) -> None:
    edited, spans = repeated_lines.apply(pa.array(PAGES), file(tmp_path, PAGES, 99))
    assert edited.to_pylist() == PAGES
    assert not spans.any()


def test_blocks_written_anew_are_read_anew(tmp_path: Path) -> None:
    before, _ = repeated_lines.apply(pa.array(PAGES), file(tmp_path, PAGES, 99))
    after, _ = repeated_lines.apply(pa.array(PAGES), file(tmp_path, PAGES, 3))
    assert before.to_pylist() != after.to_pylist()


def test_no_texts_come_back_as_none(tmp_path: Path) -> None:
    edited, spans = repeated_lines.apply(pa.array([], pa.large_string()), file(tmp_path, PAGES, 3))
    assert (len(edited), len(spans)) == (0, 0)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def removed(folder: Path, texts: list[str]) -> repeated_lines.Removed:
    path = file(folder, texts, 3)
    return repeated_lines.remove(pa.array(texts, pa.large_string()), path, unit="line", min_characters=20)


def test_each_edit_is_told_and_what_would_be_emptied_stays_as_it_was(tmp_path: Path) -> None:
    found = removed(tmp_path, PAGES)
    assert found.texts.to_pylist() == ["The first page.\n", "The second page.\n", PAGES[2], PAGES[3]]
    assert found.edits == [
        [{"edit": "repeated_lines", "spans": 2, "characters": len(before) - len(after), "sha256_before": sha256(before),
          "sha256_after": sha256(after)}]
        for before, after in zip(PAGES[:2], found.texts.to_pylist()[:2], strict=True)
    ] + [[], []]  # fmt: skip
    assert (found.check.reason, found.check.values.tolist()) == ("repeated_lines/emptied", [0, 0, 1_000_000, 0])
    assert found.check.fails().tolist() == [False, False, True, False]


def test_a_text_of_white_space_that_holds_no_block_is_not_emptied(tmp_path: Path) -> None:
    found = removed(tmp_path, [*PAGES, " \n ", ""])
    assert found.check.fails().tolist() == [False, False, True, False, False, False]


def test_the_edits_of_rules_follow_in_the_same_row(tmp_path: Path) -> None:
    texts = [f"{PAGES[number]}A whole sentence about number {number}.\nnone\n" for number in (0, 1, 0)]
    first = removed(tmp_path, texts)
    urls = np.array([""] * 3, object)
    given = edits.Batch(first.texts, ["a", "b", "c"], urls, np.array(["en"] * 3, object), first.edits)
    after = edits.apply(given, [C4Rule(rule="c4", min_sentences=None).model_dump(mode="json")])
    for row, text in enumerate(texts):
        one, two = after.edits[row]
        assert (one["edit"], two["edit"]) == ("repeated_lines", "c4")
        assert one["sha256_before"] == sha256(text)
        assert one["sha256_after"] == two["sha256_before"]
        assert two["sha256_after"] == sha256(after.texts[row].as_py())
    assert [len(made) for made in first.edits] == [1, 1, 1]
