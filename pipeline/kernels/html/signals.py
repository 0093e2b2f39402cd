"""The arrays in which what is measured of a page stands, as kernels hand them to each other."""

from typing import Any, NamedTuple

# Numbers of a page in `Signals.facts`: how many blocks and boxes, words of the title and the description, the greatest depth
# of a box, the first h1, the block that is most like the title (-1: none), and how many groups of like blocks there are.
BLOCKS, BOXES, TITLE, DESCRIPTION, DEEPEST, FIRST_HEADING, TITLE_BLOCK, PATHS, PARENTS = range(9)
FACTS = 9

# Columns of `Signals.sums`: what the blocks before one have together (one row more than there are blocks).
S_WORDS, S_CHARACTERS, S_LINKED, S_PROSE, S_PROSE_WORDS, S_PUNCTUATION = range(6)
SUM_COLUMNS = 6

# Columns of a tally of like blocks: how many, words, link characters, characters, the first and the last block.
T_BLOCKS, T_WORDS, T_LINKED, T_CHARACTERS, T_FIRST, T_LAST = range(6)
TALLY_COLUMNS = 6


class Signals(NamedTuple):
    """Arrays over blocks, unless something else is said.

    blocks, boxes (over boxes): `blocks`. words, hashes (over words), texts: `word_signals`. classes, near, shapes (over boxes),
    tokens: `class_signals`. sums, copies (blocks of the same words), path_group and parent_group (number of the group of like
    blocks), path_tally and parent_tally (over groups), headings (the last heading before the block, and the last h1 or h2; -1:
    none), prose (the last block of prose before it, and the next), levels (over boxes: what a box says as an ancestor), holders
    (over shares: first and last block, and depth, of the deepest box that holds this share of the prose): `page_sums`.
    """

    blocks: Any
    boxes: Any
    words: Any
    hashes: Any
    texts: Any
    classes: Any
    near: Any
    shapes: Any
    tokens: Any
    sums: Any
    copies: Any
    path_group: Any
    parent_group: Any
    path_tally: Any
    parent_tally: Any
    headings: Any
    prose: Any
    levels: Any
    holders: Any
    facts: Any
