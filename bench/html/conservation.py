"""Check that no character of a page is lost: by an independent parser, html5lib, and rules written a second time.

    python bench/html/conservation.py PAGES [--processes 2] [--every 1]

PAGES has a path a line, behind a tab what to count it by (a language). Files may be compressed (.gz). It checks of each page:
- the characters of its blocks, as many as the independent reader sees, and the same, in order;
- the text of all blocks, the text of half of them (every second one) and of the other half have the characters of their
  blocks, in order; what they have beside them is white space and documented markers. So it is in Markdown.

The independent parser differs from ours where the HTML standard has changed since 2020 (tables and other elements in <select>,
<template>); pages where the trees differ so are listed as `parsers differ`, with what each has.
"""

import argparse
import gzip
import multiprocessing
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import html5lib
import numpy as np

from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.charset_prescan import declared

HTML, SVG, MATHML = (f"{{http://www.w3.org/{name}}}" for name in ("1999/xhtml", "2000/svg", "1998/Math/MathML"))
NOT_TEXT = {
    HTML + name
    for name in (
        "head",
        "title",
        "script",
        "style",
        "template",
        "iframe",
        "noembed",
        "noframes",
        "textarea",
        "datalist",
        "audio",
        "video",
        "canvas",
    )
}
# Media types and encodings of TeX; a script of text/javascript is none.
TEX_TYPES = frozenset(
    ("math/tex", "application/x-tex", "application/x-latex", "text/x-tex", "text/x-latex", "tex", "latex")
)
# What plain text may have beside a page's own characters; letters only number the items of lists.
MARKERS = frozenset("-|.^$()“”‘’0123456789")
# What Markdown may have beside: its own punctuation.
MARKDOWN_MARKERS = MARKERS | frozenset("#*`\\>[]&_~<:!+=")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one page: its characters by the independent reader, and the faults, each a sentence."""

    path: str
    group: str
    characters: int
    blocks: int
    faults: tuple[str, ...]


def visible_text(page: str) -> str:
    """Return the text of a page's visible text nodes, joined, by html5lib's tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = html5lib.parse(page, treebuilder="etree", scripting=False)
    return "".join(_texts(tree))


def _texts(root: Any) -> Iterator[str]:
    """Yield visible text in order, without recursion: pages may be deep."""
    waiting: list[Any] = [root]
    while waiting:
        element = waiting.pop()
        if isinstance(element, str):
            yield element
            continue
        if element.tail and element is not root:
            waiting.append(element.tail)
        if not isinstance(element.tag, str) or _is_hidden(element):
            continue
        if element.tag == MATHML + "math" and (formulas := [e for e in element.iter() if _is_tex(e)]):
            waiting += [text for formula in reversed(formulas) for text in reversed(list(formula.itertext()))]
            continue
        waiting += reversed(element)
        if element.text:
            waiting.append(element.text)


def _is_tex(element: Any) -> bool:
    tag = element.tag
    return tag in (MATHML + "annotation", MATHML + "annotation-xml") and _names_tex(element.get("encoding", ""))


def _names_tex(media_type: str) -> bool:
    """Whether a media type is one that formulas in TeX have in the wild."""
    return media_type.split(";")[0].strip().lower() in TEX_TYPES


def _is_hidden(element: Any) -> bool:
    if element.tag == HTML + "script":
        return not _names_tex(element.get("type", ""))
    if element.tag == HTML + "template":
        return "shadowrootmode" not in element.attrib
    return element.tag in NOT_TEXT or element.tag.startswith(SVG)


def squeezed(text: str) -> str:
    """Return the text without white space."""
    return "".join(text.split())


def beside(written: str, wanted: str) -> Counter[str] | None:
    """Return what `written` has beside the characters of `wanted`; None if it does not have them all in order."""
    extra: Counter[str] = Counter()
    place = 0
    for character in written:
        if place < len(wanted) and wanted[place] == character:
            place += 1
        else:
            extra[character] += 1
    return extra if place == len(wanted) else None


def without(text: str, markers: frozenset[str]) -> str:
    """Return the text without the characters that may be markers, too."""
    return text.translate(dict.fromkeys(map(ord, markers)))


