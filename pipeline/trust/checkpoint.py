"""The checkpoint: the small signed document that carries a release's roots, so that a proof needs not the whole manifest.

An in-toto Statement v1 whose subject is manifest.json by its digest, the release id; signed like the manifest, in the file
checkpoint.dsse.json of the release. It says nothing that the manifest does not say.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from pipeline.errors import VerificationError
from pipeline.trust import intoto, names
from pipeline.trust.roots import TREES, Root

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


def statement(release_id: str, manifest: Mapping[str, Any]) -> bytes:
    """The checkpoint of a manifest (its predicate), in canonical bytes."""
    return intoto.build({"manifest.json": release_id}, PREDICATE_TYPE, {key: manifest[key] for key in SHAPE})


def parse(data: bytes, where: str = NAME) -> Checkpoint:
    """A checkpoint, strictly. Raises VerificationError naming the key."""
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    if set(subjects) != {"manifest.json"}:
        raise VerificationError(f"subject is {sorted(subjects)!r:.120}", wanted="manifest.json alone", where=where)
    return cast(Checkpoint, {"release_id": subjects["manifest.json"], **value})
