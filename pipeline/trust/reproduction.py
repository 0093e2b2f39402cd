"""The reproduction document: somebody else built a published release again, and says how like the result was.

An in-toto Statement in a DSSE envelope, signed with the key of whoever built it again. Its subject is the `manifest.json`
that was published; the predicate names the release that was built and compares the two.

What counts, in `judge`, which takes bytes and keys and reads nothing:
1. The envelope is signed by one of the keys that the caller named; that it lies beside a manifest makes nobody trusted.
2. It is of this release id, and of no other.
3. Its verdict is `bytes` (every file has the published bytes) or `content` (every row is equal). `differs` is never counted
   and always told.
4. The builder's own key counts for nothing: that the builder could build it is what the manifest says already.
5. A public key counts once, whatever the number of documents it signed, and whatever the files are called.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import dsse, intoto, machine

PREDICATE_TYPE = "urn:pellucid:reproduction:v1"
VERDICTS = {"L0": "bytes", "L1": "content", "differs": "differs"}  # of the levels of `reproduce`
NAMES = 100  # files that differ and are named; how many there are in all is in `files`
ENVELOPE_LIMIT = 1 << 20  # bytes; a document has some 4 kB, and 100 bytes more for each file that it names
DOCUMENTS = 10_000  # files of a folder that are looked at

_PLAIN = intoto.matching("[A-Za-z0-9][A-Za-z0-9._/-]{0,199}", "the name of a release's file")
SHAPE: intoto.Shape = {
    "built": intoto.sha256,
    "verdict": intoto.string,
    "files": {"bytes": intoto.count, "content": intoto.count, "differs": intoto.count},
    "differing": [_PLAIN],
    "manifest_parts": [intoto.matching("[a-z_]{1,40}", "a key of the manifest")],
    "code": {"version": intoto.string, "sha256": intoto.sha256},
    "versions": intoto.strings,
    "machine": machine.SHAPE,
    "started": machine.TIME,
    "finished": machine.TIME,
}


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A document that was read: the release that was published, the one that was built, and the verdict."""

    release_id: str
    built: str
    verdict: str
    predicate: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller wants to know: have `wanted` of `keys` signed that they reproduced it? `documents`: name to bytes."""

    documents: Mapping[str, bytes]
    keys: Sequence[Ed25519PublicKey]
    wanted: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One document. `why` says why it does not count; `key_id` and `verdict` are None unless its signature held."""

    file: str
    counts: bool
    why: str = ""
    key_id: str | None = None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """All documents, in the order of their names, and how many keys were wanted."""

    documents: tuple[Judged, ...]
    wanted: int

    @property
    def counted(self) -> tuple[Judged, ...]:
        return tuple(document for document in self.documents if document.counts)

    @property
    def differing(self) -> tuple[Judged, ...]:
        """Documents of named keys that say that they could not build it."""
        return tuple(document for document in self.documents if document.verdict == "differs")

    @property
    def ok(self) -> bool:
        return len(self.counted) >= self.wanted

    def __str__(self) -> str:
        """One sentence: how many, of how many wanted, and what did not count."""
        said = f"{_keys(len(self.counted))} reproduced it, {self.wanted} wanted"
        others = [f"{document.file} {document.why}" for document in self.documents if not document.counts]
        more = f"; and {len(others) - 5} more" if len(others) > 5 else ""
        return f"{said}; not counted: {'; '.join(others[:5])}{more}" if others else said

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "wanted": self.wanted, "counted": len(self.counted),
            "documents": [asdict(document) for document in self.documents],
        }  # fmt: skip


def statement(
    *,
    release_id: str,
    built: str,
    levels: Mapping[str, str],
    manifest_parts: Iterable[str],
    code: Mapping[str, str],
    started: float,
    finished: float,
) -> bytes:
    """The statement of a reproduction on this machine.

    levels: of each file, "L0", "L1" or "differs"; manifest_parts: keys of the manifest that are not equal; code: version
    and sha256 of the code that built it; times in seconds since 1970. Raises VerificationError where `parse` would.
    """
    counted = Counter(VERDICTS[level] for level in levels.values())
    predicate = {
        "built": built,
        "verdict": _verdict(counted),
        "files": {verdict: counted[verdict] for verdict in VERDICTS.values()},
        "differing": sorted(name for name, level in levels.items() if level == "differs")[:NAMES],
        "manifest_parts": sorted(manifest_parts),
        "code": {"version": code["version"], "sha256": code["sha256"]},
        "versions": machine.versions(),
        "machine": machine.machine(),
        "started": machine.utc(started),
        "finished": machine.utc(finished),
    }
    data = intoto.build({"manifest.json": release_id}, PREDICATE_TYPE, predicate)
    parse(data)
    return data