def block_characters(tree: Any, blocks: Any) -> list[str]:
    """Return the characters of each block: of its text nodes that are not hidden."""
    data, hidden = tree.text, blocks.hidden
    texts = []
    for first, last in zip(blocks.first.tolist(), blocks.last.tolist(), strict=True):
        nodes = [node for node in range(first, last + 1) if tree.kind[node] == 3 and not hidden[node]]
        raw = b"".join(data[tree.start[node] : tree.start[node] + tree.length[node]].tobytes() for node in nodes)
        texts.append(squeezed(raw.decode()))
    return texts


def faults_of(page: str) -> tuple[int, int, list[str]]:
    """Return a page's characters by the independent reader, its blocks, and what is wrong."""
    from pipeline.kernels.html.blocks import Finder
    from pipeline.kernels.html.parser import Parser
    from pipeline.kernels.html.render import render

    seen = squeezed(visible_text(page))
    tree = Parser().parse(page.encode("utf-8", "surrogatepass"))
    blocks = Finder().find(tree)
    texts = block_characters(tree, blocks)
    faults = []
    if "".join(texts) != seen:
        faults.append(f"parsers differ: {difference(''.join(texts), seen)}")
    if [len(text) for text in texts] != blocks.characters.tolist():
        faults.append("the blocks' characters are miscounted")
    everything = np.ones(blocks.count, np.uint8)
    halves = np.arange(blocks.count, dtype=np.int64) % 2
    for markdown, markers in ((False, MARKERS), (True, MARKDOWN_MARKERS)):
        numbered = frozenset() if markdown else _letters_of_lists(page)
        for keep in (everything, halves, 1 - halves):
            kept = "".join(text for text, stays in zip(texts, keep.tolist(), strict=True) if stays)
            written = squeezed(render(tree, blocks, keep.astype(np.uint8), markdown=markdown))
            extra = beside(written, kept)
            if extra is None:
                faults.append(f"lost in {'Markdown' if markdown else 'text'}: {difference(written, kept)}")
            elif not extra.keys() <= markers | numbered | (LANGUAGES if markdown else frozenset()):
                faults.append(f"invented in {'Markdown' if markdown else 'text'}: {sorted(extra.keys() - markers)}")
            elif not numbered and not markdown and without(written, markers) != without(kept, markers):
                faults.append("other characters than the blocks'")
    return len(seen), blocks.count, faults


LANGUAGES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")  # of code fences


def _letters_of_lists(page: str) -> frozenset[str]:
    """Return the letters that may number the items of a page's lists."""
    return LANGUAGES if "<ol" in page.lower() and "type" in page.lower() else frozenset()


def difference(one: str, other: str) -> str:
    """Return the first place where two texts differ."""
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    begin = max(place - 20, 0)
    return f"{one[begin : place + 40]!r} for {other[begin : place + 40]!r}"


def check(line: str) -> Checked | None:
    """Check the page that a line of the list names; None where it has no text that can be decoded."""
    path, _, group = line.partition("\t")
    raw = Path(path).read_bytes()
    decoded = decode(gzip.decompress(raw) if path.endswith(".gz") else raw, declared(raw))
    if isinstance(decoded, Undecodable):
        return None
    characters, blocks, faults = faults_of(decoded[0])
    return Checked(path, group, characters, blocks, tuple(faults))


def main() -> int:
    """Check every page of the list; print faults and counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="check every n-th page only")
    parser.add_argument("--largest", type=int, default=2_000_000, help="bytes; larger files are passed over")
    asked = parser.parse_args()
    lines = [line for line in asked.pages.read_text().splitlines()[:: asked.every] if line]
    lines = [line for line in lines if Path(line.partition("\t")[0]).stat().st_size <= asked.largest]
    pages, characters, blocks, faulty, undecodable = Counter[str](), 0, 0, Counter[str](), 0
    with multiprocessing.Pool(asked.processes) as pool:
        for found in pool.imap_unordered(check, lines, chunksize=8):
            if found is None:
                undecodable += 1
                continue
            pages[found.group] += 1
            characters += found.characters
            blocks += found.blocks
            for fault in found.faults:
                faulty[fault.partition(":")[0]] += 1
                print(f"{found.path}: {fault}")
    print(f"{pages.total():,} pages ({undecodable} could not be decoded), {blocks:,} blocks, {characters:,} characters")
    print("pages by group:", ", ".join(f"{group} {count:,}" for group, count in pages.most_common()))
    print("faults:", dict(faulty) or "none")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
