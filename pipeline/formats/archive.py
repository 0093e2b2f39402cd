"""The files inside an artifact, streamed in archive order without unpacking to disk.

Kinds are told by their bytes, never by a name: zip (wheels), tar under any compression (sdists, npm's tarballs), .deb (an `ar`
whose `data.tar` holds the files; the control files are not shown). Anything else is one member without a name.

Nothing is followed and nothing is lost: a link, a device, an unsafe path, an encrypted or repeated member is a Fault.
"""

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.formats import tar
from pipeline.formats.compressed import ahead, buffered, compression, decoded, is_bomb
from pipeline.formats.interface import MEMBER_LIMIT, Bomb, Member, Truncated
from pipeline.formats.names import danger, member_name
from pipeline.model import Fault, Pointer

AR_MAGIC = b"!<arch>\n"
AR_HEADER = 60  # bytes: name 16, date 12, owner 6, group 6, mode 8, size 10, end mark 2 (deb(5), ar(5))


def members(path: Path, file_name: str) -> Iterator[Member | Fault]:
    """Every regular file of the archive at `path`, and a Fault for each entry that is none; directories are nothing.

    A member's stream is its content as stored in the archive, its own compression not undone; it is valid until the next
    member is asked for. `file_name` is for messages. Raises Truncated where the archive is cut off or damaged, Bomb
    where it grows beyond the limits of `interface`.
    """
    with path.open("rb") as file:
        try:
            yield from _checked(_members(file, path.stat().st_size))
        except (Truncated, Bomb) as error:
            raise type(error)(f"{file_name}: {error}") from error


def _members(file: BinaryIO, size: int) -> Iterator[Member | Fault]:
    head = file.read(tar.BLOCK)
    file.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _zip(file, size)
    elif head.startswith(AR_MAGIC + b"debian-binary"):
        yield from _deb(file, size)
    elif tar.is_tar(head):
        yield from _tar(file)
    else:
        if compression(head):
            inner = decoded(file)
            head, inner = ahead(inner, tar.BLOCK)
            if tar.is_tar(head):
                yield from _tar(inner)
                return
            file.seek(0)
        yield Member(None, file)


def _checked(found: Iterator[Member | Fault]) -> Iterator[Member | Fault]:
    """The same, with unsafe and repeated names as Faults, and the number of members bounded.

    The Fault of a name's second, third, ... member has record -1, -2, ...: an id of its own that no record can have.
    """
    seen: dict[bytes, int] = {}
    for number, member in enumerate(found):
        if number >= MEMBER_LIMIT:
            raise Bomb(f"it has more than {MEMBER_LIMIT:,} members")
        raw_name = member.pointer.member if isinstance(member, Fault) else member.name
        if raw_name is None:
            yield member
            continue
        name = member_name(raw_name)
        key = blake2b(name.encode(), digest_size=16).digest()
        times = seen.get(key, 0)
        seen[key] = times + 1
        why = danger(raw_name)
        if times:
            yield Fault(
                Pointer(name, None, None, -times), "unreadable:duplicate_member", "a member of this name came before"
            )
        elif why:
            yield Fault(Pointer(name, None, None, 0), "unreadable:unsafe_path", why)
        elif isinstance(member, Fault):
            yield Fault(Pointer(name, None, None, 0), member.reason, member_name(member.detail))
        else:
            yield Member(name, member.stream)


def _tar(stream: BinaryIO) -> Iterator[Member | Fault]:
    for entry in tar.entries(stream):
        if entry.stream is not None:
            yield Member(entry.name, entry.stream)
        else:
            yield _fault(entry.name, entry.kind, entry.detail)


def _fault(name: str, kind: str, detail: str) -> Fault:
    return Fault(Pointer(name, None, None, 0), f"unreadable:{kind}", detail)


def _deb(file: BinaryIO, size: int) -> Iterator[Member | Fault]:
    file.seek(len(AR_MAGIC))
    found = False
    while header := file.read(AR_HEADER):
        start = file.tell()
        digits = header[48:58].strip()
        if len(header) < AR_HEADER or header[58:] != b"`\n" or not digits.isdigit():
            raise Truncated(f"the ar header before byte {start:,} is broken")
        length = int(digits)
        if start + length > size:
            raise Truncated(
                f"the file ends in {header[:16].decode('ascii', 'replace').strip()}, which has {length:,} bytes"
            )
        if header.startswith(b"data.tar"):
            found = True
            yield from _tar(decoded(buffered(_Section(file, length))))
        file.seek(start + length + length % 2)
    if not found:
        raise Truncated("the package ends before its data.tar")


class _Section(io.RawIOBase):
    """`length` bytes of a file from where it stands."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        super().__init__()
        self._file, self._left = file, length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._file.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)


_ZIP_ERRORS = (zipfile.BadZipFile, EOFError, OSError, ValueError, IndexError, struct.error, zlib.error, lzma.LZMAError)


def _zip(file: BinaryIO, size: int) -> Iterator[Member | Fault]:
    try:
        archive = zipfile.ZipFile(file)
    except (*_ZIP_ERRORS, NotImplementedError) as error:
        raise Truncated(f"the zip's directory cannot be read: {error}") from error
    produced = 0  # by all members together: they may overlap in the file
    with archive:
        for info in archive.infolist():
            name = info.orig_filename  # `filename` ends at the first NUL
            if name.endswith("/") and not info.file_size:
                continue
            mode = info.external_attr >> 16 if info.create_system == 3 else 0
            if stat.S_ISLNK(mode):
                yield _fault(name, "link", "a symbolic link")
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield _fault(name, "special", "neither a file nor a directory")
            elif info.flag_bits & 0x1:
                yield _fault(name, "encrypted", "the zip member is encrypted")
            elif info.compress_type not in _ZIP_METHODS:
                yield _fault(name, "compression", f"zip compression method {info.compress_type}")
            else:
                body = _ZipBody(archive, info, name, produced, size)
                yield Member(name, buffered(body, info.file_size))
                produced += body.produced
                if body.failed:  # whoever read the member may have taken the error for one of its content
                    raise body.failed


_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class _ZipBody(io.RawIOBase):
    """The content of a zip member, opened when it is first read. `before`: bytes that other members gave so far."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, before: int, size: int) -> None:
        super().__init__()
        self._archive, self._info, self._name, self._before, self._size = archive, info, name, before, size
        self._source: Any = None
        self.produced = 0
        self.failed: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        try:
            self._source = self._source or self._archive.open(self._info)
            data = self._source.read(len(view))
        except (*_ZIP_ERRORS, NotImplementedError, RuntimeError) as error:
            self.failed = Truncated(f"the zip member {self._name!r} is damaged: {error}")
            raise self.failed from error
        view[: len(data)] = data
        self.produced += len(data)
        if is_bomb(self.produced, self._info.compress_size) or is_bomb(self._before + self.produced, self._size):
            self.failed = Bomb(f"the zip member {self._name!r} has {self.produced:,} bytes or more out of very few")
            raise self.failed
        return len(data)
