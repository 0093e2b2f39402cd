"""A page's text as blocks: runs of text that no block-level element and no blank line (two <br>) divides.

What is text (the rules are this project's; docs/extraction.md states them for users):
- Never text: what a browser does not display as text. Elements in NEVER; in SVG, everything; of a formula that has a TeX
  annotation, everything else.
- Text all the same, in blocks of their own that are flagged: what an attribute or an inline style hides (`hidden`,
  `display:none`, `visibility:hidden`), because scripts show it on a click: tabs, accordions, "read more". Also <noscript>,
  <select>, and what stands in <object> for programs that cannot show it.
- Everything else is text. White space is what `str.isspace` says; text nodes of white space alone belong to no block.

Block-level are the elements that the rendering section of the HTML standard (section 15.3) displays as blocks, list items or
parts of tables, with <button>, and custom elements (a name with a hyphen), which sites use as blocks.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html.names import ATTRIBUTE, TAG, tag_set
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.vocabulary import listed

Array = Any  # a numpy array; numba infers its type
Ints = npt.NDArray[np.int32]

BLOCK_LEVEL = tag_set(
    "html body div p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd menu dir table caption colgroup thead tbody tfoot tr td th article"
    " section nav aside header footer main address figure figcaption blockquote pre details summary dialog hgroup search"
    " center form fieldset legend select option optgroup button xmp plaintext listing frameset hr noscript object marquee"
)
NEVER = tag_set("head title script style template iframe noembed noframes textarea datalist svg audio video canvas")
PREFORMATTED = tag_set("pre listing xmp plaintext")
BOLD, CODE, MEDIA = tag_set("b strong"), tag_set("code kbd samp tt var"), tag_set("img picture video audio")

# Bits of a node's flags, inherited by what it contains.
HIDDEN_BY_STYLE, PRE, LINKED, IS_BOLD, IS_CODE = 1, 2, 4, 8, 16

_A, _BR, _IMG, _TIME, _INPUT, _SVG, _MATH, _HR = (TAG[name] for name in listed("a br img time input svg math hr"))
_ANNOTATION, _ANNOTATION_XML = TAG["annotation"], TAG["annotation-xml"]
_SCRIPT, _TEMPLATE = TAG["script"], TAG["template"]
_HREF, _STYLE, _HIDDEN = ATTRIBUTE["href"], ATTRIBUTE["style"], ATTRIBUTE["hidden"]
_ENCODING, _TYPE, _SHADOW = ATTRIBUTE["encoding"], ATTRIBUTE["type"], ATTRIBUTE["shadowrootmode"]

# Columns of `boxes`, one row a block-level element: its node, the box around it, its depth and place among its siblings,
# how many boxes it contains directly, and the blocks in it, [FIRST_BLOCK, LAST_BLOCK).
NODE, PARENT, DEPTH, ORDINAL, CHILDREN, FIRST_BLOCK, LAST_BLOCK, BOX_TAG = range(8)
BOX_COLUMNS = 8
# Columns of `blocks`: the box it stands in, its first and last text node (inclusive; hidden nodes between are skipped), its
# code points that are not white space, those of them in links; how many links, <img>, <time>, <input> and inline elements it
# has; the first inline element (a node, -1: none); 1 where an attribute or style hides it; 1 where it goes on in the line of
# the block before, of which the one is hidden and the other is not.
BOX, FIRST, LAST, CHARACTERS, LINK_CHARACTERS, LINKS, IMAGES, TIMES, INPUTS, INLINES, INLINE, CONCEALED, JOINED = range(
    13
)
BLOCK_COLUMNS = 13


class Nodes(NamedTuple):
    """The arrays of a tree that kernels read; as in `parser.Tree`."""

    kind: Array
    tag: Array
    namespace: Array
    parent: Array
    end: Array
    start: Array
    length: Array
    first_attribute: Array
    last_attribute: Array
    attributes: Array
    text: Array
    source: Array
    values: Array


class Marks(NamedTuple):
    """What is known of each node: hidden (1: never text), tex (1: TeX of a formula), flags, its box, its link (a node)."""

    hidden: Array
    tex: Array
    flags: Array
    box: Array
    link: Array


class Blocks:
    """The blocks of one page. Buffers belong to the finder and are overwritten by its next page.

    `count` blocks, rows of `table` (columns above); `box_count` block-level elements, rows of `boxes`; `hidden`, `tex` by node.
    """

    def __init__(self, nodes: Nodes, marks: Marks, table: Ints, boxes: Ints, count: int, box_count: int) -> None:
        self.nodes, self.marks = nodes, marks
        self.table, self.boxes = table[:count], boxes[:box_count]
        self.count, self.box_count = count, box_count
        self.hidden, self.tex = marks.hidden, marks.tex
        self.first, self.last, self.characters = table[:count, FIRST], table[:count, LAST], table[:count, CHARACTERS]
        self.joined = table[:count, JOINED]
        self.node = self.boxes[self.table[:, BOX], NODE]

    @property
    def visible_characters(self) -> int:
        """Code points of the page's text that are not white space."""
        return int(self.characters.sum())


