"""What the words of a recipe's source mean, without asking anybody. Pure.

An entry is one word of a recipe's `from`: a requirement, a Debian or npm package, a URL, a path. `means` says whether a
pinned artifact is one that the entry would accept; the lock is kept, checked and compared by it.
"""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from packageurl import PackageURL
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from pipeline.errors import RecipeError
from pipeline.model import Artifact

# PEP 625 is younger than most packages: these are the endings that sdists on package indexes have.
SDIST_ENDINGS = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
# Debian policy 5.6.1 and 5.6.12; `name[:architecture][=version | /release]` as apt-get(8) takes it.
_DEB = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9-]+))?(?:=([0-9][A-Za-z0-9.+~:-]*)|/[A-Za-z0-9.+-]+)?")
# Names as npm allows them today and, with capitals, once did; then a version or a tag, never a path or a URL.
_NPM = re.compile(
    r"((?:@[A-Za-z0-9_~][A-Za-z0-9._~-]*/)?[A-Za-z0-9_~][A-Za-z0-9._~-]*)(?:@([A-Za-z0-9][A-Za-z0-9.+-]*))?"
)
_NPM_VERSION = re.compile(r"\d+\.\d+\.\d+.*")


def entries(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The entries of a validated `from` mapping, in the recipe's order."""
    return tuple(spec[ENTRY_KEYS[spec["kind"]]])


def means(spec: Mapping[str, Any], entry: str, artifact: Artifact) -> bool:
    """Whether `entry` of the `from` mapping `spec` accepts the pinned artifact. Raises RecipeError for a malformed entry."""
    return artifact.kind == spec["kind"] and _MEANS[artifact.kind](spec, entry, artifact)


def requirement(entry: str) -> Requirement:
    """A PEP 508 requirement of a name and versions, no more. Raises RecipeError."""
    try:
        parsed = Requirement(entry)
    except InvalidRequirement as error:
        raise RecipeError(
            f"{entry!r} is no requirement: {error}", wanted="a package and its version: name==1.2"
        ) from error
    if parsed.url or parsed.marker or parsed.extras:
        raise RecipeError(
            f"{entry!r} has more than a name and versions",
            wanted="name==1.2 (a URL is a source of kind http; extras and markers choose nothing here)",
        )
    return parsed


def deb(entry: str) -> tuple[str, str | None, str | None]:
    """Name, architecture and version of a Debian entry, None where it names none. Raises RecipeError."""
    found = _DEB.fullmatch(entry)
    if not found:
        raise RecipeError(f"{entry!r} is no Debian package", wanted="name, name=version or name:architecture")
    return found[1], found[2], found[3]


def npm(entry: str) -> tuple[str, str | None]:
    """Name and version (or tag) of an npm entry. Raises RecipeError."""
    found = _NPM.fullmatch(entry)
    if not found:
        raise RecipeError(f"{entry!r} is no npm package", wanted="name@1.2.3 or @scope/name@1.2.3")
    return found[1], found[2]


def fits(file: str, name: str) -> bool:
    """Whether the file `name` of a Python package is what the recipe's `file` asks for."""
    if file == "sdist":
        return name.endswith(SDIST_ENDINGS)
    if file == "wheel":
        return is_pure_wheel(name)
    return fnmatchcase(name, file)


def is_pure_wheel(name: str) -> bool:
    """Whether the wheel is one for any platform and any binary interface."""
    try:
        tags = parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return False
    return any(tag.abi == "none" and tag.platform == "any" for tag in tags)


def parse_purl(artifact: Artifact) -> PackageURL:
    """The parts of an artifact's Package URL. Raises RecipeError where it is none, or not one of the artifact's kind."""
    wanted = PURL_TYPES[artifact.kind]
    try:
        parsed = PackageURL.from_string(artifact.purl)
    except ValueError as error:
        raise RecipeError(f"{artifact.purl!r} is no Package URL: {error}") from error
    if parsed.type != wanted or (artifact.kind in REGISTRIES and not parsed.version):
        raise RecipeError(
            f"{artifact.purl!r} names no file of kind {artifact.kind}", wanted=f"pkg:{wanted}/name@version"
        )
    return parsed


def _pypi(spec: Mapping[str, Any], entry: str, artifact: Artifact) -> bool:
    wanted, purl = requirement(entry), parse_purl(artifact)
    return (
        canonicalize_name(wanted.name) == purl.name
        and wanted.specifier.contains(purl.version or "", prereleases=True)
        and fits(spec["file"], artifact.file)
    )


def _deb(spec: Mapping[str, Any], entry: str, artifact: Artifact) -> bool:
    name, architecture, version = deb(entry)
    purl = parse_purl(artifact)
    return (
        purl.name == name
        and version in (None, purl.version)
        and architecture in (None, "all", purl.qualifiers.get("arch"))
    )


def _npm(spec: Mapping[str, Any], entry: str, artifact: Artifact) -> bool:
    """A tag (`latest`) means whatever version was locked under it: only the registry could tell."""
    name, version = npm(entry)
    purl = parse_purl(artifact)
    named = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
    return named == name and (version is None or version == purl.version or not _NPM_VERSION.fullmatch(version))


def _located(spec: Mapping[str, Any], entry: str, artifact: Artifact) -> bool:
    return artifact.location == entry


ENTRY_KEYS = {"pypi": "packages", "deb": "packages", "npm": "packages", "http": "urls", "local": "paths"}
PURL_TYPES = {"pypi": "pypi", "deb": "deb", "npm": "npm", "http": "generic", "local": "generic"}
REGISTRIES = frozenset({"pypi", "deb", "npm"})  # their hosts are never written down
_MEANS: dict[str, Callable[[Mapping[str, Any], str, Artifact], bool]] = {
    "pypi": _pypi, "deb": _deb, "npm": _npm, "http": _located, "local": _located,
}  # fmt: skip
