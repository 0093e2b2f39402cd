"""The command line: the only place that prints or exits. Results go to stdout, talk and progress to stderr.

Heavy modules are imported inside the commands, so that `pellucid --help` answers at once.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipeline import __version__, telling, telling_rows
from pipeline.commands import browse, diff, log, proofs, push, report, root, takedown, trace, trust
from pipeline.commands.options import (
    AGAINST,
    AS_JSON,
    FILE,
    WORKERS,
    errors_end_it,
    for_terminal,
    say,
    settings,
    with_display,
)
from pipeline.errors import RecipeError


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
        size = sum(artifact.size for artifact in new.artifacts)
        facts = {"lock": str(path), "artifacts": len(new.artifacts), "bytes": size}
        click.echo(json.dumps({**facts, "changes": [change.to_json() for change in changes]}))
        return
    say(telling.pinned(path, new, changes))


@main.command()
@click.argument("recipe", type=FILE)
@click.option("--out", type=FILE, help="Release folder.  [default: build/NAME]")
@AGAINST
@click.option("--all", "every", is_flag=True, help="List every task, also those that are done.")
@AS_JSON
@errors_end_it
def plan(recipe: Path, out: Path | None, against: tuple[Path, ...], every: bool, as_json: bool) -> None:
    """Print what a build of RECIPE would run, and why. Changes nothing.

    By stage; the tasks themselves where few have to run. With --json always all of them.
    """
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
    say(telling.planned(steps, every))


@main.command()
@click.argument("recipe", type=FILE)
@click.option("--out", type=FILE, help="Release folder.  [default: build/NAME]")
@AGAINST
@WORKERS
@click.option("--engine", type=click.Choice(["local"]), default="local", show_default=True, help="Where tasks run.")
@click.option("--signing-key", type=FILE, help="Private key (PEM).  [default: $PELLUCID_SIGNER, "
              "$PELLUCID_SIGNING_KEY, else the local key, made at the first build]")  # fmt: skip
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
    from pipeline.trust import signers

    loaded, pins = _load(recipe)
    chosen = settings(out or _default_out(loaded), recipe.parent, workers, signers.ready(signing_key))
    others = load_all(against, chosen.out)
    built = with_display(lambda report: builds.build(loaded, pins, chosen, report, others))
    if as_json:
        click.echo(json.dumps(telling.of_build(built)))
        return
    say(telling.summary(built))


@main.command()
@click.argument("release", type=FILE)
@click.argument("document")
@click.option("--text", is_flag=True, help="Print the text of a kept document.")
@click.option(
    "--again",
    is_flag=True,
    help="Read record and text again from the cached artifact through the pointer, and compare.",
)
@click.option(
    "--cut",
    is_flag=True,
    help="Read a page again from the cached artifact, and list the blocks that were cut from it, each with its reason.",
)
@AS_JSON
@errors_end_it
def show(release: Path, document: str, text: bool, again: bool, cut: bool, as_json: bool) -> None:
    """Print the whole story of DOCUMENT: an id (or its first 8 characters or more), or a URL.

    Origin, pointer, licence, what of a page was kept and cut, each decision with its value and bound, where it stands, and for
    a duplicate the kept one.
    """
    from pipeline.inspection.show import show as find

    stories = find(release, document)
    reread = [read_once_more(story) if again and story.fate != "removed" else None for story in stories]
    pages = [page_once_more(story) if cut and story.fate != "removed" else None for story in stories]
    if as_json:
        told = [
            {**story.to_json(), **({"again": found} if found else {}), **({"cut": page} if page else {})}
            for story, found, page in zip(stories, reread, pages, strict=True)
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for number, (story, found, page) in enumerate(zip(stories, reread, pages, strict=True)):
            say([""] * bool(number))
            say(telling_rows.story(story))
            if page:
                say(telling_rows.cut(page))
            shown = story.text if text and story.fate != "removed" else None
            if found:
                say(telling_rows.again(found))
                shown = found["text"]
            if shown is not None:
                click.echo(f"\n{for_terminal(shown)}")
    sys.exit(0 if all(found["same"] for found in (*reread, *pages) if found) else 1)


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
    say(telling_rows.rejudged(found))


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


def read_once_more(story: Any) -> dict[str, Any]:
    """A document's record and text, read again through its pointer (`inspection.show.Again`). `same`: neither differs."""
    from pipeline.inspection import show as shows
    from pipeline.sources.fetch import Cache

    if story.row.get("reason") == telling.OPT_OUT:
        return {"read": False, "same": True, "text": None}
    found = shows.again(story, Cache().path(story.row["artifact_sha256"]))
    return {
        "read": True, "same": False not in (found.record_equal, found.text_equal, found.extraction_equal),
        "record_bytes": len(found.raw), "record_equal": found.record_equal, "text": found.text,
        "text_equal": found.text_equal, "before_edits": found.edited,
        "extraction": None if found.extraction is None else asdict(found.extraction),
        "extraction_equal": found.extraction_equal,
    }  # fmt: skip


def page_once_more(story: Any) -> dict[str, Any]:
    """A page's blocks that were cut, from its record, read again. `same`: they add up to what the row says.

    `why`: why there are no blocks to list, as a sentence.
    """
    from pipeline.inspection import show as shows
    from pipeline.sources.fetch import Cache

    if story.row.get("reason") == telling.OPT_OUT:
        return {"same": True, "why": "not read: an opt-out list of the recipe names this record", "blocks": []}
    found = shows.page(story, b"") if story.row["extractor"] is None else None
    if found is None:
        again = shows.again(story, Cache().path(story.row["artifact_sha256"]))
        found = shows.page(story, again.raw)
    if isinstance(found, str):
        return {"same": True, "why": found, "blocks": []}
    return {"same": found.equal, "why": None, "blocks": [asdict(one) for one in found.blocks if one.reason is not None]}


for _module in (trust, proofs, log, takedown, report, browse, diff, trace, push):
    for _command in _module.COMMANDS:
        main.add_command(_command)
main.add_command(root.root)
