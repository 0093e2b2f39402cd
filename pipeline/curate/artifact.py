"""What every task that reads an artifact does: verify it before use, and stop the build where it is broken."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import TaskError
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Pointer
from pipeline.trust import keyed


def broken(error: Truncated | Bomb, purl: str, last: Pointer | None = None) -> TaskError:
    """The answer to an artifact that is cut short or unfolds without bound. `last`: the record read before, if any."""
    after = f" after {last.canonical().decode()}" if last else ""
    return TaskError(
        f"{type(error).__name__.lower()}{after}: {error}",
        where=purl,
        wanted="a whole archive: the file is the one that the lock pins, so the upstream's own copy is broken",
        hint="take the artifact out of the recipe, or pin another version and run `pellucid lock`",
    )


def verify(path: Path, artifact: Mapping[str, Any]) -> bytes:
    """The artifact's key for the ledger (`trust.keyed`), made in the pass that checks it.

    Raises TaskError where the cached file is not the one that the lock pins.
    """
    seen, key = keyed.artifact_key(path)
    if seen != artifact["sha256"]:
        raise TaskError(
            f"the cached file has sha256 {seen}",
            where=artifact["purl"],
            wanted=artifact["sha256"],
            hint=f"remove {path} and build again: it is fetched anew",
        )
    return key
