"""Folders that somebody else has filled, a release's and a log's: which files there are, and their bytes.

Only regular files are read; links are not followed.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import VerificationError
from pipeline.trust import names
from pipeline.trust.findings import Findings, failed

ENVELOPE_LIMIT = 1 << 30  # bytes; a manifest has some 500 a file or artifact


def listing(there: dict[str, str], listed: Sequence[str]) -> Findings:
    """The folder against the manifest's names: nothing missing, nothing else, nothing but regular files."""
    wanted = {*listed, *names.OWN_FILES}
    folders = {parent.as_posix() for name in wanted for parent in Path(name).parents} - {"."}
    for name in sorted(wanted - set(there)):
        yield failed("listing", "is missing", name)
    for name, kind in sorted(there.items()):
        if kind not in ("file", "folder"):
            yield failed("listing", f"is a {kind}, not a regular file or folder", name)
        elif kind == "folder" and name not in folders:
            yield failed("listing", "is a folder where the manifest has none", name)
        elif kind == "file" and name not in wanted:
            yield failed("listing", "is a file that the manifest does not name", name)


def scan(folder: Path, depth: int, below: str = "") -> Iterator[tuple[str, str]]:
    """Every name below a folder with what it is: file, folder, link, device. Links are not followed, nor folders that have more
    than `depth` folders above them."""
    try:
        with os.scandir(folder / below) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield below.rstrip("/"), "folder that cannot be read"
        return
    for entry in found:
        name = f"{below}{entry.name}"
        if entry.is_symlink():
            yield name, "link"
        elif entry.is_dir(follow_symlinks=False):
            yield name, "folder"
            if name.count("/") < depth:
                yield from scan(folder, depth, f"{name}/")
        else:
            yield name, "file" if entry.is_file(follow_symlinks=False) else "device, pipe or socket"


def read(release: Path, name: str) -> bytes:
    """The bytes of a document at the top of the release. Raises VerificationError."""
    path = release / name
    if path.is_symlink() or not path.is_file():
        raise VerificationError("is missing, or no regular file", where=name)
    try:
        if path.stat().st_size > ENVELOPE_LIMIT:
            raise VerificationError(f"has more than {ENVELOPE_LIMIT} bytes", where=name)
        return path.read_bytes()
    except OSError as error:
        raise VerificationError(f"cannot be read: {error.strerror}", where=name) from error


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size of a regular file; a link that has come in its place meanwhile is not followed."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb", buffering=0) as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return digest.hexdigest(), stream.tell()
