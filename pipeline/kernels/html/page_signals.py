"""What the page says of itself: its title and description, its canonical address, schema.org types, and counts of elements.

Only the page is read: the address that it was fetched from is not, so that the same bytes give the same text everywhere.
"""

from typing import Any

import numpy as np

from pipeline.kernels.html.class_signals import attribute_hash
from pipeline.kernels.html.names import ATTRIBUTE, TAG, TAGS
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.vocabulary import listed
from pipeline.kernels.html.word_signals import (
    DESCRIPTION_BIT,
    PRIME,
    SEED,
    TITLE_BIT,
    add_page_words,
    hashed,
    mixed,
)  # fmt: skip

COUNTED = listed(
    """
p li h1 h2 h3 td pre article main button dt section option blockquote figure form nav noscript img code input
    """
)
OPEN_GRAPH = ["article", "website", "product", "profile", "object", "blog"]
SCHEMA_TYPES = listed(
    """
article newsarticle blogposting product faqpage discussionforumposting qapage itemlist collectionpage
breadcrumblist organization webpage techarticle offer aggregaterating review localbusiness softwareapplication
course event website comment answer howto recipe service videoobject person howtostep question
    """
)
GENERATORS = listed(
    """
wordpress shopify discourse vbulletin xenforo drupal docusaurus sphinx mkdocs woocommerce wix squarespace
webflow phpbb elementor hugo gatsby magento bigcommerce gitbook mediawiki ghost hubspot docbook doxygen javadoc
makeinfo texi2html asciidoctor jekyll joomla typo3 blogger
    """
)
URL_WORDS = listed(
    """
product products collection collections category categories shop blog news docs doc forum thread topic t
question questions service services pricing feature features solution solutions about p dp c list best guide
guides api tag wiki learn article articles community review reviews archive search course job jobs event events
directory html help support tutorial reference discuss comments resources item ideas post posts story manual
    """
)

# Columns of the page's row: own names, then a count for each of the lists above.
(
    TITLE_WORDS_,
    DESCRIPTION_WORDS_,
    OG_TYPE,
    URL_KNOWN,
    URL_DEPTH,
    URL_LENGTH,
    URL_HYPHENS,
    URL_DIGITS,
    URL_QUERY,
    ELEMENTS,
) = range(10)
_COUNTS = 10
_SCHEMA = _COUNTS + len(COUNTED)
_GENERATOR = _SCHEMA + len(SCHEMA_TYPES)
_URL = _GENERATOR + len(GENERATORS)
PAGE_COLUMNS = _URL + len(URL_WORDS)
PAGE_NAMES = (
    listed(
        """
title_words description_words og_type url_known url_depth url_length url_hyphens url_digits url_query elements
        """
    )
    + [f"tag_{n}" for n in COUNTED] + [f"schema_{n}" for n in SCHEMA_TYPES] + [f"generator_{n}" for n in GENERATORS]
    + [f"url_{n}" for n in URL_WORDS]
)  # fmt: skip

_COUNTED = np.full(len(TAGS) + 1, 255, np.uint8)
for _i, _name in enumerate(COUNTED):
    _COUNTED[TAG[_name]] = _i


def _index(words: list[str]) -> Any:
    return np.array([hashed(word) for word in words], np.uint64)


_OG, _TYPES, _GENERATORS, _URLS = (_index(words) for words in (OPEN_GRAPH, SCHEMA_TYPES, GENERATORS, URL_WORDS))
_META, _LINK, _TITLE, _SCRIPT = (TAG[name] for name in ("meta", "link", "title", "script"))
_NAME, _PROPERTY, _CONTENT, _REL, _HREF, _TYPE, _ITEMTYPE = (
    ATTRIBUTE[name] for name in ("name", "property", "content", "rel", "href", "type", "itemtype")
)
_M_DESCRIPTION, _M_OG_DESCRIPTION, _M_OG_TYPE, _M_OG_URL, _M_GENERATOR, _M_CANONICAL, _M_LD = (
    np.uint64(hashed(name))
    for name in ("description", "og:description", "og:type", "og:url", "generator", "canonical", "application/ld+json")
)


@inner
def position(table: Any, value: Any) -> Any:
    for i in range(len(table)):
        if table[i] == value:
            return i
    return -1


@inner
def count_words(data: Any, at: int, end: int, table: Any, row: Any, first: int, most: int) -> Any:
    """Count in row[first:] the words of data[at:end] (runs of ASCII letters) that the table has."""
    value = SEED
    letters = 0
    end = min(end, at + most)
    for i in range(at, end + 1):
        byte = np.int64(data[i]) if i < end else np.int64(32)
        lower = byte | 32
        if 97 <= lower <= 122 or 48 <= byte <= 57:
            value = (value ^ np.uint64(lower if lower >= 97 else byte)) * PRIME
            letters += 1
        elif letters:
            found = position(table, mixed(value))
            if found >= 0:
                row[first + found] += 1
            value = SEED
            letters = 0


