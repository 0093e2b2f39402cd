"""Digests of strings of every length are hashlib's, in any mixture, from any place of a buffer."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import sha256


def digests(strings: list[bytes], before: bytes = b"") -> list[bytes]:
    data = np.frombuffer(before + b"".join(strings) + b"behind", np.uint8)
    offsets = len(before) + np.cumsum([0, *map(len, strings)]).astype(np.int64)
    return [bytes(row) for row in sha256.digests(data, offsets)]


def expected(strings: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(string).digest() for string in strings]


def test_published_vectors() -> None:
    """FIPS 180-4's examples (NIST, "SHA256.pdf"): one block and two; and the empty string."""
    found = digests([b"abc", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", b""])
    assert [one.hex() for one in found] == [
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 17])
def test_every_length_around_the_ends_of_blocks(count: int) -> None:
    for length in (0, 1, 3, 4, 54, 55, 56, 63, 64, 65, 118, 119, 120, 127, 128, 200):
        strings = [bytes([255 - n, *range(length)][:length]) for n in range(count)]
        assert digests(strings) == expected(strings)


def test_a_longer_string_leaves_nothing_for_a_shorter_one_behind_it() -> None:
    strings = [b"\xff" * length for length in [*range(130), *range(129, -1, -1)]]
    assert digests(strings) == expected(strings)


@given(st.lists(st.binary(max_size=140), max_size=40), st.binary(max_size=5))
def test_digests_are_those_of_hashlib(strings: list[bytes], before: bytes) -> None:
    assert digests(strings, before) == expected(strings)
