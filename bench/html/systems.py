"""The extractors that are compared: each takes a page and returns its text.

| name | what it is |
|---|---|
| `ours` | the default extractor of this project |
| `all_text` | this project's `extractor: all_text`: every visible character |
| `before`, `before_all` | before this project had its own: our decoding, then resiliparse, `main_content` true or false |
| `resiliparse`, `resiliparse_all` | `extract_plain_text(main_content=True or False)`, everything else as its default |
| `trafilatura` | with the options of its own evaluation: no comments, tables, the slower fallbacks |
| `trafilatura_default` | as it comes: comments, too |
| `lexbor_text` | all text below `<body>` but scripts and styles, by selectolax; says how much there is to find |
| `file:PATH` | texts made elsewhere, a JSON object of text by page id; PATH's stem names it |

Where the benchmark says how its files are encoded, the others get text that is decoded so, as the benchmark's own runners do.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from truths import Page

System = Callable[[Page], str]

_GAPS = re.compile(r"\n(?:[ \t]*+\n){2,}")


def system(name: str) -> System:
    """Return the extractor of that name."""
    if name.startswith("file:"):
        texts = json.loads(Path(name.removeprefix("file:")).read_bytes())
        return lambda page: texts.get(page.id, "")
    made = _SYSTEMS.get(name)
    if made is None:
        raise SystemExit(f"no system {name}; there are {', '.join(_SYSTEMS)}, file:PATH")
    return made


def decoded(page: Page) -> str:
    """Decode a page as the benchmark says, or else as this project does; undecodable bytes become U+FFFD."""
    from pipeline.formats.charset import Undecodable, decode
    from pipeline.formats.charset_prescan import declared

    if page.charset:
        return page.html.decode(page.charset, "replace")
    found = decode(page.html, declared(page.html))
    return page.html.decode("utf-8", "replace") if isinstance(found, Undecodable) else found[0]


def _ours(page: Page, extractor: str) -> str:
    from pipeline.formats.html_text import page_text

    return page_text(decoded(page), {"extractor": extractor}).text


def _before(page: Page, main_content: bool) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    text = extract_plain_text(
        decoded(page),
        main_content=main_content,
        preserve_formatting=True,
        list_bullets=True,
        alt_texts=False,
        links=False,
        form_fields=False,
        noscript=False,
    )
    return _GAPS.sub("\n\n", text)


def _resiliparse(page: Page, main_content: bool) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(decoded(page), main_content=main_content)


def _trafilatura(page: Page, **options: bool) -> str:
    import trafilatura

    source = page.html.decode(page.charset, "replace") if page.charset else page.html
    return trafilatura.extract(source, url=page.url or None, **options) or ""


def _lexbor_text(page: Page) -> str:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(decoded(page))
    tree.strip_tags(["script", "style", "noscript", "template", "svg", "iframe"])
    return tree.body.text(separator=" ") if tree.body else ""


_SYSTEMS: dict[str, System] = {
    "ours": partial(_ours, extractor="default"),
    "all_text": partial(_ours, extractor="all_text"),
    "before": partial(_before, main_content=True),
    "before_all": partial(_before, main_content=False),
    "resiliparse": partial(_resiliparse, main_content=True),
    "resiliparse_all": partial(_resiliparse, main_content=False),
    "trafilatura": partial(_trafilatura, include_comments=False, include_tables=True, fast=False),
    "trafilatura_default": _trafilatura,
    "lexbor_text": _lexbor_text,
}
