"""Commands about trust: is a release what was signed, can it be built again, and whose key is it?"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from pipeline import telling
from pipeline.commands.log import position, read_seen
from pipeline.commands.options import AS_JSON, FILE, WORKERS, errors_end_it, say, settings, with_display
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import RecipeError

MEMORY_LIMIT = 8 << 30  # bytes of address space, of which Arrow and its threads reserve much and use little


@click.command()
@click.argument("release", type=FILE)
@click.option(
    "--content",
    is_flag=True,
    help="Accept Parquet files with other bytes (another pyarrow or codec) if their rows are the published ones: level L1.",
)
@click.option(
    "--bytes", "bytes_only", is_flag=True,
    help="Only that every byte is what was signed, at the speed of SHA-256: no row is read, the account not counted again.",
)  # fmt: skip
@WHOM
@click.option(
    "--log", "log_folder", type=FILE, metavar="FOLDER",
    help="Release log that must have the release, not withdrawn, and continue what you saw last: `pellucid log --help`.",
)  # fmt: skip
@click.option(
    "--reproduced-by", type=click.IntRange(1), metavar="N",
    help="Also check that N of the keys in --reproducer-key have signed that they built this release again.",
)  # fmt: skip
@click.option(
    "--reproducer-key", "reproducer_files", type=FILE, multiple=True,
    help="Public key (PEM) of somebody whose reproduction counts, or a folder of *.pub; may be repeated.",
)  # fmt: skip
@click.option(
    "--reproductions", type=FILE, metavar="FOLDER",
    help="Folder of reproduction documents.  [default: reproductions/ beside the manifest of this release in ./manifests]",
)  # fmt: skip
@AS_JSON
@errors_end_it
def verify(
    release: Path, content: bool, bytes_only: bool, whom: Whom, log_folder: Path | None, reproduced_by: int | None,
    reproducer_files: tuple[Path, ...], reproductions: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Check that RELEASE is what was signed, to the byte, and that its account adds up.

    From the files alone: signature, digests, rows, order, ids, Merkle roots, totals, and the kept witness of every duplicate.
    The last line says who vouches for the signer: your own key, you, or the pinned root of a project.

    \b
    A published release, by the root of its project (compare the fingerprint that you are told, once):
      pellucid verify RELEASE --root manifests/keys
    """
    from pipeline.trust import verify
    from pipeline.trust.findings import OF_BYTES
    from pipeline.trust.log import Log

    trusted, vouchers = whom.resolve()
    if content:
        _bound_memory()
    log = read_seen(log_folder, whom.log_keys()) if log_folder else None
    asked = _reproducers(release, reproduced_by, reproducer_files, reproductions)
    result = verify.verify(
        release, trusted, vouchers=vouchers, content=content, log=log, reproduced=asked, bytes_only=bytes_only
    )
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        for check in result.checks:
            row = f", row {check.row}" if check.row is not None else ""
            place = f" ({telling.one_line(check.file)}{row})" if check.file and not check.ok else ""
            click.echo(f"{'ok   ' if check.ok else 'FALSE'} {check.name}{place}: {telling.within(check.detail)}")
        for name in result.unchecked:
            waived = result.bytes_only and name not in OF_BYTES
            click.echo(f"-     {name}: not made, {'--bytes reads no row' if waived else 'it rests on one that failed'}")
        if result.reproductions:
            say(map(telling.one_line, telling.reproductions(result.reproductions)))
        click.echo(telling.within(telling.verdict(result), ""))
        if result.ok and isinstance(log, Log) and result.release_id:
            click.echo(position(log, result.release_id))
    sys.exit(0 if result.ok else 1)


def _bound_memory() -> None:
    """Parquet that nobody signed may say of itself what it likes: a file of 500 bytes can ask for gigabytes."""
    try:
        import resource
    except ImportError:  # no POSIX
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT if most < 0 else min(most, MEMORY_LIMIT), most))


def _reproducers(release: Path, wanted: int | None, files: tuple[Path, ...], folder: Path | None) -> Any:
    """What `verify` is asked about reproductions, their bytes read; None if nothing.

    The default folder is found by the release's digest among those that the caller has, not by a name in the release.
    """

    from pipeline.trust import keys, reproduction

    if wanted is None:
        if files or folder:
            raise RecipeError("it is not said how many keys are wanted", wanted="--reproduced-by N", where="verify")
        return None
    if not files:
        raise RecipeError(
            "nobody is named whose reproduction would count", wanted="--reproducer-key FILE_OR_FOLDER", where="verify",
            hint="keys that lie beside the documents prove nothing: name those of people whom you know",
        )  # fmt: skip
    if folder is None:
        try:
            release_id = hashlib.sha256((release / "manifest.json").read_bytes()).digest()
        except OSError as error:
            raise RecipeError("there is no manifest.json", where=str(release)) from error
        published = sorted(Path("manifests").glob("*/*/manifest.json"))
        same = [path for path in published if hashlib.sha256(path.read_bytes()).digest() == release_id]
        if not same:
            raise RecipeError(
                "no published manifest is of this release",
                where="manifests/",
                hint="name a folder with --reproductions",
            )
        folder = same[0].with_name("reproductions")
    return reproduction.Asked(reproduction.read_folder(folder), keys.trusted_keys(files), wanted)


