"""Rows on their way to disk: Arrow IPC files (zstd), one a shard, opened when the first row for it comes."""

from pathlib import Path
from typing import Any

import pyarrow as pa

FLUSH_ROWS = 16_384


class Rows:
    """Rows of one schema, by shard. `add` holds them, `flush` writes one record batch a shard, `close` ends the files."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema) -> None:
        self.folder, self.name, self.schema = folder, name, schema
        self.waiting: dict[int, list[dict[str, Any]]] = {}
        self.count = 0
        self.writers: dict[int, Any] = {}

    def add(self, shard: int, row: dict[str, Any]) -> None:
        self.waiting.setdefault(shard, []).append(row)
        self.count += 1
        if self.count >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        for shard, rows in sorted(self.waiting.items()):
            if shard not in self.writers:
                path = self.folder / f"{self.name}-{shard:05d}.arrow"
                self.writers[shard] = pa.ipc.new_file(
                    path, self.schema, options=pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))
                )
            arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in self.schema]
            self.writers[shard].write_batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema))
        self.waiting, self.count = {}, 0

    def close(self) -> None:
        self.flush()
        for writer in self.writers.values():
            writer.close()
