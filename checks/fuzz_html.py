"""Parse and extract pages that nobody would write, with bounds checks on: `python -m checks.fuzz_html --pages 1000000`.

Kernels have no bounds checks, and pages come from anybody. Here they are compiled with (`PELLUCID_KERNEL_BOUNDSCHECK`), so that
an index out of bounds is an IndexError, and the page's number is printed: `--first NUMBER --pages 1` makes that page again,
and `--print` writes it. Pages are parts of the fixtures, or of files in `--seeds`, changed at random, and made from a grammar.
Each tree is also checked: nodes in document order, ranges within their arrays, no budget overdrawn.
"""

import argparse
import gzip
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["PELLUCID_KERNEL_BOUNDSCHECK"] = "1"
os.environ.pop("NUMBA_CACHE_DIR", None)  # of kernels without

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"
WINDOW = 4096  # bytes of a page that are changed, at most

_NAMES = """
html head body title meta link base style script noscript template h1 h2 div p span a b i u s em strong small font nobr code
ruby rt rp rb rtc wbr br hr img ul ol li dl dt dd menu table caption colgroup col thead tbody tfoot tr td th article section
nav main pre listing form fieldset input button select option optgroup textarea iframe object embed param source noembed
noframes xmp plaintext marquee applet frame frameset image svg g path foreignObject desc math mi mo mtext annotation-xml
annotation mglyph malignmark details summary dialog x-y keygen
"""
NAMES = _NAMES.split()
_ATTRIBUTES = b"""
class=a
id='b'
style="display:none"
hidden
type=hidden
href=c
a a
A=1 a=2
/
encoding=text/html
color=red
shadowrootmode=open
role=navigation
x=&amp;
y='
z="
=
colspan=9
start=5
aria-hidden=true
encoding=application/x-tex
type='math/tex'
"""
ATTRIBUTES = [b"", b" \0", *(b" " + line for line in _ATTRIBUTES.split(b"\n")[1:-1])]
_PIECES = b"""
x
&
&amp;
&ampx
&#0;
&#x80
&#99999999;
&nGt;
&notit;
<
</
<!
<?
<!--
-->
--!>
<!-->
<![CDATA[
]]>
]]
<!doctype html>
<!doctype a public '
<!DOCTYPE html SYSTEM "about:legacy-compat">
'
"
>
=
/
</p>
</br>
</>
</script
<!--<script
1.
$x$
"""
_OTHERS = [" ", "\n", "\r", "\r\n", "\t", "\0", "漢字", "é", "\ufeff", "\u3000", "\u00ad"]
PIECES = [*_PIECES.split(b"\n")[1:-1], *(text.encode() for text in _OTHERS), b"\xff", b"\xc3"]


def seeds(folder: Path | None) -> list[bytes]:
    """Read the pages that are changed: those of a folder (.html, .html.gz), or the fixtures' pages and trees' cases."""
    if folder is not None:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith((".html", ".html.gz")))
        return [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths]
    cases = [path.read_bytes() for path in sorted((FIXTURES / "html5lib-tests" / "tree-construction").glob("*.dat"))]
    return cases + [path.read_bytes() for path in sorted((FIXTURES / "html").glob("*.html"))]


def tag(chance: random.Random) -> bytes:
    """Make a start or end tag."""
    name = chance.choice(NAMES).encode()
    if chance.random() < 0.35:
        return b"</" + name + b">"
    return b"<" + name + b"".join(chance.choices(ATTRIBUTES, k=chance.choice((0, 0, 1, 2)))) + b">"


def soup(chance: random.Random) -> bytes:
    """Make a page from tags and pieces, some of them many times."""
    parts = []
    for _ in range(chance.randint(1, 60)):
        part = tag(chance) if chance.random() < 0.7 else chance.choice(PIECES)
        parts.append(part * (chance.randint(2, 700) if chance.random() < 0.02 else 1))
    return b"".join(parts)


