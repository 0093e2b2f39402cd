"""HTML: one member, one document: the page's main content (or all visible text), by resiliparse.

The charset is what the page declares (a byte order mark, the recipe, its meta tag or XML declaration), then what is
detected. A page without visible text (frame sets, redirects) is refused as `empty` by `read.extract`.
"""

import re

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from pipeline.formats import whole
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared
from pipeline.formats.interface import Format, Options
from pipeline.model import Document, Fault, Record, Refusal

# Nested <div>s take resiliparse's main content time quadratic in their depth (1 s at 5,000, 16 s at 20,000); pages that
# people wrote stay below 100.
MAX_DIVS = 1000

_DIV = re.compile(r"<(/?)div\b", re.IGNORECASE)
_GAPS = re.compile(r"\n(?:[ \t]*+\n){2,}")


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The page's text and title."""
    found = decode(record.raw, options.get("charset"), declared(record.raw))
    if isinstance(found, Undecodable):
        return whole.fault(record, found)
    source, charset = found
    text, title = to_text(source, main_content=options["main_content"])
    return Document(text, title=title, charset=charset)


def to_text(source: str, *, main_content: bool) -> tuple[str, str | None]:
    """Visible text and title of an HTML page or fragment; more than two newlines together become two.

    Where <div>s are nested deeper than MAX_DIVS the whole visible text is taken for the main content.
    """
    tree = HTMLTree.parse(source)
    text = extract_plain_text(
        tree,
        main_content=main_content and not _too_deep(source),
        preserve_formatting=True,
        list_bullets=True,
        alt_texts=False,
        links=False,
        form_fields=False,
        noscript=False,
    )
    title = " ".join((tree.title or "").split())
    return _GAPS.sub("\n\n", text), title or None


def _too_deep(source: str) -> bool:
    if source.count("<div") + source.count("<DIV") <= MAX_DIVS:
        return False
    depth = 0
    for tag in _DIV.finditer(source):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        if depth > MAX_DIVS:
            return True
    return False


FORMAT = Format(whole.records, extract)
