"""Documents of an indexed release, read where they are needed: the words at a place, the row, the copies that were dropped."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import RecipeError
from pipeline.inspection import passages
from pipeline.inspection.passages import Word
from pipeline.inspection.trace_index import MARK, Index, Segment

BATCH = 256  # rows read at once
COLUMNS = ("id", "text", "source", "url", "license")
_BYTES = 10  # of a word with what parts it from the next, at first sight


class Texts:
    """Reads rows; fastest if they are asked for in their order. A context manager. Raises RecipeError for damaged files."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.file: pq.ParquetFile | None = None
        self.name, self.group, self.first = "", -1, 0
        self.batches: Iterator[pa.RecordBatch] = iter(())
        self.batch: pa.RecordBatch | None = None

    def __enter__(self) -> "Texts":
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()

    def row(self, segment: Segment, document: int) -> dict[str, Any]:
        """The columns COLUMNS of a document; `text` as an Arrow scalar."""
        name, row = self.place(segment, document)
        try:
            return self._row(name, row)
        except (OSError, pa.ArrowException, StopIteration) as error:
            raise RecipeError(
                f"row {row} cannot be read: {error!s:.300}", where=str(self.index.release / name),
                hint="pellucid verify RELEASE",
            ) from error  # fmt: skip

    def place(self, segment: Segment, document: int) -> tuple[str, int]:
        """The data file of a document and its row there."""
        for name, rows in segment.files:
            if document < rows:
                return name, document
            document -= rows
        raise IndexError(document)

    def _row(self, name: str, row: int) -> dict[str, Any]:
        if name != self.name or self.file is None:
            if self.file:
                self.file.close()
            self.file, self.name, self.group = pq.ParquetFile(self.index.release / name, pre_buffer=False), name, -1
        ends = list(
            accumulate(self.file.metadata.row_group(g).num_rows for g in range(self.file.metadata.num_row_groups))
        )
        group = next(g for g, end in enumerate(ends) if row < end)
        if group != self.group or self.batch is None or row < self.first:
            self.group, self.first = group, ends[group - 1] if group else 0
            self.batches = self.file.iter_batches(BATCH, row_groups=[group], columns=list(COLUMNS), use_threads=False)
            self.batch = next(self.batches)
        while row >= self.first + len(self.batch):
            self.first += len(self.batch)
            self.batch = next(self.batches)
        found = {column: self.batch.column(column)[row - self.first] for column in COLUMNS}
        return {column: value if column == "text" else value.as_py() for column, value in found.items()}

    def words(self, segment: Segment, document: int, start: int, count: int) -> list[Word]:
        """The words numbered `start` to `start + count` of a document, fewer where it ends before; as places in its text."""
        data: Any = self.row(segment, document)["text"].as_buffer() or b""
        begin = int(self.index.array(segment, "begins")[document])
        mark = start // MARK * MARK
        low = int(self.index.array(segment, "marks")[mark // MARK]) if mark >= begin else 0
        skip = start - max(mark, begin)
        size = (skip + count + 1) * _BYTES + 64
        view = memoryview(data)
        while True:
            piece = bytes(view[low : low + size]).decode("utf-8", "ignore")  # the last code point may be cut
            found = passages.words(piece, skip + count + 1)
            if len(found) > skip + count or low + size >= len(view):
                break
            size *= 4
        before = len(bytes(view[:low]).decode("utf-8"))
        return [Word(word.folded, word.start + before, word.end + before) for word in found[skip : skip + count]]

    def holds(self, segment: Segment, document: int, start: int, words: Sequence[Word]) -> list[Word] | None:
        """The words of the document that are those of the passage, from number `start` on; None if they are not."""
        found = self.words(segment, document, start, len(words))
        same = len(found) == len(words) and all(a.folded == b.folded for a, b in zip(found, words, strict=True))
        return found if same else None

    def copies(self, segment: Segment, document: int, identifier: str) -> tuple[Mapping[str, Any], ...]:
        """The documents that were dropped as copies of this one, the most alike first."""
        name, _ = self.place(segment, document)
        path = self.index.release / name.replace("data/", "provenance/", 1).replace("/train-", "/clusters-")
        return _members(path).get(identifier, ())


@lru_cache(maxsize=64)
def _members(path: Path) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    """Of each kept document of a shard the copies of it; of none where the clusters are not there."""
    try:
        rows = pq.ParquetFile(path).read(columns=["id", "members"]).to_pylist()
    except FileNotFoundError:
        return {}
    except (OSError, pa.ArrowException) as error:
        raise RecipeError(f"cannot be read: {error!s:.300}", where=str(path), hint="pellucid verify RELEASE") from error
    return {row["id"]: tuple(row["members"]) for row in rows}


def documents(index: Index, segment: Segment, places: Any) -> Any:
    """The document in which each word stands, by number."""
    return np.searchsorted(index.array(segment, "begins"), places.astype(np.uint32), "right") - 1
