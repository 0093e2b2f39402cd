"""Commands about trust: is a release what was signed, can it be built again, and whose key is it?"""

import json
import sys
from pathlib import Path

import click

from pipeline import telling
from pipeline.commands.log import position, read_seen
from pipeline.commands.options import AS_JSON, FILE, KEYS, WORKERS, errors_end_it, say, settings, with_display


@click.command()
@click.argument("release", type=FILE)
@KEYS
@click.option(
    "--log", "log_folder", type=FILE, metavar="FOLDER",
    help="Release log that must have the release, not withdrawn, and continue what you saw last: `pellucid log --help`.",
)  # fmt: skip
@AS_JSON
@errors_end_it
def verify(release: Path, key_files: tuple[Path, ...], log_folder: Path | None, as_json: bool) -> None:
    """Check that RELEASE is what was signed, to the byte, and that its account adds up.

    From the files alone: signature, digests, rows, order, ids, totals, and the kept witness of every duplicate.
    """
    from pipeline.trust import keys, verify
    from pipeline.trust.log import Log

    trusted = keys.trusted_keys(key_files or None)
    log = read_seen(log_folder, trusted) if log_folder else None
    result = verify.verify(release, trusted, log=log)
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        for check in result.checks:
            place = f" ({check.file}{f', row {check.row}' if check.row is not None else ''})" if check.file else ""
            click.echo(
                f"{'ok   ' if check.ok else 'FALSE'} {check.name}{place if not check.ok else ''}: {check.detail}"
            )
        for name in result.unchecked:
            click.echo(f"-     {name}: not made, it rests on one that failed")
        click.echo(telling.verdict(result))
        if result.ok and isinstance(log, Log) and result.release_id:
            click.echo(position(log, result.release_id))
    sys.exit(0 if result.ok else 1)


@click.command()
@click.argument("manifest", type=FILE)
@click.option("--out", type=FILE, default=Path("build/reproduced"), show_default=True, help="Folder to build into.")
@click.option("--again", is_flag=True, help="Use what an earlier reproduction left in the work folder.")
@click.option(
    "--against", type=FILE, multiple=True, metavar="RELEASE",
    help="Folder of a release that MANIFEST was built against (it names them by id); may be repeated.",
)  # fmt: skip
@KEYS
@WORKERS
@AS_JSON
@errors_end_it
def reproduce(
    manifest: Path, out: Path, again: bool, against: tuple[Path, ...], key_files: tuple[Path, ...], workers: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Build a published MANIFEST again from its own recipe and lock, and compare file by file.

    L0: the same bytes. L1: other bytes, the same rows. Exit 1 where anything differs.
    """
    import shutil

    from pipeline import build as builds
    from pipeline.against import load_all
    from pipeline.reproduce import reproduce as run
    from pipeline.trust import keys

    others = load_all(against, out)
    if not again:
        builds.refuse_foreign(out)
        for folder in (out, builds.work_folder(out)):
            shutil.rmtree(folder, ignore_errors=True)
    chosen = settings(out, manifest.parent, workers, None)
    trusted = keys.trusted_keys(key_files or None)
    result, built = with_display(lambda report: run(manifest, chosen, trusted, report, others))
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        say(telling.summary(built))
        click.echo("")
        for file in result.files:
            click.echo(f"{file.level:8} {file.name}{': ' + file.detail if file.detail else ''}")
        click.echo(f"manifest {'equal' if result.same_manifest else 'differs'}: sha256 {result.built}")
        for difference in result.differences:
            click.echo(f"         {difference}")
        verdict = {"L0": "every file has the published bytes", "L1": "every row is equal, some bytes are not",
                   "differs": "NOT reproduced"}  # fmt: skip
        click.echo(f"{result.level}: {verdict[result.level]}")
    sys.exit(0 if result.ok else 1)


@click.command()
@click.option("-o", "--out", type=FILE, help="Folder for the key pair.  [default: your config folder]")
@errors_end_it
def keygen(out: Path | None) -> None:
    """Make an Ed25519 key pair: a private key (0600) to sign with and a public one to give away."""
    from pipeline.trust import keys

    made = keys.generate(out or keys.config_folder())
    click.echo(f"private key {made.private}  (keep it; nobody can sign in your name without it)")
    click.echo(f"public key  {made.public}")
    click.echo(f"key id      {made.key_id}")


COMMANDS = (verify, reproduce, keygen)
