"""Words and numbers for Markdown: names that others chose so that they are only names, shares without floats."""

import re
import unicodedata
from urllib.parse import quote

_LINK = re.compile(r"[A-Za-z0-9.+-]+")
MARKS = "-._:/@+%[]"  # beside letters, digits and combining marks, what stands in hosts, addresses and Package URLs


def code(name: str, limit: int = 253) -> str:
    """A host or Package URL as inline code: what cannot stand in one, such as a backtick or a bidi control, percent-encoded.

    limit: characters (a host has 253 at most, RFC 1035, 2.3.4).
    """
    shown = "".join(
        character if unicodedata.category(character)[0] in "LNM" or character in MARKS else quote(character, safe="")
        for character in name[:limit]
    )
    return f"`{shown}`"


def sentence(text: str) -> str:
    """Prose of a recipe on one line, without what would begin a table cell, code or HTML."""
    return " ".join(re.sub(r"([|`<>])", r"\\\1", text).split())


def license_url(expression: str) -> str | None:
    """SPDX's page of a licence; None for an expression of several and for a `LicenseRef`."""
    if not _LINK.fullmatch(expression) or expression.startswith("LicenseRef-"):
        return None
    return f"https://spdx.org/licenses/{expression}.html"


def share(part: int, whole: int) -> str:
    """Per cent with one decimal, rounded half up, from integers; what is not nothing is not 0.0 %."""
    if not part or not whole:
        return "0 %"
    tenths = (2_000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10} %" if tenths else "< 0.1 %"
