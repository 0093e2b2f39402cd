"""Records of the formats where one member is one record: text, HTML, mail."""

from collections.abc import Iterator

from pipeline.formats.charset import Undecodable
from pipeline.formats.interface import RECORD_LIMIT, Member, Options
from pipeline.model import Fault, Pointer, Record


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """The member's whole content as its one record; `unreadable:too_large` above RECORD_LIMIT."""
    raw = member.stream.read(RECORD_LIMIT + 1)
    if len(raw) > RECORD_LIMIT:
        yield Fault(Pointer(member.name, None, None, 0), "unreadable:too_large", f"more than {RECORD_LIMIT:,} bytes")
    else:
        yield Record(Pointer(member.name, 0, len(raw), 0), raw)


def fault(record: Record, why: Undecodable) -> Fault:
    """The Fault of a record whose bytes are no text."""
    return Fault(record.pointer, why.reason, why.detail, record.raw)
