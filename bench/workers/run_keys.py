"""Ours: joining and choosing among synthetic documents. There is no text: keys and sets are drawn, and say so.

Of 10 documents one is a near copy: it shares a third of its band keys with an earlier document and 95 of 100 shingles; two of
100 share a key with one that they are not like. Curate's share (sketches) is made before the clock starts, and the shingle
stage's (sets) while it stands. One work, `keys`, of a job's `count` documents in its `work_folder`, which must not exist.
"""

import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pyarrow as pa
from run_curate import nothing, peak_rss, quiet

from pipeline.dedup import candidates, choose
from pipeline.dedup.interface import BANDS, SHINGLES, SKETCH, WANTED
from pipeline.kernels import jaccard, join, radix
from pipeline.recipe import Near

ARTIFACT = 1_000_000  # documents of one
SET = 100  # shingles of a document
NEAR = Near().parameters()


def write(path: Path, schema: pa.Schema, batches: list[list[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.ipc.new_file(path, schema) as writer:
        for arrays in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return path


def fixed(array: Any, width: int) -> pa.FixedSizeBinaryArray:
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(array), [None, pa.py_buffer(array.tobytes())])


def sketch(documents: int, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Path]]:
    """Sketches and band keys of all documents, by artifact."""
    rng = np.random.default_rng(1)
    artifacts, files = [], {}
    for start in range(0, documents, ARTIFACT):
        count, name = min(ARTIFACT, documents - start), f"s/{start}"
        number = np.arange(start, start + count)
        ids = rng.integers(0, 1 << 63, (count, 2))
        exact = rng.integers(0, 1 << 63, (count, 4))
        files[f"{name}/sketch"] = write(
            folder / f"{start}.sketch",
            SKETCH,
            [[fixed(ids, 16), fixed(exact, 32), pa.array(rng.integers(500, 50_000, count))]],
        )
        batches = []
        for band in range(NEAR["bands"]):
            family = np.where(number % 10 == 9, number - 1, number)  # a near copy shares keys with the one before it
            shared = (number + band) % 3 == 0
            keys = mixed(np.where((number % 10 == 9) & ~shared, number, family) * 64 + band)
            odd = number % 100 == 50  # shares one key with a document that it is not like
            keys = np.where(odd & (band == 3), mixed((number - 25) * 64 + band), keys)
            ordered, rows = radix.sort(keys, np.arange(count, dtype=np.uint32))
            batches.append([pa.array(ordered), pa.array(rows)])
        files[f"{name}/bands"] = write(folder / f"{start}.bands", BANDS, batches)
        artifacts.append(
            {
                "task": name,
                "source": "s",
                "sketch": f"{name}/sketch",
                "bands": f"{name}/bands",
                "wanted": f"wanted/{start}",
            }
        )
    return artifacts, files


def mixed(x: Any) -> Any:
    x = x.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(29)
    return x * np.uint64(0xC2B2AE3D27D4EB4F)


def sets(artifacts: list[dict[str, Any]], out: Path, folder: Path) -> dict[str, Path]:
    """What the shingle stage would write: the sets of the documents that are wanted."""
    files = {}
    for artifact in artifacts:
        start = int(artifact["wanted"].partition("/")[2])
        path = out / artifact["wanted"]
        artifact["shingles"] = None
        if path.exists():
            rows = candidates.mapped(path, WANTED).column("row").to_numpy()
            number = rows.astype(np.int64) + start
            copy = number % 10 == 9
            family = np.where(copy, number - 1, number)
            values = mixed(family[:, None] * 1024 + np.arange(SET))
            values[:, :3][copy] = mixed(number[copy][:, None] * 1024 + 512 + np.arange(3))
            values.sort(axis=1)
            offsets = np.arange(len(rows) + 1, dtype=np.int64) * SET
            lists = pa.LargeListArray.from_arrays(
                pa.array(offsets), pa.array(values.ravel()), type=SHINGLES.field("hashes").type
            )
            artifact["shingles"] = f"{start}/shingles"
            files[artifact["shingles"]] = write(folder / f"{start}.shingles", SHINGLES, [[pa.array(rows), lists]])
    return files


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    documents, folder = job["count"], Path(job["work_folder"])
    imports = peak_rss()
    out, chosen_in = folder / "candidates", folder / "chosen"
    for made in (out, chosen_in):
        made.mkdir(parents=True)
    artifacts, files = sketch(documents, folder)
    none = np.zeros(1, np.uint64)
    radix.sort(none, np.zeros(1, np.uint32))  # loaded before the clock starts
    pairs, _ = join.propose(none, np.zeros(1, np.uint32), np.zeros(1, np.int32), 1, first=1, neighbours=1)
    jaccard.choose(pairs, none, np.zeros(1, np.int64), 1, np.zeros(1, np.uint32), np.zeros(1, np.int64))
    began = time.process_time()
    parameters = {"exact": True, "near": NEAR, "against": [], "artifacts": artifacts}
    found = candidates.run({**parameters, "sources": [{"name": "s", "priority": 0}]}, files, out, quiet)
    joined = time.process_time() - began
    files |= sets(artifacts, out, folder)
    files |= {"order": out / "order.arrow", "pairs": out / "pairs.arrow"}
    began = time.process_time()
    chosen = choose.run({**parameters, "sources": ["s"]}, files, chosen_in, quiet)
    facts = {
        "documents": documents, "candidates": joined, "choose": time.process_time() - began, "peak_rss": peak_rss(),
        "imports_rss": imports, "pairs": found["pairs"], "compared": chosen["compared"],
        "dropped": chosen["dropped"]["s"],
    }  # fmt: skip
    facts["cpu"] = facts["candidates"] + facts["choose"]
    return nothing, nothing, facts


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("numpy", "pyarrow"))
