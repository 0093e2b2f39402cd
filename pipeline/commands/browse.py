"""The command that shows a release's provenance in a web browser, on this machine alone."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from pipeline.commands.options import FILE, errors_end_it
from pipeline.commands.whom import WHOM, Whom
from pipeline.errors import PellucidError

PORT = 8377


@click.command()
@click.argument("release", type=FILE)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 picks a free one."
)
@click.option("--other", type=FILE, metavar="RELEASE", help="Another release, to compare this one with.")
@click.option("--no-open", is_flag=True, help="Do not open a web browser.")
@WHOM
@click.option("--json", "as_json", is_flag=True, help="Print URL and release id as one JSON value, once it answers.")
@errors_end_it
def browse(release: Path, port: int, other: Path | None, no_open: bool, whom: Whom, as_json: bool) -> None:
    """Look through the provenance of RELEASE in a web browser: every document, kept or dropped, back to its upstream bytes.

    Serves pages on 127.0.0.1 until Ctrl-C, straight from the release's files: nothing is imported, nothing leaves this machine.
    Every page has a twin in JSON (the same URL with .json). Verifies nothing beforehand: the page Verify does.
    """
    from pipeline.inspection.browse import serve, site

    opened = site.open_site(release, _trusted(whom), other)
    bound = serve.listen(port)

    def ready(url: str) -> None:
        if as_json:
            click.echo(json.dumps({"url": url, "release": str(release), "release_id": opened.opened.release_id}))
        else:
            click.echo(f"{release} is at {url}  (Ctrl-C ends it)")
        sys.stdout.flush()
        if not no_open and _has_display():
            _open(url)

    serve.serve(opened, bound, ready)
    click.echo("ended", err=True)


def _trusted(whom: Whom) -> Any:
    """Whose signature is enough, as for `verify`. Where nobody was named and there is no key, the pages say so."""
    from pipeline.inspection.browse.site import Trusted

    try:
        keys, vouchers = whom.resolve()
    except PellucidError as error:
        if whom.key_files or whom.root or whom.release_only:
            raise
        return Trusted(why=error.seen)
    return Trusted(tuple(keys), vouchers)


def _has_display() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _open(url: str) -> None:
    """In a thread: some browsers keep whoever starts them waiting."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


COMMANDS = (browse,)
