"""The command line: the only place that prints or exits. Results go to stdout, talk and progress to stderr.

Heavy modules are imported inside the commands, so that `pellucid --help` answers at once.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline import __version__, telling
from pipeline.errors import PellucidError, RecipeError

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON value.")
KEYS = click.option(
    "--key", "key_files", type=FILE, multiple=True,
    help="Public key (PEM) to trust, or a folder of *.pub; may be repeated. Default: the keys in your config folder.",
)  # fmt: skip
WORKERS = click.option(
    "--workers", type=click.IntRange(1, 1024), default=lambda: os.cpu_count() or 1, show_default="one a core",
    help="Worker processes. Changes no byte of the release.",
)  # fmt: skip
AGAINST = click.option(
    "--against", type=FILE, multiple=True, metavar="RELEASE",
    help="Folder of another release: what it holds, exactly or nearly, is left out of this one, and each ledger row names "
    "its document and its id. Changes the release; may be repeated, in any order.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog="Exit codes: 0 done and true; 1 ran, and "
             "the answer is no; 2 usage or recipe; 3 source or network; 4 a task failed; 130 interrupted.")  # fmt: skip
@click.version_option(__version__, prog_name="pellucid")
def main() -> None:
    """Build training corpora that anyone can check.

    A recipe names public packages; its lock pins every file of them. A build writes Parquet shards with one provenance
    row for every record that was read, kept or dropped, and signs a manifest over all of it.

    \b
    Start here:
      pellucid build configs/sample.yaml       a small corpus in under a minute
      pellucid verify build/sample             is it what was signed, and does it add up?
      pellucid show build/sample ID            where does this document come from?
    """


def errors_end_it(command: Command) -> Command:
    """Print our errors for a person and leave with their exit code; an interrupt leaves with 130."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except PellucidError as error:
            click.echo(f"pellucid: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("pellucid: interrupted; what is done stays done, the same command goes on", err=True)
            sys.exit(130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)

    return wrapped  # type: ignore[return-value]


@main.command()
@click.argument("recipe", type=FILE)
@click.option(
    "--refresh", is_flag=True, help="Resolve every entry anew, also those that are pinned, and print the difference."
)
@AS_JSON
@errors_end_it
def lock(recipe: Path, refresh: bool, as_json: bool) -> None:
    """Pin every artifact of RECIPE by size and sha256 in the .lock.json beside it.

    Downloads what it pins into the cache, and checks that each artifact holds the licence evidence that the recipe names.
    Pins that still mean what the recipe says are kept, unless --refresh is given.
    """
    from rich.console import Console

    from pipeline import lock as locks
    from pipeline import recipe as recipes
    from pipeline.sources.fetch import Cache
    from pipeline.terminal import Display

    loaded = recipes.load(recipe)
    path = locks.path_beside(recipe)
    old = locks.load(path) if path.exists() else None
    with Display(Console(stderr=True)) as report:
        new = locks.make(loaded, recipe.parent, Cache(), report, old=None if refresh else old)
    changes = locks.difference(old, new)
    if old != new:
        locks.write(new, path)
    if as_json:
        click.echo(json.dumps([change.to_json() for change in changes]))
        return
    for change in changes:
        click.echo(str(change))
    size = sum(artifact.size for artifact in new.artifacts)
    click.echo(
        f"{path}: {len(new.artifacts)} artifacts, {size / 1e6:,.1f} MB, {len(changes)} changes" if changes
        else f"{path}: {len(new.artifacts)} artifacts, {size / 1e6:,.1f} MB, unchanged"
    )  # fmt: skip


@main.command()
@click.argument("recipe", type=FILE)
@click.option("--out", type=FILE, help="Release folder.  [default: build/NAME]")
@AGAINST
@AS_JSON
@errors_end_it
def plan(recipe: Path, out: Path | None, against: tuple[Path, ...], as_json: bool) -> None:
    """Print what a build of RECIPE would run, and why. Changes nothing."""
    from pipeline import build as builds
    from pipeline.against import load_all

    loaded, pins = _load(recipe)
    place = out or _default_out(loaded)
    steps = builds.steps(loaded, pins, place, load_all(against, place))
    if as_json:
        rows = [
            {"sentence": step} if isinstance(step, str)
            else {"stage": step.task.stage, "task": step.task.name, "run": step.run, "why": step.why}
            for step in steps
        ]  # fmt: skip
        click.echo(json.dumps(rows))
        return
    for step in steps:
        if isinstance(step, str):
            click.echo(f"later  {step}")
        else:
            click.echo(
                f"{'run ' if step.run else 'done'}   {step.task.stage:7} {step.task.name}"
                f"{': ' + step.why if step.run else ''}"
            )
    decided = [step for step in steps if not isinstance(step, str)]
    click.echo(f"{sum(step.run for step in decided)} of {len(decided)} tasks would run")


@main.command()
@click.argument("recipe", type=FILE)
@click.option("--out", type=FILE, help="Release folder.  [default: build/NAME]")
@AGAINST
@WORKERS
@click.option("--engine", type=click.Choice(["local"]), default="local", show_default=True, help="Where tasks run.")
@click.option("--signing-key", type=FILE, help="Private key (PEM).  [default: the local key, made at the first build]")
@AS_JSON
@errors_end_it
def build(
    recipe: Path, out: Path | None, against: tuple[Path, ...], workers: int, engine: str, signing_key: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Build the corpus of RECIPE, whose lock lies beside it.

    Stages: fetch what the lock pins; evidence (check licences); lines, blocks (what repeats in a source, where the recipe
    asks); curate (read, extract, measure, judge, sketch); against (sketch the releases of --against); candidates, shingle,
    choose (drop duplicates); write; seal. An interrupted build goes on where it was; a repeated one finds nothing to do.

    \b
    A second corpus without what the first one holds:
      pellucid build second.yaml --against build/first
    """
    from pipeline import build as builds
    from pipeline.against import load_all

    loaded, pins = _load(recipe)
    settings = _settings(out or _default_out(loaded), recipe.parent, workers, signing_key)
    others = load_all(against, settings.out)
    built = _with_display(lambda report: builds.build(loaded, pins, settings, report, others))
    if as_json:
        click.echo(json.dumps({"release": str(built.out), "release_id": built.release_id, "tasks": built.tasks,
                               "ran": built.ran, "changed": built.changed, "seconds": round(built.seconds, 3),
                               "totals": built.manifest["totals"]}))  # fmt: skip
        return
    _say(telling.summary(built))


@main.command()
@click.argument("release", type=FILE)
@KEYS
@AS_JSON
@errors_end_it
def verify(release: Path, key_files: tuple[Path, ...], as_json: bool) -> None:
    """Check that RELEASE is what was signed, to the byte, and that its account adds up.

    From the files alone: signature, digests, rows, order, ids, totals, and the kept witness of every duplicate.
    """
    from pipeline.trust import keys, verify

    result = verify.verify(release, keys.trusted_keys(key_files or None))
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


@main.command()
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
    settings = _settings(out, manifest.parent, workers, None)
    trusted = keys.trusted_keys(key_files or None)
    result, built = _with_display(lambda report: run(manifest, settings, trusted, report, others))
    if as_json:
        click.echo(json.dumps(result.to_json()))
    else:
        _say(telling.summary(built))
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


@main.command()
@click.argument("release", type=FILE)
@click.argument("document")
@click.option("--text", is_flag=True, help="Print the text of a kept document.")
@click.option(
    "--again",
    is_flag=True,
    help="Read record and text again from the cached artifact through the pointer, and compare.",
)
@AS_JSON
@errors_end_it
def show(release: Path, document: str, text: bool, again: bool, as_json: bool) -> None:
    """Print the whole story of DOCUMENT: an id (or its first 8 characters or more), or a URL.

    Origin, pointer, licence, each decision with its value and bound, where it stands, and for a duplicate the kept one.
    """
    from pipeline.inspection.show import show as find

    stories = find(release, document)
    if as_json:
        click.echo(json.dumps([story.to_json() for story in stories], ensure_ascii=False))
        return
    same = True
    for story in stories:
        _say(telling.story(story))
        if again:
            same = _show_again(story) and same
        elif text and story.text is not None:
            click.echo(f"\n{_for_terminal(story.text)}")
    sys.exit(0 if same else 1)


@main.command()
@click.argument("release", type=FILE)
@click.option("--recipe", type=FILE, required=True, help="The recipe whose rules, priorities and dedup are tried.")
@AS_JSON
@errors_end_it
def rejudge(release: Path, recipe: Path, as_json: bool) -> None:
    """Print what the rules of another recipe would change in RELEASE, in seconds and without its text.

    Every row keeps the values that its document was judged by. Rules that read the text itself (c4, datatrove) must stand
    in both recipes alike; differences that need a build are named. Changes nothing.
    """
    from pipeline import recipe as recipes
    from pipeline.rejudge import rejudge as run

    found = run(release, recipes.load(recipe))
    if as_json:
        click.echo(json.dumps(found.to_json()))
        return
    _say(telling.rejudged(found))


@main.command()
@click.option("-o", "--out", type=FILE, help="Folder for the key pair.  [default: your config folder]")
@errors_end_it
def keygen(out: Path | None) -> None:
    """Make an Ed25519 key pair: a private key (0600) to sign with and a public one to give away."""
    from pipeline.trust import keys

    made = keys.generate(out or keys.config_folder())
    click.echo(f"private key {made.private}  (keep it; nobody can sign in your name without it)")
    click.echo(f"public key  {made.public}")
    click.echo(f"key id      {made.key_id}")


def _load(recipe: Path) -> tuple[Any, Any]:
    from pipeline import lock as locks
    from pipeline import recipe as recipes

    loaded = recipes.load(recipe)
    path = locks.path_beside(recipe)
    if not path.exists():
        raise RecipeError("the recipe has no lock", where=str(path), hint=f"pellucid lock {recipe}")
    return loaded, locks.load(path)


def _default_out(recipe: Any) -> Path:
    return Path("build") / str(recipe.name)


def _settings(out: Path, base: Path, workers: int, key: Path | None) -> Any:
    from pipeline.build import Settings
    from pipeline.sources.fetch import Cache

    return Settings(out.resolve(), base.resolve(), workers, Cache(), key)


def _with_display(run: Callable[[Any], Any]) -> Any:
    from rich.console import Console

    from pipeline.terminal import Display

    with Display(Console(stderr=True)) as report:
        return run(report)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(_for_terminal(line))


def _for_terminal(text: str) -> str:
    """Corpus text is somebody else's: on a terminal its control characters are shown, not obeyed."""
    return telling.printable(text) if sys.stdout.isatty() else text


def _show_again(story: Any) -> bool:
    """Read record and text once more through the pointer; whether both have the digests of the row."""
    import hashlib

    from pipeline.inspection.show import read_again
    from pipeline.sources.fetch import Cache

    path = Cache().path(story.row["artifact_sha256"])
    if not path.is_file():
        raise PellucidError("the artifact is not in the cache", where=story.row["purl"], hint="build the recipe again")
    raw, text = read_again(story, path)
    same = hashlib.sha256(raw).hexdigest() == story.row["record_sha256"] or story.row["record_sha256"] is None
    click.echo(f"again       {len(raw):,} bytes, sha256 {'equal' if same else 'DIFFERS'}")
    if text is None:
        return same
    edits = story.row["edits"]  # the row's text is what they left; extraction gives what the first of them was given
    equal = hashlib.sha256(text.encode()).hexdigest() == (
        edits[0]["sha256_before"] if edits else story.row["text_sha256"]
    )
    said = ", before its edits" if edits else ""
    click.echo(f"            text {'equal' if equal else 'DIFFERS'}, {len(text):,} characters{said}")
    click.echo(f"\n{_for_terminal(text)}")
    return same and equal
