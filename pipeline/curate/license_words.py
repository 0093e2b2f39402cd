"""Which licences a file of words shows, and whether an SPDX expression holds for what was shown.

A licence is shown by distinctive words of its text or its usual notice, by the `License` of a DEP-5 file's `Files: *`, by
its SPDX id, or by a publisher whose every text has one licence (Wikipedia's dumps, the World Factbook).
"""

import bz2
import re
from collections.abc import Callable
from typing import Any

from license_expression import get_spdx_licensing

DUMP_LIMIT = 1 << 30  # bytes of a dump after bzip2
WORDS_LIMIT = 2 << 20  # bytes of a file in which licences are looked for
PUBLIC_DOMAIN = "LicenseRef-scancode-public-domain"
US_GOVERNMENT = "LicenseRef-scancode-us-govt-public-domain"
# Wikimedia's terms of use: CC BY-SA 3.0 from 2009-06-15, CC BY-SA 4.0 from 2023-06-07; GFDL beside both.
WIKIPEDIA_4_SINCE = b"2023-06-07"

_LICENSING = get_spdx_licensing()

# ---------------------------------------------------------------- words of licences (lower case, punctuation gone)

TEXTS: dict[str, tuple[str, ...]] = {  # id: phrases that all stand in its text (from the texts at spdx.org/licenses)
    "MIT": (
        "permission is hereby granted free of charge to any person obtaining a copy of this software and associated",
        "above copyright notice and this permission notice shall be included in all copies or substantial portions",
    ),
    "ISC": (
        "copy modify and or distribute this software for any purpose with or without fee is hereby granted",
        "copyright notice and this permission notice appear in all copies",
    ),
    "Zlib": ("in no event will the authors be held liable for any", "altered source versions must be plainly marked"),
    "BSL-1.0": ("boost software license version 1.0",),
    "Apache-2.0": ("apache license version 2.0",),
    "MPL-2.0": ("mozilla public license version 2.0",),
    # matplotlib's and others' words are the same with another party's name
    "PSF-2.0": (
        "this license agreement is between the",
        "licensee a nonexclusive royalty free world wide license to reproduce analyze test perform and or display",
    ),
    "ZPL-2.1": ("zope public license zpl version 2.1",),
    "OFL-1.1": ("sil open font license version 1.1",),
    "Unlicense": ("this is free and unencumbered software released into the public domain",),
    "CC0-1.0": ("cc0 1.0 universal",),
    "Artistic-2.0": ("the artistic license 2.0",),
    "Artistic-1.0-Perl": ("the artistic license preamble the intent of this document is to state the conditions",),
}
BSD = "redistribution and use in source and binary forms with or without modification are permitted provided that"
GNU = re.compile(
    r"\b(?:gnu (affero |lesser |library |free documentation )?(?:general public )?licen[cs]e|gnu (gpl|lgpl|agpl|gfdl))"
    r"(?: gpl| lgpl)?(?: as published by the free software foundation)?(?: either)?(?: in)?(?: its)? v(?:ersion )?"
    r"([123](?:\.\d)?)( (?:of the license )?(?:or )?(?:at your option )?(?:or )?any later| or later| or higher|)"
)
GNU_NAMES = {
    "affero": "AGPL", "lesser": "LGPL", "library": "LGPL", "free documentation": "GFDL", "gpl": "GPL", "lgpl": "LGPL",
    "agpl": "AGPL", "gfdl": "GFDL",
}  # fmt: skip
GNU_DATED = re.compile(r" (?:june 1991|february 1999|29 june 2007|19 november 2007|3 november 2008|november 2002)")
CREATIVE_COMMONS = re.compile(
    r"(?:creative commons attribution|creativecommons org licenses by|\bcc by)((?: ?(?:noncommercial|non commercial|nc|"
    r"no ?derivatives|no ?derivs|nd|share ?alike|sa))*) (?:version )?([1-4]\.[05])(?: (united states|us)\b)?"
)
FREE = re.compile(r"\b(?:is|are|been|hereby)(?: \w+){0,3} in(?:to)? (?:the )?public domain\b")
FACTBOOK = re.compile(r"\b(?:extraction|extract|data|copy) (?:of|from) the (?:cia )?world factbook\b")
FORBIDDEN = re.compile(
    r"\b(?:(?:do not|don t|may not|not be|must not|not to be) (?:be )?(?:commercially |used for commercial|re ?publish|"
    r"re ?distribut)|not for (?:commercial use|re ?distribution)|(?:for|to) (?:non ?commercial|(?:academic |scientific )?"
    r"research|educational|personal) (?:use|purposes?) only|only (?:be used )?for (?:non ?commercial|research) )"
)
DEP5 = {  # Debian's short names (copyright-format 1.0, section 7.2) where they are not SPDX's
    "expat": "MIT", "bsd-3-clause": "BSD-3-Clause", "bsd-2-clause": "BSD-2-Clause", "artistic": "Artistic-1.0-Perl",
    "cc0": "CC0-1.0", "psf": "PSF-2.0", "psf-2": "PSF-2.0", "zpl": "ZPL-2.1", "public-domain": PUBLIC_DOMAIN,
}  # fmt: skip
NAMES = (  # what metadata call licences: words, and the ids that they may mean
    (r"\bmit\b|expat", "MIT*"), (r"\bbsd\b|\b0bsd\b", "*BSD*"), (r"\bapache\b", "Apache-*"),
    (r"affero|\bagpl", "AGPL-*"), (r"lesser|library general|\blgpl", "LGPL-*"),
    (r"(?<!lesser )(?<!library )(?<!affero )general public|\bgpl", "GPL-*"), (r"mozilla|\bmpl", "MPL-*"),
    (r"python software foundation|\bpsf", "PSF-*"), (r"\bisc\b", "ISC"), (r"zope|\bzpl", "ZPL-*"),
    (r"unlicense", "Unlicense"), (r"\bcc0\b|public domain", "CC0-*"), (r"public domain", "*public-domain"),
    (r"\bcc by|creative commons attribution", "CC-BY*"), (r"free documentation|\bgfdl", "GFDL-*"),
    (r"artistic", "Artistic-*"), (r"\bzlib\b", "Zlib"), (r"proprietary|\bunlicensed\b", "(proprietary)"),
)  # fmt: skip


