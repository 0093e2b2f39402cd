"""Read shards of another release: a batch of rows at a time, after the file's digest was found to be the manifest's."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import TaskError

ROWS = 1024  # that are read at once


def verify(path: Path, file: Mapping[str, str], release_id: str) -> None:
    """Raise TaskError unless the file at `path` has the digest of its entry `file` (name, sha256)."""
    hint = "restore the file from a copy of that release, or build against another"
    try:
        with path.open("rb") as stream:
            seen = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise TaskError(
            f"cannot be read: {error.strerror}", where=str(path), wanted=f"a file of release {release_id}", hint=hint
        ) from error
    if seen != file["sha256"]:
        raise TaskError(
            f"{file['name']} was changed: it has sha256 {seen}",
            where=str(path),
            wanted=f"{file['sha256']}, as the manifest of release {release_id} says",
            hint=hint,
        )


def documents(data: Path, kept: Path) -> Iterator[pa.RecordBatch]:
    """Rows of a shard as `curate.sketch` takes survivors: id, exact_sha256, measures.characters, text.

    Raises TaskError where the two files are not of the same documents in the same order.
    """
    left, right = _batches(data, ("id", "text")), _batches(kept, ("id", "exact_sha256", "measures.characters"))
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        count = min(len(one), len(other))
        texts, rows = one.slice(0, count), other.slice(0, count)
        if not texts.column("id").equals(rows.column("id")):
            break
        columns = [rows.column(name) for name in ("id", "exact_sha256", "measures")]
        yield pa.RecordBatch.from_arrays(
            [*columns, texts.column("text")], names=["id", "exact_sha256", "measures", "text"]
        )
        one = one.slice(count) if count < len(one) else next(left, None)
        other = other.slice(count) if count < len(other) else next(right, None)
    if one is not None or other is not None:
        raise TaskError(
            "its rows are not those of the provenance beside it",
            where=str(data),
            wanted=f"the documents of {kept.name}, in their order",
            hint="pellucid verify RELEASE says more",
        )


def texts(data: Path) -> Iterator[pa.RecordBatch]:
    """Columns id and text of a data shard."""
    return _batches(data, ("id", "text"))


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Some columns of a file, ROWS rows or fewer at a time; no more than the pages of one row group are in memory."""
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            leaves: set[Any] = {file.schema.column(number).path for number in range(len(file.schema))}
            if missing := [name for name in columns if name not in leaves]:
                raise TaskError(
                    f"there is no column {', '.join(missing)}",
                    where=str(path),
                    wanted="a release of this version's format (docs/format.md)",
                    hint="build that release again with this version",
                )
            for batch in file.iter_batches(ROWS, columns=list(columns), use_threads=False):
                if len(batch):
                    yield batch
    except pa.ArrowException as error:
        raise TaskError(
            f"cannot be read as Parquet: {error}", where=str(path), hint="pellucid verify RELEASE says more"
        ) from error
