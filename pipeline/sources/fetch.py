"""Bring artifacts into the cache: in parallel, resumed, retried, verified before they appear there.

The only stage of a build that touches the network.
"""

import contextlib
import hashlib
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import httpx

from pipeline import __version__
from pipeline.errors import SourceError, TaskError
from pipeline.model import Artifact
from pipeline.sources.cache import Cache, Stopped
from pipeline.sources.faults import together
from pipeline.sources.interface import Candidate
from pipeline.sources.retry import Retry
from pipeline.sources.transfer import Heard, Wanted, Wrong, transfer

__all__ = ["Cache", "FetchProgress", "fetch_all", "fetch_candidate", "fetch_candidates"]

CONNECTIONS = 4
REPORT_SECONDS = 0.1  # between reports of bytes
STOP_SECONDS = 2.0  # for the threads to see that another one failed
# Servers of packages answer within seconds; a connection that gives no byte for a minute is dead.
TIMEOUT = httpx.Timeout(60.0, connect=20.0)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is. Counts what has to be fetched, not what was there. `current`: files under way.

    `bytes_total` grows where sizes are not known beforehand (when locking).
    """

    artifacts_done: int
    artifacts_total: int
    bytes_done: int
    bytes_total: int
    current: tuple[str, ...]


Report = Callable[[FetchProgress], None]


def fetch_all(
    artifacts: Sequence[Artifact],
    base: Path,
    cache: Cache,
    *,
    connections: int = CONNECTIONS,
    report: Report = lambda progress: None,
    retry: Retry | None = None,
) -> None:
    """Have every pinned artifact in the cache. What is there (with its size) is not asked for again.

    First all that is missing is located, so that everything an upstream no longer serves is named at once; then it is
    downloaded. Raises SourceError, and TaskError where the disk is full.
    """
    missing = {artifact.sha256: artifact for artifact in artifacts if not cache.has(artifact.sha256, artifact.size)}
    if not missing:
        return
    wanted = list(missing.values())
    _check_space(sum(artifact.size - cache.begun(artifact.sha256) for artifact in wanted), cache)
    located = _parallel([partial(_locate, artifact, base) for artifact in wanted], connections)
    lost = [found for found in located if isinstance(found, SourceError)]
    if lost:
        raise together(lost, f"{len(lost)} of {len(wanted)} artifacts cannot be had")
    jobs = [
        (found, artifact.size, artifact.sha256)
        for found, artifact in zip(located, wanted, strict=True)
        if isinstance(found, Candidate)
    ]
    _fetch(jobs, cache, connections, report, retry)


def fetch_candidates(
    candidates: Sequence[Candidate],
    cache: Cache,
    *,
    connections: int = CONNECTIONS,
    report: Report = lambda progress: None,
    retry: Retry | None = None,
) -> list[tuple[str, int]]:
    """Have what upstreams offer in the cache, verified by the digests that they state; sha256 and size of each."""
    found = {index: there for index, one in enumerate(candidates) if (there := _cached(cache, one)) is not None}
    missing = [index for index in range(len(candidates)) if index not in found]
    jobs = [(candidates[at], candidates[at].size, candidates[at].digests.get("sha256")) for at in missing]
    if jobs:
        found |= dict(zip(missing, _fetch(jobs, cache, connections, report, retry), strict=True))
    return [found[index] for index in range(len(candidates))]


def fetch_candidate(
    candidate: Candidate, cache: Cache, report: Report = lambda progress: None, retry: Retry | None = None
) -> tuple[str, int]:
    """`fetch_candidates` of one."""
    return fetch_candidates([candidate], cache, report=report, retry=retry)[0]


def _cached(cache: Cache, candidate: Candidate) -> tuple[str, int] | None:
    """sha256 and size of what the cache has of a candidate whose sha256 is stated."""
    sha256 = candidate.digests.get("sha256")
    size = cache.size(sha256) if sha256 else None
    return (sha256, size) if sha256 and size is not None and candidate.size in (None, size) else None


def _locate(artifact: Artifact, base: Path, stop: threading.Event) -> Candidate | SourceError:
    """Where the artifact can be had today, or why not."""
    from pipeline.sources.registry import SOURCES  # package clients take a while to import; mostly all is in the cache

    try:
        found = SOURCES[artifact.kind].locate(artifact, base)
    except SourceError as error:
        return error
    stated = found.digests.get("sha256", artifact.sha256)
    if stated != artifact.sha256:
        return SourceError(
            f"the upstream states sha256 {stated}",
            where=artifact.purl,
            wanted=f"sha256 {artifact.sha256}",
            hint="pellucid lock RECIPE --refresh pins what is served now and prints the difference",
        )
    return found


def _fetch(
    jobs: Sequence[tuple[Candidate, int | None, str | None]],
    cache: Cache,
    connections: int,
    report: Report,
    retry: Retry | None,
) -> list[tuple[str, int]]:
    """Candidates with their size and sha256, where known; sha256 and size of each."""
    tally = _Tally(report, len(jobs), sum(size or 0 for _, size, _ in jobs))
    headers = {"User-Agent": f"pellucid/{__version__}"}
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True, headers=headers) as client:
        work: list[Callable[[threading.Event], tuple[str, int]]] = []
        for candidate, size, sha256 in jobs:
            digests = {**candidate.digests, **({"sha256": sha256} if sha256 else {})}
            wanted = Wanted(candidate.purl, size, digests)
            work.append(partial(_one, candidate, wanted, cache, client, retry or Retry(), tally))
        try:
            found = _parallel(work, connections)
            tally.tell()
        finally:
            tally.end()
    return found


def _one(
    candidate: Candidate,
    wanted: Wanted,
    cache: Cache,
    client: httpx.Client,
    retry: Retry,
    tally: "_Tally",
    stop: threading.Event,
) -> tuple[str, int]:
    """Have one candidate in the cache; its sha256 and size."""
    known = wanted.digests.get("sha256")
    name = known or hashlib.sha256(candidate.url.encode()).hexdigest()
    with tally.of(candidate.file, wanted.size) as heard, cache.part(name, stop) as part:
        if there := _cached(cache, replace(candidate, digests=wanted.digests, size=wanted.size)):
            part.path.unlink()  # whoever held it before has put the file into the cache
            return there
        try:
            transfer(candidate.url, part, wanted, client, retry, stop, heard)
        except (SourceError, Stopped) as error:
            # What nothing vouches for cannot be gone on with, and what is wrong must not be.
            if isinstance(error, Wrong) or not wanted.digests:
                part.path.unlink()
            raise
        cache.keep(part, part.digest())
        return part.digest(), part.size


class _Tally:
    """Sums up what the threads of a fetch hear, and reports it: not more often than a person can read."""

    def __init__(self, report: Report, artifacts: int, size: int) -> None:
        self.report, self.artifacts, self.size = report, artifacts, size
        self.done = self.bytes = 0
        self.current: list[str] = []
        self.told = 0.0
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def of(self, file: str, size: int | None) -> Iterator[Heard]:
        """Listen to one file's bytes. What it announces counts where its size was not known."""
        known = size or 0
        with self.lock:
            self.current.append(file)

        def came(count: int) -> None:
            with self.lock:
                self.bytes += count
                self._tell_at_times()

        def announced(total: int) -> None:
            nonlocal known
            with self.lock:
                self.size, known = self.size + total - known, total
                self._tell_at_times()

        try:
            yield Heard(came, announced)
            with self.lock:
                self.done += 1
        finally:
            with self.lock:
                self.current.remove(file)

    def tell(self) -> None:
        """Report how things stand."""
        with self.lock:
            self.told = 0.0
            self._tell_at_times()

    def end(self) -> None:
        """Report nothing more, whatever threads are left: a thread that prints while its process ends breaks the end."""
        with self.lock:
            self.report = lambda progress: None

    def _tell_at_times(self) -> None:
        now = time.monotonic()
        if now - self.told >= REPORT_SECONDS:
            self.told = now
            total = max(self.size, self.bytes)
            self.report(FetchProgress(self.done, self.artifacts, self.bytes, total, tuple(self.current)))


