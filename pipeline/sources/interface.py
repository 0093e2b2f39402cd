"""The seam to upstreams: finding out what a recipe's words mean today, and where a pinned file can be had.

Only these modules and `fetch` touch the network. Nothing in a package is ever executed: no build backend, no
maintainer script, no install hook.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.model import Artifact


@dataclass(frozen=True, slots=True)
class Candidate:
    """What an upstream offers for one entry of a recipe: how to name it and where its bytes are.

    `digests` maps algorithm names of hashlib to hex, as the upstream states them (may lack sha256, e.g. npm);
    `size` in bytes where stated. `url` is an http(s) or file URL, used now and never written down, except as
    `location` for kinds whose URL is their identity (`http`) or whose path is (`local`).
    """

    purl: str
    file: str
    url: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    location: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of source.

    `resolve(spec, base)`: the validated `from` mapping of a recipe's source (and the folder that the recipe lies in) to
    candidates, in the recipe's order; raises SourceError naming the entry that the upstream does not have.
    `locate(artifact, base)`: a pinned artifact to the candidate that has its file name today; raises SourceError saying
    that the upstream no longer serves it.
    """

    resolve: Callable[[Mapping[str, Any], Path], Sequence[Candidate]]
    locate: Callable[[Artifact, Path], Candidate]
