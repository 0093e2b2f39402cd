"""Which root of a project this user trusts: pinned once, then followed from version to version.

A published folder has `root.json`, the newest version, and every version as `N.root.json`. A pin is the newest version that
was accepted, as `roots/NAME.root.json` in the config folder. The rules of `accept`:
- Not pinned: refused, and its fingerprint told, unless the caller says which fingerprint it has (`sha256`), or to trust it at
  first sight (`first_use`). Either way the whole chain from version 1 is checked. The fingerprint is the SHA-256 of the file of
  version 1, and stays the project's for all its versions.
- Pinned: every version after the pinned one is checked in turn. What does not follow from the pin is refused, whatever else
  the caller says; the pin stays.
- Older than the pin: refused, it is a rollback. The pinned version with other content: refused, it is a fork.
- An expired newest version is refused, but a pin moves to it before that (TUF specification 5.3.8 to 5.3.10): what was
  revoked on the way stays revoked. It is never pinned first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import appear
from pipeline.trust import root as roots
from pipeline.trust.root import Root

NEWEST = "root.json"
VERSIONED = re.compile(r"([1-9][0-9]{0,14})\.root\.json")


@dataclass(frozen=True, slots=True)
class Published:
    """What a folder serves: its newest version, and by number those up to it that are there. Nothing is verified yet."""

    newest: Root
    versions: Mapping[int, Root]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A root to trust. `news` is what the user has to hear: a first pin, or a rotation; empty where nothing changed."""

    root: Root
    news: str
    first: bool = False


def read(path: Path) -> Published:
    """The root metadata in a folder, or of a file with the versions beside it. Raises RecipeError, VerificationError."""
    newest_file = path / NEWEST if path.is_dir() else path
    newest = roots.parse(read_bytes(newest_file), str(newest_file))
    found = _numbered(newest_file.parent, newest.version)  # later ones are drafts
    if newest.version in found:
        roots.check_same(found[newest.version], newest)
    return Published(newest, {**found, newest.version: newest})


def every_version(folder: Path) -> dict[int, Root]:
    """Every N.root.json of a folder, drafts too, by number. Raises RecipeError where there is none, VerificationError."""
    if found := _numbered(folder):
        return found
    raise RecipeError("there is no N.root.json", where=str(folder), hint="pellucid root init NAME ... -o FOLDER")


def check_chain(published: Published) -> Root:
    """The newest version, if every step to it from version 1 holds. Raises VerificationError."""
    first = roots.check_first(_version(published, 1))
    return roots.walk(first, [_version(published, number) for number in range(2, published.newest.version + 1)])


def accept(published: Published, pin: Root | None, *, first_use: bool = False, sha256: str | None = None) -> Accepted:
    """The newest version, if it follows from the pin or from what the caller says. Raises VerificationError.

    Pure. Whether it has expired is the caller's next question, because the pin moves before it is asked.
    """
    newest = published.newest
    if sha256 is not None and (seen := _version(published, 1).fingerprint) != sha256:
        raise VerificationError(
            f"the root of {newest.name} is not the one that was named: its version 1 has SHA-256 {seen}",
            wanted=sha256, where=newest.where,
        )  # fmt: skip
    if pin is None:
        return _first(published, first_use, sha256)
    if newest.name != pin.name:
        raise VerificationError(f"is the root of {newest.name!r}", wanted=f"of {pin.name!r}", where=newest.where)
    if newest.version < pin.version:
        raise VerificationError(
            f"ROLLBACK: the newest root of {newest.name} here is version {newest.version}, you have seen version {pin.version}",
            wanted=f"version {pin.version} or later", where=newest.where,
            hint="an old folder, or somebody who wants a revoked key to be trusted again: get the newest",
        )  # fmt: skip
    if pin.version in published.versions:
        roots.check_same(pin, published.versions[pin.version])
    try:
        roots.walk(pin, [_version(published, number) for number in range(pin.version + 1, newest.version + 1)])
    except VerificationError as error:
        raise VerificationError(
            f"NOT a valid rotation of the pinned root of {pin.name} (version {pin.version}): {error.seen}",
            wanted=error.wanted, where=error.where,
            hint=error.hint or "the pin stays as it is; ask the project, by another way, what has happened",
        ) from error  # fmt: skip
    if newest.version == pin.version:
        return Accepted(pin, "")
    return Accepted(newest, f"the root of {pin.name} went from version {pin.version} to {newest.version}, "
                    f"signed by {len(roots.signers(newest, newest))} of its root keys")  # fmt: skip


