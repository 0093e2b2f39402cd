"""From the plain digests of the work folder to the keyed ones of a release: whole columns, one HMAC a digest.

Only the HMAC itself is called row by row; digests are read from, and written to, the columns' buffers.
"""

import hmac
from collections.abc import Mapping
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.release import schemas

# Column of the release to the plain one of the work folder, under the artifact's key; `exact_hmac` is under the release's.
COLUMNS = {"record_hmac": "record_sha256", "text_hmac": "text_sha256"}
OF_EDIT = {"before_hmac": "sha256_before", "after_hmac": "sha256_after"}
HEX = 64


def published(table: pa.Table, keys: Mapping[str, bytes], release_key: bytes) -> pa.Table:
    """`table` (work rows of one source, kept or dropped) with the keyed columns, its edits keyed too.

    The plain columns stay: which of them a file has, its schema says. `keys`: by the artifact's SHA-256 (hex). Raises
    KeyError where a row is of another artifact.
    """
    table = table.combine_chunks()
    own = _of_rows(table.column("artifact_sha256"), keys)
    for name, plain in COLUMNS.items():
        table = table.append_column(name, _keyed(table.column(plain), own))
    whole = np.full(table.num_rows, release_key, object)
    table = table.append_column("exact_hmac", _keyed(table.column("exact_sha256"), whole))
    return table.set_column(table.schema.get_field_index("edits"), "edits", _edits(table.column("edits"), own))


def _of_rows(artifacts: pa.ChunkedArray, keys: Mapping[str, bytes]) -> Any:
    """The key of each row's artifact: (n,) of bytes objects."""
    encoded = _array(artifacts).dictionary_encode()
    known = np.array([*(keys[name] for name in encoded.dictionary.to_pylist()), None], object)
    return known[encoded.indices.to_numpy()]


def _keyed(column: Any, keys: Any) -> pa.Array:
    """Hex of the keyed digests of a column of hex digests; null where the column is. `keys`: (n,) of bytes objects."""
    array = _array(column)
    there = array.is_valid().to_numpy(zero_copy_only=False)
    plain = array.drop_null()
    count = len(plain)
    if count == 0:
        return pa.nulls(len(array), pa.string())
    offsets = np.frombuffer(plain.buffers()[1], np.int32)[plain.offset : plain.offset + count + 1]
    if (np.diff(offsets) != HEX).any():
        raise ValueError(f"a digest is not of {HEX} hex digits")
    raw = bytes.fromhex(memoryview(plain.buffers()[2])[offsets[0] : offsets[-1]].tobytes().decode())
    digests = np.frombuffer(raw, "V32").tolist()
    made = b"".join(map(hmac.digest, keys[there].tolist(), digests, repeat("sha256"))).hex().encode()
    ends = pa.py_buffer((np.arange(count + 1) * HEX).astype(np.int32))
    found = pa.Array.from_buffers(pa.string(), count, [None, ends, pa.py_buffer(made)])
    return found if count == len(array) else found.take(pa.array(np.cumsum(there) - 1, mask=~there))


def _edits(column: pa.ChunkedArray, keys: Any) -> pa.Array:
    """The lists of `schemas.WORK_EDITS` as `schemas.EDITS`."""
    array = _array(column)
    lengths = pc.list_value_length(array).to_numpy()
    made = array.flatten()
    own = keys[np.repeat(np.arange(len(array)), lengths)]
    fields = {name: made.field(name) for name in ("edit", "spans", "characters")}
    fields |= {name: _keyed(made.field(plain), own) for name, plain in OF_EDIT.items()}
    items = pa.StructArray.from_arrays([fields[field.name] for field in schemas.EDIT], fields=list(schemas.EDIT))
    starts = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(starts, items, type=schemas.EDITS)


def _array(column: Any) -> Any:
    found = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
