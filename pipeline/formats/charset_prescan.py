"""The charset that an HTML page declares: the prescan of the HTML standard (html.spec.whatwg.org, section 13.2.3.2).

The order of the standard's encoding sniffing algorithm is kept by this module and `charset.decode` together:
1. a byte order mark;
2. what the recipe or the transport says (HTTP's Content-Type; the first declared charset of `charset.decode`);
3. the prescan of the first 1,024 bytes: `<meta>` tags outside comments and other tags, else an XML declaration at byte 0;
4. UTF-8, then detection (`charset.decode`).

The standard goes on to change the encoding when the parser meets a `<meta>` later in the page. `declared` does the same for the
first LATE bytes where the prescan finds nothing: it skips the elements whose content the parser reads as text (TEXT_ELEMENTS),
because a `<meta>` in a script declares nothing.

Two things differ from a browser. `charset.decode` never replaces a byte: a page is decoded as declared only if that works for
all of it. The "replacement" encoding (iso-2022-kr, hz-gb-2312 ...) shows no text at all: it is no declaration.
"""

import re

from pipeline.formats.charset_labels import encoding

PRESCAN = 1024  # bytes; the standard asks for no more, and authors must declare within them
LATE = 64 << 10
TEXT_ELEMENTS = frozenset(
    (b"script", b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes", b"plaintext")
)

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_UTF16_XML = ((b"<\0?\0x\0", "utf-16le"), (b"\0<\0?\0x", "utf-16be"))
_MARKUP = re.compile(
    rb"<(?:(?P<comment>!--)|(?P<meta>meta)(?=[\t\n\f\r /])|/?(?P<tag>[a-z][^\t\n\f\r >]*+)|[!/?])", re.IGNORECASE
)
# "Get an attribute". A quoted value without its end takes all bytes that are left; then the tag has no end either.
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"""
    rb"""(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\t\n\f\r >]*+)))?"""
)
_GAP = re.compile(rb"[\t\n\f\r /]*+")
_UNQUOTED_TAG = re.compile(rb"""[^>"']*+>""")
# "Extracting a character encoding from a meta element": a quote without its end gives nothing.
_IN_CONTENT = re.compile(
    rb"""charset[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:"([^"]*+)"|'([^']*+)'|(?!["'])([^\t\n\f\r ;]*+)|)""", re.IGNORECASE
)
_IN_XML = re.compile(rb"""encoding[\0-\x20]*+=[\0-\x20]*+(?:"([^"]*+)"|'([^']*+)')""")


def declared(raw: bytes) -> str | None:
    """Return the encoding that the page's own bytes declare, by the Encoding standard's name in lower case; None for none."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    found = prescan(raw[:PRESCAN])
    if found is None and len(raw) > PRESCAN:
        head = raw[:LATE]
        if b"charset" in head.lower():
            found = _meta(head, as_parsed=True)
    return None if found == "replacement" else found


def prescan(head: bytes) -> str | None:
    """Prescan a byte stream to determine its encoding, where `head` is all that is read of it."""
    for beginning, name in _UTF16_XML:
        if head.startswith(beginning):
            return name
    return _meta(head) or _xml(head)


def _meta(head: bytes, as_parsed: bool = False) -> str | None:
    """Return the encoding of the first `<meta>` that declares a known one.

    `as_parsed`: the content of TEXT_ELEMENTS is skipped, as a parser does; the prescan of the standard reads it as markup.
    """
    position = 0
    while markup := _MARKUP.search(head, position):
        if markup["comment"]:
            position = head.find(b"-->", markup.start() + 2) + 3  # of <!-- itself, too: <!--> is a comment
            if position == 2:
                return None
        elif markup["meta"]:
            tag = _attributes(head, markup.end())
            if tag is None:
                return None
            if found := _declaration(tag[0]):
                return found
            position = tag[1]
        elif markup["tag"]:
            end = _tag_end(head, markup.end())
            if end is None:
                return None
            position = end
            name = markup["tag"].split(b"/")[0].lower()
            if as_parsed and name in TEXT_ELEMENTS and head[markup.start() + 1] != ord("/"):
                closing = re.compile(rb"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE).search(head, end)
                if closing is None:
                    return None
                position = closing.start()
        else:
            position = head.find(b">", markup.start()) + 1
            if position == 0:
                return None
    return None


def _tag_end(head: bytes, start: int) -> int | None:
    """Return the place of the `>` that ends the tag whose attributes begin at `start`; None if the bytes end first."""
    if unquoted := _UNQUOTED_TAG.match(head, start):
        return unquoted.end() - 1
    tag = _attributes(head, start)
    return None if tag is None else tag[1]


def _attributes(head: bytes, start: int) -> tuple[dict[bytes, bytes], int] | None:
    """Return a tag's attributes (lower case, the first of each name) and the place of its `>`; None if the bytes end first."""
    found: dict[bytes, bytes] = {}
    while attribute := _ATTRIBUTE.match(head, start):
        name, double, single, bare = attribute.groups()
        found.setdefault(name.lower(), (double or single or bare or b"").lower())
        start = attribute.end()
    gap = _GAP.match(head, start)
    end = gap.end() if gap else start
    return (found, end) if end < len(head) else None


def _declaration(attributes: dict[bytes, bytes]) -> str | None:
    """Return the encoding that a meta tag with these attributes declares; None if it declares none that is known."""
    name = None
    if b"charset" in attributes:  # with it `content` says nothing, whichever comes first
        name = encoding(attributes[b"charset"])
    elif attributes.get(b"http-equiv") == b"content-type" and (
        found := _IN_CONTENT.search(attributes.get(b"content", b""))
    ):
        name = encoding(found[1] or found[2] or found[3] or b"")
    return _ascii_compatible(name) if name else None


def _xml(head: bytes) -> str | None:
    """Return the encoding of an XML declaration at byte 0 ("get an XML encoding")."""
    end = head.find(b">")
    if not head.startswith(b"<?xml") or end < 0:
        return None
    found = _IN_XML.match(head, place) if (place := head.find(b"encoding")) >= 0 else None
    if found is None or found.end() - 1 > end:
        return None
    label = found[1] or found[2] or b""
    name = encoding(label) if label and min(label) > 0x20 else None
    return _ascii_compatible(name) if name else None


def _ascii_compatible(name: str) -> str:
    """Return what a declaration that was read as ASCII can mean: it is not in UTF-16, and x-user-defined is windows-1252."""
    if name in ("utf-16le", "utf-16be"):
        return "utf-8"
    return "windows-1252" if name == "x-user-defined" else name
