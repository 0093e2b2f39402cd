"""Tar archives read from a stream, header by header (POSIX.1-2001 pax and ustar, GNU, and version 7).

The headers are parsed by `tarfile.TarInfo.frombuf`; the walk is our own because `tarfile` stops without a word at a broken or
missing header, and takes the whole of a pax header of any size into memory.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from pipeline.formats.compressed import CHUNK, buffered
from pipeline.formats.interface import Truncated

BLOCK = tarfile.BLOCKSIZE
HEADER_LIMIT = 1 << 20  # bytes of one pax or long-name header; paths end at 4,096 on Linux

_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is not a directory. `kind`: file, link, special (device, pipe) or sparse. `name` may have surrogates.

    `stream`: a file's content, to be read before the next entry is asked for.
    """

    name: str
    kind: str
    detail: str
    stream: BinaryIO | None


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes of a file are a tar header: its checksum holds. Zeros are none."""
    try:
        tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return False
    return True


def entries(stream: BinaryIO) -> Iterator[Entry]:
    """Every entry of the archive but directories, in order. Raises Truncated where the archive is not whole."""
    shared: dict[str, str] = {}
    own: dict[str, str] = {}
    position = 0
    while True:
        header = _exactly(stream, BLOCK, f"the tar header at byte {position:,}")
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            _rest_is_zero(stream, position)
            return
        except (tarfile.HeaderError, ValueError) as error:
            raise Truncated(f"the tar header at byte {position:,} is broken: {error}") from error
        size = _size(info.size, position)
        if info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, *_LONG):
            data = _header_data(stream, size, position)
            if info.type in _LONG:
                own[_LONG[info.type]] = data.split(b"\x00", 1)[0].decode("utf-8", "surrogateescape")
            else:
                (shared if info.type == tarfile.XGLTYPE else own).update(_pax(data, position))
        else:
            if info.type == tarfile.GNUTYPE_SPARSE:
                position += _sparse_map(stream, header, position)
            known, own = {**shared, **own}, {}
            size = _size(known.get("size", info.size), position)
            name = known.get("path", info.name)
            body = _Body(stream, size if _has_data(info) else 0, name)
            if not (info.isdir() or (name.rstrip("/") in ("", ".") and not size)):
                yield _entry(info, name, known, body)
            body.skip()
            size = body.size
        _exactly(stream, -size % BLOCK, f"the padding of the entry at byte {position:,}")
        position += BLOCK + size + -size % BLOCK


def _entry(info: tarfile.TarInfo, name: str, known: dict[str, str], body: "_Body") -> Entry:
    if info.type in _LINKS:
        return Entry(name, "link", f"to {known.get('linkpath', info.linkname)}", None)
    if info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse.") for key in known):
        return Entry(known.get("GNU.sparse.name", name), "sparse", "a sparse file", None)
    if info.ischr() or info.isblk() or info.isfifo():
        return Entry(name, "special", "a device or a pipe", None)
    return Entry(
        name, "file", "", buffered(body, body.size)
    )  # unknown types count as files (POSIX.1-2001, pax, typeflag)


def _has_data(info: tarfile.TarInfo) -> bool:
    return not (info.type in _LINKS or info.isdir() or info.ischr() or info.isblk() or info.isfifo())


def _size(value: int | str, position: int) -> int:
    try:
        size = int(value)
    except ValueError:
        size = -1
    if size < 0:
        raise Truncated(f"the tar header at byte {position:,} gives the size {value!r:.40}")
    return size


def _header_data(stream: BinaryIO, size: int, position: int) -> bytes:
    if size > HEADER_LIMIT:
        raise Truncated(f"the extended tar header at byte {position:,} claims {size:,} bytes; at most {HEADER_LIMIT:,}")
    return _exactly(stream, size, f"the extended tar header at byte {position:,}")


def _sparse_map(stream: BinaryIO, header: bytes, position: int) -> int:
    """Pass over the blocks that go on with an old GNU sparse header; how many bytes they have."""
    passed, more = 0, header[482]  # isextended, in the header and (at 504) in each further block
    while more:
        more = _exactly(stream, BLOCK, f"the sparse header at byte {position:,}")[504]
        passed += BLOCK
    return passed


def _pax(data: bytes, position: int) -> dict[str, str]:
    """The records of a pax header: `LENGTH KEY=VALUE\\n`, the length counting all of itself."""
    found = {}
    at = 0
    while at < len(data) and data[at] != 0:
        digits, space, _ = data[at : at + 20].partition(b" ")
        end = at + int(digits) if space and digits.isdigit() else 0
        key, equals, value = data[at + len(digits) + 1 : end - 1].partition(b"=")
        if not equals or data[end - 1 : end] != b"\n":
            raise Truncated(f"the pax header at byte {position:,} is broken")
        found[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
        at = end
    return found


class _Body(io.RawIOBase):
    """The content of one entry."""

    def __init__(self, stream: BinaryIO, size: int, name: str) -> None:
        super().__init__()
        self._stream, self.size, self._left, self._name = stream, size, size, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._take(min(len(view), self._left))
        view[: len(data)] = data
        return len(data)

    def _take(self, count: int) -> bytes:
        data = self._stream.read(count) if count else b""
        if count and not data:
            raise Truncated(f"the tar archive ends in {self._name!r}, {self._left:,} bytes before the member's end")
        self._left -= len(data)
        return data

    def skip(self) -> None:
        """Read what is left of it."""
        while self._left:
            self._take(min(CHUNK, self._left))


def _exactly(stream: BinaryIO, count: int, what: str) -> bytes:
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            raise Truncated(f"the file ends in {what}: {len(data):,} of {count:,} bytes")
        data += more
    return data


def _rest_is_zero(stream: BinaryIO, position: int) -> None:
    """After the end mark only zero bytes may follow; reading them also checks the end of the compression around."""
    while data := stream.read(CHUNK):
        if data.count(0) != len(data):
            raise Truncated(f"after the end mark of the tar archive, at byte {position:,}, stands more than zero bytes")
