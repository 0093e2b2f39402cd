"""Checkpoints (C2SP tlog-checkpoint, c2sp.org/tlog-checkpoint): a signed note of a log's origin, size and root.

The text is three lines: the origin, which names the log; the number of its entries in decimal, without leading zeros; the
root of its Merkle tree in base64. Stricter than the specification: no line more (extensions are not auditable), and
the key's name is the origin, which therefore has neither white space nor `+`. So no text of a checkpoint can be taken for what
a signature envelope signs ("DSSEv1 ..."), and one key can serve for both.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import merkle, note

SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
ORIGIN_LIMIT = 255  # characters


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at one moment, and the signed note that says so."""

    origin: str
    size: int
    root: bytes
    note: bytes

    def __str__(self) -> str:
        return self.note.decode().rstrip("\n")


def sign(origin: str, size: int, root: bytes, key: Ed25519PrivateKey) -> Checkpoint:
    """The checkpoint of a log, signed. Raises RecipeError where the origin can name no log."""
    if len(origin) > ORIGIN_LIMIT:
        raise RecipeError(f"the origin has {len(origin)} characters", wanted=f"{ORIGIN_LIMIT} or fewer")
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"
    return Checkpoint(origin, size, root, note.sign(text, origin, key))


def parse(data: bytes, where: str = "checkpoint") -> Checkpoint:
    """The checkpoint in a note whose signatures nobody has verified. Raises VerificationError."""
    return _read(note.parse(data, where).text, data, where)


def open_checkpoint(
    data: bytes, trusted: Sequence[Ed25519PublicKey], where: str = "checkpoint"
) -> tuple[Checkpoint, Ed25519PublicKey]:
    """The checkpoint that a trusted key has signed under the name of its origin, and that key.

    Raises VerificationError. The origin is read first, as the keys' name; everything else after the signature holds.
    """
    origin = note.parse(data, where).text.split("\n", 1)[0]
    opened = note.open_note(data, [(origin, key) for key in trusted], where)
    return _read(opened.text, data, where), opened.signers[0][1]


def _read(text: str, data: bytes, where: str) -> Checkpoint:
    lines = text.split("\n")[:-1]
    if len(lines) < 3:
        raise VerificationError(f"has {len(lines)} lines of text", wanted="origin, size and root", where=where)
    if len(lines) > 3:
        raise VerificationError(f"has an extension line, {lines[3]!r:.100}", wanted="three lines of text", where=where)
    origin, size, root = lines
    if fault := note.name_fault(origin):
        raise VerificationError(f"the origin {fault}", wanted="a name such as example.com/releases", where=where)
    if len(origin) > ORIGIN_LIMIT:
        raise VerificationError(
            f"the origin has {len(origin)} characters", wanted=f"{ORIGIN_LIMIT} or fewer", where=where
        )
    if not SIZE.fullmatch(size):
        raise VerificationError(f"the size is {size!r:.100}", wanted="a decimal number, no leading zeros", where=where)
    hash_ = note.decode(root, "the root", where)
    if len(hash_) != merkle.SIZE:
        raise VerificationError(f"the root has {len(hash_)} bytes", wanted=str(merkle.SIZE), where=where)
    return Checkpoint(origin, int(size), hash_, data)
