"""Render a page's text as the tests want it."""

import numpy as np

from pipeline.kernels.html.blocks import Blocks, Finder
from pipeline.kernels.html.parser import Parser, Tree
from pipeline.kernels.html.render import render

_parser, _finder = Parser(), Finder()


def blocks_of(page: str | bytes) -> tuple[Tree, Blocks]:
    """Parse a page and find its blocks; both are valid until the next call."""
    tree = _parser.parse(page if isinstance(page, bytes) else page.encode("utf-8", "surrogatepass"))
    return tree, _finder.find(tree)


def text_of(page: str | bytes, *, markdown: bool = False, links: bool = False, keep: list[bool] | None = None) -> str:
    """Return the text of a page's blocks, all of them where `keep` is not given."""
    tree, blocks = blocks_of(page)
    kept = np.ones(blocks.count, np.uint8) if keep is None else np.array(keep, np.uint8)
    return render(tree, blocks, kept, markdown=markdown, links=links)
