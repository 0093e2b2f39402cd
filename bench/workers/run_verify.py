"""Verification of a release, and the least of it: files hashed, Parquet decoded, texts hashed.

One work a process, for its memory. Nothing of the bench but `measure` is imported, for the same reason.
"""

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import measure
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.trust import keys, vouch
from pipeline.trust.verify import verify

BATCH_ROWS = 1024


def hash_files(release: Path) -> None:
    for path in files_of(release):
        with path.open("rb", buffering=0) as stream:
            hashlib.file_digest(stream, "sha256").digest()


def decode(release: Path, texts: bool) -> None:
    """Every column of every Parquet file; of texts, their digests."""
    for path in files_of(release):
        if path.suffix == ".parquet":
            with pq.ParquetFile(path, pre_buffer=False) as file:
                for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
                    if texts and "text" in batch.schema.names:
                        hash_texts(batch.column("text"))


def hash_texts(column: Any) -> None:
    data = memoryview(column.buffers()[2] or b"")
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    for begin, end in pairwise(offsets.tolist()):
        hashlib.sha256(data[begin:end]).digest()


def floor(release: Path) -> None:
    hash_files(release)
    decode(release, texts=True)


def files_of(release: Path) -> list[Path]:
    return sorted(path for path in release.rglob("*") if path.is_file())


def peak() -> int:
    """Peak RSS of this program, in bytes; `ru_maxrss` may be that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def prepare(name: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    pa.set_cpu_count(1)
    release = Path(job["release"])
    trusted, vouchers = vouch.together(*keys.own_and_others(), (), vouch.KINDS)
    result = verify(release, trusted, vouchers=vouchers, bytes_only=True)
    if not result.ok or result.totals is None:
        raise ValueError(f"the release does not verify: {result.failures[0]}")
    size = sum(path.stat().st_size for path in files_of(release))
    facts = {"documents": result.totals["read"], "bytes": size, "text_bytes": result.totals["text_bytes"]}
    facts["imports_memory"] = peak()

    def verified(bytes_only: bool) -> None:
        if not verify(release, trusted, vouchers=vouchers, bytes_only=bytes_only).ok:
            raise ValueError("the release does not verify")

    works = {
        "full": lambda: verified(False), "bytes": lambda: verified(True), "hash": lambda: hash_files(release),
        "decode": lambda: decode(release, texts=False), "floor": lambda: floor(release),
    }  # fmt: skip

    def work() -> None:
        works[name]()
        facts["memory"] = peak()

    return work, work, facts


if __name__ == "__main__":
    measure.main(prepare, ["pyarrow"])
