"""The small functions of curation that decide identity: shards, URLs. The task itself: tests/test_build.py."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import task
from pipeline.model import Pointer


@given(st.lists(st.integers(0, 2**128 - 1), min_size=2), st.integers(1, 1000))
def test_shards_are_ascending_ranges_of_ids(numbers: list[int], shards: int) -> None:
    found = [task.shard_of(f"{number:032x}", shards) for number in sorted(numbers)]
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < shards


def test_the_first_and_the_last_id_are_in_the_first_and_the_last_shard() -> None:
    assert [task.shard_of(identifier * 32, 7) for identifier in "0f"] == [0, 6]


def test_records_of_one_artifact_have_urls_of_their_own() -> None:
    pointers = [
        Pointer(None, 0, 1, 0), Pointer(None, 2, 1, 1), Pointer("a.jsonl", 0, 1, 0), Pointer("a.jsonl", 2, 1, 1),
        Pointer("a.json", None, None, 0, "/x"), Pointer("a.json", None, None, 1, "/y"), Pointer("a b#c.txt", 0, 1, 0),
    ]  # fmt: skip
    urls = [pointer.subpath() for pointer in pointers]
    assert urls == ["", "#1", "#a.jsonl", "#a.jsonl/1", "#a.json/x", "#a.json/y", "#a%20b%23c.txt"]
