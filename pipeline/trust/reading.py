"""The rows of a release's Parquet files, batch by batch, validated; what cannot be read as its schema says is a finding."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.release import schemas
from pipeline.trust.findings import Check, failed
from pipeline.trust.manifest import FileEntry, SourceEntry
from pipeline.trust.seen import Seen

BATCH_BYTES = 16 << 20  # of text, about
BATCH_ROWS = 1024  # at most; of texts of 6 kB, twice as many are slower: a batch leaves the cache
# What pyarrow was seen to raise for damaged files, beside its own: names that are no UTF-8, numbers out of range.
UNREADABLE = (pa.ArrowException, OSError, MemoryError, ValueError, LookupError, OverflowError)


class BadParquet(Exception):
    """A file cannot be read as the Parquet that it has to be."""

    def __init__(self, finding: Check) -> None:
        super().__init__(str(finding))
        self.finding = finding


def batch_rows(entry: SourceEntry) -> int:
    """Rows of a source that hold some BATCH_BYTES of text."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES * entry["kept"] // max(1, entry["text_bytes"])))


def batches(release: Path, entry: FileEntry, seen: Seen, size: int) -> Iterator[pa.RecordBatch]:
    """The rows of a file, `size` at most at a time, all columns read and validated (UTF-8 too). Raises BadParquet."""
    name = entry["name"]
    try:
        # No pre-buffering: it would hold a whole row group; and what cannot be null by schema is so by the format.
        with pq.ParquetFile(release / name, pre_buffer=False) as file:
            _schema(file.schema_arrow, entry, seen)
            for batch in file.iter_batches(size, use_threads=False):
                batch.validate(full=True)
                if len(batch):
                    yield batch
    except UNREADABLE as error:
        raise BadParquet(failed("schema", f"not readable as Parquet: {error!s:.300}", name)) from error


def _schema(schema: pa.Schema, entry: FileEntry, seen: Seen) -> None:
    """Raise BadParquet unless the columns are those of `release.schemas`; every file has the same measures."""
    wanted = {"clusters": schemas.CLUSTERS, "removed": schemas.REMOVED}.get(entry["kind"], schemas.DATA)
    if entry["kind"] in ("kept", "dropped"):
        place = schema.get_field_index("measures")
        kind = schema.field(place).type if place >= 0 else None
        if kind is None or not pa.types.is_struct(kind):
            raise BadParquet(failed("schema", "there is no column `measures` that is a struct", entry["name"]))
        features = tuple(kind.field(index).name for index in range(kind.num_fields))
        seen.features = seen.features or features
        if "characters" not in features:
            raise BadParquet(failed("schema", "column measures has no field characters", entry["name"]))
        wanted = (schemas.kept if entry["kind"] == "kept" else schemas.dropped)(seen.features)
    if schema.equals(wanted):
        return
    if schema.names != wanted.names:
        odd = sorted(set(schema.names) ^ set(wanted.names)) or ["their order"]
        raise BadParquet(failed("schema", f"the columns differ in {', '.join(odd)}", entry["name"]))
    column = next(one for one, other in zip(schema, wanted, strict=True) if not one.equals(other))
    seen_as, wanted_as = (
        f"{field.type}{'' if field.nullable else ' not null'}" for field in (column, wanted.field(column.name))
    )
    raise BadParquet(failed("schema", f"column {column.name} is {seen_as}, not {wanted_as}", entry["name"]))


def aligned(
    release: Path, data: FileEntry, kept: FileEntry, seen: Seen, size: int
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Batches of equal length of a shard's two files. Raises BadParquet, also where one ends before the other."""
    left, right = batches(release, data, seen, size), batches(release, kept, seen, size)
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        count = min(len(one), len(other))
        yield one.slice(0, count), other.slice(0, count)
        one = one.slice(count) if count < len(one) else next(left, None)
        other = other.slice(count) if count < len(other) else next(right, None)
    for longer, entry in ((one, data), (other, kept)):
        if longer is not None:
            raise BadParquet(failed("rows", "has more rows than the file beside it", entry["name"]))
