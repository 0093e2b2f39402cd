"""Tiles: names, bytes and proofs of a tree in static files, against the specification and against merkle's own proofs."""

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import VerificationError
from pipeline.trust import merkle, tiles
from pipeline.trust.tiles import ENTRIES, Tile

SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 70_000, 65_535, 65_536, 65_537]


def hashes(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(size)]


def stored(leaves: list[bytes]) -> dict[str, bytes]:
    """The hash tiles of a tree, by name."""
    made = tiles.levels(leaves)
    return {tile.name: tiles.content(tile, [], made) for tile in tiles.needed(len(leaves)) if tile.level != ENTRIES}


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    power = 1
    while 2 * power < len(leaves):
        power *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:power]) + mth(leaves[power:])).digest()


@pytest.fixture(scope="module")
def large() -> tuple[list[bytes], dict[str, bytes]]:
    leaves = hashes(65_537)
    return leaves, stored(leaves)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("tile", "name"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(0, 1234067, 256), "tile/0/x001/x234/067"),  # the specification's example
        (Tile(3, 999, 256), "tile/3/999"),
        (Tile(3, 1000, 256), "tile/3/x001/000"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
        (Tile(ENTRIES, 12, 255), "tile/entries/012.p/255"),
    ],
)
def test_a_tile_has_the_name_of_the_specification(tile: Tile, name: str) -> None:
    assert tile.name == name
    assert tiles.parse_name(name) == tile


@given(st.builds(Tile, st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256)))
def test_a_name_gives_its_tile_back(tile: Tile) -> None:
    assert tiles.parse_name(tile.name) == tile


@pytest.mark.parametrize("name", [
    "tile/0/00", "tile/0/0000", "tile/00/000", "tile/0/x000/001", "tile/0/001/000", "tile/0/x001", "tile/64/000",
    "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/-1/000", "tile/entries/000.p",
    "/tile/0/000", "tile/0/000/", "tile/0/\u0661\u0661\u0661", "checkpoint", "tile/0/000.p/5\n", "tile/data/000",
])  # fmt: skip
def test_another_spelling_is_no_name(name: str) -> None:
    assert tiles.parse_name(name) is None


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    needed = list(tiles.needed(70_000))
    assert [sum(tile.level == level and tile.width == 256 for tile in needed) for level in (0, 1, 2)] == [273, 1, 0]
    assert [tile for tile in needed if tile.width < 256 and tile.level != ENTRIES] == [
        Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1),
    ]  # fmt: skip
    assert [tile.name for tile in tiles.needed(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tiles.needed(0)) == []


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize("size", SIZES)
def test_each_hash_of_a_tile_is_the_root_of_its_range(size: int) -> None:
    leaves = hashes(size)
    made = tiles.levels(leaves)
    for tile in tiles.needed(size):
        if tile.level == ENTRIES:
            continue
        data = tiles.content(tile, [], made)
        assert len(data) == 32 * tile.width
        span = 256**tile.level
        for i in {0, tile.width // 2, tile.width - 1}:
            start = (tile.index * 256 + i) * span
            assert start + span <= size
            assert data[32 * i :][:32] == mth(leaves[start : start + span])


def test_a_bundle_is_its_entries_behind_their_lengths_in_two_big_endian_bytes() -> None:
    entries = [b"a" * 32, b"\1" + b"a" * 32, b"", b"x" * 65_535]
    data = tiles.content(Tile(ENTRIES, 0, 4), entries, [])
    assert data == b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)
    assert tiles.read_bundle(data, 4, "bundle") == entries


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\0\1a\0", "ends within entry 1"), (b"\0\1a\0\2b", "ends within entry 1"), (b"\0\1a", "has 1 entries"),
     (b"\0\1a\0\1b\0\1c", "has 3 entries"), (b"", "has 0 entries")],
)  # fmt: skip
def test_a_bundle_that_is_cut_or_too_long_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        tiles.read_bundle(data, 2, "bundle")


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=255), st.data())
def test_no_beginning_of_a_bundle_is_the_bundle(entries: list[bytes], data: st.DataObject) -> None:
    whole = tiles.content(Tile(ENTRIES, 0, len(entries)), entries, [])
    assert tiles.read_bundle(whole, len(entries), "bundle") == entries
    with pytest.raises(VerificationError):
        tiles.read_bundle(whole[: data.draw(st.integers(0, len(whole) - 1))], len(entries), "bundle")


# ---------------------------------------------------------------- proofs


@pytest.mark.parametrize("size", [1, 2, 3, 7, 255, 256, 257, 300, 513])
def test_proofs_from_tiles_are_those_from_all_leaves(size: int) -> None:
    leaves = hashes(size)
    files = stored(leaves)
    for index in {0, 1, size // 3, size // 2, size - 1} & set(range(size)):
        assert tiles.inclusion_proof(files.__getitem__, size, index) == merkle.inclusion_proof(leaves, index)
    for old in {1, size // 2, 256, 255, size} & set(range(1, size + 1)):
        assert tiles.consistency_proof(files.__getitem__, size, old) == merkle.consistency_proof(leaves, old)


def test_a_proof_in_a_large_tree_reads_few_tiles(large: tuple[list[bytes], dict[str, bytes]]) -> None:
    leaves, files = large
    root = merkle.root_hash(leaves)
    read: set[str] = set()

    def fetch(name: str) -> bytes:
        read.add(name)
        return files[name]

    for index in (0, 255, 256, 40_000, 65_535, 65_536):
        read.clear()
        proof = tiles.inclusion_proof(fetch, len(leaves), index)
        assert merkle.verify_inclusion(leaves[index], index, len(leaves), proof, root)
        assert len(read) <= 4
    proof = tiles.consistency_proof(fetch, len(leaves), 300)
    assert merkle.verify_consistency(300, len(leaves), proof, merkle.root_hash(leaves[:300]), root)


def test_a_short_tile_is_named() -> None:
    files = stored(hashes(300))
    files["tile/0/000"] = files["tile/0/000"][:-32]
    with pytest.raises(VerificationError, match="8160 bytes") as caught:
        tiles.inclusion_proof(files.__getitem__, 300, 5)
    assert caught.value.where == "tile/0/000"
