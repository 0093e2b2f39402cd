"""Curate, dedup and write text that is in JSON lines already, on one core, against the least that must be done to it.

    .venv/bin/python bench/curate_jsonl.py build/workstation [--runs 5]

The texts of a built release become one .jsonl.gz in a temporary folder. A run is the three stages by their own functions in
this process: no download, no start of a worker. The limit reads the same file, parses each line, hashes each text once by
SHA-256 and compresses all of it once by zstd at level 3.
"""

import argparse
import gzip
import hashlib
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import zstandard

from pipeline import plan, recipe
from pipeline.engine.execute import execute, task_folder
from pipeline.lock import Lock
from pipeline.model import Artifact
from pipeline.sources.fetch import Cache, fetch_all

RECIPE = """
name: bench
version: "1"
description: The texts of a release, again.
sources:
  - name: texts
    from: {kind: local, paths: [texts.jsonl.gz]}
    format: jsonl
    license: MIT
    evidence: none
    max_duplicate_share: 1
rules:
  - {rule: length, min_characters: 200}
  - {rule: language, min_score: 0.2}
  - {rule: gopher_quality, languages: [en]}
"""


def write_texts(release: Path, target: Path) -> int:
    """All texts of the release as gzipped JSON lines; returns their size in bytes of UTF-8."""
    size = 0
    with gzip.open(target, "wb", compresslevel=6) as stream:
        for path in sorted(release.glob("data/*/*.parquet")):
            for batch in pq.ParquetFile(path).iter_batches(1024, columns=["text"]):
                for text in batch.column("text").to_pylist():
                    size += len(text.encode())
                    stream.write(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n")
    return size


def stages(folder: Path, texts: Path, lock: Lock, loaded: recipe.Recipe, cache: Cache) -> None:
    """Curate, dedup and write into a folder of their own."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        work = Path(scratch)
        quiet: Callable[[int, int], None] = lambda documents, size: None  # noqa: E731
        (task,) = plan.curate_tasks(loaded, lock, "bench")
        files = {name: cache.path(sha256) for name, sha256 in task.inputs.items()} | {"models": cache.root / "models"}
        curated = execute(task, files, work, quiet)
        dedup = plan.dedup_task(loaded, [curated], "bench")
        made = task_folder(work, task)
        chosen = execute(dedup, {name: made / name.rpartition("/")[2] for name in dedup.inputs}, work, quiet)
        for write in plan.write_tasks(loaded, lock, [curated], chosen, "bench"):
            inputs = {
                name: made / f"{name.partition('/')[0]}-{write.parameters['shard']:05d}.arrow" for name in write.inputs
            }
            inputs["losers"] = task_folder(work, dedup) / "texts.arrow"
            execute(write, inputs, work, quiet)


def limit(texts: Path) -> None:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    with gzip.open(texts, "rb") as stream:
        for line in stream:
            text = json.loads(line)["text"].encode()
            hashlib.sha256(text).digest()
            compressor.compress(text)
    compressor.flush()


def timed(run: Callable[[], None], runs: int) -> list[float]:
    run()  # compiles kernels, warms the page cache
    seconds = []
    for _ in range(runs):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    lock_of_release = json.loads((options.release / "manifest.json").read_bytes())["predicate"]["lock"]
    model = Artifact(**{**lock_of_release["language_model"], "evidence": ()})
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch), Cache()
        texts = folder / "texts.jsonl.gz"
        size = write_texts(options.release, texts)
        data = texts.read_bytes()
        artifact = Artifact(
            "texts", "local", "pkg:generic/texts.jsonl.gz", "texts.jsonl.gz", len(data),
            hashlib.sha256(data).hexdigest(), "texts.jsonl.gz",
        )  # fmt: skip
        lock, loaded = Lock("bench", (artifact,), model), recipe.parse(RECIPE.encode(), "bench")
        fetch_all([artifact, model], folder, cache, report=lambda progress: None)
        ours = timed(lambda: stages(folder, texts, lock, loaded, cache), options.runs)
        least = timed(lambda: limit(texts), options.runs)
        cache.path(artifact.sha256).unlink()
    print(
        f"{size / 1e6:,.1f} MB of text, {options.runs} runs, CPU time, {platform.processor() or platform.machine()}\n"
    )
    print("| what | MB/s, median | min | max | of the limit |\n|---|---:|---:|---:|---:|")
    for name, seconds in (("curate + dedup + write", ours), ("limit", least)):
        rates = sorted(size / 1e6 / second for second in seconds)
        share = statistics.median(least) / statistics.median(seconds)
        print(f"| {name} | {statistics.median(rates):.1f} | {rates[0]:.1f} | {rates[-1]:.1f} | {share:.2f} |")


if __name__ == "__main__":
    main()
