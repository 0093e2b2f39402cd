"""The roots of a release: seven Merkle trees over all that it says, which its manifest and its checkpoint carry.

    artifacts   the upstream files, in the manifest's order of sources and of their artifacts
    shards      the Parquet files by name, each with its number of leaves and its content root: over its rows' leaves (`leaves`)
                and, at their places, those of rows that a takedown removed, so that this tree stays what it was
    removed     the Parquet files of what takedowns removed, likewise
    ids, urls, domains, texts   the index trees (`index`)

A leaf of `artifacts` is `pellucid/artifact/v1`, a NUL byte, and the values (`values`) source, purl, file, size, sha256,
read. A leaf of `shards` is `pellucid/shard/v1`, a NUL byte, and the values name, leaves and the content root as a digest;
one of `removed` likewise. A row is in the release if its leaf is in a content root, and that one's leaf is in `shards`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from pipeline.trust import merkle
from pipeline.trust.values import tag, value

INDEX_TREES = ("ids", "urls", "domains", "texts")
TREES = ("artifacts", "shards", "removed", *INDEX_TREES)


FATES = ("kept", "dropped", "removed")  # in the order of the counts of an index leaf


class Root(TypedDict):
    """`size`: leaves; `root`: in hex."""

    size: int
    root: str


def index_key(tree: str, name: str) -> bytes:
    """The key of a name in an index tree: an id, canonical URL or domain; of `texts`, whose names are digests, the digest."""
    return bytes.fromhex(name) if tree == "texts" else hashlib.sha256(index_tag(tree) + name.encode()).digest()


def index_leaf(tree: str, key: bytes, counts: Iterable[int]) -> bytes:
    """The data of a leaf of an index tree; `counts`: by FATES."""
    return index_tag(tree) + key + b"".join(count.to_bytes(8, "big") for count in counts)


def index_tag(tree: str) -> bytes:
    return tag(f"index/{tree}")


def listed(sources: Iterable[Mapping[str, Any]], files: Iterable[Mapping[str, Any]]) -> dict[str, Root]:
    """The roots that follow from the manifest's own lists of sources and files."""
    both = {
        "artifacts": artifact_leaves(sources),
        "shards": [shard_leaf(file) for file in shards_of(files)],
        "removed": [
            shard_leaf(file) for file in sorted(files, key=lambda file: str(file["name"])) if file["kind"] == "removed"
        ],
    }
    return {
        tree: {"size": len(data), "root": merkle.root_hash(map(merkle.leaf_hash, data)).hex()}
        for tree, data in both.items()
    }


def artifact_leaves(sources: Iterable[Mapping[str, Any]]) -> list[bytes]:
    keys = ("purl", "file", "size", "sha256", "read")
    return [
        tag("artifact") + b"".join(map(value, (source["name"], *(artifact[key] for key in keys))))
        for source in sources
        for artifact in source["artifacts"]
    ]


def shards_of(files: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The Parquet files but those of removed documents, by name."""
    present = (file for file in files if file["rows"] is not None and file["kind"] != "removed")
    return sorted(present, key=lambda file: str(file["name"]))


def shard_leaf(file: Mapping[str, Any]) -> bytes:
    """`file`: name, leaves, root (hex)."""
    parts = (file["name"], file["leaves"], bytes.fromhex(file["root"]))
    return tag("shard") + b"".join(map(value, parts))
