"""The documents that the bench hands to its workers."""

import pyarrow.parquet as pq

from bench import inputs

TEXTS = [f"Text {number}: " + "word " * (number % 50) for number in range(1000)]


def test_a_sample_has_the_bytes_asked_for_and_at_most_one_document_more():
    sample = inputs.sample(TEXTS, 20_000)
    sizes = [len(text.encode()) for text in sample]
    assert sum(sizes) >= 20_000 > sum(sizes[:-1])


def test_a_smaller_sample_is_the_beginning_of_a_larger_one():
    small, large = inputs.sample(TEXTS, 5_000), inputs.sample(TEXTS, 30_000)
    assert large[: len(small)] == small
    assert small != TEXTS[: len(small)]


def test_repeated_texts_reach_the_size_and_none_is_there_twice(tmp_path):
    size = inputs.write_repeated(tmp_path / "repeated.parquet", TEXTS, 400_000)
    found = pq.read_table(tmp_path / "repeated.parquet").column("text").to_pylist()
    assert size == sum(len(text.encode()) for text in found) >= 400_000
    assert len(set(found)) == len(found) > len(TEXTS)
    assert found[0].partition("\n")[2] == TEXTS[0]
