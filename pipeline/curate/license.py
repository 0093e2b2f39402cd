"""Licence evidence: does the artifact itself show the licence that the recipe declares for its text?

Evidence is what files inside the artifact say. The fields of a package's metadata are no evidence; they can contradict.
1. Every evidence glob matches at least one regular file.
2. The evidence shows every licence of an AND and one of each OR of the declared SPDX expression. A licence is shown by
   distinctive words of its text or its usual notice; by the `License` of a DEP-5 file's `Files: *`; by its SPDX id; by
   a publisher whose every text has one licence (Wikipedia's dumps, the World Factbook). A `LicenseRef-` for which no
   words are known is shown by an evidence file of words in which no known licence is found.
3. The package's metadata does not name only other licences. Where the evidence that shows the licence lies among the
   records (a dump, `docs/copyright.rst`), it decides: it speaks of the text, metadata speak of the software.
4. The nearest folder at or above a record whose licence files show licences does not show only others, and no dump does.
5. No README or description at the top forbids commercial use or passing on.
Whether the one who put a licence on a text had the right to is not in the bytes: docs/sources.md says who is trusted.
"""

import bz2
import email.parser
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from license_expression import get_spdx_licensing
from wcmatch import glob

from pipeline.errors import SourceError
from pipeline.formats.archive import members
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Evidence, Fault
from pipeline.recipe import SourceSpec

LIMIT = 64 << 20  # bytes of one evidence file, as it lies in the archive; licence texts have up to 60 kB
DUMP_LIMIT = 1 << 30  # bytes of a dump after bzip2
WORDS_LIMIT = 2 << 20  # bytes of a file in which licences are looked for
GLOB = glob.GLOBSTAR | glob.DOTGLOB
PUBLIC_DOMAIN = "LicenseRef-scancode-public-domain"
US_GOVERNMENT = "LicenseRef-scancode-us-govt-public-domain"
# Wikimedia's terms of use: CC BY-SA 3.0 from 2009-06-15, CC BY-SA 4.0 from 2023-06-07; GFDL beside both.
WIKIPEDIA_4_SINCE = b"2023-06-07"

_LICENSING = get_spdx_licensing()
_METADATA = re.compile(r"[^/]+/PKG-INFO|[^/]+\.dist-info/METADATA|package/package\.json")
_README = re.compile(r"(?:[^/]+/)?readme(?:\.(?:md|rst|txt))?", re.I)
_STATEMENT = re.compile(r"(?:un)?licen[cs]es?|copying|copyrights?", re.I)  # a file name's stem

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
    text = _text(data)
    if re.match(r"\s*Format(?:-Specification)?:", text):
        return _dep5(text)
    return _shown_by_words(text)


def _text(data: bytes) -> str:
    try:
        return data[:WORDS_LIMIT].decode("utf-8")
    except UnicodeDecodeError:
        return data[:WORDS_LIMIT].decode("latin-1")  # licence words are ASCII; any byte is some character


def _shown_by_words(text: str) -> frozenset[str]:
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
        found |= _ids(expression)
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
        found |= _dep5_ids(name) | _shown_by_words(bodies.get(name, ""))
    return frozenset(found | _shown_by_words(bodies.get(names.strip().lower(), "")))


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


def _ids(expression: str) -> set[str]:
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


def _named(license_id: str, text: str) -> bool:
    """The SPDX id itself stands in the text; ids that are also words (MIT, Ruby) only beside the word "license"."""
    name = re.escape(license_id)
    if re.search(r"\d", license_id):
        return re.search(rf"(?<![\w.-]){name}(?![\w+-]|\.\w)", text) is not None
    return (
        re.search(rf"(?i:licen[cs]ed?)\W{{1,12}}{name}(?!\w)|(?<!\w){name}\W{{1,3}}(?i:licen[cs]e)", text) is not None
    )


# ---------------------------------------------------------------- what metadata and folders say