@inner
def read_url(data: Any, at: int, end: int, row: Any) -> Any:
    """Note the path of an address: depth, length, hyphens, digits, and the words that are known."""
    start = at
    if (end - at > 8 and data[at + 4] == 58) or data[at + 5] == 58:  # http: or https:
        start = at + 8
        while start < end and data[start] != 47:
            start += 1
    row[URL_KNOWN] = 1
    row[URL_DEPTH] = row[URL_LENGTH] = row[URL_HYPHENS] = row[URL_DIGITS] = row[URL_QUERY] = 0
    stop = start
    while stop < end and data[stop] != 63 and data[stop] != 35:
        byte = data[stop]
        if byte == 47 and stop + 1 < end:
            row[URL_DEPTH] += 1
        row[URL_HYPHENS] += byte == 45
        row[URL_DIGITS] += 48 <= byte <= 57
        stop += 1
    row[URL_QUERY] = stop < end and data[stop] == 63
    row[URL_LENGTH] = stop - start
    for i in range(_URL, _URL + len(_URLS)):
        row[i] = 0
    count_words(data, start, stop, _URLS, row, _URL, 512)


@inner
def read_types(data: Any, at: int, end: int, row: Any) -> Any:
    """Count the "@type" values of a JSON-LD script."""
    while at + 9 < end:
        if (
            data[at] == 64
            and data[at + 1] == 116
            and data[at + 2] == 121
            and data[at + 3] == 112
            and data[at + 4] == 101
        ):
            at += 6
            while at < end and (data[at] == 32 or data[at] == 58 or data[at] == 91 or data[at] == 10):
                at += 1
            if at < end and data[at] == 34:
                at += 1
                first = at
                while at < end and data[at] != 34 and at - first < 64:
                    at += 1
                found = position(_TYPES, attribute_hash(data, first, at - first))
                if found >= 0:
                    row[_SCHEMA + found] += 1
        at += 1


@entry
def read_page(nodes: Any, count: int, row: Any, keys: Any, bits: Any) -> Any:
    """Fill the page's row (PAGE_COLUMNS, int32) and its own table of words (title and description)."""
    row[:] = 0
    bits[:] = 0
    titled = False
    for node in range(count):
        if nodes.kind[node] != 1 or nodes.namespace[node] != 0:
            continue
        row[ELEMENTS] += 1
        tag = np.int64(nodes.tag[node])
        if _COUNTED[tag] != 255:
            row[_COUNTS + _COUNTED[tag]] += 1
        if tag == _TITLE and not titled:
            titled = True
            for inside in range(node + 1, nodes.end[node]):
                if nodes.kind[inside] == 3:
                    at = nodes.start[inside]
                    known = row[TITLE_WORDS_] + row[DESCRIPTION_WORDS_]
                    row[TITLE_WORDS_] += add_page_words(
                        nodes.text, at, at + min(nodes.length[inside], 1000), TITLE_BIT, known, keys, bits
                    )
            continue
        which = np.uint64(0)
        content = -1
        for attribute in range(nodes.first_attribute[node], nodes.last_attribute[node]):
            name = nodes.attributes[attribute, 0]
            at = nodes.attributes[attribute, 3]
            length = nodes.attributes[attribute, 4]
            if name == _ITEMTYPE:
                first = at + length
                while first > at and nodes.values[first - 1] != 47:
                    first -= 1
                found = position(_TYPES, attribute_hash(nodes.values, first, at + length - first))
                if found >= 0:
                    row[_SCHEMA + found] += 1
            elif tag == _META:
                if name == _NAME or name == _PROPERTY:
                    which = attribute_hash(nodes.values, at, min(length, 40))
                elif name == _CONTENT:
                    content = attribute
            elif tag == _LINK:
                if name == _REL:
                    which = attribute_hash(nodes.values, at, min(length, 40))
                elif name == _HREF:
                    content = attribute
            elif tag == _SCRIPT and name == _TYPE:
                which = attribute_hash(nodes.values, at, min(length, 40))
        if which == _M_LD and tag == _SCRIPT:
            for inside in range(node + 1, nodes.end[node]):
                if nodes.kind[inside] == 3:
                    read_types(nodes.text, nodes.start[inside], nodes.start[inside] + nodes.length[inside], row)
        if which == 0 or content < 0:
            continue
        at = nodes.attributes[content, 3]
        end = at + nodes.attributes[content, 4]
        if which == _M_DESCRIPTION or (which == _M_OG_DESCRIPTION and row[DESCRIPTION_WORDS_] == 0):
            known = row[TITLE_WORDS_] + row[DESCRIPTION_WORDS_]
            row[DESCRIPTION_WORDS_] += add_page_words(
                nodes.values, at, min(end, at + 1500), DESCRIPTION_BIT, known, keys, bits
            )
        elif which == _M_OG_TYPE:
            row[OG_TYPE] = 1 + position(_OG, attribute_hash(nodes.values, at, end - at))
            if row[OG_TYPE] == 0:
                row[OG_TYPE] = 9
        elif which == _M_GENERATOR:
            count_words(nodes.values, at, end, _GENERATORS, row, _GENERATOR, 200)
        elif (which == _M_CANONICAL and tag == _LINK) or (which == _M_OG_URL and row[URL_KNOWN] == 0):
            read_url(nodes.values, at, end, row)
