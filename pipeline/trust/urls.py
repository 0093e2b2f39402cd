"""The one spelling of a URL under which a release is asked for it, and the names under which its publisher is.

http and https: RFC 3986, sections 6.2.2 and 6.2.3: scheme and host in lower case, no default port, no empty path or query,
no dot segments, percent escapes in upper case and only where they are needed (in the host and the user, too); what is not
ASCII is escaped, but in a host, and so is a `%` that begins no escape; no fragment, as it names a place in the page and not
another page. White space and control characters around a URL, and tabs and line ends inside, are no part of it (URL Standard of
the WHATWG, 4.4). Everything else (Package URLs) stands as it is: their specification has one spelling.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    import pyarrow as pa

# URLs that are their own canonical form, and need no parsing: most are. No dot segment, no escape, no port, no fragment.
_PLAIN = r"^(pkg:.*|https?://[a-z0-9.-]+(/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*/?(\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]+)?)$"
_BARE = r"^https?://[^/?]*(\?|$)"  # no path at all
# The same of http and https alone, for one URL, with escapes of what is not ASCII: beside this, no segment may begin with a
# dot and no query be empty.
_CHARACTERS = "[A-Za-z0-9._~!$&'()*+,;=:@/?-]*"
_OWN = re.compile(f"https?://[a-z0-9.-]+/{_CHARACTERS}(?:%[89A-F][0-9A-F]{_CHARACTERS})*")
_PORTS = {"http": 80, "https": 443}
_USER = "!$&'()*+,;=:"  # sub-delims, and what may stand in a user (RFC 3986, 3.2.1)
_KEPT = "!$&'()*+,;=:@/"  # sub-delims and what else may stand in a path (RFC 3986, 3.3)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")
_AROUND = "".join(map(chr, range(0x21)))  # C0 controls and space
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical_url(url: str) -> str:
    """The canonical spelling of a URL; one that is malformed stands as it is."""
    if _OWN.fullmatch(url) and "/." not in url and url[-1] != "?":
        return url
    try:
        parts = urlsplit(url.strip(_AROUND))
        scheme, port = parts.scheme.lower(), parts.port
    except ValueError:
        return url
    if scheme not in _PORTS or not parts.hostname:
        return url
    user, _, place = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if place.startswith("[") else _ESCAPE.sub(_in_host, parts.hostname.lower())
    user = _escaped(user, _USER)
    authority = (f"{user}@" if user else "") + host + (f":{port}" if port not in (None, _PORTS[scheme]) else "")
    query = f"?{_escaped(parts.query, _KEPT + '?')}" if parts.query else ""
    return f"{scheme}://{authority}{_without_dots(_escaped(parts.path, _KEPT))}{query}"


def canonical_urls(urls: "pa.Array") -> "pa.Array":
    """`canonical_url` of a column without nulls."""
    import pyarrow as pa  # a recipe's lists need a URL at a time, and a build that has nothing to do no Arrow
    import pyarrow.compute as pc

    plain = pc.and_not(pc.match_substring_regex(urls, _PLAIN), pc.match_substring_regex(urls, _BARE))
    if pc.all(plain).as_py() is not False:
        return urls
    return pa.array(
        [url if good else canonical_url(url) for url, good in zip(urls.to_pylist(), plain.to_pylist(), strict=True)],
        pa.string(),
    )


def domains(url: str) -> list[str]:
    """The names under which a canonical URL's publisher can be asked for.

    Of a Package URL: the package without version, qualifiers and subpath. Of others: the host, spelt as in an http URL, and
    what is left when labels are taken from its left, down to two.
    """
    if url.startswith("pkg:"):
        return [package(url)]
    try:
        host = _ESCAPE.sub(_in_host, (urlsplit(url).hostname or "").lower()).rstrip(
            "."
        )  # `hostname` keeps what is behind a %
    except ValueError:
        return []
    if not host:
        return []
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit() or len(labels) == 1:  # an address, or a name of one label
        return [host]
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def domain(name: str) -> str | None:
    """The spelling under which a domain or a package is asked for; None if the name can be neither.

    Of a host lower case, without a final dot; of a Package URL without version, qualifiers and subpath.
    """
    if name.startswith("pkg:"):
        return package(name)
    if not name or set(name) & set("/\\?#@[]*"):
        return None
    found = domains(canonical_url(f"http://[{name}]/" if ":" in name else f"http://{name}/"))
    return found[0] if found else None


def package(purl: str) -> str:
    """A Package URL without version, qualifiers and subpath: `pkg:pypi/django@5.2?file_name=...` is of `pkg:pypi/django`."""
    bare = re.split("[?#]", purl, maxsplit=1)[0]
    name, at, version = bare.rpartition("@")
    return name if at and "/" not in version and "/" in name else bare


def _escaped(text: str, kept: str) -> str:
    """Percent escapes only where needed, in upper case (RFC 3986, 6.2.2.1 and 6.2.2.2)."""

    return quote(_ESCAPE.sub(_unescaped, text), safe=kept + "%-._~")


def _unescaped(match: re.Match[str]) -> str:
    """An unreserved character for its escape; a `%` that begins none is one that has to be escaped itself."""
    if match[1] is None:
        return "%25"
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _in_host(match: re.Match[str]) -> str:
    return _unescaped(match).lower() if match[1] and chr(int(match[1], 16)) in _UNRESERVED else _unescaped(match)


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4; empty segments stay, as they may mean something."""
    if not path:
        return "/"
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if last and segment in (".", ".."):
            kept.append("")
    return "/" + "/".join(kept)