def changed(page: bytes, chance: random.Random) -> bytes:
    """Cut a part out of a page and change it in some places."""
    begin = chance.randrange(max(len(page) - WINDOW, 0) + 1)
    data = bytearray(page[begin : begin + chance.randint(1, WINDOW)])
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data) + 1)
        end = min(at + int(chance.expovariate(1 / 40)), len(data))
        what = chance.random()
        if what < 0.4:
            data[at:at] = tag(chance)
        elif what < 0.6:
            data[at:at] = chance.choice(PIECES)
        elif what < 0.75:
            del data[at:end]
        elif what < 0.85:
            data[at:at] = data[at:end] * chance.randint(1, 20)
        elif what < 0.95 and at < len(data):
            data[at] = chance.randrange(256)
        else:
            del data[at:]
    return bytes(data)


def page(number: int, given: list[bytes]) -> bytes:
    """Make the page of this number: the same in every run with the same seeds."""
    chance = random.Random(number)
    return soup(chance) if number % 4 == 0 else changed(given[chance.randrange(len(given))], chance)


def check_tree(tree: Any, size: int) -> None:
    """Check what every reader of a tree relies on."""
    import numpy as np

    count = tree.count
    kind, parent, end = tree.kind[:count], tree.parent[:count], tree.end[:count]
    nodes = np.arange(count)
    assert kind[0] == 9 and parent[0] == -1 and end[0] == count, "the document"
    assert (parent[1:] < nodes[1:]).all() and (parent[1:] >= 0).all(), "a parent stands before its children"
    assert (end > nodes).all() and (end[1:] <= end[parent[1:]]).all(), "subtrees lie within one another"
    assert (kind[parent[1:]] != 3).all(), "texts have no children"
    texts = kind == 3
    length = tree.length[:count]
    assert (length[texts] > 0).all(), "no text is empty"
    starts = np.concatenate(([0], np.cumsum(length[texts])[:-1])) if texts.any() else np.zeros(0)
    assert (tree.start[:count][texts] == starts).all(), "texts follow one another"
    assert length[texts].sum() <= size * 3, "no more text than there can be"
    elements = kind == 1
    assert (tree.start[:count][elements] + length[elements] <= size).all(), "names lie in the source"
    rows = tree.last_attribute[:count][elements] - tree.first_attribute[:count][elements]
    assert (rows >= 0).all(), "attributes"


def readers(only: str | None) -> Iterator[Any]:
    """Yield what is called with each page's bytes."""
    from pipeline.kernels.html.parser import parse

    yield lambda data: check_tree(parse(data), len(data))
    if only == "parser":
        return
    from pipeline.formats import html_text

    def extract(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        found = html_text.page_text(text, {}).extraction
        assert found.kept_characters + sum(cut.characters for cut in found.cuts) == found.visible_characters
        html_text.page_text(text, {"output": "markdown", "links": True, "boilerplate": "mark"})
        html_text.page_blocks(text, {"extractor": "all_text"})

    yield extract


def main() -> None:
    """Run; exit code 1 at the first fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first page")
    parser.add_argument("--seeds", type=Path, help="folder of pages to change (default: the fixtures)")
    parser.add_argument("--only", choices=["parser"], help="leave out what reads trees")
    parser.add_argument("--print", action="store_true", help="write the pages to stdout instead")
    given = parser.parse_args()
    read, bytes_read, began = seeds(given.seeds), 0, time.monotonic()
    if given.print:
        for number in range(given.first, given.first + given.pages):
            sys.stdout.buffer.write(page(number, read))
        return
    called = list(readers(given.only))
    for number in range(given.first, given.first + given.pages):
        data = page(number, read)
        bytes_read += len(data)
        for reader in called:
            try:
                reader(data)
            except Exception as error:
                print(f"page {number}: {type(error).__name__}: {error}\n{data[:300]!r}", file=sys.stderr)
                raise
        if number % 50_000 == 49_999:
            print(f"{number + 1} pages, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(f"{given.pages} pages, {bytes_read} bytes, no fault")


if __name__ == "__main__":
    main()
