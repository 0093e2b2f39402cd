"""Tables of counted units as sorted runs on disk, merged in bounded memory: what both stages of `repeated_lines` stand on.

A table has the schema `kernels.blocks.COUNTS` and is in the order of hash, then text; the counts of equal units add up.
Sorted runs go to disk and are merged from there, FAN_IN at a time. Only units of one 64-bit hash are held together, whatever
their size.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.kernels import blocks

RUN_BYTES = 64 << 20  # of distinct units held before they go to disk as a sorted run; three times that while merged
PIECE_BYTES = 1 << 20  # of a run that are held of it while runs are merged
FAN_IN = 64  # runs merged at once
DOCUMENTS = b"documents"  # key in the metadata of lines.arrow: documents of the artifact


class Runs:
    """Tables of `blocks.count` added one by one, as sorted runs on disk above RUN_BYTES, merged when all are there.

    `folder`: for files of its own, gone with `remove`. `paths`: runs that are there already, and stay.
    """

    def __init__(self, folder: Path, paths: Sequence[Path] = ()) -> None:
        self.folder = folder
        self.paths, self.own = list(paths), list[Path]()
        self.tables: list[pa.Table] = []
        self.spilled = 0

    def add(self, table: pa.Table) -> None:
        self.tables.append(table)
        if self._bytes() > RUN_BYTES:
            self.tables = [blocks.merged(self.tables)]
            if self._bytes() > RUN_BYTES // 2:  # else the next merge would come too soon
                self._spill(self.tables)
                self.tables = []

    def merged(self) -> Iterator[pa.Table]:
        """All rows in order, as tables of which none begins with the hash that the one before ends with."""
        while len(self.paths) > FAN_IN:
            first, self.paths = self.paths[:FAN_IN], self.paths[FAN_IN:]
            self._spill(joined([_pieces(path) for path in first]))
            for path in first:
                if path in self.own:
                    path.unlink()
                    self.own.remove(path)
        waiting = blocks.merged(self.tables)
        self.tables = []
        return joined([*(_pieces(path) for path in self.paths), *([iter([waiting])] if waiting.num_rows else [])])

    def remove(self) -> None:
        """Delete the files of its own."""
        for path in self.own:
            path.unlink()
        self.own = []

    def _spill(self, tables: Iterable[pa.Table]) -> None:
        path = self.folder / f"run-{self.spilled:05d}.arrow"
        self.spilled += 1
        write(path, tables, blocks.COUNTS)
        self.paths.append(path)
        self.own.append(path)

    def _bytes(self) -> int:
        return sum(table.nbytes for table in self.tables)


def joined(runs: Sequence[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """Merge runs, each ascending by hash: the next tables of all, up to the first hash that a later one may still have."""
    none = blocks.COUNTS.empty_table()
    held = [next(run, none) for run in runs]
    later = [next(run, None) for run in runs]
    while True:
        for at, run in enumerate(runs):
            if not held[at].num_rows and (table := later[at]) is not None:
                held[at], later[at] = table, next(run, None)
        open_ends = [_hashes(held[at])[-1] for at in range(len(runs)) if later[at] is not None]
        if not open_ends:
            if (rest := blocks.merged(held)).num_rows:
                yield rest
            return
        bound = min(open_ends)
        counts = [int(np.searchsorted(_hashes(table), bound)) for table in held]
        if any(counts):
            yield blocks.merged([table.slice(0, rows) for table, rows in zip(held, counts, strict=True)])
            held = [table.slice(rows) for table, rows in zip(held, counts, strict=True)]
            continue
        for at, run in enumerate(runs):  # all that is held of a run is of one hash
            if (table := later[at]) is not None and _hashes(held[at])[-1] == bound:
                held[at], later[at] = pa.concat_tables([held[at], table]).combine_chunks(), next(run, None)


def write(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write tables as an Arrow IPC file (LZ4) in pieces of PIECE_BYTES or one row. Returns its rows."""
    rows = 0
    with pa.ipc.new_file(path, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        for table in tables:
            rows += table.num_rows
            ends = np.cumsum(pc.binary_length(table.column("text")).to_numpy() + 16)
            start = 0
            while start < table.num_rows:
                behind = PIECE_BYTES + (int(ends[start - 1]) if start else 0)
                stop = max(start + 1, int(np.searchsorted(ends, behind, "right")))
                writer.write_table(table.slice(start, stop - start).cast(schema))
                start = stop
    return rows


def _pieces(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)]).cast(blocks.COUNTS)


def documents_of(path: Path) -> int:
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        return int(reader.schema.metadata[DOCUMENTS])


def at_least(tables: Iterable[pa.Table], documents: int) -> Iterator[pa.Table]:
    for table in tables:
        kept = table if documents <= 1 else table.filter(pc.greater_equal(table.column("documents"), documents))
        if kept.num_rows:
            yield kept


def _hashes(table: pa.Table) -> Any:
    return table.column("hash").to_numpy()
