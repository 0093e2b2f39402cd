"""The features of a block: numbers about its words, its place in the tree, its neighbours, and what is alike in the page.

`fill` writes one row of float32 a block. Every number comes from integers by divisions and square roots alone, in a fixed order,
so that it is the same on every machine (IEEE 754 rounds both correctly). Names, in the order of columns, are in NAMES.
"""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import (
    BOX,
    CHARACTERS,
    CHILDREN,
    CONCEALED,
    DEPTH,
    FIRST_BLOCK,
    IMAGES,
    INLINE,
    INLINES,
    INPUTS,
    LAST_BLOCK,
    LINK_CHARACTERS,
    LINKS,
    ORDINAL,
    PARENT,
    TIMES,
)  # fmt: skip
from pipeline.kernels.html.class_signals import _CODE, LIST_DEPTH, NEAR_NAMES, TAG_CODE
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.word_signals import PRIME, mixed

LEVELS = 7  # ancestors that are looked at
NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (3, 8, 20)
SHARES = (0.35, 0.6, 0.85)

OWN = [
    "words",
    "characters",
    "link_share",
    "links",
    "word_length",
    "capitalized",
    "digits",
    "commas",
    "sentences",
    "separators",
    "end",
    "begin",
    "stops",
    "dated",
    "priced",
    "signs",
    "in_title",
    "title_share",
    "description_share",
    "bold",
    "code",
    "lines",
    "inlines",
    "images",
    "times",
    "inputs",
    "uppercase",
    "foreign",
    "concealed",
    "copies",
    "inline",
    "tag",
    "parent_tag",
    "grandparent_tag",
    "depth",
    "list_depth",
    "relative_depth",
]
PLACE = ["position", "word_position", "prose_position", "words_before", "words_after", "prose_after", "from_end"]
LEVEL = [
    "share",
    "prose_share",
    "words",
    "link_share",
    "blocks",
    "words_a_block",
    "prose_blocks",
    "punctuation",
    "ordinal",
    "siblings",
    "tag",
    "relative",
]
HOLDER = ["inside", "relative", "depth", "below"]
ALIKE = ["count", "words", "share", "link_share", "first", "span"]
HEADING = ["distance", "level", "major_distance", "words_since", "first_heading", "title_block"]
NEIGHBOUR = ["words", "link_share", "tag", "end", "same"]
WINDOW = ["words", "link_share", "prose", "prose_before", "prose_after"]
NAMES = (
    OWN + PLACE + NEAR_NAMES
    + [f"level{n}_{name}" for n in range(LEVELS) for name in LEVEL]
    + [f"holder{int(100 * share)}_{name}" for share in SHARES for name in HOLDER]
    + ["levels_to_prose", "prose_share_there"]
    + [f"alike_{which}_{name}" for which in ("path", "parent") for name in ALIKE]
    + [f"heading_{name}" for name in HEADING]
    + [f"neighbour{n:+d}_{name}" for n in NEIGHBOURS for name in NEIGHBOUR]
    + [f"window{n}_{name}" for n in WINDOWS for name in WINDOW]
    + ["prose_distance_before", "prose_distance_after"]
)  # fmt: skip
COUNT = len(NAMES)
_PLACE = len(OWN)
_NEAR = _PLACE + len(PLACE)
_LEVEL = _NEAR + len(NEAR_NAMES)
_HOLDER = _LEVEL + LEVELS * len(LEVEL)
_UP = _HOLDER + len(SHARES) * len(HOLDER)
_ALIKE = _UP + 2
_HEADING = _ALIKE + 2 * len(ALIKE)
_NEIGHBOUR = _HEADING + len(HEADING)
_WINDOW = _NEIGHBOUR + len(NEIGHBOURS) * len(NEIGHBOUR)
_PROSE = _WINDOW + len(WINDOWS) * len(WINDOW)
_NEAR_COUNT = len(NEAR_NAMES)
_LEVEL_COUNT, _HOLDER_COUNT, _ALIKE_COUNT = len(LEVEL), len(HOLDER), len(ALIKE)
_NEIGHBOUR_COUNT, _WINDOW_COUNT = len(NEIGHBOUR), len(WINDOW)

