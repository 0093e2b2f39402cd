"""Compile kernels into the cache, once for each processor, version of Python and numba, and of the kernels' own sources.

`make` does it when it installs; a build does it where that was not done, with a message, before its workers start: else each
worker would compile for itself and nobody would know why nothing happens. Two builds that start at once wait for one another.
"""

import fcntl
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import TaskError
from pipeline.kernels import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

# Compiled side by side, in processes of their own; the first takes about as long as the others together.
GROUPS = (("features",), ("lid", "c4", "exact", "near"))
BLOCKS = (("blocks",),)  # 3 s, and most recipes do not ask for `repeated_lines`: compiled by the first build that does


def marker(groups: Sequence[Sequence[str]]) -> Path:
    """The file that says that the cache is warm for this processor, Python and numba."""
    import llvmlite.binding as llvm

    cpu = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    what = "-blocks" if groups == BLOCKS else ""
    return cache_folder() / f"warm{what}-{cpu}-{platform.python_version()}-numba-{version('numba')}"


def ensure(say: Callable[[], None], groups: Sequence[Sequence[str]] | None = None) -> float:
    """Compile what is not in the cache yet; `say` is called before. Returns seconds spent. Raises TaskError.

    `groups`: GROUPS by default, what every build needs; or BLOCKS.
    """
    groups = GROUPS if groups is None else groups
    done = marker(groups)
    if done.exists():
        return 0.0
    began = time.monotonic()
    with (done.parent / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # it ends with the process, however that ends
        if done.exists():
            return time.monotonic() - began
        say()
        processes = [
            subprocess.Popen([sys.executable, "-m", "pipeline.kernels.warm", *group], stderr=subprocess.PIPE, text=True)
            for group in groups
        ]
        for process, group in zip(processes, groups, strict=True):
            _, said = process.communicate()
            if process.returncode:
                raise TaskError(
                    f"ended with exit code {process.returncode}\n{said[-2000:]}",
                    where=f"compiling the kernels {', '.join(group)}",
                )
        done.touch()
    return time.monotonic() - began


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
    elif name == "blocks":
        from pipeline.kernels import blocks

        found = blocks.count(texts, unit="line", min_characters=1)
        blocks.remove(texts, found, unit="line", min_characters=1)
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
