"""The command that compares two releases."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pipeline.commands.options import AS_JSON, FILE, errors_end_it, for_terminal
from pipeline.errors import RecipeError


@click.command()
@click.argument("a", type=FILE)
@click.argument("b", type=FILE)
@click.option("--ids", is_flag=True, help="With --json: every document that differs, not only the first ten of a kind.")
@AS_JSON
@errors_end_it
def diff(a: Path, b: Path, ids: bool, as_json: bool) -> None:
    """Compare two releases, or their manifests: are they the same corpus, and what differs, and why.

    A and B are releases, folders with a manifest, or manifest.json files. Two manifests tell what differs in recipe, lock,
    code, environment, policies and totals, and whether the rows are the same; with the rows of both each document is told that
    was added, removed, dropped for another reason or changed. Verifies no signature. Exit 1 if the rows differ.

    \b
    pellucid diff build/sample build/sample-takedown
    pellucid diff manifests/sample/1.0 build/sample
    """
    from pipeline import telling_diff
    from pipeline.inspection import diff as differences

    if ids and not as_json:
        raise RecipeError("--ids lists documents in JSON", wanted="--json --ids")
    left, right = differences.load(a), differences.load(b)
    found = differences.diff(left, right)
    if as_json:
        for piece in _json(found.to_json(), differences.documents(left, right) if ids else None):
            click.echo(piece, nl=False)
        click.echo()
    else:
        width = max(60, min(100, shutil.get_terminal_size((80, 24)).columns)) if sys.stdout.isatty() else 80
        for line in telling_diff.lines(found, width):
            heading = line and not line.startswith(" ")
            click.echo(click.style(for_terminal(line), bold=True) if heading else for_terminal(line))
    sys.exit(0 if found.same else 1)


def _json(value: dict[str, Any], documents: Iterator[Any] | None) -> Iterator[str]:
    """One JSON object; its documents are written as they come, so that millions need no memory."""
    text = json.dumps(value, ensure_ascii=False)
    if documents is None:
        yield text
        return
    yield text[:-1] + ', "documents": ['
    for number, row in enumerate(documents):
        yield (", " if number else "") + json.dumps(row, ensure_ascii=False)
    yield "]}"


COMMANDS = (diff,)
