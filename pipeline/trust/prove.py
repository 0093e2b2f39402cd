"""Making proofs from a release: what `proof.check` accepts.

Reads what a proof needs: the rows of one file, or the names of all. What was read is compared with the signed roots before a
proof is made of it, and every proof is checked before it is given out.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import checkpoint, dsse, index, leaves, manifest, merkle, proof, published, roots, tombstones
from pipeline.trust.urls import canonical_url, canonical_urls

BATCH_ROWS = 4096


class Release:
    """A release's verified manifest and checkpoint. Raises VerificationError, and RecipeError where there is no release."""

    def __init__(self, folder: Path, keys: Sequence[Ed25519PublicKey]) -> None:
        self.folder, self.keys = folder, keys
        opened = published.read(folder, keys)
        self.manifest = opened.manifest
        try:
            self.checkpoint = (folder / checkpoint.NAME).read_bytes()
        except OSError as error:
            raise RecipeError(f"cannot be read: {error.strerror}", where=str(error.filename)) from error
        envelope = dsse.open_envelope(self.checkpoint, keys, manifest.PAYLOAD_TYPE, checkpoint.NAME)
        self.signed = checkpoint.parse(envelope.payload)
        if self.signed["release_id"] != opened.release_id:
            raise VerificationError("is of another release", where=checkpoint.NAME)

    def encode(self, claim: Mapping[str, Any]) -> bytes:
        """The proof of a claim, checked."""
        made = proof.encode(self.checkpoint, claim)
        proof.check(made, self.keys, "the proof just made")
        return made


def document(release: Release, identifier: str) -> bytes:
    """Of a document's id: its row, or that it was removed, or that there is none."""
    for fate in ("kept", "dropped"):
        for file in release.manifest["files"]:
            if file["kind"] == fate and file["first_id"] and file["first_id"] <= identifier <= str(file["last_id"]):
                ids = pq.read_table(release.folder / file["name"], columns=["id"]).column("id")
                if (place := pc.index(ids, identifier).as_py()) >= 0:
                    return _row(release, fate, file, place)
    return named(release, "ids", identifier)


def url(release: Release, wanted: str) -> bytes:
    """Of a URL or Package URL: the row of the document that has it, or how many have, or that none has."""
    canonical = canonical_url(wanted)
    found = []
    for fate, rows in names(release.folder, release.manifest["files"]):
        if fate == "removed":
            continue
        there = pc.and_kleene(rows.column("url").is_valid(), pc.fill_null(pc.not_equal(rows.column("url"), ""), False))
        have = rows.filter(there)
        found += [
            (fate, one)
            for one in have.filter(pc.equal(canonical_urls(have.column("url")), canonical)).column("id").to_pylist()
        ]
    return document(release, found[0][1]) if len(found) == 1 else named(release, "urls", canonical)


def text(release: Release, content: bytes) -> bytes:
    """Of a text, to the byte: the row of the kept document that is it, or that there is none."""
    digest = hashlib.sha256(content).hexdigest()
    for file in release.manifest["files"]:
        if file["kind"] == "kept" and file["rows"]:
            column = pq.read_table(release.folder / file["name"], columns=["text_sha256"]).column("text_sha256")
            if (place := pc.index(column, digest).as_py()) >= 0:
                return _row(release, "kept", file, place)
    return named(release, "texts", digest)


def named(release: Release, tree: str, name: str) -> bytes:
    """Of a name in an index tree: how many documents are under it, or that it is not there."""
    return release.encode(_named(release, tree, name))


