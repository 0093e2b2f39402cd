"""Digests that confirm no guess: HMAC-SHA-256 of a plain digest, under a key that only the text's own source gives.

A short text can be guessed, hashed and compared with a plain digest. So what a release says of text that it does not hold is
keyed. An artifact's key is a digest of its bytes, under a prefix, so that it is not the digest that releases publish: whoever
has the artifact (and so the text) can compute it, nobody else, and no secret has to be kept. The release's key is over the keys
of all its artifacts, each once and sorted: under it, digests of texts from different artifacts can be compared.
HMAC: RFC 2104. To the byte: `docs/format.md`.
"""

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ARTIFACT = b"pellucid/ledger-key/v1\0"
RELEASE = b"pellucid/ledger-key/release/v1\0"
CHUNK = 1 << 20


def artifact_key(path: Path) -> tuple[str, bytes]:
    """SHA-256 (hex) and key (32 bytes) of an artifact, in one pass over its file."""
    plain, key = hashlib.sha256(), hashlib.sha256(ARTIFACT)
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK):
            plain.update(chunk)
            key.update(chunk)
    return plain.hexdigest(), key.digest()


def release_key(artifacts: Iterable[bytes]) -> bytes:
    """The release's key (32 bytes), from the keys of all its artifacts, whatever their order and how often each comes."""
    return hashlib.sha256(RELEASE + b"".join(sorted(set(artifacts)))).digest()


def digest(key: bytes, plain: bytes) -> bytes:
    """The keyed digest (32 bytes) of a plain one (32 bytes)."""
    return hmac.digest(key, plain, "sha256")


def of(key: bytes, data: Any) -> str:
    """The keyed digest, in hex, of `data` (bytes)."""
    return digest(key, hashlib.sha256(data).digest()).hex()
