"""The one function that writes a release's Parquet.

Same rows, same schema, same pyarrow: same bytes. So everything that has a default is said here, row groups depend on the
rows alone, and nothing of the moment (time, host, thread count) is in the file. pyarrow is pinned by hash because its
codec library and `created_by` are part of the bytes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_BYTES = 64 << 20  # of Arrow memory; the Hub's viewer refuses row groups above 286 MB
ROW_GROUP_ROWS = 65_536
NO_DICTIONARY = {"text", "id", "record_sha256", "text_sha256", "exact_sha256", "url"}  # (nearly) all values differ


def write(table: pa.Table, path: Path, schema: pa.Schema) -> None:
    """Write `table`, of that schema and one chunk, its rows in their order, to `path`. Raises ValueError where a column
    that may not be null is.
    """
    dictionaries = [
        field.name for field in schema if pa.types.is_string(field.type) and field.name not in NO_DICTIONARY
    ]
    with pq.ParquetWriter(
        path,
        schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        use_dictionary=dictionaries,
        write_statistics=True,
        write_page_index=True,
        write_page_checksum=False,
        data_page_size=1 << 20,
        data_page_version="1.0",
        store_schema=False,
    ) as writer:
        for start, stop in row_groups(table):
            writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)


def row_groups(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Half-open row ranges of at most ROW_GROUP_BYTES of text and ROW_GROUP_ROWS rows; one larger row stands alone."""
    sizes = np.full(table.num_rows, 512, np.int64)  # what a row needs beside its text, generously
    if "text" in table.column_names:
        sizes += np.concatenate([_lengths(chunk) for chunk in table.column("text").chunks] or [np.zeros(0, np.int64)])
    start, held = 0, 0
    for row, size in enumerate(sizes.tolist()):
        if row > start and (held + size > ROW_GROUP_BYTES or row - start >= ROW_GROUP_ROWS):
            yield start, row
            start, held = row, 0
        held += size
    if start < table.num_rows:
        yield start, table.num_rows


def _lengths(chunk: pa.Array) -> npt.NDArray[np.int64]:
    width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    offsets = np.frombuffer(chunk.buffers()[1], width)[chunk.offset : chunk.offset + len(chunk) + 1]
    wide = offsets.astype(np.int64)
    return wide[1:] - wide[:-1]
