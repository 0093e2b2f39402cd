"""Proofs: one document's fate, or that a name is nowhere in a release, for somebody who has none of it.

A proof is canonical JSON: `format`, the release's `checkpoint` (an envelope, as in checkpoint.dsse.json) and a `claim`:
    row       a document is kept, or was dropped and why: its row's columns, and two chained inclusion proofs, of its leaf
    in the
              content root of a file, and of that file's leaf in the tree `shards`
    counted   how many documents stand under a name of an index tree: one leaf with its inclusion proof
    absent    nothing stands under a name: the two leaves that lie beside each other where its key would be

The rules, each with a test:
- the checkpoint's signature is verified before anything of the claim is looked at, and every root is taken from it;
- leaves are put together from what the proof shows, by the rules of the format page: what is shown is what is proved;
- a path has exactly the hashes that its place asks for, an index is below its tree's size, hashes have 32 bytes;
- the key of a name is computed from the name; a proof says nothing of a name that it does not show;
- a name is spelt as the trees spell it: nothing is ever there under another spelling, so its absence would say nothing;
- of a release from which a takedown removed documents, a row also shows that its id is not among those: their leaves stay;
- the leaves of an absence lie beside each other, or the one that is there at the tree's end, and enclose the key;
- no other spelling of the same JSON is a proof.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import VerificationError
from pipeline.trust import canonical, checkpoint, dsse, intoto, merkle, names
from pipeline.trust.roots import FATES, INDEX_TREES, index_key, index_leaf, shard_leaf
from pipeline.trust.urls import canonical_url, domain
from pipeline.trust.values import tag, value

FORMAT = "urn:pellucid:proof:v1"
LIMIT = 64 << 10  # bytes; a proof has at most some 4 kB
Scalar = int | str | None


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof that holds says, of which release, and who signed it.

    `kind`: row, counted, absent. Of a row: `fate` and its columns; of the others: the index `tree`, the `name` (of a text its
    SHA-256) and `counts` (kept, dropped, removed).
    """

    kind: str
    release_id: str
    name: str
    version: str
    key_id: str
    fate: str | None = None
    row: Mapping[str, Scalar] | None = None
    tree: str | None = None
    asked: str | None = None
    counts: tuple[int, int, int] = (0, 0, 0)


def check(data: bytes, keys: Sequence[Ed25519PublicKey], where: str = "proof") -> Proven:
    """What a proof proves. Raises VerificationError saying which rule it breaks."""
    if len(data) > LIMIT:
        raise VerificationError(f"has {len(data)} bytes", wanted=f"a proof, which has fewer than {LIMIT}", where=where)
    try:
        value_ = canonical.loads_canonical(data)
    except canonical.NotCanonical as error:
        raise VerificationError(f"no proof: {error}", where=where) from error
    intoto.check(
        value_, {"format": intoto.string, "checkpoint": intoto.anything, "claim": intoto.anything}, "proof", where
    )
    if value_["format"] != FORMAT:
        raise VerificationError(f"format is {value_['format']!r:.100}", wanted=FORMAT, where=where)
    opened = dsse.open_envelope(
        canonical.dumps(value_["checkpoint"]), keys, intoto.PAYLOAD_TYPE, f"{where}: checkpoint"
    )
    signed = checkpoint.parse(opened.payload, f"{where}: checkpoint")
    claim = value_["claim"]
    kind = claim.get("kind")
    if not isinstance(kind, str) or kind not in _CLAIMS:
        raise VerificationError(f"claim.kind is {kind!r:.100}", wanted=", ".join(_CLAIMS), where=where)
    shape, judge = _CLAIMS[kind]
    intoto.check(claim, shape, "claim", where)
    facts = judge(claim, signed, where)
    return Proven(kind, signed["release_id"], signed["name"], signed["version"], opened.key_id, **facts)


def encode(envelope: bytes, claim: Mapping[str, Any]) -> bytes:
    """The bytes of a proof. `envelope`: of the checkpoint."""
    return canonical.dumps({"format": FORMAT, "checkpoint": canonical.loads(envelope), "claim": dict(claim)})


