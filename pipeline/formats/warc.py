"""Web archives (ISO 28500): HTML responses are documents, every other record is a drop with its reason.

Records are cut here by their Content-Length, so that offset and length are exact and a huge record is passed over without
being held; fastwarc takes the single record apart and undoes the transfer and content encodings of HTTP.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecord

from pipeline.formats import http_body, whole
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared
from pipeline.formats.compressed import CHUNK, at_hand
from pipeline.formats.html_text import PageBlock, page_blocks, page_text
from pipeline.formats.interface import RECORD_LIMIT, Bomb, Format, Member, Options, Truncated
from pipeline.model import Document, Fault, Pointer, Record, Refusal

HEADER_LIMIT = 64 << 10  # bytes of the WARC header of one record
KINDS = ("warcinfo", "resource", "request", "metadata", "revisit", "conversion", "continuation")  # ISO 28500, section 6
HTML_TYPES = ("text/html", "application/xhtml+xml")

_LENGTH = re.compile(rb"\r?\nContent-Length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r?\n", re.IGNORECASE)
_NEXT = re.compile(rb"(?<=\n)WARC/[01]\.\d+\r?\n")
_END = re.compile(rb"\r?\n\r?\n")


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """Every record, from its version line to the two line ends after its block (fewer where the file has fewer).

    Where no record begins, what stands there up to the next version line is one Fault (`unreadable:warc_header`). Raises
    Truncated where the file ends inside a record.
    """
    window = _Window(member.stream)
    index = 0
    while window.fill(HEADER_LIMIT):
        start = window.position
        header = _END.search(window.data) if window.data.startswith(b"WARC/") else None
        length = _LENGTH.search(window.data, 0, header.end()) if header else None
        if header is None or length is None:
            if window.data.startswith(b"WARC/") and not _NEXT.search(window.data) and len(window.data) < HEADER_LIMIT:
                raise window.ends_in(f"the header of the WARC record at byte {start:,}")
            skipped = window.skip_to_next()
            pointer = Pointer(member.name, start, skipped, index)
            yield Fault(pointer, "unreadable:warc_header", "no WARC record with a Content-Length begins here")
        else:
            size = header.end() + int(length[1])
            raw = window.take(size, keep=size <= RECORD_LIMIT)
            end = window.line_ends()
            pointer = Pointer(member.name, start, size + len(end), index)
            if raw is None:
                yield Fault(pointer, "unreadable:too_large", f"a record of {size:,} bytes; at most {RECORD_LIMIT:,}")
            else:
                yield Record(pointer, raw + end)
            while window.line_ends():  # some writers end records with more of them
                pass
        index += 1


class _Window:
    """A stream, and what of it is in memory: `data`, which begins at byte `position`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.data, self.position = stream, b"", 0
        self._failed: Truncated | Bomb | None = None

    def fill(self, count: int) -> bytes:
        """Have `count` bytes at hand, fewer at the end of the stream; its error waits until what came before is used."""
        try:
            while len(self.data) < count and not self._failed and (more := at_hand(self._stream, CHUNK)):
                self.data += more
        except (Truncated, Bomb) as error:
            self._failed = error
        if self._failed and not self.data:
            raise self._failed
        return self.data

    def ends_in(self, what: str) -> Exception:
        """The error to raise where the stream ends in `what`: its own, if it has one."""
        return self._failed or Truncated(f"the file ends in {what}")

    def take(self, count: int, keep: bool) -> bytes | None:
        """Go on by `count` bytes and return them, or None if they are not to be kept. Raises Truncated."""
        start = self.position
        if keep:
            self.fill(count)
            taken, self.data = self.data[:count], self.data[count:]
            self.position += len(taken)
            left = count - len(taken)
        else:
            taken, left = None, count
            while left and self.fill(1):
                passed = min(left, len(self.data))
                self.data = self.data[passed:]
                self.position += passed
                left -= passed
        if left:
            raise self.ends_in(f"the WARC record at byte {start:,}, {left:,} bytes before its end")
        return taken

    def line_ends(self) -> bytes:
        """Take the two line ends that close a record, or as many of them as there are."""
        self.fill(4)
        found = re.match(rb"(?:\r?\n){0,2}", self.data)
        end = found[0] if found else b""
        self.data, self.position = self.data[len(end) :], self.position + len(end)
        return end

    def skip_to_next(self) -> int:
        """Go on to the next version line, at least one byte; how many bytes were passed."""
        start = self.position
        first = 1
        while True:
            self.fill(CHUNK)
            if found := _NEXT.search(self.data, first):
                self.data, self.position = self.data[found.start() :], self.position + found.start()
                return self.position - start
            keep = 16  # the beginning of a version line, and the newline before it, may stand at the end
            passed = len(self.data) if len(self.data) < CHUNK else len(self.data) - keep
            self.data, self.position = self.data[passed:], self.position + passed
            if not self.data:
                return self.position - start
            first = 0


@dataclass(frozen=True, slots=True)
class _Page:
    """The page of an HTML response: its decoded source, and what the record says of it."""

    source: str
    charset: str
    url: str | None


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The text of an HTML response with a status of 2xx; its URL is WARC-Target-URI."""
    found = _page(record)
    if not isinstance(found, _Page):
        return found
    page = page_text(found.source, options)
    return Document(page.text, found.url, page.title, found.charset, page.extraction)


def blocks(record: Record, options: Options) -> list[PageBlock]:
    """The blocks of the page's visible text; none where the record is no page."""
    found = _page(record)
    return page_blocks(found.source, options) if isinstance(found, _Page) else []


def _page(record: Record) -> _Page | Refusal | Fault:
    try:
        found = next(iter(ArchiveIterator(io.BytesIO(record.raw), parse_http=False)), None)
        if found is None:
            return Fault(record.pointer, "unreadable:warc_header", "fastwarc sees no record", record.raw)
        kind = (found.headers.get("WARC-Type") or "").strip().lower()
        if kind != "response":
            return Refusal(f"warc_{kind if kind in KINDS else 'unknown'}")
        return _response(record, found)
    except (OSError, ValueError, EOFError, RuntimeError) as error:
        return Fault(record.pointer, "unreadable:http", f"{type(error).__name__}: {error}"[:200], record.raw)


def _response(record: Record, found: WarcRecord) -> _Page | Refusal | Fault:
    url = (found.headers.get("WARC-Target-URI") or "").strip().strip("<>") or None
    if not found.is_http:
        return Refusal("not_http", url or "")
    found.parse_http(auto_decode="none")
    status = found.http_headers.status_code if found.http_headers is not None else None
    if status is None or not 200 <= status < 300:
        return Refusal("http_status", str(status))
    content_type = (found.http_headers.get("Content-Type") or "").split(";")[0].strip().lower()
    if content_type not in HTML_TYPES:
        return Refusal("not_html", content_type)
    headers = found.http_headers
    body = http_body.undo(
        found.reader.read(), headers.get("Transfer-Encoding") or "", headers.get("Content-Encoding") or ""
    )
    decoded = decode(body, found.http_charset, declared(body))
    if isinstance(decoded, Undecodable):
        return whole.fault(record, decoded)
    return _Page(*decoded, url)


FORMAT = Format(records, extract, blocks, kernels="html")
