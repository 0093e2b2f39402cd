"""What can go wrong, as values that say what was seen, what was wanted, where, and what to do next.

The exit codes are the command line's contract: 1 ran, and the answer is no; 2 usage or recipe; 3 source or network;
4 a task failed. Library code raises these; only `cli` prints them and exits.
"""


class PellucidError(Exception):
    """Base of every error that a user is meant to read.

    `seen` is one sentence of fact; `wanted` what would have been right; `where` the file, key, artifact or pointer;
    `hint` the next thing to type or do.
    """

    exit_code = 1

    def __init__(self, seen: str, *, wanted: str = "", where: str = "", hint: str = "") -> None:
        super().__init__(seen)
        self.seen, self.wanted, self.where, self.hint = seen, wanted, where, hint

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.seen}" if self.where else self.seen]
        if self.wanted:
            lines.append(f"  wanted: {self.wanted}")
        if self.hint:
            lines.append(f"  next:   {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.seen, self.wanted, self.where, self.hint)


def _rebuild(kind: type[PellucidError], seen: str, wanted: str, where: str, hint: str) -> PellucidError:
    """Let errors cross a process boundary whole (exceptions pickle their positional arguments only)."""
    return kind(seen, wanted=wanted, where=where, hint=hint)


class VerificationError(PellucidError):
    """A release, signature or manifest is not what it says it is."""

    exit_code = 1


class RecipeError(PellucidError):
    """A recipe, lock, option or argument cannot be used."""

    exit_code = 2


class SourceError(PellucidError):
    """An upstream does not serve what the lock pins, or its evidence does not hold, or the network failed."""

    exit_code = 3


class TaskError(PellucidError):
    """A task of the build failed: a truncated artifact, a full disk, a dead worker."""

    exit_code = 4