class Finder:
    """Finds blocks, with buffers that grow as pages ask for."""

    def __init__(self) -> None:
        self._nodes = 0

    def find(self, tree: Any) -> Blocks:
        """Return the blocks of `tree` (a `parser.Tree`)."""
        count = tree.count
        if count > self._nodes:
            size = self._nodes = count * 5 // 4 + 16
            self._marks = Marks(
                np.empty(size, np.uint8), np.empty(size, np.uint8), np.empty(size, np.uint8), np.empty(size, np.int32),
                np.empty(size, np.int32),
            )  # fmt: skip
            # A box is an element and a block has a text node of its own: neither has more rows than there are nodes.
            self._boxes = np.empty((size + 1, BOX_COLUMNS), np.int32)
            self._table = np.empty((size, BLOCK_COLUMNS), np.int32)
            self._open = np.empty(size + 1, np.int32)
        nodes = Nodes(*(getattr(tree, name) for name in Nodes._fields))
        blocks, boxes = find(nodes, count, self._marks, self._boxes, self._table, self._open)
        return Blocks(nodes, self._marks, self._table, self._boxes, blocks, boxes)


@inner
def lower(byte: int) -> Any:
    return byte + 32 if 65 <= byte <= 90 else byte


@inner
def space_length(text: Any, at: int, end: int) -> Any:
    """Bytes of the white space character that begins at text[at]; 0 where none does. As `str.isspace`."""
    byte = text[at]
    if byte < 0x80:
        return 1 if byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31 else 0
    if byte == 0xC2 and at + 1 < end:
        return 2 if text[at + 1] == 0xA0 or text[at + 1] == 0x85 else 0
    if at + 2 >= end or byte < 0xE1 or byte > 0xE3:
        return 0
    middle, last = text[at + 1], text[at + 2]
    if byte == 0xE1:
        return 3 if middle == 0x9A and last == 0x80 else 0
    if byte == 0xE3:
        return 3 if middle == 0x80 and last == 0x80 else 0
    if middle == 0x80:
        return 3 if 0x80 <= last <= 0x8A or last == 0xA8 or last == 0xA9 or last == 0xAF else 0
    return 3 if middle == 0x81 and last == 0x9F else 0


@inner
def count_characters(text: Any, at: int, end: int) -> Any:
    """Code points of text[at:end] that are not white space."""
    count = 0
    while at < end:
        byte = text[at]
        if byte < 0x80:
            count += not (byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31)
            at += 1
        elif byte == 0xC2 or 0xE1 <= byte <= 0xE3:
            size = space_length(text, at, end)
            if size:
                at += size
            else:
                count += 1
                at += 1
        else:
            count += byte & 0xC0 != 0x80
            at += 1
    return count


