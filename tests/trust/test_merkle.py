"""Merkle trees against RFC 9162's own definitions, written down as they stand there, and against published roots."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust import merkle

# The leaves and roots that Certificate Transparency's implementations test with (google/certificate-transparency,
# merkletree/merkle_tree_test; Apache-2.0).
LEAVES = [bytes.fromhex(leaf) for leaf in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def split(count: int) -> int:
    """The largest power of two below `count`."""
    power = 1
    while 2 * power < count:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1: MTH(D_n)."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return sha256(b"\0", leaves[0])
    k = split(len(leaves))
    return sha256(b"\1", mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1: PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    """RFC 9162, 2.1.4.1: SUBPROOF(m, D_n, b)."""
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def leaves_of(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


def hashes_of(leaves: Sequence[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(leaf) for leaf in leaves]


def spoilt(hash_: bytes, bit: int) -> bytes:
    return (int.from_bytes(hash_, "big") ^ 1 << bit).to_bytes(32, "big")


sizes = st.integers(1, 300)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_that_are_published(size: int) -> None:
    assert merkle.root_hash(hashes_of(LEAVES[:size])).hex() == ROOTS[size]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_tree_has_the_root_of_its_leaves_at_any_time_however_they_came(pieces: list[int]) -> None:
    tree, leaves, size = merkle.Tree(), leaves_of(sum(pieces)), 0
    for piece in pieces:
        tree.extend(hashes_of(leaves[size : size + piece]))
        size += piece
        assert (tree.size, tree.root()) == (size, mth(leaves[:size]))
    assert (tree.size, tree.root()) == (len(leaves), mth(leaves))


@pytest.mark.parametrize("size", range(1, 301))
def test_roots_and_all_inclusion_proofs_are_those_of_the_rfc(size: int) -> None:
    leaves = leaves_of(size)
    hashes, root = hashes_of(leaves), mth(leaves)
    assert merkle.root_hash(iter(hashes)) == root
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        proof = merkle.inclusion_proof(hashes, index)
        assert proof == path(index, leaves)
        assert merkle.verify_inclusion(hashes[index], index, size, proof, root)


@given(st.data())
def test_consistency_proofs_are_those_of_the_rfc(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(1, new))
    leaves = leaves_of(new)
    proof = merkle.consistency_proof(hashes_of(leaves), old)
    assert proof == subproof(old, leaves, True)
    assert merkle.verify_consistency(old, new, proof, mth(leaves[:old]), mth(leaves))


@given(st.data())
def test_an_inclusion_proof_holds_for_its_own_leaf_place_size_and_root_alone(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    hashes, root = hashes_of(leaves), mth(leaves)
    proof = merkle.inclusion_proof(hashes, index)
    bit = data.draw(st.integers(0, 255))
    assert not merkle.verify_inclusion(spoilt(hashes[index], bit), index, size, proof, root)
    assert not merkle.verify_inclusion(hashes[index], index, size, proof, spoilt(root, bit))
    other = data.draw(st.integers(-2, size + 2).filter(lambda place: place != index))
    assert not merkle.verify_inclusion(hashes[index], other, size, proof, root)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*proof, root], root)
    assert not merkle.verify_inclusion(hashes[index], index, 0, proof, root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_inclusion(hashes[index], index, size, proof[:at] + proof[at + 1 :], root)
        changed = [*proof[:at], spoilt(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.verify_inclusion(hashes[index], index, size, changed, root)


@given(st.data())
def test_a_consistency_proof_holds_for_its_own_sizes_and_roots_alone(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(1, new))
    leaves = leaves_of(new)
    before, after = mth(leaves[:old]), mth(leaves)
    proof = merkle.consistency_proof(hashes_of(leaves), old)
    bit = data.draw(st.integers(0, 255))
    assert not merkle.verify_consistency(old, new, proof, spoilt(before, bit), after)
    assert not merkle.verify_consistency(old, new, proof, before, spoilt(after, bit))
    assert not merkle.verify_consistency(old, new, [*proof, after], before, after)
    assert not merkle.verify_consistency(0, new, proof, before, after)
    assert not merkle.verify_consistency(new + 1, new, proof, before, after)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_consistency(old, new, proof[:at] + proof[at + 1 :], before, after)
        changed = [*proof[:at], spoilt(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.verify_consistency(old, new, changed, before, after)


def test_an_inclusion_proof_is_refused_for_every_place_that_asks_for_another_length() -> None:
    for size in range(1, 9):
        leaves = leaves_of(size)
        hashes, root = hashes_of(leaves), mth(leaves)
        for index in range(size):
            proof = merkle.inclusion_proof(hashes, index)
            for claimed in range(1, 18):
                for place in range(claimed):
                    if len(path(place, leaves_of(claimed))) != len(proof):
                        assert not merkle.verify_inclusion(hashes[index], place, claimed, proof, root)
            assert not merkle.verify_inclusion(hashes[index], index - size, size, proof, root)  # a list would take it


def test_a_consistency_proof_is_refused_for_all_sizes_that_ask_for_another_length() -> None:
    for new in range(1, 9):
        leaves = leaves_of(new)
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(hashes_of(leaves), old)
            for claimed in range(1, 18):
                for before in range(1, claimed + 1):
                    if len(subproof(before, leaves_of(claimed), True)) != len(proof):
                        assert not merkle.verify_consistency(before, claimed, proof, mth(leaves[:old]), mth(leaves))


@given(st.data())
def test_a_tree_that_was_rewritten_is_not_consistent(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    leaves = leaves_of(new)
    forged = leaves.copy()
    forged[data.draw(st.integers(0, old - 1))] = b"another"
    proof = merkle.consistency_proof(hashes_of(forged), old)
    assert not merkle.verify_consistency(old, new, proof, mth(leaves[:old]), mth(forged))


def test_a_leaf_is_never_a_node() -> None:
    one, other = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(one + other) != merkle.node_hash(one, other) == merkle.root_hash([one, other])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    hashes = hashes_of(leaves_of(4))
    root, odd = merkle.root_hash(hashes), bytes(length)
    with pytest.raises(ValueError, match=f"a hash of {length} bytes"):
        merkle.root_hash([*hashes, odd])
    proof = merkle.inclusion_proof(hashes, 1)
    for leaf, steps, end in ((odd, proof, root), (hashes[1], [odd, proof[1]], root), (hashes[1], proof, odd)):
        assert not merkle.verify_inclusion(leaf, 1, 4, steps, end)
    # Two hashes, cut elsewhere, spell the same node.
    left, right = proof[1][:31], proof[1][31:]
    assert not merkle.verify_inclusion(hashes[1], 1, 4, [proof[0], left, right], root)
    assert not merkle.verify_consistency(2, 4, [odd], merkle.root_hash(hashes[:2]), root)


@pytest.mark.parametrize("index", [-1, 4, 5])
def test_no_proof_is_made_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match=f"leaf {index} of a tree of 4"):
        merkle.inclusion_proof(hashes_of(leaves_of(4)), index)


@pytest.mark.parametrize("old", [-1, 0, 5])
def test_no_proof_is_made_from_a_tree_that_was_not(old: int) -> None:
    with pytest.raises(ValueError, match=f"a tree of {old} leaves before one of 4"):
        merkle.consistency_proof(hashes_of(leaves_of(4)), old)