def path(hashes: Sequence[bytes]) -> str:
    """An inclusion proof's hashes, one after another, in base64."""
    return base64.b64encode(b"".join(hashes)).decode("ascii")


def row_leaf(fate: str, row: Mapping[str, Scalar], nested: bytes, columns: Sequence[str]) -> bytes:
    """The data of a row's leaf, from its columns that are no list and no struct and the digest of those that are."""
    return tag(fate) + b"".join(value(row[name]) for name in columns) + nested


def _row(claim: Any, signed: checkpoint.Checkpoint, where: str) -> dict[str, Any]:
    """A row is in a file, the file is in the release."""
    from pipeline.release import schemas
    from pipeline.trust.leaves import scalars

    fate, row, shard = claim["fate"], claim["row"], claim["shard"]
    schema = {"kept": schemas.kept, "dropped": schemas.dropped}[fate](())
    columns = scalars(schema)
    if set(row) != set(columns):
        odd = sorted(set(row) ^ set(columns))
        raise VerificationError(
            f"claim.row differs in {', '.join(odd):.200}", wanted=f"the columns of {fate}", where=where
        )
    for name in columns:
        wanted = int if str(schema.field(name).type) == "int64" else str
        if type(row[name]) is not wanted and row[name] is not None:
            raise VerificationError(f"claim.row.{name} is {row[name]!r:.60}", wanted=wanted.__name__, where=where)
    leaf = merkle.leaf_hash(row_leaf(fate, row, bytes.fromhex(claim["nested"]), columns))
    root = bytes.fromhex(shard["root"])
    _included(leaf, claim["index"], shard["leaves"], claim["path"], root, "claim.path: the row", shard["name"], where)
    tree = signed["roots"]["shards"]
    of_file = merkle.leaf_hash(shard_leaf(shard))
    at, shown = claim["shard_index"], claim["shard_path"]
    _included(
        of_file, at, tree["size"], shown, bytes.fromhex(tree["root"]), "claim.shard_path: the file", "shards", where
    )
    match = names.SHARDS[fate].fullmatch(shard["name"])
    if not match or match[1] != row["source"]:
        raise VerificationError(
            f"the row is of {shard['name']!r:.100}",
            wanted=f"a file of {fate} rows of {row['source']!r:.70}",
            where=where,
        )
    _still_there(claim, signed, where)
    return {"fate": fate, "row": row}


def _still_there(claim: Any, signed: checkpoint.Checkpoint, where: str) -> None:
    """What a takedown removed keeps its leaf in the content root; in the tree `ids` it counts as removed."""
    entry, taken = claim["entry"], signed["roots"]["removed"]["size"] > 0
    if (entry is not None) != taken:
        wanted = "the leaf of its id, as takedowns removed documents" if taken else "null, as no takedown removed any"
        raise VerificationError(f"claim.entry is {entry!r:.60}", wanted=wanted, where=where)
    if entry is None:
        return
    intoto.check(entry, _ENTRY, "claim.entry", where)
    identifier = str(claim["row"]["id"])
    _entry("ids", {**entry, "key": index_key("ids", identifier).hex()}, signed, "claim.entry", where)
    if entry["counts"] != [int(fate == claim["fate"]) for fate in FATES]:
        raise VerificationError(
            f"claim.entry counts {entry['counts']} documents (kept, dropped, removed) of the id {identifier}",
            wanted=f"one that is {claim['fate']}", where=where,
        )  # fmt: skip


def _counted(claim: Any, signed: checkpoint.Checkpoint, where: str) -> dict[str, Any]:
    """One leaf of an index tree."""
    key = _key(claim, where)
    _entry(claim["tree"], {**claim["entry"], "key": key.hex()}, signed, "claim.entry", where)
    return {"tree": claim["tree"], "asked": claim["name"], "counts": tuple(claim["entry"]["counts"])}


