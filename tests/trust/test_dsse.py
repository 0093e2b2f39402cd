"""Envelopes: the published vector, and that nothing but the signed bytes of a trusted key comes out."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import VerificationError
from pipeline.trust import canonical, dsse
from pipeline.trust.keys import key_id

KIND = "application/vnd.example+json"
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
TRUSTED = (KEY.public_key(),)
ENVELOPE = dsse.sign(b'{"a":1}', KIND, KEY)


def test_the_encoding_that_is_signed_is_that_of_the_specification() -> None:
    """The test vector of protocol.md."""
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert dsse.pae("é", b"\xff\n") == b"DSSEv1 2 \xc3\xa9 2 \xff\n"


@given(st.text(max_size=20), st.binary(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_two_payloads_or_types_never_share_their_signed_encoding(
    kind: str, payload: bytes, kind2: str, payload2: bytes
) -> None:
    assert (dsse.pae(kind, payload) == dsse.pae(kind2, payload2)) == ((kind, payload) == (kind2, payload2))


def test_the_envelope_of_a_known_key_and_payload_has_these_bytes() -> None:
    """Golden; payload as in protocol.md's vector. Signature checked by hand over the encoding that the vector prints."""
    envelope = json.loads(dsse.sign(b"hello world", "http://example.com/HelloWorld", KEY))
    assert envelope["payload"] == "aGVsbG8gd29ybGQ="
    assert envelope["signatures"][0]["keyid"] == key_id(KEY.public_key())
    KEY.public_key().verify(
        base64.b64decode(envelope["signatures"][0]["sig"]), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_what_is_signed_comes_out_again_with_the_id_of_its_key(payload: bytes, kind: str) -> None:
    opened = dsse.open_envelope(dsse.sign(payload, kind, KEY), (OTHER.public_key(), *TRUSTED), kind)
    assert opened == dsse.Opened(payload, key_id(KEY.public_key()))


def test_every_single_bit_of_an_envelope_counts() -> None:
    for position in range(len(ENVELOPE)):
        for bit in range(8):
            changed = bytearray(ENVELOPE)
            changed[position] ^= 1 << bit
            with pytest.raises(VerificationError):
                dsse.open_envelope(bytes(changed), TRUSTED, KIND)


@given(st.integers(0, len(ENVELOPE) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_no_insertion_or_deletion_in_an_envelope_passes(position: int, inserted: bytes, removed: int) -> None:
    changed = ENVELOPE[:position] + inserted + ENVELOPE[position + removed :]
    if changed != ENVELOPE:
        with pytest.raises(VerificationError):
            dsse.open_envelope(changed, TRUSTED, KIND)


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    envelope = json.loads(ENVELOPE)
    change(envelope)
    return canonical.dumps(envelope)


def signature(envelope: dict[str, Any]) -> dict[str, Any]:
    return envelope["signatures"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(payloadType="application/json"), "payload type"),
        (lambda e: e.update(payload="eyJhIjoyfQ=="), "does not verify"),
        (lambda e: e.update(payload=e["payload"].rstrip("=")), "not base64"),
        (lambda e: e.update(payload="eyJhIjoxfR=="), "one standard base64"),
        (lambda e: e.update(payload=7), "payload is a int"),
        (lambda e: e.update(note=""), "wanted: an object of"),
        (lambda e: e.pop("payloadType"), "wanted: an object of"),
        (lambda e: e.update(signatures=[]), "0 signatures"),
        (lambda e: e["signatures"].append(signature(e)), "2 signatures"),
        (lambda e: e.update(signatures=["x"]), r"signatures\[0\]"),
        (lambda e: signature(e).pop("keyid"), r"signatures\[0\]"),
        (lambda e: signature(e).update(keyid="0" * 64), "another key"),
        (lambda e: signature(e).update(keyid=key_id(OTHER.public_key())), "another key"),
        (lambda e: signature(e).update(alg="none"), r"signatures\[0\]"),
        (lambda e: signature(e).update(sig=""), "has 0 bytes"),
        (lambda e: signature(e).update(sig=base64.b64encode(bytes(63)).decode()), "has 63 bytes"),
        (lambda e: signature(e).update(sig=base64.b64encode(bytes(64)).decode()), "does not verify"),
    ],
)
def test_each_rule_of_an_envelope_has_its_own_message(change: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        dsse.open_envelope(edited(change), TRUSTED, KIND)


def test_a_url_safe_encoding_of_the_same_bytes_is_refused() -> None:
    envelope = dsse.sign(b"\xfb\xff\xfe", KIND, KEY)
    changed = envelope.replace(b"+//+", b"-__-")
    assert changed != envelope
    with pytest.raises(VerificationError, match="base64"):
        dsse.open_envelope(changed, TRUSTED, KIND)


def test_the_same_envelope_with_white_space_or_a_key_twice_is_refused() -> None:
    for changed in (ENVELOPE + b"\n", b" " + ENVELOPE, ENVELOPE.replace(b":", b": ", 1),
                    b'{"payload":"",' + ENVELOPE[1:], ENVELOPE + ENVELOPE):  # fmt: skip
        with pytest.raises(VerificationError, match="no signature envelope"):
            dsse.open_envelope(changed, TRUSTED, KIND)


def test_a_signature_of_an_untrusted_key_is_refused_and_its_id_is_shown() -> None:
    with pytest.raises(VerificationError, match=key_id(OTHER.public_key())):
        dsse.open_envelope(dsse.sign(b"x", KIND, OTHER), TRUSTED, KIND)


def test_an_untrusted_key_that_takes_the_id_of_a_trusted_one_is_refused() -> None:
    envelope = json.loads(dsse.sign(b"x", KIND, OTHER))
    signature(envelope)["keyid"] = key_id(KEY.public_key())
    with pytest.raises(VerificationError, match="does not verify"):
        dsse.open_envelope(canonical.dumps(envelope), TRUSTED, KIND)


def test_without_trusted_keys_nothing_is_trusted() -> None:
    with pytest.raises(VerificationError, match="none is given"):
        dsse.open_envelope(ENVELOPE, (), KIND)


def test_a_signature_over_one_type_does_not_hold_for_another() -> None:
    envelope = json.loads(ENVELOPE)
    envelope["payloadType"] = "application/other"
    with pytest.raises(VerificationError, match="does not verify"):
        dsse.open_envelope(canonical.dumps(envelope), TRUSTED, "application/other")


def test_an_equivalent_signature_with_a_larger_scalar_is_refused() -> None:
    """RFC 8032 section 5.1.7: S + L verifies the same equation, and has to be refused."""
    envelope = json.loads(ENVELOPE)
    raw = base64.b64decode(signature(envelope)["sig"])
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(raw[32:], "little") + order
    signature(envelope)["sig"] = base64.b64encode(raw[:32] + scalar.to_bytes(32, "little")).decode()
    with pytest.raises(VerificationError, match="does not verify"):
        dsse.open_envelope(canonical.dumps(envelope), TRUSTED, KIND)


def test_keys_are_those_of_the_caller_and_the_algorithm_is_theirs() -> None:
    assert all(isinstance(key, Ed25519PublicKey) for key in TRUSTED)
    assert dsse.open_envelope(ENVELOPE, TRUSTED, KIND).payload == b'{"a":1}'