@inner
def says_hidden(values: Any, at: int, length: int) -> Any:
    """Whether a style attribute says display:none or visibility:hidden, white space and case aside."""
    recent = np.uint64(0)  # the last eight bytes that are not white space
    for i in range(at, at + length):
        byte = values[i]
        if byte == 32 or 9 <= byte <= 13:
            continue
        recent = recent << np.uint64(8) | np.uint64(lower(byte))
        if recent == np.uint64(0x6C61793A6E6F6E65) or recent == np.uint64(0x793A68696464656E):  # "lay:none", "y:hidden"
            return True
    return False


@inner
def contains_tex(values: Any, at: int, length: int) -> Any:
    """Whether a media type or encoding names TeX: "application/x-tex", "math/tex"; not "text/plain", whose t goes on."""
    for i in range(at, at + length - 2):
        if lower(values[i]) == 116 and lower(values[i + 1]) == 101 and lower(values[i + 2]) == 120:
            after = lower(values[i + 3]) if i + 3 < at + length else 32
            if after != 116:
                return True
    return False


@inner
def names_custom_element(source: Any, at: int, length: int) -> Any:
    for i in range(at, at + length):
        if source[i] == 45:
            return True
    return False


@inner
def is_annotation(nodes: Any, node: int) -> Any:
    """Whether the node is a MathML <annotation> or <annotation-xml> whose encoding names TeX."""
    if nodes.kind[node] != 1 or nodes.namespace[node] != 2 or nodes.length[node] < 10:
        return False
    if nodes.tag[node] != _ANNOTATION and nodes.tag[node] != _ANNOTATION_XML:
        return False
    for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
        if nodes.attributes[row, 0] == _ENCODING:
            return contains_tex(nodes.values, nodes.attributes[row, 3], nodes.attributes[row, 4])
    return False