def _claims(name: str, data: bytes) -> tuple[set[str], list[str], str]:
    """Of a METADATA, PKG-INFO or package.json: id patterns that it names, the fields as seen, and its description."""
    if name.endswith(".json"):
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return set(), [], ""
        field = value.get("license") if isinstance(value, dict) else None
        seen = [str(field.get("type") if isinstance(field, dict) else field)] if field else []
        description = ""
    else:
        message = email.parser.Parser().parsestr(_text(data))
        seen = [str(line) for key in ("License-Expression", "License") for line in message.get_all(key, ())]
        seen += [line for line in map(str, message.get_all("Classifier", ())) if line.startswith("License ::")]
        description = str(message.get_payload()) + "\n" + str(message.get("Description", ""))
    seen = [line for line in seen if len(line) <= 200]  # some put a whole licence into the field: that is no name
    patterns: set[str] = set()
    for line in seen:
        flat = words(line)
        families = {family for pattern, family in NAMES if re.search(pattern, flat)}
        ids = {key for key in _ids(line) if any(fnmatchcase(key, family) for family in families)}
        patterns |= ids if ids and not line.startswith("License ::") else families
    return patterns, seen, description


def _statement(name: str) -> bool:
    """Is this file, by its name, a licence statement: LICENSE, COPYING.txt, docs/copyright.rst; not license.py."""
    base = PurePosixPath(name).name
    stem, dot, suffix = base.partition(".")
    return _STATEMENT.fullmatch(stem) is not None and (not dot or suffix.lower() in ("txt", "rst", "md", "html"))


def _read(path: Path, file_name: str, spec: SourceSpec) -> tuple[dict[str, bytes], dict[str, str]]:
    """One pass: bytes of all files that the rules read, by name; and of every folder of records one record's name.

    A dump stands for a folder of its own: it may state its licence itself.
    """
    read: dict[str, bytes] = {}
    folders: dict[str, str] = {}
    try:
        for member in members(path, file_name):
            if isinstance(member, Fault):
                continue
            name = file_name if member.name is None else member.name  # an artifact that is no archive: itself
            evidence = glob.globmatch(name, spec.evidence, flags=GLOB)
            record = member.name is None or _is_record(name, spec)
            dump = record and spec.format.kind == "wikitext"
            if evidence or dump or _METADATA.fullmatch(name) or _README.fullmatch(name) or _statement(name):
                data = member.stream.read(LIMIT + 1)
                if len(data) > LIMIT and evidence:
                    raise SourceError(
                        f"the evidence {name} is larger than {LIMIT >> 20} MB", wanted="a licence file", where=file_name
                    )
                read[name] = data
            if record:
                folders.setdefault(name if dump else str(PurePosixPath(name).parent), name)
    except (Truncated, Bomb) as error:
        raise SourceError(f"cannot be read to its end: {error}", where=file_name, hint="fetch it again") from error
    return read, folders


def _is_record(name: str, spec: SourceSpec) -> bool:
    return glob.globmatch(name, spec.members, flags=GLOB) and not (
        spec.exclude and glob.globmatch(name, spec.exclude, flags=GLOB)
    )


def check(path: Path, file_name: str, spec: SourceSpec) -> tuple[Evidence, ...]:
    """The evidence files of one artifact, each with its SHA-256, sorted by path. Raises SourceError for rules 1 to 5."""
    read, folders = _read(path, file_name, spec)
    evidence = _evidence(read, file_name, spec)
    found = {name: shown(data) for name, data in evidence.items()}
    texts = {name: _text(data) for name, data in evidence.items()}
    lacking = missing(spec.license, lambda key: _holds(key, evidence, found, texts))
    if lacking:
        raise SourceError(
            "the evidence does not show " + ", ".join(lacking) + "; it shows " + _list(found.items()),
            wanted=f"{spec.license}, as the recipe declares for the text",
            where=f"{spec.name}: {file_name}",
            hint="name the file that states the text's licence in `evidence`, or declare the licence that it states",
        )
    own = [name for name in evidence if glob.globmatch(name, spec.members, flags=GLOB)]
    if missing(spec.license, lambda key: _holds(key, own, found, texts)):
        _metadata_agrees(read, file_name, spec)
    _folders_agree(read, folders, file_name, spec)
    _nothing_forbidden(read, file_name, spec)
    return tuple(Evidence(name, hashlib.sha256(data).hexdigest()) for name, data in sorted(evidence.items()))


