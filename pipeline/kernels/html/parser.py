"""Parse a page into a flat tree, by the HTML standard (scripting off), in time that is linear in its size.

    tree = parse("<p>Hello".encode())    # reusable buffers: valid until this thread parses the next page

The standard: https://html.spec.whatwg.org/multipage/parsing.html; the docstrings of this package name its sections.
Where it differs, `Tree.bounded` says so: more than `state.MAX_OPEN` open elements, `state.MAX_FORMATTING` formatting elements,
clones of these and steps of searches than a page of its size has. Of equal names and attributes, a hash decides (`state`).
"""

import threading

import numpy as np

from pipeline.kernels.html.bytes import PADDING
from pipeline.kernels.html.capacity import count_bytes
from pipeline.kernels.html.flatten import flatten
from pipeline.kernels.html.references import longest_growth, trie
from pipeline.kernels.html.state import MAX_MERGED, MAX_MERGES, NODE, STATE
from pipeline.kernels.html.tree import (
    DOCUMENT,
    ELEMENT,
    HTML_NAMESPACE,
    MATHML_NAMESPACE,
    SVG_NAMESPACE,
    TEXT,
    Tree,
)
from pipeline.kernels.html.tree_builder import build

__all__ = [
    "DOCUMENT", "ELEMENT", "HTML_NAMESPACE", "MATHML_NAMESPACE", "SVG_NAMESPACE", "TEXT", "Parser", "Tree", "parse",
]  # fmt: skip

# Budgets: clones of formatting elements, one for each TAGS_A_CLONE tags and CLONES for a page; steps of searches among the open
# elements, one for each BYTES_A_STEP bytes and STEPS for each page. Of 2,978 pages from the Web, those that came nearest needed
# 96 clones (one for 15 tags, or fewer), and one step for 12 bytes.
TAGS_A_CLONE, CLONES = 4, 1024
BYTES_A_STEP, STEPS = 2, 16384

GROWTH = 1.25  # bytes of text and values, at most, for each byte of a page, NULs aside
ROOM = 1.3  # how much larger than needed a buffer is made, so that a little larger page fits

_REFERENCES = trie()


class Parser:
    """A parser with its buffers, for one thread; they grow to what the largest page needed."""

    def __init__(self) -> None:
        self._tree, self._state = Tree(), np.zeros(1, STATE)
        self._nodes, self._entered = np.empty(0, NODE), np.zeros(1, np.int64)
        tree = self._tree
        tree.source, tree.values, tree.text = (np.empty(0, np.uint8) for _ in range(3))
        tree.attributes = np.empty((0, 5), np.int32)
        self._grow_tree(0)

    def parse(self, data: bytes) -> Tree:
        """Parse UTF-8 into a tree that is valid until the next call."""
        tree, size = self._tree, len(data)
        if size >= 1 << 30:
            raise ValueError(f"a page of {size} bytes; wanted: less than 1 GiB")
        if len(tree.source) < size + PADDING:
            tree.source = np.empty(int(size * ROOM) + PADDING, np.uint8)
        tree.source[:size] = np.frombuffer(data, np.uint8)
        tree.source[size : size + PADDING] = 0
        clones, nodes = self._reserve(size)
        build(
            self._state, self._nodes, tree.source, size, tree.values, tree.attributes, self._entered, _REFERENCES,
            clones, size // BYTES_A_STEP + STEPS,
        )  # fmt: skip
        state = self._state[0]
        if state["node_count"] > nodes:
            raise AssertionError(f"{state['node_count']} nodes, and room for {nodes}")
        self._grow_tree(int(state["node_count"]))
        tree.count = flatten(
            self._nodes, tree.values, tree.kind, tree.tag, tree.namespace, tree.parent, tree.end, tree.start, tree.length,
            tree.first_attribute, tree.last_attribute, tree.text,
        )  # fmt: skip
        tree.quirks, tree.bounded = bool(state["quirks"]), bool(state["bounded"])
        return tree

    def _reserve(self, size: int) -> tuple[int, int]:
        """Make room for what a page in `source` can need at most; returns its clones and its nodes.

        Memory that is not touched costs nothing, so the bounds need not be close.
        """
        tree = self._tree
        opened, closed, nulls, separators = count_bytes(tree.source, size)
        # Text and values: a reference stands for at most 1.2 bytes for each of its own (`longest_growth`), a NUL for 3. Copying
        # writes up to PADDING bytes behind what it copies.
        values = int(size * GROWTH) + 2 * nulls + PADDING
        if len(tree.values) < values:
            tree.values, tree.text = np.empty(int(values * ROOM), np.uint8), np.empty(int(values * ROOM), np.uint8)
        # An attribute stands after a space, "/" or a quote of its own. Those of <html> and <body> may be copied.
        attributes = separators + MAX_MERGES * MAX_MERGED
        if len(tree.attributes) < attributes:
            tree.attributes = np.empty((int(attributes * ROOM), 5), np.int32)
            # The set of a tag's names: slots are a power of 2, at least 4 for each attribute.
            self._entered = np.zeros(1 << (4 * len(tree.attributes) - 1).bit_length(), np.int64)
        # A tag, comment or CDATA section has a "<" and a ">". A start tag makes at most 4 nodes (its own, <tbody> and <tr>, or
        # <colgroup>, <body>), an end tag 2 (<p> or <br>, <body>), the text after it 3 (white space, the rest, <body>); a CDATA
        # section two texts. The document, <html> and <head> come once, as does a text before the first tag. Adoption may take
        # 4 clones more than there are.
        tokens = min(opened, closed)
        clones = tokens // TAGS_A_CLONE + CLONES
        nodes = 7 * tokens + 6 + clones + 4
        if len(self._nodes) < nodes:
            self._nodes = np.empty(int(nodes * ROOM), NODE)
        return clones, nodes

    def _grow_tree(self, nodes: int) -> None:
        """Make room for the nodes that were made."""
        tree = self._tree
        if nodes and len(tree.kind) >= nodes:
            return
        room = int(nodes * ROOM)
        tree.kind, tree.namespace, tree.tag = (
            np.empty(room, np.uint8),
            np.empty(room, np.uint8),
            np.empty(room, np.int16),
        )
        tree.parent, tree.end, tree.start, tree.length = np.empty((4, room), np.int32)
        tree.first_attribute, tree.last_attribute = np.empty((2, room), np.int32)


if longest_growth() > GROWTH:
    raise AssertionError("a character reference stands for more bytes than there is room for")

_local = threading.local()


def parse(data: bytes) -> Tree:
    """Parse UTF-8 into a tree that is valid until this thread parses the next page."""
    if not hasattr(_local, "parser"):
        _local.parser = Parser()
    parser: Parser = _local.parser
    return parser.parse(data)
