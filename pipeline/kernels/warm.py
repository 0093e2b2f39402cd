"""Compile all kernels into the cache, once for each processor, version of Python and numba, and of the kernels' own sources.

`make` does it when it installs; a build does it where that was not done, with a message, before its workers start: else each
worker would compile for itself and nobody would know why nothing happens. Two builds that start at once wait for one another.
"""

import contextlib
import fcntl
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.errors import TaskError
from pipeline.kernels import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

# Compiled side by side, in processes of their own; the two take about the same time.
GROUPS = (("features", "exact"), ("lid", "c4", "near"))


def marker() -> Path:
    """The file that says that the cache is warm for this processor, Python and numba."""
    import llvmlite.binding as llvm

    cpu = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    return cache_folder() / f"warm-{cpu}-{platform.python_version()}-numba-{version('numba')}"


def ensure(say: Callable[[], None]) -> float:
    """Compile what is not in the cache yet; `say` is called before. Returns seconds spent. Raises TaskError."""
    with ahead() as kernels:
        return kernels.finish(say)


@contextlib.contextmanager
def ahead() -> Iterator["Warming"]:
    """Compile what is not in the cache yet beside the block, which calls `finish` before it needs the kernels.

    What is not finished at the block's end is given up.
    """
    done = marker()
    if done.exists():
        yield Warming(done, None)
        return
    with (done.parent / "lock").open("a") as handle:
        kernels = Warming(done, handle)
        try:
            kernels.begin(wait=False)
            yield kernels
        finally:
            kernels.give_up()


class Warming:
    """Kernels that are being compiled. `handle`: the open file whose lock says who does it, None if there is nothing to do."""

    def __init__(self, done: Path, handle: IO[str] | None) -> None:
        self.done, self.handle = done, handle
        self.processes: list[subprocess.Popen[str]] = []

    def begin(self, wait: bool) -> None:
        """Start to compile, unless another process does, which is waited for with `wait`."""
        if self.handle is None:
            return
        try:  # the lock ends with the process, however that ends
            fcntl.flock(self.handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return
        if not self.done.exists():
            command = [sys.executable, "-m", "pipeline.kernels.warm"]
            self.processes = [
                subprocess.Popen([*command, *group], stderr=subprocess.PIPE, text=True) for group in GROUPS
            ]

    def finish(self, say: Callable[[], None]) -> float:
        """Wait until all is compiled; `say` is called before, where there is something to wait for. Returns seconds waited.

        Raises TaskError.
        """
        if self.handle is None or self.done.exists():
            return 0.0
        began = time.monotonic()
        if not self.processes:
            self.begin(wait=True)
        if self.processes:
            say()
        for process, group in zip(self.processes, GROUPS, strict=bool(self.processes)):
            _, said = process.communicate()
            if process.returncode:
                raise TaskError(
                    f"ended with exit code {process.returncode}\n{said[-2000:]}",
                    where=f"compiling the kernels {', '.join(group)}",
                )
        self.done.touch()
        return time.monotonic() - began

    def give_up(self) -> None:
        """End the processes that are still at it."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


def compile_kernels(name: str) -> None:
    """Compile one module's kernels for the types that the pipeline calls them with, by calling them."""
    import pyarrow as pa

    texts = pa.array(["One line of text.\nAnd another, é, 漢字."], pa.large_string())
    if name == "features":
        from pipeline.kernels import features

        features.measure(texts)
    elif name == "c4":
        from pipeline.kernels import c4

        c4.edit(texts, c4.C4())
    elif name == "exact":
        from pipeline.kernels import exact

        exact.keys(texts)
    elif name == "near":
        _compile_near(texts)
    elif name == "lid":
        from pipeline.kernels import lid

        lid.compile_kernels()


def _compile_near(texts: "pa.LargeStringArray") -> None:
    import numpy as np

    from pipeline.kernels import jaccard, join, minhash, radix, shingles

    offsets, values = shingles.hashes(texts)
    minhash.band_keys(minhash.signatures(texts))
    minhash.signatures_of_hashes(offsets, values)
    ranks = np.zeros(1, np.uint32)
    keys, ranks = radix.sort(values[:1], ranks)
    pairs, _ = join.propose(keys, ranks, np.zeros(1, np.int32), 1, first=1, neighbours=1)
    sizes, addresses = np.array([len(values)]), np.array([values.ctypes.data], np.uint64)
    jaccard.choose(pairs, addresses, sizes, 1, np.full(1, jaccard.NOBODY, np.uint32), np.zeros(1, np.int64))
    jaccard.intersection(jaccard.gathered(addresses, offsets), values)


if __name__ == "__main__":
    if sys.argv[1:]:
        for argument in sys.argv[1:]:
            compile_kernels(argument)
    else:
        spent = ensure(lambda: print("compiling kernels for this processor (once)", file=sys.stderr))
        if spent:
            print(f"  {spent:.0f} s", file=sys.stderr)
