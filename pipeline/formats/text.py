"""Plain text, reStructuredText, Markdown: one member, one document, markup kept."""

from pipeline.formats import whole
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.interface import Format, Options
from pipeline.model import Document, Fault, Record, Refusal


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The text, decoded as `options["charset"]` says or as detected."""
    found = decode(record.raw, options.get("charset"))
    if isinstance(found, Undecodable):
        return whole.fault(record, found)
    text, charset = found
    return Document(text, charset=charset)


FORMAT = Format(whole.records, extract)
