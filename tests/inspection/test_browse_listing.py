"""Lists of documents: every filter against plain Python over the rows, and pages that show each document once."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.testclient import TestClient

from pipeline.inspection.browse import walk
from pipeline.inspection.browse.engine import Engine
from pipeline.inspection.browse.faults import BadRequest, TooSlow
from pipeline.inspection.browse.filters import Filter, conditions, parse
from tests.inspection.browsable import Made
from tests.trust.small_release import LICENCES, MILLION, Row


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("listing"))


@pytest.fixture(scope="module")
def web(made: Made) -> TestClient:
    return made.client()


def host(row: Row) -> str:
    url = str(row.get("url") or "")
    return url.partition("://")[2].partition("/")[0] if url.startswith("http") else ""


def value(row: Row, name: str) -> int | None:
    return next((one["value"] for one in row["decisions"] if one["reason"] == name), None)


QUESTIONS: dict[str, Callable[[Row], Any]] = {
    "": lambda row: True,
    "fate=kept": lambda row: row["fate"] == "kept",
    "fate=dropped&source=manual": lambda row: row["fate"] == "dropped" and row["source"] == "manual",
    "source=notes": lambda row: row["source"] == "notes",
    "language=de": lambda row: row.get("language") == "de",
    "reason=too_short": lambda row: row.get("reason") == "too_short",
    "reason=redirect&source=notes": lambda row: row.get("reason") == "redirect" and row["source"] == "notes",
    "license=CC-BY-SA-4.0": lambda row: LICENCES[row["source"]] == "CC-BY-SA-4.0",
    "min_score=0.5": lambda row: row.get("language_score") is not None and row["language_score"] >= 500_000,
    "min_score=0.9": lambda row: row.get("language_score") is not None and row["language_score"] >= 900_000,
    "max_score=0.4": lambda row: row.get("language_score") is not None and row["language_score"] <= 400_000,
    "decision=symbols": lambda row: value(row, "symbols") is not None,
    "decision=too_short&low=50&high=400": lambda row: 50 * MILLION <= (value(row, "too_short") or 0) <= 400 * MILLION,
    "under=example.org": lambda row: host(row) in ("example.org", "www.example.org", "sub.example.org"),
    "under=ample.org": lambda row: False,
    "under=https%3A%2F%2Fwww.example.org%2Fa": lambda row: (row.get("url") or "").startswith(
        "https://www.example.org/a"
    ),
    "under=pkg%3Apypi%2Ffirst": lambda row: (row.get("url") or "").startswith("pkg:pypi/first"),
    "text=WORD3+says": lambda row: row["fate"] == "kept" and "word3 says" in row["text"].lower(),
    "text=alert(1)": lambda row: row["fate"] == "kept" and "alert(1)" in row["text"],
    "text=%25": lambda row: row["fate"] == "kept" and "%" in row["text"],
    "fate=removed": lambda row: False,
    "fate=kept&reason=too_short": lambda row: False,
}


@pytest.mark.parametrize("windows", [False, True])
def test_every_filter_finds_what_plain_python_finds(
    web: TestClient, made: Made, windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if windows:
        monkeypatch.setattr(walk, "FEW", 3)
        monkeypatch.setattr(walk, "FEW_TEXTS", 3)
        monkeypatch.setattr(walk, "GROWTH", 2)
    for query, is_in in QUESTIONS.items():
        expected = sorted(row["id"] for row in made.rows.values() if is_in(row))
        facts = web.get(f"/documents.json?{query}").json()
        assert [row["id"] for row in facts["documents"]] == expected[: walk.PAGE], query
        for _ in range(2000):  # counts run beside the pages
            if facts["count"] is not None or query.startswith("text="):
                break
            facts = web.get(f"/documents.json?{query}").json()
        assert facts["count"] == len(expected), query
        for row in facts["documents"]:
            own = made.rows[row["id"]]
            title = own["title"] if own["fate"] == "kept" else None
            assert (row["fate"], row["source"], row["title"]) == (own["fate"], own["source"], title)


def test_no_filter_is_without_documents_in_this_test_but_those_meant_to_be(made: Made) -> None:
    empty = {query for query, is_in in QUESTIONS.items() if not any(is_in(row) for row in made.rows.values())}
    assert empty == {"under=ample.org", "fate=removed", "fate=kept&reason=too_short"}


@pytest.mark.parametrize("few", [2, 200_000])
@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_visit_every_document_once_there_and_back(
    made: Made, few: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "FEW", few)
    site = made.site()
    for chosen in (Filter(), Filter(fate="dropped"), Filter(source="notes", min_score=0)):
        everything = walk.page(site.engine, site.opened, chosen, size=1000)
        expected = [row["id"] for row in everything.rows]
        assert expected == sorted(set(expected)) and not everything.later and not everything.earlier
        seen: list[str] = []
        page = walk.page(site.engine, site.opened, chosen, size=size)
        while len(seen) <= len(expected):
            seen += [row["id"] for row in page.rows]
            if not page.later:
                break
            page = walk.page(site.engine, site.opened, chosen, after=seen[-1], size=size)
        assert seen == expected
        back = list(itertools.chain(row["id"] for row in page.rows[::-1]))
        while page.earlier and len(back) <= len(expected):
            page = walk.page(site.engine, site.opened, chosen, before=page.rows[0]["id"], size=size)
            back += [row["id"] for row in page.rows[::-1]]
        assert back[::-1] == expected[-len(back) :] and len(back) == len(expected)


def test_next_and_previous_lead_through_the_pages_with_their_filters(web: TestClient, made: Made) -> None:
    first = web.get("/documents.json?source=manual&fate=all").json()
    assert first["previous"] is None
    path, seen = first["next"], [row["id"] for row in first["documents"]]
    while path:
        assert "source=manual" in path
        page = web.get(path.replace("/documents?", "/documents.json?")).json()
        seen += [row["id"] for row in page["documents"]]
        path = page["next"]
    assert seen == sorted(row["id"] for row in made.rows.values() if row["source"] == "manual")


def test_at_its_limit_of_time_a_list_says_how_far_it_came(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FEW_TEXTS", 3)
    site = made.site()
    real, asked = Engine.rows, itertools.count()

    def once(self: Engine, *arguments: Any) -> Any:
        if next(asked):
            raise TooSlow("the time is over")
        return real(self, *arguments)

    monkeypatch.setattr(Engine, "rows", once)
    page = walk.page(site.engine, site.opened, Filter(text="in no text"), size=1)
    assert page.rows == [] and page.later and page.reached is not None and len(page.reached) == 32
    monkeypatch.undo()
    rest = walk.page(site.engine, site.opened, Filter(text="in no text"), after=page.reached)
    assert rest.reached is None and not rest.later


def test_a_domain_is_asked_for_whatever_the_case_of_the_host_in_a_url() -> None:
    urls = {
        "http://Example.ORG/a": True, "https://www.EXAMPLE.org:8080/": True, "https://u@example.org": True,
        "https://example.org.net/": False, "https://other.net/example.org": False, "https://anexample.org/": False,
        "https://example+org/": False,
    }  # fmt: skip
    where, bound = conditions(Filter(under="example.org"))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT url FROM (SELECT unnest($urls) AS url) WHERE {where}", {"urls": list(urls), **bound}
        ).fetchall()
    assert {url for (url,) in found} == {url for url, wanted in urls.items() if wanted}


def test_a_first_window_that_is_too_much_is_tried_again_with_less(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    site = made.site()
    whole = walk.page(site.engine, site.opened, Filter(), size=5)
    asked = iter([True, *[False] * 1000])
    windows: list[tuple[str, str]] = []
    real = Engine.rows

    def first_too_slow(self: Engine, sql: str, bound: dict[str, Any], *others: Any) -> Any:
        windows.append((bound["low_id"], bound["high_id"]))
        if next(asked):
            raise TooSlow("the time is over")
        return real(self, sql, bound, *others)

    monkeypatch.setattr(Engine, "rows", first_too_slow)
    assert walk.page(site.engine, site.opened, Filter(), size=5) == whole
    assert windows[0] == ("0" * 32, "f" * 32)
    assert int(windows[1][1], 16) < 1 << 127  # the first of 64 parts has no document here; the next is wider


def test_a_list_that_has_no_time_at_all_says_so(made: Made) -> None:
    site = made.site()
    page = walk.page(site.engine, site.opened, Filter(), seconds=0)
    assert (page.rows, page.later) == ([], True)
    assert page.reached is not None  # as far as no shard has an id
    assert page.reached < min(made.rows)


def test_a_form_with_empty_fields_leads_to_the_clean_url(web: TestClient) -> None:
    found = web.get("/documents?text=&under=&fate=all&source=notes&reason=&low=")
    assert (found.status_code, found.headers["location"]) == (303, "/documents?source=notes")
    assert web.get("/documents.json?text=").headers["location"] == "/documents.json"


@pytest.mark.parametrize(
    "query",
    [
        "fate=gone", "colour=red", "fate=kept&fate=dropped", "min_score=high", "min_score=0.9&max_score=0.1", "low=3",
        "under=not a domain", "after=123", "after=" + "0" * 32 + "&before=" + "f" * 32, "source=nowhere", "license=MIT",
        "min_score=1e999", "text=" + "x" * 3000, "min_score=NaN", "min_score=9e18",
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_what_is_wanted(web: TestClient, query: str) -> None:
    found = web.get(f"/documents.json?{query}")
    assert found.status_code == 400
    assert found.json()["wanted"]
    assert "Wanted:" in web.get(f"/documents?{query}").text


def test_a_filter_and_its_url_are_one(made: Made) -> None:
    for query in QUESTIONS:
        pairs = [tuple(pair.split("=", 1)) for pair in query.replace("%2F", "/").replace("%3A", ":").split("&") if pair]
        chosen, _ = parse(pairs)  # type: ignore[arg-type]
        from urllib.parse import parse_qsl

        again, _ = parse(parse_qsl(chosen.query().removeprefix("?")))
        assert again == chosen
    with pytest.raises(BadRequest):
        parse([("low", "1")])


def test_nothing_of_a_request_is_read_as_sql_or_as_a_pattern(web: TestClient, tmp_path: Path) -> None:
    for hostile in ("' OR 1=1 --", "%", "_", ".*", "x'); COPY (SELECT 1) TO '/tmp/x", "$files_kept", "\\"):
        for name in ("language", "reason", "decision", "text", "url"):
            found = web.get("/documents.json", params={name: hostile})
            assert found.status_code in (200, 303)
            assert name == "text" or found.json()["documents"] == []
