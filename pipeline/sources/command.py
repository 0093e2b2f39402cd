"""Ask a package manager that is installed on this machine. It only ever looks things up."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import SourceError

SECONDS = 300  # a package manager that answers nothing for so long has lost its network


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    stdout: str
    stderr: str


def ask(arguments: Sequence[str], *, needed_for: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Run a command and return what it said. Raises SourceError where it is not installed or does not answer."""
    program = shutil.which(arguments[0])
    if program is None:
        raise SourceError(
            f"the command {arguments[0]} is not on this system",
            wanted=f"it, for {needed_for}",
            hint=f"install {arguments[0]}, or use a recipe without such sources",
        )
    try:
        done = subprocess.run(
            [program, *arguments[1:]],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(
            f"{' '.join(arguments)} gave no answer in {SECONDS} s", hint="check the network and run the command again"
        ) from error
    return Answer(done.returncode, done.stdout, done.stderr)
