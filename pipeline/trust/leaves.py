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
from itertools import groupby, pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import canonical, merkle
from pipeline.trust.values import DIGEST, INTEGER, LIST, NULL, STRING, STRUCT, tag

Bytes = npt.NDArray[np.uint8]
# Of each row the next bytes of its leaf: a matrix, if every row has as many; int64, which stand for the matrix of their values;
# or binary, where a null stands for the byte NULL.
Part: TypeAlias = "npt.NDArray[Any] | pa.Array"
BATCH_ROWS = 4096


def leaf_hashes(kind: str, rows: pa.RecordBatch, texts: Sequence[bytes] = ()) -> list[bytes]:
    """The leaf hash (RFC 9162, 2.1.1) of each row of a file of this kind; `texts`: the SHA-256 of each row's `text`, if it
    has one.
    """
    return _sha256s(_joined([_same(b"\0", len(rows)), *_parts(kind, rows, texts)]))


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
    return _sha256s(_joined([_same(head, len(rows)), *(part for _, column in columns for part in _value(column))]))


def scalars(schema: pa.Schema) -> list[str]:
    """The names of the columns of point 2."""
    return [field.name for field in schema if not _nested(field)]


def _parts(kind: str, rows: pa.RecordBatch, texts: Sequence[bytes]) -> Iterator[Part]:
    """What, put together, gives the leaf data of each row."""
    yield _same(tag(kind), len(rows))
    for field, column in zip(rows.schema, rows.columns, strict=True):
        if field.name == "text":
            if len(texts) != len(rows):
                raise ValueError(f"{len(texts)} digests of texts for {len(rows)} rows")
            yield _same(bytes([DIGEST]), len(rows))
            yield _digests(texts)
        elif not _nested(field):
            yield from _value(column)
    if digests := nested_digests(rows):
        yield _digests(digests)


def _value(column: pa.Array) -> Iterator[Part]:
    """A column's values."""
    kind = column.type
    if pa.types.is_int64(kind):
        yield from _integers(column)
    elif pa.types.is_string(kind):
        yield from _strings(column)
    elif pa.types.is_list(kind):
        yield from _lists(column)
    elif pa.types.is_struct(kind):
        yield from _structs(column)
    else:
        raise TypeError(f"a column of {kind} has no canonical form")


def _integers(column: pa.Array) -> Iterator[Part]:
    values = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column)]
    if not column.null_count:
        yield values
    elif column.null_count == len(column):
        yield _same(bytes([NULL]), len(column))
    else:
        yield _binary(_matrix([values], len(column)), column)


def _strings(column: pa.Array) -> Iterator[Part]:
    """Type and length, then the bytes. Digests and ids have one length: of such a column the bytes are a matrix, too."""
    count = len(column)
    if count and column.null_count == count:
        yield _same(bytes([NULL]), count)
        return
    ends = _offsets(column)
    lengths = ends[1:] - ends[:-1]
    head = np.empty((count, 5), np.uint8)
    head[:, 0] = STRING
    head[:, 1:] = lengths.astype(">u4").view(np.uint8).reshape(-1, 4)
    if column.null_count:
        yield _binary(head, column)
        yield column.fill_null("").cast(pa.binary())
        return
    yield head
    if count and lengths.min() == lengths.max():
        yield np.frombuffer(column.buffers()[2] or b"", np.uint8)[ends[0] : ends[-1]].reshape(count, -1)
    else:
        yield column.cast(pa.binary())


def _structs(column: pa.Array) -> Iterator[Part]:
    fields = column.flatten()
    head = bytes([STRUCT]) + len(fields).to_bytes(4, "big")
    parts = [_same(head, len(column)), *(part for field in fields for part in _value(field))]
    if column.null_count:
        yield pc.if_else(column.is_valid(), _joined(parts), pa.scalar(None, pa.binary()))
    else:
        yield from parts


def _lists(column: pa.Array) -> Iterator[Part]:
    """The items of a list lie one after another: their bytes are one slice of the bytes of all items."""
    if column.null_count:
        raise TypeError("a list that may be null has no canonical form")
    lengths = pc.list_value_length(column).to_numpy()
    head = np.empty((len(column), 5), np.uint8)
    head[:, 0] = LIST
    head[:, 1:] = lengths.astype(">u4").view(np.uint8).reshape(-1, 4)
    yield head
    if lengths.any():
        items = _joined(list(_value(column.flatten())))
        offsets = _offsets(items)[np.concatenate([[0], np.cumsum(lengths)])]
        yield pa.Array.from_buffers(
            pa.binary(), len(column), [None, pa.py_buffer(np.ascontiguousarray(offsets)), items.buffers()[2]]
        )


def _joined(parts: Sequence[Part]) -> pa.Array:
    """The parts of each row, one after another, as binary; none of the result is null. Matrices side by side are one part."""
    count = len(parts[0])
    whole: list[pa.Array] = []
    for fixed, group in groupby(parts, lambda part: isinstance(part, np.ndarray)):
        found = list(group)
        whole += [_binary(_matrix(found, count))] if fixed else found
    if len(whole) == 1 and not whole[0].null_count:
        return whole[0]
    return pc.binary_join_element_wise(
        *whole, pa.scalar(b"", pa.binary()), null_handling="replace", null_replacement=bytes([NULL])
    )


def _matrix(parts: Sequence[npt.NDArray[Any]], count: int) -> Bytes:
    """(rows, width): matrices side by side, and integers as values of 9 bytes."""
    widths = [9 if part.ndim == 1 else part.shape[1] for part in parts]
    found, at = np.empty((count, sum(widths)), np.uint8), 0
    for part, own in zip(parts, widths, strict=True):
        if part.ndim == 1:
            found[:, at] = INTEGER
            found[:, at + 1 : at + 9].view(">i8")[:, 0] = part
        else:
            found[:, at : at + own] = part
        at += own
    return found


def _binary(rows: Bytes, like: pa.Array | None = None) -> pa.Array:
    """A (rows, width) matrix as binary, null where `like` is: `_joined` writes a null as the byte NULL."""
    count, width = rows.shape
    if count * width >= 1 << 31:
        raise ValueError(f"{count * width} bytes of canonical rows in one batch; wanted: below 2 GB")
    offsets = np.arange(0, count * width + 1, width, dtype=np.int32)
    valid = None
    if like is not None and like.null_count:
        valid = pa.py_buffer(np.packbits(like.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), count, [valid, pa.py_buffer(offsets), pa.py_buffer(rows)])


def _same(data: bytes, count: int) -> Bytes:
    """The same bytes in each row."""
    return np.broadcast_to(np.frombuffer(data, np.uint8), (count, len(data)))


def _digests(digests: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def _offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """Where the bytes of each string or binary begin, and the last ends."""
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]


def _sha256s(column: pa.Array) -> list[bytes]:
    data, sha256 = memoryview(column.buffers()[2] or b""), hashlib.sha256
    return [sha256(data[begin:end]).digest() for begin, end in pairwise(_offsets(column).tolist())]


def _nested(field: pa.Field) -> bool:
    return bool(pa.types.is_nested(field.type))


def _field_names(kind: pa.DataType) -> list[Any]:
    """Names of a struct's fields, or of those of a list's items."""
    inner = kind.value_type if pa.types.is_list(kind) else kind
    return [inner.field(index).name for index in range(inner.num_fields)] if pa.types.is_struct(inner) else []
