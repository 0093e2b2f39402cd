"""Write the text of a page, as plain text or Markdown, from its tree, its blocks, and which of them are kept.

    render(tree, blocks, keep, markdown=False, links=False)

Every character of a kept block that is not white space is written, once and in order. What is written beside them is white
space and these markers. Plain text:
- White space collapses as CSS `white-space: normal` has it; a line end between two wide characters that are not Hangul is
  nothing (CSS Text, section 4.1.3). No-break and ideographic spaces stay. <pre> keeps its lines.
- A blank line stands where a browser has a margin (paragraphs, headings, lists, tables, quotations, figures), a line end where
  another block-level element begins or ends. <br> is a line end, two are a blank line. Only <pre> has more than one blank line.
- `- ` before a list item, `3. `, `c. `, `iii. ` as an ordered list numbers it; two spaces of indent a level, at most 14.
- ` | ` between the cells of a row, if at least two of them have text and none has two blocks or a <pre>.
- `^` before a superscript that begins with a digit or a sign, behind a letter, a digit or `)`: 10^6.
- `(` and `)` around the reading of a ruby without <rp>; quotation marks around <q> that has none.
- `$` or `$$` around the TeX of a formula.
- With `links`, ` (address)` behind a link's first block, if it is not its text and not a place in the same page.

Markdown has its own markers for these, and backslashes so that CommonMark reads the same text; tables of GFM where no cell has
two blocks; code spans, and code fences with the language that a class names. Formulas stand between dollars as they are: their
backslashes are not doubled, so that programs that know formulas in Markdown read them (CommonMark does not).

Markers have a bound: at most 24 bytes a block, 3 a cell, and in Markdown a prefix of 96 bytes a line (lists and quotations that
are nested deeper than eight have none of their own). An address is written once for each <a> of the page.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html.render_output import STATE
from pipeline.kernels.html.render_walk import walk

_NO_NAMES = np.zeros(1, np.uint8), np.zeros(2, np.int32)
_CUT, _KEPT = -1, 0


def render(tree: Any, blocks: Any, keep: npt.NDArray[np.uint8], *, markdown: bool = False, links: bool = False) -> str:
    """Return the text of the blocks that `keep` (one a block) has."""
    regions = np.where(np.asarray(keep) != 0, _KEPT, _CUT).astype(np.int32)
    return _written(tree, blocks, regions, _NO_NAMES, markdown=markdown, links=links).text()


def render_marked(
    tree: Any, blocks: Any, reasons: Sequence[str | None], *, markdown: bool = False, links: bool = False
) -> str:
    """Return the text of every block; those with a reason stand between `<boilerplate reason="...">` and `</boilerplate>`.

    Neighbours with the same reason stand in one pair of such lines.
    """
    numbers = {reason: number for number, reason in enumerate(dict.fromkeys(filter(None, reasons)), 1)}
    encoded = [reason.encode() for reason in numbers if reason]
    names = np.array([*b"".join(encoded), 0], np.uint8)
    ends = np.cumsum([0, 0, *map(len, encoded)], dtype=np.int32)
    regions = np.array([numbers[reason] if reason else _KEPT for reason in reasons], np.int32)
    return _written(tree, blocks, regions, (names, ends), markdown=markdown, links=links).text()


def block_texts(tree: Any, blocks: Any, *, markdown: bool = False, links: bool = False) -> list[str]:
    """Return the text of each block, as it stands in the text of all of them."""
    written = _written(tree, blocks, np.zeros(blocks.count, np.int32), _NO_NAMES, markdown=markdown, links=links)
    text = written.out[: written.size].tobytes()
    return [str(text[first:end], "utf-8") for first, end in written.spans.tolist()]


class _Writer:
    """Buffers of one thread, which grow as pages ask for."""

    def __init__(self) -> None:
        self.states = np.zeros(1, STATE)
        self.out = np.empty(1 << 16, np.uint8)
        self.size = 0
        self.spans = np.zeros((0, 2), np.int32)

    def text(self) -> str:
        return str(self.out[: self.size].tobytes(), "utf-8")


_local = threading.local()


def _written(
    tree: Any, blocks: Any, regions: npt.NDArray[np.int32], names: Any, *, markdown: bool, links: bool
) -> _Writer:
    if not hasattr(_local, "writer"):
        _local.writer = _Writer()
    writer: _Writer = _local.writer
    count = blocks.count
    if len(regions) != count:
        raise ValueError(f"{len(regions):,} decisions for {count:,} blocks")
    first, last, joined = (np.ascontiguousarray(column) for column in (blocks.first, blocks.last, blocks.joined))
    writer.spans = np.zeros((count, 2), np.int32)
    writer.size = 0
    if count == 0:
        return writer
    while True:
        writer.states[:] = 0
        state = writer.states[0]
        state["limit"], state["markdown"], state["links"] = len(writer.out), markdown, links
        walk(
            blocks.nodes, tree.count, blocks.hidden, blocks.tex, blocks.marks.flags, first, last, joined, regions, *names,
            state, writer.out, writer.spans,
        )  # fmt: skip
        if not state["overfull"]:
            writer.size = int(state["size"])
            return writer
        writer.out = np.empty(2 * len(writer.out), np.uint8)
