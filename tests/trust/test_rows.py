"""Hex columns: what is not written as a release writes it has no bytes."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust import rows

DIGITS = st.text("0123456789abcdefAF \n\u0660é\0", min_size=3, max_size=5) | st.text("09af", min_size=4, max_size=4)


@given(st.lists(DIGITS, max_size=4), st.integers(0, 4))
def test_hex_strings_are_so_many_lower_case_digits_each_or_there_are_no_bytes(written: list[str], start: int) -> None:
    found = rows.hex_bytes(pa.array(written, pa.string()).slice(start), 4)
    kept = written[start:]
    if all(re.fullmatch("[0-9a-f]{4}", one) for one in kept):
        assert found is not None and [bytes(one).ljust(2, b"\0") for one in found] == [
            bytes.fromhex(one) for one in kept
        ]
    else:
        assert found is None


@pytest.mark.parametrize(
    "written", [["ABCD"], ["ab d"], ["abcd", None], ["abc", "abcde"], ["\u0660123"[:4]], [""], [None]]
)
def test_what_is_almost_hex_has_no_bytes(written: list[str | None]) -> None:
    assert rows.hex_bytes(pa.array(written, pa.string()), 4) is None
