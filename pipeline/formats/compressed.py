"""Compressed streams decoded as they are read: gzip (isal), bzip2, xz and zstd, recognised by their first bytes.

Every container's own end is checked, which the libraries' file objects do not do in all cases: `zstandard` says nothing of
a frame that ends early, `bz2` and `lzma` drop what follows the last stream. Several streams one after another are one (WARC
files are written so); zero bytes may follow the last.
"""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import zstandard
from isal import igzip_lib

from pipeline.formats.interface import BOMB_FLOOR, BOMB_RATIO, Bomb, Truncated

BUFFER = 256 << 10  # bytes decoded at a time
CHUNK = 64 << 10  # compressed bytes read at a time
# `zstandard` cannot bound the output of one call. A zstd block of 4 bytes makes at most 128 kB (RFC 8878, section
# 3.1.1.2), so 512 bytes make at most 16 MB; at that size decoding runs at 700 MB/s, against 900 in whole chunks.
ZSTD_CHUNK = 512
XZ_MEMORY = 256 << 20  # bytes that an xz stream may ask for; `xz -9` asks for 65 MB

MAGIC = 10  # bytes that tell a compression
# Magic numbers: RFC 1952; bzip2 ("BZh", level, then pi or, in an empty file, sqrt(pi)); the xz file format 1.1; RFC 8878.
_BZIP2 = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")


def compression(head: bytes) -> str | None:
    """Name of the compression whose magic `head` (the first MAGIC bytes) shows, or None."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[3:4] in b"123456789" and head[4:10] in _BZIP2:
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    return None


def is_bomb(produced: int, consumed: int) -> bool:
    """Whether so many bytes out of so few are more than text of any kind can be."""
    return produced > BOMB_FLOOR and produced > BOMB_RATIO * consumed


class Metered(io.RawIOBase):
    """A stream of decoded bytes that raises Bomb when more came out than BOMB_RATIO times what went in.

    `read_into(buffer) -> int` gives bytes (0 at the end), `consumed() -> int` says how many bytes went in so far.
    """

    def __init__(self, read_into: Callable[[memoryview], int], consumed: Callable[[], int]) -> None:
        super().__init__()
        self._read_into, self._consumed, self.produced = read_into, consumed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._read_into(memoryview(buffer))
        self.produced += count
        if is_bomb(self.produced, self._consumed()):
            raise Bomb(
                f"{self.produced:,} bytes came out of {self._consumed():,}; "
                f"the limit is {BOMB_RATIO} to 1 beyond {BOMB_FLOOR:,} bytes"
            )
        return count


def buffered(raw: io.RawIOBase, size: int = BUFFER) -> BinaryIO:
    """The stream with a buffer; `size` in bytes, if it is known to be shorter than BUFFER."""
    return cast(BinaryIO, io.BufferedReader(raw, min(max(size, 512), BUFFER)))


def decoded(stream: BinaryIO) -> BinaryIO:
    """The stream's content with its compression undone, or as it is where it has none.

    The result is buffered and not seekable unless `stream` is both. Reading it raises Truncated where the container ends
    early, is damaged, or is followed by something else, and Bomb beyond BOMB_RATIO.
    """
    head, stream = ahead(stream, MAGIC)
    kind = compression(head)
    if kind is None:
        return stream
    decoder = _Decoder(stream, kind)
    return buffered(Metered(decoder.read_into, lambda: decoder.consumed))


def at_hand(stream: BinaryIO, count: int) -> bytes:
    """At most `count` bytes by one read of what is below; b"" at the end.

    `read` would go on until it has them all, and lose those that it has where the stream then turns out to be cut off.
    """
    data: bytes = stream.read1(count)  # type: ignore[attr-defined]
    return data


def ahead(stream: BinaryIO, count: int) -> tuple[bytes, BinaryIO]:
    """The next `count` bytes (fewer at the end), and a stream that still begins with them."""
    if isinstance(stream, io.BufferedReader) and len(head := stream.peek(count)) >= count:
        return head[:count], cast(BinaryIO, stream)
    if stream.seekable():
        head = stream.read(count)
        stream.seek(-len(head), io.SEEK_CUR)
        return head, stream
    head = b""
    while len(head) < count and (more := stream.read(count - len(head))):
        head += more
    return head, buffered(_Joined(head, stream))


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of their stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if self._head:
            taken, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            taken = self._stream.read(len(view))
        view[: len(taken)] = taken
        return len(taken)


class _Zstd:
    """zstd with the interface of `bz2.BZ2Decompressor`; holds at most 16 MB more than it was asked for."""

    def __init__(self) -> None:
        self._object = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        self._data, self._at = b"", 0  # compressed input, and how much of it was used
        self._ready = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._data, self._at = data, 0
        pieces, size = [self._ready], len(self._ready)
        while size < max_length and self._at < len(self._data) and not self._object.eof:
            pieces.append(self._object.decompress(self._data[self._at : self._at + ZSTD_CHUNK]))
            self._at += ZSTD_CHUNK
            size += len(pieces[-1])
        out = b"".join(pieces)
        self._ready = out[max_length:]
        return out[:max_length]

    @property
    def needs_input(self) -> bool:
        return not self._ready and self._at >= len(self._data) and not self._object.eof

    @property
    def eof(self) -> bool:
        return bool(self._object.eof) and not self._ready

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data) + self._data[self._at :]


_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY),
    "zstd": _Zstd,
}
_ERRORS = cast(
    tuple[type[Exception], ...],
    (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError, igzip_lib.IsalError),
)


class _Decoder:
    """Reads compressed streams one after another. `consumed`: compressed bytes read so far."""

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        self._stream, self._kind, self.consumed = stream, kind, 0
        self._pending = b""  # read, but not yet given to the decompressor
        self._decompressor = _DECOMPRESSORS[kind]()
        self._failed: Exception | None = None

    def read_into(self, view: memoryview) -> int:
        if self._failed is not None:
            raise self._failed
        try:
            while True:
                if self._decompressor.eof and not self._next_stream():
                    return 0
                data = b""
                if self._decompressor.needs_input and not (data := self._more()):
                    raise Truncated(f"the {self._kind} stream ends before its end mark, after {self.consumed:,} bytes")
                out = self._decompressor.decompress(data, len(view))
                if out:
                    view[: len(out)] = out
                    return len(out)
        except _ERRORS as error:
            self._failed = Truncated(f"the {self._kind} stream is damaged before byte {self.consumed:,}: {error}")
            raise self._failed from error
        except Truncated as error:
            self._failed = error
            raise

    def _more(self) -> bytes:
        if self._pending:
            data, self._pending = self._pending, b""
            return data
        data = self._stream.read(CHUNK)
        self.consumed += len(data)
        return data

    def _next_stream(self) -> bool:
        """Begin the stream that follows the one that ended; False at the end of the file. Zero bytes between are nothing."""
        rest = self._decompressor.unused_data.lstrip(b"\x00")
        while len(rest) < MAGIC and (more := self._more()):
            rest = (rest + more).lstrip(b"\x00")
        if not rest:
            return False
        if compression(rest) != self._kind:
            raise Truncated(
                f"the {self._kind} stream is followed by {rest[:8].hex(' ')} before byte {self.consumed:,}, "
                f"which is neither its end nor another whole stream"
            )
        self._decompressor, self._pending = _DECOMPRESSORS[self._kind](), rest
        return True
