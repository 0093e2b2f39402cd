"""The edit that removes a source's blocks, from the documents to the file and back."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.curate import repeated_lines
from pipeline.kernels import blocks

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
