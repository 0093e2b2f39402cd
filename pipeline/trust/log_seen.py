"""What was seen last of each log, in the user's config folder: `logs/SHA-256 of the origin.checkpoint`.

The rules:
1. A log that was never seen is believed, and remembered: trust on first use. The caller is told which of the two it was.
2. A log that was seen must be consistent with what was seen (`log.consistent`). If it is not, it is refused, and what is
   remembered stays as it was: it is the proof.
3. What is remembered moves forward only, and only after the log has held. Whether a release is in the log is another question:
   a log that withdraws a release must be remembered, too, or an older copy could hide the withdrawal.
The note is remembered whole, signatures included, so that two contradicting ones can be shown to anybody.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import appear, keys, log
from pipeline.trust import log_checkpoint as checkpoints
from pipeline.trust.log import Log
from pipeline.trust.log_checkpoint import Checkpoint


def path_of(origin: str) -> Path:
    """Where the last checkpoint of a log is remembered."""
    return keys.config_folder() / "logs" / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"


def last(origin: str) -> Checkpoint | None:
    """The checkpoint of this log that was seen last; None if none was. Raises RecipeError where it cannot be read."""
    path = path_of(origin)
    try:
        found = checkpoints.parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecipeError(f"what was seen last cannot be read: {error.strerror}", where=str(path)) from error
    except VerificationError as error:
        raise RecipeError(
            f"what was seen last is no checkpoint: {error.seen}", where=str(path),
            hint="if you know why, remove the file: the log is then believed as if it were seen for the first time",
        ) from error  # fmt: skip
    if found.origin != origin:
        raise RecipeError(f"what was seen last is of {found.origin!r}", wanted=repr(origin), where=str(path))
    return found


def check(seen: Log) -> Checkpoint | None:
    """Hold a log against what was seen last, and remember it. Returns what was seen before it, None for a first sight.

    Raises VerificationError where the two contradict each other; what is remembered stays as it was.
    """
    path = path_of(seen.origin)
    with _exclusive(path.parent):
        before = last(seen.origin)
        if before is not None:
            log.consistent(seen, before)
        if before is None or seen.size > before.size:
            appear.write(path, seen.checkpoint.note)
    return before


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Hold the memory alone, so that of two checks at once the later log is remembered."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise RecipeError(f"what was seen cannot be remembered: {error.strerror}", where=str(folder)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
