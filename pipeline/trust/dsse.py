"""DSSE v1 envelopes (Dead Simple Signing Envelope, protocol.md and envelope.md 1.0) with one Ed25519 signature.

The rules, stricter than the standard's, so that no byte of an envelope can change and nobody notice:
- the envelope is canonical JSON (RFC 8785), with the keys `payload`, `payloadType`, `signatures` and no other;
- base64 is the standard alphabet with padding, and only the encoding that encoding again gives;
- the payload type is the one that the caller expects;
- there is one signature, and it is tried against every trusted key: the key id is a hint that chooses nothing. After a key
  has verified it, the id must be that key's own;
- the algorithm is the key's (Ed25519), never the envelope's word;
- the payload leaves this module only after its signature has been verified, and is parsed after that, by others.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import VerificationError
from pipeline.trust import canonical
from pipeline.trust.keys import key_id
from pipeline.trust.signers import SIGNATURE_BYTES, Signer

_KEY_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a verified envelope held, and the id of the trusted key that signed it."""

    payload: bytes
    key_id: str


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding. Lengths are of bytes, in decimal."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, payload_type: str, key: Signer) -> bytes:
    """The envelope of a payload, as canonical JSON. Ed25519 is deterministic: same payload and key, same bytes."""
    signature = key.sign(pae(payload_type, payload))
    return canonical.dumps(
        {
            "payload": _encode(payload),
            "payloadType": payload_type,
            "signatures": [{"keyid": key_id(key.public_key()), "sig": _encode(signature)}],
        }
    )


def open_envelope(data: bytes, keys: Sequence[Ed25519PublicKey], payload_type: str, where: str = "envelope") -> Opened:
    """The payload of an envelope that one of `keys` has signed. Raises VerificationError saying which rule it breaks."""
    kind, payload, signature, said = _parts(data, where)
    if kind != payload_type:
        raise VerificationError(f"the payload type is {kind!r:.100}", wanted=repr(payload_type), where=where)
    if len(signature) != SIGNATURE_BYTES:
        raise VerificationError(
            f"the signature has {len(signature)} bytes", wanted=f"{SIGNATURE_BYTES} (Ed25519)", where=where
        )
    signer = _signer(keys, signature, pae(payload_type, payload))
    if signer is None:
        raise _unsigned(keys, said, where)
    if said != signer:
        raise VerificationError(
            f"the key id is {said!r:.100}, the signature is by another key", wanted=signer, where=where
        )
    return Opened(payload, signer)


def unverified(data: bytes, where: str = "envelope") -> Opened:
    """What an envelope holds, and the id of the key that it *says* it is signed by: to be shown, never to be trusted."""
    _, payload, _, said = _parts(data, where)
    if not _KEY_ID.fullmatch(said):
        raise VerificationError(f"the key id is {said!r:.100}", wanted="64 lower-case hex digits", where=where)
    return Opened(payload, said)


def _parts(data: bytes, where: str) -> tuple[str, bytes, bytes, str]:
    """Payload type, payload, signature and key id, as an envelope says them."""
    try:
        envelope = canonical.loads_canonical(data)
    except canonical.NotCanonical as error:
        raise VerificationError(f"no signature envelope: {error}", where=where) from error
    _shape(envelope, {"payload": str, "payloadType": str, "signatures": list}, "envelope", where)
    if len(envelope["signatures"]) != 1:
        raise VerificationError(
            f"there are {len(envelope['signatures'])} signatures", wanted="exactly one", where=where
        )
    signed = envelope["signatures"][0]
    _shape(signed, {"keyid": str, "sig": str}, "signatures[0]", where)
    return (
        envelope["payloadType"], _decode(envelope["payload"], "payload", where),
        _decode(signed["sig"], "signatures[0].sig", where), signed["keyid"],
    )  # fmt: skip


def _signer(keys: Sequence[Ed25519PublicKey], signature: bytes, message: bytes) -> str | None:
    for key in keys:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            continue
        return key_id(key)
    return None


def _unsigned(keys: Sequence[Ed25519PublicKey], hint: str, where: str) -> VerificationError:
    trusted = [key_id(key) for key in keys]
    if hint in trusted:
        return VerificationError(
            f"the signature does not verify: signature or payload is not what key {hint[:16]} signed", where=where
        )
    return VerificationError(
        f"no trusted key has signed it; it says its key is {hint!r:.70}",
        wanted="a signature by "
        + (" or ".join(f"{name[:16]}..." for name in trusted) or "a trusted key, but none is given"),
        where=where,
        hint="if you know that key to be its publisher's, name the public key file with --key",
    )


def _shape(value: Any, wanted: dict[str, type], name: str, where: str) -> None:
    """Refuse what is not an object of exactly these keys and types."""
    if not isinstance(value, dict) or set(value) != set(wanted):
        seen = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise VerificationError(f"{name} is {seen!r:.100}", wanted=f"an object of {', '.join(wanted)}", where=where)
    for key, kind in wanted.items():
        if not isinstance(value[key], kind):
            raise VerificationError(f"{name}.{key} is a {type(value[key]).__name__}", wanted=kind.__name__, where=where)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str, name: str, where: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(f"{name} is not base64: {error}", where=where) from error
    if _encode(data) != text:  # unused bits of the last character, padding, anything that decoding forgives
        raise VerificationError(f"{name} is not in the one standard base64 encoding of its bytes", where=where)
    return data
