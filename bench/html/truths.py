"""Read pages whose main content is known: one small value a page, whatever benchmark it comes from.

`load(FOLDER)` looks at what the folder has:

| folder has | benchmark | what is known of a page |
|---|---|---|
| `dev/ground-truth/*.json` | WCXB (its `dev` split, nothing else) | the text, and passages |
| `ground-truth.json` | Scrapinghub's article extraction benchmark | the text |
| `test/test-pages/*/expected.html` | Mozilla Readability's test pages | the text, from their expected HTML |
| `tests/evaldata.json` | trafilatura's evaluation pages | passages that must and must not be there |
| `pages.jsonl` | pages with a known source ("second truth", bench/html/known.py) | the text |

None of these pages is part of this project; clone the benchmarks and name their folders.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import html as lxml_html

# Elements inside which a text runs on; every other element ends a line.
INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "wbr",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what is known of its main content.

    `charset` is set where the benchmark says how its files are encoded. `text` is None where only passages are known.
    `optional` is text that may be there or not: a manual's tables of contents. `group` is what a table has a row for: the
    page type, or the generator of a known source.
    """

    id: str
    html: bytes
    url: str
    site: str
    group: str | None = None
    text: str | None = None
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    charset: str | None = None
    language: str | None = None
    optional: str = ""


@dataclass(frozen=True, slots=True)
class Truths:
    """The pages of one benchmark, and which one it is."""

    benchmark: str
    pages: list[Page]


def load(folder: Path) -> Truths:
    """Read every page of a benchmark's folder."""
    for benchmark, mark, read in (
        ("wcxb", "dev/ground-truth", _wcxb),
        ("scrapinghub", "ground-truth.json", _scrapinghub),
        ("readability", "test/test-pages", _readability),
        ("trafilatura", "tests/evaldata.json", _trafilatura),
        ("known", "pages.jsonl", _known),
    ):
        if (folder / mark).exists():
            return Truths(benchmark, list(read(folder)))
    raise SystemExit(f"{folder}: none of the benchmarks that bench/html/truths.py reads")


def text_of(source: str) -> str:
    """Return the text of clean HTML (no scripts, nothing hidden), a line a block."""
    parts: list[str] = []
    _walk(lxml_html.fromstring(f"<div>{source}</div>"), parts)
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


@cache
def site_of(url: str) -> str:
    """Return the registrable domain of an address, by the public suffix list."""
    import tldextract

    host = urlsplit(url).hostname or ""
    return tldextract.TLDExtract(suffix_list_urls=())(host).registered_domain or host


def _walk(element: lxml_html.HtmlElement, parts: list[str]) -> None:
    if not isinstance(element.tag, str) or element.tag in ("script", "style"):
        return
    edge = "" if element.tag in INLINE else "\n"
    parts.append(edge)
    parts.append(element.text or "")
    for child in element:
        _walk(child, parts)
        parts.append(child.tail or "")
    parts.append(edge)


def _wcxb(folder: Path) -> Iterator[Page]:
    for path in sorted((folder / "dev" / "ground-truth").glob("*.json")):
        row = json.loads(path.read_bytes())
        truth, kind = row.get("ground_truth"), (row.get("_internal") or {}).get("page_type", {})
        if not isinstance(truth, dict):
            continue
        group = kind.get("primary", "article") if isinstance(kind, dict) else kind
        yield Page(
            id=path.stem,
            html=gzip.decompress((folder / "dev" / "html" / f"{path.stem}.html.gz").read_bytes()),
            url=row.get("url") or "",
            site=site_of(row.get("url") or ""),
            group="collection" if group == "category" else group,
            text=truth.get("main_content") or "",
            must=tuple(truth.get("with") or ()),
            must_not=tuple(truth.get("without") or ()),
            charset="utf-8",
        )


def _scrapinghub(folder: Path) -> Iterator[Page]:
    for key, row in json.loads((folder / "ground-truth.json").read_bytes()).items():
        yield Page(
            id=key,
            html=gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes()),
            url=row["url"],
            site=site_of(row["url"]),
            text=row.get("articleBody", ""),
            charset="utf-8",
        )


def _readability(folder: Path) -> Iterator[Page]:
    for path in sorted((folder / "test" / "test-pages").iterdir()):
        yield Page(
            id=path.name,
            html=(path / "source.html").read_bytes(),
            url="",  # the tests call every page fakehost/test/page.html
            site=path.name,
            text=text_of((path / "expected.html").read_text("utf-8")),
            charset="utf-8",
        )


def _trafilatura(folder: Path) -> Iterator[Page]:
    for url, row in sorted(json.loads((folder / "tests" / "evaldata.json").read_bytes()).items()):
        places = [folder / "tests" / place / row["file"] for place in ("cache", "eval")]
        yield Page(
            id=row["file"],
            html=next(place for place in places if place.is_file()).read_bytes(),
            url=url,
            site=site_of(url),
            group=row.get("region"),
            must=tuple(row["with"]),
            must_not=tuple(row["without"]),
        )


def _known(folder: Path) -> Iterator[Page]:
    """Read the pages of the second truth; those of the training share are left out."""
    for row in _rows(folder):
        if row["second_truth"]:
            yield _known_page(folder, row)


def training_pages(folder: Path) -> Iterator[tuple[str, Page]]:
    """Read the pages with a known text that a model may be trained on, each with the name of its set."""
    for row in _rows(folder):
        if not row["second_truth"]:
            yield row["set"], _known_page(folder, row)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / "pages.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _known_page(folder: Path, row: dict[str, Any]) -> Page:
    raw = (folder / row["html_path"]).read_bytes()
    return Page(
        id=row["id"],
        html=gzip.decompress(raw) if row["html_path"].endswith(".gz") else raw,
        url=row["url"] or "",
        site=row["site"],
        group=row["generator"],
        text=row["truth"],
        language=row["language"],
        optional=row["optional"],
    )
