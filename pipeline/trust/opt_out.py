"""Opt-out lists: what a recipe's lists name, looked up for millions of records, and what a manifest says of the lists.

The lists stand in the recipe, whole, in their one spelling (`lists.Names.to_json`): each a sorted list of lines. A document is
named by its id, its URL, its artifact's Package URL or package, a domain of its URL, or its text's SHA-256, as `Names.why`
says. `Finder` gives the same answers, most of them by the URL's host alone.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust.lists import Names, parse
from pipeline.trust.urls import canonical_url, domains, package

STAGE, REASON = "extract", "opt_out"  # of the ledger's row of what a list keeps out
Lines = tuple[str, ...]

# An authority whose host is spelt canonically, without user and port: its host is what `urlsplit` would find.
_HOST = re.compile(r"https?://([a-z0-9.-]+)(?=[/?#]|\Z)")
_HOSTS = 1 << 16  # whose answers are remembered at once; some 200 bytes each


def merged(lists: Iterable[Names]) -> Names:
    """All that several lists name."""
    every = list(lists)
    return Names(
        *(
            tuple(sorted({name for one in every for name in getattr(one, kind)}))
            for kind in ("ids", "urls", "domains", "texts")
        )
    )


def encoded(names: Names) -> bytes:
    """The file of a list in its one spelling: its lines, sorted, each with its newline, in UTF-8."""
    return "".join(f"{line}\n" for line in names.to_json()).encode()


def sha256(names: Names) -> str:
    """The SHA-256 (hex) of a list's lines: of the file that `encoded` gives, so that `sha256sum` can check it."""
    return hashlib.sha256(encoded(names)).hexdigest()


def decoded(data: bytes) -> Names:
    """The inverse of `encoded`, of bytes whose digest was checked."""
    return of_lines(data.decode().split("\n")[:-1])


def of_lines(lines: Iterable[str]) -> Names:
    """The names of a list in its one spelling; the form of its lines is not looked at again."""
    found: dict[str, list[str]] = {"id": [], "url": [], "domain": [], "sha256": []}
    for line in lines:
        kind, _, name = line.partition(":")
        found[kind].append(name)
    return Names(*(tuple(found[kind]) for kind in ("id", "url", "domain", "sha256")))


def policies(lists: Iterable[Names]) -> list[dict[str, Any]]:
    """What a manifest says of each list: how many names of each kind it has, and the digest of its lines."""
    return [
        {
            "sha256": sha256(names), "domains": len(names.domains), "ids": len(names.ids), "texts": len(names.texts),
            "urls": len(names.urls),
        }
        for names in lists
    ]  # fmt: skip


def of_recipe(recipe: Mapping[str, Any], where: str) -> list[Names]:
    """The lists in a manifest's recipe, each in its one spelling. Raises VerificationError."""
    stated = recipe.get("opt_out", [])
    if not isinstance(stated, list) or not all(
        isinstance(lines, list) and all(isinstance(line, str) for line in lines) for lines in stated
    ):
        raise VerificationError("recipe.opt_out is something else", wanted="lists of lines", where=where)
    found = []
    for number, lines in enumerate(stated):
        try:
            names = parse(lines, f"recipe.opt_out[{number}]")
        except RecipeError as error:
            raise VerificationError(f"{error.where}: {error.seen}", wanted=error.wanted, where=where) from error
        if names.to_json() != lines:
            raise VerificationError(
                f"recipe.opt_out[{number}] is not in the spelling of lists",
                wanted="lines without comments, sorted, each once",
                where=where,
            )
        found.append(names)
    return found


class Finder:
    """Which lines name a document. `names` may hold 100,000 lines; a document that none names costs about a microsecond."""

    def __init__(self, names: Names) -> None:
        self.ids, self.urls, self.domains, self.texts = (
            frozenset(kind) for kind in (names.ids, names.urls, names.domains, names.texts)
        )
        self.by_place = bool(self.urls or self.domains)  # by what is known of a record before its text
        self.packages = any(name.startswith("pkg:") for name in (*names.urls, *names.domains))
        self.paged = {found[1] for name in names.urls if (found := _HOST.match(name))}  # hosts of which pages are named
        self.known: dict[str, tuple[Lines, bool]] = {}

    def of_id(self, identifier: str) -> Lines:
        return (f"id:{identifier}",) if identifier in self.ids else ()

    def of_text(self, digests: Iterable[str]) -> Lines:
        """Of the SHA-256 (hex) of a text, or of each state that it had."""
        return tuple(f"sha256:{digest}" for digest in digests if digest in self.texts)

    def of_artifact(self, purl: str) -> Lines:
        """What names an artifact names all of its records."""
        urls = (f"url:{purl}",) if purl in self.urls else ()
        return (*urls, *self._under((package(purl),))) if self.by_place else ()

    def of_url(self, url: str) -> Lines:
        """Of the URL as it stands in a row."""
        if not self.by_place:
            return ()
        found = _HOST.match(url)
        if found is None:
            if not url.startswith("pkg:"):
                canonical = canonical_url(url)
                return (*self._page(canonical), *self._under(domains(canonical)))
            under, _ = self._known(url.partition("#")[0]) if self.packages else ((), False)
            return (*self._page(url), *under)
        under, paged = self._known(found[1])
        return (*self._page(canonical_url(url)), *under) if paged else under

    def _known(self, publisher: str) -> tuple[Lines, bool]:
        """Of a host, or a Package URL without subpath: the lines that name its domains; whether pages of it are named."""
        known = self.known.get(publisher)
        if known is None:
            if len(self.known) >= _HOSTS:
                self.known.clear()
            of_package = publisher.startswith("pkg:")
            under = (package(publisher),) if of_package else domains(f"http://{publisher}/")
            known = self.known[publisher] = (self._under(under), publisher in self.paged)
        return known

    def _page(self, canonical: str) -> Lines:
        return (f"url:{canonical}",) if canonical in self.urls else ()

    def _under(self, names: Sequence[str]) -> Lines:
        return tuple(f"domain:{name}" for name in names if name in self.domains)
