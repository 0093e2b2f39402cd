"""What the words of each block say: how many, stop words, sentences, capitals, digits, and a hash of each word.

A word is a run of letters, digits and marks. Scripts without spaces are cut by number: two characters of Han or Kana make a
word, four of Thai, Lao, Khmer or Myanmar, which is near their mean length, so that counts of words mean the same everywhere.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.kernels.bits import signed
from pipeline.kernels.html.blocks import FIRST, IS_BOLD, IS_CODE, LAST
from pipeline.kernels.html.names import TAG
from pipeline.kernels.html.options import entry, inner
from pipeline.kernels.html.vocabulary import MONTHS, STOP_WORDS

_BR = TAG["br"]

# Columns of `words`, one row a block.
WORDS, STOPS, CAPITALIZED, DIGITS, COMMAS, SENTENCES, SEPARATORS, END, BEGIN, DATED, PRICED, SIGNS = range(12)
IN_TITLE, TITLE_WORDS, DESCRIPTION_WORDS, BOLD_CHARACTERS, CODE_CHARACTERS, UPPER_LETTERS, LETTERS = range(12, 19)
FIRST_WORD, FOREIGN, LINES = range(19, 22)
WORD_COLUMNS = 22

PRIME, SEED, MIX = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
TABLE_BITS = 10  # of the page's own words (title, description)
PAGE_WORDS = 512  # at most in that table: searches of a full one would not end
TITLE_BIT, DESCRIPTION_BIT = 1, 2

# What a byte is: 1 letter, 2 digit, 3 white space, 4 comma or semicolon, 5 end of a sentence, 6 separator, 7 currency sign,
# 8 colon, 9 other; 16 the first byte of a character that is looked at more closely.
LETTER, DIGIT, SPACE, COMMA, STOP, SEPARATOR, CURRENCY, COLON, OTHER = range(1, 10)
_KINDS = np.full(256, OTHER, np.uint8)
_KINDS[[*range(65, 91), *range(97, 123), 95]] = LETTER
_KINDS[128:] = 16
_KINDS[48:58] = DIGIT
_KINDS[[9, 10, 11, 12, 13, 28, 29, 30, 31, 32]] = SPACE
_KINDS[[44, 59]] = COMMA
_KINDS[[33, 46, 63]] = STOP
_KINDS[124], _KINDS[36], _KINDS[58] = SEPARATOR, CURRENCY, COLON


@inner
def mixed(value: Any) -> Any:
    """Spread the bits of a hash."""
    value ^= value >> np.uint64(32)
    value *= MIX
    return value ^ (value >> np.uint64(29))


def mixed_plain(value: int) -> int:
    """Return what `mixed` gives, computed by Python."""
    value ^= value >> 32
    value = value * int(MIX) & 2**64 - 1
    return value ^ (value >> 29)


def hashed(word: str) -> int:
    """Return the hash that kernels give a word: FNV-1a over its UTF-8 bytes, ASCII letters in lower case, then mixed."""
    value = int(SEED)
    for byte in word.encode():
        value = (value ^ (byte + 32 if 65 <= byte <= 90 else byte)) * int(PRIME) & 2**64 - 1
    return mixed_plain(value)


def hash_table(words: Any, bits: int) -> npt.NDArray[np.uint64]:
    """Return a table of words' hashes with open addressing; 0 is an empty slot."""
    table = np.zeros(1 << bits, np.uint64)
    for word in words:
        value = hashed(word)
        slot = value >> (64 - bits)
        while table[slot] and table[slot] != value:
            slot = (slot + 1) % len(table)
        table[slot] = value
    return table


_STOP_BITS = 12
_STOPS = hash_table(STOP_WORDS, _STOP_BITS)
_MONTHS = hash_table(MONTHS, 9)


@inner
def contains(table: Any, bits: int, value: Any) -> Any:
    slot = signed(value >> np.uint64(64 - bits))
    while table[slot] != 0:
        if table[slot] == value:
            return True
        slot = (slot + 1) & ((1 << bits) - 1)
    return False


@inner
def page_bits(keys: Any, bits: Any, value: Any) -> Any:
    """Slot of a word in the page's own table, -1 where it is not in it."""
    slot = signed(value >> np.uint64(64 - TABLE_BITS))
    while bits[slot] != 0:
        if keys[slot] == value:
            return slot
        slot = (slot + 1) & ((1 << TABLE_BITS) - 1)
    return signed(-1)