def words(text: str) -> str:
    """Lower case, everything but letters and digits one space, version numbers whole: what the phrases are matched on."""
    return " ".join(re.findall(r"[^\W_]+(?:\.\d+)*", text.lower()))


def shown(data: bytes) -> frozenset[str]:
    """The SPDX ids that a file's bytes show: a licence text, a notice, a DEP-5 file, a Wikipedia dump. Pure."""
    if data[:3] == b"BZh" or data.lstrip()[:10] == b"<mediawiki":
        return _dump(data)
    text = text_of(data)
    if re.match(r"\s*Format(?:-Specification)?:", text):
        return _dep5(text)
    return shown_by_words(text)


def text_of(data: bytes) -> str:
    try:
        return data[:WORDS_LIMIT].decode("utf-8")
    except UnicodeDecodeError:
        return data[:WORDS_LIMIT].decode("latin-1")  # licence words are ASCII; any byte is some character


def shown_by_words(text: str) -> frozenset[str]:
    flat = words(text)
    found = {name for name, phrases in TEXTS.items() if all(phrase in flat for phrase in phrases)}
    for part in flat.split(BSD)[1:]:  # each BSD text of a file by itself: which clauses follow its grant
        if "advertising materials mentioning features" in part:
            found.add("BSD-4-Clause")
        elif "redistributions in binary form must reproduce" in part:
            found.add("BSD-3-Clause" if "endorse or promote" in part else "BSD-2-Clause")
    for match in GNU.finditer(flat):
        found |= _gnu(GNU_NAMES[(match[1] or match[2] or "gpl").strip()], match[3], match[4], flat[match.end() :][:20])
    for match in CREATIVE_COMMONS.finditer(flat):
        said = match[1].replace(" ", "")
        elements = (("NC", ("nc", "comm")), ("ND", ("nd", "deriv")), ("SA", ("sa", "share")))
        parts = [name for name, spellings in elements if any(spelling in said for spelling in spellings)]
        found.add("-".join(["CC-BY", *parts, match[2], *(["US"] if match[3] else [])]))
    if "creativecommons org publicdomain zero 1.0" in flat:
        found.add("CC0-1.0")
    if FREE.search(flat):
        found.add(PUBLIC_DOMAIN)
    if FACTBOOK.search(flat):
        found.add(US_GOVERNMENT)  # 17 USC 105; the Factbook's own page says "in the public domain"
    for expression in re.findall(r"SPDX-License-Identifier:\s*([^\n*<]+)", text):
        found |= ids_of(expression)
    return frozenset(found)


