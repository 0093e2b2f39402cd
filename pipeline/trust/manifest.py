"""The manifest: one in-toto Statement that names every file of a release and says how it was made.

Pure: values in, canonical bytes out, and back. The manifest is a function of recipe, lock, code, the releases that it was
built against, and the files; it has no clock, host, user, path or worker count. The SHA-256 of its bytes is the release id.
Every field: docs/format.md.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict, cast

from pipeline.errors import VerificationError
from pipeline.trust import extraction, intoto, names, opt_out, roots
from pipeline.trust.intoto import PAYLOAD_TYPE as PAYLOAD_TYPE

PREDICATE_TYPE = "urn:pellucid:manifest:v1"
CODE_TAG = b"pellucid/code/v1\x00"


class Reason(TypedDict):
    """How many records a stage dropped for one reason."""

    stage: str
    reason: str
    documents: int


class Totals(TypedDict):
    """Counts of records; `text_bytes` of the kept texts in UTF-8. read = kept + dropped = kept + sum of reasons.

    `extraction`: of the pages among the records, kept and dropped ones.
    """

    read: int
    kept: int
    dropped: int
    text_bytes: int
    extraction: extraction.ExtractionTotals
    reasons: list[Reason]


class EvidenceEntry(TypedDict):
    member: str
    sha256: str


class ArtifactEntry(TypedDict):
    """`size` in bytes; `read`: records that it held."""

    purl: str
    file: str
    size: int
    sha256: str
    read: int
    evidence: list[EvidenceEntry]


class ExtractorEntry(TypedDict):
    """An extractor that a source's pages were read with. `model_sha256`: of its model's file, null if it has none."""

    name: str
    version: str
    model_sha256: str | None


class AgainstEntry(TypedDict):
    """Another release, whose kept documents were left out of this one."""

    release_id: str
    name: str
    version: str


class SourceEntry(Totals):
    """`skipped_pairs`: pairs with a common band key that the bound of a bucket left uncompared."""

    name: str
    skipped_pairs: int
    license: str
    artifacts: list[ArtifactEntry]


class FileEntry(TypedDict):
    """`rows`, `leaves` (rows, and those that a takedown removed), `root` (over the leaves), `first_id` and `last_id` are
    null but for Parquet; ids also where there is no row.
    """

    name: str
    kind: str
    source: str | None
    sha256: str
    bytes: int
    rows: int | None
    leaves: int | None
    root: str | None
    first_id: str | None
    last_id: str | None


class Manifest(TypedDict):
    """The predicate of a manifest: plain JSON values, their shapes checked."""

    name: str
    version: str
    description: str
    recipe: dict[str, Any]
    lock: dict[str, Any]
    against: list[AgainstEntry]
    code: dict[str, str]
    environment: dict[str, Any]
    extractors: list[ExtractorEntry]
    stages: list[dict[str, str]]
    totals: Totals
    sources: list[SourceEntry]
    files: list[FileEntry]
    roots: dict[str, roots.Root]
    policies: dict[str, list[Any]]


_EXTRACTION: dict[str, Any] = {
    "pages": intoto.count, "visible_characters": intoto.count, "kept_characters": intoto.count,
    "cuts": [{"reason": intoto.string, "blocks": intoto.count, "characters": intoto.count}],
}  # fmt: skip
_EXTRACTOR: dict[str, Any] = {
    "name": intoto.string, "version": intoto.string, "model_sha256": intoto.optional(intoto.sha256),
}  # fmt: skip
_TOTALS: dict[str, Any] = {
    "read": intoto.count, "kept": intoto.count, "dropped": intoto.count, "text_bytes": intoto.count,
    "extraction": _EXTRACTION,
    "reasons": [{"stage": intoto.string, "reason": intoto.string, "documents": intoto.count}],
}  # fmt: skip
_ARTIFACT: dict[str, Any] = {
    "purl": intoto.string, "file": intoto.string, "size": intoto.count, "sha256": intoto.sha256,
    "read": intoto.count, "evidence": [{"member": intoto.string, "sha256": intoto.sha256}],
}  # fmt: skip
# What the checks of duplicates take from the recipe.
_DEDUP: dict[str, Any] = {
    "exact": lambda value: None if isinstance(value, bool) else "true or false",
    "near": lambda value: (
        None
        if value is None or (isinstance(value, dict) and intoto.share(value.get("threshold")) is None)
        else "null, or an object with a threshold of 0 to 1"
    ),
}
SHAPE: dict[str, Any] = {
    "name": intoto.matching(names.SOURCE_NAME, "a recipe's name"),
    "version": intoto.string,
    "description": intoto.string,
    "recipe": intoto.anything,
    "lock": intoto.anything,
    "against": [
        {
            "release_id": intoto.sha256, "name": intoto.matching(names.SOURCE_NAME, "a recipe's name"),
            "version": intoto.string,
        }
    ],
    "code": {"package": intoto.string, "version": intoto.string, "sha256": intoto.sha256},
    "environment": {"requirements_sha256": intoto.optional(intoto.sha256), "packages": intoto.strings},
    "extractors": [_EXTRACTOR],
    "stages": [{"name": intoto.string, "code_sha256": intoto.sha256}],
    "totals": _TOTALS,
    "sources": [
        {
            **_TOTALS, "skipped_pairs": intoto.count, "name": intoto.matching(names.SOURCE_NAME, "a source's name"),
            "license": intoto.string,
            "artifacts": [_ARTIFACT],
        }
    ],
    "files": [
        {
            "name": intoto.string, "kind": intoto.string, "source": intoto.optional(intoto.string),
            "sha256": intoto.sha256, "bytes": intoto.count, "rows": intoto.optional(intoto.count),
            "leaves": intoto.optional(intoto.count),
            "root": intoto.optional(intoto.sha256),
            "first_id": intoto.optional(intoto.document), "last_id": intoto.optional(intoto.document),
        }
    ],
    "roots": {tree: {"size": intoto.count, "root": intoto.sha256} for tree in roots.TREES},
    "policies": {
        "takedown": [{"release_id": intoto.sha256, "code_sha256": intoto.sha256, "ids": [intoto.document]}],
        "opt_out": [{"sha256": intoto.sha256, **dict.fromkeys(("domains", "ids", "texts", "urls"), intoto.count)}],
    },
}  # fmt: skip


def statement(
    *,
    recipe: Mapping[str, Any],
    lock: Mapping[str, Any],
    code: Mapping[str, Any],
    environment: Mapping[str, Any],
    stages: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    files: Sequence[Mapping[str, Any]],
    index: Mapping[str, roots.Root],
    extractors: Sequence[Mapping[str, Any]] = (),
    against: Sequence[Mapping[str, Any]] = (),
    totals: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
) -> bytes:
    """Canonical bytes of the manifest's statement, from JSON values of the shapes above.

    Name, version and description are the recipe's, and what the policies say of opt-out lists follows from its own. Totals
    are the sums over the sources; files, reasons, subjects, `extractors` and the releases in `against` are put in order;
    `index` has the roots of the index trees, the others follow. Raises VerificationError naming the key whose value `parse`
    would refuse, and ValueError if `totals` is given and is not the sum.
    """
    summed = sum_totals(sources)
    if totals is not None and _in_order(totals) != summed:
        raise ValueError(f"totals are {_in_order(totals)}, but the sources sum to {summed}")
    predicate = {
        "name": recipe["name"],
        "version": recipe["version"],
        "description": recipe["description"],
        "recipe": recipe,
        "lock": lock,
        "against": sorted(against, key=lambda other: str(other["release_id"])),
        "code": code,
        "environment": environment,
        "extractors": sorted(extractors, key=lambda one: str(one["name"])),
        "stages": stages,
        "totals": summed,
        "sources": [_in_order(source) for source in sources],
        "files": sorted(files, key=lambda file: str(file["name"])),
        "roots": {**index, **roots.listed(sources, files)},
        "policies": {
            "takedown": [],
            **(policies or {}),
            "opt_out": opt_out.policies(opt_out.of_recipe(recipe, "manifest.json")),
        },
    }
    data = encode(cast(Manifest, predicate))
    parse(data)
    return data


def encode(predicate: Manifest) -> bytes:
    """Canonical bytes of a manifest as it stands: the inverse of `parse`, and no judge of it. Raises NotCanonical."""
    subjects = {file["name"]: file["sha256"] for file in predicate["files"]}
    return intoto.build(subjects, PREDICATE_TYPE, cast(dict[str, Any], predicate))


def parse(data: bytes, where: str = "manifest.json") -> Manifest:
    """The predicate of a manifest's bytes. Raises VerificationError naming the key, what it is and what it must be.

    Checked here: canonical bytes, types, shapes, order, subjects, file names, that recipe and lock are of these sources
    and artifacts. Whether counts balance and files are what it says is for `verify`.
    """
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    manifest = cast(Manifest, value)
    named = {file["name"]: file["sha256"] for file in manifest["files"]}
    if subjects != named:
        other = min(name for name in {*subjects, *named} if subjects.get(name) != named.get(name))
        raise VerificationError(f"subject and files say different things of {other!r:.200}", where=where)
    for scope, totals in (("totals", manifest["totals"]), *((f"sources {s['name']}", s) for s in manifest["sources"])):
        _ascending([(row["stage"], row["reason"]) for row in totals["reasons"]], f"{scope}: reasons", where)
        _ascending([cut["reason"] for cut in totals["extraction"]["cuts"]], f"{scope}: extraction.cuts", where)
    _ascending([file["name"] for file in manifest["files"]], "files", where)
    _ascending([other["release_id"] for other in manifest["against"]], "against", where)
    _ascending([one["name"] for one in manifest["extractors"]], "extractors", where)
    names.check(manifest["files"], [source["name"] for source in manifest["sources"]], where)
    for number, takedown in enumerate(manifest["policies"]["takedown"]):
        _ascending(takedown["ids"], f"policies.takedown[{number}].ids", where)
    taken = Counter(identifier for takedown in manifest["policies"]["takedown"] for identifier in takedown["ids"])
    if taken and (twice := max(taken, key=lambda identifier: taken[identifier])) and taken[twice] > 1:
        raise VerificationError(f"policies.takedown names {twice} twice", wanted="each document once", where=where)
    _origins(manifest, where)
    listed = opt_out.policies(opt_out.of_recipe(manifest["recipe"], where))
    if manifest["policies"]["opt_out"] != listed:
        raise VerificationError(
            f"policies.opt_out is {manifest['policies']['opt_out']!r:.300}",
            wanted=f"{listed!r:.300}, as recipe.opt_out says",
            where=where,
        )
    for tree, follows in roots.listed(manifest["sources"], manifest["files"]).items():
        if manifest["roots"][tree] != follows:
            raise VerificationError(
                f"roots.{tree} is {manifest['roots'][tree]}", wanted=f"{follows}, as sources and files say", where=where
            )
    return manifest


def sum_totals(sources: Iterable[Mapping[str, Any]]) -> Totals:
    """The totals of a release: sums over its sources, reasons by (stage, reason)."""
    sources = list(sources)
    counts: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for source in sources:
        counts.update({key: source[key] for key in ("read", "kept", "dropped", "text_bytes")})
        for row in source["reasons"]:
            reasons[row["stage"], row["reason"]] += row["documents"]
    return {
        "read": counts["read"],
        "kept": counts["kept"],
        "dropped": counts["dropped"],
        "text_bytes": counts["text_bytes"],
        "extraction": extraction.summed(source["extraction"] for source in sources),
        "reasons": [
            {"stage": stage, "reason": reason, "documents": n} for (stage, reason), n in sorted(reasons.items())
        ],
    }


def code_sha256(package: Path) -> str:
    """SHA-256 (hex) over every file of a package's folder, wherever it lies.

    A tag, then for each file, in the order of the UTF-8 bytes of its path relative to the folder (with `/`): the length of
    the path (8 bytes, big-endian), the path, the length of the content, the content. Left out are `__pycache__` and names
    that begin with a dot.
    """
    found = {}
    for path in package.rglob("*"):
        relative = path.relative_to(package)
        if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in relative.parts):
            found[relative.as_posix().encode("utf-8")] = path
    state = hashlib.sha256(CODE_TAG)
    for name in sorted(found):
        content = found[name].read_bytes()
        for part in (name, content):
            state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()


def _in_order(counted: Mapping[str, Any]) -> dict[str, Any]:
    reasons = sorted(counted["reasons"], key=lambda row: (row["stage"], row["reason"]))
    return {**counted, "reasons": reasons, "extraction": extraction.summed([counted["extraction"]])}


def _ascending(keys: Sequence[Any], name: str, where: str) -> None:
    for earlier, later in pairwise(keys):
        if earlier >= later:
            raise VerificationError(
                f"{name} holds {later!r:.200} after {earlier!r:.200}", wanted="sorted, each once", where=where
            )


def _origins(manifest: Manifest, where: str) -> None:
    """Recipe, lock and sources speak of the same sources and artifacts, and name no artifact of a source twice."""
    recipe = manifest["recipe"]
    for key in ("name", "version", "description"):
        if recipe.get(key) != manifest[key]:
            raise VerificationError(f"recipe.{key} is {recipe.get(key)!r:.100}", wanted=f"that of {key}", where=where)
    intoto.check(recipe.get("dedup"), intoto.anything, "recipe.dedup", where)
    dedup = {"exact": False, "near": None, **recipe["dedup"]}
    intoto.check({key: dedup[key] for key in _DEDUP}, _DEDUP, "recipe.dedup", where)
    licences = [(source["name"], source["license"]) for source in manifest["sources"]]
    declared = _pairs(recipe.get("sources"), "name", "license")
    if declared != licences or len(dict(licences)) != len(licences):
        raise VerificationError(f"recipe.sources are {declared!r:.200}", wanted=f"{licences!r:.200}", where=where)
    for number, source in enumerate(recipe["sources"]):
        intoto.check(source.get("priority", 0), intoto.whole, f"recipe.sources[{number}].priority", where)
    locked = sorted(_pairs(manifest["lock"].get("artifacts"), "source", "purl", "file", "size", "sha256"), key=str)
    used = sorted(
        (
            (source["name"], artifact["purl"], artifact["file"], artifact["size"], artifact["sha256"])
            for source in manifest["sources"]
            for artifact in source["artifacts"]
        ),
        key=str,
    )
    if locked != used:
        other = min((set(locked) ^ set(used)) or {("an artifact that stands twice",)}, key=str)
        raise VerificationError(
            f"lock and sources differ in {other!r:.300}",
            wanted="the artifacts of the sources, all and only",
            where=where,
        )
    known = [(name, purl, digest) for name, purl, _, _, digest in used]
    if len(set(known)) != len(known):
        raise VerificationError("a source has one artifact twice", where=where)


def _pairs(rows: Any, *keys: str) -> list[tuple[Any, ...]]:
    """The values of these keys in a list of objects; what is no such list gives nothing that could compare equal."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [("not a list of objects",)]
    return [tuple(row.get(key) if isinstance(row.get(key), str | int) else None for key in keys) for row in rows]
