"""Index trees: what a release has under a name, and, by two leaves beside each other, that it has nothing.

Four Merkle trees (RFC 9162), each over leaves in the order of their keys, each key once:
    ids      every document's id, kept, dropped or removed
    urls     the canonical URL (`urls.canonical_url`) of every kept or dropped record that has one, and every artifact's
    Package URL domains  the names (`urls.domains`) that these are under texts    the texts of kept documents
A key is the SHA-256 of the tree's tag (`pellucid/index/ids/v1` and a NUL byte, and so on) and the name in UTF-8; of a text, the
SHA-256 of its UTF-8 bytes, which is its row's `text_sha256`. A leaf is the tag, the key (32 bytes), and how many documents
under that name are kept, how many dropped, how many removed by a takedown (8 bytes each, big-endian).

Of a dropped text nothing stands in `texts`, of a removed document nothing but its id: a hash would confirm a guess.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import merkle
from pipeline.trust.roots import FATES, Root, index_tag
from pipeline.trust.roots import INDEX_TREES as TREES
from pipeline.trust.urls import canonical_urls, domains, package

COLUMNS = ("id", "url", "purl")
Keys = npt.NDArray[np.bytes_]
STORED = pa.schema(
    [pa.field("tree", pa.string()), pa.field("key", pa.binary(32)), *(pa.field(fate, pa.int64()) for fate in FATES)]
)


@dataclass(frozen=True, slots=True)
class Entries:
    """Leaves of one tree: `keys` (n,) S32, ascending, each once; `counts` (n, 3) int64, by FATES."""

    keys: Keys
    counts: npt.NDArray[np.int64]

    def key(self, index: int) -> bytes:
        """The 32 bytes of a key (numpy drops the zeros at an S value's end)."""
        return bytes(self.keys[index]).ljust(32, b"\0")

    def find(self, key: bytes) -> tuple[int, bool]:
        """Where a key stands, or would stand."""
        place = int(np.searchsorted(self.keys, np.array([key], "S32"))[0])
        return place, place < len(self.keys) and self.key(place) == key


# What of a URL says under which names it is: scheme and authority, or a Package URL without qualifiers and subpath.
_PUBLISHER = r"^(?P<publisher>https?://[^/?#]*|pkg:[^?#]*)"
EMPTY = Entries(np.zeros(0, "S32"), np.zeros((0, 3), np.int64))


def of_rows(fate: str, rows: pa.RecordBatch, texts: bytes = b"") -> dict[str, Entries]:
    """What rows of one fate add to each tree. `rows`: COLUMNS (removed: `id`); `texts`: 32 bytes a kept row, its text's
    digest.
    """
    place = FATES.index(fate)
    found = {"ids": _entries(_keys("ids", rows.column("id")), place)}
    if fate == "removed":
        return found
    own = rows.column("purl")
    named = rows.select(["url", "purl"]).filter(pc.fill_null(pc.not_equal(rows.column("url"), own), False))
    urls = canonical_urls(named.column("url"))
    by_purl = {item["values"]: item["counts"] for item in pc.value_counts(own).to_pylist()}
    found["urls"] = merged([_entries(_keys("urls", urls), place), _counted("urls", by_purl, place)])
    found["domains"] = _counted("domains", _domains(urls, named.column("purl"), by_purl), place)
    if fate == "kept":
        found["texts"] = _entries(np.frombuffer(texts, "S32"), place)
    return found


def of_artifacts(purls: Iterable[str]) -> dict[str, Entries]:
    """What the artifacts themselves add: names that are there even if no record is under them."""
    names = sorted(set(purls))
    return {
        tree: _at_zero(_counted(tree, dict.fromkeys(under, 1), 0))
        for tree, under in (("urls", names), ("domains", [package(name) for name in names]))
    }


def merged(parts: Sequence[Entries]) -> Entries:
    """The union of entries, counts of one key added up."""
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    keys, counts = np.concatenate([part.keys for part in parts]), np.concatenate([part.counts for part in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    return Entries(keys[starts], np.add.reduceat(counts[order], starts, axis=0) if len(keys) else EMPTY.counts)


def together(parts: Iterable[Mapping[str, Entries]]) -> dict[str, Entries]:
    """`merged`, tree by tree."""
    every = list(parts)
    return {tree: merged([part[tree] for part in every if tree in part]) for tree in TREES}


def leaf_hashes(tree: str, entries: Entries) -> list[bytes]:
    """The leaf hash of each entry."""
    head = np.frombuffer(b"\0" + index_tag(tree), np.uint8)
    rows = np.empty((len(entries.keys), len(head) + 56), np.uint8)
    rows[:, : len(head)] = head
    rows[:, len(head) : -24] = np.ascontiguousarray(entries.keys).view(np.uint8).reshape(-1, 32)
    rows[:, -24:] = entries.counts.astype(">i8").view(np.uint8).reshape(-1, 24)
    data, width = memoryview(rows.tobytes()), rows.shape[1]
    return [hashlib.sha256(data[at : at + width]).digest() for at in range(0, len(data), width)]


def roots(entries: Mapping[str, Entries]) -> dict[str, Root]:
    """The root of each tree."""
    found: dict[str, Root] = {}
    for tree in TREES:
        hashes = leaf_hashes(tree, entries[tree])
        found[tree] = {"size": len(hashes), "root": merkle.root_hash(hashes).hex()}
    return found


def to_table(entries: Mapping[str, Entries]) -> pa.Table:
    """Entries of all trees as a table: tree, key, and a column of counts for each fate."""
    parts = []
    for tree in TREES:
        if (of_tree := entries.get(tree)) is None:
            continue
        keys = _binary(np.ascontiguousarray(of_tree.keys).view(np.uint8).reshape(-1, 32))
        counts = [pa.array(of_tree.counts[:, place]) for place in range(len(FATES))]
        parts.append(pa.table([pa.repeat(pa.scalar(tree), len(keys)), keys, *counts], schema=STORED))
    return pa.concat_tables(parts) if parts else STORED.empty_table()


def from_table(table: pa.Table) -> dict[str, Entries]:
    """The inverse of `to_table`."""
    found = {}
    for tree in TREES:
        rows = table.filter(pc.equal(table.column("tree"), tree))
        keys = np.frombuffer(b"".join(rows.column("key").to_pylist()), "S32")
        found[tree] = Entries(keys, np.stack([rows.column(fate).to_numpy() for fate in FATES], axis=1))
    return found


def _binary(rows: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(32), len(rows), [None, pa.py_buffer(np.ascontiguousarray(rows))])


def _keys(tree: str, names: pa.Array) -> Keys:
    """`key_of` each name."""
    tagged = pc.binary_join_element_wise(pa.scalar(index_tag(tree), pa.binary()), names.cast(pa.binary()), b"")
    offsets = np.frombuffer(tagged.buffers()[1], np.int32)[tagged.offset : tagged.offset + len(tagged) + 1]
    data, sha256 = memoryview(tagged.buffers()[2] or b""), hashlib.sha256
    return np.frombuffer(b"".join(sha256(data[a:b]).digest() for a, b in pairwise(offsets.tolist())), "S32")


def _entries(keys: Keys, place: int) -> Entries:
    counts = np.zeros((len(keys), 3), np.int64)
    counts[:, place] = 1
    return merged([EMPTY, Entries(keys, counts)])


def _counted(tree: str, names: Mapping[str, int], place: int) -> Entries:
    counts = np.zeros((len(names), 3), np.int64)
    counts[:, place] = list(names.values())
    return merged([EMPTY, Entries(_keys(tree, pa.array(list(names), pa.string())), counts)])


def _at_zero(entries: Entries) -> Entries:
    return Entries(entries.keys, np.zeros_like(entries.counts))


def _domains(urls: pa.Array, purls: pa.Array, by_purl: Mapping[str, int]) -> Mapping[str, int]:
    """Documents by domain: of all by their artifact's package, of those with a URL (`urls`, and `purls` beside it) by that."""
    found: Counter[str] = Counter()
    for purl, count in by_purl.items():
        found[package(purl)] += count
    publishers = pc.coalesce(pc.struct_field(pc.extract_regex(urls, _PUBLISHER), "publisher"), urls)
    both = pa.table([publishers, purls], names=["publisher", "purl"]).group_by(["publisher", "purl"], use_threads=False)
    for row in both.aggregate([([], "count_all")]).to_pylist():
        for name in {*domains(row["publisher"])} - {package(row["purl"])}:
            found[name] += row["count_all"]
    return found
