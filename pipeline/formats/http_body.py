"""The body of an archived HTTP response with its transfer and content encodings undone (RFC 9110, RFC 9112).

Archives often hold a body that the crawler had undone already, under headers that still name the encoding: where the bytes
do not begin as the encoding does, they are taken as they are.
"""

import io
import re
import zlib

from fastwarc.stream_io import BrotliReader

from pipeline.formats.compressed import compression, decoded
from pipeline.formats.interface import RECORD_LIMIT, Bomb, Truncated

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_BY_MAGIC = {"gzip": "gzip", "x-gzip": "gzip", "zstd": "zstd"}


class BadBody(ValueError):
    """The body is not what its headers say, or it is too large."""


def undo(body: bytes, transfer_encoding: str, content_encoding: str) -> bytes:
    """The content. Raises BadBody where an encoding that does begin is damaged, or RECORD_LIMIT is passed."""
    if "chunked" in transfer_encoding.lower() and _CHUNK.match(body):
        body = _unchunk(body)
    for name in reversed([name.strip().lower() for name in content_encoding.split(",")]):
        body = _decode(body, name)
    return body


def _unchunk(body: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    while True:
        head = _CHUNK.match(body, at)
        if head is None:
            raise BadBody(f"no chunk begins at byte {at:,} of the body")
        size = int(head[1], 16)
        if not size:
            return b"".join(pieces)
        pieces.append(body[head.end() : head.end() + size])
        at = head.end() + size
        if at > len(body):
            raise BadBody(f"the body ends in a chunk, {at - len(body):,} bytes before its end")
        at += 2 if body[at : at + 2] == b"\r\n" else 1


def _decode(body: bytes, encoding: str) -> bytes:
    if encoding in _BY_MAGIC:
        if compression(body[:10].ljust(10, b"\x00")) != _BY_MAGIC[encoding]:
            return body
        try:
            return _within_limit(decoded(io.BytesIO(body)).read(RECORD_LIMIT + 1))
        except (Truncated, Bomb) as error:
            raise BadBody(str(error)) from error
    if encoding == "deflate":
        return _inflate(body)
    if encoding == "br" and not body.lstrip().startswith(b"<"):  # brotli has no magic number
        try:
            return _within_limit(BrotliReader(io.BytesIO(body)).read(RECORD_LIMIT + 1))
        except OSError as error:
            raise BadBody(f"brotli: {error}") from error
    return body


def _inflate(body: bytes) -> bytes:
    """zlib as RFC 9110 has it, or bare deflate as some servers send it, or nothing of the kind."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        decompressor = zlib.decompressobj(bits)
        try:
            out = decompressor.decompress(body, RECORD_LIMIT + 1)
        except zlib.error:
            continue
        if not decompressor.eof and len(out) <= RECORD_LIMIT:
            raise BadBody("the deflate stream of the body ends early")
        return _within_limit(out)
    return body


def _within_limit(body: bytes) -> bytes:
    if len(body) > RECORD_LIMIT:
        raise BadBody(f"the body has more than {RECORD_LIMIT:,} bytes")
    return body
