"""HTML: one member, one document: the page's main content, or all of its visible text (`html_text`).

The charset is what the page declares (a byte order mark, the recipe, its meta tag or XML declaration), then what is
detected. A page without visible text (frame sets, redirects) is refused as `empty` by `read.extract`, one whose visible text
is all cut as `no_main_content`.
"""

from pipeline.formats import whole
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared
from pipeline.formats.html_text import PageBlock, page_blocks, page_text
from pipeline.formats.interface import Format, Options
from pipeline.model import Document, Fault, Record, Refusal


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The page's text and title."""
    found = decode(record.raw, options.get("charset"), declared(record.raw))
    if isinstance(found, Undecodable):
        return whole.fault(record, found)
    source, charset = found
    page = page_text(source, options)
    return Document(page.text, title=page.title, charset=charset, extraction=page.extraction)


def blocks(record: Record, options: Options) -> list[PageBlock]:
    """The blocks of the page's visible text; none where its bytes are no text."""
    found = decode(record.raw, options.get("charset"), declared(record.raw))
    return [] if isinstance(found, Undecodable) else page_blocks(found[0], options)


FORMAT = Format(whole.records, extract, blocks, kernels="html")
