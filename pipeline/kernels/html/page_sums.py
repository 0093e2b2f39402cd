"""What is summed over a page before features are written: words and prose by place, like blocks, headings, ancestors."""

from typing import Any

import numpy as np

from pipeline.kernels.bits import signed
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import (
    BOX,
    CHARACTERS,
    CHILDREN,
    DEPTH,
    FIRST_BLOCK,
    INLINE,
    LAST_BLOCK,
    LINK_CHARACTERS,
    ORDINAL,
    PARENT,
)
from pipeline.kernels.html.class_signals import TAG_CODE
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.signals import (
    BLOCKS,
    BOXES,
    DEEPEST,
    FIRST_HEADING,
    PARENTS,
    PATHS,
    S_CHARACTERS,
    S_LINKED,
    S_PROSE,
    S_PROSE_WORDS,
    S_PUNCTUATION,
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
from pipeline.kernels.html.word_signals import PRIME, mixed

# A block of prose: many words, few of them links, stop words among them.
PROSE_WORDS, PROSE_LINK_SHARE, PROSE_STOPS = 10, 0.34, 0.15
FOREIGN_STOPS = 0.3  # of text in scripts whose stop words are not known
SHARES = (0.35, 0.6, 0.85)
H1, H2, H6 = 4, 5, 9  # codes of tags (`class_signals.TAG_CODES`)
TITLE_SHARE, TITLE_LIKENESS = 0.3, 0.4


@inner
def over(a: float, b: float) -> Any:
    """Divide by b where it is more than 1."""
    return a / b if b > 1 else a


@inner
def stop_share(row: Any) -> Any:
    """Share of stop words among a block's words."""
    if row[w.WORDS] == 0:
        return 0.0
    if 2 * row[w.FOREIGN] > row[w.WORDS]:
        return FOREIGN_STOPS
    return row[w.STOPS] / row[w.WORDS]


@inner
def sum_blocks(s: Any, count: int) -> Any:
    s.sums[0] = 0
    last = signed(-1)
    for b in range(count):
        row = s.words[b]
        n = row[w.WORDS]
        linked, characters = s.blocks[b, LINK_CHARACTERS], s.blocks[b, CHARACTERS]
        prose = n >= PROSE_WORDS and linked < PROSE_LINK_SHARE * characters and stop_share(row) > PROSE_STOPS
        after, before = s.sums[b + 1], s.sums[b]
        after[S_WORDS] = before[S_WORDS] + n
        after[S_CHARACTERS] = before[S_CHARACTERS] + characters
        after[S_LINKED] = before[S_LINKED] + linked
        after[S_PROSE] = before[S_PROSE] + prose
        after[S_PROSE_WORDS] = before[S_PROSE_WORDS] + (n if prose else 0)
        after[S_PUNCTUATION] = before[S_PUNCTUATION] + row[w.COMMAS] + row[w.SENTENCES]
        s.prose[b, 0] = last
        if prose:
            last = b
    last = signed(-1)
    for b in range(count - 1, -1, -1):
        s.prose[b, 1] = last
        if s.sums[b + 1, S_PROSE] > s.sums[b, S_PROSE]:
            last = b


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
        slot = signed(values[i] >> np.uint64(64 - bits))
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
def tally_groups(s: Any, count: int, groups: int, which: Any, tally: Any) -> Any:
    tally[:groups] = 0
    for b in range(count):
        t = tally[which[b]]
        if t[T_BLOCKS] == 0:
            t[T_FIRST] = b
        t[T_BLOCKS] += 1
        t[T_WORDS] += s.words[b, w.WORDS]
        t[T_LINKED] += s.blocks[b, LINK_CHARACTERS]
        t[T_CHARACTERS] += s.blocks[b, CHARACTERS]
        t[T_LAST] = b


@inner
def find_headings(s: Any, count: int) -> Any:
    last = major = first = title = signed(-1)
    best: Any = TITLE_SHARE
    words = float(s.facts[TITLE])
    for b in range(count):
        s.headings[b, 0] = last
        s.headings[b, 1] = major
        tag = s.classes[s.blocks[b, BOX], TAG_CODE]
        if H1 <= tag <= H6:
            last = b
            if tag <= H2:
                major = b
            if tag == H1 and first < 0:
                first = b
        n = s.words[b, w.WORDS]
        share = np.float32(over(float(s.words[b, w.TITLE_WORDS]), words))
        if n and s.words[b, w.IN_TITLE] > TITLE_LIKENESS * n and share > best:
            best = share
            title = b
    s.facts[FIRST_HEADING] = first
    s.facts[TITLE_BLOCK] = title


@inner
def describe_boxes(s: Any, count: int, box_count: int) -> Any:
    """Fill `levels` and `holders`, and the greatest depth."""
    total = float(max(s.sums[count, S_WORDS], 1))
    prose = float(max(s.sums[count, S_PROSE_WORDS], 1))
    deepest = signed(0)
    for share in range(len(SHARES)):
        s.holders[share, 0] = s.boxes[0, FIRST_BLOCK]
        s.holders[share, 1] = s.boxes[0, LAST_BLOCK]
        s.holders[share, 2] = -1
    for box in range(box_count):
        first, last = s.boxes[box, FIRST_BLOCK], s.boxes[box, LAST_BLOCK]
        depth = s.boxes[box, DEPTH]
        deepest = max(deepest, depth)
        o = s.levels[box]
        n = float(s.sums[last, S_WORDS] - s.sums[first, S_WORDS])
        blocks = float(last - first)
        held = s.sums[last, S_PROSE_WORDS] - s.sums[first, S_PROSE_WORDS]
        linked = float(s.sums[last, S_LINKED] - s.sums[first, S_LINKED])
        o[0] = n / total
        o[1] = held / prose
        o[2] = n
        o[3] = over(linked, float(s.sums[last, S_CHARACTERS] - s.sums[first, S_CHARACTERS]))
        o[4] = blocks
        o[5] = over(n, blocks)
        o[6] = over(float(s.sums[last, S_PROSE] - s.sums[first, S_PROSE]), blocks)
        o[7] = over(float(s.sums[last, S_PUNCTUATION] - s.sums[first, S_PUNCTUATION]), n)
        o[8] = s.boxes[box, ORDINAL]
        o[9] = s.boxes[max(s.boxes[box, PARENT], 0), CHILDREN]
        o[10] = s.classes[box, TAG_CODE]
        for share in range(len(SHARES)):
            if held >= SHARES[share] * prose and depth > s.holders[share, 2]:
                s.holders[share, 0] = first
                s.holders[share, 1] = last
                s.holders[share, 2] = depth
    for share in range(len(SHARES)):
        s.holders[share, 2] = max(s.holders[share, 2], 0)
    s.facts[DEEPEST] = deepest


@entry
def sum_page(nodes: Any, s: Any, keys: Any, slots: Any, bits: int) -> Any:
    """Fill the arrays of `Signals` that are sums over the page. `keys` (blocks; uint64) and `slots` are scratch."""
    count, box_count = s.facts[BLOCKS], s.facts[BOXES]
    sum_blocks(s, count)
    groups = group(s.texts, count, slots, bits, s.path_group)
    for g in range(groups):
        s.path_tally[g, 0] = 0
    for b in range(count):
        s.path_tally[s.path_group[b], 0] += 1
    for b in range(count):
        s.copies[b] = s.path_tally[s.path_group[b], 0]
    describe_boxes(s, count, box_count)
    for b in range(count):
        box = s.blocks[b, BOX]
        around = max(s.boxes[box, PARENT], 0)
        beyond = max(s.boxes[around, PARENT], 0)
        inline = np.uint64(0)
        if s.blocks[b, INLINE] >= 0:
            inline = np.uint64(nodes.tag[s.blocks[b, INLINE]])
        keys[b] = mixed(((s.shapes[box] * PRIME + s.shapes[around]) * PRIME + s.shapes[beyond]) * PRIME + inline)
    s.facts[PATHS] = group(keys, count, slots, bits, s.path_group)
    tally_groups(s, count, s.facts[PATHS], s.path_group, s.path_tally)
    for b in range(count):
        box = s.blocks[b, BOX]
        keys[b] = mixed(np.uint64(s.classes[box, TAG_CODE]) * PRIME + s.shapes[max(s.boxes[box, PARENT], 0)])
    s.facts[PARENTS] = group(keys, count, slots, bits, s.parent_group)
    tally_groups(s, count, s.facts[PARENTS], s.parent_group, s.parent_tally)
    find_headings(s, count)
