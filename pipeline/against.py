"""Other releases whose kept documents a build leaves out of its own: which they are, and where their files lie.

A release is known by its id, the SHA-256 of its manifest; the folder that it lies in is the builder's own affair and stands
in nothing that is written. The manifest is read here; each file is compared with the digest that the manifest has for it
by the task that reads it, right before.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RecipeError
from pipeline.trust import manifest


@dataclass(frozen=True, slots=True)
class File:
    """`name` is the path inside the release; `sha256` in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of a source: its texts, and the provenance rows beside them."""

    source: str
    number: int
    data: File
    kept: File


@dataclass(frozen=True, slots=True)
class Other:
    """Another release in `folder`. Its shards in the order of sources and numbers; those without rows are left out."""

    release_id: str
    name: str
    version: str
    folder: Path
    shards: tuple[Shard, ...]

    def to_json(self) -> dict[str, str]:
        """What a manifest says of a release that it was built against."""
        return {"release_id": self.release_id, "name": self.name, "version": self.version}


def load(folder: Path) -> Other:
    """The release in a folder. Raises RecipeError where there is none, VerificationError where its manifest is broken."""
    path = folder / "manifest.json"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecipeError(
            f"there is no manifest.json to read ({error.strerror}), so this is no release",
            where=str(folder),
            wanted="--against the folder of a release, with its data and provenance",
            hint="name the folder that `pellucid build` has written",
        ) from error
    predicate = manifest.parse(data, str(path))
    shards = []
    for source in predicate["sources"]:
        kinds = (
            [file for file in predicate["files"] if (file["kind"], file["source"]) == (kind, source["name"])]
            for kind in ("data", "kept")
        )
        shards += [
            Shard(source["name"], number, *(File(file["name"], file["sha256"]) for file in pair))
            for number, pair in enumerate(zip(*kinds, strict=True))
            if pair[0]["rows"]
        ]
    return Other(
        hashlib.sha256(data).hexdigest(), predicate["name"], predicate["version"], folder.resolve(), tuple(shards)
    )


def load_all(folders: Sequence[Path], out: Path) -> tuple[Other, ...]:
    """The releases in these folders, each once, by id: the order in which they are named changes nothing.

    Raises what `load` raises, and RecipeError where one of them lies where the build writes.
    """
    found = {other.release_id: other for other in map(load, folders)}
    for other in found.values():
        if other.folder == out.resolve():
            raise RecipeError(
                "is both the release to build against and the folder to build into",
                where=str(out),
                hint="name another folder with --out",
            )
    return tuple(found[release_id] for release_id in sorted(found))


def refuse_others(wanted: Sequence[manifest.AgainstEntry], given: Sequence[Other], where: str) -> None:
    """Raise RecipeError unless the releases given are those that a manifest was built against, all and only."""
    known, there = {entry["release_id"]: entry for entry in wanted}, {other.release_id: other for other in given}
    missing = [f"{entry['name']} {entry['version']}, {key}" for key, entry in known.items() if key not in there]
    odd = [
        f"{other.name} {other.version}, {key} (in {other.folder})" for key, other in there.items() if key not in known
    ]
    if missing or odd:
        said = [f"not given: {one}" for one in missing] + [f"given, but not of this manifest: {one}" for one in odd]
        raise RecipeError(
            "the releases that the manifest was built against are not those given:\n  " + "\n  ".join(said),
            where=where,
            wanted="--against for each release that the manifest names in `against`, by its id, and for no other",
            hint="add --against FOLDER for each that is not given"
            if missing
            else "leave out the --against of the others",
        )
