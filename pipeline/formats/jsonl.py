"""JSON lines: one object a line, with the names of the fields that hold text, URL and title.

A line's bytes, without its newline, are the record. Lines of white space alone are no records: they hold nothing, and a
file of a million of them is an empty file. A line that is no object, or lacks its text, is a ledger row; the next is read.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.formats import strict_json
from pipeline.formats.interface import RECORD_LIMIT, Format, Member, Options
from pipeline.model import Document, Fault, Pointer, Record, Refusal


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """The lines that are not blank. A line above RECORD_LIMIT is passed over, not held."""
    readline = member.stream.readline
    offset = index = 0
    while line := readline(RECORD_LIMIT + 2):
        start, length = offset, len(line)
        ended = line.endswith(b"\n")
        too_large = length - ended > RECORD_LIMIT
        blank = not too_large and not line.strip()
        while too_large and not ended and (line := readline(RECORD_LIMIT)):
            ended = line.endswith(b"\n")
            length += len(line)
        offset = start + length
        if blank:
            continue
        pointer = Pointer(member.name, start, length - ended, index)
        index += 1
        if too_large:
            yield Fault(
                pointer, "unreadable:too_large", f"a line of {length - ended:,} bytes; at most {RECORD_LIMIT:,}"
            )
        else:
            yield Record(pointer, line[:-1] if ended else line)


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The object's text, URL and title."""
    try:
        value = strict_json.loads(strict_json.text_of(record.raw))
    except strict_json.NotJson as error:
        return Fault(record.pointer, error.reason, error.detail, record.raw)
    if not isinstance(value, dict):
        return Fault(record.pointer, "unreadable:not_an_object", f"a JSON {type(value).__name__}", record.raw)
    return document(value, options)


def document(value: dict[str, Any], options: Options) -> Document | Refusal:
    """The document of an object by the names in `options`; shared with Parquet, whose rows are objects too."""
    name = options["text"]
    text = value.get(name)
    if text is None:
        return Refusal("no_text", f"{name!r} is {'null' if name in value else 'not there'}")
    if not strict_json.is_string(text):
        return Refusal("text_not_string", f"{name!r} holds a JSON {type(text).__name__}")
    return Document(text, _string(value, options.get("url")), _string(value, options.get("title")), "utf-8")


def _string(value: dict[str, Any], name: str | None) -> str | None:
    found = value.get(name) if name else None
    return str(found) if strict_json.is_string(found) and found else None


FORMAT = Format(records, extract)
