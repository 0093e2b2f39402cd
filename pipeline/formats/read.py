"""From an artifact to its records, from a record to its document, and from a pointer back to its record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wcmatch import glob

from pipeline.errors import SourceError
from pipeline.formats.archive import members as archive_members
from pipeline.formats.compressed import decoded
from pipeline.formats.interface import Bomb, Member, TooLarge, Truncated
from pipeline.formats.registry import FORMATS
from pipeline.model import Document, Extraction, Fault, Pointer, Record, Refusal

if TYPE_CHECKING:
    from pipeline.formats.html_text import PageBlock

# `**` any number of folders, `*` and `?` within one, `[...]`, `{a,b}`; files that begin with a dot match, too; case counts.
GLOB = glob.GLOBSTAR | glob.DOTGLOB | glob.BRACE | glob.FORCEUNIX | glob.CASE

# Faults about the path itself say that the archive is hostile or broken: no glob hides them.
ALWAYS = ("unreadable:unsafe_path",)


def read_artifact(
    path: Path, file_name: str, *, members: Sequence[str], exclude: Sequence[str], spec: Mapping[str, Any]
) -> Iterator[Record | Fault]:
    """Every record of the artifact at `path`, in its order, and a Fault for each that cannot be read.

    `members`, `exclude`: globs over whole member paths; an artifact that is no archive is always read. `spec`: the
    recipe's format, with its `kind`. Faults of members are given where their name matches, those of unsafe paths always.
    Raises Truncated or Bomb where the artifact itself is cut off, damaged or grows without bound, and TaskError where the
    format's options do not fit the file; inside a member of an archive the former are Faults after the records read so far.
    """
    chosen = _matcher(members, exclude)
    for member in archive_members(path, file_name):
        if isinstance(member, Fault):
            if member.reason in ALWAYS or chosen(member.pointer.member or ""):
                yield member
        elif member.name is None:
            yield from _records(member, spec)
        elif chosen(member.name):
            yield from _inner_records(member, spec)


def _records(member: Member, spec: Mapping[str, Any]) -> Iterator[Record | Fault]:
    """Records of a member with its own compression undone; Parquet compresses inside and is read as it is."""
    return FORMATS[spec["kind"]].records(Member(member.name, decoded(member.stream)), spec)


def _inner_records(member: Member, spec: Mapping[str, Any]) -> Iterator[Record | Fault]:
    count = 0
    try:
        for record in _records(member, spec):
            yield record
            count += 1
    except (Truncated, Bomb) as error:
        # If it is the archive around that is broken, it raises again when the next member is asked for.
        yield Fault(
            Pointer(member.name, None, None, count), f"unreadable:{type(error).__name__.lower()}", str(error)[:300]
        )


def extract(record: Record, spec: Mapping[str, Any]) -> Document | Refusal | Fault:
    """The record's document, without blank lines at its ends.

    Refusal("no_main_content") where all visible text of a page is cut; Refusal("empty") where the text is blank otherwise.
    """
    try:
        found = FORMATS[spec["kind"]].extract(record, spec)
    except TooLarge as error:
        return Fault(record.pointer, "unreadable:too_large", str(error), record.raw)
    if not isinstance(found, Document):
        return found
    text = trimmed(found.text)
    page = found.extraction
    if not text and page is not None and page.visible_characters and not page.kept_characters:
        return Refusal("no_main_content", _cuts(page), page)
    if not text:
        return Refusal("empty", "", page)
    try:
        for value in (text, found.url, found.title):
            if value is not None:
                value.encode()
    except UnicodeEncodeError as error:
        why = f"a lone surrogate at character {error.start:,}"
        return Fault(record.pointer, "unreadable:surrogate", why, record.raw)
    return Document(text, found.url, found.title, found.charset, page)


def blocks(record: Record, spec: Mapping[str, Any]) -> "list[PageBlock] | None":
    """The blocks of a page's visible text, in order, with the reason of each that is cut; None in formats that are no pages."""
    found = FORMATS[spec["kind"]].blocks
    return None if found is None else found(record, spec)


def _cuts(page: Extraction) -> str:
    """What a page lost, most characters first."""
    ordered = sorted(page.cuts, key=lambda cut: (-cut.characters, cut.reason))
    lost = ", ".join(f"{cut.reason} {cut.characters:,}" for cut in ordered)
    return f"{page.visible_characters:,} visible characters{f': {lost}' if lost else ''}"


def trimmed(text: str) -> str:
    """The text without white space at its end and without blank lines at its beginning."""
    text = text.rstrip()
    start = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, start) + 1 :]


def find(path: Path, file_name: str, pointer: Pointer, spec: Mapping[str, Any]) -> Record | Fault:
    """The record that a pointer names, read again. Raises LookupError where it is not there, Truncated and Bomb as above."""
    for member in archive_members(path, file_name):
        if isinstance(member, Fault):
            if member.pointer == pointer:
                return member
        elif member.name == pointer.member:
            for record in _records(member, spec) if member.name is None else _inner_records(member, spec):
                if record.pointer == pointer:
                    return record
    raise LookupError(f"{file_name} has no record at {pointer.canonical().decode()}")


def read_member(path: Path, file_name: str, globs: Sequence[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Path and content, as stored in the archive, of every member that matches; for licence files and models.

    The content of an artifact that is no archive comes under the name "". Raises SourceError where the artifact is
    truncated or a bomb, or a member has more than `limit` bytes.
    """
    chosen = _matcher(globs, ())
    try:
        for member in archive_members(path, file_name):
            if isinstance(member, Fault) or not (member.name is None or chosen(member.name)):
                continue
            data = member.stream.read(limit + 1)
            if len(data) > limit:
                raise SourceError(
                    f"{member.name or 'the file'} has more than {limit:,} bytes",
                    where=file_name,
                    wanted="a smaller file: globs of evidence name licence files only",
                )
            yield member.name or "", data
    except (Truncated, Bomb) as error:
        raise SourceError(
            f"{type(error).__name__.lower()}: {error}", where=file_name, wanted="a whole archive", hint="fetch it again"
        ) from error


def _matcher(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    wanted = glob.compile(list(include), flags=GLOB)
    unwanted = glob.compile(list(exclude), flags=GLOB) if exclude else None
    return lambda name: bool(wanted.match(name)) and not (unwanted is not None and unwanted.match(name))
