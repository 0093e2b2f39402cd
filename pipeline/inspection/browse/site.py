"""All that the pages share: the release, its engine, the work under way, the artifact cache, and whose signature is enough."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.inspection.browse.again import Artifacts
from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.faults import TooSlow
from pipeline.inspection.browse.jobs import Jobs, Outcome
from pipeline.inspection.browse.release import Opened, open_release
from pipeline.sources.cache import Cache

WAIT = 0.4  # seconds that a page waits for what it can do without


@dataclass(frozen=True, slots=True)
class Trusted:
    """Keys that verify a release, with their vouchers (`trust.vouch`); or why there are none."""

    keys: tuple[Any, ...] = ()
    vouchers: Any = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    opened: Opened
    engine: Engine
    trusted: Trusted
    artifacts: Artifacts
    jobs: Jobs = field(default_factory=Jobs)
    other: Opened | None = None
    progress: dict[str, Any] = field(default_factory=dict)

    def aggregate(self, key: Any, make: Callable[[], Any], seconds: float = WAIT) -> Outcome:
        """What is counted over many rows: once for as long as the files stay as they are. Too slow a count is none."""
        try:
            return self.jobs.value(key, make, seconds)
        except TooSlow as error:
            return Outcome(why=error.seen)

    def close(self) -> None:
        """End what runs; work that is no query ends with the program."""
        self.engine.interrupt()


def open_site(release: Path, trusted: Trusted, other: Path | None = None, cache: Cache | None = None) -> Site:
    """Raises RecipeError where a folder is no release, VerificationError where a manifest is none."""
    opened = open_release(release)
    compared = open_release(other) if other is not None else None
    paths = [
        str(one.folder / name) for one in (opened, compared) if one for name in one.stamps if name.endswith(".parquet")
    ]
    return Site(opened, Engine(dict.fromkeys(paths)), trusted, Artifacts(cache or Cache()), other=compared)
