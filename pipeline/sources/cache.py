"""The cache: every artifact once, as a file named by its sha256, and the part files of downloads under way."""

import contextlib
import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from pipeline.errors import TaskError

POLL = 0.2  # seconds between looks at a part file that another process holds


def default_root() -> Path:
    """`$PELLUCID_CACHE`, else `pellucid` in the cache folder of the XDG base directory specification."""
    if own := os.environ.get("PELLUCID_CACHE"):
        return Path(own).absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "pellucid"


class Stopped(Exception):
    """The fetch was stopped: by an interrupt, or because another artifact failed."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Files by sha256 under `root`/artifacts. A file is there whole and verified or not at all: it appears by rename."""

    root: Path = field(default_factory=default_root)

    def path(self, sha256: str) -> Path:
        """Where the artifact is, once it is fetched."""
        return self.root / "artifacts" / sha256[:2] / sha256

    def size(self, sha256: str) -> int | None:
        """Its bytes, None where it is not there. Its digest was verified before it appeared."""
        return _size(self.path(sha256))

    def has(self, sha256: str, size: int) -> bool:
        """Whether it is there with this size."""
        return self.size(sha256) == size

    def begun(self, name: str) -> int:
        """Bytes in the part file of that name."""
        return _size(self._part(name)) or 0

    def _part(self, name: str) -> Path:
        return self.root / "parts" / f"{name}.part"

    @contextlib.contextmanager
    def part(self, name: str, stop: threading.Event) -> Iterator["Part"]:
        """The part file of that name, held alone: a second process or thread waits here until the first is done.

        Raises Stopped, and TaskError where the disk is full or the cache cannot be written.
        """
        path = self._part(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _held(path, stop) as stream:
                yield Part(path, stream)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise TaskError(
                    "the disk is full",
                    where=str(self.root),
                    hint="make room, or set PELLUCID_CACHE to a folder that has some; what was fetched is kept",
                ) from error
            raise TaskError(
                f"the cache cannot be written: {error}",
                where=str(self.root),
                hint="set PELLUCID_CACHE to a folder of yours",
            ) from error

    def keep(self, part: "Part", sha256: str) -> None:
        """Give a part file that is whole and verified its place: on the disk before it has its name."""
        os.fsync(part.stream.fileno())
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.path.replace(target)


class Part:
    """A part file: its bytes so far and their running digests. `left`: bytes that an earlier process left in it."""

    def __init__(self, path: Path, stream: FileIO) -> None:
        self.path, self.stream = path, stream
        self.size = self.left = 0
        self.hashes = {"sha256": hashlib.sha256()}

    def resume(self, algorithms: set[str]) -> None:
        """Read what is there into the digests of these algorithms, and go on at its end."""
        self.hashes = {name: hashlib.new(name, usedforsecurity=False) for name in {"sha256", *algorithms}}
        self.stream.seek(0)
        self.size, there = 0, os.fstat(self.stream.fileno()).st_size
        while chunk := self.stream.read(min(there - self.size, 1 << 20)):
            self._count(chunk)
        self.left = self.size

    def restart(self) -> None:
        """Throw away what is there."""
        self.stream.seek(0)
        self.stream.truncate()
        self.hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self.hashes}
        self.size = self.left = 0

    def write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            view = view[self.stream.write(view) :]
        self._count(chunk)

    def digest(self, algorithm: str = "sha256") -> str:
        """Of the bytes so far, in hex."""
        return self.hashes[algorithm].hexdigest()

    def _count(self, chunk: bytes) -> None:
        self.size += len(chunk)
        for running in self.hashes.values():
            running.update(chunk)


@contextlib.contextmanager
def _held(path: Path, stop: threading.Event) -> Iterator[FileIO]:
    """The file, open to read and write, under the kernel's lock, which ends with the process however that ends."""
    while True:
        with FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), "r+b") as stream:
            while not _locked(stream):
                if stop.wait(POLL):
                    raise Stopped
            # Who held it before may have renamed or removed it: then the lock is on a file that has no name any more.
            if _is_named(stream, path):
                yield stream
                return


def _locked(stream: FileIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_named(stream: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