def _absent(claim: Any, signed: checkpoint.Checkpoint, where: str) -> dict[str, Any]:
    """Nothing lies between two leaves that are beside each other."""
    tree, key, below, above = claim["tree"], _key(claim, where), claim["below"], claim["above"]
    size = signed["roots"][tree]["size"]
    for name, entry in (("below", below), ("above", above)):
        if entry is not None:
            intoto.check(entry, {**_ENTRY, "key": intoto.sha256}, f"claim.{name}", where)
            _entry(tree, entry, signed, f"claim.{name}", where)
    first, last = -1 if below is None else below["index"], size if above is None else above["index"]
    if last != first + 1:
        raise VerificationError(
            f"its leaves are number {first} and {last} of {size}", wanted="leaves beside each other", where=where
        )
    if (below and bytes.fromhex(below["key"]) >= key) or (above and bytes.fromhex(above["key"]) <= key):
        raise VerificationError("its leaves do not enclose the key of the name", wanted=key.hex(), where=where)
    return {"tree": tree, "asked": claim["name"]}


def _entry(tree: str, entry: Any, signed: checkpoint.Checkpoint, what: str, where: str) -> None:
    data = index_leaf(tree, bytes.fromhex(entry["key"]), entry["counts"])
    root = signed["roots"][tree]
    known = bytes.fromhex(root["root"])
    _included(
        merkle.leaf_hash(data), entry["index"], root["size"], entry["path"], known, f"{what}: the leaf", tree, where
    )


def _included(
    leaf: bytes, index: int, size: int, shown: str, root: bytes, what: str, tree: str, where: str
) -> None:  # fmt: skip
    try:
        data = base64.b64decode(shown, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"{what}'s path is not base64: {error}", where=where) from error
    if len(data) % merkle.SIZE or base64.b64encode(data).decode("ascii") != shown:
        raise VerificationError(f"{what}'s path has {len(data)} bytes", wanted="hashes of 32 bytes", where=where)
    hashes = [data[at : at + merkle.SIZE] for at in range(0, len(data), merkle.SIZE)]
    if not merkle.verify_inclusion(leaf, index, size, hashes, root):
        raise VerificationError(
            f"{what} is not number {index} of the {size} leaves of {tree:.100}",
            wanted="an inclusion proof that leads to the root", where=where,
            hint="leaf, number, path or root was changed, or belongs to another release",
        )  # fmt: skip


def _key(claim: Any, where: str) -> bytes:
    tree, name = claim["tree"], claim["name"]
    if wanted := _NAMES[tree](name):
        raise VerificationError(f"claim.name is {name!r:.100}", wanted=f"of {tree}, {wanted}", where=where)
    return index_key(tree, name)


def _spelt(spelling: Any, what: str) -> intoto.Rule:
    return lambda name: None if not re.search(r"[\x00-\x1f\x7f]", name) and spelling(name) == name else what


def _one_of(*allowed: str) -> intoto.Rule:
    return lambda item: None if item in allowed else f"one of {', '.join(allowed)}"


def _counts(item: Any) -> str | None:
    good = isinstance(item, list) and len(item) == len(FATES) and not any(map(intoto.count, item))
    return None if good else "three numbers of documents: kept, dropped, removed"


_NAMES: dict[str, intoto.Rule] = {
    "ids": intoto.document,
    "urls": _spelt(canonical_url, "one in its canonical spelling"),
    "domains": _spelt(domain, "a host in lower case, or a package: pkg:pypi/django"),
    "texts": intoto.sha256,
}
_ENTRY: dict[str, Any] = {"counts": _counts, "index": intoto.count, "path": intoto.string}
_CLAIMS: dict[str, Any] = {
    "row": (
        {
            "kind": intoto.string, "fate": _one_of("kept", "dropped"), "row": intoto.anything, "nested": intoto.sha256,
            "index": intoto.count, "path": intoto.string,
            "shard": {"name": intoto.string, "leaves": intoto.count, "root": intoto.sha256},
            "shard_index": intoto.count, "shard_path": intoto.string, "entry": intoto.optional(intoto.anything),
        },
        _row,
    ),
    "counted": ({"kind": intoto.string, "tree": _one_of(*INDEX_TREES), "name": intoto.string, "entry": _ENTRY}, _counted),
    "absent": (
        {
            "kind": intoto.string, "tree": _one_of(*INDEX_TREES), "name": intoto.string,
            "below": intoto.optional(intoto.anything), "above": intoto.optional(intoto.anything),
        },
        _absent,
    ),
}  # fmt: skip
