"""What a document of one run or reproduction says of the machine: hardware, versions, resources. No name of host or user.

The word of whoever signs it. Nothing here is in a manifest, which is the same wherever it is made.
"""

import importlib.metadata
import os
import platform
import re
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypedDict

from pipeline.trust import intoto

SHAPE: dict[str, intoto.Rule] = {
    "system": intoto.string,
    "cpu": intoto.string,
    "cores": intoto.count,
    "memory_bytes": intoto.optional(intoto.count),
}
TIME = intoto.matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a UTC time as 2026-01-31T23:59:59Z")


class Machine(TypedDict):
    """What a build ran on; no name of host or user is in it."""

    system: str
    cpu: str
    cores: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """Processor time of this process and of those that it started and that have ended; the largest one's peak memory."""

    cpu_seconds: float
    peak_memory_bytes: int


def used() -> Used:
    """What this process has used since it began, as the kernel counts it (getrusage). Peak memory is of one process."""
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): ru_maxrss is in KiB on Linux, in bytes on macOS
    return Used(
        round(sum(part.ru_utime + part.ru_stime for part in parts), 3), max(part.ru_maxrss for part in parts) * unit
    )


def machine() -> Machine:
    """System, processor, usable cores and memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        memory = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}"
    return {"system": system, "cpu": _cpu(), "cores": cores, "memory_bytes": memory}


@cache  # reading what is installed takes a tenth of a second
def packages() -> Mapping[str, str]:
    """Version of each installed requirement of Pellucid; empty where Pellucid runs without being installed."""
    try:
        required = importlib.metadata.requires("pellucid") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = {}
    for requirement in required:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of an extra that is not installed
    return found


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out where the code of `folder` is tracked; None if it is not tracked by git.

    A package installed into a virtual environment inside somebody's repository is not of that repository.
    """
    try:
        for command in (["ls-files", "--error-unmatch", "__init__.py"], ["rev-parse", "--verify", "HEAD"]):
            done = subprocess.run(["git", *command], cwd=folder, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("ascii").strip()


def versions() -> dict[str, str]:
    """Version of Python, and of each installed requirement of Pellucid."""
    return {"python": platform.python_version(), **packages()}


def git_changed(folder: Path) -> bool:
    """Whether a file below `folder` differs from what is checked out, or is not tracked; also where git cannot tell."""
    try:
        done = subprocess.run(
            ["git", "status", "--porcelain", "--", "."], cwd=folder, capture_output=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return True
    return bool(done.stdout.strip())


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no Linux: what Python knows
    return platform.processor() or platform.machine()


def utc(seconds: float) -> str:
    """Seconds since 1970 as documents write them, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
