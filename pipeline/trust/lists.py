"""Lists of what is not to be in a corpus: takedowns, and the opt-out lists of a recipe. A line names one thing:

    id:01869d7bc9714ebf56d5de1be472eb16         a document
    url:https://example.org/page                every document with this URL (in its canonical spelling) or of this Package URL
    domain:example.org                          every document under this host and the hosts below it
    domain:pkg:pypi/django                      every document of any version of this package
    sha256:9f86d081884c7d659a2feaa0c55ad015...  every text with this SHA-256 (of its UTF-8 bytes), so that a text need not
    be shown

Blank lines are nothing, and what follows a `#` at a line's beginning or after white space is a comment for its writer: who asks
for what, and why, is nobody else's affair, and goes nowhere.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.errors import RecipeError
from pipeline.trust.urls import canonical_url, domains, package

_FORMS = {"id": "[0-9a-f]{32}", "url": r"\S+:\S+", "domain": r"\S+", "sha256": "[0-9a-f]{64}"}


@dataclass(frozen=True, slots=True)
class Names:
    """What a list names, each sorted: ids, canonical URLs, domains (lower case) and digests of texts in hex."""

    ids: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ids or self.urls or self.domains or self.texts)

    def to_json(self) -> list[str]:
        """The lines of the list, sorted, without comments: one spelling of each list."""
        named = (("domain", self.domains), ("id", self.ids), ("sha256", self.texts), ("url", self.urls))
        return [f"{kind}:{name}" for kind, names in named for name in names]

    def why(self, identifier: str, url: str | None, purl: str, text_sha256: str | None) -> str | None:
        """The line that names a document, or None. `url` as in its row, `text_sha256` None where it has no text."""
        if _has(self.ids, identifier):
            return f"id:{identifier}"
        if text_sha256 is not None and _has(self.texts, text_sha256):
            return f"sha256:{text_sha256}"
        canonical = None if url is None else canonical_url(url)
        for name in (canonical, purl):
            if name is not None and _has(self.urls, name):
                return f"url:{name}"
        if self.domains:
            for name in (*(domains(canonical) if canonical else ()), package(purl)):
                if _has(self.domains, name):
                    return f"domain:{name}"
        return None


def parse(lines: Iterable[str], where: str) -> Names:
    """The names of a list. Raises RecipeError with the number of the first line that names nothing."""
    found: dict[str, set[str]] = {kind: set() for kind in _FORMS}
    for number, line in enumerate(lines, 1):
        text = re.sub(r"(^|\s)#.*$", "", line.strip()).strip()
        if not text:
            continue
        kind, colon, name = text.partition(":")
        if not colon or kind not in _FORMS or not re.fullmatch(_FORMS[kind], name):
            raise RecipeError(
                f"line {number} is {text!r:.100}",
                wanted="id:, url:, domain: or sha256: and a name",
                where=where,
                hint="id:32 hex digits, sha256:64 hex digits of a text, url:https://..., domain:example.org",
            )
        if kind == "url":
            name = canonical_url(name)
        elif kind == "domain" and not name.startswith("pkg:"):
            name = name.lower().rstrip(".")
        found[kind].add(name)
    return Names(*(tuple(sorted(found[kind])) for kind in ("id", "url", "domain", "sha256")))


def _has(names: tuple[str, ...], name: str) -> bool:
    """Whether a sorted tuple has a name."""
    place = bisect_left(names, name)
    return place < len(names) and names[place] == name
