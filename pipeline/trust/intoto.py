"""in-toto Statements v1 (github.com/in-toto/attestation, spec/v1/statement.md): what the signed documents are.

A statement names files by digest (its subjects) and says one thing of them (its predicate, of a named type). Ours are
canonical JSON; reading is strict: every key that is wanted and no other, every value of its kind. `check` compares a
JSON value with a shape, which is written as data: a dict of exactly these keys, a list of one shape for every item, or
a function from a value to what would have been right (None where it is).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pipeline.errors import VerificationError
from pipeline.trust import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

Rule = Callable[[Any], str | None]
Shape = Mapping[str, Any] | Sequence[Any] | Rule


def build(subjects: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """Canonical bytes of a statement. `subjects`: file name to SHA-256 (hex). Raises NotCanonical."""
    return canonical.dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )


def parse(data: bytes, predicate_type: str, shape: Shape, where: str) -> tuple[dict[str, str], Any]:
    """Subjects (name to SHA-256) and predicate of a statement of this type and shape. Raises VerificationError."""
    try:
        value = canonical.loads_canonical(data)
    except canonical.NotCanonical as error:
        raise VerificationError(f"no statement: {error}", where=where) from error
    check(value, _STATEMENT, "the statement", where)
    for key, wanted in (("_type", STATEMENT_TYPE), ("predicateType", predicate_type)):
        if value[key] != wanted:
            raise VerificationError(f"{key} is {value[key]!r:.100}", wanted=repr(wanted), where=where)
    names = [subject["name"] for subject in value["subject"]]
    if any(earlier >= later for earlier, later in pairwise(names)):
        raise VerificationError("subject names a file twice, or out of order", wanted="sorted names", where=where)
    check(value["predicate"], shape, "predicate", where)
    return {subject["name"]: subject["digest"]["sha256"] for subject in value["subject"]}, value["predicate"]


def check(value: Any, shape: Shape, key: str, where: str) -> None:
    """Raise VerificationError naming the first key whose value is not of its shape."""
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            raise VerificationError(f"{key} is {_kind(value)}", wanted="an object", where=where)
        if missing := [name for name in shape if name not in value]:
            raise VerificationError(f"{key} has no key {missing[0]!r}", where=where)
        if unknown := [name for name in value if name not in shape]:
            raise VerificationError(
                f"{key} has an unknown key {unknown[0]!r:.100}", wanted=", ".join(shape), where=where
            )
        for name, inner in shape.items():
            check(value[name], inner, f"{key}.{name}", where)
    elif isinstance(shape, Sequence):
        if not isinstance(value, list):
            raise VerificationError(f"{key} is {_kind(value)}", wanted="a list", where=where)
        for index, item in enumerate(value):
            check(item, shape[0], f"{key}[{index}]", where)
    elif wanted := shape(value):
        raise VerificationError(f"{key} is {value!r:.100}", wanted=wanted, where=where)


def string(value: Any) -> str | None:
    return None if isinstance(value, str) else "a string"


def count(value: Any) -> str | None:
    """A number of things: an integer that is not negative. True is no number."""
    return None if type(value) is int and value >= 0 else "an integer, 0 or more"


def number(value: Any) -> str | None:
    return None if type(value) in (int, float) and value >= 0 else "a number, 0 or more"


def whole(value: Any) -> str | None:
    """An integer; canonical JSON has none beyond 2^53 - 1."""
    return None if type(value) is int else "an integer"


def share(value: Any) -> str | None:
    return None if type(value) in (int, float) and 0 <= value <= 1 else "a number from 0 to 1"


def anything(value: Any) -> str | None:
    """An object whose keys are its maker's own affair."""
    return None if isinstance(value, dict) else "an object"


def strings(value: Any) -> str | None:
    """An object of strings."""
    good = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return None if good else "an object whose values are strings"


def matching(pattern: str, wanted: str) -> Rule:
    """A string that the whole of `pattern` matches."""
    compiled = re.compile(pattern)
    return lambda value: None if isinstance(value, str) and compiled.fullmatch(value) else wanted


def optional(rule: Rule) -> Rule:
    return lambda value: None if value is None or not (wanted := rule(value)) else f"null or {wanted}"


sha256 = matching("[0-9a-f]{64}", "64 lower-case hex digits")
document = matching("[0-9a-f]{32}", "32 lower-case hex digits")

_STATEMENT: Shape = {
    "_type": string,
    "subject": [{"name": string, "digest": {"sha256": sha256}}],
    "predicateType": string,
    "predicate": anything,
}


def _kind(value: Any) -> str:
    names = {type(None): "null", dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    return names.get(type(value), "a number")
