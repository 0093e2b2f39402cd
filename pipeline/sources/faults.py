"""Several faults at once: a person wants to mend them all before the next run."""

from collections.abc import Sequence

from pipeline.errors import SourceError


def together(faults: Sequence[SourceError], seen: str) -> SourceError:
    """One error that names all of at least one; `seen` says what they have in common."""
    if len(faults) == 1:
        return faults[0]
    return SourceError(f"{seen}\n" + "\n".join(map(str, faults)), hint="mend all of these, then run the command again")
