"""A manifest as it was published: manifest.json, and manifest.dsse.json beside it, which signs its bytes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import dsse, intoto, vouch
from pipeline.trust import manifest as manifests
from pipeline.trust.manifest import Manifest

NAME, ENVELOPE = "manifest.json", "manifest.dsse.json"


@dataclass(frozen=True, slots=True)
class Published:
    """`data`: the bytes of manifest.json; `manifest`: its predicate; `key_id`: whose signature it is."""

    data: bytes
    release_id: str
    manifest: Manifest
    key_id: str


def read(path: Path, trusted: Sequence[Ed25519PublicKey], vouchers: vouch.Vouchers = vouch.EVERYONE) -> Published:
    """The manifest at `path`, or in that folder: its signature is verified before it is parsed.

    Raises RecipeError where a file is not there, VerificationError where it is not what a trusted key has signed.
    """
    path = path / NAME if path.is_dir() else path
    try:
        data, envelope = path.read_bytes(), path.with_name(ENVELOPE).read_bytes()
    except OSError as error:
        raise RecipeError(
            f"cannot be read: {error.strerror}", where=str(error.filename), wanted=f"{NAME}, and {ENVELOPE} beside it",
            hint="pellucid build RECIPE makes a release; a published one lies in manifests/NAME/VERSION/",
        ) from error  # fmt: skip
    opened = dsse.open_envelope(envelope, trusted, intoto.PAYLOAD_TYPE, str(path.with_name(ENVELOPE)))
    vouchers.vouch(opened.key_id, str(path.with_name(ENVELOPE)))
    if opened.payload != data:
        raise VerificationError(f"is not what {ENVELOPE} beside it signs", where=str(path))
    return Published(data, hashlib.sha256(data).hexdigest(), manifests.parse(data, str(path)), opened.key_id)
