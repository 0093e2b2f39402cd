"""The command that finds a passage in a release."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

from pipeline.commands.options import AS_JSON, FILE, WORKERS, errors_end_it, for_terminal
from pipeline.errors import RecipeError

BUSY_SECONDS = 2.0  # between lines of progress


@click.command()
@click.argument("release", type=FILE)
@click.option("--text", "passage", help="The passage.")
@click.option("--file", "file", type=FILE, help="A file with the passage, in UTF-8; - is standard input.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Documents that are told.")
@click.option("--index", "place", type=FILE, help="Folder of the index.  [default: RELEASE.trace, beside the release]")
@WORKERS
@AS_JSON
@errors_end_it
def trace(
    release: Path, passage: str | None, file: Path | None, limit: int, place: Path | None, workers: int, as_json: bool
) -> None:
    """Print which kept documents of RELEASE hold a passage of 8 words or more, word for word, and where.

    Case, punctuation and white space are no part of words; whether a place is the passage letter for letter as well is told.
    Where no document holds all of it, its longest runs of at least 8 words are told, and where they stand.

    The first time an index is made (some 36 % of the text's size), again when the release changes. Exit 1 where the passage is
    not found, 2 where it has fewer than 8 words.

    \b
    pellucid trace build/sample --text "a view is simply a Python function that takes a web request"
    pellucid trace build/workstation --file answer.txt --json
    """
    from pipeline import telling_trace
    from pipeline.inspection import trace as tracing
    from pipeline.inspection import trace_index

    if (passage is None) == (file is None):
        raise RecipeError("name one passage", wanted='--text "...", or --file FILE')
    text = passage if passage is not None else _read(file)
    tracing.checked(text)
    folder = place or trace_index.default_place(release)
    index, why = trace_index.opened(release, folder)
    if index is None:
        index = _build(release, folder, workers, why)
    found = tracing.trace(index, text, limit)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        width = max(60, min(100, shutil.get_terminal_size((80, 24)).columns)) if sys.stdout.isatty() else 80
        for line in telling_trace.lines(found, limit, width):
            click.echo(for_terminal(line))
    sys.exit(0 if found.matches else 1)


def _read(file: Path | None) -> str:
    try:
        data = sys.stdin.buffer.read() if file is None or str(file) == "-" else file.read_bytes()
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot be read: {error}", where=str(file)) from error


def _build(release: Path, folder: Path, workers: int, why: str) -> Any:
    """Make the index and say so."""
    from pipeline.inspection import trace_build
    from pipeline.kernels import warm

    click.echo(f"{why}: {folder} is made", err=True)
    warm.ensure(lambda: click.echo("compiling kernels for this processor (once)", err=True), warm.ASKED["trace"])
    began = told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if (now := time.monotonic()) - told >= BUSY_SECONDS:
            told = now
            click.echo(
                f"  {done / max(total, 1):4.0%}  {done / 1e6:,.0f} of {total / 1e6:,.0f} MB of data files", err=True
            )

    index = trace_build.build(release, folder, workers, progress)
    words = sum(segment.words for segment in index.segments)
    spent = time.monotonic() - began
    click.echo(f"  {words:,} words, {index.bytes / 1e6:,.1f} MB, {spent:.1f} s", err=True)
    return index


COMMANDS = (trace,)
