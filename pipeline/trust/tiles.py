"""A Merkle tree as static files (C2SP tlog-tiles, c2sp.org/tlog-tiles): their names, their bytes, and proofs from them.

The rules:
- a tile of level L is 256 consecutive hashes of perfect subtrees of 256^L leaves: `tile/L/N`, 8,192 bytes. At level 0 these
  are the leaf hashes. The rightmost tile of a level may be partial: `tile/L/N.p/W`, W hashes, 1 to 255;
- an entry bundle is the entries of 256 leaves, each behind its length (2 bytes, big-endian): `tile/entries/N[.p/W]`;
- N is in groups of three digits, all but the last with an `x` before them: 1234067 is `x001/x234/067`. A number has one
  spelling;
- a tree of a size needs every full tile and bundle, and the partial ones of that size; no tile is empty. Partial ones of
  smaller sizes may stay: they are the beginnings of those that took their place.
Everything here is of values: a folder, or a server, is a function from a name to bytes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import VerificationError
from pipeline.trust import merkle

WIDTH = 256  # hashes of a full tile, entries of a full bundle
HEIGHT = 8  # levels of the tree in a tile: 2^8 = WIDTH
DEPTH = 24  # folders around a tile, at most: `tile`, its level, groups of three digits, `N.p`
ENTRY_LIMIT = (1 << 16) - 1  # bytes of an entry: its length has two
ENTRIES = -1  # the "level" of entry bundles
NAME = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

Fetch = Callable[[str], bytes]  # the bytes of the file of this name; raises VerificationError


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: its level (ENTRIES for a bundle), its index in the level, and its width: 1 to 256 hashes or entries."""

    level: int
    index: int
    width: int

    @property
    def name(self) -> str:
        groups = f"{self.index:03d}"
        groups = groups.zfill(-(-len(groups) // 3) * 3)
        parts = [groups[at : at + 3] for at in range(0, len(groups), 3)]
        path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        kind = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{kind}/{path}" + (f".p/{self.width}" if self.width < WIDTH else "")


def parse_name(name: str) -> Tile | None:
    """The tile of this name; None if it is no tile's name in its one spelling."""
    match = NAME.fullmatch(name)
    if not match:
        return None
    level = ENTRIES if match[1] == "entries" else int(match[1])
    tile = Tile(level, int(match[2].replace("x", "").replace("/", "")), int(match[3] or WIDTH))
    return tile if tile.name == name and level < 64 else None


def count(level: int, size: int) -> int:
    """How many hashes (or entries) a level of a tree of `size` leaves has."""
    return size >> (HEIGHT * max(level, 0))


def needed(size: int) -> Iterator[Tile]:
    """The files that a log of `size` entries has to have, full ones and the partial ones of that size."""
    levels = [ENTRIES, *range(64)]
    for level in levels:
        full, rest = divmod(count(level, size), WIDTH)
        yield from (Tile(level, index, WIDTH) for index in range(full))
        if rest:
            yield Tile(level, full, rest)


def allowed(tile: Tile, size: int) -> bool:
    """Whether a log of `size` entries may have this file: all it holds is of the log's first `size` entries."""
    return tile.index * WIDTH + tile.width <= count(tile.level, size)


def levels(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes of every level of tiles, from the leaf hashes up: level L + 1 has the roots of the full tiles of level L."""
    found = [list(leaf_hashes)]
    while len(below := found[-1]) >= WIDTH:
        full = len(below) // WIDTH
        found.append([merkle.root_hash(below[at * WIDTH : (at + 1) * WIDTH]) for at in range(full)])
    return found


def content(tile: Tile, entries: Sequence[bytes], hashes: Sequence[Sequence[bytes]]) -> bytes:
    """The bytes of a tile or bundle. `hashes`: the `levels` of the entries. For tiles that are `allowed`."""
    part = slice(tile.index * WIDTH, tile.index * WIDTH + tile.width)
    if tile.level == ENTRIES:
        return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries[part])
    return b"".join(hashes[tile.level][part])


def read_bundle(data: bytes, width: int, where: str) -> list[bytes]:
    """The entries of a bundle: exactly `width`, and nothing after them. Raises VerificationError."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + size]
        if at + 2 > len(data) or len(entry) < size:
            raise VerificationError(f"ends within entry {len(entries)}", where=where)
        entries.append(entry)
        at += 2 + size
    if len(entries) != width:
        raise VerificationError(f"has {len(entries)} entries", wanted=str(width), where=where)
    return entries


def inclusion_proof(fetch: Fetch, size: int, index: int) -> list[bytes]:
    """The proof that leaf `index` is in a tree of `size`, from the few tiles that it needs. Raises IndexError."""
    return [_root(fetch, size, low, high) for low, high in merkle.inclusion_ranges(index, size)]


def consistency_proof(fetch: Fetch, size: int, old_size: int) -> list[bytes]:
    """The proof that a tree of `old_size` is the beginning of that of `size`, from the tiles. Raises ValueError."""
    return [_root(fetch, size, low, high) for low, high in merkle.consistency_ranges(old_size, size)]


def _root(fetch: Fetch, size: int, low: int, high: int) -> bytes:
    """The root of leaves `low` to `high`, a range that the tree splits into: perfect subtrees come from one tile each."""
    width = high - low
    if width & (width - 1):
        middle = low + merkle.split(width)
        return merkle.node_hash(_root(fetch, size, low, middle), _root(fetch, size, middle, high))
    level = (width.bit_length() - 1) // HEIGHT  # of the tile whose hashes are as large as the range, or smaller
    first, number = low >> (HEIGHT * level), width >> (HEIGHT * level)
    index, at = divmod(first, WIDTH)
    tile = Tile(level, index, min(WIDTH, count(level, size) - index * WIDTH))
    data = fetch(tile.name)
    if len(data) != tile.width * merkle.SIZE:
        raise VerificationError(f"has {len(data)} bytes", wanted=str(tile.width * merkle.SIZE), where=tile.name)
    return merkle.root_hash(data[place * merkle.SIZE :][: merkle.SIZE] for place in range(at, at + number))
