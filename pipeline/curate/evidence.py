"""Check one artifact's licence evidence as a task of every build, from its bytes.

The lock pins what the evidence was when it was made. A recipe whose licence, evidence or members were edited since, a lock
edited by hand, and a manifest that somebody else signed are all held to the same rules here, before a record is read.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.curate import license
from pipeline.curate.artifact import broken, verify
from pipeline.errors import SourceError
from pipeline.formats.interface import Bomb, Truncated
from pipeline.recipe import SourceSpec


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Check `files["artifact"]` against `parameters["source"]` (a recipe's source). Returns the evidence.

    Raises SourceError where the artifact does not show the licence, or shows it in other files than the lock pins, and
    TaskError where it is not the file that the lock pins or cannot be read to its end.
    """
    source = SourceSpec.model_validate(parameters["source"])
    artifact = parameters["artifact"]
    verify(files["artifact"], artifact)
    try:
        found = [asdict(one) for one in license.check(files["artifact"], artifact["file"], source)]
    except SourceError as error:
        if isinstance(error.__cause__, Truncated | Bomb):
            raise broken(error.__cause__, artifact["purl"]) from error
        raise
    if found != parameters["evidence"]:
        raise SourceError(
            f"the licence of {source.name} is shown by {_names(found)}",
            where=artifact["purl"],
            wanted=f"what the lock pins: {_names(parameters['evidence'])}",
            hint="the recipe's `evidence` changed since it was locked: pellucid lock RECIPE",
        )
    progress(1, 0)
    return {"evidence": found}


def _names(evidence: list[dict[str, str]]) -> str:
    return ", ".join(f"{one['member']} ({one['sha256'][:12]})" for one in evidence) or "nothing"
