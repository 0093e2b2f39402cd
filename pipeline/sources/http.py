"""Files behind http(s) URLs. The URL is their name; the lock adds size and sha256."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packageurl import PackageURL

from pipeline.errors import RecipeError
from pipeline.model import Artifact
from pipeline.sources.interface import Candidate, Source


def resolve(spec: Mapping[str, Any], base: Path) -> Sequence[Candidate]:
    """The URLs themselves; nothing is asked. Raises RecipeError for a URL that holds a password or names no file."""
    return [_candidate(url) for url in spec["urls"]]


def locate(artifact: Artifact, base: Path) -> Candidate:
    """Where the artifact was: its URL."""
    return Candidate(artifact.purl, artifact.file, artifact.location, artifact.size, {}, artifact.location)


def _candidate(url: str) -> Candidate:
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise RecipeError(
            f"the URL at {parts.hostname} holds a user name or password", wanted="none: a recipe is published"
        )
    file = unquote(parts.path).rpartition("/")[2]
    if not parts.hostname or not file or not file.isprintable():
        raise RecipeError(f"{url!r} names no file", wanted="a URL whose path ends with a file name")
    purl = PackageURL(type="generic", name=file, qualifiers={"download_url": url})
    return Candidate(str(purl), file, url, location=url)


SOURCE = Source(resolve, locate)
