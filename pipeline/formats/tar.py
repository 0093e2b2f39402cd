"""Tar archives read from a stream, header by header (POSIX.1-2001 pax and ustar, GNU, and version 7).

The walk is our own because `tarfile` stops without a word at a broken or missing header, and takes the whole of a pax header of
any size into memory. So are the four fields of a header that are read: `tarfile.TarInfo.frombuf` reads them all, nine times as
slowly, which was nine tenths of reading an sdist of many small files. A test compares the two.
"""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple
from zlib import adler32

from pipeline.formats.compressed import CHUNK, buffered
from pipeline.formats.interface import Truncated

BLOCK = tarfile.BLOCKSIZE
HEADER_LIMIT = 1 << 20  # bytes of one pax or long-name header; paths end at 4,096 on Linux

_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_SPECIAL = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
_WITHOUT_DATA = frozenset((*_LINKS, *_SPECIAL, tarfile.DIRTYPE))
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_EXTENDED = frozenset((tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE, *_LONG))
_ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is not a directory. `kind`: file, link, special (device, pipe) or sparse. `name` may have surrogates.

    `stream`: a file's content, to be read before the next entry is asked for.
    """

    name: str
    kind: str
    detail: str
    stream: BinaryIO | None


class Header(NamedTuple):
    """`type`: the typeflag, one byte; `size` as the header gives it; `name` with the prefix of ustar; `link` where it points.
    Names may have surrogates."""

    type: bytes
    size: int
    name: str
    link: str


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
        header = _exactly(stream, BLOCK, "the tar header", position)
        if header == _ZEROS:
            _rest_is_zero(stream, position)
            return
        info = parsed(header, position)
        size = _size(info.size, position)
        if info.type in _EXTENDED:
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
            body = _Body(stream, 0 if info.type in _WITHOUT_DATA else size, name)
            if not (info.type == tarfile.DIRTYPE or (name.rstrip("/") in ("", ".") and not size)):
                yield _entry(info, name, known, body)
            body.skip()
            size = body.size
        _exactly(stream, -size % BLOCK, "the padding of the entry", position)
        position += BLOCK + size + -size % BLOCK


def parsed(header: bytes, position: int) -> Header:
    """The fields of a header of 512 bytes that stands at `position`.

    Raises Truncated where its checksum is wrong or its size is no number.
    """
    try:
        told, size = _number(header[148:156]), _number(header[124:136])
    except tarfile.HeaderError as error:
        raise Truncated(f"the tar header at byte {position:,} is broken: {error}") from error
    if told != _sum(header) and told != _signed_sum(header):
        raise Truncated(f"the tar header at byte {position:,} is broken: bad checksum")
    kind, name = header[156:157], _text(header[:100])
    if kind == tarfile.AREGTYPE and name.endswith("/"):  # how version 7 writes a directory
        kind = tarfile.DIRTYPE
    if header[345] and kind not in tarfile.GNU_TYPES:  # ustar's prefix; GNU has other fields there
        name = f"{_text(header[345:500])}/{name}"
    return Header(kind, size, name, _text(header[157:257]) if kind in _LINKS else "")


def _number(field: bytes) -> int:
    """Octal digits, or what else `tarfile` takes for a number: base 256 (GNU), spaces around it, nothing at all."""
    digits = field.rstrip(b"\x00 ")
    try:
        return int(digits, 8) if digits.isdigit() else tarfile.nti(field)  # type: ignore[attr-defined]
    except ValueError:
        raise tarfile.HeaderError(f"{field!r} is no number") from None


def _sum(header: bytes) -> int:
    """The sum of all bytes, those of the checksum taken as spaces.

    The low half of an Adler-32 is 1 and the sum of the bytes modulo 65,521 (RFC 1950, section 9), which 256 bytes do not reach.
    """
    both = (adler32(header[:256]) & 0xFFFF) + (adler32(header[256:]) & 0xFFFF) - 2
    return both - sum(header[148:156]) + 8 * 32


def _signed_sum(header: bytes) -> int:
    """The same of signed bytes, as some old systems wrote it (Sun, NeXT)."""
    return _sum(header) - 256 * sum(byte > 127 for byte in header[:148] + header[156:])


def _text(field: bytes) -> str:
    return field.partition(b"\x00")[0].decode("utf-8", "surrogateescape")


def _entry(info: Header, name: str, known: dict[str, str], body: "_Body") -> Entry:
    if info.type in _LINKS:
        return Entry(name, "link", f"to {known.get('linkpath', info.link)}", None)
    if info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse.") for key in known):
        return Entry(known.get("GNU.sparse.name", name), "sparse", "a sparse file", None)
    if info.type in _SPECIAL:
        return Entry(name, "special", "a device or a pipe", None)
    return Entry(
        name, "file", "", buffered(body, body.size)
    )  # unknown types count as files (POSIX.1-2001, pax, typeflag)


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
    return _exactly(stream, size, "the extended tar header", position)


def _sparse_map(stream: BinaryIO, header: bytes, position: int) -> int:
    """Pass over the blocks that go on with an old GNU sparse header; how many bytes they have."""
    passed, more = 0, header[482]  # isextended, in the header and (at 504) in each further block
    while more:
        more = _exactly(stream, BLOCK, "the sparse header", position)[504]
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


def _exactly(stream: BinaryIO, count: int, what: str, position: int) -> bytes:
    data = stream.read(count)
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            raise Truncated(f"the file ends in {what} at byte {position:,}: {len(data):,} of {count:,} bytes")
        data += more
    return data


def _rest_is_zero(stream: BinaryIO, position: int) -> None:
    """After the end mark only zero bytes may follow; reading them also checks the end of the compression around."""
    while data := stream.read(CHUNK):
        if data.count(0) != len(data):
            raise Truncated(f"after the end mark of the tar archive, at byte {position:,}, stands more than zero bytes")