# Columns of `sums`: what the blocks before one have together (one row more than there are blocks).
S_WORDS, S_CHARACTERS, S_LINKED, S_PROSE, S_PROSE_WORDS, S_PUNCTUATION = range(6)
SUM_COLUMNS = 6
PROSE_WORDS, PROSE_LINK_SHARE, PROSE_STOPS = 10, 0.34, 0.15
FOREIGN_STOPS = 0.3  # of text in scripts whose stop words are not known


@inner
def over(a: float, b: float) -> Any:
    return a / b if b > 1 else a


@inner
def stop_share(row: Any) -> Any:
    if row[w.WORDS] == 0:
        return 0.0
    if 2 * row[w.FOREIGN] > row[w.WORDS]:
        return FOREIGN_STOPS
    return row[w.STOPS] / row[w.WORDS]


@inner
def fill_own(
    blocks: Any,
    boxes: Any,
    classes: Any,
    nodes: Any,
    words: Any,
    copies: Any,
    count: int,
    deepest: int,
    title: int,
    description: int,
    out: Any,
) -> Any:
    for b in range(count):
        row, block, o = words[b], blocks[b], out[b]
        box = block[BOX]
        n = float(row[w.WORDS])
        c = float(block[CHARACTERS])
        around = max(boxes[box, PARENT], 0)
        beyond = max(boxes[around, PARENT], 0)
        o[0] = n
        o[1] = c
        o[2] = block[LINK_CHARACTERS] / c
        o[3] = block[LINKS]
        o[4] = over(c, n)
        o[5] = over(float(row[w.CAPITALIZED]), n)
        o[6] = row[w.DIGITS] / c
        o[7] = row[w.COMMAS]
        o[8] = row[w.SENTENCES]
        o[9] = row[w.SEPARATORS]
        o[10] = row[w.END]
        o[11] = row[w.BEGIN]
        o[12] = stop_share(row)
        o[13] = row[w.DATED]
        o[14] = row[w.PRICED]
        o[15] = row[w.SIGNS]
        o[16] = over(float(row[w.IN_TITLE]), n)
        o[17] = over(float(row[w.TITLE_WORDS]), float(title))
        o[18] = over(float(row[w.DESCRIPTION_WORDS]), float(description))
        o[19] = row[w.BOLD_CHARACTERS] / c
        o[20] = row[w.CODE_CHARACTERS] / c
        o[21] = row[w.LINES]
        o[22] = block[INLINES]
        o[23] = block[IMAGES]
        o[24] = block[TIMES]
        o[25] = block[INPUTS]
        o[26] = over(float(row[w.UPPER_LETTERS]), float(row[w.LETTERS]))
        o[27] = over(float(row[w.FOREIGN]), n)
        o[28] = block[CONCEALED]
        o[29] = copies[b]
        o[30] = _CODE[nodes.tag[block[INLINE]]] if block[INLINE] >= 0 else 0
        o[31] = classes[box, TAG_CODE]
        o[32] = classes[around, TAG_CODE]
        o[33] = classes[beyond, TAG_CODE]
        o[34] = boxes[box, DEPTH]
        o[35] = classes[box, LIST_DEPTH]
        o[36] = boxes[box, DEPTH] / float(max(deepest, 1))


@inner
def fill_place(blocks: Any, near: Any, sums: Any, count: int, out: Any) -> Any:
    total = float(max(sums[count, S_WORDS], 1))
    prose = float(max(sums[count, S_PROSE_WORDS], 1))
    for b in range(count):
        o = out[b]
        o[_PLACE] = b / float(count)
        o[_PLACE + 1] = sums[b, S_WORDS] / total
        o[_PLACE + 2] = sums[b, S_PROSE_WORDS] / prose
        o[_PLACE + 3] = sums[b, S_WORDS]
        o[_PLACE + 4] = sums[count, S_WORDS] - sums[b + 1, S_WORDS]
        o[_PLACE + 5] = sums[count, S_PROSE_WORDS] - sums[b + 1, S_PROSE_WORDS]
        o[_PLACE + 6] = count - b
        n = near[blocks[b, BOX]]
        for i in range(_NEAR_COUNT):
            o[_NEAR + i] = n[i]


