"""Ours for near duplicates: the kernels alone, on the Arrow array as Parquet gives it.

Works: `signatures` (112 permutations), `keys` (and the 14 band keys), `shingles` (the exact sets: sorted, distinct hashes);
`line_hashes` (every line of 20 characters or more), `lines` (count those, and remove the ones that stand in two documents).
"""

from typing import Any

import measure
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.kernels import blocks, minhash, shingles


def without_repeated_lines(texts: Any) -> Any:
    counts = blocks.count(texts)
    repeated = blocks.Blocks.of(counts.filter(pc.greater_equal(counts.column("documents"), 2)))
    return blocks.remove(texts, repeated)


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"])
    run = {
        "signatures": lambda: minhash.signatures(texts),
        "keys": lambda: minhash.band_keys(minhash.signatures(texts)),
        "shingles": lambda: shingles.hashes(texts),
        "line_hashes": lambda: blocks.unit_hashes(texts),
        "lines": lambda: without_repeated_lines(texts),
    }[work]
    return run, run, {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("numba", "numpy", "pyarrow"))
