"""What deduplication needs of each survivor: its exact key and length, and the keys of its MinHash bands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curate.spill import Spill
from pipeline.dedup.interface import BANDS, SKETCH
from pipeline.kernels import minhash, radix

RUN_DOCUMENTS = 1 << 19  # whose keys are held, sorted and written together: 59 MB of keys
_EMPTY = np.uint32(0xFFFFFFFF)  # all of a signature: a text without words


class Sketches:
    """Sketches of survivors in the order of their arrival. `near`: the recipe's parameters; None: no band keys."""

    def __init__(self, folder: Path, near: Mapping[str, Any] | None) -> None:
        self.near = near
        self.exact = Spill(folder, "sketch", SKETCH, None)
        self.bands = Spill(folder, "bands", BANDS, None)
        self.rows = 0
        self.waiting: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]] = []  # rows, (rows, bands) keys

    def add(self, survivors: pa.RecordBatch) -> None:
        """Sketch the survivors (schema `batch.SURVIVORS`)."""
        count = survivors.num_rows
        columns = {
            "id": [bytes.fromhex(identifier) for identifier in survivors.column("id").to_pylist()],
            "exact": [bytes.fromhex(key) for key in survivors.column("exact_sha256").to_pylist()],
            "characters": survivors.column("measures").field("characters"),
        }
        arrays = [pa.array(columns[field.name], field.type) for field in SKETCH]
        self.exact.write(pa.RecordBatch.from_arrays(arrays, schema=SKETCH), np.zeros(count, np.int64))
        if self.near is not None and count:
            keys, worded = band_keys(survivors.column("text"), self.near)
            self.waiting.append(((self.rows + np.flatnonzero(worded)).astype(np.uint32), keys[worded]))
            if sum(len(rows) for rows, _ in self.waiting) >= RUN_DOCUMENTS:
                self._write_run()
        self.rows += count

    def _write_run(self) -> None:
        if not self.waiting or self.near is None:
            return
        rows = np.concatenate([rows for rows, _ in self.waiting])
        keys = np.concatenate([keys for _, keys in self.waiting])
        self.waiting = []
        if not len(rows):
            return
        for band in range(self.near["bands"]):
            ordered, of_row = radix.sort(keys[:, band], rows)
            batch = pa.RecordBatch.from_arrays([pa.array(ordered), pa.array(of_row)], schema=BANDS)
            self.bands.write(batch, np.zeros(len(rows), np.int64))

    def close(self) -> None:
        """Write what waits, and end the files."""
        self._write_run()
        self.exact.close()
        self.bands.close()


def band_keys(texts: pa.Array, near: Mapping[str, Any]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """(texts, bands) keys, and (texts,) which of the texts have words: the keys of the others mean nothing."""
    signatures = minhash.signatures(
        texts, words=near["words"], permutations=near["bands"] * near["rows"], seed=near["seed"],
        characters=near["characters"],
    )  # fmt: skip
    worded = (signatures != _EMPTY).any(axis=1)
    return minhash.band_keys(signatures, bands=near["bands"], rows=near["rows"]), worded
