"""Canonical rows: the bytes of a Parquet row that its leaf in a Merkle tree is the hash of, whatever wrote the Parquet.

A row's leaf data is, in this order:
1. `pellucid/KIND/v1` and a NUL byte, KIND being the kind of its file (data, kept, dropped, clusters, removed);
2. every column that is no list and no struct, in the order of the schema, each as a value;
3. where the schema has lists or structs, the SHA-256 of: the SHA-256 of the canonical JSON (RFC 8785) of an object from
   the name of each such column to the names of its fields (none for a list of plain items); then these columns as values.
So that a proof can show the columns of point 2 and stay small, and still stands for all of the row.

Values are as in `values`; the column `text` stands as the SHA-256 (a digest) of its UTF-8 bytes. Here a column at a time,
by Arrow and numpy; only the hashes are taken one by one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import canonical, merkle
from pipeline.trust.values import DIGEST, INTEGER, LIST, NULL, STRING, STRUCT, tag

Bytes = npt.NDArray[np.uint8]
BATCH_ROWS = 4096


def leaf_hashes(kind: str, rows: pa.RecordBatch, texts: Sequence[bytes] = ()) -> list[bytes]:
    """The leaf hash (RFC 9162, 2.1.1) of each row of a file of this kind; `texts`: the SHA-256 of each row's `text`, if it
    has one.
    """
    return _sha256s(_joined([pa.scalar(b"\0", pa.binary()), *_parts(kind, rows, texts)]))


def content_root(kind: str, table: pa.Table) -> bytes:
    """The root over the leaves of a file's rows; of a file with texts, the column `text_sha256` (hex) has their digests."""
    tree = merkle.Tree()
    for rows in table.to_batches(max_chunksize=BATCH_ROWS):
        texts: list[bytes] = []
        if "text" in table.column_names:
            digests = b"".join(map(bytes.fromhex, rows.column("text_sha256").to_pylist()))
            texts = [digests[at : at + 32] for at in range(0, len(digests), 32)]
            rows = rows.drop_columns(["text_sha256"])
        tree.extend(leaf_hashes(kind, rows, texts))
    return tree.root()


def leaf_data(kind: str, rows: pa.RecordBatch, texts: Sequence[bytes] = ()) -> list[bytes]:
    """What `leaf_hashes` hashes behind a byte 0."""
    found: list[bytes] = _joined(list(_parts(kind, rows, texts))).to_pylist()
    return found


def nested_digests(rows: pa.RecordBatch) -> list[bytes]:
    """The SHA-256 of point 3 for each row; empty where no column is a list or struct."""
    columns = [(field.name, column) for field, column in zip(rows.schema, rows.columns, strict=True) if _nested(field)]
    if not columns:
        return []
    names = {name: _field_names(column.type) for name, column in columns}
    head = hashlib.sha256(canonical.dumps(names)).digest()
    return _sha256s(_joined([pa.scalar(head, pa.binary()), *(_value(column) for _, column in columns)]))


def scalars(schema: pa.Schema) -> list[str]:
    """The names of the columns of point 2."""
    return [field.name for field in schema if not _nested(field)]


def _parts(kind: str, rows: pa.RecordBatch, texts: Sequence[bytes]) -> Iterator[pa.Array | pa.Scalar]:
    """Binary columns that put together give the leaf data of each row."""
    yield pa.scalar(tag(kind), pa.binary())
    for field, column in zip(rows.schema, rows.columns, strict=True):
        if field.name == "text":
            if len(texts) != len(rows):
                raise ValueError(f"{len(texts)} digests of texts for {len(rows)} rows")
            yield pa.scalar(bytes([DIGEST]), pa.binary())
            yield _fixed(np.frombuffer(b"".join(texts), np.uint8).reshape(-1, 32))
        elif pa.types.is_string(field.type):
            yield from _string(column)
        elif not _nested(field):
            yield _value(column)
    if digests := nested_digests(rows):
        yield _fixed(np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32))


def _value(column: pa.Array) -> pa.Array:
    """A column's values as binary."""
    kind = column.type
    if pa.types.is_int64(kind):
        return _fixed(_integers(column), column)
    if pa.types.is_string(kind):
        return _joined(list(_string(column)))
    if pa.types.is_list(kind):
        return _lists(column)
    if pa.types.is_struct(kind):
        return _structs(column)
    raise TypeError(f"a column of {kind} has no canonical form")


