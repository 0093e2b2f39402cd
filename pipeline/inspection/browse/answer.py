"""What a page is before it is shown: facts. As HTML they are put into a template, as JSON they stand as they are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from pipeline.inspection import pages


@dataclass(frozen=True, slots=True)
class Answer:
    """`facts` are JSON values. `html`: what the HTML page has beside them, for the eye alone."""

    template: str
    facts: Mapping[str, Any]
    status: int = 200
    html: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same thing has another URL, `path` with its query."""

    path: str
    query: str = ""


def as_json(answer: Answer) -> Response:
    """ASCII alone: what a text holds of control and bidi characters stands as an escape."""
    return Response(json.dumps(answer.facts, indent=1) + "\n", answer.status, media_type="application/json")


def as_html(answer: Answer, around: Mapping[str, Any]) -> Response:
    values = {**around, **(answer.html or {}), **answer.facts}
    return Response(pages.render(f"browse/{answer.template}.html", values), answer.status, media_type="text/html")


def as_file(content: bytes, name: str) -> Response:
    """Bytes for the disk, never for the window. `name`: letters, digits, `-`, `.`, `_`."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
