"""Commands about the release log: an append-only list of release ids that everybody can read and nobody can rewrite."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import AS_JSON, FILE, KEYS, errors_end_it
from pipeline.errors import RecipeError, VerificationError

if TYPE_CHECKING:
    from pipeline.trust.log import Log

RELEASE_ID = re.compile(r"[0-9a-f]{64}")
SIGNING_KEY = click.option(
    "--signing-key", type=FILE, help="Private key (PEM) of the log.  [default: the local key, made if there is none]"
)


@click.group("log")
def group() -> None:
    """Keep and check a release log: which releases there are, and which were withdrawn.

    A log is a folder of static files (C2SP tlog-tiles): any web server or git repository can publish it as it is. It says
    only release ids. One signed checkpoint covers all of them, so that an entry cannot be changed, removed or slipped in;
    and whoever has seen a log once notices when it shrinks or shows another history.

    \b
    A publisher:
      pellucid log init manifests/log --origin example.com/releases
      pellucid log add manifests/log build/sample
      pellucid log withdraw manifests/log RELEASE_ID
    Everybody else:
      pellucid log check manifests/log
      pellucid verify build/sample --log manifests/log

    What was seen last of each log is kept in your config folder, under logs/.
    """


@group.command()
@click.argument("folder", type=FILE)
@click.option(
    "--origin", required=True, metavar="NAME", help="Name of the log, for ever: such as example.com/releases."
)
@SIGNING_KEY
@errors_end_it
def init(folder: Path, origin: str, signing_key: Path | None) -> None:
    """Start a log without entries in FOLDER, which must be new or empty.

    The origin is what readers know the log by: a host and path that are yours, without spaces and `+`. It need not be
    reachable. Two logs of one origin would be a fork.
    """
    from pipeline.trust import log_append, log_seen

    made = log_append.start(folder, origin, _key(signing_key), log_seen.last(origin))
    log_seen.check(made)
    click.echo(_summary(made))
    click.echo(f"verifier    {made.verifier_key}  (for other tools that read such logs)")
    click.echo(f"next        pellucid log add {folder} RELEASE")


@group.command()
@click.argument("folder", type=FILE)
@click.argument("releases", type=FILE, nargs=-1, required=True, metavar="RELEASE_OR_MANIFEST...")
@SIGNING_KEY
@KEYS
@errors_end_it
def add(folder: Path, releases: tuple[Path, ...], signing_key: Path | None, key_files: tuple[Path, ...]) -> None:
    """Log releases: folders, or published manifest.json files with their envelopes beside them.

    Each manifest must be signed by a key that you trust, or by the one that signs the log; what is logged is its SHA-256, the
    release id. All are added, or none. A release is logged once. Verify a release before you log it.
    """
    from pipeline.trust import log_append, published

    key = _key(signing_key)
    trusted = _trusted(key_files, key)
    ids = [published.read(release, trusted).release_id for release in releases]
    _append(folder, [log_append.release(release_id) for release_id in ids], key, trusted)


@group.command()
@click.argument("folder", type=FILE)
@click.argument("release_id")
@SIGNING_KEY
@KEYS
@errors_end_it
def withdraw(folder: Path, release_id: str, signing_key: Path | None, key_files: tuple[Path, ...]) -> None:
    """Log that the release RELEASE_ID, which was logged, is withdrawn. This cannot be taken back.

    The log says no reason. From then on `pellucid verify --log` refuses the release. Withdraw a release after its
    successor is logged, so that readers have one to go to.
    """
    from pipeline.trust import log_append

    key = _key(signing_key)
    trusted = _trusted(key_files, key)
    _append(folder, [log_append.withdrawal(_id(release_id))], key, trusted)


@group.command()
@click.argument("folder", type=FILE)
@KEYS
@AS_JSON
@errors_end_it
def show(folder: Path, key_files: tuple[Path, ...], as_json: bool) -> None:
    """Print the releases of a log, in the order in which they were logged, and which of them are withdrawn.

    Every file of the log is checked first, and it must be signed by a key that you trust.
    """
    from pipeline.trust import keys

    found = _read(folder, keys.trusted_keys(key_files or None))
    releases = list(found.releases())
    if as_json:
        rows = [
            {"number": one.number, "release_id": one.release_id, "state": _state(one), "withdrawn_by": one.withdrawn}
            for one in releases
        ]
        click.echo(json.dumps({**_facts(found), "releases": rows}))
        return
    click.echo(_summary(found))
    for one in releases:
        by = "" if one.withdrawn is None else f" by entry {one.withdrawn}"
        click.echo(f"{one.number:>11,}  {one.release_id}  {_state(one)}{by}")


@group.command()
@click.argument("folder", type=FILE)
@click.argument("release", required=False)
@click.option("--origin", metavar="NAME", help="Which log it has to be.")
@KEYS
@AS_JSON
@errors_end_it
def check(folder: Path, release: str | None, origin: str | None, key_files: tuple[Path, ...], as_json: bool) -> None:
    """Check that a log is whole, signed by a key that you trust, and a continuation of what you saw last.

    With RELEASE (an id, a folder or a manifest.json): also that it is in the log, by a proof from the tiles, and was not
    withdrawn. Exit 1 where any of this does not hold. What you saw last is remembered after a check that held, and
    stays as it was after one that did not.
    """
    from pipeline.trust import keys, log

    trusted = keys.trusted_keys(key_files or None)
    release_id = None if release is None else _id_of(release, trusted)
    found = _read(folder, trusted, origin)
    if release_id is None:
        click.echo(json.dumps({"ok": True, **_facts(found)}) if as_json else _summary(found))
        return
    proof = log.prove(folder, found, release_id)
    if not log.verify_inclusion(proof, found.checkpoint):
        raise VerificationError("the proof from the tiles does not lead to the signed root", where=str(folder))
    one = found.find(release_id)
    withdrawn = None if one is None else one.withdrawn
    if as_json:
        proved = {"number": proof.number, "proof": [hash_.hex() for hash_ in proof.hashes], "withdrawn_by": withdrawn}
        click.echo(json.dumps({"ok": withdrawn is None, **_facts(found), "release_id": release_id, **proved}))
    else:
        click.echo(_summary(found))
        click.echo(f"entry       {proof.number} is {release_id}: proved from the tiles")
        click.echo(f"            {_count(found.size - proof.number - 1)} after it")
        if withdrawn is not None:
            click.echo(f"WITHDRAWN   by entry {withdrawn}")
    sys.exit(0 if withdrawn is None else 1)


def read_seen(folder: Path, trusted: Any) -> "Log | VerificationError":
    """The log in a folder, held against what was seen last; or why it does not hold."""
    try:
        return _read(folder, trusted)
    except VerificationError as error:
        return error


def _read(folder: Path, trusted: Any, origin: str | None = None) -> "Log":
    """Read a log, hold it against what was seen last, remember it, and say which of the two it was."""
    from pipeline.trust import log, log_seen

    found = log.read(folder, trusted, origin)
    before = log_seen.check(found)
    if before is None:
        click.echo(f"log {found.origin}: seen for the first time, from now on it may only grow", err=True)
    else:
        click.echo(f"log {found.origin}: {_count(found.size)}, continues the {before.size} seen last", err=True)
    return found


def position(found: "Log", release_id: str) -> str:
    """Where a release stands in its log, and how much came after it: the log knows no names, so it cannot say "newest"."""
    one = found.find(release_id)
    return "" if one is None else (
        f"logged      entry {one.number} of {found.origin}, {_count(found.size - one.number - 1)} after it"
    )  # fmt: skip


def _append(folder: Path, entries: list[bytes], key: Any, trusted: Any) -> None:
    from pipeline.trust import log, log_append, log_seen

    now, _ = log.read_checkpoint(folder, (key.public_key(), *trusted))
    made = log_append.append(folder, entries, key, trusted, log_seen.last(now.origin))
    log_seen.check(made)
    click.echo(_summary(made))
    for number in range(made.size - len(entries), made.size):
        entry = made.entries[number]
        what = f"{entry[1:].hex()}  withdrawn" if log.is_withdrawal(entry) else f"{entry.hex()}  logged"
        click.echo(f"{number:>11,}  {what}")


def _key(path: Path | None) -> Any:
    from pipeline.trust import signers

    key, made = signers.signing_key(path)
    if made:
        click.echo(f"made a local signing key: {made}", err=True)
    return key


def _trusted(key_files: tuple[Path, ...], key: Any) -> Any:
    """Who may have signed the manifests and the log so far: the named keys, else those of the config folder and this one."""
    from pipeline.trust import keys

    if key_files:
        return keys.trusted_keys(key_files)
    others = keys.trusted_keys() if any(keys.config_folder().glob("*.pub")) else ()
    return (*others, key.public_key())


def _id(text: str) -> str:
    if not RELEASE_ID.fullmatch(text):
        raise RecipeError(
            f"{text!r:.100} is no release id", wanted="64 lower-case hex characters",
            hint="`pellucid log show` prints those that were logged",
        )  # fmt: skip
    return text


def _id_of(release: str, trusted: Any) -> str:
    from pipeline.trust import published

    path = Path(release)
    return published.read(path, trusted).release_id if path.exists() else _id(release)


def _state(one: Any) -> str:
    return "logged" if one.withdrawn is None else "withdrawn"


def _count(entries: int) -> str:
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}"


def _facts(found: "Log") -> dict[str, Any]:
    from pipeline.trust.keys import key_id

    return {
        "origin": found.origin,
        "size": found.size,
        "root": found.root.hex(),
        "key_id": key_id(found.key),
        "verifier_key": found.verifier_key,
    }


def _summary(found: "Log") -> str:
    from pipeline.trust.keys import key_id

    return f"log         {found.origin}, {_count(found.size)}\nroot        {found.root.hex()}\nsigned by   {key_id(found.key)}"


COMMANDS = (group,)
