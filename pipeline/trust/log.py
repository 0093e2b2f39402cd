"""The release log: an append-only list of release ids in static files, signed as a whole (C2SP tlog-tiles).

The rules:
1. The log says only ids. An entry is the 32 bytes of a release id (a release), or a byte 1 and the 32 bytes of one (it is
   withdrawn). A release is logged once, is withdrawn once at most, and only after it was logged.
2. A log is what its entries are: tiles, entry bundles and checkpoint must all be what the entries make. A file too
   many, one that is missing, a short one, and a link are each refused. Partial tiles of smaller sizes may stay.
3. The checkpoint is signed by a key that the caller trusts, under the log's origin; nothing is read before that holds.
4. A log only grows. Against a checkpoint that was seen before, a smaller one is a rollback; one of the same size with
   another root, or one that the older is not the beginning of, is a fork. Both are refused and both checkpoints are shown.
5. That a release is in the log can be checked without the other entries: its proof comes from the few tiles on the way to the
   root (`tiles.inclusion_proof`), and leads to the root that the checkpoint signs.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import folder as folders
from pipeline.trust import log_checkpoint as checkpoints
from pipeline.trust import merkle, note, tiles
from pipeline.trust.log_checkpoint import Checkpoint

CHECKPOINT = "checkpoint"
ID_BYTES = 32
WITHDRAWAL = b"\x01"  # what the entry of a withdrawal begins with; it is told from a release by its length, too

ROLLBACK = "this is an older copy of the log, or one that was begun anew: fetch it again from its publisher"
FORK = (
    "keep both: two signed checkpoints that contradict each other are the proof. Ask the log's publisher which one holds, and "
    "trust no release by this log until then"
)


@dataclass(frozen=True, slots=True)
class Release:
    """What a log says of one release: `number` is its entry's, from 0; `withdrawn` that of the withdrawal, if any."""

    release_id: str
    number: int
    withdrawn: int | None


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read and held: its signed checkpoint, the trusted key that signed it, and all entries."""

    checkpoint: Checkpoint
    key: Ed25519PublicKey
    entries: tuple[bytes, ...]

    @property
    def origin(self) -> str:
        return self.checkpoint.origin

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def root(self) -> bytes:
        return self.checkpoint.root

    @property
    def verifier_key(self) -> str:
        """The key as other tools for such logs take it."""
        return note.verifier_key(self.origin, self.key)

    def find(self, release_id: str) -> Release | None:
        """What the log says of a release; None if it does not know it."""
        entry = bytes.fromhex(release_id)
        if entry not in self.entries:
            return None
        gone = WITHDRAWAL + entry
        withdrawn = self.entries.index(gone) if gone in self.entries else None
        return Release(release_id, self.entries.index(entry), withdrawn)

    def releases(self) -> Iterator[Release]:
        """All releases, in the order in which they were logged."""
        gone = {entry[1:]: number for number, entry in enumerate(self.entries) if is_withdrawal(entry)}
        for number, entry in enumerate(self.entries):
            if not is_withdrawal(entry):
                yield Release(entry.hex(), number, gone.get(entry))


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that a release is entry `number` of the log whose checkpoint has this size and root."""

    release_id: str
    number: int
    size: int
    hashes: tuple[bytes, ...]


def is_withdrawal(entry: bytes) -> bool:
    return len(entry) == ID_BYTES + 1


def check_entries(entries: Sequence[bytes], first: int = 0) -> Iterator[tuple[int, str]]:
    """The entries, of those from `first` on, that break the first rule: their numbers, and how."""
    logged: set[bytes] = set()
    withdrawn: set[bytes] = set()
    for number, entry in enumerate(entries):
        fault = None
        if len(entry) == ID_BYTES:
            fault = f"logs release {entry.hex()} a second time" if entry in logged else None
            logged.add(entry)
        elif is_withdrawal(entry) and entry[:1] == WITHDRAWAL:
            release = entry[1:]
            if release not in logged:
                fault = f"withdraws release {release.hex()}, which no earlier entry logs"
            elif release in withdrawn:
                fault = f"withdraws release {release.hex()} a second time"
            withdrawn.add(release)
        else:
            fault = f"is {entry.hex()[:80]!r} ({len(entry)} bytes), neither a release id nor a withdrawal"
        if fault and number >= first:
            yield number, fault


def read(folder: Path, trusted: Sequence[Ed25519PublicKey], origin: str | None = None) -> Log:
    """The log in a folder, every file of it checked. Raises VerificationError; RecipeError if there is no folder.

    origin: the log's name, where the caller knows which one it has to be.
    """
    checkpoint, key = read_checkpoint(folder, trusted)
    if origin is not None and checkpoint.origin != origin:
        raise VerificationError(f"is of the log {checkpoint.origin!r}", wanted=repr(origin), where=CHECKPOINT)
    there = dict(folders.scan(folder, tiles.DEPTH))
    _listing(there, checkpoint.size)
    present = [tile for name in there if (tile := tiles.parse_name(name))]
    entries: list[bytes] = []
    for tile in (tile for tile in tiles.needed(checkpoint.size) if tile.level == tiles.ENTRIES):
        entries += tiles.read_bundle(read_file(folder, tile.name), tile.width, tile.name)
    hashes = tiles.levels([merkle.leaf_hash(entry) for entry in entries])
    for tile in present:
        _same(read_file(folder, tile.name), tiles.content(tile, entries, hashes), tile.name)
    if merkle.root_hash(hashes[0]) != checkpoint.root:
        raise VerificationError(
            f"the root of the {checkpoint.size} entries is not the one that is signed", where=CHECKPOINT
        )
    for number, fault in check_entries(entries):
        raise VerificationError(f"entry {number} {fault}", where=f"{folder}")
    return Log(checkpoint, key, tuple(entries))


