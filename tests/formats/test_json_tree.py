"""JSON trees: patterns, pointers, text in the order of the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import json_tree
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import extract, read_artifact
from pipeline.model import Document, Record
from pipeline.trust import canonical
from tests.formats.records_of import options, outcomes, reasons

TREE = {
    "b": {"title": "Beta", "parts": [{"text": "one"}, {"text": "two", "note": "small"}]},
    "a": {"title": "Alpha", "parts": [{"text": "<p>three &amp; <b>four</b></p>"}]},
    "x/y~z": {"title": "Odd", "parts": []},
}
DATA = json.dumps(TREE).encode()


def resolve(tree: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        tree = tree[int(step)] if isinstance(tree, list) else tree[step]
    return tree


def read(data: bytes, folder: Path, spec: dict[str, Any]) -> list[Any]:
    path = folder / "tree.json"
    path.write_bytes(data)
    return list(read_artifact(path, "tree.json", members=["**"], exclude=[], spec=spec))


def test_each_subtree_is_a_record_whose_raw_bytes_are_canonical(tmp_path: Path) -> None:
    found = read(DATA, tmp_path, options("json", records="/*"))
    assert [record.pointer.path for record in found] == ["/b", "/a", "/x~1y~0z"]
    for record in found:
        assert record.raw == canonical.dumps(resolve(TREE, record.pointer.path))
        assert (record.pointer.offset, record.pointer.length) == (None, None)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, ["Beta\none\ntwo\nsmall\nAlpha\nthree & four\nOdd"]),
        ({"text": ("/*/title",)}, ["Beta\nAlpha\nOdd"]),
        ({"text": ("/**/text",)}, ["one\ntwo\nthree & four"]),
        ({"text": ("/*/parts/1/*", "/*/title")}, ["two\nsmall\nBeta\nAlpha\nOdd"]),
        ({"records": "/*/parts/*", "text": ("/text",)}, ["one", "two", "three & four"]),
        ({"records": "/**/text", "text": ("",)}, ["one", "two", "three & four"]),
        ({"text": ("/**/text", "/**")}, ["one\ntwo\nthree & four\nBeta\nsmall\nAlpha\nOdd"]),
        ({"records": "/x~1y~0z", "text": ("/title",)}, ["Odd"]),
        ({"text": ("/**/text",), "headings": True}, ["b\nparts\none\ntwo\n\na\nparts\nthree & four"]),
    ],
)
def test_patterns_choose_the_text_in_the_order_of_the_file(tmp_path: Path, given: dict, wanted: list[str]) -> None:
    found = outcomes(DATA, options("json", **given), tmp_path)
    assert [outcome.text for outcome in found if isinstance(outcome, Document)] == wanted


def test_a_title_is_chosen_by_its_pattern(tmp_path: Path) -> None:
    found = outcomes(DATA, options("json", records="/*", text=("/parts/*/text",), title="/title"), tmp_path)
    assert [outcome.title for outcome in found if isinstance(outcome, Document)] == ["Beta", "Alpha"]
    assert reasons(found) == ["ok", "ok", "no_text"]


def test_keys_stand_above_their_text_once(tmp_path: Path) -> None:
    data = b'{"Land": {"Area": {"total": {"text": "5"}, "water": {"text": "1"}}, "Climate": {"text": "cold"}}}'
    (found,) = outcomes(data, options("json", text=("/**/text",), headings=True), tmp_path)
    assert isinstance(found, Document)
    assert found.text == "Land\nArea\ntotal\n5\n\nwater\n1\n\nClimate\ncold"


@pytest.mark.parametrize("text", ["a < b > c", "R&D", "List<String>", "x &c y", "AT&T; and", "<3"])
def test_a_string_that_only_looks_like_markup_stays(text: str) -> None:
    assert json_tree.plain(text) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "unreadable:json"), (b"", "unreadable:json"), (b'{"a": 1, "a": 2}', "unreadable:duplicate_key"),
        (b'{"a": NaN}', "unreadable:json"), (b'{"a": "\xff"}', "unreadable:charset"), (b"[" * 100_000, "unreadable:too_deep"),
        (b'{"a": "\\ud800"}', "unreadable:json"), (b"{} {}", "unreadable:json"),
    ],
)  # fmt: skip
def test_a_member_that_is_no_json_is_one_fault(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reasons(outcomes(data, options("json"), tmp_path)) == [reason]


def test_a_member_in_which_no_record_matches_is_one_fault(tmp_path: Path) -> None:
    assert reasons(outcomes(DATA, options("json", records="/no/such"), tmp_path)) == ["unreadable:no_records"]


def test_a_tree_of_1000_levels_is_read_or_is_a_ledger_row(tmp_path: Path) -> None:
    for depth in (100, 500, 900, 1500, 5000):
        data = b'{"a": ' * depth + b'"x"' + b"}" * depth
        assert reasons(outcomes(data, options("json"), tmp_path)) in (
            ["ok"],
            ["unreadable:too_deep"],
            ["unreadable:json"],
        )
    data = b'{"a": ' * 50 + b'"x"' + b"}" * 50
    assert reasons(outcomes(data, options("json"), tmp_path)) == ["ok"]


def test_a_number_beyond_what_json_can_carry_is_kept_as_its_digits(tmp_path: Path) -> None:
    (record,) = read(
        b'{"n": 123456789012345678901234567890, "t": "x", "f": 1e999, "d": 0.1}', tmp_path, options("json")
    )
    assert record.raw == b'{"d":0.1,"f":"1e999","n":"123456789012345678901234567890","t":"x"}'


def oracle(tree: Any, steps: list[str], path: tuple = ()) -> set[tuple]:
    """Paths that a pattern matches, by plain recursion."""
    if not steps:
        return {path}
    children = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    found = oracle(tree, steps[1:], path) if steps[0] == "**" else set()
    for key, child in children:
        if steps[0] == "**":
            found |= oracle(child, steps, (*path, key))
        elif steps[0] in ("*", str(key)):
            found |= oracle(child, steps[1:], (*path, key))
    return found


TREES = st.recursive(
    st.one_of(st.text("ab", max_size=3), st.integers(0, 3), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES, st.lists(st.sampled_from(["*", "**", "a", "b", "0", "1"]), max_size=5))
def test_patterns_match_what_plain_recursion_matches(tree: Any, steps: list[str]) -> None:
    found = list(json_tree.matches(tree, steps))
    assert {path for path, _ in found} == oracle(tree, steps)
    assert len({path for path, _ in found}) == len(found)
    for path, value in found:
        assert resolve(tree, json_tree.pointer(path)) == value


def test_many_double_stars_take_no_longer(tmp_path: Path) -> None:
    tree: Any = "x"
    for _ in range(60):
        tree = {"a": tree, "b": "y"}
    found = list(json_tree.matches(tree, ["**"] * 30 + ["b"]))
    assert len(found) == 60


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), TREES.map(lambda tree: json.dumps(tree).encode())))
def test_any_bytes_are_records_or_one_fault(tmp_path: Path, data: bytes) -> None:
    try:
        assert len(outcomes(data, options("json"), tmp_path)) == 1
    except (Truncated, Bomb):
        assert data[:1] in (b"\x1f", b"B", b"\xfd", b"\x28", b"P", b"!")


def test_the_text_is_the_same_when_read_again_from_raw_alone_up_to_order(tmp_path: Path) -> None:
    (record,) = read(DATA, tmp_path, options("json"))
    bare = extract(Record(record.pointer, record.raw), options("json"))
    full = extract(record, options("json"))
    assert isinstance(bare, Document)
    assert isinstance(full, Document)
    assert sorted(bare.text.split("\n")) == sorted(full.text.split("\n"))