def parse(data: bytes, where: str = "reproduction") -> Reproduction:
    """A reproduction document, strictly. Raises VerificationError naming the key, or what contradicts itself."""
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    if set(subjects) != {"manifest.json"}:
        raise VerificationError(f"subject is {subjects!r:.120}", wanted="manifest.json alone", where=where)
    release_id = subjects["manifest.json"]
    if value["verdict"] != (wanted := _verdict(value["files"])):
        raise VerificationError(
            f"verdict is {value['verdict']!r:.40}", wanted=f"{wanted!r}, which the files give", where=where
        )
    if len(value["differing"]) != min(value["files"]["differs"], NAMES):
        raise VerificationError(
            f"differing names {len(value['differing'])} files", wanted=f"{value['files']['differs']}", where=where
        )
    for key in ("differing", "manifest_parts"):
        if any(earlier >= later for earlier, later in pairwise(value[key])):
            raise VerificationError(f"{key} is out of order, or names one twice", wanted="sorted", where=where)
    if value["built"] == release_id and (value["verdict"] != "bytes" or value["manifest_parts"]):
        raise VerificationError(
            "the release that was built is the published one, and yet something differs", where=where
        )
    return Reproduction(release_id, value["built"], value["verdict"], value)


def judge(asked: Asked, release_id: str, builders: Collection[str]) -> Tally:
    """Each document by the rules at the head. builders: ids of the keys that signed the release itself."""
    first: dict[str, str] = {}
    found = []
    for name in sorted(asked.documents):
        judged = _judge(name, asked.documents[name], asked.keys, release_id, builders)
        if judged.counts and judged.key_id is not None:
            earlier = first.setdefault(judged.key_id, name)
            if earlier != name:
                why = f"is by the same key as {earlier}: a key counts once"
                judged = Judged(name, False, why, judged.key_id, judged.verdict)
        found.append(judged)
    return Tally(tuple(found), asked.wanted)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The documents in a folder: regular files named *.json, by name. Raises RecipeError where there is no such folder."""
    if not folder.is_dir():
        raise RecipeError(
            "there is no such folder", where=str(folder), wanted="a folder of reproduction documents",
            hint="name it with --reproductions; `pellucid reproduce MANIFEST --attest FILE` makes a document",
        )  # fmt: skip
    found = {}
    for path in sorted(folder.glob("*.json"))[:DOCUMENTS]:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                found[path.name] = stream.read(ENVELOPE_LIMIT + 1)
    return found


def _judge(
    name: str, data: bytes, keys: Sequence[Ed25519PublicKey], release_id: str, builders: Collection[str]
) -> Judged:
    if len(data) > ENVELOPE_LIMIT:
        return Judged(name, False, f"has more than {ENVELOPE_LIMIT} bytes")
    try:
        opened = dsse.open_envelope(data, keys, intoto.PAYLOAD_TYPE, name)
    except VerificationError as error:
        return Judged(name, False, f"is not signed by a key that you named: {error.seen}")
    try:
        stated = parse(opened.payload, name)
    except VerificationError as error:
        return Judged(name, False, f"is no reproduction document: {error}".replace("\n", ""), opened.key_id)
    why = ""
    if opened.key_id in builders:
        why = "is by the builder's own key, which reproduces nothing for anybody"
    elif stated.release_id != release_id:
        return Judged(name, False, f"is of another release, {stated.release_id}", opened.key_id)
    elif stated.verdict == "differs":
        why = f"says that {stated.predicate['files']['differs']} files DIFFER"
        if stated.predicate["differing"]:
            why += f", {stated.predicate['differing'][0]} the first"
    return Judged(name, not why, why, opened.key_id, stated.verdict if stated.release_id == release_id else None)


def _verdict(files: Mapping[str, int]) -> str:
    return "differs" if files["differs"] else "content" if files["content"] else "bytes"


def _keys(number: int) -> str:
    return f"{number} key{'s have' if number != 1 else ' has'}"
