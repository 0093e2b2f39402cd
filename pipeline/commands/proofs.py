"""Commands about proofs: what a release has under a name, for somebody who has none of it."""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path

import click

from pipeline import telling
from pipeline.arrow import without_pandas
from pipeline.commands.options import AS_JSON, FILE, errors_end_it, for_terminal, say
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import RecipeError, VerificationError


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
    from pipeline.trust.urls import domain

    if (name is None) == (text_file is None) or (is_domain and name is None):
        raise RecipeError("name one document", wanted="NAME (an id, a URL, or with --domain a domain), or --text FILE")
    without_pandas()
    trusted = whom.accepted()
    opened = proofs.Release(release, trusted)
    if text_file is not None:
        made = proofs.text(opened, text_file.read_bytes())
    elif is_domain:
        made = proofs.named(opened, "domains", domain(str(name)) or str(name))
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
    from pipeline.trust.proof import LIMIT, check

    trusted = whom.accepted()
    try:
        with file.open("rb") as stream:
            data = stream.read(LIMIT + 1)
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


COMMANDS = (prove, check_proof)
