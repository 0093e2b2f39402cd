"""JSON of others, read strictly: no key twice, no NaN; numbers that have no canonical form as strings of their digits."""

import json
import math
from typing import Any

from pipeline.trust.canonical import MAX_INTEGER


class NotJson(ValueError):
    """The text is no JSON: `reason` is the ledger's (`unreadable:...`)."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Digits(str):
    """A number that has no canonical form, as it was written."""

    __slots__ = ()


def is_string(value: Any) -> bool:
    """Whether a value was a JSON string, not a number kept as its digits."""
    return isinstance(value, str) and not isinstance(value, Digits)


def loads(text: str) -> Any:
    """The value of a JSON text. Raises NotJson. Integers beyond 2^53 - 1 and infinite floats come as Digits (RFC 8785)."""
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("unreadable:too_deep", "nested deeper than the parser goes") from None
    except ValueError as error:
        raise NotJson("unreadable:json", f"not JSON: {error}"[:200]) from None


def text_of(raw: bytes) -> str:
    """The bytes as UTF-8, which JSON is (RFC 8259, section 8.1). Raises NotJson."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson("unreadable:charset", f"no UTF-8 at byte {error.start:,}: {error.reason}") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotJson("unreadable:duplicate_key", f"the key {twice!r:.80} stands twice in one object")
    return found


def _integer(digits: str) -> int | str:
    if len(digits) > 17:
        return Digits(digits)
    value = int(digits)
    return value if abs(value) <= MAX_INTEGER else Digits(digits)


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else Digits(digits)


def _constant(name: str) -> Any:
    raise NotJson("unreadable:json", f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)
