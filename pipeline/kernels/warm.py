"""Compile kernels into the cache, once for each processor, version of Python and numba, and of the kernels' own sources.

`make` does it when it installs; a build does it where that was not done, with a message, before its workers start: else each
worker would compile for itself and nobody would know why nothing happens. Two builds that start at once wait for one another.
"""

import contextlib
import fcntl
import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.arrow import without_pandas
from pipeline.errors import TaskError
from pipeline.kernels import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

Groups = Sequence[Sequence[str]]

# What curate needs, compiled side by side in two processes that take about the same time: a build waits for it.
GROUPS: Groups = (("features",), ("lid", "exact", "sketch"))
# What the stages after it need: compiled beside it.
LATER: Groups = (("near",),)
# What most recipes do not ask for, 3 to 10 s each: compiled by the first build that does. By the key or rule that asks; `trace`
# is the command, `html` is what formats ask for (`Format.kernels`).
ASKED: Mapping[str, Groups] = {"repeated_lines": (("blocks",),), "c4": (("c4",),), "gopher_dolma": (("dolma",),),
                            "trace": (("trace",),), "html": (("html_parser", "html_render"), ("html_extractor",))}  # fmt: skip


def marker(groups: Groups) -> Path:
    """The file that says that the cache is warm for this processor, Python and numba."""
    import llvmlite.binding as llvm

    cpu = os.environ.get("NUMBA_CPU_NAME") or llvm.get_host_cpu_name()
    named = {"later": LATER, **ASKED}
    what = "".join(f"-{name}" for name, others in named.items() if groups == others)
    return cache_folder() / f"warm{what}-{cpu}-{platform.python_version()}-numba-{version('numba')}"


def ensure(say: Callable[[], None], groups: Groups | None = None) -> float:
    """Compile what is not in the cache yet; `say` is called before. Returns seconds spent. Raises TaskError.

    `groups`: GROUPS by default; or LATER, or one of ASKED.
    """
    with ahead(groups) as kernels:
        return kernels.finish(say)


@contextlib.contextmanager
def ahead(groups: Groups | None = None, *, at_once: bool = True) -> Iterator["Warming"]:
    """Compile what is not in the cache yet beside the block, which calls `finish` before it needs the kernels.

    What is not finished at the block's end is given up. `groups` as of `ensure`; `at_once`: else the block calls `begin`.
    """
    groups = GROUPS if groups is None else groups
    done = marker(groups)
    if done.exists():
        yield Warming(groups, done, None)
        return
    with done.with_name(f"lock-{done.name}").open("a") as handle:
        kernels = Warming(groups, done, handle)
        try:
            if at_once:
                kernels.begin(wait=False)
            yield kernels
        finally:
            kernels.give_up()