@inner
def character_kind(text: Any, at: int) -> Any:
    """Kind of the character of several bytes at text[at], its length in bytes, and its width: kind | length << 8 | width << 16.

    Width: 0 a letter of a script with spaces, 1 Latin, 2 Han or Kana, 4 Thai, Lao, Khmer or Myanmar.
    """
    first = text[at]
    second = text[at + 1]
    third = text[at + 2]
    kind = LETTER
    width = 0
    if first < 0xE0:
        size = 2
        if first == 0xC2:
            kind = OTHER
            if second == 0xA0 or second == 0x85:
                kind = SPACE
            elif second == 0xA3 or second == 0xA5:
                kind = CURRENCY
            elif second == 0xBB or second == 0xB7:
                kind = SEPARATOR
            elif second == 0xAA or second == 0xB5 or second == 0xBA:
                kind = LETTER
        elif 0xC3 <= first <= 0xCA:
            width = 1
        elif first == 0xD8 and (second == 0x8C or second == 0x9B):
            kind = COMMA
        elif (first == 0xD8 and second == 0x9F) or (first == 0xDB and second == 0x94):
            kind = STOP
    elif first < 0xF0:
        size = 3
        if first == 0xE2:
            kind = OTHER
            if second == 0x80:
                if third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF:
                    kind = SPACE
                elif third == 0xA2 or third == 0xBA or third == 0xB9:
                    kind = SEPARATOR
                elif third == 0xA6:
                    kind = STOP
                elif 0x8B <= third <= 0x8F:
                    kind = LETTER
            elif second == 0x82 and third == 0xAC:
                kind = CURRENCY
            elif second == 0x81 and third == 0x9F:
                kind = SPACE
        elif first == 0xE3 and second == 0x80:
            kind = OTHER
            if third == 0x80:
                kind = SPACE
            elif third == 0x81:
                kind = COMMA
            elif third == 0x82:
                kind = STOP
            elif third == 0x85 or third == 0x87:
                kind = LETTER
                width = 2
        elif 0xE3 <= first <= 0xE9:
            width = 2
        elif first == 0xEF and (second == 0xBC or second == 0xBD):
            if third == 0x8C and second == 0xBC:
                kind = COMMA
            elif second == 0xBC and (third == 0x81 or third == 0x8E or third == 0x9F):
                kind = STOP
            elif (second == 0xBC and third < 0x90) or (second == 0xBD and third < 0xA6):
                kind = OTHER
            else:
                width = 2
        elif first == 0xE0:
            if 0xB8 <= second <= 0xBB:
                width = 4
            elif second == 0xA5 and third == 0xA4:
                kind = STOP
        elif first == 0xE1:
            if (0x80 <= second <= 0x82) or second == 0x9E or second == 0x9F:
                width = 4
            elif 0xB8 <= second <= 0xBB:
                width = 1
            elif second == 0x9A and third == 0x80:
                kind = SPACE
    else:
        size = 4
        kind = OTHER
        if first == 0xF0 and 0xA0 <= second <= 0xB3:
            kind = LETTER
            width = 2
    return kind | size << 8 | width << 16


@inner
def add_page_words(text: Any, at: int, end: int, bit: int, known: int, keys: Any, bits: Any) -> Any:
    """Enter the words of text[at:end] into the page's own table; `bit` says where they stand. Returns how many are new.

    `known`: words that were entered before; with them there are at most PAGE_WORDS.
    """
    most = min(256, PAGE_WORDS - known)
    added = 0
    value = SEED
    inside = False
    while at <= end:
        kind = signed(_KINDS[text[at]]) if at < end else signed(SPACE)
        if kind == LETTER or kind == DIGIT or kind == 16:
            byte = text[at]
            value = (value ^ np.uint64(byte + 32 if 65 <= byte <= 90 else byte)) * PRIME
            inside = True
        elif inside:
            key = mixed(value)
            slot = signed(key >> np.uint64(64 - TABLE_BITS))
            while bits[slot] != 0 and keys[slot] != key:
                slot = (slot + 1) & ((1 << TABLE_BITS) - 1)
            if added < most and not bits[slot] & bit:
                keys[slot] = key
                bits[slot] |= bit
                added += 1
            value = SEED
            inside = False
        at += 1
    return added


