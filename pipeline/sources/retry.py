"""When to ask an upstream again."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# RFC 9110, sections 15.5.9, 15.6; RFC 6585, section 4: the same request may well succeed later.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retry:
    """Up to `attempts` failures in a row; between them exponential back-off with jitter, in seconds.

    The n-th wait is drawn from the upper half of `first` x 2^n, at most `longest`: clients that failed together do not
    come back together. A server's Retry-After is honoured up to `longest`. `wait` is given the seconds in place of
    waiting; None waits, and wakes when the fetch is stopped.
    """

    attempts: int = 6
    first: float = 0.5
    longest: float = 60.0
    wait: Callable[[float], None] | None = None

    def seconds(self, failures: int, asked: float | None = None) -> float:
        """How long to wait after so many failures in a row (from 1), where the server asked for `asked` seconds."""
        backed_off = min(self.longest, self.first * 2.0 ** (failures - 1)) * random.uniform(0.5, 1)  # noqa: S311 (jitter)
        return min(self.longest, max(backed_off, asked or 0.0))


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, section 10.2.3): a number or a date. None: not readable."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