def _evidence(read: dict[str, bytes], file_name: str, spec: SourceSpec) -> dict[str, bytes]:
    evidence: dict[str, bytes] = {}
    for pattern in spec.evidence:
        matched = {name: data for name, data in read.items() if glob.globmatch(name, pattern, flags=GLOB)}
        if not matched:
            near = ", ".join(sorted(name for name in read if _statement(name))[:5]) or "none"
            raise SourceError(
                f"no file matches the evidence {pattern!r}; files named like licences: {near}",
                wanted="a licence file inside the artifact",
                where=f"{spec.name}: {file_name}",
                hint="correct `evidence` in the recipe, or leave the artifact out",
            )
        evidence |= matched
    return evidence


def _holds(key: str, names: Iterable[str], found: dict[str, frozenset[str]], texts: dict[str, str]) -> bool:
    for name in names:
        body = _claims(name, texts[name].encode())[2] if _METADATA.fullmatch(name) else texts[name]
        seen = _shown_by_words(body) if _METADATA.fullmatch(name) else found[name]
        if key in seen or _named(key, body):
            return True
        if key.startswith("LicenseRef-") and key not in (PUBLIC_DOMAIN, US_GOVERNMENT) and not seen and words(body):
            return True
    return False


def _metadata_agrees(read: dict[str, bytes], file_name: str, spec: SourceSpec) -> None:
    for name, data in sorted(read.items()):
        if not _METADATA.fullmatch(name):
            continue
        patterns, seen, _ = _claims(name, data)
        if patterns and not any(fnmatchcase(key, pattern) for key in _ids(spec.license) for pattern in patterns):
            raise SourceError(
                f"{name} names another licence: {'; '.join(seen)}",
                wanted=f"{spec.license}, as the recipe declares, or a field that does not contradict it",
                where=f"{spec.name}: {file_name}",
                hint="declare the licence that the package states, or name as evidence the file among the records "
                "that states the text's own",
            )


def _folders_agree(read: dict[str, bytes], folders: dict[str, str], file_name: str, spec: SourceSpec) -> None:
    """Rule 4. The licence files of one folder speak together: one of several texts that agrees is enough."""
    stated: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for name, data in read.items():
        if _statement(name):
            stated[str(PurePosixPath(name).parent)][name] = shown(data)
        elif name in folders:  # a dump
            stated[name][name] = shown(data)
    declared = _ids(spec.license)
    for folder, record in sorted(folders.items()):
        for above in (folder, *map(str, PurePosixPath(folder).parents)):
            files = stated.get(above, {})
            seen = frozenset[str]().union(*files.values())
            if seen and not seen & declared:
                raise SourceError(
                    f"{record} lies under another licence: " + _list(files.items()),
                    wanted=f"{spec.license}, as the recipe declares for the text",
                    where=f"{spec.name}: {file_name}",
                    hint=f"exclude what lies in {above}, or make it a source of its own with that licence",
                )
            if seen:
                break


def _nothing_forbidden(read: dict[str, bytes], file_name: str, spec: SourceSpec) -> None:
    if any("-NC" in key for key in _ids(spec.license)):
        return
    for name, data in sorted(read.items()):
        if _METADATA.fullmatch(name) and not name.endswith(".json"):
            text = _claims(name, data)[2]
        elif _README.fullmatch(name):
            text = _text(data)
        else:
            continue
        flat = words(text)
        if match := FORBIDDEN.search(flat):
            raise SourceError(
                f'{name} says "... {flat[max(0, match.start() - 60) : match.end() + 40]} ..."',
                wanted=f"a text free for use under {spec.license}",
                where=f"{spec.name}: {file_name}",
                hint="leave the artifact out: its licence does not cover all of its text",
            )


def _list(found: Iterable[tuple[str, frozenset[str]]]) -> str:
    return "; ".join(f"{', '.join(sorted(ids)) or 'no known licence'} ({name})" for name, ids in sorted(found))
