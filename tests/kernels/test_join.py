"""Proposed pairs against a plain loop over buckets."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import join

Documents = list[tuple[int, int]]  # key, source; the place in the list is the rank


def expected(documents: Documents, number: int, first: int, neighbours: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs (later, earlier) of the bound, and by the later's source the pairs of one key that it leaves out."""
    buckets = defaultdict(list)
    for rank, (key, _) in enumerate(documents):
        buckets[key].append(rank)
    pairs, skipped = [], [0] * number
    for bucket in buckets.values():
        for place, later in enumerate(bucket):
            for before, earlier in enumerate(bucket[:place]):
                if before < first or place - before <= neighbours:
                    pairs.append((later, earlier))
                else:
                    skipped[documents[later][1]] += 1
    return sorted(pairs), skipped


def proposed(
    documents: Documents, number: int, first: int, neighbours: int, seed: int = 0
) -> tuple[list[tuple[int, int]], list[int]]:
    """What the kernel says; the ranks of a bucket come in an order drawn from `seed`."""
    keys = np.array([key for key, _ in documents], np.uint64)
    shuffled = np.random.default_rng(seed).permutation(len(documents))
    order = shuffled[np.argsort(keys[shuffled], kind="stable")]
    sources = np.array([source for _, source in documents], np.int32)
    ranks = order.astype(np.uint32)
    pairs, skipped = join.propose(keys[order], ranks, sources, number, first=first, neighbours=neighbours)
    assert (pairs.dtype, skipped.dtype, skipped.shape) == (np.uint64, np.int64, (number,))
    ascending = np.lexsort((order, keys[order]))
    assert ranks.tolist() == order[ascending].tolist()  # in place, and only within the buckets
    return sorted((pair >> 32, pair & 0xFFFFFFFF) for pair in pairs.tolist()), skipped.tolist()


document = st.tuples(st.sampled_from([0, 1, 2, 2**63, 2**64 - 1]), st.integers(0, 2))


@given(st.lists(document, max_size=70), st.integers(1, 9), st.integers(0, 9), st.integers(0, 99))
def test_pairs_are_those_of_each_key_that_the_bound_allows(
    documents: Documents, first: int, neighbours: int, seed: int
) -> None:
    assert proposed(documents, 3, first, neighbours, seed) == expected(documents, 3, first, neighbours)


@pytest.mark.parametrize(("first", "neighbours"), [(8, 8), (1, 0), (0, 1), (3, 20), (1000, 0), (0, 1000)])
@pytest.mark.parametrize("size", [1, 2, 8, 9, 15, 16, 17, 18, 23, 24, 25, 26, 1000])
def test_buckets_about_the_bound_and_far_beyond_are_bounded(size: int, first: int, neighbours: int) -> None:
    documents = [(4, 0), *[(7, rank % 2) for rank in range(size)], (9, 1)]
    pairs, skipped = proposed(documents, 2, first, neighbours)
    assert (pairs, skipped) == expected(documents, 2, first, neighbours)
    assert len(pairs) + sum(skipped) == size * (size - 1) // 2


def test_a_bucket_within_the_bound_skips_nobody_and_the_next_document_one() -> None:
    for size, missed in ((17, 0), (18, 1), (19, 3)):
        assert proposed([(1, 0)] * size, 1, 8, 8)[1] == [missed]


def test_a_huge_bucket_makes_as_many_pairs_as_the_bound_for_each_document() -> None:
    pairs, skipped = proposed([(5, 0)] * 100_000, 1, 8, 8)
    assert len(pairs) == 17 * 16 // 2 + (100_000 - 17) * 16
    assert len(pairs) + skipped[0] == 100_000 * 99_999 // 2
    assert pairs[-16:] == [(99_999, rank) for rank in (*range(8), *range(99_991, 99_999))]


def test_ranks_of_32_bits_make_pairs_of_64() -> None:
    sources = np.broadcast_to(np.int32(0), (2**32 - 1,))  # of as many documents as a rank can number, in four bytes
    ranks = np.array([2**32 - 2, 0, 2**31], np.uint32)
    pairs, _ = join.propose(np.zeros(3, np.uint64), ranks, sources, 1, first=8, neighbours=8)
    wanted = [(2**31, 0), (2**32 - 2, 0), (2**32 - 2, 2**31)]
    assert sorted(pairs.tolist()) == [later << 32 | earlier for later, earlier in wanted]


def test_documents_alone_with_their_keys_make_no_pairs() -> None:
    assert proposed([(key, 0) for key in range(500)], 1, 8, 8) == ([], [0])
    assert proposed([], 2, 8, 8) == ([], [0, 0])


@given(st.lists(st.sampled_from([0, 1, 5, 2**32, 2**64 - 1]) | st.integers(0, 2**64 - 1), max_size=50))
def test_distinct_pairs_come_sorted_and_once(pairs: list[int]) -> None:
    found = join.distinct(np.array(pairs, np.uint64))
    assert (found.dtype, found.tolist()) == (np.uint64, sorted(set(pairs)))
