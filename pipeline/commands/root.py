"""Commands for root metadata: a project's keys and their roles, made and changed by people who each hold a key."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pipeline.commands.options import AS_JSON, FILE, errors_end_it, say
from pipeline.errors import RecipeError, VerificationError

_PUBLIC: dict[str, Any] = {"type": FILE, "multiple": True, "metavar": "PUB"}
EXPIRES = "UTC day, or time like 2030-01-31T00:00:00Z, after which this version is refused."


@click.group()
def root() -> None:
    """A project's root: which keys may sign its releases, and whose consent a change of them needs.

    Root keys sign nothing but root metadata, and stay off line, one with each of some people. They delegate to release
    keys, which sign releases. A stolen release key is taken back by the next version; a thief of fewer root keys than
    the threshold has nothing.

    \b
    The first ceremony, with three people of whom two must agree:
      pellucid keygen -o KEYS --passphrase              each of them, on a machine of their own
      pellucid root init NAME --root-key A.pub --root-key B.pub --root-key C.pub --threshold 2 \\
          --release-key release.pub --expires 2028-01-01 -o ROOT
      pellucid root show ROOT                           everybody reads what they are about to sign
      pellucid root sign ROOT/1.root.json --signing-key KEYS/signing.key      two of them
    Publish the folder ROOT, and the fingerprint (SHA-256 of 1.root.json) in a place that others do not control.

    \b
    Later: another release key, a new root key, a later expiry
      pellucid root next ROOT --add-release-key new.pub --remove-release-key 3bdbddbd --expires 2030-01-01
      pellucid root sign ROOT/2.root.json --signing-key KEYS/signing.key      two of the old, two of the new
    """


@root.command()
@click.argument("name")
@click.option("--root-key", "root_keys", required=True, help="Public key of a root key holder; repeat.", **_PUBLIC)
@click.option("--threshold", type=click.IntRange(1), required=True, help="How many root keys have to sign.")
@click.option(
    "--release-key", "release_keys", required=True, help="Public key that may sign releases; repeat.", **_PUBLIC
)
@click.option("--log-key", "log_keys", help="Public key that may sign the log; repeat.", **_PUBLIC)
@click.option("--expires", required=True, metavar="DATE", help=EXPIRES)
@click.option("-o", "--out", type=FILE, required=True, metavar="FOLDER", help="Where 1.root.json is written.")
@errors_end_it
def init(
    name: str, root_keys: tuple[Path, ...], threshold: int, release_keys: tuple[Path, ...], log_keys: tuple[Path, ...],
    expires: str, out: Path,
) -> None:  # fmt: skip
    """Write an unsigned 1.root.json for the project NAME."""
    from pipeline.trust import ceremony

    roles = {"root": _keys(root_keys), "release": _keys(release_keys), "log": _keys(log_keys)}
    path = out / "1.root.json"
    _write_draft(path, ceremony.draft(name, 1, _moment(expires), threshold, roles, str(path)))


@root.command("next")
@click.argument("folder", type=FILE)
@click.option("--add-release-key", "add", help="Public key that may sign releases from now on; repeat.", **_PUBLIC)
@click.option("--remove-release-key", "remove", multiple=True, metavar="ID", help="Id (or its first 8 digits or more) of a "
              "release key that may no longer; repeat. Whatever it signed is refused from then on.")  # fmt: skip
@click.option("--root-key", "root_keys", help="The root keys from now on, all of them; repeat.", **_PUBLIC)
@click.option("--log-key", "log_keys", help="The log keys from now on, all of them; repeat.", **_PUBLIC)
@click.option("--threshold", type=click.IntRange(1), help="How many root keys have to sign from now on.")
@click.option("--expires", metavar="DATE", help=EXPIRES)
@errors_end_it
def next_(
    folder: Path, add: tuple[Path, ...], remove: tuple[str, ...], root_keys: tuple[Path, ...], log_keys: tuple[Path, ...],
    threshold: int | None, expires: str | None,
) -> None:  # fmt: skip
    """Write an unsigned draft of the version after the newest in FOLDER. What no option names stays as it is."""
    from pipeline.trust import ceremony, pins

    published = pins.read(folder)
    old = published.newest
    pins.check_chain(published)
    path = folder / f"{old.version + 1}.root.json"
    made = ceremony.next_draft(
        old, str(path), add=_keys(add), remove=remove, root_keys=_keys(root_keys), log_keys=_keys(log_keys),
        threshold=threshold, expires=None if expires is None else _moment(expires),
    )  # fmt: skip
    _write_draft(path, made)


@root.command()
@click.argument("file", type=FILE)
@click.option("--signing-key", type=FILE, metavar="KEY", help="Private root key (PEM).  [default: $PELLUCID_SIGNER or "
              "$PELLUCID_SIGNING_KEY; never the local key]")  # fmt: skip
@errors_end_it
def sign(file: Path, signing_key: Path | None) -> None:
    """Add one signature to FILE (N.root.json). With the last one that it needs, it becomes root.json."""
    from pipeline.trust import appear, ceremony, pins, signers
    from pipeline.trust import root as roots
    from pipeline.trust.keys import key_id

    draft = roots.parse(pins.read_bytes(file), str(file))
    if file.name != f"{draft.version}.root.json":
        raise RecipeError(f"is version {draft.version}", where=str(file), wanted=f"the name {draft.version}.root.json")
    before = _previous(draft, file.parent)
    signer = signers.explicit(signing_key)
    signed = roots.parse(ceremony.add_signature(draft, before, signer), str(file))
    _refuse_fork(signed, file.parent)
    appear.write(file, signed.data)
    click.echo(f"signed      {file} with {key_id(signer.public_key())}")
    say(_standing(signed, before))
    try:
        roots.check_next(before, signed) if before else roots.check_first(signed)
    except VerificationError as error:
        click.echo(f"not yet     {error.seen}")
        return
    newest = file.with_name(pins.NEWEST)
    if not newest.exists() or roots.parse(pins.read_bytes(newest), str(newest)).version <= signed.version:
        appear.write(newest, signed.data)
        click.echo(f"complete    {newest} is version {signed.version} now")
    if signed.version == 1:
        click.echo(
            f"fingerprint {signed.fingerprint}  (sha256 of {file}; publish it once nobody will sign it any more)"
        )


@root.command()
@click.argument("folder", type=FILE)
@AS_JSON
@errors_end_it
def show(folder: Path, as_json: bool) -> None:
    """Print the roles, keys, expiry and signatures of every version in FOLDER, drafts too.

    Exit 1 where the newest version does not hold, or has expired.
    """
    from pipeline.trust import keys, pins
    from pipeline.trust import root as roots

    versions = pins.every_version(folder)
    newest = folder / pins.NEWEST
    fault, current = "", None
    try:
        if newest.exists():
            current = pins.read(folder)
            pins.check_chain(current)
            roots.check_unexpired(current.newest, datetime.now(UTC))
        else:
            fault = "no version is complete yet: there is no root.json"
    except VerificationError as error:
        fault = str(error)
    shown = current.newest if current else versions[max(versions)]
    pin = pins.pinned(keys.config_folder(), shown.name)
    if as_json:
        click.echo(json.dumps({"ok": not fault, "fault": fault or None, "pinned": pin.version if pin else None,
                               "newest": current.newest.version if current else None,
                               "versions": [_to_json(versions, number) for number in sorted(versions)]}))  # fmt: skip
        sys.exit(1 if fault else 0)
    if current and 1 in versions:  # signatures change the fingerprint: of a draft it says nothing
        click.echo(f"{shown.name}, SHA-256 of version 1: {versions[1].fingerprint}")
    for number in sorted(versions):
        is_draft = current is None or number > current.newest.version
        click.echo(
            f"\nversion {number}{' (draft)' if is_draft else ''}, expires {roots.write_time(versions[number].expires)}"
        )
        say(_table(versions[number]))
        say(_standing(versions[number], versions.get(number - 1)))
    click.echo(f"\npinned here: {f'version {pin.version}' if pin else 'no'}")
    click.echo(f"NOT valid: {fault}" if fault else "the newest version holds, and every step to it")
    sys.exit(1 if fault else 0)


def _table(version: Any) -> Iterator[str]:
    from pipeline.trust.root import signers

    signed = signers(version, version)
    yield "  role     threshold  keys"
    for name in ("root", "release", "log"):
        if role := version.roles.get(name):
            for index, key in enumerate(role.key_ids):
                head = f"{name:8} {f'{role.threshold} of {len(role.key_ids)}':10}" if not index else " " * 19
                yield f"  {head} {key}{'  signed' if name == 'root' and key in signed else ''}"


def _standing(version: Any, before: Any) -> Iterator[str]:
    from pipeline.trust import ceremony

    for whose, names, wanted in ceremony.standing(version, before):
        yield f"signatures  {len(names)} of {wanted} that are needed of {whose} root keys"


def _to_json(versions: Any, number: int) -> dict[str, Any]:
    from pipeline.trust import ceremony
    from pipeline.trust.root import write_time

    version = versions[number]
    return {
        "name": version.name, "version": number, "expires": write_time(version.expires), "sha256": version.fingerprint,
        "roles": {name: {"keyids": role.key_ids, "threshold": role.threshold} for name, role in version.roles.items()},
        "signatures": [{"of": whose, "keyids": names, "threshold": wanted}
                       for whose, names, wanted in ceremony.standing(version, versions.get(number - 1))],
    }  # fmt: skip


def _previous(draft: Any, folder: Path) -> Any:
    """The version before a draft, itself checked back to version 1; None before version 1."""
    from pipeline.trust import pins

    if draft.version == 1:
        return None
    published = pins.read(folder / f"{draft.version - 1}.root.json")
    pins.check_chain(published)
    return published.newest


def _refuse_fork(signed: Any, folder: Path) -> None:
    """A version that was completed is not signed anew with other content beside it."""
    from pipeline.trust import pins
    from pipeline.trust import root as roots

    newest = folder / pins.NEWEST
    if newest.exists() and (known := roots.parse(pins.read_bytes(newest), str(newest))).version == signed.version:
        roots.check_same(known, signed)


def _write_draft(path: Path, data: bytes) -> None:
    from pipeline.trust import appear

    if path.exists() or path.is_symlink():
        raise RecipeError(
            "there is such a version already", where=str(path), hint="remove it if it is a draft of yours"
        )
    appear.write(path, data)
    click.echo(f"wrote       {path}, unsigned")
    click.echo(f"next        pellucid root show {path.parent}; pellucid root sign {path} --signing-key KEY")


def _keys(paths: tuple[Path, ...]) -> list[Any]:
    from pipeline.trust import keys

    found = [keys.load_public(path) for path in paths]
    ids = [keys.key_id(key) for key in found]
    if len(set(ids)) != len(ids):
        raise RecipeError("one key is named twice", where=", ".join(map(str, paths)))
    return found


def _moment(text: str) -> datetime:
    from pipeline.trust import root as roots

    full = text if "T" in text else f"{text}T00:00:00Z"
    if wanted := roots.time_rule(full):
        raise RecipeError(f"--expires is {text!r:.40}", wanted=f"a day like 2030-01-31, or {wanted}")
    moment = datetime.fromisoformat(full)
    if moment <= datetime.now(UTC):
        raise RecipeError(f"--expires is {text}, which is past", wanted="a time to come")
    return moment
