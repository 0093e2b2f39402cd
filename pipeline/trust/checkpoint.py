"""The checkpoint: the small signed document that carries a release's roots, so that a proof needs not the whole manifest.

An in-toto Statement v1 whose subject is manifest.json by its digest, the release id; signed like the manifest, in the file
checkpoint.dsse.json of the release. It says nothing that the manifest does not say.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from pipeline.errors import VerificationError
from pipeline.trust import dsse, intoto, manifest, names
from pipeline.trust.roots import TREES, Root
from pipeline.trust.signers import Signer

PREDICATE_TYPE = "urn:pellucid:checkpoint:v1"
NAME = "checkpoint.dsse.json"
ROOTS: dict[str, Any] = {tree: {"size": intoto.count, "root": intoto.sha256} for tree in TREES}
SHAPE: dict[str, Any] = {
    "name": intoto.matching(names.SOURCE_NAME, "a recipe's name"),
    "version": intoto.string,
    "roots": ROOTS,
}


class Checkpoint(TypedDict):
    """`release_id` is the subject's digest."""

    release_id: str
    name: str
    version: str
    roots: dict[str, Root]


def statement(release_id: str, predicate: Mapping[str, Any]) -> bytes:
    """The checkpoint of a manifest (its predicate), in canonical bytes."""
    return intoto.build({"manifest.json": release_id}, PREDICATE_TYPE, {key: predicate[key] for key in SHAPE})


def signed_with(manifest_data: bytes, key: Signer) -> dict[str, bytes]:
    """The signed documents that follow from a manifest's bytes alone, by file name: itself, its envelope, its checkpoint's.

    Raises VerificationError where these bytes are no manifest.
    """
    release_id = hashlib.sha256(manifest_data).hexdigest()
    small = statement(release_id, manifest.parse(manifest_data))
    return {
        "manifest.json": manifest_data,
        "manifest.dsse.json": dsse.sign(manifest_data, intoto.PAYLOAD_TYPE, key),
        NAME: dsse.sign(small, intoto.PAYLOAD_TYPE, key),
    }


def parse(data: bytes, where: str = NAME) -> Checkpoint:
    """A checkpoint, strictly. Raises VerificationError naming the key."""
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    if set(subjects) != {"manifest.json"}:
        raise VerificationError(f"subject is {sorted(subjects)!r:.120}", wanted="manifest.json alone", where=where)
    return cast(Checkpoint, {"release_id": subjects["manifest.json"], **value})