def _named(release: Release, tree: str, name: str) -> dict[str, Any]:
    """The claim about a name."""
    purls = (artifact["purl"] for source in release.manifest["sources"] for artifact in source["artifacts"])
    parts = [index.of_artifacts(purls)]
    for fate, rows in names(release.folder, release.manifest["files"]):
        digests = bytes.fromhex("".join(rows.column("text_sha256").to_pylist())) if fate == "kept" else b""
        parts.append(index.of_rows(fate, rows.select(["id"] if fate == "removed" else list(index.COLUMNS)), digests))
    entries = index.together([{tree: part[tree]} for part in parts if tree in part])[tree]
    hashes = index.leaf_hashes(tree, entries)
    _same(merkle.root_hash(hashes), release.signed["roots"][tree]["root"], tree)

    def shown(place: int) -> dict[str, Any]:
        path = proof.path(merkle.inclusion_proof(hashes, place))
        return {"counts": entries.counts[place].tolist(), "index": place, "path": path}

    place, there = entries.find(roots.index_key(tree, name))
    if there:
        return {"kind": "counted", "tree": tree, "name": name, "entry": shown(place)}
    below, above = (
        {**shown(at), "key": entries.key(at).hex()} if 0 <= at < len(hashes) else None for at in (place - 1, place)
    )
    return {"kind": "absent", "tree": tree, "name": name, "below": below, "above": above}


def _row(release: Release, fate: str, file: manifest.FileEntry, place: int) -> bytes:
    """The row at a place of a file, with the path from its leaf to the file's root, and from there to the release's."""
    stones = _tombstones(release, file)[fate]
    hashes: list[bytes] = []
    row, nested = {}, b""
    for batch in pq.ParquetFile(release.folder / file["name"]).iter_batches(batch_size=BATCH_ROWS):
        if 0 <= (at := place - len(hashes)) < len(batch):
            one = batch.slice(at, 1)
            (row,) = one.select(leaves.scalars(batch.schema)).to_pylist()
            (nested,) = leaves.nested_digests(one)
        hashes += leaves.leaf_hashes(fate, batch)
    hashes, places = tombstones.among(hashes, stones)
    _same(merkle.root_hash(hashes), str(file["root"]), file["name"])
    files = roots.shards_of(release.manifest["files"])
    number = next(at for at, other in enumerate(files) if other["name"] == file["name"])
    of_files = [merkle.leaf_hash(roots.shard_leaf(other)) for other in files]
    return release.encode(
        {
            "kind": "row", "fate": fate, "row": row, "nested": nested.hex(), "index": places[place],
            "path": proof.path(merkle.inclusion_proof(hashes, places[place])),
            "shard": {"name": file["name"], "leaves": file["leaves"], "root": file["root"]},
            "shard_index": number, "shard_path": proof.path(merkle.inclusion_proof(of_files, number)),
            "entry": _named(release, "ids", row["id"])["entry"] if release.signed["roots"]["removed"]["size"] else None,
        }
    )  # fmt: skip


def _tombstones(release: Release, file: manifest.FileEntry) -> dict[str, dict[int, bytes]]:
    """By kind of file the leaf hashes, at their places, of what takedowns removed of the shard of a file."""
    name = re.sub("/(kept|dropped)-", "/removed-", file["name"])
    if all(other["name"] != name for other in release.manifest["files"]):
        return tombstones.Tombstones().leaves
    reading = tombstones.of_batches(pq.ParquetFile(release.folder / name).iter_batches(batch_size=BATCH_ROWS), name)
    while True:
        try:
            raise VerificationError(str(next(reading)), where=name)
        except StopIteration as end:
            return dict(end.value.leaves)


def names(
    folder: Path, files: Iterable[Mapping[str, Any]], more: Sequence[str] = ()
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Fate and names of every row of a release: id, url, purl; of kept ones text_sha256, of dropped ones also `more`; of
    removed ones the id alone."""
    columns = {
        "kept": [*index.COLUMNS, "text_sha256"],
        "dropped": [*index.COLUMNS, *more],
        "removed": ["id"],
    }
    for file in files:
        if (wanted := columns.get(file["kind"])) is not None:
            for batch in pq.ParquetFile(folder / file["name"]).iter_batches(columns=wanted, batch_size=BATCH_ROWS):
                yield file["kind"], batch.select(wanted)


def _same(root: bytes, signed: str, what: str) -> None:
    if root.hex() != signed:
        raise VerificationError(
            f"the rows give the root {root.hex()}", wanted=f"{signed}, as is signed", where=what,
            hint="the release was changed: pellucid verify says where",
        )  # fmt: skip
