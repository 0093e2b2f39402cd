"""The features of a block: numbers about its words, its place in the tree, its neighbours, and what is alike in the page.

`fill` writes one row of float32 a block. Every number comes from integers by divisions alone, in a fixed order: it is the same
on every machine (IEEE 754 rounds them correctly). Names, in the order of columns, are in NAMES.
"""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import (
    BOX,
    CHARACTERS,
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
    PARENT,
    TIMES,
)
from pipeline.kernels.html.class_signals import _CODE, LIST_DEPTH, NEAR_NAMES, TAG_CODE
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.page_sums import SHARES, over, stop_share
from pipeline.kernels.html.signals import (
    BLOCKS,
    DEEPEST,
    DESCRIPTION,
    FIRST_HEADING,
    S_CHARACTERS,
    S_LINKED,
    S_PROSE,
    S_PROSE_WORDS,
    S_WORDS,
    T_BLOCKS,
    T_CHARACTERS,
    T_FIRST,
    T_LAST,
    T_LINKED,
    T_WORDS,
    TITLE,
    TITLE_BLOCK,
)
from pipeline.kernels.html.vocabulary import listed

LEVELS = 7  # ancestors that are looked at
FAR_UP = 12  # levels to the next prose that are looked at, of at least MUCH_PROSE words
MUCH_PROSE = 30
NEIGHBOURS = (-3, -2, -1, 1, 2, 3)
WINDOWS = (3, 8, 20)

OWN = listed(
    """
words characters link_share links word_length capitalized digits commas sentences separators end begin stops
dated priced signs in_title title_share description_share bold code lines inlines images times inputs uppercase
foreign concealed copies inline tag parent_tag grandparent_tag depth list_depth relative_depth
    """
)
PLACE = ["position", "word_position", "prose_position", "words_before", "words_after", "prose_after", "from_end"]
LEVEL = listed(
    """
share prose_share words link_share blocks words_a_block prose_blocks punctuation ordinal siblings tag relative
    """
)
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


@inner
def fill_own(nodes: Any, s: Any, b: int, o: Any) -> Any:
    row, block = s.words[b], s.blocks[b]
    box = block[BOX]
    n = float(row[w.WORDS])
    c = float(block[CHARACTERS])
    around = max(s.boxes[box, PARENT], 0)
    beyond = max(s.boxes[around, PARENT], 0)
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
    o[17] = over(float(row[w.TITLE_WORDS]), float(s.facts[TITLE]))
    o[18] = over(float(row[w.DESCRIPTION_WORDS]), float(s.facts[DESCRIPTION]))
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
    o[29] = s.copies[b]
    o[30] = _CODE[nodes.tag[block[INLINE]]] if block[INLINE] >= 0 else 0
    o[31] = s.classes[box, TAG_CODE]
    o[32] = s.classes[around, TAG_CODE]
    o[33] = s.classes[beyond, TAG_CODE]
    o[34] = s.boxes[box, DEPTH]
    o[35] = s.classes[box, LIST_DEPTH]
    o[36] = s.boxes[box, DEPTH] / float(max(s.facts[DEEPEST], 1))


@inner
def fill_place(s: Any, b: int, count: int, o: Any) -> Any:
    total = float(max(s.sums[count, S_WORDS], 1))
    prose = float(max(s.sums[count, S_PROSE_WORDS], 1))
    o[_PLACE] = b / float(count)
    o[_PLACE + 1] = s.sums[b, S_WORDS] / total
    o[_PLACE + 2] = s.sums[b, S_PROSE_WORDS] / prose
    o[_PLACE + 3] = s.sums[b, S_WORDS]
    o[_PLACE + 4] = s.sums[count, S_WORDS] - s.sums[b + 1, S_WORDS]
    o[_PLACE + 5] = s.sums[count, S_PROSE_WORDS] - s.sums[b + 1, S_PROSE_WORDS]
    o[_PLACE + 6] = count - b
    distances = s.near[s.blocks[b, BOX]]
    for i in range(_NEAR_COUNT):
        o[_NEAR + i] = distances[i]