@inner
def fill_level(boxes: Any, classes: Any, sums: Any, count: int, box_count: int, table: Any) -> Any:
    """table (boxes, columns of LEVEL): what is known of each box as an ancestor; the last column is filled by the block."""
    total = float(max(sums[count, S_WORDS], 1))
    prose = float(max(sums[count, S_PROSE_WORDS], 1))
    for box in range(box_count):
        first, last = boxes[box, FIRST_BLOCK], boxes[box, LAST_BLOCK]
        o = table[box]
        n = float(sums[last, S_WORDS] - sums[first, S_WORDS])
        blocks = float(last - first)
        o[0] = n / total
        o[1] = (sums[last, S_PROSE_WORDS] - sums[first, S_PROSE_WORDS]) / prose
        o[2] = n
        o[3] = over(
            float(sums[last, S_LINKED] - sums[first, S_LINKED]),
            float(sums[last, S_CHARACTERS] - sums[first, S_CHARACTERS]),
        )
        o[4] = blocks
        o[5] = over(n, blocks)
        o[6] = over(float(sums[last, S_PROSE] - sums[first, S_PROSE]), blocks)
        o[7] = over(float(sums[last, S_PUNCTUATION] - sums[first, S_PUNCTUATION]), n)
        o[8] = boxes[box, ORDINAL]
        o[9] = boxes[max(boxes[box, PARENT], 0), CHILDREN]
        o[10] = classes[box, TAG_CODE]


@inner
def fill_ancestors(blocks: Any, boxes: Any, sums: Any, count: int, box_count: int, table: Any, out: Any) -> Any:
    prose = sums[count, S_PROSE_WORDS]
    for share in range(len(SHARES)):
        # The deepest element that holds this share of the prose.
        best, deepest = 0, -1
        for box in range(box_count):
            held = sums[boxes[box, LAST_BLOCK], S_PROSE_WORDS] - sums[boxes[box, FIRST_BLOCK], S_PROSE_WORDS]
            if held >= SHARES[share] * max(prose, 1) and boxes[box, DEPTH] > deepest:
                best, deepest = box, boxes[box, DEPTH]
        first, last = boxes[best, FIRST_BLOCK], boxes[best, LAST_BLOCK]
        for b in range(count):
            o = _HOLDER + share * _HOLDER_COUNT
            out[b, o] = first <= b < last
            out[b, o + 1] = (b - first) / float(max(last - first, 1))
            out[b, o + 2] = max(deepest, 0)
            out[b, o + 3] = boxes[blocks[b, BOX], DEPTH] - max(deepest, 0)
    for b in range(count):
        box = np.int64(blocks[b, BOX])
        own = sums[b + 1, S_PROSE_WORDS] - sums[b, S_PROSE_WORDS]
        out[b, _UP] = 12
        out[b, _UP + 1] = 0
        met = False
        for level in range(12):
            if level < LEVELS:
                at = _LEVEL + level * _LEVEL_COUNT
                for i in range(_LEVEL_COUNT - 1):
                    out[b, at + i] = table[box, i]
                first = boxes[box, FIRST_BLOCK]
                out[b, at + _LEVEL_COUNT - 1] = (b - first) / float(max(boxes[box, LAST_BLOCK] - first, 1))
            elif met:
                break
            first, last = boxes[box, FIRST_BLOCK], boxes[box, LAST_BLOCK]
            held = sums[last, S_PROSE_WORDS] - sums[first, S_PROSE_WORDS]
            if not met and held - own >= 30:
                met = True
                out[b, _UP] = level
                out[b, _UP + 1] = held / float(max(sums[last, S_WORDS] - sums[first, S_WORDS], 1))
            box = np.int64(max(boxes[box, PARENT], 0))