@entry
def find(nodes: Any, count: int, marks: Any, boxes: Any, blocks: Any, stack: Any) -> Any:
    """Fill `marks`, `boxes` and `blocks` for the first `count` nodes; returns how many blocks and boxes. `stack` is scratch."""
    block_count = 0
    box_count = 1
    boxes[0] = 0
    boxes[0, PARENT] = -1
    depth = 1
    stack[0] = 0
    last_box = -1
    last_link = -1
    divided = True  # a boundary was passed since the last text
    breaks = 0  # <br> since the last text
    images = times = inputs = inlines = 0  # since the last boundary, before the first text
    inline = -1
    scanned = 0  # formulas before this node were searched for annotations
    annotated = 0  # nodes before this one are inside a formula with a TeX annotation
    for node in range(count):
        while depth > 1 and nodes.end[boxes[stack[depth - 1], NODE]] <= node:
            depth -= 1
            boxes[stack[depth], LAST_BLOCK] = block_count
            divided = True
        parent = nodes.parent[node]
        marks.tex[node] = 0
        if parent < 0:
            marks.hidden[node] = marks.flags[node] = 0
            marks.box[node] = 0
            marks.link[node] = -1
            continue
        hidden = marks.hidden[parent]
        flags = marks.flags[parent]
        box = marks.box[parent]
        link = marks.link[parent]
        if nodes.kind[node] == 1:
            tag = nodes.tag[node]
            box_like = False
            if nodes.namespace[node] == 0:
                box_like = BLOCK_LEVEL[tag] or (
                    tag == 0 and names_custom_element(nodes.source, nodes.start[node], nodes.length[node])
                )
                if NEVER[tag]:
                    hidden = 1
                if PREFORMATTED[tag]:
                    flags |= PRE
                if BOLD[tag]:
                    flags |= IS_BOLD
                elif CODE[tag]:
                    flags |= IS_CODE
            elif tag == _SVG:
                hidden = 1
            elif nodes.namespace[node] == 2:
                if tag == _MATH and scanned <= node:
                    scanned = nodes.end[node]
                    for inside in range(node + 1, nodes.end[node]):
                        if is_annotation(nodes, inside):
                            annotated = nodes.end[node]
                            break
                if annotated > node:
                    if is_annotation(nodes, node):
                        hidden = marks.hidden[parent] & 1
                        marks.tex[node] = 1
                    elif tag == _MATH:
                        hidden |= 4
            for row in range(nodes.first_attribute[node], nodes.last_attribute[node]):
                name = nodes.attributes[row, 0]
                if name == _HREF:
                    if tag == _A:
                        link = node
                        flags |= LINKED
                elif name == _STYLE:
                    if says_hidden(nodes.values, nodes.attributes[row, 3], nodes.attributes[row, 4]):
                        flags |= HIDDEN_BY_STYLE
                elif name == _HIDDEN:
                    flags |= HIDDEN_BY_STYLE
                elif name == _TYPE:
                    if tag == _SCRIPT and contains_tex(
                        nodes.values, nodes.attributes[row, 3], nodes.attributes[row, 4]
                    ):
                        hidden = marks.hidden[parent]
                        marks.tex[node] = 1
                elif name == _SHADOW and tag == _TEMPLATE:
                    hidden = marks.hidden[parent]
            marks.hidden[node] = hidden
            marks.flags[node] = flags
            marks.link[node] = link
            marks.box[node] = box
            if box_like and not hidden:
                boxes[box_count, NODE] = node
                boxes[box_count, PARENT] = box
                boxes[box_count, DEPTH] = boxes[box, DEPTH] + 1
                boxes[box_count, ORDINAL] = boxes[box, CHILDREN]
                boxes[box_count, CHILDREN] = 0
                boxes[box_count, FIRST_BLOCK] = block_count
                boxes[box_count, LAST_BLOCK] = block_count
                boxes[box_count, BOX_TAG] = tag
                boxes[box, CHILDREN] += 1
                marks.box[node] = box_count
                stack[depth] = box_count
                depth += 1
                box_count += 1
                divided = True
            elif tag == _BR:
                breaks += 1
                if breaks >= 2:
                    divided = True
            elif not hidden:
                if divided:
                    images += tag == _IMG
                    times += tag == _TIME
                    inputs += tag == _INPUT
                    inlines += 1
                    if inline < 0:
                        inline = node
                elif block_count:
                    blocks[block_count - 1, IMAGES] += tag == _IMG
                    blocks[block_count - 1, TIMES] += tag == _TIME
                    blocks[block_count - 1, INPUTS] += tag == _INPUT
                    blocks[block_count - 1, INLINES] += 1
                    if blocks[block_count - 1, INLINE] < 0:
                        blocks[block_count - 1, INLINE] = node
            if divided and box_like:
                images = times = inputs = inlines = 0
                inline = -1
            continue
        marks.hidden[node] = hidden
        marks.flags[node] = flags
        marks.box[node] = box
        marks.link[node] = link
        marks.tex[node] = marks.tex[parent]
        if hidden:
            continue
        characters = count_characters(nodes.text, nodes.start[node], nodes.start[node] + nodes.length[node])
        if characters == 0:
            continue
        if divided or box != last_box or blocks[block_count - 1, CONCEALED] != flags & HIDDEN_BY_STYLE:
            row = block_count
            block_count += 1
            blocks[row] = 0
            blocks[row, BOX] = box
            blocks[row, FIRST] = node
            blocks[row, IMAGES] = images
            blocks[row, TIMES] = times
            blocks[row, INPUTS] = inputs
            blocks[row, INLINES] = inlines
            blocks[row, INLINE] = inline
            blocks[row, CONCEALED] = flags & HIDDEN_BY_STYLE
            blocks[row, JOINED] = not divided and box == last_box
            images = times = inputs = inlines = 0
            inline = -1
            last_box = box
            last_link = -1
            divided = False
        row = block_count - 1
        breaks = 0
        blocks[row, LAST] = node
        blocks[row, CHARACTERS] += characters
        if link >= 0:
            blocks[row, LINK_CHARACTERS] += characters
            if link != last_link:
                blocks[row, LINKS] += 1
        last_link = link
    while depth > 0:
        depth -= 1
        boxes[stack[depth], LAST_BLOCK] = block_count
    return block_count, box_count
