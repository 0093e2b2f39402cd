"""Commands about trust: is a release what was signed, can it be built again, and whose key is it?"""

import hashlib
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pipeline import telling
from pipeline.commands.options import AS_JSON, FILE, WORKERS, errors_end_it, for_terminal, say, settings, with_display
from pipeline.commands.root import root
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import RecipeError, VerificationError

MEMORY_LIMIT = 8 << 30  # bytes of address space, of which Arrow and its threads reserve much and use little


@click.command()
@click.argument("release", type=FILE)
@click.option(
    "--content",
    is_flag=True,
    help="Accept Parquet files with other bytes (another pyarrow or codec) if their rows are the published ones: level L1.",
)
@WHOM
@AS_JSON
@errors_end_it
def verify(release: Path, content: bool, whom: Whom, as_json: bool) -> None:
    """Check that RELEASE is what was signed, to the byte, and that its account adds up.

    From the files alone: signature, digests, rows, order, ids, Merkle roots, totals, and the kept witness of every duplicate.
    The last line says who vouches for the signer: your own key, you, or the pinned root of a project.

    \b
    A published release, by the root of its project (compare the fingerprint that you are told, once):
      pellucid verify RELEASE --root manifests/keys
    """
    from pipeline.trust import verify

    trusted, vouchers = whom.resolve()
    if content:
        _bound_memory()
    result = verify.verify(release, trusted, vouchers=vouchers, content=content)
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


def _bound_memory() -> None:
    """Parquet that nobody signed may say of itself what it likes: a file of 500 bytes can ask for gigabytes."""
    try:
        import resource
    except ImportError:  # no POSIX
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT if most < 0 else min(most, MEMORY_LIMIT), most))


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


@click.command()
@click.argument("release", type=FILE)
@click.argument("name", required=False)
@click.option(
    "--text", "text_file", type=FILE, help="A file with a text, in place of NAME: is it, to the byte, a kept document?"
)
@click.option(
    "--domain", "is_domain", is_flag=True, help="NAME is a domain or a package (pkg:pypi/django): count its documents."
)
@click.option("-o", "--out", type=FILE, help="File to write the proof to.  [default: standard output]")
@WHOM
@errors_end_it
def prove(
    release: Path,
    name: str | None,
    text_file: Path | None,
    is_domain: bool,
    out: Path | None,
    whom: Whom,
) -> None:
    """Write a proof of what RELEASE has under NAME: a document's id, a URL or a Package URL.

    Kept, dropped and why, or not there at all: a small file that `pellucid check-proof` checks with the public key alone, on
    any machine, without the release and without network.

    \b
    pellucid prove build/sample 01869d7bc9714ebf56d5de1be472eb16 -o one.proof
    pellucid prove build/sample https://example.org/my-page -o absent.proof
    pellucid prove build/sample --domain example.org
    pellucid prove build/sample --text my-page.txt
    """
    from pipeline.trust import prove as proofs
    from pipeline.trust.proof import check

    if (name is None) == (text_file is None) or (is_domain and name is None):
        raise RecipeError("name one document", wanted="NAME (an id, a URL, or with --domain a domain), or --text FILE")
    trusted = whom.accepted()
    opened = proofs.Release(release, trusted)
    if text_file is not None:
        made = proofs.text(opened, text_file.read_bytes())
    elif is_domain:
        made = proofs.named(opened, "domains", str(name).lower().rstrip("."))
    elif re.fullmatch("[0-9a-f]{32}", str(name)):
        made = proofs.document(opened, str(name))
    else:
        made = proofs.url(opened, str(name))
    if out is None:
        click.echo(made)
    else:
        out.write_bytes(made)
    for line in telling.proven(check(made, trusted)):
        click.echo(for_terminal(line), err=True)
    if out is not None:
        click.echo(
            f"proof       {out} ({len(made):,} bytes); next: pellucid check-proof {out} --key PUBLIC_KEY", err=True
        )


@click.command("check-proof")
@click.argument("file", type=FILE)
@click.option("--text", "text_file", type=FILE, help="Also compare: the proof has to be about the text in this file.")
@WHOM
@AS_JSON
@errors_end_it
def check_proof(file: Path, text_file: Path | None, whom: Whom, as_json: bool) -> None:
    """Check a proof: what FILE says is in, or not in, the release whose checkpoint a trusted key has signed.

    Needs FILE and a public key, nothing else. Compare what it says with what you asked: a proof about another document holds,
    too. Exit 1 where it does not hold.
    """
    from pipeline.trust.proof import check

    trusted = whom.accepted()
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror}", where=str(file)) from error
    found = check(data, trusted, str(file))
    if text_file is not None:
        digest = hashlib.sha256(text_file.read_bytes()).hexdigest()
        about = found.asked if found.tree == "texts" else (found.row or {}).get("text_sha256")
        if about != digest:
            raise VerificationError("the proof is about another text", wanted=f"sha256 {digest}", where=str(file))
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    say(telling.proven(found))


COMMANDS = (verify, reproduce, prove, check_proof, keygen, root)