def _gnu(name: str, version: str, later: str, after: str) -> set[str]:
    """A licence's own text ("Version 3, 29 June 2007") is the same for -only and -or-later; a notice says which."""
    number = version if "." in version else f"{version}.0" if name != "GFDL" else version
    only, or_later = f"{name}-{number}-only", f"{name}-{number}-or-later"
    return {only, or_later} if later or GNU_DATED.match(after) else {only}  # what "or later" grants includes this one


def _dep5(text: str) -> frozenset[str]:
    """Ids of the paragraph `Files: *` of a Debian copyright file, and of the licence text that its name stands for."""
    names, found = "", set()
    bodies: dict[str, str] = {}
    for paragraph in re.split(r"\n[ \t]*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.M))
        name, _, body = fields.get("License", "").partition("\n")
        if fields.get("Files", "").strip() == "*":
            names = name
        if name and (body or "Files" not in fields):
            bodies.setdefault(name.strip().lower(), body)
    for name in re.split(r",?\s+(?:or|and)\s+|\s*,\s*", names.strip().lower()):
        found |= _dep5_ids(name) | shown_by_words(bodies.get(name, ""))
    return frozenset(found | shown_by_words(bodies.get(names.strip().lower(), "")))


def _dep5_ids(name: str) -> set[str]:
    if name in DEP5:
        return {DEP5[name]}
    if gnu := re.fullmatch(r"(gpl|lgpl|agpl|gfdl)(-niv)?-(\d)(?:\.(\d))?(?:\.0)?(\+?)", name):
        kind, invariants, major, minor, later = gnu.groups()
        middle = f"{kind.upper()}-{major}.{minor or 0}{'-no-invariants' if invariants else ''}"
        return {f"{middle}-only"} | ({f"{middle}-or-later"} if later else set())
    known = {symbol.key.lower(): symbol.key for symbol in _LICENSING.known_symbols.values()}
    return {known[name]} if name in known else set()


def _dump(data: bytes) -> frozenset[str]:
    """A MediaWiki dump (bzip2 or not): if its base is a Wikipedia, the licence of the time of its newest revision."""
    unpack: Callable[[bytes], bytes] = bz2.BZ2Decompressor().decompress if data[:3] == b"BZh" else bytes
    tail, newest, size, base = b"", b"", 0, False
    try:
        for start in range(0, len(data), 1 << 18):
            chunk = tail + unpack(data[start : start + (1 << 18)])
            size += len(chunk)
            base = base or re.search(rb"<base>https?://[a-z-]+\.wikipedia\.org/", chunk) is not None
            newest = max([newest, *re.findall(rb"<timestamp>([\d-]{10})T", chunk)])
            tail = chunk[-64:]
            if size > DUMP_LIMIT or not (base or b"</siteinfo>" not in chunk):
                return frozenset()
    except (OSError, EOFError):
        return frozenset()  # not bzip2, or several streams: nothing is shown
    if not base or not newest:
        return frozenset()
    return frozenset({"CC-BY-SA-4.0" if newest >= WIKIPEDIA_4_SINCE else "CC-BY-SA-3.0", "GFDL-1.3-or-later"})


# ---------------------------------------------------------------- the declared expression


def ids_of(expression: str) -> set[str]:
    try:
        parsed = _LICENSING.parse(expression, validate=False)
    except Exception:  # noqa: BLE001 (boolean.py raises several kinds on what is no expression)
        return set()
    return set() if parsed is None else {str(key) for key in _LICENSING.license_keys(parsed)}


def missing(expression: str, holds: Callable[[str], bool]) -> tuple[str, ...]:
    """The parts of a validated SPDX expression that do not hold: of an AND each, of an OR all if none holds."""

    def of(node: Any) -> list[str]:
        if isinstance(node, _LICENSING.AND):
            return [part for argument in node.args for part in of(argument)]
        if isinstance(node, _LICENSING.OR):
            parts = [of(argument) for argument in node.args]
            return [] if any(not part for part in parts) else [" or ".join(" and ".join(part) for part in parts)]
        keys = _LICENSING.license_keys(node)
        return [key for key in map(str, keys) if not holds(key)]

    return tuple(of(_LICENSING.parse(expression)))


def is_named(license_id: str, text: str) -> bool:
    """The SPDX id itself stands in the text; ids that are also words (MIT, Ruby) only beside the word "license"."""
    name = re.escape(license_id)
    if re.search(r"\d", license_id):
        return re.search(rf"(?<![\w.-]){name}(?![\w+-]|\.\w)", text) is not None
    return (
        re.search(rf"(?i:licen[cs]ed?)\W{{1,12}}{name}(?!\w)|(?<!\w){name}\W{{1,3}}(?i:licen[cs]e)", text) is not None
    )
