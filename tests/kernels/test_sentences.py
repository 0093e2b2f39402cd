"""Sentences of a line against the rule in plain Python, and the tables and buffers that kernels of text share."""

import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from datatrove.utils.text import TERMINAL_PUNCTUATION
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import sentences

TERMINALS = {*TERMINAL_PUNCTUATION, "…"}
CLOSERS = {'"', "'", *(chr(p) for p in range(0x110000) if unicodedata.category(chr(p)) in ("Pe", "Pf"))}

PIECES = [".", "..", "...", "!", "?", "。", "！", "？", "｡", "…", "।", "።", "؟", "\U0001da88", '"', "'", ")", "]", "”", "’",
          "»", "」", "«", "(", " ", "\t", "\n", "\xa0", "\u2028", "\u3000", "a", "word ", "é", "Ö", "漢字", "ไทย", "😀",
          "\u0301", "\U000e0001", "\x00", "x" * 61, " y" * 31, "." * 70, "』" * 30]  # fmt: skip
lines = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=40).map("".join)


def split(line: str) -> list[str]:
    """The sentences of a line, by the rule in the module's docstring."""
    found, start, at = [], 0, 0
    while at < len(line):
        if line[at] not in TERMINALS:
            at += 1
            continue
        run = at
        while at < len(line) and (line[at] in TERMINALS or line[at] in CLOSERS):
            at += 1
        if at == len(line) or line[at].isspace() or not set("。！？｡").isdisjoint(line[run:at]):
            found.append(line[start:at])
            start = at
    if line[start:].strip():
        found.append(line[start:])
    return found or [""]


@given(st.lists(lines, max_size=8))
def test_sentences_are_those_of_the_rule_in_plain_python(texts: list[str]) -> None:
    expected = [len(split(text)) for text in texts]
    assert sentences.count(pa.array(texts, pa.string())).tolist() == expected
    assert sentences.count(pa.array(texts, pa.large_string())).tolist() == expected


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", 1),
        ("   ", 1),
        ("no end", 1),
        ("One. Two", 2),
        ("One.Two", 1),
        ("He said “Go.” She went!", 2),
        ("(Really?!). Yes...", 2),
        ("… and so on", 2),
        ("version 3.11 is out. ", 1),
        ("Dr. Who", 2),  # accepted, see the docstring
        ("今日は。明日は！「え？」はい｡", 4),
        ("यह है। वह था।", 2),
    ],
)
def test_sentences_that_a_reader_would_count(line: str, wanted: int) -> None:
    assert sentences.count(pa.array([line])).tolist() == [wanted]


def test_every_terminal_ends_a_sentence_and_every_closer_belongs_to_it() -> None:
    texts = [f"a{terminal} b" for terminal in sorted(TERMINALS)] + [f"a.{closer} b" for closer in sorted(CLOSERS)]
    assert sentences.count(pa.array(texts)).tolist() == [2] * len(texts)


def test_the_flags_agree_with_their_sources_on_every_code_point() -> None:
    table = sentences.flags()
    for point in range(0x110000):
        character = chr(point)
        seen = int(table[point]) if point < sentences.TABLE_SIZE else 0
        assert bool(seen & sentences.SPACE) == character.isspace(), hex(point)
        assert bool(seen & sentences.TERMINAL) == (character in TERMINALS), hex(point)
        if unicodedata.unidata_version == "14.0.0":  # the version that CLOSERS was taken from
            assert bool(seen & sentences.CLOSER) == (character in CLOSERS), hex(point)
        assert bool(seen & sentences.ANYWHERE) == (character in "。！？｡"), hex(point)


@given(st.lists(st.text(max_size=100), max_size=6), st.integers(0, 3), st.integers(0, 70), st.booleans())
def test_readable_texts_have_bytes_to_spare_behind_them(texts: list[str], first: int, spare: int, large: bool) -> None:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64 if large else np.int32)
    kind = pa.LargeStringArray if large else pa.StringArray
    data = pa.py_buffer(b"".join(encoded) + b"." * spare)
    array = kind.from_buffers(len(texts), pa.py_buffer(offsets), data)[first:]
    seen = []
    for start, places, found in sentences.readable(array):
        assert start == len(seen)
        assert len(found) >= places[-1] + sentences.PADDING
        seen += [bytes(found[i:j]) for i, j in pairwise(places)]
    assert seen == encoded[first:]


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        sentences.count(pa.array(["a", None]))
