"""Debian packages of the release that apt is set up for, through `apt-get download --print-uris`.

apt names file, URL, size and digest from its signed lists; nothing is unpacked, no maintainer script runs, no root is
needed. Archives serve current versions only, so a lock goes stale: `locate` then says what is served now.
"""

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from packageurl import PackageURL

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources.command import Answer, ask
from pipeline.sources.entries import deb as parse_entry
from pipeline.sources.entries import parse_purl
from pipeline.sources.interface import Candidate, Source

_LINE = re.compile(r"'([^']+)' (\S+) (\d+)(?: (\w+):([0-9a-fA-F]+))?")
_ALGORITHMS = {"md5sum": "md5", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of apt's answer. `version` with its epoch; digests in hex."""

    name: str
    version: str
    architecture: str
    file: str
    url: str
    size: int
    digests: Mapping[str, str]


def resolve(spec: Mapping[str, Any], base: Path) -> Sequence[Candidate]:
    """What apt would download for each entry. Raises SourceError naming every entry that apt does not know."""
    entries = spec["packages"]
    parsed = {entry: parse_entry(entry) for entry in entries}
    answer = _download(entries)
    if answer.code != 0:
        raise SourceError(
            _complaints(answer),
            where=", ".join(entries[:3]) + (", ..." if len(entries) > 3 else ""),
            wanted="packages of the release that apt is set up for",
            hint=_hint(),
        )
    offers = parse(answer.stdout)
    return [_candidate(_choose(entry, parsed[entry], offers)) for entry in entries]


def locate(artifact: Artifact, base: Path) -> Candidate:
    """The pinned version. Raises SourceError saying which version apt serves now, where that is another."""
    purl = parse_purl(artifact)
    architecture = purl.qualifiers.get("arch", "all")
    name = purl.name if architecture == "all" else f"{purl.name}:{architecture}"
    answer = _download([f"{name}={purl.version}"])
    offers = parse(answer.stdout) if answer.code == 0 else []
    for offer in offers:
        if offer.version == purl.version:
            return Candidate(artifact.purl, artifact.file, offer.url, offer.size, offer.digests)
    now = _download([name])
    served = parse(now.stdout) if now.code == 0 else []
    if served:
        raise SourceError(
            f"apt no longer serves version {purl.version}; it serves {served[0].version}",
            where=artifact.purl,
            wanted="the pinned version: an archive of packages holds the current ones only",
            hint="pellucid lock RECIPE --refresh pins what is served now and prints the difference",
        )
    raise SourceError(f"apt does not serve it: {_complaints(answer)}", where=artifact.purl, hint=_hint())


def parse(printed: str) -> list[Offer]:
    """The offers in the output of `apt-get download --print-uris`. Raises SourceError for a line of another form."""
    offers = []
    for line in filter(None, map(str.strip, printed.splitlines())):
        found = _LINE.fullmatch(line)
        fields = found[2].removesuffix(".deb").split("_") if found else []
        if found is None or len(fields) != 3:
            raise SourceError(
                f"apt-get printed {line!r:.200}", wanted="'URL' NAME_VERSION_ARCHITECTURE.deb SIZE DIGEST"
            )
        url, file, size, algorithm, digest = found.groups()
        name, version, architecture = map(unquote, fields)
        stated = _ALGORITHMS.get((algorithm or "").lower())
        digests = {stated: digest.lower()} if stated else {}
        offers.append(Offer(name, version, architecture, file, _fetchable(url), int(size), digests))
    return offers


def _fetchable(url: str) -> str:
    """The URL in a scheme that `fetch` speaks; `copy:` is apt's word for a file that it copies first."""
    scheme, _, rest = url.partition(":")
    if scheme not in ("http", "https", "file", "copy"):
        raise SourceError(
            f"apt would get it over {scheme!r}",
            where=rest.rpartition("/")[2],
            wanted="http, https or file",
            hint="set up apt with such a source, and run `apt-get update`",
        )
    return f"file:{rest}" if scheme == "copy" else url


def _choose(entry: str, parsed: tuple[str, str | None, str | None], offers: Sequence[Offer]) -> Offer:
    name, architecture, version = parsed
    for offer in offers:
        if (
            offer.name == name
            and version in (None, offer.version)
            and architecture in (None, offer.architecture, "all")
        ):
            return offer
    # apt follows `Provides`: what it would download then has another name, and the lock could not say why.
    others = ", ".join(f"{offer.name} {offer.version}" for offer in offers)
    raise RecipeError(f"apt offers {others or 'nothing'}", where=entry, wanted=f"a package that is itself named {name}")


def _candidate(offer: Offer) -> Candidate:
    vendor, distribution = _system()
    purl = PackageURL(
        type="deb", namespace=vendor, name=offer.name, version=offer.version,
        qualifiers={"arch": offer.architecture, "distro": distribution},
    )  # fmt: skip
    return Candidate(str(purl), offer.file, offer.url, offer.size, offer.digests)


def _system() -> tuple[str, str]:
    """Vendor and code name of this system's release (os-release(5)), as the purl specification names them."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return release.get("ID", "debian"), release.get("VERSION_CODENAME") or release.get("VERSION_ID", "unknown")


def _download(entries: Sequence[str]) -> Answer:
    return ask(
        ["apt-get", "download", "--print-uris", "--quiet=2", *entries],
        needed_for="sources of kind deb (Debian and its relatives)",
        environment={"LC_ALL": "C"},
    )


def _complaints(answer: Answer) -> str:
    said = [line.removeprefix("E: ") for line in answer.stderr.splitlines() if line.startswith("E: ")]
    return "; ".join(said) or answer.stderr.strip() or "nothing was offered"


def _hint() -> str:
    """What to do about an unknown package: without lists apt knows none."""
    lists = ask(
        ["apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages"],
        needed_for="sources of kind deb", environment={"LC_ALL": "C"},
    )  # fmt: skip
    if not lists.stdout.strip():
        return "apt has no package lists on this system: run `apt-get update` first"
    return "check the names with `apt-cache policy NAME`, or bring the lists up to date with `apt-get update`"


SOURCE = Source(resolve, locate)
