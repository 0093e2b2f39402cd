"""Tarballs of npm packages, through the npm that is installed and the registry that it is configured for.

`npm view` only reads the registry: nothing is installed, no script of a package runs. The registry states a sha512
(subresource integrity), for packages of before 2017 a sha1 only; the lock adds the sha256.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packageurl import PackageURL

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources.command import ask
from pipeline.sources.entries import npm as parse_entry
from pipeline.sources.entries import parse_purl
from pipeline.sources.interface import Candidate, Source

PARALLEL = 4  # npm processes at once; each takes about 0.6 s, nearly all of it Node's start


def resolve(spec: Mapping[str, Any], base: Path) -> Sequence[Candidate]:
    """One tarball for each entry; without a version the registry's `latest`. Raises SourceError naming the entry."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(view, spec["packages"]))


def locate(artifact: Artifact, base: Path) -> Candidate:
    """The pinned tarball. Raises SourceError where the registry no longer has this version."""
    purl = parse_purl(artifact)
    name = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    try:
        found = view(f"{name}@{purl.version}")
    except SourceError as error:
        raise SourceError(error.seen, where=artifact.purl, wanted=error.wanted, hint=error.hint) from error
    return Candidate(artifact.purl, artifact.file, found.url, digests=found.digests)


def view(entry: str) -> Candidate:
    """What the registry says of one version of a package. Raises SourceError, and RecipeError for several versions."""
    name, _ = parse_entry(entry)
    answer = ask(
        ["npm", "view", entry, "dist", "version", "--json"],
        needed_for="sources of kind npm",
        environment={"NO_UPDATE_NOTIFIER": "1"},
    )
    try:
        value = json.loads(answer.stdout or "null")
    except ValueError as error:
        raise SourceError(f"npm answered no JSON: {answer.stdout!r:.200}", where=entry) from error
    if isinstance(value, list):
        versions = ", ".join(str(one.get("version")) for one in value if isinstance(one, dict))
        raise RecipeError(f"means several versions: {versions}", where=entry, wanted=f"one: {name}@1.2.3")
    if isinstance(value, dict) and "error" in value:
        raise _refused(entry, value["error"])
    dist = value.get("dist") if isinstance(value, dict) else None
    if not isinstance(dist, dict) or not isinstance(dist.get("tarball"), str):
        said = answer.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise SourceError(f"npm names no tarball; it said: {said[0]}", where=entry)
    return _candidate(name, str(value["version"]), dist)


def _candidate(name: str, version: str, dist: Mapping[str, Any]) -> Candidate:
    namespace, _, short = name.rpartition("/")
    purl = PackageURL(type="npm", namespace=namespace or None, name=short, version=version)
    url = str(dist["tarball"])
    return Candidate(
        str(purl),
        unquote(urlsplit(url).path).rpartition("/")[2],
        url,
        digests=digests(dist.get("integrity"), dist.get("shasum"), str(purl)),
    )


def digests(integrity: str | None, shasum: str | None, where: str) -> dict[str, str]:
    """Hex digests by algorithm, from subresource integrity (`sha512-BASE64`, may hold several) and npm's old sha1.

    Raises SourceError where there is none that can be read: a tarball that nothing vouches for is not locked.
    """
    found = {}
    for part in (integrity or "").split():
        algorithm, _, encoded = part.partition("-")
        if algorithm in ("sha256", "sha384", "sha512"):
            try:
                found[algorithm] = base64.b64decode(encoded.partition("?")[0], validate=True).hex()
            except binascii.Error as error:
                raise SourceError(f"the registry states the integrity {part!r:.120}", where=where) from error
    if not found and shasum:
        found["sha1"] = shasum.lower()
    if not found:
        raise SourceError("the registry states no digest of the tarball", where=where, wanted="integrity or shasum")
    return found


def _refused(entry: str, error: Any) -> SourceError:
    code, summary = (str(error.get(key, "")) for key in ("code", "summary")) if isinstance(error, dict) else ("", "")
    if code == "E404":
        return SourceError(
            f"the npm registry does not have it: {summary}", where=entry, hint="check name and version, or pin another"
        )
    return SourceError(
        f"npm could not ask its registry: {code} {summary}".rstrip(),
        where=entry,
        hint="check the network and `npm config get registry`, then run the command again",
    )


SOURCE = Source(resolve, locate)
