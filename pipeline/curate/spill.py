"""Rows on their way to disk: Arrow IPC files, one a shard, opened when the first row for it comes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class Spill:
    """Record batches of one schema, cut by shard. `close` ends the files.

    compression: "lz4", or None for files that are mapped into memory.
    """

    def __init__(self, folder: Path, name: str, schema: pa.Schema, compression: str | None = "lz4") -> None:
        self.folder, self.name, self.schema, self.compression = folder, name, schema, compression
        self.writers: dict[int, Any] = {}

    def write(self, batch: pa.RecordBatch, shards: npt.NDArray[np.int64]) -> None:
        """Append each row to the file of its shard; `shards` (n,)."""
        numbers = np.unique(shards)
        for shard in numbers.tolist():
            part = batch if len(numbers) == 1 else batch.take(pa.array(np.flatnonzero(shards == shard)))
            self._writer(shard).write_batch(part)

    def write_rows(self, rows: Sequence[dict[str, Any]], shards: npt.NDArray[np.int64]) -> pa.RecordBatch:
        """The same for rows that are dicts, as the batch that is returned; a column that a row has not is null."""
        arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in self.schema]
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        self.write(batch, shards)
        return batch

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()

    def _writer(self, shard: int) -> Any:
        if shard not in self.writers:
            path = self.folder / f"{self.name}-{shard:05d}.arrow"
            options = pa.ipc.IpcWriteOptions(compression=self.compression)
            self.writers[shard] = pa.ipc.new_file(path, self.schema, options=options)
        return self.writers[shard]
