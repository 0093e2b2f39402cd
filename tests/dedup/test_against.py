"""Deduplication against other releases: the choice is the oracle's, none of theirs is dropped, what is read is checked."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup import others
from pipeline.errors import TaskError
from tests.dedup.small_corpus import MILLION, NEAR, Document, expected, sketched, survivors
from tests.dedup.test_deduplication import EXACT, PRIORITIES, SIMILAR, corpora, cut, numbered, parameters, run

FIRST, SECOND = "1" * 64, "2" * 64


def held(documents: list[Document], release: str) -> list[Document]:
    """These documents as those that another release keeps."""
    return [Document(document.number, "theirs", document.text, release) for document in documents]


@settings(max_examples=120)
@given(corpora(largest=10), corpora(largest=8), corpora(largest=5), parameters(), st.booleans())
def test_what_is_dropped_for_documents_of_other_releases_is_what_the_oracle_says(
    own: list[Document], first: list[Document], second: list[Document], near: dict[str, Any], exact: bool
) -> None:
    """Ids are small numbers, so that the same id often stands in several of the three."""
    shards = [pile for pile in (held(first[::2], FIRST), held(first[1::2], FIRST), held(second, SECOND)) if pile]
    found = run(cut(own), near, exact=exact, others=shards)
    assert found.losers == expected(own, near, PRIORITIES, exact, others=[d for pile in shards for d in pile])
    assert found.candidates["documents"] == sum(map(len, [own, *shards]))
    assert set(found.candidates["skipped"]) == set(found.rows) == set(PRIORITIES)
    here = [row for rows in found.rows.values() for row in rows if row["kept_release"] is None]
    assert sorted(row["id"] for rows in found.members.values() for row in rows) == sorted(row["id"] for row in here)
    for rows in found.rows.values():
        assert all((row["kept_source"] == "theirs") == (row["kept_release"] is not None) for row in rows)


def test_a_document_of_another_release_comes_before_the_longest_of_the_highest_priority() -> None:
    own = [Document(1, "b", numbered(60) + " and more words than theirs")]
    theirs = [Document(9, "theirs", numbered(60), FIRST)]
    ((reason, witness, similar),) = run([own], others=[theirs]).losers.values()
    assert (reason, witness) == (SIMILAR, (FIRST, 9))
    assert 800_000 < similar < MILLION


def test_the_same_record_in_both_is_an_exact_copy_of_itself() -> None:
    own, theirs = Document(7, "a", numbered(9)), Document(7, "theirs", numbered(9), FIRST)
    found = run([[own]], others=[[theirs]])
    assert found.losers == {7: (EXACT, (FIRST, 7), MILLION)}
    assert not any(found.members.values())


def test_copies_within_other_releases_stay_and_the_first_release_is_named() -> None:
    text = numbered(20)
    theirs = [[Document(3, "theirs", text, FIRST)], [Document(3, "theirs", text, SECOND)]]
    found = run([[Document(1, "a", text), Document(2, "a", text)]], others=theirs)
    assert found.losers == {1: (EXACT, (FIRST, 3), MILLION), 2: (EXACT, (FIRST, 3), MILLION)}


def test_a_page_that_is_like_a_dropped_one_only_stays() -> None:
    theirs = numbered(100)
    between, far = numbered(100, w50="x"), numbered(100, w50="x", w20="y", w80="z")
    found = run([[Document(1, "a", between), Document(2, "a", far)]], others=[[Document(3, "t", theirs, FIRST)]])
    assert {number: loss[:2] for number, loss in found.losers.items()} == {1: (SIMILAR, (FIRST, 3))}


def test_what_is_told_for_the_alarm_counts_them_and_says_which_release_has_the_copies() -> None:
    own = [Document(number, "a", f"{number} only here") for number in range(3)]
    own += [Document(number, "a", "in both") for number in range(3, 9)]
    theirs = [Document(number, "t", f"theirs {number}") for number in range(100)]
    found = run([own], others=[held([*theirs, Document(200, "t", "in both")], FIRST)]).choose
    assert [found[name]["a"] for name in ("seen", "dropped", "elsewhere")] == [9, 6, 6]
    kept, copy = {"id": f"{200:032x}", "release": FIRST}, {"id": f"{3:032x}", "release": None}
    assert found["largest"]["a"] == [{"copies": 6, "kept": kept, "example": copy}]


@pytest.mark.parametrize("name", ["data", "kept"])
def test_a_file_that_is_not_what_its_manifest_says_is_not_read(tmp_path: Path, name: str) -> None:
    from pipeline.dedup import against

    documents = held([Document(1, "a", numbered(9))], FIRST)
    sketched(tmp_path, documents, NEAR, 3)
    paths = {kind: tmp_path / f"{kind}.parquet" for kind in ("data", "kept")}
    files = {
        kind: {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for kind, path in paths.items()
    }
    data = bytearray(paths[name].read_bytes())
    data[len(data) // 2] ^= 1
    paths[name].write_bytes(data)
    with pytest.raises(TaskError) as error:
        against.run({"release": FIRST, "source": "t", "files": files, "near": NEAR}, paths, tmp_path, print)
    assert (error.value.where, FIRST in error.value.wanted) == (str(paths[name]), True)
    assert hashlib.sha256(data).hexdigest() in error.value.seen
    assert files[name]["sha256"] in error.value.wanted
    paths[name].unlink()
    with pytest.raises(TaskError, match="cannot be read: No such file"):
        others.verify(paths[name], files[name], FIRST)


@pytest.mark.parametrize("rows", [[2, 1], [1], [1, 2, 3]])
def test_texts_and_provenance_of_other_documents_are_refused(tmp_path: Path, rows: list[int]) -> None:
    for name, numbers in (("data", [1, 2]), ("kept", rows)):
        batch = survivors([Document(number, "t", numbered(number), FIRST) for number in numbers])
        pq.write_table(pa.Table.from_batches([batch]), tmp_path / f"{name}.parquet")
    with pytest.raises(TaskError, match="its rows are not those of the provenance beside it"):
        list(others.documents(tmp_path / "data.parquet", tmp_path / "kept.parquet"))


def test_a_release_without_the_columns_that_are_read_is_refused(tmp_path: Path) -> None:
    batch = survivors([Document(1, "t", "x", FIRST)])
    pq.write_table(pa.Table.from_batches([batch]).drop_columns("measures"), tmp_path / "kept.parquet")
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "data.parquet")
    with pytest.raises(TaskError, match=r"there is no column measures\.characters"):
        list(others.documents(tmp_path / "data.parquet", tmp_path / "kept.parquet"))
