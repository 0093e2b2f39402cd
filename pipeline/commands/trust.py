"""Commands about trust: is a release what was signed, can it be built again, and whose key is it?"""

import json
import sys
from pathlib import Path

import click

from pipeline import telling
from pipeline.commands.options import AS_JSON, FILE, WORKERS, errors_end_it, say, settings, with_display
from pipeline.commands.root import root
from pipeline.commands.whom import WHOM, Whom


@click.command()
@click.argument("release", type=FILE)
@WHOM
@AS_JSON
@errors_end_it
def verify(release: Path, whom: Whom, as_json: bool) -> None:
    """Check that RELEASE is what was signed, to the byte, and that its account adds up.

    From the files alone: signature, digests, rows, order, ids, totals, and the kept witness of every duplicate.
    The last line says who vouches for the signer: your own key, you, or the pinned root of a project.

    \b
    A published release, by the root of its project (compare the fingerprint that you are told, once):
      pellucid verify RELEASE --root manifests/keys
    """
    from pipeline.trust import verify

    trusted, vouchers = whom.resolve()
    result = verify.verify(release, trusted, vouchers=vouchers)
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
    sys.exit(0 if result.ok else 1)


@click.command()
@click.argument("manifest", type=FILE)
@click.option("--out", type=FILE, default=Path("build/reproduced"), show_default=True, help="Folder to build into.")
@click.option("--again", is_flag=True, help="Use what an earlier reproduction left in the work folder.")
@click.option(
    "--against", type=FILE, multiple=True, metavar="RELEASE",
    help="Folder of a release that MANIFEST was built against (it names them by id); may be repeated.",
)  # fmt: skip
@WHOM
@WORKERS
@AS_JSON
@errors_end_it
def reproduce(
    manifest: Path, out: Path, again: bool, against: tuple[Path, ...], whom: Whom, workers: int, as_json: bool
) -> None:  # fmt: skip
    """Build a published MANIFEST again from its own recipe and lock, and compare file by file.

    L0: the same bytes. L1: other bytes, the same rows. Exit 1 where anything differs.
    """
    import shutil

    from pipeline import build as builds
    from pipeline.against import load_all
    from pipeline.reproduce import reproduce as run
    from pipeline.trust import signers

    trusted, vouchers = whom.resolve()
    others = load_all(against, out)
    if not again:
        builds.refuse_foreign(out)
        for folder in (out, builds.work_folder(out)):
            shutil.rmtree(folder, ignore_errors=True)
    chosen = settings(out, manifest.parent, workers, signers.ready(None))
    result, built = with_display(lambda report: run(manifest, chosen, trusted, report, others, vouchers))
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
@click.option(
    "--passphrase", "locked", is_flag=True,
    help="Encrypt the private key; the passphrase is asked for, or read from $PELLUCID_KEY_PASSPHRASE.",
)  # fmt: skip
@errors_end_it
def keygen(out: Path | None, locked: bool) -> None:
    """Make an Ed25519 key pair: a private key (0600) to sign with and a public one to give away.

    A key that is not a file: $PELLUCID_SIGNING_KEY holds the private key itself (PEM); $PELLUCID_SIGNER is a command that reads
    the bytes to sign on stdin and writes the signature on stdout, $PELLUCID_SIGNER_PUBLIC the file of its public key.
    """
    from pipeline.trust import keys

    folder = out or keys.config_folder()
    made = keys.generate(folder, keys.ask_passphrase(str(folder / keys.PRIVATE_NAME), new=True) if locked else None)
    click.echo(f"private key {made.private}  (keep it; nobody can sign in your name without it)")
    click.echo(f"public key  {made.public}")
    click.echo(f"key id      {made.key_id}")


COMMANDS = (verify, reproduce, keygen, root)