@inner
def fill_ancestors(s: Any, b: int, o: Any) -> Any:
    box = np.int64(s.blocks[b, BOX])
    for share in range(len(SHARES)):
        first, last, depth = s.holders[share, 0], s.holders[share, 1], s.holders[share, 2]
        at = _HOLDER + share * _HOLDER_COUNT
        o[at] = first <= b < last
        o[at + 1] = (b - first) / float(max(last - first, 1))
        o[at + 2] = depth
        o[at + 3] = s.boxes[box, DEPTH] - depth
    own = s.sums[b + 1, S_PROSE_WORDS] - s.sums[b, S_PROSE_WORDS]
    o[_UP] = FAR_UP
    o[_UP + 1] = 0
    met = False
    for level in range(FAR_UP):
        first, last = s.boxes[box, FIRST_BLOCK], s.boxes[box, LAST_BLOCK]
        if level < LEVELS:
            at = _LEVEL + level * _LEVEL_COUNT
            for i in range(_LEVEL_COUNT - 1):
                o[at + i] = s.levels[box, i]
            o[at + _LEVEL_COUNT - 1] = (b - first) / float(max(last - first, 1))
        elif met:
            break
        held = s.sums[last, S_PROSE_WORDS] - s.sums[first, S_PROSE_WORDS]
        if not met and held - own >= MUCH_PROSE:
            met = True
            o[_UP] = level
            o[_UP + 1] = held / float(max(s.sums[last, S_WORDS] - s.sums[first, S_WORDS], 1))
        box = np.int64(max(s.boxes[box, PARENT], 0))


@inner
def fill_alike(t: Any, count: int, total: float, at: int, o: Any) -> Any:
    """Blocks of one group: how many, their words, links, and where they are."""
    o[at] = t[T_BLOCKS]
    o[at + 1] = t[T_WORDS] / float(t[T_BLOCKS])
    o[at + 2] = t[T_WORDS] / total
    o[at + 3] = t[T_LINKED] / float(t[T_CHARACTERS])
    o[at + 4] = t[T_FIRST] / float(count)
    o[at + 5] = (t[T_LAST] - t[T_FIRST]) / float(count)


@inner
def fill_headings(s: Any, b: int, o: Any) -> Any:
    heading, major = s.headings[b, 0], s.headings[b, 1]
    first, title = s.facts[FIRST_HEADING], s.facts[TITLE_BLOCK]
    o[_HEADING] = b - heading if heading >= 0 else 999
    o[_HEADING + 1] = s.classes[s.blocks[heading, BOX], TAG_CODE] - 3 if heading >= 0 else 0
    o[_HEADING + 2] = b - major if major >= 0 else 999
    o[_HEADING + 3] = s.sums[b, S_WORDS] - s.sums[heading, S_WORDS] if heading >= 0 else 9999
    o[_HEADING + 4] = b - first if first >= 0 else -999
    o[_HEADING + 5] = b - title if title >= 0 else -999


@inner
def fill_neighbours(s: Any, b: int, count: int, o: Any) -> Any:
    for k in range(len(NEIGHBOURS)):
        other = b + NEIGHBOURS[k]
        at = _NEIGHBOUR + k * _NEIGHBOUR_COUNT
        if 0 <= other < count:
            o[at] = s.words[other, w.WORDS]
            o[at + 1] = s.blocks[other, LINK_CHARACTERS] / float(s.blocks[other, CHARACTERS])
            o[at + 2] = s.classes[s.blocks[other, BOX], TAG_CODE]
            o[at + 3] = s.words[other, w.END]
            o[at + 4] = s.blocks[other, BOX] == s.blocks[b, BOX]
        else:
            for i in range(_NEIGHBOUR_COUNT):
                o[at + i] = -1
    for k in range(len(WINDOWS)):
        low, high = max(b - WINDOWS[k], 0), min(b + WINDOWS[k] + 1, count)
        at = _WINDOW + k * _WINDOW_COUNT
        linked = float(s.sums[high, S_LINKED] - s.sums[low, S_LINKED])
        o[at] = (s.sums[high, S_WORDS] - s.sums[low, S_WORDS]) / float(high - low)
        o[at + 1] = over(linked, float(s.sums[high, S_CHARACTERS] - s.sums[low, S_CHARACTERS]))
        o[at + 2] = (s.sums[high, S_PROSE] - s.sums[low, S_PROSE]) / float(high - low)
        o[at + 3] = s.sums[b, S_PROSE] - s.sums[low, S_PROSE]
        o[at + 4] = s.sums[high, S_PROSE] - s.sums[b + 1, S_PROSE]
    before, after = s.prose[b, 0], s.prose[b, 1]
    o[_PROSE] = b - before if before >= 0 else 999
    o[_PROSE + 1] = after - b if after >= 0 else 999


@entry
def fill(nodes: Any, s: Any, first: int, last: int, out: Any) -> Any:
    """Fill the rows of blocks first to last (exclusive) in `out` (last - first, at least COUNT; float32)."""
    count = s.facts[BLOCKS]
    total = float(max(s.sums[count, S_WORDS], 1))
    for b in range(first, last):
        o = out[b - first]
        fill_own(nodes, s, b, o)
        fill_place(s, b, count, o)
        fill_ancestors(s, b, o)
        fill_alike(s.path_tally[s.path_group[b]], count, total, _ALIKE, o)
        fill_alike(s.parent_tally[s.parent_group[b]], count, total, _ALIKE + _ALIKE_COUNT, o)
        fill_headings(s, b, o)
        fill_neighbours(s, b, count, o)
