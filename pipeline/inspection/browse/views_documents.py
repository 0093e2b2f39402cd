"""Pages about documents: the list that every other page leads to, and one document's whole story."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pipeline.inspection import reasons
from pipeline.inspection.browse import documents, filters, walk
from pipeline.inspection.browse.answer import Answer, Elsewhere, as_file
from pipeline.inspection.browse.documents import Found
from pipeline.inspection.browse.faults import BadRequest, NotFound
from pipeline.inspection.browse.filters import ID, Filter
from pipeline.inspection.browse.site import Site

SHOWN = 20_000  # characters of a text on the document's own page
COUNTING = 8.0  # seconds that a count may take beside the pages
SHORTLY = 0.1  # seconds that a page waits for such a thing


def listing(site: Site, request: Request) -> Answer | Elsewhere:
    """Documents by any combination of filters, a page at a time, in the order of ids."""
    asked = request.query_params.multi_items()
    chosen, place = filters.parse(asked, ("after", "before"))
    clean = chosen.query(**place)
    if any(not value.strip() for _, value in asked):  # a form sends its empty fields, too
        return Elsewhere("/documents", clean)
    for name, value in place.items():
        if not ID.fullmatch(value):
            raise BadRequest(f"{name} is {value!r:.60}", wanted="an id of 32 hex digits")
    if len(place) > 1:
        raise BadRequest("after and before are both given", wanted="one of them")
    _known(site, chosen)
    page = walk.page(site.engine, site.opened, chosen, **place)  # type: ignore[arg-type]
    titles = documents.titles(site.engine, site.opened, page.rows)
    if set(chosen.asked()) == {"url"} and len(page.rows) == 1 and not page.later and not place:
        return Elsewhere(f"/documents/{page.rows[0]['id']}")
    facts = {
        "filters": chosen.asked(),
        "documents": [{**row, "title": titles.get(row["id"])} for row in page.rows],
        "count": _count(site, chosen, page),
        "next": _turn(chosen, "after", page.rows[-1]["id"] if page.rows else page.reached) if page.later else None,
        "previous": _turn(chosen, "before", page.rows[0]["id"]) if page.earlier and page.rows else None,
        "looked_until": page.reached,
    }
    return Answer("documents", facts, html={"chosen": chosen, "choices": _choices(site)})


def _turn(chosen: Filter, way: str, place: str | None) -> str | None:
    return f"/documents{chosen.query(**{way: place})}" if place else None


def _known(site: Site, chosen: Filter) -> None:
    """Raise BadRequest for a source or licence that the release has not: a misspelt name would look like an empty one."""
    if chosen.source is not None and chosen.source not in site.opened.sources:
        raise BadRequest(f"there is no source {chosen.source!r:.80}", wanted="one of those at /sources")
    licences = {source["license"] for source in site.opened.manifest["sources"]}
    if chosen.license is not None and chosen.license not in licences:
        raise BadRequest(f"no source has the licence {chosen.license!r:.80}", wanted="one of those at /licenses")


def _count(site: Site, chosen: Filter, page: walk.Page) -> int | None:
    """How many documents there are in all; None where that is not known yet, or would take too long."""
    if not page.earlier and not page.later and page.reached is None:
        return len(page.rows)
    if chosen.by_manifest:
        return walk.counted(site.opened, chosen)
    if chosen.text is not None:
        return None
    count = site.aggregate(("count", chosen), lambda: walk.count(site.engine, site.opened, chosen, COUNTING), SHORTLY)
    return count.value  # type: ignore[no-any-return]


def _choices(site: Site) -> dict[str, Any]:
    manifest = site.opened.manifest
    return {
        "fates": filters.FATES,
        "sources": [source["name"] for source in manifest["sources"]],
        "reasons": sorted({row["reason"] for row in manifest["totals"]["reasons"]}),
        "licenses": sorted({source["license"] for source in manifest["sources"]}),
        "removed": bool(site.opened.rows("removed")),
    }


def document(site: Site, request: Request) -> Answer | Elsewhere:
    """One document from its artifact to its place in the release."""
    found = named(site, request)
    if isinstance(found, Elsewhere):
        return found
    row = found.row
    facts: dict[str, Any] = {
        "id": found.id, "fate": found.fate, "shard": found.shard, "position": found.position, "row": row,
        "license": site.opened.sources[row["source"]]["license"], "silent": found.silent,
        "artifact": artifact_of(site, found),
        "means": None, "text": None, "title": None, "decisions": [], "cluster": None, "kept": None,
        "kept_elsewhere": None,
    }  # fmt: skip
    if found.fate != "removed":
        facts["decisions"] = documents.checks(row)
    if found.fate == "kept":
        told = documents.text(site.engine, site.opened, found)
        facts |= {"text": told["text"], "title": told["title"]}
        facts["data_shard"] = found.shard.replace("provenance/", "data/", 1).replace("/kept-", "/train-", 1)
        facts["cluster"] = documents.cluster(site.engine, site.opened, found)
    if found.fate == "dropped":
        facts["means"] = reasons.sentence(row["stage"], row["reason"])
    kept = documents.kept_for(site.engine, site.opened, found)
    if kept is not None:
        facts["kept"] = {key: kept.row[key] for key in ("id", "source", "url", "language", "text_bytes")}
    elif found.fate == "dropped" and row["kept_release"]:
        facts["kept_elsewhere"] = next(
            (dict(other) for other in site.opened.manifest["against"] if other["release_id"] == row["kept_release"]),
            None,
        )
    site.artifacts.begin(site.opened, found)
    text = facts["text"]
    html = {"shown": None if text is None else text[:SHOWN], "limit": SHOWN, "name": _name(found, facts["title"])}
    return Answer("document", facts, html=html)


def _name(found: Found, title: str | None) -> str:
    """A heading: the title, else the last part of the URL or member, else the id."""
    place = str(found.row.get("url") or found.row.get("member") or "").rstrip("/").rpartition("/")[2]
    return (title or place or f"Document {found.id[:12]}")[:200]


def whole_text(site: Site, request: Request) -> Answer | Elsewhere:
    """A kept document's text, all of it."""
    found = named(site, request, "/text")
    if isinstance(found, Elsewhere):
        return found
    if found.fate != "kept":
        raise NotFound(
            f"the release does not hold the text of {found.id}: it was {found.fate}",
            hint=f"/documents/{found.id}/record reads the record again from its artifact",
        )
    told = documents.text(site.engine, site.opened, found)
    return Answer("text", {"id": found.id, "title": told["title"], "url": found.row["url"], "text": told["text"]})