def read_checkpoint(folder: Path, trusted: Sequence[Ed25519PublicKey]) -> tuple[Checkpoint, Ed25519PublicKey]:
    """The signed checkpoint of the log in a folder, and the trusted key that signed it.

    Raises VerificationError; RecipeError if there is no folder.
    """
    if not folder.is_dir():
        raise RecipeError("there is no such folder", where=str(folder), hint="pellucid log init FOLDER makes a log")
    return checkpoints.open_checkpoint(read_file(folder, CHECKPOINT), trusted, CHECKPOINT)


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of one file of a log. Raises VerificationError; a link is not followed."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            limit = tiles.WIDTH * (2 + tiles.ENTRY_LIMIT) if name != CHECKPOINT else note.NOTE_LIMIT
            data = stream.read(limit + 1)
    except FileNotFoundError as error:
        raise VerificationError("is missing", where=name, hint="a log is read from its own folder, whole") from error
    except OSError as error:
        raise VerificationError(f"cannot be read: {error.strerror}", where=name) from error
    if len(data) > limit:
        raise VerificationError(f"has more than {limit} bytes", where=name)
    return data


def consistent(log: Log, last: Checkpoint) -> None:
    """Raise VerificationError unless the log of checkpoint `last`, seen before, is the beginning of this one."""
    refuse_rollback(log.checkpoint, last)
    if last.size == 0:
        same = last.root == merkle.EMPTY
    else:
        hashes = [merkle.leaf_hash(entry) for entry in log.entries]
        proof = merkle.consistency_proof(hashes, last.size)
        same = merkle.verify_consistency(last.size, log.size, proof, last.root, log.root)
    if not same:
        raise _not_grown("the log shows another history than the one that was seen: a fork", log.checkpoint, last, FORK)


def refuse_rollback(now: Checkpoint, last: Checkpoint) -> None:
    """Raise VerificationError where a log has fewer entries than were seen, or as many with another root."""
    if now.origin != last.origin:
        raise VerificationError(f"is of the log {now.origin!r}", wanted=repr(last.origin), where=CHECKPOINT)
    if now.size < last.size:
        raise _not_grown(f"the log was rolled back, from {last.size} entries to {now.size}", now, last, ROLLBACK)
    if now.size == last.size and now.root != last.root:
        raise _not_grown(f"the log shows two histories of {now.size} entries: a fork", now, last, FORK)


def prove(folder: Path, log: Log, release_id: str) -> Inclusion:
    """The proof that the log has a release, from the tiles in its folder. Raises VerificationError if it has not."""
    found = log.find(release_id)
    if found is None:
        raise VerificationError(f"release {release_id} is not in the log", where=log.origin)
    hashes = tiles.inclusion_proof(lambda name: read_file(folder, name), log.size, found.number)
    return Inclusion(release_id, found.number, log.size, tuple(hashes))


def verify_inclusion(proof: Inclusion, checkpoint: Checkpoint) -> bool:
    """Whether the proof leads from the release to the checkpoint's root. Who asks has verified the checkpoint."""
    leaf = merkle.leaf_hash(bytes.fromhex(proof.release_id))
    sized = proof.size == checkpoint.size
    return sized and merkle.verify_inclusion(leaf, proof.number, proof.size, proof.hashes, checkpoint.root)


def _listing(there: dict[str, str], size: int) -> None:
    """The folder against what a log of this size has: nothing missing, nothing else, nothing but regular files."""
    found = {name: tile for name, kind in there.items() if kind == "file" and (tile := tiles.parse_name(name))}
    for name, kind in there.items():
        if kind not in ("file", "folder"):
            raise VerificationError(f"is a {kind}, not a regular file or folder", where=name)
    for tile in tiles.needed(size):
        if there.get(tile.name, "folder") == "folder":
            raise VerificationError("is missing", wanted=f"a file that {size} entries need", where=tile.name)
    files = {CHECKPOINT, *(name for name, tile in found.items() if tiles.allowed(tile, size))}
    folders = {parent.as_posix() for name in {*files, *found} for parent in Path(name).parents} - {"."}
    for name, kind in there.items():
        if name in found and name not in files:
            raise VerificationError(
                f"is beyond the {size} entries that the checkpoint signs",
                where=name,
                hint="an addition that ended early leaves such files; the next `pellucid log add` removes them",
            )
        if name not in files and name not in folders:
            raise VerificationError(
                f"is a {kind} that no log has", where=name, hint="take it away, or fetch the log anew"
            )


def _same(seen: bytes, wanted: bytes, where: str) -> None:
    if len(seen) != len(wanted):
        raise VerificationError(f"has {len(seen)} bytes", wanted=f"{len(wanted)}, by the entries", where=where)
    if seen != wanted:
        at = next(place for place, (one, other) in enumerate(zip(seen, wanted, strict=True)) if one != other)
        raise VerificationError(f"is not what the entries make, from byte {at} on", where=where)


def _not_grown(seen: str, now: Checkpoint, last: Checkpoint, hint: str) -> VerificationError:
    def shown(checkpoint: Checkpoint) -> str:
        return "".join(f"\n    {line}" for line in str(checkpoint).splitlines())

    return VerificationError(
        f"{seen}\n  seen before:{shown(last)}\n  shown now:{shown(now)}",
        where=now.origin,
        hint=hint,
    )
