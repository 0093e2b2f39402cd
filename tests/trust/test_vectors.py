"""Published test vectors of the standards that trust rests on. Where each is from, and its licence: vectors/README.md.

Envelopes: DSSE's protocol.md prints one vector, and test_dsse.py has its encoding; its signature is of ECDSA, which is not
taken here. Its repository's default branch has no others. These rules are stricter than DSSE's (canonical JSON, a key id
that is a digest of the key): an envelope that was made for other tools cannot be opened by them.
"""

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecipeError
from pipeline.trust import canonical, curve, keys, merkle
from tests.trust import small_release as small

VECTORS = Path(__file__).parent / "vectors"


def rows(name: str) -> list[Any]:
    return json.loads((VECTORS / f"{name}.json").read_bytes())


def holds(public: str, message: str, signature: str) -> bool:
    """As dsse.open_envelope asks it."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(signature), bytes.fromhex(message)
        )
    except InvalidSignature:
        return False
    return True


def loaded(folder: Path, public: bytes) -> Ed25519PublicKey:
    """A key by way of the file that a user would name."""
    path = folder / "some.pub"
    path.write_bytes(keys.public_pem(Ed25519PublicKey.from_public_bytes(public)))
    return keys.load_public(path)


# ---------------------------------------------------------------- Ed25519


@pytest.mark.parametrize(("name", "secret", "public", "message", "signature"), rows("rfc8032"))
def test_the_vectors_of_rfc_8032_are_signed_and_verified_as_printed(
    name: str, secret: str, public: str, message: str, signature: str, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert holds(public, message, signature)
    assert loaded(tmp_path, bytes.fromhex(public)) == key.public_key()


def test_all_signatures_of_wycheproof_are_judged_as_it_says() -> None:
    vectors = rows("wycheproof_ed25519")
    assert len(vectors) == 151
    wrong = [row for row in vectors if holds(*row[1:4]) != (row[4] == "valid")]
    assert wrong == []
    assert {row[4] for row in vectors} == {"valid", "invalid"}


def test_the_keys_of_wycheproof_may_be_trusted(tmp_path: Path) -> None:
    publics = {row[1] for row in rows("wycheproof_ed25519")}
    assert [public for public in publics if curve.weakness(bytes.fromhex(public))] == []


def test_signatures_that_libraries_disagree_on_hold_for_no_key_that_may_be_trusted(tmp_path: Path) -> None:
    """The library itself accepts numbers 0 to 3 and 11: small order and mixed order keys, and one with two encodings."""
    vectors = rows("speccheck")
    assert [number for number, row in enumerate(vectors) if holds(*row)] == [0, 1, 2, 3, 11]
    sound = [number for number, row in enumerate(vectors) if curve.weakness(bytes.fromhex(row[0])) is None]
    assert sound == [6, 7]  # a sound key, and signatures whose scalar is too large: refused above
    for number in set(range(12)) - set(sound):
        with pytest.raises(RecipeError, match="the public key is not"):
            loaded(tmp_path, bytes.fromhex(vectors[number][0]))


SIGN = 1 << 255


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "prime order"), (SIGN, "prime order"), (1, "prime order"), (curve.P - 1, "prime order"),
        (1 | SIGN, "one encoding"), (curve.P - 1 | SIGN, "one encoding"), (curve.P, "one encoding"),
        (curve.P + 1, "one encoding"), (curve.P + 1 | SIGN, "one encoding"), (curve.P + 18, "one encoding"),
        (SIGN - 1, "one encoding"), (2, "no point of the curve"),
    ],
)  # fmt: skip
def test_keys_of_small_order_of_two_encodings_or_off_the_curve_are_not_loaded(
    tmp_path: Path, number: int, said: str
) -> None:
    """Each is taken by the library; for the neutral point, R = 1 and S = 0 is a signature of every message."""
    raw = number.to_bytes(32, "little")
    if number in (1, 1 | SIGN, curve.P + 1):
        assert holds(raw.hex(), "00", (1).to_bytes(64, "little").hex())
    with pytest.raises(RecipeError, match=said):
        loaded(tmp_path, raw)


def test_the_order_of_the_subgroup_and_the_base_point_are_those_of_the_rfc() -> None:
    """RFC 8032, 5.1: B has y = 4/5; d is the constant that is printed there."""
    assert curve.D == 37095705934669439343138083508754565189542113879843219016388785533085940283555
    assert curve.weakness((4 * pow(5, -1, curve.P) % curve.P).to_bytes(32, "little")) is None
    assert curve.weakness(b"") == "has 0 bytes, not 32"


@given(st.binary(min_size=32, max_size=32))
def test_the_key_of_every_secret_may_be_trusted(secret: bytes) -> None:
    assert curve.weakness(Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()) is None


# ---------------------------------------------------------------- JCS

# RFC 8785, appendix B: the bits of a double, and how it is written.
NUMBERS = [
    ("0000000000000000", "0"), ("8000000000000000", "0"), ("0000000000000001", "5e-324"), ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"), ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"), ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"), ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"), ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"), ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"), ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"), ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]  # fmt: skip
# The same appendix; refused here, as each is written like an integer beyond 2^53 - 1, or is no number.
REFUSED = [
    "4340000000000000", "c340000000000000", "4430000000000000", "444b1ae4d6e2ef4e", "444b1ae4d6e2ef4f", "7fffffffffffffff",
    "7ff0000000000000",
]  # fmt: skip


def double(bits: str) -> float:
    return struct.unpack(">d", bytes.fromhex(bits))[0]


@pytest.mark.parametrize(("bits", "written"), NUMBERS)
def test_numbers_are_written_as_in_appendix_b_of_rfc_8785(bits: str, written: str) -> None:
    assert canonical.dumps(double(bits)) == written.encode()
    assert canonical.dumps(canonical.loads(written.encode())) == written.encode()


@pytest.mark.parametrize("bits", REFUSED)
def test_numbers_of_appendix_b_that_look_like_large_integers_are_refused(bits: str) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.dumps(double(bits))


@pytest.mark.parametrize(("name", "given_", "wanted"), rows("jcs"))
def test_the_test_data_of_jcs_has_its_published_bytes(name: str, given_: str, wanted: str) -> None:
    assert canonical.dumps(canonical.loads(given_.encode())) == wanted.encode()
    assert canonical.dumps(canonical.loads_canonical(wanted.encode())) == wanted.encode()


# ---------------------------------------------------------------- Merkle trees


def test_published_inclusion_proofs_hold_or_not_as_they_say() -> None:
    vectors = rows("merkle_inclusion")
    assert (len(vectors), sum(row[-1] for row in vectors)) == (98, 6)
    for name, index, size, leaf, proof, root, wanted in vectors:
        hashes = [bytes.fromhex(one) for one in proof]
        assert merkle.verify_inclusion(bytes.fromhex(leaf), index, size, hashes, bytes.fromhex(root)) == wanted, name


def test_published_consistency_proofs_hold_or_not_as_they_say() -> None:
    """But for one of two equal "roots" of 12 bytes, which says that any equal bytes will do; here a hash has 32."""
    odd = "additional/sizes-are-equal-one-and-proof-is-empty"
    vectors = rows("merkle_consistency")
    assert (len(vectors), sum(row[-1] for row in vectors)) == (98, 6)
    for name, old, new, root, root2, proof, wanted in vectors:
        hashes = [bytes.fromhex(one) for one in proof]
        found = merkle.verify_consistency(old, new, hashes, bytes.fromhex(root), bytes.fromhex(root2))
        assert found == (wanted and name != odd), name


def test_among_the_published_proofs_are_a_tree_of_size_0_and_hashes_of_other_lengths() -> None:
    """What a verifier written from the RFC's text alone accepts: it says nothing of either."""
    assert sum(row[1] == 0 or row[2] == 0 for row in rows("merkle_consistency")) >= 3
    assert any(len(row[3]) != 64 for row in rows("merkle_inclusion"))


@pytest.mark.parametrize("new", [0, 1, 8])
def test_nothing_is_consistent_with_an_empty_tree(new: int) -> None:
    some = hashlib.sha256(b"\x00").digest()
    for proof in ([], [some], [merkle.EMPTY]):
        for roots in ((merkle.EMPTY, some), (some, some), (merkle.EMPTY, merkle.EMPTY)):
            assert not merkle.verify_consistency(0, new, proof, *roots)


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_leaf_hash_of_31_or_33_bytes_is_in_no_tree(length: int, index: int) -> None:
    leaf = bytes(length if length != 32 else 31)
    assert not merkle.verify_inclusion(leaf, 0, 1, [], leaf)
    assert not merkle.verify_inclusion(leaf, index, index + 1, [leaf], leaf)


def test_the_keys_that_the_tests_sign_with_may_be_trusted(tmp_path: Path) -> None:
    for key in (small.KEY, small.OTHER_KEY):
        assert loaded(tmp_path, key.public_key().public_bytes_raw()) == key.public_key()
