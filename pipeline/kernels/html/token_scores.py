"""The first stage of the model: a linear score of each block from hashed words, classes and tags (logistic regression).

A feature is a hash of what it is (a word, a class of the element around, a class anywhere around, ...) and of the word or
class; its weight stands in a table at the upper bits of that hash (Weinberger et al. 2009, "Feature hashing"). Weights are
integers in 1/1024, so that sums are the same in every order. A feature that occurs twice counts twice.
"""

from typing import Any

import numpy as np

from pipeline.kernels.bits import signed
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, CHARACTERS, INLINE, LINK_CHARACTERS, PARENT
from pipeline.kernels.html.class_signals import FIRST_TOKEN, LAST_TOKEN, MAX_TOKENS, tokenize
from pipeline.kernels.html.names import ATTRIBUTE
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.signals import BLOCKS, BOXES
from pipeline.kernels.html.word_signals import PRIME, mixed

FIRST_WORDS, LAST_WORDS, SHORT, HEADING_WORDS, INLINE_TOKENS = 25, 8, 6, 6, 8
MOST = 128  # features of one block, those of its ancestors aside
_CLASS, _ID = ATTRIBUTE["class"], ATTRIBUTE["id"]


def _salt(number: int) -> Any:
    return np.uint64(number * 0xD6E8FEB86659FD93 & 2**64 - 1)


(
    AROUND,
    BEYOND,
    FAR_BEYOND,
    ANCESTOR,
    WORD,
    FIRST_PAIR,
    LAST_PAIR,
    WHOLE,
    ANY,
    SIZE,
    IN_INLINE,
    PATH,
    HEADING,
    MAJOR,
    HEADING_ALL,
    MAJOR_ALL,
) = (_salt(number) for number in range(1, 17))


@inner
def place(value: Any, salt: Any, bits: int) -> Any:
    """Index of a feature in the table of weights."""
    return signed(mixed(value ^ salt) >> np.uint64(64 - bits))


@inner
def size_class(words: Any, linked: Any, characters: Any) -> Any:
    """Words on a scale of powers of two in halves, and the share of links in quarters."""
    step = 0
    edge = 1
    while words >= edge and step < 9:
        edge += edge if edge < 3 or step & 1 else edge >> 1
        step += 1
    return np.uint64(step * 8 + 4 * linked // max(characters, 1))


@inner
def features_of(b: int, nodes: Any, s: Any, scratch: Any, bits: int, found: Any) -> Any:
    """Write the indices of block b's own features to `found`; returns how many."""
    blocks, boxes, words, hashes, texts = s.blocks, s.boxes, s.words, s.hashes, s.texts
    headings, shapes = s.headings, s.shapes
    k = 0
    first = words[b, w.FIRST_WORD]
    n = words[b, w.WORDS]
    for i in range(first, first + min(n, FIRST_WORDS)):
        found[k] = place(hashes[i], WORD, bits)
        k += 1
    for i in range(max(first + FIRST_WORDS, first + n - LAST_WORDS), first + n):
        found[k] = place(hashes[i], WORD, bits)
        k += 1
    if n >= 2:
        found[k] = place(hashes[first] * PRIME + hashes[first + 1], FIRST_PAIR, bits)
        found[k + 1] = place(hashes[first + n - 2] * PRIME + hashes[first + n - 1], LAST_PAIR, bits)
        k += 2
    if n <= SHORT:
        found[k] = place(texts[b], WHOLE, bits)
        k += 1
        for i in range(first, first + n):
            found[k] = place(hashes[i], ANY, bits)
            k += 1
    found[k] = place(size_class(n, blocks[b, LINK_CHARACTERS], blocks[b, CHARACTERS]), SIZE, bits)
    k += 1
    node = blocks[b, INLINE]
    if node >= 0:
        found[k] = place(np.uint64(nodes.tag[node]), IN_INLINE, bits)
        k += 1
        used = 0
        for attribute in range(nodes.first_attribute[node], nodes.last_attribute[node]):
            name = nodes.attributes[attribute, 0]
            if name == _CLASS or name == _ID:
                tokenize(
                    nodes.values,
                    nodes.attributes[attribute, 3],
                    nodes.attributes[attribute, 4],
                    scratch,
                    used,
                    MAX_TOKENS,
                )
                used = signed(scratch[MAX_TOKENS])
        for i in range(min(used, INLINE_TOKENS)):
            found[k] = place(scratch[i], IN_INLINE, bits)
            k += 1
    box = blocks[b, BOX]
    around = max(boxes[box, PARENT], 0)
    found[k] = place(shapes[box] * PRIME + shapes[around], PATH, bits)
    k += 1
    for which in range(2):
        heading = headings[b, which]
        if heading >= 0:
            at = words[heading, w.FIRST_WORD]
            for i in range(at, at + min(words[heading, w.WORDS], HEADING_WORDS)):
                found[k] = place(hashes[i], MAJOR if which else HEADING, bits)
                k += 1
            found[k] = place(texts[heading], MAJOR_ALL if which else HEADING_ALL, bits)
            k += 1
    return k


@entry
def expand(nodes: Any, s: Any, scratch: Any, bits: int, found: Any, indices: Any, ends: Any) -> Any:
    """Write the indices of every feature of every block, with those of ancestors; `ends[b]`: where block b's end.

    For training; `score` sums the same weights without listing them.
    """
    total = 0
    for b in range(s.facts[BLOCKS]):
        k = features_of(b, nodes, s, scratch, bits, found)
        for i in range(k):
            indices[total] = found[i]
            total += 1
        box = signed(s.blocks[b, BOX])
        level = 0
        while box >= 0:
            for i in range(s.classes[box, FIRST_TOKEN], s.classes[box, LAST_TOKEN]):
                indices[total] = place(s.tokens[i], ANCESTOR, bits)
                total += 1
                if level < 3:
                    salt = AROUND if level == 0 else BEYOND if level == 1 else FAR_BEYOND
                    indices[total] = place(s.tokens[i], salt, bits)
                    total += 1
            box = signed(s.boxes[box, PARENT])
            level += 1
        ends[b] = total
    return total


@entry
def score(
    nodes: Any, s: Any, scratch: Any, bits: int, found: Any, weights: Any, bias: int, given: Any, scores: Any
) -> Any:
    """Fill `scores` (blocks; int32, 1/1024): the sum of the weights of `expand`'s features, and the bias.

    `given` (boxes, 4; int32) is scratch: what a box gives to all blocks in it, to its own, its children's, and theirs.
    """
    for box in range(s.facts[BOXES]):
        around = s.boxes[box, PARENT]
        o = given[box]
        o[0] = given[around, 0] if around >= 0 else 0
        o[1] = o[2] = o[3] = 0
        for i in range(s.classes[box, FIRST_TOKEN], s.classes[box, LAST_TOKEN]):
            token = s.tokens[i]
            o[0] += weights[place(token, ANCESTOR, bits)]
            o[1] += weights[place(token, AROUND, bits)]
            o[2] += weights[place(token, BEYOND, bits)]
            o[3] += weights[place(token, FAR_BEYOND, bits)]
    for b in range(s.facts[BLOCKS]):
        k = features_of(b, nodes, s, scratch, bits, found)
        total = signed(bias)
        for i in range(k):
            total += weights[found[i]]
        box = signed(s.blocks[b, BOX])
        total += given[box, 0] + given[box, 1]
        box = signed(s.boxes[box, PARENT])
        if box >= 0:
            total += given[box, 2]
            box = signed(s.boxes[box, PARENT])
            if box >= 0:
                total += given[box, 3]
        scores[b] = total
