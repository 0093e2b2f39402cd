"""The one answer to an artifact that is cut short or unfolds without bound: its task fails, and the build stops."""

from pipeline.errors import TaskError
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Pointer


def broken(error: Truncated | Bomb, purl: str, last: Pointer | None = None) -> TaskError:
    """`last`: the record that was read before, if any."""
    after = f" after {last.canonical().decode()}" if last else ""
    return TaskError(
        f"{type(error).__name__.lower()}{after}: {error}",
        where=purl,
        wanted="a whole archive: the file is the one that the lock pins, so the upstream's own copy is broken",
        hint="take the artifact out of the recipe, or pin another version and run `pellucid lock`",
    )
