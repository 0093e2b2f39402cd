"""The Parquet writer: same rows, same bytes; row groups bounded; nothing null that may not be."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.release import parquet, schemas


def data(texts: list[str]) -> pa.Table:
    count = len(texts)
    columns = {name: ["x"] * count for name in schemas.DATA.names} | {
        "id": [f"{number:032x}" for number in range(count)],
        "text": texts,
        "title": [None] * count,
    }
    return pa.table(columns, schema=schemas.DATA)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_bytes_depend_on_the_rows_alone_not_on_their_chunks(tmp_path: Path) -> None:
    table = data([f"text number {number}" * 50 for number in range(2000)])
    parquet.write(table, tmp_path / "one", schemas.DATA)
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7, 1500), table.slice(1507)])
    parquet.write(chunked, tmp_path / "two", schemas.DATA)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_null_flags_and_page_indexes_are_in_the_file(tmp_path: Path) -> None:
    parquet.write(data(["a", "b"]), tmp_path / "file", schemas.DATA)
    file = pq.ParquetFile(tmp_path / "file")
    assert [field.nullable for field in file.schema_arrow] == [field.nullable for field in schemas.DATA]
    column = file.metadata.row_group(0).column(0)
    assert column.has_offset_index
    assert column.has_column_index
    assert column.compression == "ZSTD"
    text = file.metadata.row_group(0).column(schemas.DATA.get_field_index("text"))
    assert not text.has_dictionary_page


def test_a_table_without_rows_is_a_file_that_reads(tmp_path: Path) -> None:
    parquet.write(data([]), tmp_path / "file", schemas.DATA)
    assert pq.read_table(tmp_path / "file").num_rows == 0


@pytest.mark.parametrize("flags", [True, False])
def test_a_null_where_none_may_be_is_refused(tmp_path: Path, flags: bool) -> None:
    schema = pa.schema([field.with_nullable(True) for field in schemas.DATA]) if flags else schemas.DATA
    columns = [pa.array([None if field.name == "text" else "x"], pa.string()) for field in schemas.DATA]
    with pytest.raises(ValueError, match="text"):
        parquet.write(pa.table(columns, schema=schema), tmp_path / "file", schemas.DATA)


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 3000), st.integers(1, 20))
def test_row_groups_cover_all_rows_within_bounds(sizes: list[int], most_bytes: int, most_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "ROW_GROUP_BYTES", most_bytes)
        patch.setattr(parquet, "ROW_GROUP_ROWS", most_rows)
        groups = list(parquet.row_groups(data(["x" * size for size in sizes])))
    assert [row for start, stop in groups for row in range(start, stop)] == list(range(len(sizes)))
    for start, stop in groups:
        assert stop - start <= most_rows
        assert stop - start == 1 or sum(512 + size for size in sizes[start:stop]) <= most_bytes
