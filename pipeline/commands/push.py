"""The command that publishes a release in a dataset repository of the Hugging Face Hub."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pipeline import telling
from pipeline.commands.options import AS_JSON, FILE, errors_end_it
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import RecipeError

SHOWN = 40  # files that are listed by name


@click.command()
@click.argument("release", type=FILE)
@click.argument("repo_id", metavar="OWNER/NAME")
@click.option(
    "--dry-run", is_flag=True, help="Verify, look at the repository, print what would go up, and change nothing."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--private/--public", "private", default=None,
    help="What a repository that is made will be.  [default: private; one that is there stays what it is]",
)  # fmt: skip
@click.option(
    "--endpoint", metavar="URL", help="Another server that speaks the Hub's protocol.  [default: HF_ENDPOINT]"
)
@click.option("--revision", metavar="BRANCH", default="main", show_default=True, help="Made if it is not there.")
@WHOM
@AS_JSON
@errors_end_it
def push(
    release: Path, repo_id: str, dry_run: bool, yes: bool, private: bool | None, endpoint: str | None, revision: str,
    whom: Whom, as_json: bool,
) -> None:  # fmt: skip
    """Publish RELEASE in the dataset repository OWNER/NAME of the Hugging Face Hub.

    A release that does not verify is refused. Its own files go up, in one commit, and nothing else; files of an earlier
    release that this one does not have go. The token is that of HF_TOKEN or of `hf auth login`.

    \b
      pellucid push build/sample me/sample --dry-run
      pellucid push build/sample me/sample --public
    """
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from pipeline import push as pushing

    if not sys.stderr.isatty():
        disable_progress_bars()
    trusted, vouchers = whom.resolve()
    local = pushing.local(release, trusted, vouchers)
    hub = pushing.Hub(endpoint)
    plan = hub.plan(local, repo_id, revision, private)
    if not (dry_run and as_json):
        for line in _told(plan):
            click.echo(telling.one_line(line), err=not dry_run)
    if dry_run:
        if as_json:
            click.echo(json.dumps({**plan.to_json(), "pushed": None}))
        return
    if not yes:
        if not sys.stdin.isatty():
            raise RecipeError("there is nobody to ask", wanted="--yes", where="push")
        if not click.confirm(f"Push to {plan.url}?", err=True):
            click.echo("pellucid: nothing was pushed", err=True)
            sys.exit(1)
    pushed = hub.push(plan)
    if as_json:
        click.echo(json.dumps({**plan.to_json(), "pushed": pushed.to_json()}))
        return
    click.echo(f"pushed      {pushed.url}{' (it was there already)' if pushed.unchanged else ''}")
    click.echo(f"commit      {pushed.commit}")
    click.echo("to check    in an empty folder:")
    server = f"HF_ENDPOINT={endpoint} " if endpoint else ""
    click.echo(
        f"  {server}hf download {repo_id} --repo-type dataset --revision {pushed.commit} --local-dir . "
        "--exclude .gitattributes"
    )
    click.echo("  rm -r .cache && pellucid verify .")


def _told(plan: Any) -> Iterator[str]:
    """What would go up, and where to."""
    local = plan.local
    yield f"release     {local.name} {local.version}, release id {local.release_id}"
    kind = "private" if plan.private else "public"
    yield f"to          {plan.url}, branch {plan.revision}: {kind}, {'is made' if plan.made else 'is there'}"
    yield f"licences    {', '.join(local.licenses)}"
    yield f"files       {len(local.files):,}, {local.bytes / 1e6:,.1f} MB"
    for name, size in local.files[:SHOWN]:
        yield f"  {size:>13,}  {name}"
    if rest := local.files[SHOWN:]:
        yield f"  {sum(size for _, size in rest):>13,}  in {len(rest):,} more (all: --json)"
    if plan.gone:
        more = f" and {len(plan.gone) - 3:,} more" if len(plan.gone) > 3 else ""
        yield f"go away     {len(plan.gone):,} files of an earlier release: {', '.join(plan.gone[:3])}{more}"
    for name in plan.stays[:SHOWN]:
        yield f"WARNING: {name} in the repository is of no release and stays: a download with it does not verify"


COMMANDS = (push,)
