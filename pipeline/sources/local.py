"""Files of this machine, by paths relative to the recipe's folder. Their identity is their sha256."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from pipeline.errors import SourceError
from pipeline.model import Artifact
from pipeline.sources.interface import Candidate, Source


def resolve(spec: Mapping[str, Any], base: Path) -> Sequence[Candidate]:
    """The files as they are now, with size and sha256. Raises SourceError where one is missing or not a file."""
    return [_candidate(path, base) for path in spec["paths"]]


def locate(artifact: Artifact, base: Path) -> Candidate:
    """The file at the artifact's path. Raises SourceError where it is gone."""
    path = _file(artifact.location, base)
    return Candidate(artifact.purl, artifact.file, path.as_uri(), path.stat().st_size, {}, artifact.location)


def _candidate(location: str, base: Path) -> Candidate:
    path = _file(location, base)
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", where=str(path)) from error
    purl = PackageURL(type="generic", name=path.name, qualifiers={"checksum": f"sha256:{digest}"})
    return Candidate(str(purl), path.name, path.as_uri(), path.stat().st_size, {"sha256": digest}, location)


def _file(location: str, base: Path) -> Path:
    path = (base / location).resolve()
    if not path.is_file():
        raise SourceError(
            f"{'is not a regular file' if path.exists() else 'there is no such file'}",
            where=str(base / location),
            wanted="a file, its path relative to the recipe's folder",
        )
    return path


SOURCE = Source(resolve, locate)
