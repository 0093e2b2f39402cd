"""A pinned artifact as JSON values, as locks hold it: read strictly, for a lock may be somebody else's."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import RecipeError
from pipeline.model import Artifact, Evidence
from pipeline.sources.entries import PURL_TYPES, parse_purl

HINT = "pellucid lock RECIPE"
FIELDS: dict[str, type] = {
    "source": str, "kind": str, "purl": str, "file": str, "size": int, "sha256": str, "location": str, "evidence": list,
}  # fmt: skip
_SHA256 = re.compile(r"[0-9a-f]{64}")


def to_json(artifact: Artifact) -> dict[str, Any]:
    return {**asdict(artifact), "evidence": [asdict(evidence) for evidence in artifact.evidence]}


def from_json(value: Any, where: str, key: str) -> Artifact:
    shape(value, FIELDS, where, key)
    evidence = []
    for index, one in enumerate(value["evidence"]):
        shape(one, {"member": str, "sha256": str}, where, f"{key}.evidence[{index}]")
        _sha256(one["sha256"], where, f"{key}.evidence[{index}].sha256")
        evidence.append(Evidence(one["member"], one["sha256"]))
    _sha256(value["sha256"], where, f"{key}.sha256")
    if value["kind"] not in PURL_TYPES:
        raise RecipeError(f"{key}.kind is {value['kind']!r}", where=where, wanted=f"one of {', '.join(PURL_TYPES)}")
    if value["size"] < 0:
        raise RecipeError(f"{key}.size is {value['size']}", where=where, wanted="a number of bytes")
    if not value["file"].isprintable() or "/" in value["file"] or value["file"] in ("", ".", ".."):
        raise RecipeError(f"{key}.file is {value['file']!r}", where=where, wanted="a file name, without folders")
    _location(value["kind"], value["location"], where, f"{key}.location")
    artifact = Artifact(**{**value, "evidence": tuple(evidence)})
    try:
        parse_purl(artifact)
    except RecipeError as error:
        raise RecipeError(f"{key}.purl: {error.seen}", where=where, wanted=error.wanted) from error
    return artifact


def _location(kind: str, location: str, where: str, key: str) -> None:
    good = {
        "http": location.startswith(("http://", "https://")),
        "local": location != "" and not Path(location).is_absolute(),
    }.get(kind, location == "")
    if not good:
        wanted = {"http": "an http(s) URL", "local": "a path relative to the recipe's folder"}
        raise RecipeError(f"{key} is {location!r:.200}", where=where, wanted=wanted.get(kind, "empty for a package"))


def shape(value: Any, wanted: Mapping[str, type], where: str, key: str) -> None:
    """That `value` is an object of exactly these keys, with values of these types."""
    if not isinstance(value, dict):
        raise RecipeError(f"{key} is {type(value).__name__}", where=where, wanted="an object", hint=HINT)
    if odd := sorted(set(value) ^ set(wanted)):
        raise RecipeError(
            f"{key}: {'unknown' if odd[0] in value else 'missing'} key {odd[0]!r}",
            where=where, wanted=f"the keys {', '.join(wanted)}", hint=HINT,
        )  # fmt: skip
    for name, kind in wanted.items():
        if type(value[name]) is not kind:
            raise RecipeError(f"{key}.{name} is {value[name]!r:.80}", where=where, wanted=f"{kind.__name__}", hint=HINT)


def _sha256(value: str, where: str, key: str) -> None:
    if not _SHA256.fullmatch(value):
        raise RecipeError(f"{key} is {value!r:.80}", where=where, wanted="64 lower-case hex digits")