@inner
def group(values: Any, count: int, slots: Any, bits: int, which: Any) -> Any:
    """Number equal values: which[i] is the number of values[i], by first appearance; returns how many there are.

    `slots`: scratch of 2**bits int32, at least twice as many as values.
    """
    mask = (1 << bits) - 1
    for i in range(mask + 1):
        slots[i] = -1
    groups = 0
    for i in range(count):
        slot = np.int64(values[i] >> np.uint64(64 - bits))
        while slots[slot] >= 0 and values[slots[slot]] != values[i]:
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            slots[slot] = i
            which[i] = groups
            groups += 1
        else:
            which[i] = which[slots[slot]]
    return groups


@inner
def fill_alike(
    keys: Any,
    blocks: Any,
    words: Any,
    count: int,
    slots: Any,
    bits: int,
    which: Any,
    tallies: Any,
    at: int,
    total: float,
    out: Any,
) -> Any:
    """Blocks of one key: how many, their words, links, and where they are. tallies (groups, 6) is scratch."""
    groups = group(keys, count, slots, bits, which)
    tallies[:groups] = 0
    for b in range(count):
        t = tallies[which[b]]
        if t[0] == 0:
            t[4] = b
        t[0] += 1
        t[1] += words[b, w.WORDS]
        t[2] += blocks[b, LINK_CHARACTERS]
        t[3] += blocks[b, CHARACTERS]
        t[5] = b
    for b in range(count):
        t, o = tallies[which[b]], out[b]
        o[at] = t[0]
        o[at + 1] = t[1] / float(t[0])
        o[at + 2] = t[1] / total
        o[at + 3] = t[2] / float(t[3])
        o[at + 4] = t[4] / float(count)
        o[at + 5] = (t[5] - t[4]) / float(count)
    return groups


@inner
def fill_headings(blocks: Any, classes: Any, words: Any, sums: Any, count: int, headings: Any, out: Any) -> Any:
    """headings (blocks, 2): the last heading before each block, and the last h1 or h2 (-1: none); for stage 0, too."""
    last = major = first = -1
    title = -1
    best = 0.3
    for b in range(count):
        headings[b, 0] = last
        headings[b, 1] = major
        tag = classes[blocks[b, BOX], TAG_CODE]
        if 4 <= tag <= 9:
            last = b
            if tag <= 5:
                major = b
            if tag == 4 and first < 0:
                first = b
        n = words[b, w.WORDS]
        if n and words[b, w.IN_TITLE] > 0.4 * n and out[b, 17] > best:
            best = out[b, 17]
            title = b
    for b in range(count):
        o = out[b]
        h, m = headings[b, 0], headings[b, 1]
        o[_HEADING] = b - h if h >= 0 else 999
        o[_HEADING + 1] = classes[blocks[h, BOX], TAG_CODE] - 3 if h >= 0 else 0
        o[_HEADING + 2] = b - m if m >= 0 else 999
        o[_HEADING + 3] = sums[b, S_WORDS] - sums[h, S_WORDS] if h >= 0 else 9999
        o[_HEADING + 4] = b - first if first >= 0 else -999
        o[_HEADING + 5] = b - title if title >= 0 else -999


@inner
def fill_neighbours(blocks: Any, classes: Any, words: Any, sums: Any, count: int, out: Any) -> Any:
    for b in range(count):
        o = out[b]
        for k in range(len(NEIGHBOURS)):
            other = b + NEIGHBOURS[k]
            at = _NEIGHBOUR + k * _NEIGHBOUR_COUNT
            if 0 <= other < count:
                o[at] = words[other, w.WORDS]
                o[at + 1] = out[other, 2]
                o[at + 2] = out[other, 31]
                o[at + 3] = out[other, 10]
                o[at + 4] = blocks[other, BOX] == blocks[b, BOX]
            else:
                for i in range(_NEIGHBOUR_COUNT):
                    o[at + i] = -1
        for k in range(len(WINDOWS)):
            low, high = max(b - WINDOWS[k], 0), min(b + WINDOWS[k] + 1, count)
            at = _WINDOW + k * _WINDOW_COUNT
            o[at] = (sums[high, S_WORDS] - sums[low, S_WORDS]) / float(high - low)
            o[at + 1] = over(
                float(sums[high, S_LINKED] - sums[low, S_LINKED]),
                float(sums[high, S_CHARACTERS] - sums[low, S_CHARACTERS]),
            )
            o[at + 2] = (sums[high, S_PROSE] - sums[low, S_PROSE]) / float(high - low)
            o[at + 3] = sums[b, S_PROSE] - sums[low, S_PROSE]
            o[at + 4] = sums[high, S_PROSE] - sums[b + 1, S_PROSE]
    before = -1
    for b in range(count):
        out[b, _PROSE] = b - before if before >= 0 else 999
        if sums[b + 1, S_PROSE] > sums[b, S_PROSE]:
            before = b
    after = -1
    for b in range(count - 1, -1, -1):
        out[b, _PROSE + 1] = after - b if after >= 0 else 999
        if sums[b + 1, S_PROSE] > sums[b, S_PROSE]:
            after = b


