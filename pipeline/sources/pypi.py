"""Files of Python packages, from the indexes that pip is configured for, found by `unearth` without building anything.

pip itself says which indexes those are (environment, configuration files, its own default): no index is named here.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from unearth import Package, PackageFinder
from unearth.auth import MultiDomainBasicAuth
from unearth.fetchers.sync import PyPIClient

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources.entries import SDIST_ENDINGS, fits, parse_purl, requirement
from pipeline.sources.interface import Candidate, Source
from pipeline.sources.retry import PASSING, Retry, retry_after

PARALLEL = 4  # index pages asked for at once
TIMEOUT = 30.0  # seconds without a byte of an index page


@dataclass(frozen=True, slots=True)
class Indexes:
    """Where pip would look: simple indexes and folders or pages of links, in pip's order."""

    index_urls: tuple[str, ...]
    find_links: tuple[str, ...]
    trusted_hosts: tuple[str, ...] = ()


class _Busy(Exception):
    """An index cannot answer now. `after`: seconds that it asks to wait."""

    def __init__(self, why: str, after: float | None) -> None:
        super().__init__(why)
        self.after = after


def configured() -> Indexes:
    """The indexes of `pip download` here and now. Raises RecipeError where pip's own configuration is broken."""
    from pip._internal.commands import create_command

    try:
        options, _ = create_command("download").parse_args([])
    except SystemExit as error:
        raise RecipeError("pip cannot read its own configuration", hint="run `pip config debug`") from error
    urls = () if options.no_index else (options.index_url, *options.extra_index_urls)
    # pip passes over folders that are not there, with a warning; unearth does not.
    links = (link for link in options.find_links if "://" in link or Path(link).exists())
    places = (_place(url) for url in urls if url)
    return Indexes(tuple(filter(None, places)), tuple(links), tuple(options.trusted_hosts))


def resolve(spec: Mapping[str, Any], base: Path) -> Sequence[Candidate]:
    """One file for each requirement; without a version, of the newest that is no pre-release. Raises SourceError."""
    indexes = configured()
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(lambda entry: find(entry, spec["file"], indexes), spec["packages"]))


def locate(artifact: Artifact, base: Path) -> Candidate:
    """The pinned file. Raises SourceError where no index has it any more, or one has other bytes under its name."""
    purl = parse_purl(artifact)
    indexes = configured()
    packages = _packages(Requirement(f"{purl.name}=={purl.version}"), indexes, Retry())
    named = [package for package in packages if package.link.filename == artifact.file]
    stated = [_digests(package).get("sha256") for package in named]
    for digest in (artifact.sha256, None):
        if digest in stated:
            package = named[stated.index(digest)]
            return Candidate(artifact.purl, artifact.file, _url(package, indexes), digests=_digests(package))
    if named:
        raise SourceError(
            f"the index has it with sha256 {stated[0]}", where=artifact.purl, wanted=f"sha256 {artifact.sha256}",
            hint="the file was replaced, or the index is another than that of the lock: see `pip config list`",
        )  # fmt: skip
    raise SourceError(
        f"no index serves {artifact.file} any more ({_asked(indexes)})",
        where=artifact.purl,
        wanted=f"the pinned file; of this version there are {_listed(packages)}",
        hint="pellucid lock RECIPE --refresh pins what is served now and prints the difference",
    )


def find(entry: str, file: str, indexes: Indexes, retry: Retry | None = None) -> Candidate:
    """The file that a requirement means. Raises SourceError naming the files that there are."""
    wanted = requirement(entry)
    packages = _packages(wanted, indexes, retry or Retry())
    # PEP 440: pre-releases only where the requirement names one, or there is nothing else.
    versions = list(wanted.specifier.filter({Version(package.version) for package in packages}))
    if not versions:
        raise SourceError(
            f"no index has a file of {entry} ({_asked(indexes)})",
            hint="check name and version, and the indexes with `pip config list`",
        )
    version = max(versions)
    packages = [package for package in packages if Version(package.version) == version]
    fitting = [package for package in packages if fits(file, package.link.filename)]
    names = sorted({package.link.filename for package in fitting}, key=_preference)
    if not names or (len(names) > 1 and file not in ("sdist", "wheel")):
        raise SourceError(
            f"version {version} of {wanted.name} has {_listed(packages)}",
            where=entry,
            wanted=f"one that is what `file: {file}` asks for" + (f", not {len(names)}" if names else ""),
            hint="set `file` in the recipe to sdist, wheel (for any platform), or a glob that matches one of them",
        )
    chosen = [package for package in fitting if package.link.filename == names[0]]
    package = next((one for one in chosen if "sha256" in _digests(one)), chosen[0])
    purl = PackageURL(
        type="pypi", name=canonicalize_name(wanted.name), version=package.version, qualifiers={"file_name": names[0]}
    )
    return Candidate(str(purl), names[0], _url(package, indexes), digests=_digests(package))


