"""The attributes that our counts make, against those that Dolma 1.2.1's own tagger gave the same texts.

The fixture is written by `bench/parity_dolma.py --golden tests/parity/dolma_golden.json --dolma PYTHON`.
"""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.kernels import dolma

FIXTURE = Path(__file__).with_name("dolma_golden.json")
_PROSE = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,\n"
    "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of\n"
    "Darkness, it was the spring of hope, it was the winter of despair"
)


def golden_texts() -> list[str]:
    """What the tagger was asked: each kind of count by itself, ties, borders of n, white space, and prose made worse."""
    lines = _PROSE.split("\n")
    return [
        *("", " ", "\n", "\n\n", " \n \n", "\u3000", "\x1c\n\x1c", "\u200b", "\x00", "a", "the", "The THE the", "-", "*\n-"),
        *(" ".join("abcdefghijkl"[:n]) for n in range(2, 13)),
        *(" ".join("a" * n) for n in range(2, 13)),
        *("a b a b", "a b c a b c d", "b a a b a a b", "a bb cc a bb cc", "ab c abc ab c", "a b c d ef ab c d e f"),
        *("# # a", "a#b …c d…", "... a", "a …", "…\n…\n...", "… \n…", "- a\n* b\n • c\n-d", " - a", "\u2010 a"),
        *("a\r\na\r\nb", "a\n\nb\n\nc\n\nd", "a\na \na", "x\u2028x\u2028y", "x\x85x\xa0y", "1 2 3 ½ é ʰ Ⅷ 中 १"),
        *("中文 中文 中文", "e\u0301 \U00010400 \U0001f600", "x" * 64 + " " + "x" * 65, "a " + "y" * 99, "a bb", "a bb ccc"),
        *(_PROSE, _PROSE + "\n" + _PROSE, "\n\n".join(lines * 3), " ".join(lines * 2) + "…", _PROSE.upper()),
        *("\n".join(f"- {line}…" for line in lines * 2), _PROSE.replace(" ", " # "), _PROSE.replace("it was", "17 - 18")),
    ]  # fmt: skip


def _rows() -> list[tuple[str, dict[str, float]]]:
    return [(text, attributes) for text, attributes in json.loads(FIXTURE.read_text("ascii"))]


def _attributes(counts: dict[str, int]) -> dict[str, float]:
    return {
        name: counts[part] / max(1, whole if isinstance(whole, int) else counts[whole])
        for name, (part, whole) in dolma.ATTRIBUTES.items()
    }


def test_the_fixture_is_of_the_texts_that_are_named_here() -> None:
    texts = [text for text, _ in _rows()]
    assert texts == golden_texts()
    assert len(set(texts)) == len(texts) >= 60


@pytest.mark.parametrize("row", range(len(golden_texts())))
def test_each_attribute_is_the_taggers_to_the_bit(row: int) -> None:
    text, wanted = _rows()[row]
    found = _attributes(dolma.measure(pa.array([text], pa.large_string())).to_pylist()[0])
    assert {name: found[name] for name in wanted} == wanted
    assert all(found[name] == 0 for name in found.keys() - wanted.keys())  # n-grams of a text with fewer than n words


def test_attributes_come_in_the_taggers_order_and_the_fixture_has_each_unlike_zero() -> None:
    rows = [attributes for _, attributes in _rows()]
    for attributes in rows:
        assert list(attributes) == [name for name in dolma.ATTRIBUTES if name in attributes]
    for name in dolma.ATTRIBUTES:
        assert len({attributes[name] for attributes in rows if name in attributes}) > 2, name
