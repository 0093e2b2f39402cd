"""Collect news articles whose text other people's hand-written selectors give: pages to train on.

    python bench/html/articles.py OUT --fundus CHECKOUT --postlight CHECKOUT --newspaper CHECKOUT [--measured FOLDER ...]

- fundus (`flairNLP/fundus`, MIT): the test page of each publisher and what its parser finds; wants fundus's dependencies.
- Postlight Parser (`postlight/parser`, Apache-2.0 or MIT): its fixtures, and the content selectors of its custom extractors;
  wants Node.js, which evaluates the selectors' files.
- newspaper4k (`AndyTheFactory/newspaper4k`, MIT): its test pages with full texts.

The pages themselves are the publishers'; they are read here and not published. A page is left out where its address or file is
in a benchmark of `--measured`, and where prose stands between the truth's first and last line that the truth does not have.
"""

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from known import join, text_of_page
from rules import Rule
from truths import load, site_of

PROSE = 80  # characters of a line that is prose and not a label
MOST_MISSING = 0.15


@dataclass(frozen=True, slots=True)
class Article:
    """A page and what is known of it."""

    source: str
    name: str
    url: str
    html: bytes
    text: str
    optional: str
    language: str | None = None


def main() -> None:
    """Read the command line and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for name in READERS:
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--measured", type=Path, action="append", default=[])
    asked = parser.parse_args()
    (asked.out / "html").mkdir(parents=True, exist_ok=True)
    urls, digests = measured(asked.measured)
    with (asked.out / "articles.jsonl").open("w", encoding="utf-8") as lines:
        for name, read in READERS.items():
            folder = getattr(asked, name)
            counts = dict.fromkeys(("written", "measured", "incomplete", "too short"), 0)
            for article in read(folder) if folder else ():
                outcome = judge(article, urls, digests)
                counts[outcome] += 1
                if outcome == "written":
                    row = row_of(article)
                    (asked.out / row["html_path"]).write_bytes(gzip.compress(article.html, 6, mtime=0))
                    lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                else:
                    print(f"{name} {article.name}: {outcome}", file=sys.stderr)
            print(name, counts)
    join(asked.out)


def judge(article: Article, urls: set[str], digests: set[bytes]) -> str:
    """Return `written`, or why an article is left out."""
    if bare(article.url) in urls or hashlib.sha256(article.html).digest() in digests:
        return "measured"
    if len(article.text) < 300:
        return "too short"
    return "incomplete" if missing(article) > MOST_MISSING else "written"


def missing(article: Article) -> float:
    """Return the share of prose between the truth's first and last line on the page that the truth lacks; 1 if nothing fits."""
    source = article.html.decode("utf-8", "replace")
    truth = folded(article.text)
    lines = text_of_page(source).split("\n")
    found = [index for index, line in enumerate(lines) if len(line) >= PROSE and folded(line) in truth]
    if not found:
        return 1.0
    between = [line for line in lines[found[0] : found[-1]] if len(line) >= PROSE and folded(line) not in truth]
    there = sum(len(lines[index]) for index in found)
    return max(sum(map(len, between)) / max(len(article.text), 1), 1 - there / max(len(article.text), 1) - 0.35)


def row_of(article: Article) -> dict[str, Any]:
    """Return an article's line of pages.jsonl."""
    name = hashlib.sha256(f"{article.source}/{article.name}".encode()).hexdigest()[:16]
    return {
        "id": name,
        "set": article.source,
        "url": article.url,
        "site": site_of(article.url),
        "page_type": "article",
        "generator": None,
        "truth": article.text,
        "optional": article.optional,
        "language": article.language,
        "note": article.name,
        "second_truth": False,
        "html_path": f"html/{name}.html.gz",
    }


def measured(folders: list[Path]) -> tuple[set[str], set[bytes]]:
    """Return the addresses and digests of the pages that are for measuring only."""
    pages = [page for folder in folders for page in load(folder).pages]
    return {bare(page.url) for page in pages if page.url}, {hashlib.sha256(page.html).digest() for page in pages}


def bare(url: str) -> str:
    """Return an address without scheme, `www.`, query and last slash."""
    return re.sub(r"^https?://(www\.)?", "", url).split("?")[0].split("#")[0].rstrip("/").lower()


def folded(text: str) -> str:
    """Return only the word characters of a text."""
    return re.sub(r"\W+", "", text.lower())


