"""The pages of the browser: each is there in HTML and in JSON with the same facts, and none lets a text of the corpus act."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import etree
from starlette.testclient import TestClient

from pipeline.inspection.browse import views_documents
from pipeline.inspection.browse.app import PAGES
from pipeline.trust import proof
from tests.inspection.browsable import HOSTILE, KEPT, PURL, Made, taken_down
from tests.trust import small_release as small


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("browse"))


@pytest.fixture(scope="module")
def web(made: Made) -> TestClient:
    return made.client(other=made.before)


@pytest.fixture(scope="module")
def paths(made: Made) -> list[str]:
    """A URL of every page, of some with several kinds of content."""
    documents = [f"/documents/{identifier}" for identifier in made.ids.values()]
    some = next(row["id"] for row in made.rows.values() if row["fate"] == "dropped" and row["stage"] == "read")
    ids = made.ids
    return [
        "/", "/sources", "/sources/notes", "/sources/manual", "/documents", "/documents?fate=dropped", "/documents?text=script",
        "/documents?under=example.org", "/documents?language=xx", *documents, f"/documents/{some}",
        f"/documents/{ids['pages/hostile.txt']}/text", f"/documents/{ids['pages/near.txt']}/beside",
        f"/documents/{ids['pages/hostile.txt']}/record", f"/documents/{ids['pages/broken.txt']}/record", "/reasons",
        "/reasons/too_short", "/reasons/near_duplicate", "/reasons/redirect", "/reasons/unreadable:charset%3Cb%3E", "/clusters",
        "/clusters?source=notes", "/licenses", "/manifest", "/verify", "/search", "/compare",
    ]  # fmt: skip


def twin(path: str) -> str:
    way, mark, query = path.partition("?")
    return f"{'/index' if way == '/' else way}.json{mark}{query}"


def strings(value: Any) -> Iterator[str]:
    """Every string and number among the facts, as the page may show it."""
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def words(page: str) -> str:
    """What a page says, without its tags and white space."""
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_every_page_answers_in_html_and_in_json(web: TestClient, paths: list[str]) -> None:
    templates = {path.split("/{")[0] for path, _ in PAGES}
    assert templates <= {"/" + path.strip("/").split("/")[0].split("?")[0] for path in paths} | {"/"}
    for path in paths:
        page, facts = web.get(path), web.get(twin(path))
        assert (page.status_code, facts.status_code) == (200, 200), path
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert facts.headers["content-type"] == "application/json"
        assert facts.json()
        (link,) = re.findall('href="([^"]*)">This page as JSON', page.text)
        assert unquote(html.unescape(link)) == unquote(twin(path))


def test_both_say_the_same(web: TestClient, made: Made) -> None:
    whole = words(web.get("/").text)
    facts = web.get("/index.json").json()
    assert facts["totals"]["read"] == len(made.rows)
    for number in (*facts["totals"].values(), *(row["documents"] for row in facts["reasons"])):
        assert f"{number:,}" in whole or number > 1000
    for source in facts["sources"]:
        assert source["name"] in whole and source["license"] in whole
    one = made.ids["pages/edited.txt"]
    page, told = words(web.get(f"/documents/{one}").text), web.get(f"/documents/{one}.json").json()
    for key in ("id", "purl", "artifact_sha256", "member", "record_hmac", "text_sha256", "text_hmac"):
        assert told["row"][key] == made.rows[one][key]
        assert "".join(str(told["row"][key]).split()) in page
    for edit in told["row"]["edits"]:
        assert edit["before_hmac"] in page and edit["after_hmac"] in page
    assert [decision["reason"] for decision in told["decisions"]] == ["too_short"] and "too_short" in page
    listed, rows = words(web.get("/documents?fate=dropped").text), web.get("/documents.json?fate=dropped").json()
    assert all(row["id"][:12] in listed for row in rows["documents"])
    assert f"{rows['count']}documents" in listed


def test_no_page_has_a_script_an_attribute_that_acts_or_a_thing_to_load(web: TestClient, paths: list[str]) -> None:
    allowed = {"/style.css", "data:,"}
    for path in paths:
        tree = etree.HTML(web.get(path).text)
        for element in tree.iter():
            assert element.tag not in (
                "script",
                "iframe",
                "object",
                "embed",
                "img",
                "style",
                "base",
                "audio",
                "video",
            ), path
            if element.tag == "link":
                assert element.get("href") in allowed
            for name, value in element.attrib.items():
                assert not name.startswith("on") and name not in ("style", "srcdoc", "formaction"), (path, name)
                if name in ("href", "src", "action"):
                    known = value.startswith(("/", "#", "http://", "https://")) or value in allowed
                    assert known and not value.startswith("//"), (path, value)
                    if value.startswith("http"):
                        assert element.get("rel") == "noreferrer noopener"


def test_hostile_text_is_shown_and_does_nothing(web: TestClient, made: Made) -> None:
    one = made.ids["pages/hostile.txt"]
    for path in (f"/documents/{one}", f"/documents/{one}/text", f"/documents/{one}/record", "/documents"):
        page = web.get(path).text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u202a-\u202e]", page), path
        assert "<script" not in page and "<img" not in page and "<em>pages" not in page
        assert 'href="javascript' not in page
    shown = web.get(f"/documents/{one}/text").text
    assert "".join(HOSTILE.split("\u202e")[0].split()) in words(shown)
    assert 'title="RIGHT-TO-LEFT OVERRIDE">U+202E' in shown and "U+001B" in shown
    assert "{{ 7 * 7 }}" in shown
    facts = web.get(f"/documents/{one}.json")
    assert facts.json()["text"] == HOSTILE and facts.text.isascii()


def test_a_filter_that_is_hostile_is_shown_and_does_nothing(web: TestClient) -> None:
    for path in ('/documents?language="><script>alert(1)</script>', "/documents?text=%E2%80%AE<b>", "/search?q=<b>%1b"):
        found = web.get(path, follow_redirects=True)
        assert found.status_code == (200 if "script" in path else 400)
        assert "<script" not in found.text and "<b>" not in found.text and "\u202e" not in found.text


def test_a_proof_from_the_browser_holds(web: TestClient, made: Made) -> None:
    one = made.ids["pages/near.txt"]
    found = web.get(f"/documents/{one}/proof")
    assert found.headers["content-disposition"].startswith("attachment")
    checked = proof.check(found.content, small.TRUSTED)
    assert (checked.fate, checked.row and checked.row["id"]) == ("dropped", one)


def test_a_document_answers_to_the_beginning_of_its_id_and_to_its_url(web: TestClient, made: Made) -> None:
    one = made.ids["pages/good.txt"]
    short = next(one[:length] for length in range(8, 33) if sum(i.startswith(one[:length]) for i in made.rows) == 1)
    assert web.get(f"/documents/{short}").headers["location"] == f"/documents/{one}"
    assert web.get(f"/documents/{short}.json").headers["location"] == f"/documents/{one}.json"
    assert web.get(f"/documents/{short}/record").headers["location"] == f"/documents/{one}/record"
    asked = {"url": "HTTPS://www.example.org:443/a?b=<c>&d='e'"}
    assert web.get("/documents", params={"url": made.rows[one]["url"]}).headers["location"] == f"/documents/{one}"
    assert web.get("/documents", params=asked).status_code in (200, 303)
    assert web.get("/search", params={"q": one[:12]}).headers["location"] == f"/documents/{one}"
    assert web.get("/search", params={"q": PURL}).headers["location"].startswith("/documents?url=")
    assert web.get("/search", params={"q": "some words"}).headers["location"] == "/documents?text=some+words"
    for wrong, status in (("zz" * 16, 400), ("abc", 400), ("ab" * 17, 400), ("0" * 32, 404), (one.upper(), 400)):
        assert web.get(f"/documents/{wrong}").status_code == web.get(f"/documents/{wrong}.json").status_code == status


def test_long_texts_are_cut_and_there_whole(web: TestClient, made: Made) -> None:
    one = made.ids["pages/long.txt"]
    page, whole = web.get(f"/documents/{one}").text, web.get(f"/documents/{one}/text").text
    lines = KEPT["pages/long.txt"].count("lines of text")
    assert page.count("lines of text") < whole.count("lines of text") == lines
    assert f"{views_documents.SHOWN:,}" in page and f'href="/documents/{one}/text"' in page
    assert web.get(f"/documents/{made.ids['pages/near.txt']}/text").status_code == 404


def test_a_source_counts_its_languages_and_clusters_name_who_was_dropped(web: TestClient, made: Made) -> None:
    facts = web.get("/sources/notes.json").json()
    counted = Counter(row["language"] for row in made.corpus["notes"]["kept"])
    assert {row["language"]: row["documents"] for row in facts["languages"]} == counted
    expected = small.clusters(made.corpus)
    ordered = sorted(
        (row for rows in expected.values() for row in rows), key=lambda row: (-row["documents"], row["id"])
    )
    seen = web.get("/clusters.json").json()
    assert [(row["id"], row["documents"]) for row in seen["clusters"]] == [
        (row["id"], row["documents"]) for row in ordered
    ]
    assert seen["count"] == len(ordered)
    assert web.get("/sources/nowhere").status_code == 404
    assert web.get("/clusters?source=nowhere").status_code == 400


def test_licences_name_their_evidence_and_the_manifest_is_whole(web: TestClient, made: Made) -> None:
    licences = web.get("/licenses.json").json()["licenses"]
    assert {one["license"]: one["sources"] for one in licences} == {
        small.LICENCES[name]: [name] for name in small.SHARDS
    }
    assert all(one["evidence"] and one["evidence"][0]["member"] == "LICENSE" for one in licences)
    facts = web.get("/manifest.json").json()
    assert facts["manifest"] == json.loads((made.before / "manifest.json").read_bytes())["predicate"]
    page = words(web.get("/manifest").text)
    for file in facts["manifest"]["files"]:
        assert file["name"] in page and file["sha256"] in page


def test_pages_that_are_not_there_say_so_and_show_no_internals(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    web = made.client()
    for path in ("/nothing", "/documents/../../etc/passwd", "/sources/..%2f..%2fetc", "/style.css.json"):
        found = web.get(path)
        assert found.status_code == 404 and ("Not found" in found.text or found.json()["status"] == 404)
    monkeypatch.setattr(views_documents, "_choices", lambda site: 1 // 0)
    found = web.get("/documents")
    assert found.status_code == 500 and "ZeroDivision" not in found.text and str(made.before) not in found.text


def test_a_file_that_changes_or_vanishes_is_named(made: Made, tmp_path: Path) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    web = made.client(folder)
    assert web.get("/documents").status_code == 200
    file = folder / "provenance" / "notes" / "kept-00000-of-00001.parquet"
    data = file.read_bytes()
    file.unlink()
    for path in ("/documents", "/documents.json", "/"):
        found = web.get(path)
        assert found.status_code == 503 and "kept-00000-of-00001.parquet" in found.text
    file.symlink_to(folder / "README.md")
    assert web.get("/").status_code == 503
    file.unlink()
    file.write_bytes(data)
    assert web.get("/documents").status_code == 503  # the same bytes, and yet another file


def test_verification_is_begun_once_and_says_what_it_found(made: Made, tmp_path: Path) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    web = made.client(folder)
    assert web.get("/index.json").json()["verification"]["state"] == "not asked"
    assert web.get("/verify").status_code == 200
    until(web, "verified")
    facts = web.get("/verify.json").json()
    assert all(check["ok"] for check in facts["checks"]) and "Verified." in web.get("/verify").text
    assert facts["verification"]["vouched_by"] == "named"
    assert "verified" in words(web.get("/").text)
    (folder / "manifest.dsse.json").write_bytes(b"{}")
    other = made.client(folder)
    other.get("/verify")
    until(other, "refused")
    assert "fails" in other.get("/verify").text


def until(web: TestClient, state: str) -> None:
    for _ in range(2000):
        if (seen := web.get("/verify.json").json()["verification"]["state"]) != "running":
            break
    assert seen == state


def test_what_a_takedown_removed_is_listed_and_not_read_again(made: Made, tmp_path: Path) -> None:
    kept, dropped = (small.corpus()["notes"][fate][0]["id"] for fate in ("kept", "dropped"))
    web = made.client(taken_down(made, tmp_path, kept, dropped))
    facts = web.get("/documents.json?fate=removed").json()
    assert {row["id"] for row in facts["documents"]} == {kept, dropped} and facts["count"] == 2
    assert web.get("/documents.json?reason=takedown").json()["documents"] == facts["documents"]
    page = web.get(f"/documents/{kept}")
    assert page.status_code == 200 and "by a takedown; it was kept" in page.text
    assert web.get(f"/documents/{kept}/raw").status_code == 403
    assert web.get("/index.json").json()["removed"] == 2
    assert web.get("/reasons/takedown").status_code == web.get("/").status_code == 200


def test_another_release_is_compared_document_by_document(made: Made, tmp_path: Path) -> None:
    gone = small.corpus()["manual"]["kept"][3]["id"]
    other = taken_down(made, tmp_path, gone)
    web = made.client(tmp_path / "old", other=other)
    for _ in range(2000):
        if not (facts := web.get("/compare.json").json())["running"]:
            break
    fates = [
        (group["old"], group["new"], group["documents"]) for group in facts["rows"]["groups"] if group["kind"] == "fate"
    ]
    assert ("kept", "taken down", 1) in fates
    assert facts["rows"]["same"] == sum(len(rows) for fates in small.corpus().values() for rows in fates.values()) - 1
    assert (facts["same_rows"], facts["made_from"]) == (False, "b")
    page = web.get("/compare").text
    assert (
        f'href="/documents/{gone}"' in page and "taken down" in page and 'href="/compare" aria-current="page"' in page
    )
    assert made.client().get("/compare").status_code == 404
