"""Time extractors on real pages, and on pages made to be slow: one core, process CPU time, one run.

    python bench/html/speed.py --truths WCXB [--core 0] [--runs 5] [--megabytes 89] [--only PATTERN] [--hostile]

The first table is MB of HTML a second from bytes to main content. The second is the time per byte of each hostile page,
relative to the real pages in the same run, and the memory that it took as a multiple of the page (each in a process of its
own). Quote ratios of one run.
"""

import argparse
import gc
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from truths import Page, load

Work = Callable[[list[Page]], Any]
SAMPLE = 100_000_000  # bytes of pages, at most, for slow extractors


def main() -> None:
    """Read the command line, time everything, print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truths", type=Path, required=True)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--only", default="")
    parser.add_argument("--hostile", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("SYSTEM", "SHAPE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {asked.core})
    if asked.one:
        print(json.dumps(one(*asked.one)))
        return
    pages = first(load(asked.truths).pages, asked.megabytes * 1e6)
    speeds = {name: speed(name, pages, asked.runs) for name in WORKS if re.search(asked.only, name)}
    print(table(pages, speeds))
    if asked.hostile:
        print(f"\n{hostile(speeds)}")


def first(pages: list[Page], most: float) -> list[Page]:
    """Return pages, in the benchmark's order, until there are so many bytes."""
    taken, size = [], 0
    for page in pages:
        taken.append(page)
        size += len(page.html)
        if size >= most:
            break
    return taken


def speed(name: str, pages: list[Page], runs: int) -> dict[str, float]:
    """Return bytes a second of one extractor: median, least and greatest of some runs."""
    work, slow = WORKS[name]
    some = first(pages, SAMPLE) if slow else pages
    size = sum(len(page.html) for page in some)
    prepared = _decoded(some) if name.endswith("(str)") else some
    work(prepared[:40])
    seconds = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        work(prepared)
        seconds.append(time.process_time() - start)
    return {
        "median": size / median(seconds),
        "least": size / max(seconds),
        "greatest": size / min(seconds),
        "bytes": size,
    }


