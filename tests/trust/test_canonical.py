"""Canonical JSON against RFC 8785's own examples, and what it refuses."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust import canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


def test_the_example_of_rfc_8785_section_3_2_4_has_the_bytes_that_the_rfc_prints() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    wanted = bytes.fromhex(
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333"
        "332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c"
        "222f227d"
    )
    assert canonical.dumps(value) == wanted


def test_keys_are_sorted_by_utf_16_code_units_as_in_rfc_8785_section_3_2_3() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(json.loads(canonical.dumps(value)).values()) == [2, 4, 6, 7, 1, 5, 3]


@given(values)
def test_a_value_that_is_written_and_read_is_written_the_same_again(value: object) -> None:
    data = canonical.dumps(value)
    assert canonical.dumps(canonical.loads(data)) == data
    assert canonical.loads_canonical(data) == canonical.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9007199254740992",
        b"-9007199254740992", b"1" * 5000, b"[1,]", b"\xff", b"", b"{} {}", b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_json_with_one_meaning_is_refused(data: bytes) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}', b"{ }", b"1.0", b"-0", b"1E5", b'"\\u0041"', b'"\\/"', b'"\\ud800"', b"[1]\n", b"\xef\xbb\xbf1",
    ],
)  # fmt: skip
def test_other_spellings_of_json_are_not_canonical(data: bytes) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.loads_canonical(data)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, float(2**53), [-1e20], {1: 2}, {"a"}, b"x", object(), "\ud800"]
)
def test_values_without_stable_bytes_are_refused(value: object) -> None:
    with pytest.raises(canonical.NotCanonical):
        canonical.dumps(value)


def test_a_digest_depends_on_its_domain_tag() -> None:
    assert canonical.digest("a", {"k": 1}) == "e06c498780cd1682e510ce4afc41f0ab47b698983d3199db8e68768117152018"
    assert canonical.digest("a", {"k": 1}) != canonical.digest("b", {"k": 1})


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(plain)
def test_values_without_floats_have_the_bytes_of_the_reference_encoder(value: object) -> None:
    try:
        wanted = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        with pytest.raises(canonical.NotCanonical):
            canonical.dumps(value)
    else:
        assert canonical.dumps(value) == wanted


def test_every_character_is_escaped_as_the_reference_encoder_does() -> None:
    text = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    assert canonical.dumps({"text": text}) == rfc8785.dumps({"text": text})


@pytest.mark.parametrize("levels", [199, 200, 201, 254, 255, 300])
def test_deep_values_have_the_bytes_of_the_reference_encoder(levels: int) -> None:
    value: object = "x"
    for _ in range(levels):
        value = {"a": [value]}
    assert canonical.dumps(value) == rfc8785.dumps(value)