def _preference(name: str) -> tuple[bool, int, str]:
    """Of several sdists the .tar.gz (PEP 625), of several pure wheels one for Python 3."""
    ending = next((at for at, ending in enumerate(SDIST_ENDINGS) if name.endswith(ending)), len(SDIST_ENDINGS))
    return "py3" not in name.rpartition(".whl")[0] and name.endswith(".whl"), ending, name


def _packages(wanted: Requirement, indexes: Indexes, retry: Retry) -> list[Package]:
    """Every file of the versions that the requirement allows, in the order of the indexes. Raises SourceError.

    Yanked files only where the version is pinned exactly (PEP 592). Pre-releases may be among them.
    """
    if not indexes.index_urls and not indexes.find_links:
        return []
    failures = 0
    while True:
        try:
            return list(_finder(indexes).find_matches(wanted))
        except (httpx2.TransportError, _Busy) as error:
            failures += 1
            if failures >= retry.attempts:
                raise SourceError(
                    f"a package index did not answer, {failures} times; last: {error or type(error).__name__}",
                    where=str(wanted),
                    hint="check the network and `pip config list`, then run the command again",
                ) from error
            (retry.wait or time.sleep)(retry.seconds(failures, getattr(error, "after", None)))


@lru_cache(maxsize=8)
def _finder(indexes: Indexes) -> PackageFinder:
    client = PyPIClient(
        trusted_hosts=indexes.trusted_hosts,
        timeout=TIMEOUT,
        follow_redirects=True,
        event_hooks={"response": [_refuse_silence]},
    )
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=indexes.index_urls)
    return PackageFinder(
        client,
        index_urls=indexes.index_urls,
        find_links=indexes.find_links,
        trusted_hosts=indexes.trusted_hosts,
        ignore_compatibility=True,
    )


def _refuse_silence(response: httpx2.Response) -> None:
    """unearth takes an index that fails for one that has nothing; here a failure is one."""
    if response.status_code in PASSING:
        raise _Busy(
            f"{response.status_code} {response.reason_phrase}", retry_after(response.headers.get("Retry-After"))
        )


def _digests(package: Package) -> dict[str, str]:
    """What the index states (PEP 503 fragment, PEP 691 hashes): hex by algorithm."""
    stated: Mapping[str, Sequence[str]] = package.link.hash_option or {}
    return {algorithm: values[0].lower() for algorithm, values in stated.items()}


def _url(package: Package, indexes: Indexes) -> str:
    """The file's URL, with the index's user name and password where it lies on the index's own host."""
    url = urlsplit(package.link.url_without_fragment)
    for index in map(urlsplit, indexes.index_urls):
        login, at, host = index.netloc.rpartition("@")
        if at and host == url.netloc:
            return str(urlunsplit(url._replace(netloc=f"{login}@{host}")))
    return str(urlunsplit(url))


def _place(url: str) -> str | None:
    """An index that is a folder, as a URL; a relative path that leads nowhere is none (pip passes over it, too)."""
    if "://" in url:
        return url
    return Path(url).resolve().as_uri() if Path(url).is_dir() else None


def _asked(indexes: Indexes) -> str:
    """The places that were asked, without passwords."""
    places = [
        urlunsplit(urlsplit(place)._replace(netloc=urlsplit(place).netloc.rpartition("@")[2]))
        for place in (*indexes.index_urls, *indexes.find_links)
    ]
    return f"asked: {', '.join(places)}" if places else "pip is configured to ask no index"


def _listed(packages: Sequence[Package]) -> str:
    names = sorted({package.link.filename for package in packages})
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} others" if len(names) > 6 else "")
    return f"the files {shown}" if names else "no files"


SOURCE = Source(resolve, locate)