def fundus(folder: Path) -> Iterator[Article]:
    """Run fundus's parsers on its test pages."""
    sys.path.insert(0, str(folder / "src"))
    from fundus import PublisherCollection

    data = folder / "tests" / "resources" / "parser" / "test_data"
    for publisher in PublisherCollection:
        group = publisher.__group__.__name__ if hasattr(publisher, "__group__") else ""
        for country in sorted(data.iterdir()):
            facts = country / "meta.info"
            known = json.loads(facts.read_bytes()) if facts.exists() else {}
            for path in sorted(country.glob(f"{publisher.__name__}_[0-9]*.html.gz")):
                if group.lower() not in ("", country.name):
                    continue
                yield from _fundus_page(publisher, path, known.get(path.name, {}))


def _fundus_page(publisher: Any, path: Path, facts: dict[str, Any]) -> Iterator[Article]:
    import datetime

    source = gzip.decompress(path.read_bytes())
    day = datetime.datetime.fromisoformat(facts.get("crawl_date") or "2026-01-01")
    found = publisher.parser(day).parse(source.decode("utf-8"), error_handling="suppress")
    body = found.get("body")
    if not body:
        return
    parts = list(body.summary)
    for section in body.sections:
        parts += [*section.headline, *section.paragraphs]
    authors = found.get("authors") or []
    optional = [found.get("title") or "", *map(str, authors)]
    captions = [image.caption for image in found.get("images") or [] if image.caption]
    url = facts.get("url") or f"https://{publisher.domain}/"
    yield Article(
        "fundus", f"{path.parent.name}/{path.name}", url, source, "\n".join(parts), "\n".join([*optional, *captions])
    )


def newspaper(folder: Path) -> Iterator[Article]:
    """Read newspaper4k's test pages."""
    for path in sorted((folder / "tests" / "data" / "html").glob("*.html")):
        text = folder / "tests" / "data" / "txt" / f"{path.stem}.txt"
        if not text.exists():
            continue
        source = path.read_bytes()
        found = re.search(rb"""(?:og:url|canonical)["'][^>]*?(?:content|href)=["']([^"']+)""", source)
        url = found[1].decode() if found else f"https://{path.stem}.invalid/"
        yield Article("newspaper4k", path.name, url, source, text.read_text("utf-8").strip(), "")


_NODE = r"""
const fs = require('fs'), path = require('path'), root = process.argv[1], found = [];
for (const name of fs.readdirSync(root)) {
  const file = path.join(root, name, 'index.js');
  if (!fs.existsSync(file)) continue;
  let source = fs.readFileSync(file, 'utf8').replace(/^import .*$/gm, '').replace(/export const (\w+) =/g, 'made.$1 =');
  const made = {};
  try { new Function('made', 'cheerio', 'URL', source)(made, {}, URL); } catch (error) { continue; }
  for (const one of Object.values(made)) {
    if (!one.domain || !one.content) continue;
    const text = (value) => (value || []).filter((selector) => typeof selector === 'string');
    found.push({ domain: one.domain, domains: one.supportedDomains || [], name,
      selectors: (one.content.selectors || []).map((s) => Array.isArray(s) ? s : [s]), clean: text(one.content.clean) });
  }
}
console.log(JSON.stringify(found));
"""


def postlight(folder: Path) -> Iterator[Article]:
    """Apply the selectors of Postlight's custom extractors to its fixtures."""
    from known import split

    run = ["node", "-e", _NODE, str(folder / "src" / "extractors" / "custom")]
    for one in json.loads(subprocess.run(run, check=True, capture_output=True).stdout):
        for place in (one["domain"], *one["domains"]):
            fixtures = [folder / "fixtures" / f"{place}.html", *sorted((folder / "fixtures" / place).glob("*.html"))]
            for path in fixtures:
                if not path.exists():
                    continue
                source = path.read_bytes()
                keep = tuple(", ".join(group) for group in one["selectors"])
                try:
                    text, _ = split(
                        source.decode("utf-8", "replace"), Rule("", "", keep=keep, drop=", ".join(one["clean"]))
                    )
                except Exception as error:  # noqa: BLE001 - a selector of jQuery's own, which is no CSS
                    print(f"{place}: {error}", file=sys.stderr)
                    continue
                found = re.search(rb"""(?:og:url|canonical)["'][^>]*?(?:content|href)=["']([^"']+)""", source)
                url = found[1].decode() if found else f"https://{place}/"
                yield Article("postlight", f"{place}/{path.name}", url, source, text, "")


READERS = {"fundus": fundus, "newspaper": newspaper, "postlight": postlight}

if __name__ == "__main__":
    main()
