"""Making an index of passages: `inspection.trace_index` says what it is made of, and when it is of a release.

Several processes may ask for it at once: one makes it, the others wait for it. What is not finished has another name; what is
left of it by a process that was ended, or is of another release, is removed by who makes the next.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unicodedata import unidata_version

import numpy as np

from pipeline.errors import RecipeError
from pipeline.inspection import trace_index
from pipeline.inspection.trace_index import Index, Segment
from pipeline.kernels.passage_words import VERSION
from pipeline.trust import folder

SMALLEST, LARGEST = 4 << 20, 128 << 20  # bytes of data files that a segment is filled up to: so many in 64 parts
PARTS = 64
BATCH = 1024  # rows
PER_BUCKET = 16

Progress = Callable[[int, int], None]  # bytes of data files done, of all


def build(release: Path, place: Path, workers: int, progress: Progress) -> Index:
    """Make the index, or take the one that another process has made meanwhile. Raises RecipeError."""
    whole = release.resolve()
    if place.resolve() == whole or whole in place.resolve().parents:
        raise RecipeError(
            "lies in the release, which holds what its manifest names and nothing else", where=str(place),
            hint="--index DIR: a folder outside",
        )  # fmt: skip
    with _locked(place):
        there, _ = trace_index.opened(release, place)
        if there:
            return there
        release_id, predicate = trace_index.manifest_of(release)
        for old in filter(_is_ours, place.iterdir()):  # of another release, or left by a process that was ended
            shutil.rmtree(old, ignore_errors=True)
        temporary = place / f"building-{os.getpid()}"
        try:
            temporary.mkdir()
            seen = trace_index.seen_now(release, [file["name"] for file in trace_index.data_files(predicate)])
            described = _build(release, release_id, predicate, temporary, workers, progress)
            data = json.dumps(described, indent=1).encode()
            (temporary / "index.json").write_bytes(data)
            key = hashlib.sha256(data).hexdigest()[:16]
            temporary.rename(place / key)
        except OSError as error:
            raise RecipeError(f"cannot be written: {error}", where=str(place), hint="--index DIR") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        trace_index.say_current(place, key, seen)
        return trace_index.mapped(place / key, release, described)


def _is_ours(path: Path) -> bool:
    """Whether a folder is one that `build` makes: somebody may have named a folder with other things in it."""
    if path.is_symlink() or not path.is_dir():
        return False
    if re.fullmatch("building-[0-9]+", path.name):
        return True
    try:
        return (
            bool(re.fullmatch("[0-9a-f]{16}", path.name)) and b'"pellucid/trace/' in (path / "index.json").read_bytes()
        )
    except OSError:
        return False


def _build(
    release: Path, release_id: str, predicate: Any, into: Path, workers: int, progress: Progress
) -> dict[str, Any]:
    """Write the segments; what index.json says."""
    groups = _groups(trace_index.data_files(predicate))
    total = sum(file["bytes"] for group in groups for file in group)
    done = 0
    segments, digests = [], []
    with ThreadPoolExecutor(max(1, min(workers, len(groups)))) as pool:
        jobs = [pool.submit(_segment, release, into, number, group) for number, group in enumerate(groups)]
        try:
            for job, group in zip(jobs, groups, strict=True):
                segment, of_files = job.result()
                segments.append(segment)
                digests += of_files
                done += sum(file["bytes"] for file in group)
                progress(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {
        "format": VERSION, "unicode": unidata_version, "release_id": release_id, "files": digests,
        "segments": [
            {"files": [list(file) for file in one.files], "words": one.words, "entries": one.entries, "bits": one.bits}
            for one in segments
        ],
    }  # fmt: skip


def _segment(
    release: Path, into: Path, number: int, group: Sequence[Mapping[str, Any]]
) -> tuple[Segment, list[dict[str, Any]]]:
    """Index some files; their digests as they are."""
    import pyarrow as pa

    from pipeline.kernels import radix, winnow

    arrays: tuple[list[Any], ...] = ([], [], [], [])
    keys, places, begins, marks = arrays
    files, digests = [], []
    words = 0
    for file in group:
        path, rows = release / file["name"], 0
        try:
            digests.append({"name": file["name"], "sha256": folder.digest(path)[0]})
            for texts in _texts(path):
                found = winnow.grams(texts, words)
                for own, part in zip(arrays, found[:4], strict=True):
                    own.append(part)
                words += found[4]
                rows += len(texts)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise RecipeError(
                f"cannot be read: {error!s:.300}", where=str(path), hint="pellucid verify RELEASE"
            ) from error
        except OverflowError as error:
            raise RecipeError(str(error), where=str(path), hint="build with smaller shards") from error
        files.append((str(file["name"]), rows))
    count = sum(len(part) for part in keys)
    bits = min(30, max(0, (count // PER_BUCKET).bit_length()))
    all_keys = np.concatenate([np.empty(0, np.uint64), *keys])
    keys.clear()
    all_keys &= np.uint64((1 << 64) - (1 << (32 - bits)))  # what is not stored decides no order: places ascend
    all_keys, all_places = radix.sort(all_keys, np.concatenate([np.empty(0, np.uint32), *places]))
    entries = (all_keys << np.uint64(bits)) & np.uint64(0xFFFFFFFF00000000) | all_places
    bounds = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits) if bits else np.zeros(1, np.uint64)
    buckets = np.append(np.searchsorted(all_keys, bounds), count)
    begins.append(np.array([words]))
    for name, kind, value in (
        ("entries", "<u8", entries), ("buckets", "<u4", buckets),
        ("begins", "<u4", np.concatenate(begins)), ("marks", "<u4", np.concatenate([np.empty(0, np.uint32), *marks])),
    ):  # fmt: skip
        with (into / f"{number:05d}.{name}").open("wb") as stream:
            stream.write(np.ascontiguousarray(value, kind).data)
    return Segment(number, tuple(files), words, count, bits), digests


def _texts(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH, columns=["text"], use_threads=False):
            yield batch.column(0)


def _groups(files: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Files in a row, each group filled up to a size that follows from that of all."""
    target = min(LARGEST, max(SMALLEST, sum(file["bytes"] for file in files) // PARTS))
    groups: list[list[Mapping[str, Any]]] = []
    size = target
    for file in files:
        if size + file["bytes"] > target:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file["bytes"]
    return groups


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """The right to build in `place`; waits while another process has it. It ends with the process, however that ends."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise RecipeError(f"cannot be written: {error}", where=str(place), hint="--index DIR") from error