def trust(path: Path, config: Path, now: datetime, *, first_use: bool = False, sha256: str | None = None) -> Accepted:
    """Read, accept, pin in the folder `config`. Raises VerificationError, RecipeError; a refused root changes no pin."""
    published = read(path)
    accepted = accept(published, pinned(config, published.newest.name), first_use=first_use, sha256=sha256)
    if accepted.first:
        roots.check_unexpired(accepted.root, now)
    if accepted.news:
        appear.write(pin_file(config, accepted.root.name), accepted.root.data, folder_mode=0o700)
    roots.check_unexpired(accepted.root, now)
    return accepted


def pin_file(config: Path, name: str) -> Path:
    """Where the pin of a project is. `name` is of names.SOURCE_NAME's form, so that it leads nowhere else."""
    return config / "roots" / f"{name}.root.json"


def pinned(config: Path, name: str) -> Root | None:
    """The pinned root of a project. Raises RecipeError where the pin is not what this program writes."""
    path = pin_file(config, name)
    if not path.exists():
        return None
    try:
        found = roots.parse(read_bytes(path), str(path))
        if found.name != name:
            raise VerificationError(f"is the root of {found.name!r}", where=str(path))
    except VerificationError as error:
        raise RecipeError(
            f"the pinned root is damaged: {error.seen}", where=str(path),
            hint="move it away and pin the project's root again, by its fingerprint",
        ) from error  # fmt: skip
    return found


def all_pinned(config: Path) -> tuple[Root, ...]:
    """Every pinned root, by name."""
    names = sorted(path.name.removesuffix(".root.json") for path in (config / "roots").glob("*.root.json"))
    return tuple(found for name in names if (found := pinned(config, name)))


def _first(published: Published, first_use: bool, sha256: str | None) -> Accepted:
    newest, first = check_chain(published), published.versions[1]
    if sha256 is None and not first_use:
        raise VerificationError(
            f"the root of {newest.name} is not pinned here; the SHA-256 of its version 1 is {first.fingerprint}",
            wanted="a root that you have pinned", where=newest.where,
            hint=f"compare that fingerprint with one that you have from {newest.name} by another way, then give it: "
            f"--root-sha256 {first.fingerprint}. Or trust what is here at first sight: --tofu",
        )  # fmt: skip
    why = "as its fingerprint says" if sha256 else "AT FIRST SIGHT, compared with nothing"
    return Accepted(
        newest, f"pinned the root of {newest.name}, version {newest.version}, {why}: "
        f"SHA-256 of its version 1 {first.fingerprint}", first=True,
    )  # fmt: skip


def _numbered(folder: Path, most: int | None = None) -> dict[int, Root]:
    found: dict[int, Root] = {}
    for file in sorted(folder.glob("*.root.json")):
        match = VERSIONED.fullmatch(file.name)
        if not match or (most is not None and int(match[1]) > most):
            continue
        number = int(match[1])
        found[number] = roots.parse(read_bytes(file), str(file))
        if found[number].version != number:
            raise VerificationError(f"is version {found[number].version}", wanted=f"version {number}", where=str(file))
    return found


def _version(published: Published, number: int) -> Root:
    if number not in published.versions:
        raise VerificationError(
            f"{number}.root.json is missing", where=published.newest.where,
            wanted=f"every version up to {published.newest.version}, as N.root.json beside it",
        )  # fmt: skip
    return published.versions[number]


def read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(roots.SIZE_LIMIT + 1)
    except OSError as error:
        raise RecipeError(
            f"the root metadata cannot be read: {error.strerror}", where=str(path),
            wanted="a folder with root.json and N.root.json, or such a file",
        ) from error  # fmt: skip