@click.command()
@click.argument("manifest", type=FILE)
@click.option("--out", type=FILE, default=Path("build/reproduced"), show_default=True, help="Folder to build into.")
@click.option("--again", is_flag=True, help="Use what an earlier reproduction left in the work folder.")
@click.option(
    "--against", type=FILE, multiple=True, metavar="RELEASE",
    help="Folder of a release that MANIFEST was built against (it names them by id); may be repeated.",
)  # fmt: skip
@click.option("--attest", type=FILE, metavar="FILE", help="Write what was found to FILE, signed, for others to count.")
@click.option("--signing-key", type=FILE, help="Private key to sign --attest with.  [default: your own local key]")
@WHOM
@WORKERS
@AS_JSON
@errors_end_it
def reproduce(
    manifest: Path, out: Path, again: bool, against: tuple[Path, ...], attest: Path | None, signing_key: Path | None,
    whom: Whom, workers: int, as_json: bool,
) -> None:  # fmt: skip
    """Build a published MANIFEST again from its own recipe and lock, and compare file by file.

    L0: the same bytes. L1: other bytes, the same rows. Exit 1 where anything differs; --attest says that, too.
    """
    import shutil
    import time

    from pipeline import build as builds
    from pipeline.against import load_all
    from pipeline.reproduce import attestation
    from pipeline.reproduce import reproduce as run
    from pipeline.trust import dsse, intoto, keys, signers
    from pipeline.trust.reproduction import VERDICTS

    trusted, vouchers = whom.resolve()
    private, made = _attesting_key(attest, signing_key, (out, manifest.parent))
    if made:
        click.echo(f"made a local signing key: {made}", err=True)
    others = load_all(against, out)
    if not again:
        builds.refuse_foreign(out)
        for folder in (out, builds.work_folder(out)):
            shutil.rmtree(folder, ignore_errors=True)
    chosen = settings(out, manifest.parent, workers, signers.ready(None))
    started = time.time()
    result, built = with_display(lambda report: run(manifest, chosen, trusted, report, others, vouchers))
    if attest and private:
        stated = attestation(result, built, started, time.time())
        attest.parent.mkdir(parents=True, exist_ok=True)
        attest.write_bytes(dsse.sign(stated, intoto.PAYLOAD_TYPE, private))
        for line in telling.handing_in(attest, keys.key_id(private.public_key()), VERDICTS[result.level]):
            click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        say(telling.summary(built))
        click.echo("")
        for file in result.files:
            click.echo(f"{file.level:8} {file.name}{': ' + file.detail if file.detail else ''}")
        if result.report:
            said = "equal" if result.report.level == "L0" else f"differs: {result.report.detail}"
            click.echo(f"report   {said}")
        click.echo(f"manifest {'equal' if result.same_manifest else 'differs'}: sha256 {result.built}")
        for difference in result.differences:
            click.echo(f"         {difference}")
        verdict = {"L0": "every file has the published bytes", "L1": "every row is equal, some bytes are not",
                   "differs": "NOT reproduced"}  # fmt: skip
        click.echo(f"{result.level}: {verdict[result.level]}")
        if result.report and result.report.level != "L0" and result.same_manifest:
            click.echo("but the report, which follows from manifest and rows, is not the published one")
    sys.exit(0 if result.ok else 1)


def _attesting_key(attest: Path | None, signing_key: Path | None, releases: tuple[Path, ...]) -> Any:
    """The key to sign a reproduction document with, asked for before hours of building, and its file if it was made now."""
    from pipeline.trust import signers

    if attest is None:
        if signing_key:
            raise RecipeError("there is nothing to sign", wanted="--attest FILE", where="reproduce")
        return None, None
    for folder in releases:
        inside = attest.resolve().is_relative_to(folder.resolve())
        if inside and (folder in releases[:1] or (folder / "data").is_dir()):
            raise RecipeError(
                "the document would lie inside a release, which may hold no file but its own", where=str(attest),
                hint="name a file elsewhere: `reproductions/` beside a published manifest is the place",
            )  # fmt: skip
    return signers.signing_key(signing_key)


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


COMMANDS = (verify, reproduce, keygen)
