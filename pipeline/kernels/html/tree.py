"""Hold a parsed page as arrays over its nodes."""

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html.names import ATTRIBUTE, TAG, TAGS

ELEMENT, TEXT, DOCUMENT = 1, 3, 9
HTML_NAMESPACE, SVG_NAMESPACE, MATHML_NAMESPACE = 0, 1, 2

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class Tree:
    """A page as arrays over its nodes, in document order; entries are valid in [:count].

    kind: ELEMENT, TEXT or DOCUMENT (comments and doctypes have no node). tag: the name's number, `names.TAG`, or 0.
    namespace: 0 HTML, 1 SVG, 2 MathML. parent; end: the first node after the subtree.
    start, length: of a text its bytes in `text`, of an element its name's bytes in `source`.
    first_attribute, last_attribute: its rows of `attributes`, each (name: its number, `names.ATTRIBUTE`, or 0; its start and
    length in `source`; the value's start and length in `values`).
    quirks: the page is in quirks mode. bounded: a bound kept the page's cost down, and the tree differs from the standard's.

    The contents of a <template> are its children, also those of a declarative shadow root (attribute `shadowrootmode`).
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
        return _name(self.source, int(self.start[node]), int(self.length[node]))

    def text_of(self, node: int) -> str:
        """Return a text node's text."""
        return _decoded(self.text, int(self.start[node]), int(self.length[node]))

    def attributes_of(self, node: int) -> dict[str, str]:
        """Return an element's attributes, names in lower case."""
        rows = self.attributes[self.first_attribute[node] : self.last_attribute[node]].tolist()
        return {
            _name(self.source, name, length): _decoded(self.values, value, size)
            for _, name, length, value, size in rows
        }


def example() -> Tree:
    """Return the tree of <html><body><p class="a">One, 2.</p>, made by hand: what reads trees is compiled beside the parser."""
    tree, source, text, nodes = Tree(), b"htmlbodypclassOne, 2.", b"One, 2.", 5
    tree.source, tree.text, tree.values = (np.frombuffer(data, np.uint8).copy() for data in (source, text, b"a"))
    tree.count, tree.quirks, tree.bounded = nodes, False, False
    tree.kind = np.array([DOCUMENT, ELEMENT, ELEMENT, ELEMENT, TEXT], np.uint8)
    tree.tag = np.array([0, *(TAG[name] for name in ("html", "body", "p")), 0], np.int16)
    tree.namespace = np.zeros(nodes, np.uint8)
    tree.parent, tree.end = np.arange(-1, nodes - 1, dtype=np.int32), np.full(nodes, nodes, np.int32)
    tree.start, tree.length = np.array([[0, 0, 4, 8, 0], [0, 4, 4, 1, len(text)]], np.int32)
    tree.first_attribute, tree.last_attribute = np.array([[0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], np.int32)
    tree.attributes = np.array([[ATTRIBUTE["class"], 9, 5, 0, 1]], np.int32)
    return tree


def _name(source: Bytes, start: int, length: int) -> str:
    """Decode a name: ASCII letters in lower case, and no NUL (13.2.5.8, 13.2.5.33)."""
    return str(bytes(source[start : start + length]).lower(), "utf-8", "replace").replace("\0", "\ufffd")


def _decoded(data: Bytes, start: int, length: int) -> str:
    return str(bytes(data[start : start + length]), "utf-8", "replace")