@entry
def fill(
    nodes: Any,
    blocks: Any,
    boxes: Any,
    classes: Any,
    near: Any,
    shapes: Any,
    words: Any,
    texts: Any,
    count: int,
    box_count: int,
    title: int,
    description: int,
    sums: Any,
    keys: Any,
    slots: Any,
    bits: int,
    which: Any,
    tallies: Any,
    levels: Any,
    headings: Any,
    path_group: Any,
    parent_group: Any,
    out: Any,
) -> Any:
    """Fill `out` (count, at least COUNT; float32); and `sums`, `headings`, `path_group`, `parent_group` for what follows.

    Returns the numbers of groups of like blocks: by path (tags and classes of three levels), by parent.
    """
    sums[0] = 0
    deepest = 0
    for b in range(count):
        row = words[b]
        n = row[w.WORDS]
        prose = (
            n >= PROSE_WORDS
            and blocks[b, LINK_CHARACTERS] < PROSE_LINK_SHARE * blocks[b, CHARACTERS]
            and stop_share(row) > PROSE_STOPS
        )
        s, before = sums[b + 1], sums[b]
        s[S_WORDS] = before[S_WORDS] + n
        s[S_CHARACTERS] = before[S_CHARACTERS] + blocks[b, CHARACTERS]
        s[S_LINKED] = before[S_LINKED] + blocks[b, LINK_CHARACTERS]
        s[S_PROSE] = before[S_PROSE] + prose
        s[S_PROSE_WORDS] = before[S_PROSE_WORDS] + (n if prose else 0)
        s[S_PUNCTUATION] = before[S_PUNCTUATION] + row[w.COMMAS] + row[w.SENTENCES]
    for box in range(box_count):
        deepest = max(deepest, boxes[box, DEPTH])
    groups = group(texts, count, slots, bits, which)
    for g in range(groups):
        tallies[g, 0] = 0
    for b in range(count):
        tallies[which[b], 0] += 1
    for b in range(count):
        which[b] = tallies[which[b], 0]
    fill_own(blocks, boxes, classes, nodes, words, which, count, deepest, title, description, out)
    fill_place(blocks, near, sums, count, out)
    fill_level(boxes, classes, sums, count, box_count, levels)
    fill_ancestors(blocks, boxes, sums, count, box_count, levels, out)
    total = float(max(sums[count, S_WORDS], 1))
    for b in range(count):
        box = blocks[b, BOX]
        around = max(boxes[box, PARENT], 0)
        inline = np.uint64(0)
        if blocks[b, INLINE] >= 0:
            inline = np.uint64(nodes.tag[blocks[b, INLINE]])
        keys[b] = mixed(
            ((shapes[box] * PRIME + shapes[around]) * PRIME + shapes[max(boxes[around, PARENT], 0)]) * PRIME + inline
        )
    paths = fill_alike(keys, blocks, words, count, slots, bits, path_group, tallies, _ALIKE, total, out)
    for b in range(count):
        box = blocks[b, BOX]
        keys[b] = mixed(np.uint64(classes[box, TAG_CODE]) * PRIME + shapes[max(boxes[box, PARENT], 0)])
    parents = fill_alike(
        keys, blocks, words, count, slots, bits, parent_group, tallies, _ALIKE + _ALIKE_COUNT, total, out
    )
    fill_headings(blocks, classes, words, sums, count, headings, out)
    fill_neighbours(blocks, classes, words, sums, count, out)
    return paths, parents
