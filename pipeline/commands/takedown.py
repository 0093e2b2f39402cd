"""The command that takes documents out of a release after it was published."""

import json
import time
from dataclasses import asdict
from pathlib import Path

import click

from pipeline import telling
from pipeline.arrow import without_pandas
from pipeline.commands.options import AS_JSON, FILE, errors_end_it, say
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import RecipeError


@click.command()
@click.argument("release", type=FILE)
@click.argument("list_file", metavar="[LIST]", type=FILE, required=False)
@click.option("--out", type=FILE, help="Folder of the next release.  [default: RELEASE-takedown]")
@click.option(
    "--apply", "published", type=FILE, metavar="FOLDER",
    help="In place of LIST: do to this copy what made the release whose manifest, checkpoint and envelopes lie in FOLDER.",
)  # fmt: skip
@click.option("--with-copies", is_flag=True, help="Of a named duplicate remove the document that it is a copy of, too.")
@click.option("--dry-run", is_flag=True, help="Print which documents the list names, and change nothing.")
@click.option("--signing-key", type=FILE, help="Private key (PEM).  [default: the local key]")
@WHOM
@AS_JSON
@errors_end_it
def takedown(
    release: Path, list_file: Path | None, out: Path | None, published: Path | None, with_copies: bool, dry_run: bool,
    signing_key: Path | None, whom: Whom, as_json: bool,
) -> None:  # fmt: skip
    """Make the next release of RELEASE without the documents that LIST names, without building it again.

    A line of LIST names one thing; comments (#) go nowhere, and nothing says who asked:

    \b
      id:01869d7bc9714ebf56d5de1be472eb16     sha256:DIGEST_OF_A_TEXT
      url:https://example.org/page            domain:example.org    domain:pkg:pypi/django

    Texts and provenance rows of these documents go; the hashes of their leaves stay, so that the proofs of all others still
    hold. The totals count them as dropped by `takedown`. RELEASE itself is not changed: mark it withdrawn in your log.

    \b
    As the publisher, and as somebody who has a copy:
      pellucid takedown build/sample names.txt --out build/sample-2
      pellucid takedown build/sample --apply manifests/sample/1.1 --out build/sample-2
    """
    from pipeline import takedown as takedowns
    from pipeline.trust import lists, prove, signers

    if (list_file is None) == (published is None):
        raise RecipeError("nothing says what is to go", wanted="LIST, or --apply FOLDER", where="takedown")
    without_pandas()
    started, trusted = time.time(), whom.accepted()
    target = out or release.with_name(f"{release.name}-takedown")
    if published is not None:
        taken = takedowns.apply(release, published, target, trusted)
    elif list_file is not None:
        try:
            listed = lists.parse(list_file.read_text("utf-8").split("\n"), str(list_file))
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"cannot be read: {error}", where=str(list_file)) from error
        chosen = takedowns.select(prove.Release(release, trusted), listed, with_copies)
        for line in telling.selected(chosen):
            click.echo(line, err=True)
        if dry_run:
            if as_json:
                click.echo(json.dumps(asdict(chosen)))
            return
        key, made = signers.signing_key(signing_key)
        if made:
            click.echo(f"made a local signing key: {made}", err=True)
        taken = takedowns.make(release, target, chosen.documents, key, trusted, started)
    if as_json:
        click.echo(json.dumps({**asdict(taken), "out": str(taken.out)}))
        return
    say(telling.taken(taken))


COMMANDS = (takedown,)
