"""Two releases, or only their manifests: are they the same corpus, and what differs, and why.

From the manifests alone: recipe, lock, code, environment, policies, totals, and whether the rows are the same, since content
roots say so. With the provenance rows of both: each document whose fate differs (`inspection.diff_rows`). No signature is
looked at: `verify` does that.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import RecipeError, VerificationError
from pipeline.inspection import diff_manifest
from pipeline.inspection.diff_manifest import LABELS, ArtifactChange, Difference, SourceTotals
from pipeline.trust import manifest

NEEDS_ROWS = ("kept", "dropped", "removed")


@dataclass(frozen=True, slots=True)
class Side:
    """A release as it was given. `folder`: where its rows are, None if there are only some of them or none."""

    path: Path
    release_id: str
    manifest: manifest.Manifest
    folder: Path | None

    @property
    def title(self) -> str:
        return f"{self.manifest['name']} {self.manifest['version']}"


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two releases.

    `same_rows`: the manifests list the same rows; `differing`: by kind of file, the sources that do not. `recipe` has
    `labels` (name, version, description) apart: they change no row. `made_from`: one is a takedown of the other: "b" of a, or
    "a" of b. `rows`: None where rows were not compared.
    """

    a: Side
    b: Side
    same_rows: bool
    differing: Mapping[str, list[str]]
    labels: tuple[Difference, ...]
    recipe: tuple[Difference, ...]
    lock: tuple[ArtifactChange, ...]
    code: tuple[Difference, ...]
    environment: tuple[Difference, ...]
    policies: tuple[Difference, ...]
    made_from: str | None
    totals: tuple[SourceTotals, ...]
    rows: Any

    @property
    def same(self) -> bool:
        """Whether both hold the same rows: by their content roots, or, where shards are cut otherwise, by comparing them.

        Titles stand in `data` alone, so where only its roots differ, the rows do.
        """
        if self.same_rows or self.rows is None:
            return self.same_rows
        return not self.rows.groups and set(self.differing["data"]) <= set(self.differing.get("kept", ()))

    @property
    def needs_rows(self) -> tuple[Path, ...]:
        """The sides whose rows are not there, though they would be needed."""
        return () if self.same_rows else tuple(side.path for side in (self.a, self.b) if side.folder is None)

    def to_json(self) -> dict[str, Any]:
        sides = {
            name: {"path": str(side.path), "release_id": side.release_id, "name": side.manifest["name"],
                   "version": side.manifest["version"], "rows": side.folder is not None}
            for name, side in (("a", self.a), ("b", self.b))
        }  # fmt: skip
        plain = {
            name: [asdict(one) for one in getattr(self, name)]
            for name in ("labels", "recipe", "lock", "code", "environment", "policies", "totals")
        }
        return {
            **sides, "same_release": self.a.release_id == self.b.release_id, "same_rows": self.same,
            "differing": dict(self.differing), **plain, "made_from": self.made_from,
            "needs_rows": [str(path) for path in self.needs_rows],
            "rows": None if self.rows is None else asdict(self.rows), "signatures": "not verified",
        }  # fmt: skip


def load(path: Path) -> Side:
    """A release, a folder with its manifest, or the manifest. Raises RecipeError for what is none of these."""
    file = path / "manifest.json" if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecipeError(
            f"cannot be read: {error.strerror}", where=str(file), wanted="a release, or its manifest.json"
        ) from error
    try:
        predicate = manifest.parse(data, str(file))
    except VerificationError as error:
        raise RecipeError(
            error.seen, where=error.where or str(file), wanted=error.wanted or "a manifest as docs/format.md describes it",
            hint="releases of another format are compared with the version that built them",
        ) from error  # fmt: skip
    names = [file["name"] for file in predicate["files"] if file["kind"] in NEEDS_ROWS]
    whole = all((file.parent / name).is_file() for name in names)
    return Side(path, hashlib.sha256(data).hexdigest(), predicate, file.parent if whole else None)


def diff(a: Side, b: Side) -> Diff:
    """All that differs. Rows are compared where they may differ and both sides have them."""
    one, other = a.manifest, b.manifest
    differing = diff_manifest.files_that_differ(one, other)
    recipe = list(diff_manifest.values(one["recipe"], other["recipe"]))
    lock = tuple(diff_manifest.artifacts(one, other))
    rows = None
    if differing and a.folder and b.folder:
        with _opened(a, b, lock) as comparison:
            rows = comparison.compare()
    return Diff(
        a, b, not differing, differing,
        tuple(change for change in recipe if change.path in LABELS),
        tuple(change for change in recipe if change.path not in LABELS),
        lock,
        tuple(diff_manifest.values(_code(one), _code(other))),
        tuple(diff_manifest.values(_environment(one), _environment(other))),
        tuple(diff_manifest.values(_policies(one), _policies(other))),
        "b" if _takedown_of(b, a) else "a" if _takedown_of(a, b) else None,
        tuple(diff_manifest.all_totals(one, other)),
        rows,
    )  # fmt: skip


def documents(a: Side, b: Side) -> Iterator[Mapping[str, Any]]:
    """Every document that differs, in the order of ids; none where the rows of one are not there."""
    if a.folder and b.folder and diff_manifest.files_that_differ(a.manifest, b.manifest):
        with _opened(a, b, tuple(diff_manifest.artifacts(a.manifest, b.manifest))) as comparison:
            yield from comparison.documents()


def _opened(a: Side, b: Side, lock: tuple[ArtifactChange, ...]) -> Any:
    from pipeline.inspection.diff_rows import Comparison

    if a.folder is None or b.folder is None:
        raise ValueError("rows of both sides are needed")
    return Comparison((a.folder, b.folder), (a.manifest, b.manifest), lock)


def _code(one: manifest.Manifest) -> dict[str, Any]:
    return {**one["code"], "stages": {stage["name"]: stage["code_sha256"] for stage in one["stages"]}}


def _environment(one: manifest.Manifest) -> dict[str, Any]:
    """Libraries, and extractors with their models."""
    extractors = {
        entry["name"]: {"version": entry["version"], "model_sha256": entry["model_sha256"]}
        for entry in one["extractors"]
    }
    return {**one["environment"], "extractors": extractors}


def _policies(one: manifest.Manifest) -> dict[str, Any]:
    takedowns = {taken["release_id"]: taken["ids"] for taken in one["policies"]["takedown"]}
    lists = {entry["sha256"]: entry for entry in one["policies"]["opt_out"]}
    against = {other["release_id"]: f"{other['name']} {other['version']}" for other in one["against"]}
    return {"takedown": takedowns, "opt_out": lists, "against": against}


def _takedown_of(later: Side, earlier: Side) -> bool:
    return any(taken["release_id"] == earlier.release_id for taken in later.manifest["policies"]["takedown"])
