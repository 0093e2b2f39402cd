"""Parquet: one row, one document, with the names of the columns that hold text, URL and title.

A file of 521 bytes can hold 200 GB of text, and its footer may lie about it: rows are read in small batches, text as
dictionary indices, and what comes out is held against BOMB_RATIO. Pages that ask for more memory than the process may have
(the engine bounds a worker's) count as a bomb, too.
"""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import TaskError
from pipeline.formats import jsonl
from pipeline.formats.compressed import is_bomb
from pipeline.formats.interface import RECORD_LIMIT, Bomb, Format, Member, Options, Truncated
from pipeline.model import Document, Fault, Pointer, Record, Refusal
from pipeline.trust import canonical

MEMBER_BYTES = 4 * RECORD_LIMIT  # of a Parquet file inside an archive: it is read from its end, so it is held whole
BATCH_BYTES = 4 << 20  # that a batch should have, going by the footer
BATCH_ROWS = 1024
DICTIONARY_BYTES = 64 << 20  # of a row group, up to which its text may be held as a dictionary
THRIFT_LIMIT = 64 << 20  # bytes of the footer's strings; elements of its lists


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """The rows. Raw: RFC 8785 of {column: value} of the named columns, values that are no strings as strings.

    Raises TaskError where a named column is not there or holds no text, Truncated where the file is no whole Parquet file,
    Bomb where it grows beyond BOMB_RATIO.
    """
    stream: Any = member.stream
    if member.name is not None or not stream.seekable():
        data = stream.read(MEMBER_BYTES + 1)
        if len(data) > MEMBER_BYTES:
            why = f"more than {MEMBER_BYTES:,} bytes inside an archive"
            yield Fault(Pointer(member.name, None, None, 0), "unreadable:too_large", why)
            return
        stream = io.BytesIO(data)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    try:
        yield from _rows(pq.ParquetFile(stream, **_options(None)), stream, size, member.name, options)
    except (MemoryError, pa.ArrowMemoryError) as error:
        raise Bomb(f"a page of the Parquet file asks for more memory than there is: {error}") from error
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise Truncated(f"no whole Parquet file: {error}"[:300]) from error


def _options(dictionary: list[str] | None) -> dict[str, Any]:
    return {
        "read_dictionary": dictionary, "page_checksum_verification": True, "pre_buffer": False,
        "thrift_string_size_limit": THRIFT_LIMIT, "thrift_container_size_limit": THRIFT_LIMIT,
    }  # fmt: skip


def _rows(file: Any, stream: Any, size: int, name: str | None, options: Options) -> Iterator[Record | Fault]:
    columns = _columns(file.schema_arrow, name, options)
    metadata = file.metadata
    if is_bomb(claimed := sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)), size):
        raise Bomb(f"the Parquet file has {size:,} bytes and says that it holds {claimed:,}")
    produced = index = 0
    for batch in _batches(stream, file, columns):
        cells = [_cells(batch.column(column)) for column in columns]
        for values in zip(*cells, strict=True):
            pointer = Pointer(name, None, None, index)
            index += 1
            produced += sum(len(value) for value in values if value is not None)
            if is_bomb(produced, size):
                raise Bomb(f"the Parquet file has {size:,} bytes; its first {index:,} rows hold {produced:,}")
            yield _record(pointer, dict(zip(columns, values, strict=True)))


def _batches(stream: Any, file: Any, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Rows of some BATCH_BYTES, going by the footer, a row group at a time.

    Text comes as dictionary indices, so that a value that stands in a million rows is there once. The dictionary holds
    whatever a row group holds, so groups that say they are large come as they are, in small batches.
    """
    schema, metadata = file.schema_arrow, file.metadata
    strings = [column for column in columns if _is_text(schema.field(column).type)]
    plain, indexed = file, pq.ParquetFile(stream, **_options(strings))
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        claimed = group.total_byte_size
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES * group.num_rows // max(claimed, 1)))
        reader = indexed if claimed <= DICTIONARY_BYTES else plain
        yield from reader.iter_batches(batch_size=rows, row_groups=[number], columns=columns, use_threads=False)


def _record(pointer: Pointer, values: dict[str, bytes | str | None]) -> Record | Fault:
    if sum(len(value) for value in values.values() if value is not None) > RECORD_LIMIT:
        return Fault(pointer, "unreadable:too_large", f"a row of more than {RECORD_LIMIT:,} bytes")
    try:
        row = {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}
    except UnicodeDecodeError as error:
        return Fault(pointer, "unreadable:charset", f"no UTF-8 at byte {error.start:,} of a value")
    return Record(pointer, canonical.dumps(row), {name: value for name, value in row.items() if value is not None})


def _columns(schema: pa.Schema, name: str | None, options: Options) -> list[str]:
    """The named columns, once each, text first. Raises TaskError."""
    wanted = [options[key] for key in ("text", "url", "title") if options.get(key)]
    where = name or "the Parquet file"
    hint = f"its columns are {', '.join(f'{field.name} ({field.type})' for field in schema)}"
    for column in wanted:
        if schema.get_field_index(column) < 0:
            raise TaskError(
                f"has no column {column!r}", where=where, wanted=hint, hint="name them in the recipe's format"
            )
    if not _is_text(schema.field(wanted[0]).type):
        raise TaskError(f"the column {wanted[0]!r} holds no text", where=where, wanted=hint)
    return list(dict.fromkeys(wanted))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        check(kind)
        for check in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def _cells(column: pa.Array) -> list[bytes | str | None]:
    """A column's values: text as the bytes that stand in the file (they may be no UTF-8), all else as strings."""
    if not _is_text(column.type):
        return [None if value is None else str(value) for value in column.to_pylist()]
    if not pa.types.is_dictionary(column.type):
        return list(column.cast(pa.large_binary()).to_pylist())
    known = column.dictionary.cast(pa.large_binary()).to_pylist()
    indices = column.indices.to_pylist()
    if any(index is not None and not 0 <= index < len(known) for index in indices):
        raise ValueError(f"a row names a value beyond the {len(known):,} of its dictionary")
    return [None if index is None else known[index] for index in indices]


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The row's text, URL and title."""
    columns = [options[key] for key in ("text", "url", "title") if options.get(key)]
    return jsonl.document({column: record.hints.get(column) for column in columns}, options)


FORMAT = Format(records, extract)
