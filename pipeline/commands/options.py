"""What commands have in common: options, how errors end them, and how results are said.

Results go to stdout, talk and progress to stderr.
"""

import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from pipeline import telling
from pipeline.errors import PellucidError
from pipeline.look import Item, plain

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


def errors_end_it(command: Command) -> Command:
    """Print our errors for a person and leave with their exit code; an interrupt leaves with 130."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except PellucidError as error:
            click.echo(f"pellucid: {telling.printable(str(error))}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("pellucid: interrupted; what is done stays done, the same command goes on", err=True)
            sys.exit(130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(1)

    return cast(Command, wrapped)


def settings(out: Path, base: Path, workers: int, key: Any) -> Any:
    from pipeline.build import Settings
    from pipeline.sources.fetch import Cache

    return Settings(out.resolve(), base.resolve(), workers, Cache(), key)


def with_display(run: Callable[[Any], Any]) -> Any:
    from rich.console import Console

    from pipeline.terminal import Display

    with Display(Console(stderr=True)) as report:
        return run(report)


def say(items: Iterable[Item]) -> None:
    """Print values of `look` to stdout: on a terminal in colour and wrapped, elsewhere whole and plain."""
    if not sys.stdout.isatty():
        for line in plain(items):
            click.echo(line)
        return
    from rich.console import Console

    from pipeline.paint import paint

    plain_ink = bool(os.environ.get("NO_COLOR"))  # rich would leave bold and dim
    paint(items, Console(markup=False, emoji=False, highlight=False, color_system=None if plain_ink else "auto"))


def for_terminal(text: str) -> str:
    """Corpus text is somebody else's: on a terminal its control characters are shown, not obeyed."""
    return telling.printable(text) if sys.stdout.isatty() else text
