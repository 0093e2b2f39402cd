"""What a word is when a passage is looked for: letters and digits, whatever case, punctuation and markup are around them.

A word is a maximal run of letters (categories L*) and decimal digits (Nd) with the extending code points that follow them, cut
further as `kernels.words` cuts Unicode words: a code point of Han, Hiragana, Thai, Lao, Khmer or Burmese script is a word by
itself, a run of Katakana is one. All else parts words. Letters are compared by their case folding where that is one code point,
else by their lower case where that is one, else as they stand. So "Don't **panic**" has the words don, t, panic.

A word's hash: h = 0; for each folded code point c: h = (h + c + 1) * SECOND; then `hashing.finished`. A gram is GRAM words in a
row; its hash is `finished` of the sum of their hashes times the powers GRAM-1 to 0 of GOLDEN; all modulo 2^64.

Winnowing (Schleimer, Wilkerson and Aiken 2003, "Winnowing: local algorithms for document fingerprinting", section 3) keeps of
each WINDOW grams in a row the one with the least hash, the last of equal ones. So what is kept in a run of words depends on
these words alone, and any LEAST = GRAM + WINDOW - 1 words in a row hold a gram that is kept. Of grams that are kept, `finished`
of the hash is the key: their own hashes crowd at the low end.

This module has no compiled code: `inspection.passages` applies the rule to a passage in plain Python, `kernels.winnow` to a
corpus.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.kernels import codepoints

VERSION = "pellucid/trace/v1"
GRAM = 4
WINDOW = 5
LEAST = GRAM + WINDOW - 1  # words of the shortest passage that is found for certain

# table(): the folded code point in the low bits, and what the code point is above them.
FOLDED = (1 << 21) - 1
LETTER, SINGLE, KATAKANA, EXTENDING = 1 << 24, 1 << 25, 1 << 26, 1 << 27

_LAST_CASED = 0x1E943  # Adlam; no letter behind it has case, up to Unicode 16 at least


@cache
def table() -> npt.NDArray[np.uint32]:
    """(0x110000,) uint32: of every code point FOLDED | LETTER | SINGLE | KATAKANA | EXTENDING. Read-only.

    Properties are those of Unicode 15.1; case is this Python's.
    """
    flags = codepoints.flags()
    found = np.arange(0x110000, dtype=np.uint32)
    for point in range(0x41, _LAST_CASED + 1):
        letter = chr(point)
        folded = letter.casefold()
        if folded != letter:
            folded = folded if len(folded) == 1 else letter.lower()
            found[point] = ord(folded) if len(folded) == 1 else point
    for flag, own in (
        (codepoints.LETTER | codepoints.DIGIT, LETTER),
        (codepoints.SINGLE, SINGLE),
        (codepoints.KATAKANA, KATAKANA),
        (codepoints.EXTENDING, EXTENDING),
    ):
        found[flags & flag != 0] |= np.uint32(own)
    found[found & EXTENDING != 0] &= np.uint32(~LETTER & 0xFFFFFFFF)
    found.flags.writeable = False
    return found
