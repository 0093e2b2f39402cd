"""List the names of elements and attributes that the parser and the extractor know, by number."""

import numpy as np
import numpy.typing as npt

from pipeline.kernels.html import tags

TAG: dict[str, int] = {
    name.lower().replace("_", "-"): number for name, number in vars(tags).items() if name.isupper() and number
}
TAGS: list[str] = list(TAG)

_ATTRIBUTES = (
    "class id role href style hidden aria-hidden aria-label itemprop itemtype property name content rel src alt title type "
    "lang encoding color face size start value reversed colspan rowspan http-equiv charset datetime open shadowrootmode "
    "display data-nosnippet for action width height"
)
ATTRIBUTES = _ATTRIBUTES.split()
ATTRIBUTE: dict[str, int] = {name: number for number, name in enumerate(ATTRIBUTES, 1)}

LONGEST = 16  # bytes of a name that can be looked up: two words of 64 bits
SLOT_BITS = 10
SLOTS = 1 << SLOT_BITS
FIRST_FACTOR, SECOND_FACTOR = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F


def tag_set(words: str | list[str]) -> npt.NDArray[np.bool_]:
    """Return a table by tag number: True for the names in `words` (a list, or one string with spaces between them)."""
    table = np.zeros(len(TAGS) + 1, np.bool_)
    table[[TAG[word] for word in (words.split() if isinstance(words, str) else words)]] = True
    return table


def lookup_table(names: list[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return keys (slots, 2) and numbers (slots,) of an open-addressed hash table of names, each at most 16 bytes."""
    if 4 * len(names) > SLOTS:
        raise ValueError("a lookup must be short: raise SLOT_BITS")
    keys, numbers = np.zeros((SLOTS, 2), np.uint64), np.zeros(SLOTS, np.int64)
    for number, name in enumerate(names, 1):
        if len(name.encode()) > LONGEST:
            raise ValueError(f"longer than {LONGEST} bytes: {name}")
        key = name.encode().ljust(LONGEST, b"\0")
        first, second = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
        slot = ((first * FIRST_FACTOR + second * SECOND_FACTOR) % 2**64) >> (64 - SLOT_BITS)
        while numbers[slot]:
            slot = (slot + 1) % SLOTS
        keys[slot], numbers[slot] = (first, second), number
    return keys, numbers