def _string(column: pa.Array) -> Iterator[pa.Array]:
    """Type and length, then the bytes."""
    lengths = pc.binary_length(column).fill_null(0).to_numpy().astype(">u4")
    head = np.empty((len(column), 5), np.uint8)
    head[:, 0] = STRING
    head[:, 1:] = lengths.view(np.uint8).reshape(-1, 4)
    yield _fixed(head, column)
    yield (column.fill_null("") if column.null_count else column).cast(pa.binary())


def _structs(column: pa.Array) -> pa.Array:
    fields = [column.field(index) for index in range(column.type.num_fields)]
    head = bytes([STRUCT]) + len(fields).to_bytes(4, "big")
    if fields and all(pa.types.is_int64(field.type) and not field.null_count for field in fields):
        rows = np.empty((len(column), 5 + 9 * len(fields)), np.uint8)
        rows[:, :5] = np.frombuffer(head, np.uint8)
        for index, field in enumerate(fields):
            rows[:, 5 + 9 * index : 14 + 9 * index] = _integers(field)
        return _fixed(rows, column)
    found = _joined([pa.scalar(head, pa.binary()), *(part for field in fields for part in _pieces(field))])
    return pc.if_else(column.is_valid(), found, pa.scalar(None, pa.binary())) if column.null_count else found


def _pieces(column: pa.Array) -> Iterator[pa.Array]:
    if pa.types.is_string(column.type):
        yield from _string(column)
    else:
        yield _value(column)


def _lists(column: pa.Array) -> pa.Array:
    """The items of a list lie one after another: their bytes are one slice of the bytes of all items."""
    if column.null_count:
        raise TypeError("a list that may be null has no canonical form")
    lengths = pc.list_value_length(column).to_numpy()
    items = _joined([_value(column.flatten())])
    ends = np.frombuffer(items.buffers()[1], np.int32)[items.offset : items.offset + len(items) + 1]
    offsets = ends[np.concatenate([[0], np.cumsum(lengths)])]
    bodies = pa.Array.from_buffers(
        pa.binary(), len(column), [None, pa.py_buffer(np.ascontiguousarray(offsets)), items.buffers()[2]]
    )
    head = np.empty((len(column), 5), np.uint8)
    head[:, 0] = LIST
    head[:, 1:] = lengths.astype(">u4").view(np.uint8).reshape(-1, 4)
    return _joined([_fixed(head), bodies])


def _integers(column: pa.Array) -> Bytes:
    """(rows, 9): the values of an int64 column; of a null, something."""
    values = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column)]
    found = np.empty((len(column), 9), np.uint8)
    found[:, 0] = INTEGER
    found[:, 1:] = values.astype(">i8").view(np.uint8).reshape(-1, 8)
    return found


def _fixed(rows: Bytes, like: pa.Array | None = None) -> pa.Array:
    """A (rows, width) matrix as binary, null where `like` is: `_joined` writes a null as the byte NULL."""
    count, width = rows.shape
    if count * width >= 1 << 31:
        raise ValueError(f"{count * width} bytes of canonical rows in one batch; wanted: below 2 GB")
    offsets = np.arange(0, count * width + 1, width, dtype=np.int32)
    valid = None
    if like is not None and like.null_count:
        valid = pa.py_buffer(np.packbits(like.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))
    return pa.Array.from_buffers(
        pa.binary(), count, [valid, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(rows))]
    )


def _joined(parts: Sequence[pa.Array | pa.Scalar]) -> pa.Array:
    """The parts of each row, one after another; none of the result is null."""
    return pc.binary_join_element_wise(
        *parts, pa.scalar(b"", pa.binary()), null_handling="replace", null_replacement=bytes([NULL])
    )


def _sha256s(column: pa.Array) -> list[bytes]:
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    data, sha256 = memoryview(column.buffers()[2] or b""), hashlib.sha256
    return [sha256(data[begin:end]).digest() for begin, end in pairwise(offsets.tolist())]


def _nested(field: pa.Field) -> bool:
    return bool(pa.types.is_nested(field.type))


def _field_names(kind: pa.DataType) -> list[Any]:
    """Names of a struct's fields, or of those of a list's items."""
    inner = kind.value_type if pa.types.is_list(kind) else kind
    return [inner.field(index).name for index in range(inner.num_fields)] if pa.types.is_struct(inner) else []