@entry
def read_words(
    nodes: Any,
    marks: Any,
    blocks: Any,
    count: int,
    keys: Any,
    bits: Any,
    stamps: Any,
    words: Any,
    hashes: Any,
    texts: Any,
) -> Any:
    """Fill `words` (columns above), `hashes` (of every word, uint64) and `texts` (a hash of each block's words); returns words.

    `keys`, `bits`: the page's own table of words; `stamps`: scratch of its size.
    """
    total = 0
    stamps[:] = -1
    for block in range(count):
        row = words[block]
        row[:] = 0
        row[FIRST_WORD] = total
        text_hash = SEED
        value = SEED
        inside = False
        wide = 0
        foreign = False
        capital = False
        number = 0  # 1900 to 2099: as it is read; -1 no number
        last_kind = 0
        month = False
        currency = False
        begun = False
        ended = False  # the last character ended a sentence, or would, if white space follows
        for node in range(blocks[block, FIRST], blocks[block, LAST] + 2):
            # After the last node one white space, which ends the last word.
            final = node > blocks[block, LAST]
            broken = not final and nodes.kind[node] == 1 and nodes.tag[node] == _BR
            if not final and not broken and (nodes.kind[node] != 3 or marks.hidden[node]):
                continue
            at = signed(0 if final or broken else nodes.start[node])
            end = signed(1 if final or broken else at + nodes.length[node])
            flags = signed(0 if final or broken else marks.flags[node])
            row[LINES] += broken
            before = row[LETTERS] + row[DIGITS]
            while at < end:
                size = 1
                width = 1
                byte = signed(32) if final or broken else signed(nodes.text[at])
                kind = signed(_KINDS[byte])
                if kind == 16:
                    found = character_kind(nodes.text, at)
                    kind = found & 255
                    size = found >> 8 & 255
                    width = found >> 16
                if kind <= DIGIT:
                    if width >= 2 and inside and wide >= width:
                        inside = False  # a word of a script without spaces is full: it ends here
                        total_word = mixed(value)
                        hashes[total] = total_word
                        total += 1
                        text_hash = (text_hash ^ total_word) * PRIME
                        row[WORDS] += 1
                        row[FOREIGN] += 1
                        value = SEED
                        wide = 0
                        number = 0
                    if not inside:
                        inside = True
                        foreign = False
                        wide = 0
                        number = 0
                        capital = (
                            (65 <= byte <= 90)
                            or (byte == 0xC3 and nodes.text[at + 1] < 0x9F)
                            or (byte == 0xD0 and 0x90 <= nodes.text[at + 1] < 0xB0)
                        )
                        if not begun:
                            begun = True
                            row[BEGIN] = 2 if kind == DIGIT else 1 if capital else 0
                    wide += 1
                    foreign |= width != 1
                    if kind == DIGIT:
                        row[DIGITS] += 1
                        if number >= 0:
                            number = number * 10 + byte - 48
                            if number > 9999:
                                number = -1
                        value = (value ^ np.uint64(48)) * PRIME
                    else:
                        number = -1
                        row[LETTERS] += 1
                        row[UPPER_LETTERS] += 65 <= byte <= 90
                        for i in range(at, at + size):
                            piece = nodes.text[i]
                            value = (value ^ np.uint64(piece + 32 if 65 <= piece <= 90 else piece)) * PRIME
                    last_kind = kind
                    ended = False
                else:
                    if inside:
                        inside = False
                        key = mixed(value)
                        hashes[total] = key
                        total += 1
                        text_hash = (text_hash ^ key) * PRIME
                        row[WORDS] += 1
                        row[CAPITALIZED] += capital
                        row[FOREIGN] += foreign
                        if contains(_STOPS, _STOP_BITS, key):
                            row[STOPS] += 1
                        if contains(_MONTHS, 9, key):
                            month = True
                        if 1900 <= number < 2100:
                            row[DATED] = 1
                        slot = page_bits(keys, bits, key)
                        if slot >= 0:
                            row[IN_TITLE] += bits[slot] & TITLE_BIT
                            if stamps[slot] != block:
                                stamps[slot] = block
                                row[TITLE_WORDS] += bits[slot] & TITLE_BIT
                                row[DESCRIPTION_WORDS] += bits[slot] >> 1
                        value = SEED
                    if kind == SPACE:
                        row[SENTENCES] += ended
                        ended = False
                    else:
                        if not begun:
                            begun = True
                            row[BEGIN] = 3
                        last_kind = kind
                        ended = kind == STOP
                        row[SENTENCES] += (
                            ended and width == 0
                        )  # the stops of other scripts need no white space after them
                        if ended and width == 0:
                            ended = False
                        row[COMMAS] += kind == COMMA
                        row[SEPARATORS] += kind == SEPARATOR
                        currency |= kind == CURRENCY
                        if byte == 64:
                            row[SIGNS] |= 2
                        elif byte == 0xC2 and nodes.text[at + 1] == 0xA9:
                            row[SIGNS] |= 1
                        if kind == STOP:
                            row[END] = 1 + (byte == 33) + 2 * (byte == 63)
                at += size
            read = row[LETTERS] + row[DIGITS] - before
            if flags & IS_BOLD:
                row[BOLD_CHARACTERS] += read
            if flags & IS_CODE:
                row[CODE_CHARACTERS] += read
        if last_kind == COLON:
            row[END] = 4
        elif last_kind != STOP:
            row[END] = 0
        if month and row[DIGITS] > 0:
            row[DATED] = 1
        row[PRICED] = currency and row[DIGITS] > 0
        texts[block] = mixed(text_hash)
    return total
