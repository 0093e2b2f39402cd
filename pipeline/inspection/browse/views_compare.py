"""The page that compares the release with another one: what the manifests say at once, the rows beside it."""

from typing import Any

from starlette.requests import Request

from pipeline.errors import PellucidError
from pipeline.inspection import diff
from pipeline.inspection.browse import filters
from pipeline.inspection.browse.answer import Answer
from pipeline.inspection.browse.faults import NotFound
from pipeline.inspection.browse.release import Opened
from pipeline.inspection.browse.site import Site

SHOWN = 50  # groups, and changes of each kind, on the HTML page


def compare(site: Site, request: Request) -> Answer:
    """This release, `a`, and the other one, `b`, as `pellucid diff` compares them."""
    filters.parse(request.query_params.multi_items())
    other = site.other
    if other is None:
        raise NotFound(
            "no other release was named when the browser was started", hint="pellucid browse RELEASE --other RELEASE"
        )
    facts = diff.diff(_side(site.opened, rows=False), _side(other, rows=False)).to_json()
    outcome = site.aggregate("compare", lambda: _rows(site.opened, other))
    found = outcome.value or {}
    facts |= {
        "same_rows": found.get("same_rows", facts["same_rows"]), "rows": found.get("rows"), "why": found.get("why", ""),
        "running": outcome.running,
    }  # fmt: skip
    for side in ("a", "b"):
        facts[side] = {key: facts[side][key] for key in ("release_id", "name", "version")}
    del facts["needs_rows"]
    return Answer("compare", facts, html={"limit": SHOWN})


def _side(opened: Opened, rows: bool) -> diff.Side:
    return diff.Side(opened.folder, opened.release_id, opened.manifest, opened.folder if rows else None)


def _rows(here: Opened, there: Opened) -> dict[str, Any]:
    """What the rows of both say; where they cannot be compared, why."""
    try:
        found = diff.diff(_side(here, rows=True), _side(there, rows=True)).to_json()
    except PellucidError as error:
        return {"why": str(error)}
    return {"same_rows": found["same_rows"], "rows": found["rows"]}
