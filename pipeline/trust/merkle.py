"""Merkle trees of RFC 9162 (section 2.1; the trees of RFC 6962) with SHA-256.

A leaf is hashed behind a byte 0, a node behind a byte 1, so that neither can be taken for the other. A tree of n leaves has on
its left the largest power of two below n. Hashes are 32-byte `bytes`; a hash of another length is refused (ValueError), as a
longer and a shorter one beside each other could spell the same node. A proof has exactly as many hashes as its place in a
tree of that size asks for: one more or one fewer verifies nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import reduce

SIZE = 32
EMPTY = hashlib.sha256(b"").digest()  # the root of no leaves


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of a byte 0 and the leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a byte 1 and the hashes of the two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows by leaves and is only asked for its root: a hash a level in memory, beside the leaves that come."""

    def __init__(self) -> None:
        self.size = 0
        # By level, the root of the perfect subtree of 2^level leaves that waits for its right sibling. Where the binary digits
        # of `size` have a 1.
        self._waiting: list[bytes | None] = []

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Level by level: a loop over the nodes of a level takes half the time of one over leaves."""
        hashes = [_sized(leaf) for leaf in leaf_hashes]
        self.size += len(hashes)
        level, sha256 = 0, hashlib.sha256
        while hashes:
            if level == len(self._waiting):
                self._waiting.append(None)
            if (left := self._waiting[level]) is not None:
                hashes.insert(0, left)
            self._waiting[level] = hashes.pop() if len(hashes) % 2 else None
            pairs = zip(hashes[::2], hashes[1::2], strict=True)
            hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
            level += 1

    def root(self) -> bytes:
        """The root over the leaves so far; EMPTY for none."""
        roots = [root for root in self._waiting if root is not None]  # from the right, where the smallest are
        return reduce(lambda right, left: node_hash(left, right), roots) if roots else EMPTY


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree over leaf hashes, in their order; EMPTY for none."""
    tree = Tree()
    tree.extend(leaf_hashes)
    return tree.root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes by which the root follows from leaf `index`, from the leaf upwards (RFC 9162, 2.1.3.1).

    Raises IndexError unless 0 <= index < number of leaves.
    """
    return [root_hash(leaf_hashes[low:high]) for low, high in inclusion_ranges(index, len(leaf_hashes))]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Of which leaves (from, to but without) the hashes of an inclusion proof are the roots, in the proof's order.

    Raises IndexError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of a tree of {size}")
    ranges, low, high = [], 0, size
    while high - low > 1:
        middle = low + split(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def verify_inclusion(leaf: bytes, index: int, tree_size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether leaf hash `leaf` is the one at `index` of the tree of `tree_size` leaves with that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < tree_size or not _all_sized(leaf, root, *proof):
        return False
    place, last, found = index, tree_size - 1, leaf
    for hash_ in proof:
        if not last:
            return False
        if place & 1 or place == last:
            found = node_hash(hash_, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        place, last = place >> 1, last >> 1
    return not last and found == root


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The hashes by which the roots of the first `old_size` leaves and of all follow (RFC 9162, 2.1.4.1).

    Raises ValueError unless 0 < old_size <= number of leaves.
    """
    return [root_hash(leaf_hashes[low:high]) for low, high in consistency_ranges(old_size, len(leaf_hashes))]


def consistency_ranges(old_size: int, size: int) -> list[tuple[int, int]]:
    """Of which leaves (from, to but without) the hashes of a consistency proof are the roots, in the proof's order.

    Raises ValueError unless 0 < old_size <= size.
    """
    if not 0 < old_size <= size:
        raise ValueError(f"a tree of {old_size} leaves before one of {size}")
    ranges, low, high = [], 0, size
    known = True  # the verifier has the root of the old part, as it is the old root
    while old_size != high:
        middle = low + split(high - low)
        if old_size <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low, known = middle, False
    if not known:
        ranges.append((low, high))
    return ranges[::-1]


def verify_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of `old_size` leaves is the beginning of the one of `new_size` (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= new_size or not _all_sized(old_root, new_root, *proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    hashes = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not hashes:
        return False
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        place, last = place >> 1, last >> 1
    return not last and (old, new) == (old_root, new_root)


def split(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _sized(hash_: bytes) -> bytes:
    if len(hash_) != SIZE:
        raise ValueError(f"a hash of {len(hash_)} bytes; wanted: {SIZE}")
    return hash_


def _all_sized(*hashes: bytes) -> bool:
    return all(len(hash_) == SIZE for hash_ in hashes)
