"""The seam between bytes and documents.

A format is two functions. `records` cuts a member's stream into records, in order, holding one record at a time in
memory; what cannot be read comes out as a `Fault` and reading goes on where it can. `extract` turns one record into a
document or says why not; it sees the record's bytes and hints only, so that `show` can print a text again from its
pointer. Neither raises for bad input; a stream that ends before its archive says it should raises `Truncated`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.model import Document, Fault, Record, Refusal

if TYPE_CHECKING:
    from pipeline.formats.html_text import PageBlock

# Limits that hold for every archive and parser. A record above RECORD_LIMIT is a ledger row (`unreadable:too_large`).
RECORD_LIMIT = 64 << 20  # bytes of one record
# Decompression: deflate reaches at most 1032:1 (RFC 1951); text of any kind stays below 50:1. The ratio counts only
# after BOMB_FLOOR bytes came out, so that small files of repeated bytes are not refused.
BOMB_RATIO = 200
BOMB_FLOOR = 64 << 20
# A tag may become an element with a block of its own, of which up to 600 bytes are kept while the page is measured.
TAG_LIMIT = 1_000_000  # of one page
MEMBER_LIMIT = 2_000_000  # members of one archive


class Truncated(Exception):
    """The stream ended before its container said it would, or its container is broken from here on.

    Raised by readers of an artifact's outer layer: the task fails. Inside a member it becomes a `Fault`.
    """


class TooLarge(Exception):
    """A record has more of something than may be read: it is a ledger row (`unreadable:too_large`)."""


class Bomb(Exception):
    """A stream grew beyond BOMB_RATIO times what was read for it."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an artifact: its path in the archive (None: the artifact itself) and its open, decoded stream."""

    name: str | None
    stream: BinaryIO


Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A format's functions. `options` are the recipe's, validated, with defaults filled in.

    `blocks`: the blocks of a page's visible text, in order, kept and cut ones; none where the record is no page. None for
    formats whose records are no pages. `kernels`: the key of `kernels.warm.ASKED` whose kernels `extract` may call.
    """

    records: Callable[[Member, Options], Iterator[Record | Fault]]
    extract: Callable[[Record, Options], Document | Refusal | Fault]
    blocks: "Callable[[Record, Options], list[PageBlock]] | None" = None
    kernels: str | None = None
