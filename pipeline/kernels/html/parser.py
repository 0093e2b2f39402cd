"""Parse a page into a flat tree, by the HTML standard (scripting off), in time that is linear in its size.

    tree = parse("<p>Hello".encode())    # reusable buffers: valid until this thread parses the next page

https://html.spec.whatwg.org/multipage/parsing.html
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html import _builder, _tokenizer
from pipeline.kernels.html.names import TAGS

ELEMENT, TEXT, DOCUMENT = 1, 3, 9
HTML_NAMESPACE, SVG_NAMESPACE, MATHML_NAMESPACE = 0, 1, 2

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class Tree:
    """A page as arrays over its nodes, in document order; entries are valid in [:count].

    kind: ELEMENT, TEXT or DOCUMENT (comments and doctypes have no node). tag: index in `names.TAGS` + 1, or 0.
    namespace: 0 HTML, 1 SVG, 2 MathML. parent; end: the first node after the subtree.
    start, length: of a text its bytes in `text`, of an element its name's bytes in `source`.
    first_attribute, last_attribute: its rows of `attributes`, each (name: index in `names.ATTRIBUTES` + 1 or 0, name start,
    name length in `source`, value start, value length in `values`).
    """

    count: int
    kind: Bytes
    tag: npt.NDArray[np.int16]
    namespace: Bytes
    parent: Ints
    end: Ints
    start: Ints
    length: Ints
    first_attribute: Ints
    last_attribute: Ints
    attributes: Ints
    text: Bytes
    source: Bytes
    values: Bytes
    quirks: bool
    bounded: bool

    def name(self, node: int) -> str:
        """Return an element's name, in lower case."""
        if self.tag[node]:
            return TAGS[int(self.tag[node]) - 1]
        start = int(self.start[node])
        return _decoded(self.source, start, int(self.length[node])).lower().replace("\0", "\ufffd")

    def text_of(self, node: int) -> str:
        """Return a text node's text."""
        return _decoded(self.text, int(self.start[node]), int(self.length[node]))

    def attributes_of(self, node: int) -> dict[str, str]:
        """Return an element's attributes, names in lower case."""
        rows = self.attributes[self.first_attribute[node] : self.last_attribute[node]].tolist()
        return {
            _decoded(self.source, name, length).lower().replace("\0", "\ufffd"): _decoded(self.values, value, size)
            for _, name, length, value, size in rows
        }


def _decoded(data: Bytes, start: int, length: int) -> str:
    return str(bytes(data[start : start + length]), "utf-8", "replace")


class Parser:
    """A parser with its buffers, for one thread; they grow to what the largest page needed."""

    def __init__(self) -> None:
        self._state = np.zeros(_builder.NSTATE, np.int64)
        self._room = (0, 0, 0)
        self._tree = Tree()

    def parse(self, data: bytes) -> Tree:
        """Parse UTF-8 into a tree that is valid until the next call."""
        tree, size = self._tree, len(data)
        source = np.frombuffer(data, np.uint8)
        opened, separators, zeros = _tokenizer.counts(source)
        budget = 2 * opened + 4096
        need = size * 5 // 4 + 2 * zeros + 256, 4 * opened + budget + 256, separators + opened + 16
        if any(wanted > there for wanted, there in zip(need, self._room, strict=True)):
            self._grow(need)
        tree.source[:size] = source
        tree.source[size : size + 64] = 0
        _tokenizer.build(
            self._nodes, self._state, tree.values, tree.attributes, _builder.R, _builder.RV, _builder.RO, tree.source,
            size, budget,
        )  # fmt: skip
        tree.count, _ = _tokenizer.linear(
            self._nodes, tree.values, tree.kind, tree.tag, tree.namespace, tree.parent, tree.end, tree.start, tree.length,
            tree.first_attribute, tree.last_attribute, tree.text,
        )  # fmt: skip
        tree.quirks, tree.bounded = bool(self._state[_builder.QUIRKS]), bool(self._state[_builder.FLAG])
        return tree

    def _grow(self, need: tuple[int, ...]) -> None:
        size, nodes, attributes = (
            max(wanted * 13 // 10, there) for wanted, there in zip(need, self._room, strict=True)
        )
        self._room, tree = (size, nodes, attributes), self._tree
        tree.source, tree.text, tree.values = (np.empty(size + 64, np.uint8) for _ in range(3))
        self._nodes: Any = np.empty((nodes, 13), np.int32)
        tree.attributes = np.empty((attributes, 5), np.int32)
        tree.kind, tree.tag, tree.namespace = (
            np.empty(nodes, np.uint8),
            np.empty(nodes, np.int16),
            np.empty(nodes, np.uint8),
        )
        tree.parent, tree.end, tree.start, tree.length, tree.first_attribute, tree.last_attribute = np.empty(
            (6, nodes), np.int32
        )


_local = threading.local()


def parse(data: bytes) -> Tree:
    """Parse UTF-8 into a tree that is valid until this thread parses the next page."""
    if not hasattr(_local, "parser"):
        _local.parser = Parser()
    parser: Parser = _local.parser
    return parser.parse(data)
