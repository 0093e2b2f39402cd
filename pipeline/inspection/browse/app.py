"""The application: which URL is which page, and how each is shown. Every page has a twin in JSON with the same facts."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pipeline.errors import PellucidError
from pipeline.inspection.browse import views_compare, views_documents, views_reasons, views_record, views_release
from pipeline.inspection.browse.answer import Answer, Elsewhere, as_html, as_json
from pipeline.inspection.browse.faults import STATUS, Changed
from pipeline.inspection.browse.guard import Guard
from pipeline.inspection.browse.site import Site
from pipeline.inspection.browse.verifying import standing, verify

View = Callable[[Site, Request], Any]
PAGES: tuple[tuple[str, View], ...] = (
    ("/", views_release.summary),
    ("/sources", views_release.sources),
    ("/sources/{name}", views_release.source),
    ("/documents", views_documents.listing),
    ("/documents/{id}", views_documents.document),
    ("/documents/{id}/text", views_documents.whole_text),
    ("/documents/{id}/beside", views_record.beside),
    ("/documents/{id}/record", views_record.record),
    ("/documents/{id}/page", views_record.page),
    ("/reasons", views_reasons.reasons),
    ("/reasons/{name:path}", views_reasons.reason),
    ("/clusters", views_reasons.clusters),
    ("/licenses", views_release.licenses),
    ("/manifest", views_release.manifest),
    ("/verify", verify),
    ("/compare", views_compare.compare),
    ("/search", views_documents.search),
)
FILES: tuple[tuple[str, View], ...] = (
    ("/documents/{id}/raw", views_record.raw),
    ("/documents/{id}/proof", views_documents.proof),
)
SECTIONS = (
    ("/", "Summary"), ("/sources", "Sources"), ("/documents", "Documents"), ("/reasons", "Reasons"),
    ("/clusters", "Clusters"), ("/licenses", "Licences"), ("/manifest", "Manifest"), ("/verify", "Verify"),
)  # fmt: skip
INDEX = "/index.json"  # the twin of the summary
_LOG = logging.getLogger(__name__)


def make(site: Site, port: int) -> Guard:
    """The guarded ASGI application for one release on one port."""
    routes = [Route("/style.css", _style, methods=["GET"])]
    for path, view in PAGES:
        twin = f"{path}.json" if path != "/" else INDEX
        routes += [Route(twin, _endpoint(site, view, True)), Route(path, _endpoint(site, view, False))]
    routes += [Route(path, _endpoint(site, view, False)) for path, view in FILES]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        site.close()

    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        seen = "there is no such page" if status == 404 else f"this cannot be answered ({status})"
        return _error(site, request, status, seen, hint="the bar above leads everywhere")

    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: refused}, lifespan=lifespan), port)


def _endpoint(site: Site, view: View, twin: bool) -> Callable[[Request], Response]:
    """A view as Starlette calls it, in a thread: what it finds is shown, what it meets becomes a page."""

    def answer(request: Request) -> Response:
        try:
            site.opened.check()
            if site.other is not None:
                site.other.check()
            found = view(site, request)
            return _shown(site, request, found, twin)
        except PellucidError as error:
            status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 409)
            return _error(site, request, status, error.seen, error.wanted, error.where, error.hint)
        except Exception:  # noqa: BLE001 - what nobody foresaw is a page without internals
            _LOG.exception("%s failed", request.url.path)
            try:  # a file that was taken away under a query shows itself in other ways, too
                site.opened.check()
            except Changed as error:
                return _error(site, request, 503, error.seen, error.wanted, error.where, error.hint)
            return _error(
                site, request, 500, "this page could not be made",
                hint="the terminal in which the browser runs says what failed",
            )  # fmt: skip

    return answer


def _shown(site: Site, request: Request, found: Any, twin: bool) -> Response:
    if isinstance(found, Response):
        return found
    if isinstance(found, Elsewhere):
        is_page = not any(found.path.endswith(end) for end in ("/raw", "/proof"))
        return RedirectResponse(f"{found.path}{'.json' if twin and is_page else ''}{found.query}", 303)
    return as_json(found) if twin else as_html(found, _around(site, request))


def _error(
    site: Site, request: Request, status: int, seen: str, wanted: str = "", where: str = "", hint: str = ""
) -> Response:
    facts = {"status": status, "error": seen, "wanted": wanted, "where": where, "hint": hint}
    answer = Answer("error", facts, status)
    return as_json(answer) if request.url.path.endswith(".json") else as_html(answer, _around(site, request))


def _around(site: Site, request: Request) -> dict[str, Any]:
    """What stands on every page beside its own facts."""
    path, query = request.url.path, request.url.query
    manifest = site.opened.manifest
    sections = [*SECTIONS, ("/compare", "Compare")] if site.other else list(SECTIONS)
    return {
        "around": {
            "sections": [
                (url, name, path == url or (url != "/" and path.startswith(f"{url}/"))) for url, name in sections
            ],
            "release": f"{manifest['name']} {manifest['version']}",
            "release_id": site.opened.release_id,
            "twin": f"{INDEX if path == '/' else f'{quote(path)}.json'}{'?' + query if query else ''}",
            "verification": standing(site),
        }
    }


async def _style(request: Request) -> Response:
    folder = files("pipeline.inspection").joinpath("templates")
    sheet = folder.joinpath("style.css").read_text() + folder.joinpath("browse", "browse.css").read_text()
    return Response(sheet, media_type="text/css")
