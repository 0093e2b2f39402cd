"""Change a signed release by one byte, a hundred thousand times: `verify` must refuse each, and name the file that was changed.

    python -m checks.flips [--runs 100000] [--seed 1] [--workers 2] [--mode flip | size | all]

`flip` puts another value in one byte. `size` inserts a byte, removes a byte, or cuts the file. Change `n` of a seed depends on
nothing but the release, the seed and `n`: a file, then an offset in it, then what is done there, each drawn evenly (files
evenly, not bytes, as small files are where the rules are). The release is that of the tests, and it is verified whole, before
and after; nothing of the verifier is replaced or left out. A process writes its own copy, changes one file in it, verifies
it, and puts the file's bytes back. Exit status 1 if one change passes, or is refused without naming the changed file alone.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipeline.trust.verify import verify
from tests.trust import small_release as small

MODES = {"flip": ("flip",), "size": ("insert", "delete", "truncate"), "all": ("flip", "insert", "delete", "truncate")}
BLOCK = 500  # changes a task


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one file: `value` is the new byte of a flip or an insertion (another one than there is, for a flip)."""

    file: str
    kind: str
    offset: int
    value: int

    def applied(self, data: bytes) -> bytes:
        """The file's bytes after the change; never equal to `data`."""
        head, tail = data[: self.offset], data[self.offset :]
        if self.kind == "flip":
            return head + bytes([self.value]) + tail[1:]
        if self.kind == "insert":
            return head + bytes([self.value]) + tail
        return head + tail[1:] if self.kind == "delete" else head


def contents(release: Path) -> dict[str, bytes]:
    """The bytes of every file of a release, by name."""
    paths = sorted(path for path in release.rglob("*") if path.is_file())
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in paths}


def change(files: dict[str, bytes], seed: int, number: int, kinds: tuple[str, ...]) -> Change:
    """Change `number` of a seed."""
    draw = random.Random(f"{seed}/{number}")
    name = draw.choice(sorted(files))
    kind = draw.choice(kinds)
    offset = draw.randrange(len(files[name]) + (kind == "insert"))
    if kind != "flip":
        return Change(name, kind, offset, draw.randrange(256))
    return Change(name, kind, offset, (files[name][offset] + draw.randrange(1, 256)) % 256)


def fault(release: Path, made: Change, data: bytes) -> tuple[str, str | None]:
    """Make a change of a file with these bytes, verify, put it back: the check that refused it, and what is wrong with that.

    Refused well means: not ok, every failure is of the changed file, and says something.
    """
    path = release / made.file
    path.write_bytes(made.applied(data))
    result = verify(release, small.TRUSTED)
    path.write_bytes(data)
    if result.ok or not result.failures:
        return "none", f"{made} passes"
    wrong = [check for check in result.failures if check.file != made.file or not check.detail]
    return result.failures[0].name, f"{made} is refused by {wrong[0]}" if wrong else None


def run(
    release: Path, numbers: range, seed: int, kinds: tuple[str, ...]
) -> tuple[Counter[tuple[str, str, str]], list[str]]:
    """Make these changes of a release, one after another: how many by kind, check and file; and every fault."""
    files, counted, faults = contents(release), Counter[tuple[str, str, str]](), []
    if not verify(release, small.TRUSTED).ok:
        return counted, ["the release does not verify as it is"]
    for number in numbers:
        made = change(files, seed, number, kinds)
        check, wrong = fault(release, made, files[made.file])
        counted[made.kind, check, made.file] += 1
        faults += [wrong] if wrong else []
    if not verify(release, small.TRUSTED).ok:
        faults.append("the release does not verify after all changes were taken back")
    return counted, faults


def _task(arguments: tuple[Path, range, int, tuple[str, ...]]) -> tuple[Counter[tuple[str, str, str]], list[str]]:
    """A block of changes, in this process's own copy of the release."""
    pristine, *rest = arguments
    copy = pristine.with_name(f"of-{os.getpid()}")
    if not copy.exists():
        shutil.copytree(pristine, copy)
    return run(copy, *rest)


def _blocks(
    pristine: Path, runs: int, seed: int, kinds: tuple[str, ...]
) -> Iterator[tuple[Path, range, int, tuple[str, ...]]]:
    for first in range(0, runs, BLOCK):
        yield pristine, range(first, min(first + BLOCK, runs)), seed, kinds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mode", choices=MODES, default="flip")
    options = parser.parse_args()
    counted, faults, started = Counter[tuple[str, str, str]](), [], time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="pellucid-flips-") as folder:
        pristine = small.write(Path(folder) / "pristine", small.corpus())
        with ProcessPoolExecutor(options.workers) as pool:
            for some, wrong in pool.map(_task, _blocks(pristine, options.runs, options.seed, MODES[options.mode])):
                counted += some
                faults += wrong
                if sys.stderr.isatty() or counted.total() % (20 * BLOCK) == 0:
                    print(f"{counted.total():,} of {options.runs:,}", file=sys.stderr, flush=True)
    _summary(counted, faults, time.monotonic() - started)
    return 1 if faults or counted.total() != options.runs else 0


def _summary(counted: Counter[tuple[str, str, str]], faults: list[str], seconds: float) -> None:
    width = max((len(file) for _, _, file in counted), default=0)
    for (kind, check, file), number in sorted(counted.items()):
        print(f"{kind:8}  {check:9}  {file:{width}}  {number:7,}")
    for wrong in faults[:20]:
        print(f"FAULT: {wrong}")
    passed = sum(number for (_, check, _), number in counted.items() if check == "none")
    print(
        f"{counted.total():,} changes in {seconds:.0f} s: {passed:,} pass, {len(faults):,} faults, "
        f"{counted.total() - passed:,} refused"
    )


if __name__ == "__main__":
    sys.exit(main())
