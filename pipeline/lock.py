"""The lock: every artifact of a recipe, pinned by size and sha256. It lies beside the recipe, as NAME.lock.json.

Artifacts of package registries are named by Package URL, never by a host. The order is that of the recipe's sources,
then of file names, so that a difference between two locks reads as what changed.
"""

import json
import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.recipe import Recipe, SourceSpec
from pipeline.sources import pinned
from pipeline.sources.entries import entries, means, parse_purl
from pipeline.sources.faults import together
from pipeline.trust import canonical

if TYPE_CHECKING:
    from pipeline.sources.cache import Cache
    from pipeline.sources.fetch import FetchProgress
    from pipeline.sources.interface import Candidate

VERSION = 1
MODEL = "language-model"  # the source of the model's artifact


@dataclass(frozen=True, slots=True)
class Lock:
    """The artifacts of a recipe's sources, and that of its language model."""

    recipe_name: str
    artifacts: tuple[Artifact, ...]
    model: Artifact

    def to_json(self) -> dict[str, Any]:
        """As JSON values, the same for the same lock."""
        return {
            "version": VERSION,
            "recipe": self.recipe_name,
            "artifacts": [pinned.to_json(artifact) for artifact in self.artifacts],
            "language_model": pinned.to_json(self.model),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One artifact that two locks pin differently: `old` is None where it was added, `new` where it was removed."""

    old: Artifact | None
    new: Artifact | None

    def __str__(self) -> str:
        if self.old is None or self.new is None:
            artifact = self.new or self.old
            assert artifact is not None  # noqa: S101 (one of them is there)
            return (
                f"{'added  ' if self.old is None else 'removed'} {artifact.source}: {artifact.purl} ({_size(artifact)})"
            )
        old, new, said = self.old, self.new, []
        if old.purl != new.purl:
            said.append(f"{_version(old)} -> {_version(new)}" if _version(old) != _version(new) else f"-> {new.purl}")
        if old.size != new.size:
            said.append(f"{_size(old)} -> {_size(new)}")
        if old.sha256 != new.sha256:
            said.append(f"sha256 {old.sha256[:12]} -> {new.sha256[:12]}")
        if old.evidence != new.evidence:
            said.append("other licence evidence")
        return f"changed {new.source}: {old.purl}: {', '.join(said) or 'named differently'}"

    def to_json(self) -> dict[str, Any]:
        return {
            "change": "added" if self.old is None else "removed" if self.new is None else "changed",
            "old": self.old and pinned.to_json(self.old),
            "new": self.new and pinned.to_json(self.new),
        }


# ---------------------------------------------------------------- on paper


def path_beside(recipe: Path) -> Path:
    """Where the lock of the recipe at this path lies."""
    return recipe.with_name(f"{recipe.stem}.lock.json")


def load(path: Path) -> Lock:
    """The lock in a file. Raises RecipeError naming file and key."""
    try:
        value = canonical.loads(path.read_bytes())
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror}", where=str(path), hint=pinned.HINT) from error
    except canonical.NotCanonical as error:
        raise RecipeError(
            str(error), where=str(path), wanted="a lock as `pellucid lock` writes it", hint=pinned.HINT
        ) from error
    return from_json(value, str(path))


def from_json(value: Any, where: str) -> Lock:
    """The lock in JSON values. Raises RecipeError naming `where` and the key."""
    pinned.shape(value, {"version": int, "recipe": str, "artifacts": list, "language_model": dict}, where, "the lock")
    if value["version"] != VERSION:
        raise RecipeError(
            f"version is {value['version']}",
            where=where,
            wanted=f"{VERSION}, the form that this Pellucid knows",
            hint=pinned.HINT,
        )
    artifacts = tuple(
        pinned.from_json(one, where, f"artifacts[{index}]") for index, one in enumerate(value["artifacts"])
    )
    return Lock(value["recipe"], artifacts, pinned.from_json(value["language_model"], where, "language_model"))


def dumps(lock: Lock) -> bytes:
    """The bytes of a lock's file: JSON for people, one key a line."""
    return (json.dumps(lock.to_json(), indent=2, ensure_ascii=False) + "\n").encode()


def write(lock: Lock, path: Path) -> None:
    """Put the lock at `path`, whole or not at all. Raises RecipeError."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(dumps(lock))
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecipeError(f"cannot be written: {error.strerror}", where=str(path)) from error


# ---------------------------------------------------------------- against a recipe


def check(lock: Lock, recipe: Recipe) -> None:
    """That the lock pins what the recipe names: all of it and nothing else. Raises RecipeError listing every fault."""
    faults = []
    if lock.recipe_name != recipe.name:
        faults.append(f"it is the lock of {lock.recipe_name!r}, the recipe is {recipe.name!r}")
    known = {source.name for source in recipe.sources}
    faults += [f"it pins {one.purl} for a source {one.source!r}" for one in lock.artifacts if one.source not in known]
    for source in recipe.sources:
        faults += _faults(source, [artifact for artifact in lock.artifacts if artifact.source == source.name])
    model = recipe.language_model
    if lock.model.source != MODEL or not means(_model_spec(recipe), model.package, lock.model):
        faults.append(f"it pins {lock.model.purl} as language model, the recipe names {model.package}")
    if faults:
        raise RecipeError(
            "the lock is not of this recipe:\n  " + "\n  ".join(faults),
            where=f"lock of {recipe.name}",
            hint=pinned.HINT,
        )


def _faults(source: SourceSpec, artifacts: Sequence[Artifact]) -> list[str]:
    spec = source.from_.model_dump()
    words = entries(spec)
    meant = [[artifact for artifact in artifacts if means(spec, word, artifact)] for word in words]
    faults = [
        f"source {source.name}: {word} is not pinned" for word, found in zip(words, meant, strict=True) if not found
    ]
    accepted = {artifact for found in meant for artifact in found}
    faults += [
        f"source {source.name}: it pins {artifact.purl}, which the recipe does not name"
        for artifact in artifacts
        if artifact not in accepted
    ]
    # Tasks, shards and rows of a source are told apart by file name and digest.
    for key in ("file", "sha256"):
        count = Counter(getattr(artifact, key) for artifact in artifacts)
        faults += [
            f"source {source.name}: {number} artifacts have the {key} {one}"
            for one, number in count.items()
            if number > 1
        ]
    return faults


def difference(old: Lock | None, new: Lock) -> tuple[Change, ...]:
    """What changed, in the order of `new`, removals last. No lock before: everything was added.

    Artifacts of the same source and package (or URL, or path) are two states of one thing.
    """
    before: dict[tuple[str, ...], list[Artifact]] = defaultdict(list)
    for artifact in (*old.artifacts, old.model) if old else ():
        before[_thing(artifact)].append(artifact)
    after = [*new.artifacts, new.model]
    same = [artifact for artifact in after if artifact in before[_thing(artifact)]]
    for artifact in same:
        before[_thing(artifact)].remove(artifact)
    changes = []
    for artifact in after:
        if artifact in same:
            continue
        earlier = before[_thing(artifact)]
        changes.append(Change(earlier.pop(0) if earlier else None, artifact))
    return (*changes, *(Change(artifact, None) for left in before.values() for artifact in left))


def _thing(artifact: Artifact) -> tuple[str, ...]:
    if artifact.location:
        return artifact.source, artifact.kind, artifact.location
    purl = parse_purl(artifact)
    return artifact.source, artifact.kind, purl.namespace or "", purl.name


# ---------------------------------------------------------------- making one


def make(
    recipe: Recipe, base: Path, cache: "Cache", report: "Callable[[FetchProgress], None]", *, old: Lock | None = None
) -> Lock:
    """Resolve every entry of the recipe, fetch what it means into the cache, check its licence evidence.

    Pins of `old` that the recipe's entries still mean are kept, without asking an upstream for anything newer. `base`:
    the recipe's folder. Raises SourceError where an upstream has no such entry, or an artifact shows another licence.
    """
    from pipeline.sources.fetch import fetch_all, fetch_candidates

    kept: list[Artifact] = []
    found: list[tuple[str, str, Candidate]] = []
    specs = [(source.name, source.from_.model_dump()) for source in recipe.sources]
    specs.append((MODEL, _model_spec(recipe)))
    for name, spec in specs:
        pins, missing = _still_meant(name, spec, old)
        kept += pins
        found += [(name, spec["kind"], candidate) for candidate in _resolve(spec, missing, base)]
    fetch_all(kept, base, cache, report=report)
    sizes = fetch_candidates([candidate for _, _, candidate in found], cache, report=report)
    everything = kept + [
        Artifact(name, kind, candidate.purl, candidate.file, size, sha256, candidate.location)
        for (name, kind, candidate), (sha256, size) in zip(found, sizes, strict=True)
    ]
    model = next(artifact for artifact in everything if artifact.source == MODEL)
    made = Lock(recipe.name, _with_evidence(recipe, everything, cache), model)
    check(made, recipe)
    return made


def _still_meant(name: str, spec: Mapping[str, Any], old: Lock | None) -> tuple[list[Artifact], list[str]]:
    """The old pins of a source that its entries still mean, and the entries that have none."""
    before = [artifact for artifact in (*old.artifacts, old.model) if artifact.source == name] if old else []
    pins, missing = [], []
    for entry in entries(spec):
        pin = next((artifact for artifact in before if means(spec, entry, artifact)), None)
        if pin is None:
            missing.append(entry)
        else:
            before.remove(pin)
            pins.append(pin)
    return pins, missing


def _resolve(spec: Mapping[str, Any], words: Sequence[str], base: Path) -> "Sequence[Candidate]":
    from pipeline.sources.entries import ENTRY_KEYS
    from pipeline.sources.registry import SOURCES

    return SOURCES[spec["kind"]].resolve({**spec, ENTRY_KEYS[spec["kind"]]: tuple(words)}, base) if words else ()


def _with_evidence(recipe: Recipe, everything: Sequence[Artifact], cache: "Cache") -> tuple[Artifact, ...]:
    """The artifacts of the recipe's sources, in the lock's order, with what shows their licence. Raises SourceError."""
    from pipeline.curate import license

    artifacts, faults = [], []
    for source in recipe.sources:
        mine = (artifact for artifact in everything if artifact.source == source.name)
        for artifact in sorted(mine, key=lambda one: (one.file, one.sha256)):
            try:
                shown = license.check(cache.path(artifact.sha256), artifact.file, source)
            except SourceError as error:
                faults.append(error)
            else:
                artifacts.append(replace(artifact, evidence=tuple(shown)))
    if faults:
        raise together(faults, f"{len(faults)} of {len(everything)} artifacts do not show the licence that is declared")
    return tuple(artifacts)


def _model_spec(recipe: Recipe) -> dict[str, Any]:
    model = recipe.language_model
    return {"kind": "pypi", "packages": (model.package,), "file": model.file}


def _version(artifact: Artifact) -> str:
    return str(parse_purl(artifact).version or "")


def _size(artifact: Artifact) -> str:
    return f"{artifact.size / 1e6:,.1f} MB"
