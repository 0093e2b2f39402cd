"""Rows on their way to disk: each in the file of its shard, once, in order."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate.spill import Spill

SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("note", pa.string())])


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=4))
def test_every_row_lands_in_its_shard_once_and_in_order(batches: list[list[int]]) -> None:
    with TemporaryDirectory() as name:
        folder, wanted, number = Path(name), {}, 0
        spill = Spill(folder, "rows", SCHEMA)
        for shards in batches:
            rows = [{"n": number + at} for at in range(len(shards))]  # `note` is left out: null
            for row, shard in zip(rows, shards, strict=True):
                wanted.setdefault(shard, []).append(row["n"])
            number += len(shards)
            spill.write_rows(rows, np.array(shards, np.int64))
        spill.close()
        found = {}
        for path in sorted(folder.iterdir()):
            with pa.ipc.open_file(path) as reader:
                table = reader.read_all()
            found[int(path.stem.rpartition("-")[2])] = table.column("n").to_pylist()
            assert table.column("note").null_count == table.num_rows
        assert found == wanted
