"""Index trees against a plain count of names."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust import index, merkle, roots
from pipeline.trust.urls import canonical_url, domains, package

FATES = ("kept", "dropped", "removed")
NAMES = st.sampled_from(
    ["https://a.org/x", "HTTPS://A.org:443/x", "https://b.a.org/", "pkg:pypi/one@1#x", "pkg:pypi/one@1"]
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "fate": st.sampled_from(FATES[:2]), "id": st.sampled_from(["aa", "ab", "ac", "ad"]), "url": st.none() | NAMES,
            "purl": st.sampled_from(["pkg:pypi/one@1", "pkg:pypi/two@2?a=b"]), "text": st.sampled_from(["", "x", "y"]),
        }
    ),
    max_size=12,
)  # fmt: skip


def plain_counts(rows: list[dict[str, Any]]) -> dict[str, dict[bytes, list[int]]]:
    """docs/format.md, "Index trees": key to counts, tree by tree, a row at a time."""
    found: dict[str, dict[bytes, list[int]]] = {tree: {} for tree in index.TREES}

    def add(tree: str, key: bytes, fate: str) -> None:
        found[tree].setdefault(key, [0, 0, 0])[FATES.index(fate)] += 1

    def key(tree: str, name: str) -> bytes:
        return hashlib.sha256(f"pellucid/index/{tree}/v1\0{name}".encode()).digest()

    for row in rows:
        add("ids", key("ids", row["id"]), row["fate"])
        urls = {row["purl"], row["purl"] if row["url"] is None else canonical_url(row["url"])}
        for url in urls:
            add("urls", key("urls", url), row["fate"])
        under = (
            {package(row["purl"])}
            if row["url"] is None
            else {*domains(canonical_url(row["url"])), package(row["purl"])}
        )
        for name in under:
            add("domains", key("domains", name), row["fate"])
        if row["fate"] == "kept":
            add("texts", hashlib.sha256(row["text"].encode()).digest(), "kept")
    return found


def parts(rows: list[dict[str, Any]]) -> list[dict[str, index.Entries]]:
    made = []
    for fate in FATES[:2]:
        mine = [row for row in rows if row["fate"] == fate]
        batch = pa.RecordBatch.from_pylist(
            [{name: row[name] for name in index.COLUMNS} for row in mine],
            pa.schema([(name, pa.string()) for name in index.COLUMNS]),
        )
        texts = b"".join(hashlib.sha256(row["text"].encode()).digest() for row in mine)
        made.append(index.of_rows(fate, batch, texts if fate == "kept" else b""))
    return made


@given(ROWS)
def test_entries_are_a_count_of_names_and_leaves_are_those_of_the_specification(rows: list[dict[str, Any]]) -> None:
    entries, wanted = index.together(parts(rows)), plain_counts(rows)
    for tree in index.TREES:
        found = entries[tree]
        keys = [found.key(place) for place in range(len(found.keys))]
        assert dict(zip(keys, found.counts.tolist(), strict=True)) == wanted[tree]
        assert keys == sorted(wanted[tree])
        data = [
            f"pellucid/index/{tree}/v1\0".encode() + key + b"".join(n.to_bytes(8, "big") for n in wanted[tree][key])
            for key in keys
        ]
        assert [roots.index_leaf(tree, key, wanted[tree][key]) for key in keys] == data
        assert index.leaf_hashes(tree, found) == [merkle.leaf_hash(leaf) for leaf in data]


@given(ROWS, st.integers(0, 12))
def test_entries_do_not_depend_on_how_rows_are_cut_into_parts(rows: list[dict[str, Any]], cut: int) -> None:
    whole, halves = index.together(parts(rows)), index.together([*parts(rows[cut:]), *parts(rows[:cut])])
    assert index.roots(whole) == index.roots(halves)


@given(ROWS)
def test_entries_that_were_stored_are_read_as_they_were(rows: list[dict[str, Any]]) -> None:
    entries = index.together(parts(rows))
    assert index.roots(index.from_table(index.to_table(entries))) == index.roots(entries)


def test_a_key_that_ends_in_zeros_is_not_lost() -> None:
    keys = [b"\0" * 32, b"\1" + b"\0" * 31, b"\1" * 31 + b"\0"]
    entries = index.Entries(np.array(keys, "S32"), np.ones((3, 3), np.int64))
    assert [entries.find(key) for key in keys] == [(0, True), (1, True), (2, True)]
    assert entries.find(b"\1" * 32) == (3, False)
    assert entries.find(b"\0" * 31 + b"\1") == (1, False)
    assert index.leaf_hashes("ids", entries) == [
        merkle.leaf_hash(roots.index_leaf("ids", key, (1, 1, 1))) for key in keys
    ]


def test_an_artifact_without_records_is_there_with_counts_of_zero() -> None:
    entries = index.together([index.of_artifacts(["pkg:pypi/one@1", "pkg:pypi/one@2"])])
    for tree, names in (("urls", ["pkg:pypi/one@1", "pkg:pypi/one@2"]), ("domains", ["pkg:pypi/one"])):
        assert [entries[tree].find(roots.index_key(tree, name))[1] for name in names] == [True] * len(names)
        assert entries[tree].counts.tolist() == [[0, 0, 0]] * len(names)


def test_a_removed_document_is_under_its_id_alone() -> None:
    entries = index.of_rows("removed", pa.RecordBatch.from_pydict({"id": ["aa"]}))
    assert set(entries) == {"ids"}
    assert entries["ids"].counts.tolist() == [[0, 0, 1]]


def test_a_dropped_document_has_no_entry_among_the_texts() -> None:
    rows = pa.RecordBatch.from_pydict({"id": ["aa"], "url": ["https://a.org/"], "purl": ["pkg:pypi/one@1"]})
    assert "texts" not in index.of_rows("dropped", rows)
    assert "texts" in index.of_rows("kept", rows, bytes(32))


@pytest.mark.parametrize("tree", index.TREES)
def test_a_name_has_another_key_in_every_tree(tree: str) -> None:
    name = "ab" * 32  # of a text, too
    others = {roots.index_key(other, name) for other in index.TREES if other != tree}
    assert roots.index_key(tree, name) not in others
