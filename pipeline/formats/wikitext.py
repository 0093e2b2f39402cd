"""MediaWiki XML dumps, streamed: one <page>, one record, its revision's text as one document.

Pages are cut by their tags, which cannot stand inside a page (XML escapes `<`), so that offset and length are exact and
one page at a time is in memory. Each is parsed by itself: it has no DTD, so it can define no entities.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from lxml import etree

from pipeline.formats import wikimarkup
from pipeline.formats.compressed import BUFFER, at_hand
from pipeline.formats.interface import RECORD_LIMIT, Format, Member, Options, Truncated
from pipeline.model import Document, Fault, Pointer, Record, Refusal

HEAD_LIMIT = 1 << 20  # bytes before the first page that are searched for the site's name and namespaces
FILE, CATEGORY = 6, 14  # keys of the namespaces whose links are not shown
# What MediaWiki leaves as it is in a page's URL (`wfUrlencode`, includes/GlobalFunctions.php); the rest is percent-encoded.
URL_SAFE = ";@$!*(),/~:-_."

_OPEN, _CLOSE, _END = b"<page>", b"</page>", b"</mediawiki>"
_BASE = re.compile(rb"<base>\s*([^<]{1,1000}?)\s*</base>")
_NAMESPACE = re.compile(rb"""<namespace\s[^<>]*?key="(-?\d{1,6})"[^<>]*>([^<]{1,200})</namespace>""")


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """The pages in order. Raises Truncated where the dump ends inside a page or before its last tag.

    A member without pages that is no dump at all is one Fault. Hints: `base` (the site's URL of its main page) and `hidden`
    (names of its file and category namespaces, one a line).
    """
    text = _Text(member.stream)
    head = text.head()
    hints = _site(head)
    index = 0
    while text.go_to(_OPEN):
        start = text.position
        raw, length = text.take_through(_CLOSE)
        pointer = Pointer(member.name, start, length, index)
        if raw is None:
            yield Fault(pointer, "unreadable:too_large", f"a page of {length:,} bytes; at most {RECORD_LIMIT:,}")
        else:
            yield Record(pointer, raw, hints)
        index += 1
    if b"<mediawiki" in head:
        if _END not in text.tail:
            raise Truncated(f"the dump ends before </mediawiki>, after {index:,} pages")
    elif not index:
        yield Fault(Pointer(member.name, None, None, 0), "unreadable:no_pages", "no <mediawiki> and no <page> in it")


class _Text:
    """A dump's bytes: those at hand, which begin at byte `position` of the stream. `tail`: the last bytes gone over."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._data, self.position, self.tail = stream, b"", 0, b""

    def head(self) -> bytes:
        """The bytes before the first page, HEAD_LIMIT of them at most."""
        while len(self._data) < HEAD_LIMIT and _OPEN not in self._data and self._more():
            pass
        return self._data[: max(self._data.find(_OPEN), 0) or HEAD_LIMIT]

    def _more(self) -> bool:
        more = at_hand(self._stream, BUFFER)
        self._data += more
        return bool(more)

    def _drop(self, count: int) -> None:
        self.tail = (self.tail + self._data[:count])[-64:] if count < 64 else self._data[max(count - 64, 0) : count]
        self._data, self.position = self._data[count:], self.position + count

    def go_to(self, tag: bytes) -> bool:
        """Go on to where `tag` begins; False at the end of the stream."""
        while (found := self._data.find(tag)) < 0:
            self._drop(max(len(self._data) - len(tag) + 1, 0))
            if not self._more():
                self._drop(len(self._data))
                return False
        self._drop(found)
        return True

    def take_through(self, tag: bytes) -> tuple[bytes | None, int]:
        """The bytes up to the end of `tag`, or None where they are over RECORD_LIMIT, and their number. Raises Truncated."""
        start, pieces, size = self.position, [self._data], len(self._data)
        self._data = b""
        searched = pieces[0]
        while (found := searched.find(tag)) < 0:
            if not self._more():
                raise Truncated(f"the dump ends in the page at byte {start:,}")
            last = searched[-len(tag) + 1 :]
            searched = last + self._data
            if size <= RECORD_LIMIT:
                pieces.append(self._data)
            else:
                pieces.clear()
            size += len(self._data)
            self._data = b""
        self._data = searched[found + len(tag) :]
        length = size - len(self._data)
        raw = b"".join(pieces)[:length] if pieces and length <= RECORD_LIMIT else None
        self.position = start + length
        return raw, length


def _site(head: bytes) -> dict[str, str]:
    base = _BASE.search(head)
    hidden = [
        name.decode("utf-8", "ignore").lower() for key, name in _NAMESPACE.findall(head) if int(key) in (FILE, CATEGORY)
    ]
    hints = {"hidden": "\n".join(hidden)} if hidden else {}
    return {**hints, "base": base[1].decode("utf-8", "ignore")} if base else hints


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The text of the page's last revision, its title and URL."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        page = etree.fromstring(record.raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return Fault(record.pointer, "unreadable:xml", str(error)[:200], record.raw)
    namespace = (page.findtext("ns") or "0").strip()
    if not namespace.lstrip("-").isdecimal() or int(namespace) not in options["namespaces"]:
        return Refusal("namespace", namespace)
    redirect = page.find("redirect")
    if redirect is not None:
        return Refusal("redirect", f"to {redirect.get('title')}" if redirect.get("title") else "")
    revisions = page.findall("revision")
    model = revisions[-1].findtext("model") if revisions else None
    if model not in (None, "", "wikitext"):
        return Refusal("not_wikitext", model)
    source = (revisions[-1].findtext("text") if revisions else None) or ""
    title = " ".join((page.findtext("title") or "").split())
    text = wikimarkup.to_text(source, record.hints.get("hidden", "").split("\n"))
    return Document(text, url(record.hints.get("base"), title), title or None, "utf-8")


def url(base: str | None, title: str) -> str | None:
    """The page's URL, from the URL of the site's main page: `https://en.wikipedia.org/wiki/Main_Page`."""
    if not base or not title or not base.startswith(("http://", "https://")):
        return None
    root, wiki, _ = base.partition("/wiki/")
    root = root + wiki if wiki else base.rsplit("/", 1)[0] + "/"
    return root + quote(title.replace(" ", "_"), safe=URL_SAFE)


FORMAT = Format(records, extract)
