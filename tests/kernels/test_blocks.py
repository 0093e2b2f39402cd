"""Repeated blocks against plain Python, over hostile Unicode, white space of all kinds and crafted collisions."""

import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import blocks

WHITE = "\t\x0b\x0c\r\x1c\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NEAR_WHITE = "\u200b\u2019\u2060\u1681\u3001\xc2\xa9\x1b"  # share first bytes with white space, and are none
PIECES = st.sampled_from(
    ["\n", "\n", "\n\n", "a", "bb", "same line", " ", "  ", "é", "漢字", "😀", *WHITE, *NEAR_WHITE]
)
TEXT = st.one_of(
    st.lists(PIECES, max_size=40).map("".join),
    st.lists(st.sampled_from(["x", "x ", " x", "y  z", "y z", "", " ", "\r"]), max_size=12).map("\n".join),
    st.text(max_size=200),
)
TEXTS = st.lists(TEXT, max_size=6)
UNIT = st.sampled_from(blocks.UNITS)
LEAST = st.sampled_from([0, 1, 2, 5, 20])


def compared(unit: str) -> str:
    return "\n".join(" ".join(line.split()) for line in unit.split("\n"))


def places(text: str, unit: str) -> list[tuple[int, int]]:
    """Where the units of a text are, in characters, white space around them included."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]*\n|[^\n]+", text)]
    filled = [(start, end) for start, end in lines if text[start:end].strip()]
    if unit == "line":
        return filled
    found: list[tuple[int, int]] = []
    for start, end in filled:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def units(text: str, unit: str, least: int) -> list[str]:
    found = (compared(text[start:end].strip()) for start, end in places(text, unit))
    return [one for one in found if len(one) >= least]


def counted(texts: list[str], unit: str, least: int) -> Counter[str]:
    return Counter(one for text in texts for one in set(units(text, unit, least)))


def without(text: str, repeated: set[str], unit: str, least: int) -> tuple[str, int]:
    going = [
        (start, end) for start, end in places(text, unit)
        if len(one := compared(text[start:end].strip())) >= least and one in repeated
    ]  # fmt: skip
    if not going:
        return text, 0
    left: list[str] = []
    behind_removed = closes_gap = False
    for match in re.finditer(r"[^\n]*\n|[^\n]+", text):
        line = match[0]
        if any(start <= match.start() < end for start, end in going):
            behind_removed, closes_gap = True, not left or not left[-1].strip()
        elif line.strip():
            left.append(line)
            behind_removed = False
        elif not (behind_removed and closes_gap):
            left.append(line)
    if behind_removed:
        while left and not left[-1].strip():
            left.pop()
        if left and not text.endswith("\n"):
            left[-1] = left[-1][:-1]
    return "".join(left), len(going)


def arrow(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def table(texts: set[str], unit: str) -> pa.Table:
    """Blocks of these texts, each a unit as it is compared."""
    return blocks.count(arrow(sorted(texts)), unit=unit, min_characters=0)


@given(TEXTS, UNIT, LEAST)
def test_units_are_those_of_plain_python_in_order_and_hashed_by_their_text(
    texts: list[str], unit: str, least: int
) -> None:
    offsets, starts, ends, hashes = blocks.unit_hashes(arrow(texts), unit=unit, min_characters=least)
    by_hash: dict[int, str] = {}
    for row, text in enumerate(texts):
        part = slice(offsets[row], offsets[row + 1])
        found = [text.encode()[start:end].decode() for start, end in zip(starts[part], ends[part], strict=True)]
        assert [compared(one) for one in found] == units(text, unit, least)
        assert all(one == one.strip() for one in found)
        for one, number in zip(found, hashes[part].tolist(), strict=True):
            assert by_hash.setdefault(number, compared(one)) == compared(one)
    assert len(set(by_hash.values())) == len(by_hash)


@given(TEXTS, UNIT, LEAST, st.integers(0, 3))
def test_a_unit_counts_once_a_document(texts: list[str], unit: str, least: int, skipped: int) -> None:
    found = blocks.count(arrow(["x"] * skipped + texts).slice(skipped), unit=unit, min_characters=least)
    assert found.schema == blocks.COUNTS
    assert dict(zip(found["text"].to_pylist(), found["documents"].to_pylist(), strict=True)) == counted(
        texts, unit, least
    )
    rows = list(zip(found["hash"].to_pylist(), found["text"].to_pylist(), strict=True))
    assert rows == sorted(rows)


@given(st.lists(TEXTS, max_size=4), UNIT, LEAST)
def test_counts_of_parts_merge_to_the_counts_of_the_whole(parts: list[list[str]], unit: str, least: int) -> None:
    whole = blocks.count(arrow([text for part in parts for text in part]), unit=unit, min_characters=least)
    found = [blocks.count(arrow(part), unit=unit, min_characters=least) for part in parts]
    assert blocks.merged(found).equals(whole)
    assert blocks.merged(found[::-1]).equals(whole)


@given(TEXTS, UNIT, LEAST, st.data())
def test_repeated_units_go_with_their_lines_and_nothing_else_does(
    texts: list[str], unit: str, least: int, data: st.DataObject
) -> None:
    known = [*sorted({one for text in texts for one in units(text, unit, 0)}), "never there"]
    repeated = data.draw(st.sets(st.sampled_from(known)))
    edited, spans = blocks.remove(arrow(texts), table(repeated, unit), unit=unit, min_characters=least)
    expected = [without(text, repeated, unit, least) for text in texts]
    assert edited.to_pylist() == [text for text, _ in expected]
    assert spans.tolist() == [count for _, count in expected]
    edited.validate(full=True)


@pytest.mark.parametrize(("text", "left", "spans"), [
    ("menu\nA\n\nmenu\n\nB\nmenu\n", "A\n\nB\n", 3),
    ("A\nmenu\n\nB", "A\n\nB", 1),
    ("A\n\nmenu\nB", "A\n\nB", 1),
    ("A\n\nmenu\n\n\nmenu\n \nB", "A\n\nB", 2),
    ("menu\n\n\nA\n", "A\n", 1),
    ("A\n\nmenu", "A", 1),
    ("A\n\nmenu\n\n", "A\n", 1),
    ("  menu\t\r\n\u3000menu", "", 2),
    ("A  menu\n", "A  menu\n", 0),
    ("\r\n\n A\r\n", "\r\n\n A\r\n", 0),
])  # fmt: skip
def test_a_removed_line_leaves_no_wider_gap_than_was_there(text: str, left: str, spans: int) -> None:
    edited, counts = blocks.remove(arrow([text]), table({"menu"}, "line"), unit="line", min_characters=1)
    assert (edited.to_pylist(), counts.tolist()) == ([left], [spans])


@pytest.mark.parametrize("unit", blocks.UNITS)
def test_texts_at_the_end_of_the_buffer_and_slices_are_read_as_all_others(unit: str) -> None:
    texts = ["\n\n".join(["head", f"own  {row}", "", "foot"][: row % 5]) + "\n" * (row % 3) for row in range(300)]
    whole, repeated = arrow(texts), {"head", "foot"}
    for first, last in ((0, 300), (7, 290), (299, 300)):
        part, expected = whole.slice(first, last - first), texts[first:last]
        offsets, _, _, hashes = blocks.unit_hashes(part, unit=unit, min_characters=1)
        assert np.diff(offsets).tolist() == [len(units(text, unit, 1)) for text in expected]
        assert len(hashes) == offsets[-1]
        edited, spans = blocks.remove(part, table(repeated, unit), unit=unit, min_characters=1)
        assert list(zip(edited.to_pylist(), spans.tolist(), strict=True)) == [
            without(text, repeated, unit, 1) for text in expected
        ]


def test_a_paragraph_goes_only_as_a_whole() -> None:
    texts = ["one\n  two\n\nthree\n", "one two\n", "one\ntwo\nthree\n", "one\t\ntwo\n \nthree\n"]
    edited, spans = blocks.remove(arrow(texts), table({"one\ntwo"}, "paragraph"), unit="paragraph", min_characters=1)
    assert edited.to_pylist() == ["three\n", texts[1], texts[2], "three\n"]
    assert spans.tolist() == [1, 0, 0, 1]


def test_code_points_are_counted_not_bytes() -> None:
    for least, expected in ((7, 3), (8, 1), (9, 0)):
        _, starts, _, _ = blocks.unit_hashes(
            arrow(["漢字かな交じり\n😀😀   😀😀😀😀😀\n😀😀😀😀😀😀😀"]), min_characters=least
        )
        assert len(starts) == expected


def test_a_line_of_many_megabytes_is_one_unit() -> None:
    text = "word  " * 1_000_000
    found = blocks.count(arrow([text, f"{text}\n{text}"]))
    assert found["documents"].to_pylist() == [2]
    assert found["text"][0].as_py() == " ".join(["word"] * 1_000_000)


def test_two_texts_of_one_hash_are_counted_and_removed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def weak(*arguments: object) -> blocks.Units:
        offsets, starts, ends, hashes = found(*arguments)  # type: ignore[arg-type]
        return offsets, starts, ends, np.zeros_like(hashes)

    found = blocks._find
    monkeypatch.setattr(blocks, "_find", weak)
    texts = ["c\na\nb\na", "b\n b\nb ", "a  a\nb", "a a"]
    counts = blocks.count(arrow(texts), min_characters=1)
    assert dict(zip(counts["text"].to_pylist(), counts["documents"].to_pylist(), strict=True)) == {
        "a": 1, "a a": 2, "b": 3, "c": 1,
    }  # fmt: skip
    parts = [blocks.count(arrow([text]), min_characters=1) for text in texts]
    assert blocks.merged(parts).equals(counts)
    kept = counts.filter(pa.array(np.array(counts["documents"].to_pylist()) >= 3))
    assert blocks.remove(arrow(texts), kept, min_characters=1)[0].to_pylist() == ["c\na\na", "", "a  a", "a a"]


def test_hashes_are_the_same_in_every_release() -> None:
    texts = arrow(["a line of thirty-one characters\n short\n\nÉtude  in two\nlines, no more, no less"])
    assert blocks.unit_hashes(texts)[3].tolist() == [0x8443DAE2100C0BB8, 0x5FDFBFB9CF726959]
    assert blocks.unit_hashes(texts, unit="paragraph")[3].tolist() == [0x4BEB8A0A85A04EF9, 0x8AE0227F67573305]


def test_a_unit_of_another_name_and_a_null_text_are_refused() -> None:
    with pytest.raises(ValueError, match="'word', wanted one of line, paragraph"):
        blocks.unit_hashes(arrow(["a"]), unit="word")
    with pytest.raises(ValueError, match="null"):
        blocks.unit_hashes(pa.array(["a", None]))
