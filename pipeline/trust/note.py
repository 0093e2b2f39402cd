"""Signed notes (C2SP signed-note, c2sp.org/signed-note) with Ed25519: a text, an empty line, and lines of signatures.

The rules, those of the specification and four that are stricter, so that a note has one spelling:
- a note is UTF-8, without control characters but the newline; what stands before its last empty line is the text (its last
  newline counted), what stands after it are signature lines: em dash, space, key name, space, base64, newline;
- a key name is not empty and has neither white space nor `+`; a signature is the 4 bytes of a key id, then those that the
  key made;
- a key is known by its name and its id together: SHA-256 of name, newline, byte 1 and the 32 raw public bytes, the first four.
  Lines of unknown keys are ignored: others may countersign, or sign with keys that are to come;
- every line of a known key must verify, and one of them must be there; else the whole note is refused;
- stricter: base64 is the one encoding of its bytes; a byte order mark is no text; a note has at most 1 MiB; an Ed25519
  signature has 64 bytes, whatever may verify one of another length.
The text leaves this module as verified only after a known key has verified it; `parse` gives what anybody could have written.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError

NOTE_LIMIT = 1 << 20  # bytes; the specification asks for room for 16 signatures, of which the longest have 5 kB
ED25519 = b"\x01"  # the signature type's byte in a key id
SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6
DASH = "\u2014 "
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")

Verifier = tuple[str, Ed25519PublicKey]  # a key's name, and the key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, the 4 bytes of its id, and what it signed with (not verified)."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A well-formed note. Whoever reads `text` from here reads what nobody has vouched for."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified text, and the known keys that have signed it, in the order of their lines."""

    text: str
    signers: tuple[Verifier, ...]


def key_id(name: str, public: Ed25519PublicKey) -> bytes:
    """The 4 bytes that name an Ed25519 key of this name."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public.public_bytes_raw()).digest()[:4]


def verifier_key(name: str, public: Ed25519PublicKey) -> str:
    """A key in one line, as tools for notes take it (golang.org/x/mod/sumdb/note): name, id, base64 of type and key."""
    encoded = base64.b64encode(ED25519 + public.public_bytes_raw()).decode("ascii")
    return f"{name}+{key_id(name, public).hex()}+{encoded}"


def name_fault(name: str) -> str | None:
    """Why this can be no key's name; None if it can."""
    if not name:
        return "is empty"
    if any(character.isspace() for character in name):
        return "has white space"
    if "+" in name:
        return "has a `+`"
    if CONTROL.search(name):
        return "has a control character"
    return None


def sign(text: str, name: str, key: Ed25519PrivateKey) -> bytes:
    """The note of a text with one signature. Ed25519 is deterministic: same text, name and key, same bytes.

    Raises RecipeError where text or name can stand in no note.
    """
    if fault := name_fault(name):
        raise RecipeError(f"the key name {name!r:.100} {fault}", wanted="a name such as example.com/releases")
    if not text.endswith("\n") or CONTROL.search(text):
        raise RecipeError("the text can stand in no note", wanted="lines that end, without control characters")
    blob = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{DASH}{name} {base64.b64encode(blob).decode('ascii')}\n".encode()


def parse(data: bytes, where: str = "note") -> Note:
    """Text and signature lines of a note, none of them verified. Raises VerificationError saying which rule it breaks."""
    if len(data) > NOTE_LIMIT:
        raise VerificationError(f"has more than {NOTE_LIMIT} bytes, so it is no note", where=where)
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError(f"is not UTF-8 at byte {error.start}", where=where) from error
    if found := CONTROL.search(whole):
        raise VerificationError(f"has the control character {found[0]!r}", wanted="newlines alone", where=where)
    if whole.startswith("\ufeff"):
        raise VerificationError("begins with a byte order mark", wanted="the text alone", where=where)
    if not whole.endswith("\n"):
        raise VerificationError("the last line does not end", wanted="a newline", where=where)
    end = whole.rfind("\n\n")
    if end < 0:
        raise VerificationError("has no empty line", wanted="a text, an empty line, signatures", where=where)
    lines = whole[end + 2 :].split("\n")[:-1]
    if not lines:
        raise VerificationError("has no signature after its last empty line", where=where)
    return Note(whole[: end + 1], tuple(_line(line, number, where) for number, line in enumerate(lines)))


def open_note(data: bytes, keys: Sequence[Verifier], where: str = "note") -> Opened:
    """The text of a note that a key of `keys` has signed, and no key of them wrongly. Raises VerificationError."""
    note = parse(data, where)
    message, signers = note.text.encode(), []
    for line in note.signatures:
        known = [(name, key) for name, key in keys if name == line.name and key_id(name, key) == line.key_id]
        if not known:
            continue
        signer = next((one for one in known if _holds(one[1], line.signature, message)), None)
        if signer is None:
            raise VerificationError(
                f"the signature does not verify: signature or text is not what key {line.name}+{line.key_id.hex()} signed",
                where=where,
            )
        if signer not in signers:
            signers.append(signer)
    if not signers:
        raise _unsigned(note, keys, where)
    return Opened(note.text, tuple(signers))


def _line(line: str, number: int, where: str) -> Signature:
    at = f"signature line {number}"
    if not line.startswith(DASH):
        raise VerificationError(f"{at} is {line!r:.100}", wanted="an em dash (U+2014) and a space first", where=where)
    parts = line[len(DASH) :].split(" ")
    if len(parts) != 2:
        raise VerificationError(f"{at} has {len(parts)} parts", wanted="a key name, a space, base64", where=where)
    name, encoded = parts
    if fault := name_fault(name):
        raise VerificationError(f"the key name of {at} {fault}", wanted="no white space, no `+`", where=where)
    blob = decode(encoded, f"the signature of {at}", where)
    if len(blob) < 5:
        raise VerificationError(f"the signature of {at} has {len(blob)} bytes", wanted="4 and more", where=where)
    return Signature(name, blob[:4], blob[4:])


def decode(text: str, name: str, where: str) -> bytes:
    """The bytes of standard base64 (RFC 4648, section 4) in its one encoding. Raises VerificationError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"{name} is not base64: {error}", where=where) from error
    if base64.b64encode(data).decode("ascii") != text:
        raise VerificationError(f"{name} is not in the one standard base64 encoding of its bytes", where=where)
    return data


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _unsigned(note: Note, keys: Sequence[Verifier], where: str) -> VerificationError:
    said = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures[:4])
    known = " or ".join(f"{name}+{key_id(name, key).hex()}" for name, key in keys[:4])
    return VerificationError(
        f"no trusted key has signed it; its signatures name {said:.300}",
        wanted=f"a signature by {known or 'a trusted key, but none is given'}",
        where=where,
        hint="if you know that key to be its publisher's, name the public key file with --key",
    )