def table(pages: list[Page], speeds: dict[str, dict[str, float]]) -> str:
    """Render the speeds, and how they compare with resiliparse's on decoded text."""
    against = speeds.get("resiliparse main content (str)", {}).get("median")
    lines = [
        f"{len(pages):,} pages, {sum(len(page.html) for page in pages) / 1e6:.0f} MB\n",
        "| work | MB/s | least to greatest | of resiliparse (str) | MB timed |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in speeds.items():
        ratio = f"{row['median'] / against:.2f}" if against else ""
        spread = f"{row['least'] / 1e6:.1f} to {row['greatest'] / 1e6:.1f}"
        lines.append(f"| {name} | {row['median'] / 1e6:.1f} | {spread} | {ratio} | {row['bytes'] / 1e6:.0f} |")
    return "\n".join(lines)


def hostile(speeds: dict[str, dict[str, float]]) -> str:
    """Time each hostile page in a process of its own: seconds per byte relative to real pages, peak memory by page size."""
    systems = [name for name in HOSTILE_SYSTEMS if name in speeds]
    lines = ["| page | MB | " + " | ".join(f"{name}: × time a byte, × memory" for name in systems) + " |"]
    lines.append("|---|---:|" + "---:|" * len(systems))
    for shape in SHAPES:
        cells, size = [], 0
        for name in systems:
            found = _run(name, shape)
            if found is None:
                cells.append("over a minute, or killed")
                continue
            size = found["bytes"]
            slower = found["seconds"] / size * speeds[name]["median"]
            cells.append(f"{slower:.1f}, {max(found['peak'] - found['before'], 0) / size:.0f}")
        lines.append(f"| {shape} | {size / 1e6:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def one(name: str, shape: str) -> dict[str, float]:
    """Run one extractor on one hostile page in this process."""
    page = Page(id=shape, html=SHAPES[shape](), url="", site="", charset="utf-8")
    small = Page(id="small", html=b"<p>A small page, <b>to warm up</b>.</p>" * 20, url="", site="", charset="utf-8")
    work = WORKS[name][0]
    prepare = _decoded if name.endswith("(str)") else list
    work(prepare([small]))
    prepared = prepare([page])
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _memory("VmRSS")
    start = time.process_time()
    work(prepared)
    seconds = time.process_time() - start
    return {"seconds": seconds, "bytes": len(page.html), "before": before, "peak": _memory("VmHWM")}


def _memory(name: str) -> int:
    """Return a figure of /proc/self/status in bytes."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found
    return int(found[1]) * 1024


def _run(name: str, shape: str) -> dict[str, float] | None:
    command = [sys.executable, __file__, "--truths", ".", "--one", name, shape]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return json.loads(done.stdout)


def _ours(pages: list[Page]) -> None:
    from systems import decoded

    from pipeline.formats.html_text import page_text

    for page in pages:
        page_text(decoded(page), {"extractor": "default"})


def _ours_parse(pages: list[Page]) -> None:
    from pipeline.kernels.html.parser import parse

    for page in pages:
        parse(page.html)


def _resiliparse(pages: Any) -> None:
    from resiliparse.extract.html2text import extract_plain_text

    for source in pages:
        extract_plain_text(source, main_content=True)


def _before(pages: list[Page]) -> None:
    from systems import system

    run = system("before")
    for page in pages:
        run(page)


def _trafilatura(pages: list[Page]) -> None:
    from systems import system

    run = system("trafilatura")
    for page in pages:
        run(page)


def _lexbor(pages: list[Page]) -> None:
    from selectolax.lexbor import LexborHTMLParser

    for page in pages:
        LexborHTMLParser(page.html)


def _decoded(pages: list[Page]) -> Any:
    from systems import decoded

    return [decoded(page) for page in pages]


# (what is timed, whether it is slow)
WORKS: dict[str, tuple[Work, bool]] = {
    "ours, bytes to main content": (_ours, False),
    "ours, parse alone": (_ours_parse, False),
    "resiliparse main content (str)": (_resiliparse, False),
    "before, bytes to main content": (_before, False),
    "lexbor, parse alone": (_lexbor, False),
    "trafilatura": (_trafilatura, True),
}
HOSTILE_SYSTEMS = (
    "ours, bytes to main content",
    "ours, parse alone",
    "resiliparse main content (str)",
    "lexbor, parse alone",
)


def _nested(name: str, count: int = 20_000) -> Callable[[], bytes]:
    return lambda: b"<body>" + f"<{name}>x ".encode() * count


def _shapes() -> Iterator[tuple[str, Callable[[], bytes]]]:
    yield "100,000 attributes in a tag", lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">text</p>"
    yield "100,000 equal attributes", lambda: b"<p " + b"a=1 " * 100_000 + b">text</p>"
    for name in (
        "div",
        "ul",
        "ol",
        "li",
        "b",
        "a",
        "font",
        "span",
        "p",
        "table",
        "article",
        "section",
        "form",
        "button",
        "svg",
    ):
        yield f"20,000 nested <{name}>", _nested(name)
    yield "20,000 nested <ul><li>", _nested("ul><li")
    yield "20,000 nested <font><div>", _nested("font><div")
    yield "20,000 <p><font>", _nested("p><font")
    yield "20,000 nested <table><tr><td>", _nested("table><tr><td")
    yield "20,000 <a><div>", _nested("a><div")
    yield "20,000 <b> and as many </p>", lambda: b"<b>x" * 20_000 + b"</p>" * 20_000
    yield "10^6 <", lambda: b"<" * 1_000_000
    yield "10^6 &", lambda: b"&" * 1_000_000
    yield "300,000 &amp", lambda: b"&amp" * 300_000
    yield "a comment that never ends", lambda: b"<!--" + b"- " * 500_000
    yield "300,000 <!--", lambda: b"<!--" * 300_000
    yield "a tag that never ends", lambda: b'<a href="' + b"x" * 1_000_000
    yield "300,000 <br>", lambda: b"x<br>" * 300_000
    yield "200,000 <td> without a table row", lambda: b"<table>" + b"<td>x" * 200_000
    yield "100,000 cells and text in the table", lambda: b"<table>" + b"x<td>y</td>" * 100_000
    yield "200,000 links in a list", lambda: b"<ul>" + b'<li><a href="/x">link</a></li>' * 200_000 + b"</ul>"
    yield "one text of 5 MB", lambda: b"<p>" + b"word " * 1_000_000 + b"</p>"
    yield "200,000 end tags", lambda: b"</div>" * 200_000
    yield "200,000 </p>", lambda: b"</p>" * 200_000
    yield "one class of 1 MB", lambda: b'<p class="' + b"content " * 125_000 + b'">text</p>'
    yield "50,000 nested comments in <template>", lambda: b"<template>" * 50_000
    yield "20,000 unclosed <select><option>", _nested("select><option")


SHAPES = dict(_shapes())

if __name__ == "__main__":
    main()
