"""Writing a release log: the new files first, the checkpoint last, so that a reader always finds a whole log.

The rules:
1. Nothing is added to a log that does not hold, and nothing that breaks the log's own rules: the log stays as it was.
2. Nothing is signed that contradicts a checkpoint which was seen before, which includes each that was signed here.
3. Full tiles and bundles never change; every file appears whole, by rename. The checkpoint is renamed last, over the old
   one. An addition that ended before that has added nothing; what it left is removed by the next one.
4. One addition at a time: the folder is locked, by the kernel, until it is done.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import RecipeError
from pipeline.trust import appear, log, merkle, tiles
from pipeline.trust import folder as folders
from pipeline.trust import log_checkpoint as checkpoints
from pipeline.trust.log import CHECKPOINT, Log
from pipeline.trust.log_checkpoint import Checkpoint

TEMPORARY = re.compile(r"(?:.*/)?\.[a-z0-9]+\.[0-9a-f]{16}")


def start(folder: Path, origin: str, key: Ed25519PrivateKey, last: Checkpoint | None = None) -> Log:
    """A log without entries, signed, in a new or empty folder.

    last: the checkpoint of this origin that was seen last. Raises RecipeError; VerificationError where `last` has entries.
    """
    made = checkpoints.sign(origin, 0, merkle.EMPTY, key)
    if last is not None:
        log.refuse_rollback(made, last)
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder):
        if any(folder.iterdir()):
            raise RecipeError("the folder is not empty", where=str(folder), wanted="a new folder for a new log")
        appear.write(folder / CHECKPOINT, made.note)
        return log.read(folder, (key.public_key(),), origin)


def append(
    folder: Path, entries: Sequence[bytes], key: Ed25519PrivateKey, trusted: Sequence[Ed25519PublicKey] = (),
    last: Checkpoint | None = None,
) -> Log:  # fmt: skip
    """The log in a folder with these entries added, signed by `key`.

    trusted: keys that may have signed the log as it is, beside `key`. last: the checkpoint that was seen last.
    Raises VerificationError where the log as it is does not hold or contradicts `last`, and RecipeError where an
    entry may not be added; the log is then as it was.
    """
    keys = (key.public_key(), *trusted)
    if not folder.is_dir():
        raise RecipeError("there is no such folder", where=str(folder), hint="pellucid log init FOLDER makes a log")
    with _exclusive(folder):
        now, _ = log.read_checkpoint(folder, keys)
        if last is not None:
            log.refuse_rollback(now, last)  # before anything is removed: what lies beyond may be what was rolled back
        _remove_unfinished(folder, now.size)
        old = log.read(folder, keys)
        if last is not None:
            log.consistent(old, last)
        whole = (*old.entries, *entries)
        for number, fault in log.check_entries(whole, old.size):
            raise RecipeError(f"entry {number} {fault}", where=old.origin, hint="pellucid log show says what it has")
        if not entries:
            return old
        hashes = tiles.levels([merkle.leaf_hash(entry) for entry in whole])
        there = set(tiles.needed(old.size))
        for tile in tiles.needed(len(whole)):
            if tile not in there:
                appear.write(folder / tile.name, tiles.content(tile, whole, hashes))
        signed = checkpoints.sign(old.origin, len(whole), merkle.root_hash(hashes[0]), key)
        appear.write(folder / CHECKPOINT, signed.note)
        return log.read(folder, keys)


def release(release_id: str) -> bytes:
    """The entry that logs a release."""
    return bytes.fromhex(release_id)


def withdrawal(release_id: str) -> bytes:
    """The entry that withdraws a release."""
    return log.WITHDRAWAL + bytes.fromhex(release_id)


def _remove_unfinished(folder: Path, size: int) -> None:
    """Remove what an addition left that ended before its checkpoint: temporary files, and tiles beyond the log."""
    found = [(name, kind, tiles.parse_name(name)) for name, kind in folders.scan(folder, tiles.DEPTH)]
    for name, kind, tile in found:
        if kind == "file" and (TEMPORARY.fullmatch(name) if tile is None else not tiles.allowed(tile, size)):
            (folder / name).unlink()
    for name, kind, _ in reversed(found):  # folders from the innermost
        if kind == "folder" and not any((folder / name).iterdir()):
            (folder / name).rmdir()


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder alone. The lock is the kernel's, on the folder itself: a lock file would be a file too many."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise RecipeError("another process is adding to this log", where=str(folder), hint="wait for it") from error
    try:
        yield
    finally:
        os.close(handle)
