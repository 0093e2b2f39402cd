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

import email.parser
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from wcmatch import glob

from pipeline.curate.license_words import (
    FORBIDDEN,
    NAMES,
    PUBLIC_DOMAIN,
    US_GOVERNMENT,
    ids_of,
    is_named,
    missing,
    shown,
    shown_by_words,
    text_of,
    words,
)  # fmt: skip
from pipeline.errors import SourceError
from pipeline.formats.archive import members
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Evidence, Fault
from pipeline.recipe import SourceSpec

LIMIT = 64 << 20  # bytes of one evidence file, as it lies in the archive; licence texts have up to 60 kB
GLOB = glob.GLOBSTAR | glob.DOTGLOB
_METADATA = re.compile(r"[^/]+/PKG-INFO|[^/]+\.dist-info/METADATA|package/package\.json")
_README = re.compile(r"(?:[^/]+/)?readme(?:\.(?:md|rst|txt))?", re.I)
_STATEMENT = re.compile(r"(?:un)?licen[cs]es?|copying|copyrights?", re.I)  # a file name's stem


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
        message = email.parser.Parser().parsestr(text_of(data))
        seen = [str(line) for key in ("License-Expression", "License") for line in message.get_all(key, ())]
        seen += [line for line in map(str, message.get_all("Classifier", ())) if line.startswith("License ::")]
        description = str(message.get_payload()) + "\n" + str(message.get("Description", ""))
    seen = [line for line in seen if len(line) <= 200]  # some put a whole licence into the field: that is no name
    patterns: set[str] = set()
    for line in seen:
        flat = words(line)
        families = {family for pattern, family in NAMES if re.search(pattern, flat)}
        ids = {key for key in ids_of(line) if any(fnmatchcase(key, family) for family in families)}
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
    texts = {name: text_of(data) for name, data in evidence.items()}
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
        seen = shown_by_words(body) if _METADATA.fullmatch(name) else found[name]
        if key in seen or is_named(key, body):
            return True
        if key.startswith("LicenseRef-") and key not in (PUBLIC_DOMAIN, US_GOVERNMENT) and not seen and words(body):
            return True
    return False


def _metadata_agrees(read: dict[str, bytes], file_name: str, spec: SourceSpec) -> None:
    for name, data in sorted(read.items()):
        if not _METADATA.fullmatch(name):
            continue
        patterns, seen, _ = _claims(name, data)
        if patterns and not any(fnmatchcase(key, pattern) for key in ids_of(spec.license) for pattern in patterns):
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
    declared = ids_of(spec.license)
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
    if any("-NC" in key for key in ids_of(spec.license)):
        return
    for name, data in sorted(read.items()):
        if _METADATA.fullmatch(name) and not name.endswith(".json"):
            text = _claims(name, data)[2]
        elif _README.fullmatch(name):
            text = text_of(data)
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
