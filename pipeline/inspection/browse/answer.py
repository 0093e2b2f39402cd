"""What a page is before it is shown: facts. As HTML they are put into a template, as JSON they stand as they are."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from pipeline.inspection import pages

PAUSE = Markup("\0pause\0")  # no page holds a NUL (`pages.visible`)
BROKEN_OFF = (
    '<p class="bad">The rest of this page could not be made: the terminal with the browser says what failed.</p>'
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """`facts` are JSON values. `html`: what the HTML page has beside them, for the eye alone.

    `rest`: gives further facts, after longer than a page is waited for. JSON waits. HTML begins without them: where it
    `waits`, its template says for what and gives `pause`; then it takes them from `rest()`, which gives `facts` elsewhere.
    """

    template: str
    facts: Mapping[str, Any]
    status: int = 200
    html: Mapping[str, Any] | None = None
    rest: Callable[[], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same thing has another URL, `path` with its query."""

    path: str
    query: str = ""


def as_json(answer: Answer) -> Response:
    """ASCII alone: what a text holds of control and bidi characters stands as an escape."""
    facts = answer.facts if answer.rest is None else {**answer.facts, **answer.rest()}
    return Response(json.dumps(facts, indent=1) + "\n", answer.status, media_type="application/json")


def as_html(answer: Answer, around: Mapping[str, Any]) -> Response:
    template = f"browse/{answer.template}.html"
    more = {"waits": answer.rest is not None, "rest": answer.rest or (lambda: answer.facts), "pause": PAUSE}
    values = {**around, **(answer.html or {}), **answer.facts, **more}
    if answer.rest is None:
        return Response(pages.render(template, values), answer.status, media_type="text/html")
    return StreamingResponse(_in_parts(pages.parts(template, values)), answer.status, media_type="text/html")


def _in_parts(written: Iterator[str]) -> Iterator[str]:
    """What was written up to each PAUSE, at once; then the rest."""
    held: list[str] = []
    try:
        for part in written:
            before, paused, after = part.partition(PAUSE)
            held.append(before)
            if paused:
                yield "".join(held)
                held = [after]
    except Exception:  # noqa: BLE001 - the status was sent; what nobody foresaw is said where the page breaks off
        _LOG.exception("a page broke off")
        held.append(BROKEN_OFF)
    yield "".join(held)


def as_file(content: bytes, name: str) -> Response:
    """Bytes for the disk, never for the window. `name`: letters, digits, `-`, `.`, `_`."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