class Warming:
    """Kernels that are being compiled. `handle`: the open file whose lock says who does it, None if there is nothing to do."""

    def __init__(self, groups: Groups, done: Path, handle: IO[str] | None) -> None:
        self.groups, self.done, self.handle = groups, done, handle
        self.processes: list[subprocess.Popen[str]] = []

    def begin(self, wait: bool) -> None:
        """Start to compile, unless another process does, which is waited for with `wait`."""
        if self.handle is None or self.processes:
            return
        try:  # the lock ends with the process, however that ends
            fcntl.flock(self.handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return
        if not self.done.exists():
            command = [sys.executable, "-m", "pipeline.kernels.warm"]
            self.processes = [
                subprocess.Popen([*command, *group], stderr=subprocess.PIPE, text=True) for group in self.groups
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
        for process, group in zip(self.processes, self.groups, strict=bool(self.processes)):
            _, said = process.communicate()
            if process.returncode:
                raise TaskError(
                    f"ended with exit code {process.returncode}\n{said[-2000:]}",
                    where=f"compiling the kernels {', '.join(group)}",
                )
        self.done.touch()
        fcntl.flock(self.handle, fcntl.LOCK_UN)  # a second build need not wait for the end of this one
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

    without_pandas()
    texts = pa.array(["One line of text.\nAnd another, é, 漢字."], pa.large_string())
    if name == "features":
        from pipeline.kernels import features

        features.measure(texts)
    elif name == "c4":
        from pipeline.kernels import c4

        c4.edit(texts, c4.C4())
    elif name == "dolma":
        from pipeline.kernels import dolma

        dolma.measure(texts)
    elif name == "exact":
        from pipeline.kernels import exact

        exact.keys(texts)
    elif name == "blocks":
        from pipeline.kernels import blocks

        found = blocks.count(texts, unit="line", min_characters=1)
        blocks.remove(texts, found, unit="line", min_characters=1)
    elif name == "trace":
        _compile_trace(texts)
    elif name == "sketch":
        _compile_sketch(texts)
    elif name == "near":
        _compile_near(texts)
    elif name == "html_parser":
        from pipeline.kernels.html import parser

        parser.parse(b"<p>One line of text.")
    elif name == "html_render":
        _compile_html_render()
    elif name == "html_extractor":
        _compile_html_extractor()
    elif name == "lid":
        from pipeline.kernels import lid

        lid.compile_kernels()


def _compile_sketch(texts: "pa.LargeStringArray") -> None:
    import numpy as np

    from pipeline.kernels import minhash, radix

    keys = minhash.band_keys(minhash.signatures(texts))
    radix.sort(keys[:, 0], np.zeros(1, np.uint32))


def _compile_trace(texts: "pa.LargeStringArray") -> None:
    from pipeline.kernels import radix, winnow

    keys, places, *_ = winnow.grams(texts, 0)
    radix.sort(keys, places)


def _compile_near(texts: "pa.LargeStringArray") -> None:
    import numpy as np

    from pipeline.kernels import jaccard, join, minhash, radix, shingles

    offsets, values = shingles.hashes(texts)
    minhash.band_keys(minhash.signatures_of_hashes(offsets, values))
    keys, ranks = radix.sort(values[:1], np.zeros(1, np.uint32))
    pairs, _ = join.propose(keys, ranks, np.zeros(1, np.int32), 1, first=1, neighbours=1)
    sizes, addresses = np.array([len(values)]), np.array([values.ctypes.data], np.uint64)
    jaccard.choose(pairs, addresses, sizes, 1, np.full(1, jaccard.NOBODY, np.uint32), np.zeros(1, np.int64))
    jaccard.intersection(jaccard.gathered(addresses, offsets), values)


def _compile_html_extractor() -> None:
    """Compile what measures and decides a page, with a tree made by hand: the parser is compiled beside it."""
    import numpy as np

    from pipeline.kernels.html import model, reasons
    from pipeline.kernels.html.measure import Measurer
    from pipeline.kernels.html.tree import example

    tree, measured = example(), Measurer(model.COLUMNS)
    blocks = measured.measure(tree, len(tree.source))
    keep, why = np.empty((2, blocks.count), np.uint8)
    model.shipped().keep(measured, keep)
    reasons.explain(blocks.nodes, blocks.marks, measured.signals, keep, blocks.count, why)


def _compile_html_render() -> None:
    import numpy as np

    from pipeline.kernels.html import render
    from pipeline.kernels.html.blocks import Finder
    from pipeline.kernels.html.tree import example

    tree = example()
    blocks = Finder().find(tree)
    render.render(tree, blocks, np.ones(blocks.count, np.uint8), markdown=True, links=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        gc.disable()  # an eighth of the time, for little: the process ends soon
        for argument in sys.argv[1:]:
            compile_kernels(argument)
    else:
        spent = sum(
            ensure(lambda: print("compiling kernels for this processor (once)", file=sys.stderr), groups)
            for groups in (GROUPS, LATER)
        )
        if spent:
            print(f"  {spent:.0f} s", file=sys.stderr)