def _parallel(jobs: Sequence[Callable[[threading.Event], Result]], threads: int) -> list[Result]:
    """The jobs' results, in order. The first error stops the rest and is raised; so is an interrupt, at once.

    The threads are daemons: one that waits for a silent server keeps neither the caller nor the interpreter.
    """
    stop = threading.Event()
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    ended: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()
    for index in range(len(jobs)):
        waiting.put(index)

    def work() -> None:
        while not stop.is_set():
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((index, jobs[index](stop), None))
            except BaseException as error:  # noqa: BLE001 (raised again where the results are collected)
                ended.put((index, None, error))

    workers = [threading.Thread(target=work, daemon=True, name=f"fetch-{n}") for n in range(min(threads, len(jobs)))]
    for worker in workers:
        worker.start()
    results: dict[int, Result] = {}
    try:
        for _ in jobs:
            index, result, error = ended.get()
            if error is not None:
                stop.set()
                until = time.monotonic() + STOP_SECONDS
                for worker in workers:
                    worker.join(max(0.0, until - time.monotonic()))
                raise error
            results[index] = cast(Result, result)
    finally:
        stop.set()
    return [results[index] for index in range(len(jobs))]


def _check_space(needed: int, cache: Cache) -> None:
    folder = next(folder for folder in (cache.root, *cache.root.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise TaskError(
            f"{free / 1e6:,.0f} MB are free, {needed / 1e6:,.0f} MB are still to be downloaded",
            where=str(cache.root),
            hint="make room, or set PELLUCID_CACHE to a folder that has some",
        )
