"""`pellucid report`: write a release's report again."""

import hashlib
import json
import sys
from pathlib import Path

import click

from pipeline.commands.options import AS_JSON, FILE, errors_end_it
from pipeline.errors import PellucidError, RecipeError, VerificationError


@click.command()
@click.argument("release", type=FILE)
@click.option("-o", "--out", type=FILE, help="File to write.  [default: RELEASE/report.html]")
@AS_JSON
@errors_end_it
def report(release: Path, out: Path | None, as_json: bool) -> None:
    """Write the report of RELEASE again: one static page of where its texts are from, and why others are not in it.

    The run document names the report by its SHA-256. Another page than the named one is not put into the release: exit 1,
    unless -o names another file. Nothing is verified here: `pellucid verify RELEASE` does.
    """
    import pyarrow

    from pipeline.inspection import report as reports
    from pipeline.trust import dsse, folder, manifest, names, run

    if not release.is_dir():
        raise RecipeError("there is no such folder", where=str(release), hint="pellucid build RECIPE makes a release")
    data = folder.read(release, "manifest.json")
    signed = dsse.unverified(folder.read(release, "manifest.dsse.json"), "manifest.dsse.json")
    try:
        page = reports.page(
            lambda name: release / name, manifest.parse(data), hashlib.sha256(data).hexdigest(), signed.key_id
        )
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise VerificationError(
            f"its rows cannot be read: {error!s:.300}", where=str(release), hint=f"pellucid verify {release}"
        ) from error
    named = run.parse(dsse.unverified(folder.read(release, "run.dsse.json"), "run.dsse.json").payload).report
    digest = hashlib.sha256(page).hexdigest()
    target = out or release / names.REPORT
    if digest != named and target.resolve() == (release / names.REPORT).resolve():
        raise PellucidError(
            f"this code makes a report with sha256 {digest}", wanted=f"{named}, which run.dsse.json names",
            where=str(target), hint="write it elsewhere: pellucid report RELEASE -o FILE",
        )  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(page)
    if as_json:
        click.echo(
            json.dumps({"file": str(target), "bytes": len(page), "sha256": digest, "is_signed": digest == named})
        )
        return
    click.echo(f"report      {target}  ({len(page) / 1e3:,.1f} kB)")
    click.echo(f"sha256      {digest}")
    said = "as run.dsse.json names it" if digest == named else f"NOT the one that run.dsse.json names, {named}"
    click.echo(f"            {said}")
    sys.exit(0)


COMMANDS = (report,)
