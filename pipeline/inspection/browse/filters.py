"""Which documents a page is about: read from a URL, written into one, and asked of the Parquet columns.

Every filter is a parameter of a URL, and every combination has one spelling: parameters in one order, none empty. A parameter
that is unknown, stands twice, or means nothing is refused with what is wanted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from pipeline.inspection.browse.faults import BadRequest
from pipeline.inspection.pages import is_odd
from pipeline.trust.urls import canonical_url

FATES = ("all", "kept", "dropped", "removed")
MILLION = 1_000_000
TAKEDOWN = "takedown"  # the reason under which the totals of a release have what was removed after publication
LONGEST = 2000  # characters of a parameter
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*")
ID = re.compile("[0-9a-f]{32}")
_NUMBERS = ("min_score", "max_score", "low", "high")


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked; None: anything. Scores and bounds are in millionths, as in the rows."""

    fate: str = "all"
    source: str | None = None
    language: str | None = None
    reason: str | None = None
    license: str | None = None
    min_score: int | None = None
    max_score: int | None = None
    decision: str | None = None
    low: int | None = None
    high: int | None = None
    under: str | None = None
    url: str | None = None
    text: str | None = None

    def query(self, **more: str | None) -> str:
        """The query string of these filters and of what else is given, with its question mark; "" where there is none."""
        found = [(name, _written(name, value)) for name, value in self.asked().items()]
        found += [(name, value) for name, value in more.items() if value]
        return f"?{urlencode(found)}" if found else ""

    def asked(self) -> dict[str, Any]:
        """The filters that are set."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in given.items() if value is not None and (name, value) != ("fate", "all")}

    def without(self, name: str) -> "Filter":
        cleared: dict[str, Any] = {name: "all" if name == "fate" else None}
        return replace(self, **cleared)

    def shown(self) -> list[tuple[str, str]]:
        """Name and value of each, as a person reads them."""
        return [(name, _written(name, value)) for name, value in self.asked().items()]

    @property
    def by_manifest(self) -> bool:
        """Whether the manifest alone can count these documents."""
        return set(self.asked()) <= {"fate", "source", "license", "reason"}


def parse(parameters: Iterable[tuple[str, str]], others: Iterable[str] = ()) -> tuple[Filter, dict[str, str]]:
    """The filter of a URL's parameters, and those of `others`. Empty ones count as absent. Raises BadRequest."""
    known = {field.name for field in fields(Filter)}
    found: dict[str, Any] = {}
    rest: dict[str, str] = {}
    for name, value in parameters:
        if name not in known and name not in others:
            raise BadRequest(f"the parameter {name!r:.60} is unknown", wanted=", ".join(sorted({*known, *others})))
        if name in found or name in rest:
            raise BadRequest(f"the parameter {name} stands twice", wanted="each once")
        if len(value) > LONGEST:
            raise BadRequest(f"{name} has {len(value):,} characters", wanted=f"at most {LONGEST:,}")
        if any(is_odd(character) for character in value):
            raise BadRequest(f"{name} has a character that cannot be seen", wanted="others")
        value = value.strip()
        if not value:
            continue
        if name in others:
            rest[name] = value
        else:
            found[name] = _number(name, value) if name in _NUMBERS else value
    chosen = Filter(**found)
    _check(chosen)
    return chosen, rest


def _check(chosen: Filter) -> None:
    if chosen.fate not in FATES:
        raise BadRequest(f"fate is {chosen.fate!r:.60}", wanted=", ".join(FATES))
    for low, high in (("min_score", "max_score"), ("low", "high")):
        bounds = getattr(chosen, low), getattr(chosen, high)
        if None not in bounds and bounds[0] > bounds[1]:
            raise BadRequest(f"{low} is more than {high}", wanted="a range")
    if (chosen.low is not None or chosen.high is not None) and not chosen.decision:
        raise BadRequest("low and high are given, and no decision", wanted="decision=NAME, as in /reasons")
    if chosen.under and not _is_prefix(chosen.under) and not _LABEL.fullmatch(chosen.under):
        raise BadRequest(
            f"under is {chosen.under!r:.100}",
            wanted="a domain (example.org), or the beginning of a URL (https://... or pkg:pypi/...)",
        )


def kinds(chosen: Filter) -> tuple[str, ...]:
    """Of which fates there can be an answer: removed documents have no text, dropped ones none here, kept ones no reason."""
    found: tuple[str, ...] = ("kept", "dropped", "removed") if chosen.fate == "all" else (chosen.fate,)
    asked = set(chosen.asked())
    if "text" in asked:
        found = tuple(kind for kind in found if kind == "kept")
    if "reason" in asked:
        found = tuple(kind for kind in found if kind == ("removed" if chosen.reason == TAKEDOWN else "dropped"))
    if asked - (
        {"fate", "source", "license", "reason"} if chosen.reason == TAKEDOWN else {"fate", "source", "license"}
    ):
        found = tuple(kind for kind in found if kind != "removed")
    return found


def conditions(chosen: Filter) -> tuple[str, dict[str, Any]]:
    """SQL of what is asked of a row of kept or dropped, beside its id and source, and the values to bind."""
    parts: list[str] = []
    bound: dict[str, Any] = {}

    def ask(sql: str, **values: Any) -> None:
        parts.append(sql)
        bound.update(values)

    if chosen.language is not None:
        ask("language = $language", language=chosen.language)
    if chosen.min_score is not None:
        ask("language_score >= $min_score", min_score=chosen.min_score)
    if chosen.max_score is not None:
        ask("language_score <= $max_score", max_score=chosen.max_score)
    if chosen.reason not in (None, TAKEDOWN):
        ask("reason = $reason", reason=chosen.reason)
    if chosen.decision is not None:
        inside = ["one.reason = $decision"]
        if chosen.low is not None:
            inside.append("one.value >= $low")
        if chosen.high is not None:
            inside.append("one.value <= $high")
        bounds = {name: getattr(chosen, name) for name in ("low", "high") if getattr(chosen, name) is not None}
        ask(
            f"len(list_filter(decisions, lambda one: {' AND '.join(inside)})) > 0",
            decision=chosen.decision,
            **bounds,
        )
    if chosen.under is not None and _is_prefix(chosen.under):
        ask("starts_with(url, $under)", under=chosen.under)
    elif chosen.under is not None:
        host = r"regexp_extract(lower(url), '^https?://(?:[^/?#@]*@)?([^/?#:]+)', 1)"
        ask(
            "CASE WHEN regexp_matches(url, '(?i)' || regexp_escape($under)) "  # most URLs end here, and cheaply
            f"THEN {host} = $under OR ends_with({host}, $below) ELSE false END",
            under=chosen.under.lower(),
            below=f".{chosen.under.lower()}",
        )
    if chosen.url is not None:
        ask("url IN ($url, $canonical)", url=chosen.url, canonical=canonical_url(chosen.url))
    return " AND ".join(parts), bound


def _is_prefix(value: str) -> bool:
    return value.lower().startswith(("http://", "https://", "pkg:")) or "://" in value


def _number(name: str, value: str) -> int:
    try:
        millionths = Decimal(value.replace(",", "")) * MILLION
        found = int(millionths.to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise BadRequest(f"{name} is {value!r:.60}", wanted="a number, such as 0.65 or 200") from None
    if abs(found) >= 1 << 63:
        raise BadRequest(f"{name} is {value!r:.60}", wanted="a smaller number")
    return found


def _written(name: str, value: Any) -> str:
    if name not in _NUMBERS:
        return str(value)
    return f"{Decimal(value) / MILLION:f}"
