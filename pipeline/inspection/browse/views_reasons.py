"""Pages about why documents went: reasons with the values that were judged, and the clusters of duplicates."""

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request

from pipeline.inspection import charts, scales
from pipeline.inspection import reasons as meanings
from pipeline.inspection.browse import filters, histogram, walk
from pipeline.inspection.browse.answer import Answer
from pipeline.inspection.browse.faults import BadRequest, NotFound, TooSlow
from pipeline.inspection.browse.filters import Filter
from pipeline.inspection.browse.release import LAST
from pipeline.inspection.browse.site import Site
from pipeline.inspection.browse.views_release import by_size
from pipeline.inspection.pages import count, millionths

DOCUMENTS = 10
_PLACE = re.compile("([0-9]{1,15})-([0-9a-f]{32})")


def reasons(site: Site, request: Request) -> Answer:
    filters.parse(request.query_params.multi_items())
    totals = site.opened.manifest["totals"]
    return Answer(
        "reasons", {"reasons": by_size(totals["reasons"]), "dropped": totals["dropped"], "read": totals["read"]}
    )


def reason(site: Site, request: Request) -> Answer:
    """One reason: where it strikes, by which values, and some documents that it struck."""
    filters.parse(request.query_params.multi_items())
    name = request.path_params["name"]
    struck = [row for row in site.opened.manifest["totals"]["reasons"] if row["reason"] == name]
    decided = site.aggregate(("decision", name), lambda: histogram.of_decision(site.engine, site.opened, name))
    if not struck and not decided.running and decided.value is None:
        raise NotFound(f"nothing was dropped for {name!r:.80}, or judged by it", hint="all reasons stand at /reasons")
    try:
        sample = (
            walk.page(site.engine, site.opened, Filter(reason=name), size=DOCUMENTS, seconds=0.4).rows if struck else []
        )
    except TooSlow:
        sample = []
    facts = {
        "reason": name,
        "stages": [row["stage"] for row in struck],
        "means": list(
            dict.fromkeys(meanings.sentence(stage, name) for stage in [row["stage"] for row in struck] or ["judge"])
        ),
        "documents": sum(row["documents"] for row in struck),
        "sources": [
            {"source": source["name"], "documents": row["documents"], "read": source["read"]}
            for source in site.opened.manifest["sources"]
            for row in source["reasons"]
            if row["reason"] == name
        ],
        "values": decided.value,
        "counting": decided.running,
        "sample": sample,
    }
    return Answer("reason", facts, html={"definitions": charts.DEFINITIONS, "chart": chart(name, decided.value)})


def chart(name: str, found: Mapping[str, Any] | None) -> Markup:
    """The values of a decision as a histogram with its bounds, and its table; nothing where there are none."""
    if found is None:
        return Markup()
    scale = scales.Scale(tuple(found["edges"]), found["beyond"], found["whole"])
    drawn = [(word, one[key]) for one in found["bounds"] for word, key in (("at least", "low"), ("at most", "high"))]
    bounds = [
        charts.Bound(scale.place(value), f"{word} {millionths(value)}")
        for word, value in dict.fromkeys(drawn)
        if value is not None
    ]
    title = f"How many documents have which {found['what']}"
    svg = charts.histogram(
        "values", title, f"{count(found['asked'])} documents were asked for {name}, {count(found['failing'])} fail.",
        [(one["documents"] - one["failing"], one["failing"]) for one in found["bins"]], scale.ticks(), bounds,
    )  # fmt: skip
    rows = [
        (words, count(one["documents"]), count(one["failing"]))
        for words, one in zip(scale.ranges(), found["bins"], strict=True)
        if one["documents"]
    ]
    table = charts.Table(f"Documents by {found['what']}", (found["what"], "documents", "failing"), rows, 2)
    return charts.figure(svg, title, table)


def clusters(site: Site, request: Request) -> Answer:
    """Kept documents that others were dropped for, those with the most first."""
    chosen, place = filters.parse(request.query_params.multi_items(), ("after",))
    if set(chosen.asked()) - {"source"}:
        raise BadRequest("clusters can be chosen by their source alone", wanted="source, after")
    if chosen.source is not None and chosen.source not in site.opened.sources:
        raise BadRequest(f"there is no source {chosen.source!r:.80}", wanted="one of those at /sources")
    match = _PLACE.fullmatch(place.get("after", f"{LAST % 10**14}-{'0' * 32}"))
    if not match:
        raise BadRequest(f"after is {place['after']!r:.80}", wanted="a number of documents, `-`, an id")
    names = None if chosen.source is None else {chosen.source}
    files = site.opened.paths(site.opened.files("clusters", names))
    rows = []
    if files:
        rows = site.engine.rows(
            "SELECT id, source, documents, exact_duplicates, near_duplicates, "
            "list_sort(list_distinct([one.source for one in members])) AS from_sources FROM read_parquet($files) WHERE id IN ("
            "SELECT id FROM read_parquet($files) WHERE documents < $documents OR (documents = $documents AND id > $id) "
            "ORDER BY documents DESC, id LIMIT $limit) ORDER BY documents DESC, id",
            {"files": files, "documents": int(match[1]), "id": match[2], "limit": walk.PAGE + 1},
        )
    shown = rows[: walk.PAGE]
    more = None
    if len(rows) > walk.PAGE:
        end = shown[-1]
        more = "/clusters" + chosen.query(after="{documents}-{id}".format(**end))
    facts = {
        "filters": chosen.asked(), "clusters": shown, "next": more, "first": "after" not in place,
        "count": site.opened.rows("clusters", names),
    }  # fmt: skip
    return Answer("clusters", facts, html={"sources": list(site.opened.sources)})
