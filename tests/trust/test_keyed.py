"""Keyed digests: golden values, and what they depend on."""

import hashlib
import hmac
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust import keyed

DIGEST = st.binary(min_size=32, max_size=32)


def test_keys_and_a_keyed_digest_are_those_of_the_format(tmp_path: Path) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(b"an artifact")
    plain, key = keyed.artifact_key(path)
    assert plain == hashlib.sha256(b"an artifact").hexdigest()
    whole = keyed.release_key([key])
    assert key.hex() == "f6e60991b0e600de0780331518be4691cc0bfd742e2a70ed13d82e4b79274224"
    assert whole.hex() == "5c35e78ef46778093b0db72468fee8915cbbcf9e2e62796eb148a127e81aa49a"
    assert keyed.of(key, b"a text") == "d11c0a7d8356fbe0967c7e67c4a8d1449f344c3dac6b726845c5590fcbf7ad3e"


def test_other_bytes_of_an_artifact_give_another_key(tmp_path: Path) -> None:
    seen = set()
    for number, data in enumerate((b"", b"a", b"a" * keyed.CHUNK, b"a" * (keyed.CHUNK + 1))):
        path = tmp_path / str(number)
        path.write_bytes(data)
        plain, key = keyed.artifact_key(path)
        assert key == hashlib.sha256(b"pellucid/ledger-key/v1\0" + data).digest()
        seen |= {plain, key.hex()}
    assert len(seen) == 8


@given(st.lists(DIGEST, min_size=1), st.randoms())
def test_the_key_of_a_release_is_the_same_in_any_order_and_with_repeats(keys: list[bytes], draw: object) -> None:
    mixed = [*keys, keys[0]]
    draw.shuffle(mixed)
    assert keyed.release_key(mixed) == keyed.release_key(keys)


@given(DIGEST, DIGEST)
def test_a_keyed_digest_is_the_hmac_of_the_plain_one(key: bytes, plain: bytes) -> None:
    assert keyed.digest(key, plain) == hmac.new(key, plain, "sha256").digest()
