"""The run document: who built a release when, on what, and how long it took. Signed, and not deterministic.

Everything of the moment and the machine is here and nowhere else, so that the manifest can be the same for everybody who
builds it. It is the word of the builder: nothing in it can be checked but whose word it is, and of which release.
"""

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, cast

from pipeline.errors import VerificationError
from pipeline.trust import intoto

PREDICATE_TYPE = "urn:pellucid:run:v1"
_TIME = intoto.matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a UTC time as 2026-01-31T23:59:59Z")
SHAPE: intoto.Shape = {
    "release_id": intoto.sha256,
    "started": _TIME,
    "finished": _TIME,
    "seconds": intoto.anything,
    "workers": intoto.count,
    "machine": {
        "system": intoto.string,
        "cpu": intoto.string,
        "cores": intoto.count,
        "memory_bytes": intoto.optional(intoto.count),
    },
    "python": intoto.string,
    "packages": intoto.strings,
    "git_commit": intoto.optional(intoto.matching("[0-9a-f]{40,64}", "a commit id in hex")),
}


class Machine(TypedDict):
    """What a build ran on; no name of host or user is in it."""

    system: str
    cpu: str
    cores: int
    memory_bytes: int | None


class Run(TypedDict):
    """The predicate of a run document; times in UTC, `seconds` by stage."""

    release_id: str
    started: str
    finished: str
    seconds: dict[str, float]
    workers: int
    machine: Machine
    python: str
    packages: dict[str, str]
    git_commit: str | None


def run_statement(
    *, release_id: str, started: float, finished: float, seconds: Mapping[str, float], workers: int
) -> bytes:
    """The run document's statement, of this machine and moment. `started`, `finished`: seconds since 1970."""
    predicate: Run = {
        "release_id": release_id,
        "started": _utc(started),
        "finished": _utc(finished),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "workers": workers,
        "machine": machine(),
        "python": platform.python_version(),
        "packages": packages(),
        "git_commit": git_commit(Path(__file__).parent),
    }
    data = intoto.build({"manifest.json": release_id}, PREDICATE_TYPE, cast(dict[str, Any], predicate))
    parse(data)
    return data


def parse(data: bytes, where: str = "run.dsse.json") -> Run:
    """A run document, strictly. Raises VerificationError naming the key."""
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    intoto.check(list(value["seconds"].values()), [intoto.number], "predicate.seconds (in order of its keys)", where)
    run = cast(Run, value)
    if subjects != {"manifest.json": run["release_id"]}:
        raise VerificationError(
            f"subject is {subjects!r:.120}", wanted=f"manifest.json with digest {run['release_id']}", where=where
        )
    return run


def machine() -> Machine:
    """System, processor, usable cores and memory."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        memory = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    system = f"{platform.system()} {platform.machine()}"
    return {"system": system, "cpu": _cpu(), "cores": cores, "memory_bytes": memory}


def packages() -> dict[str, str]:
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


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no Linux: what Python knows
    return platform.processor() or platform.machine()


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
