"""When an upstream is asked again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.retry import Retry, retry_after


@given(st.integers(1, 60), st.none() | st.floats(0, 1e6))
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_half_of_its_step(
    failures: int, asked: float | None
) -> None:
    retry = Retry(first=0.5, longest=60)
    step = min(60, 0.5 * 2 ** (failures - 1))
    waited = retry.seconds(failures, asked)
    assert step / 2 <= waited <= 60
    assert waited >= min(asked or 0, 60)
    assert waited <= max(step, asked or 0)


def test_two_clients_that_fail_together_do_not_come_back_together() -> None:
    assert len({Retry().seconds(5) for _ in range(20)}) > 1


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    assert retry_after("120") == 120
    later = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True))
    assert later is not None
    assert 80 < later <= 90
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "Wed, 99 Oct"])
def test_a_retry_after_that_cannot_be_read_asks_for_nothing(header: str | None) -> None:
    assert retry_after(header) is None