def proof(site: Site, request: Request) -> Response | Elsewhere:
    """The proof that `pellucid prove` writes."""
    from pipeline.trust import prove

    found = named(site, request, "/proof")
    if isinstance(found, Elsewhere):
        return found
    if site.trusted.why:
        raise NotFound(f"no proof can be made: {site.trusted.why}", hint="name the release's public key with --key")
    opened = prove.Release(site.opened.folder, site.trusted.keys)
    return as_file(prove.document(opened, found.id), f"{found.id}.proof")


def search(site: Site, request: Request) -> Answer | Elsewhere:
    """One field for an id, a URL, or words: whichever it can be, in this order."""
    chosen, given = filters.parse(request.query_params.multi_items(), ("q",))
    if chosen.asked():
        raise BadRequest("a search has one parameter", wanted="q")
    wanted = given.get("q")
    if not wanted:
        return Answer("search", {"q": ""})
    if re.fullmatch(f"[0-9a-f]{{{documents.SHORTEST},32}}", wanted):
        try:
            return Elsewhere(f"/documents/{documents.find(site.engine, site.opened, wanted).id}")
        except NotFound:
            pass
    if "://" in wanted or wanted.startswith("pkg:"):
        return Elsewhere("/documents", Filter(url=wanted).query())
    return Elsewhere("/documents", Filter(text=wanted).query())


def named(site: Site, request: Request, below: str = "") -> Found | Elsewhere:
    """The document that the path names; where it has only the beginning of its id, the whole one's URL."""
    filters.parse(request.query_params.multi_items(), ())
    wanted = request.path_params["id"]
    found = documents.find(site.engine, site.opened, wanted)
    return found if found.id == wanted else Elsewhere(f"/documents/{found.id}{below}")


def artifact_of(site: Site, found: Found) -> dict[str, Any]:
    """The artifact of a row, with its size and file, and whether it is in the cache."""
    digest, purl = found.row["artifact_sha256"], found.row["purl"]
    listed = site.opened.sources[found.row["source"]]["artifacts"]
    entry = next((dict(one) for one in listed if (one["sha256"], one["purl"]) == (digest, purl)), None)
    known = {key: entry[key] if entry else None for key in ("file", "size")}
    return {"purl": purl, "sha256": digest, **known, "cached": site.artifacts.cache.size(digest) is not None}
