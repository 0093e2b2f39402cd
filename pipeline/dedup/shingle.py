"""The shingle sets of one artifact's documents that are to be compared, read again from the survivors of curate.

Those of one shard of another release likewise, read again from its texts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dedup import others
from pipeline.dedup.candidates import mapped
from pipeline.dedup.interface import SHINGLES, SKETCH, WANTED
from pipeline.kernels import shingles


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Write shingles.arrow: a set of hashes for each row of `files["wanted"]`, in no particular order.

    `files`: wanted, `sketch-00000.arrow` and the `survivors-*` of the artifact, or `data` of another release's shard;
    `parameters`: words and characters, as of `kernels.shingles`, and of another release `release` and `data` (name, sha256).
    Raises TaskError where that file is not what its release says.
    """
    rows = mapped(files["wanted"], WANTED).column("row").to_numpy()
    documents = 0
    with pa.ipc.new_file(out / "shingles.arrow", SHINGLES) as writer:
        if len(rows):
            ids = mapped(files["sketch-00000.arrow"], SKETCH).column("id").take(pa.array(rows)).to_pylist()
            names = np.array([identifier.hex() for identifier in ids], "S32")
            order = np.argsort(names)
            wanted = names[order], rows[order]
            for key in sorted(files):
                if key.startswith("survivors"):
                    documents += _sets(_survivors(files[key]), wanted, parameters, writer, progress)
            if "data" in files:
                others.verify(files["data"], parameters["data"], parameters["release"])
                documents += _sets(others.texts(files["data"]), wanted, parameters, writer, progress)
    if documents != len(rows):
        raise ValueError(f"{len(rows)} documents are wanted, {documents} of them are among the survivors")
    return {"documents": documents}


def _survivors(path: Path) -> Iterator[pa.RecordBatch]:
    """Columns id and text of one file of curate."""
    with pa.memory_map(str(path)) as source:
        schema = pa.ipc.open_file(source).schema
        options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in ("id", "text")])
        reader = pa.ipc.open_file(source, options=options)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _sets(
    batches: Iterator[pa.RecordBatch], wanted: tuple[npt.NDArray[Any], npt.NDArray[np.uint32]],
    parameters: Mapping[str, Any], writer: Any, progress: Any,
) -> int:  # fmt: skip
    """The sets of the documents of one file; returns how many. wanted: ids in hexadecimal, ascending, and the row of each.

    A file of many shards has small batches: what is wanted is sorted once, not hashed for each of them.
    """
    found = 0
    ids, rows = wanted
    for batch in batches:
        own = np.array(batch.column("id").to_pylist(), "S32")
        place = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
        there = ids[place] == own
        mine = batch.filter(pa.array(there))
        if not mine.num_rows:
            continue
        offsets, values = shingles.hashes(
            mine.column("text"), words=parameters["words"], characters=parameters["characters"]
        )
        sets = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values), type=SHINGLES.field("hashes").type)
        at = pa.array(rows[place[there]])
        writer.write_batch(pa.RecordBatch.from_arrays([at, sets], schema=SHINGLES))
        found += mine.num_rows
        progress(mine.num_rows, pc.sum(pc.binary_length(mine.column("text"))).as_py())
    return found
