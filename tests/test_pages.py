"""A corpus of web pages, built by the installed command: what each page keeps and loses, and every place that says so."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from pipeline.formats.html_text import extractor_identity
from pipeline.inspection import show
from pipeline.inspection.browse.app import make
from pipeline.inspection.browse.site import Trusted, open_site
from pipeline.sources.cache import Cache
from pipeline.trust import extraction
from tests.corpus import World, sdist, sentences, world

LINKS = ("Home", "All chapters", "Find a word", "About us", "Where we are", "<script>alert(1)</script>", "\u202eback")
MENU = "".join(f'<li><a href="/{number}">{name.replace("<", "&lt;")}</a></li>' for number, name in enumerate(LINKS))
PORT = 8377
SOURCES = """  - name: site
    from: {kind: local, paths: [site.tar.gz]}
    members: "*/docs/*.html"
    format: html
    license: MIT
    evidence: "*/LICENSE"
    rules: []
  - name: marked
    from: {kind: local, paths: [marked.tar.gz]}
    members: "*/docs/*.html"
    format: {kind: html, boilerplate: mark, output: markdown}
    license: MIT
    evidence: "*/LICENSE"
    rules: []
    max_cut_share: 0
  - name: whole
    from: {kind: local, paths: [whole.tar.gz]}
    members: "*/docs/*.html"
    format: {kind: html, extractor: all_text}
    license: MIT
    evidence: "*/LICENSE"
    rules: []
    max_cut_share: 1
  - name: other
    from: {kind: local, paths: [other.tar.gz]}
    members: "*/docs/*.html"
    format: {kind: html, extractor: resiliparse}
    license: MIT
    evidence: "*/LICENSE"
    rules: []
"""


def page(number: int) -> bytes:
    """A page with a menu, a text of its own, and a foot."""
    text = "".join(f"<p>{line}</p>" for line in sentences(number + 5000, 14).splitlines())
    return (
        f"<!doctype html><html><head><meta charset=utf-8><title>Page {number}</title></head><body>"
        f"<nav><ul>{MENU}</ul></nav><main><article><h1>Chapter {number}</h1>{text}</article></main>"
        f"<footer><p>Copyright 2026 by the people of the island.</p></footer></body></html>"
    ).encode()


def archives() -> dict[str, bytes]:
    site = {f"docs/p{number:02}.html": page(number) for number in range(20)}
    site |= {
        "docs/menu.html": f"<body><nav><ul>{MENU}</ul></nav></body>".encode(),
        "docs/blank.html": b"<body><img src=a.png></body>",
        "docs/binary.html": bytes(range(256)) * 8,
    }
    marked, other = ({f"docs/p{n}.html": page(n) for n in range(start, start + 6)} for start in (100, 200))
    whole = {"docs/hidden.html": b"<body><p hidden>Only a script shows this.</p></body>", "docs/p300.html": page(300)}
    sources = {"site": site, "marked": marked, "whole": whole, "other": other}
    return {name: sdist(files, name, "1") for name, files in sources.items()}


@dataclass(frozen=True)
class Made:
    here: World
    release: Path

    def rows(self, source: str) -> dict[str, dict[str, Any]]:
        """Provenance rows of a source, kept and dropped, by the name of their page."""
        paths = sorted((self.release / "provenance" / source).glob("[kd]*.parquet"))
        found = [row for path in paths for row in pq.read_table(path).to_pylist()]
        return {row["member"].rpartition("/")[2]: row for row in found}

    def texts(self, source: str) -> dict[str, str]:
        paths = sorted((self.release / "data" / source).glob("*.parquet"))
        return {row["id"]: row["text"] for path in paths for row in pq.read_table(path).to_pylist()}

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.release / "manifest.json").read_bytes())["predicate"]
        return found

    def cache(self) -> Cache:
        return Cache(Path(self.here.environment["PELLUCID_CACHE"]))

    def client(self) -> TestClient:
        site = open_site(self.release, Trusted(why="no key is asked for"), cache=self.cache())
        return TestClient(make(site, PORT), base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("pages")
    with world(folder) as here:
        for name, data in archives().items():
            (here.recipe.parent / f"{name}.tar.gz").write_bytes(data)
        text = here.recipe.read_text()
        assert text.count("rules:\n") == 1
        here.recipe.write_text(text.replace("rules:\n", f"{SOURCES}rules:\n"))
        here.run("lock", here.recipe)
        here.build(folder / "release")
        yield Made(here, folder / "release")


def test_every_page_has_its_account_and_other_records_have_none(made: Made) -> None:
    rows = made.rows("site")
    for name, row in rows.items():
        is_page = name != "binary.html"
        assert (row["extractor"] is not None) == is_page == (row["visible_characters"] is not None), name
        if is_page:
            assert row["extractor"] == "pellucid/{version}".format(**extractor_identity())
            assert row["kept_characters"] + sum(cut["characters"] for cut in row["cuts"]) == row["visible_characters"]
    hidden = made.rows("whole")["hidden.html"]
    assert (hidden["reason"], hidden["kept_characters"]) == ("no_main_content", 0)
    assert hidden["cuts"] == [{"reason": "hidden", "blocks": 1, "characters": hidden["visible_characters"]}]
    assert made.rows("whole")["p300.html"]["cuts"] == []
    assert (rows["blank.html"]["reason"], rows["blank.html"]["visible_characters"]) == ("empty", 0)
    navigation = sum(len("".join(name.split())) for name in LINKS)
    for number in range(20):
        cuts = {cut["reason"]: cut["characters"] for cut in rows[f"p{number:02}.html"]["cuts"]}
        assert 0 < cuts["navigation"] <= navigation
    assert all(row["extractor"] is None and row["cuts"] == [] for row in made.rows("guides").values())


def test_a_text_is_what_was_kept_and_nothing_of_what_was_cut(made: Made) -> None:
    rows, texts = made.rows("site"), made.texts("site")
    for name in ("p00.html", "p19.html"):
        text = texts[rows[name]["id"]]
        assert "All chapters" not in text and sentences(5000 + int(name[1:3]), 14).split("\n")[3] in text


def test_marked_boilerplate_stands_in_the_text_between_marks_and_is_counted_as_cut(made: Made) -> None:
    rows, texts = made.rows("marked"), made.texts("marked")
    assert len(texts) == 6
    for row in rows.values():
        text = texts[row["id"]]
        inside = text.partition('<boilerplate reason="navigation">')[2].partition("</boilerplate>")[0]
        assert "All chapters" in inside and "Chapter" not in inside
        assert sum(cut["characters"] for cut in row["cuts"]) > 0


def test_an_extractor_of_others_says_its_version_and_names_no_cuts(made: Made) -> None:
    rows, texts = made.rows("other"), made.texts("other")
    for row in rows.values():
        assert (row["extractor"], row["cuts"]) == (f"resiliparse/{version('resiliparse')}", [])
        assert row["kept_characters"] == len("".join(texts[row["id"]].split()))


def test_the_manifest_sums_what_pages_lose_and_names_their_extractors(made: Made) -> None:
    predicate = made.manifest()
    own = extractor_identity()
    wanted = [{**own, "model_sha256": own["model_sha256"] or None},
              {"name": "resiliparse", "version": version("resiliparse"), "model_sha256": None}]  # fmt: skip
    named = {one["name"]: one for one in predicate["extractors"]}
    assert [named["pellucid"], named["resiliparse"]] == wanted
    for source in predicate["sources"]:
        rows = [row for row in made.rows(source["name"]).values() if row["extractor"]]
        stated = source["extraction"]
        assert stated["pages"] == len(rows)
        for name in ("visible_characters", "kept_characters"):
            assert stated[name] == sum(row[name] for row in rows)
        cut = sum(cut["characters"] for row in rows for cut in row["cuts"])
        assert sum(one["characters"] for one in stated["cuts"]) == cut
    assert predicate["totals"]["extraction"] == extraction.summed(one["extraction"] for one in predicate["sources"])
    assert "ok    extraction" in made.here.run("verify", made.release).stdout


def test_show_says_what_of_a_page_is_kept_and_cut(made: Made) -> None:
    row = made.rows("site")["p03.html"]
    said = made.here.run("show", made.release, row["id"]).stdout
    assert f"visible     {row['visible_characters']:,} characters" in said
    assert f"kept        {row['kept_characters']:,} characters" in said
    navigation = next(cut for cut in row["cuts"] if cut["reason"] == "navigation")
    assert f"navigation {navigation['characters']:,} in {navigation['blocks']:,} block" in said


def test_show_cut_lists_the_blocks_with_their_reasons_and_texts(made: Made) -> None:
    row = made.rows("site")["p03.html"]
    said = made.here.run("show", made.release, row["id"], "--cut").stdout
    assert f"{sum(cut['blocks'] for cut in row['cuts']):,} blocks cut, as the row says" in said
    assert "All chapters" in said and "\\u202eback" in said and "\u202e" not in said
    (told,) = json.loads(made.here.run("show", made.release, row["id"], "--cut", "--json").stdout)
    blocks = told["cut"]["blocks"]
    assert (told["cut"]["same"], told["cut"]["why"]) == (True, None)
    assert {"All chapters", "<script>alert(1)</script>"} <= {block["text"].strip().lstrip("-•* ") for block in blocks}
    by_reason = {cut["reason"]: cut["characters"] for cut in row["cuts"]}
    assert sum(block["characters"] for block in blocks) == sum(by_reason.values())
    assert {block["reason"] for block in blocks} == set(by_reason)


@pytest.mark.parametrize(
    ("source", "member", "why"),
    [
        ("other", "p200.html", "does not say what it leaves out"),
        ("site", "binary.html", "the record is no page"),
        ("guides", "page1.rst", "the record is no page"),
    ],
)
def test_show_cut_says_where_there_is_no_list_of_blocks(made: Made, source: str, member: str, why: str) -> None:
    said = made.here.run("show", made.release, made.rows(source)[member]["id"], "--cut").stdout
    assert why in said


def test_reading_again_compares_the_counts_of_a_page(made: Made) -> None:
    row = made.rows("whole")["hidden.html"]
    said = made.here.run("show", made.release, row["id"], "--again").stdout
    assert f"counts equal, 0 of {row['visible_characters']} visible characters kept" in said
    (story,) = show.show(made.release, made.rows("site")["p04.html"]["id"])
    artifact = made.cache().path(story.row["artifact_sha256"])
    again = show.again(story, artifact)
    assert (again.text_equal, again.extraction_equal) == (True, True)
    for changes in ({"kept_characters": story.row["kept_characters"] - 1}, {"cuts": []}, {"extractor": "pellucid/0"}):
        changed = replace(story, row={**story.row, **changes})
        found = show.again(changed, artifact)
        assert (found.text_equal, found.extraction_equal) == (True, False), changes
    page = show.page(story, again.raw)
    assert isinstance(page, show.Page) and page.equal
    less = show.page(replace(story, row={**story.row, "cuts": story.row["cuts"][1:]}), again.raw)
    assert isinstance(less, show.Page) and not less.equal


def test_the_browser_shows_a_page_with_what_was_cut_in_grey_and_escaped(made: Made) -> None:
    web, row = made.client(), made.rows("site")["p05.html"]
    here = f"/documents/{row['id']}"
    assert f'href="{here}/page"' in web.get(here).text
    text = web.get(f"{here}/page").text
    assert text.count('class="block cut"') == sum(cut["blocks"] for cut in row["cuts"])
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text and 'title="RIGHT-TO-LEFT OVERRIDE">U+202E' in text
    assert "adds up to what the row says" in text and "cut as navigation" in text
    kept = sentences(5005, 14).split("\n")[2]
    assert f'<div class="block" dir="auto">{kept}' in text
    told = web.get(f"{here}/page.json").json()
    assert (told["why"], told["equal"]) == (None, True)
    assert sum(block["characters"] for block in told["blocks"]) == row["visible_characters"]
    assert sum(block["characters"] for block in told["blocks"] if block["reason"] is None) == row["kept_characters"]
    assert "keeps and cuts as many characters" in web.get(f"{here}/record").text


def test_the_browser_says_where_a_document_is_no_page_or_its_artifact_is_gone(made: Made, tmp_path: Path) -> None:
    web = made.client()
    for source, member in (("guides", "page1.rst"), ("site", "binary.html")):
        found = web.get(f"/documents/{made.rows(source)[member]['id']}/page")
        assert found.status_code == 404 and "is no page" in found.text
    site = open_site(made.release, Trusted(why="no key"), cache=Cache(tmp_path / "none"))
    away = TestClient(make(site, PORT), base_url=f"http://127.0.0.1:{PORT}")
    found = away.get(f"/documents/{made.rows('site')['p01.html']['id']}/page")
    assert found.status_code == 200 and "not in the artifact cache" in found.text
    other = web.get(f"/documents/{made.rows('other')['p200.html']['id']}/page")
    assert other.status_code == 200 and "does not say what it leaves out" in other.text


def test_the_report_has_the_share_that_is_cut_by_source_and_by_reason(made: Made) -> None:
    text = (made.release / "report.html").read_text()
    section = text.partition('<h2 id="pages">')[2].partition("<section")[0]
    totals = made.manifest()["totals"]["extraction"]
    site = next(one for one in made.manifest()["sources"] if one["name"] == "site")["extraction"]
    lost = site["visible_characters"] - site["kept_characters"]
    assert f"{totals['visible_characters']:,} characters" in section
    assert f'<td class="number">{lost / site["visible_characters"]:.1%}</td>' in section
    for cut in totals["cuts"]:
        assert f'<th scope="row">{cut["reason"]}</th>' in section
        assert f'<td class="number">{cut["characters"]:,}</td>' in section
    assert "In 1 source (marked) nothing was cut" in section
    assert 'href="#pages"' in text


def test_a_source_whose_pages_lose_more_than_it_may_stops_the_build_and_is_shown(made: Made, tmp_path: Path) -> None:
    here, row = made.here, made.rows("site")
    text = here.recipe.read_text()
    site = next(one for one in made.manifest()["sources"] if one["name"] == "site")["extraction"]
    lost = site["visible_characters"] - site["kept_characters"]
    out = tmp_path / "limited"
    try:
        here.recipe.write_text(text.replace("    format: html\n", "    format: html\n    max_cut_share: 0.01\n"))
        said = here.run("build", here.recipe, "--out", out, code=4).stderr
        assert not out.exists()
        assert f"site: {lost:,} of {site['visible_characters']:,} visible characters of 22 pages" in said
        assert f"({lost / site['visible_characters']:.1%}, alarm at 1.0%)" in said
        assert "characters as navigation" in said and "max_cut_share" in said and "extractor: all_text" in said
        shown = [one for one in row.values() if f"page {one['id']}: " in said]
        largest = sorted(
            (one for one in row.values() if one["extractor"]),
            key=lambda one: (one["kept_characters"] - one["visible_characters"], one["id"]),
        )
        assert sorted(one["id"] for one in shown) == sorted(one["id"] for one in largest[:3])
        assert "marked" not in said.partition("next:")[0] and "other:" not in said
        here.recipe.write_text(text + "max_cut_share: 0.9\n")
        done = json.loads(here.run("build", here.recipe, "--out", out, "--json").stdout)
        curated = sorted(path.name for path in (tmp_path / "limited.work" / "records" / "curate").iterdir())
        assert done["ran"] < done["tasks"] - len(curated), "what was read for the first build is not read again"
    finally:
        here.recipe.write_text(text)


def test_a_takedown_takes_the_counts_of_its_pages_from_the_totals(made: Made, tmp_path: Path) -> None:
    rows = made.rows("site")
    gone = [rows["p00.html"], made.rows("whole")["hidden.html"]]
    (tmp_path / "list").write_text("".join(f"id:{row['id']}\n" for row in gone))
    made.here.run("takedown", made.release, tmp_path / "list", "--out", tmp_path / "next")
    before = made.manifest()["totals"]["extraction"]
    after = json.loads((tmp_path / "next" / "manifest.json").read_bytes())["predicate"]["totals"]["extraction"]
    assert after["pages"] == before["pages"] - 2
    for name in ("visible_characters", "kept_characters"):
        assert after[name] == before[name] - sum(row[name] for row in gone)
    made.here.run("verify", tmp_path / "next")


def test_what_a_list_opts_out_has_no_account(made: Made, tmp_path: Path) -> None:
    here, row = made.here, made.rows("site")["p07.html"]
    text = here.recipe.read_text()
    try:
        here.recipe.write_text(text + f'opt_out: [["id:{row["id"]}"]]\n')
        here.run("build", here.recipe, "--out", tmp_path / "without")
    finally:
        here.recipe.write_text(text)
    told = replace(made, release=tmp_path / "without")
    left = told.rows("site")["p07.html"]
    assert (left["reason"], left["extractor"], left["visible_characters"], left["cuts"]) == ("opt_out", None, None, [])
    site = next(one for one in told.manifest()["sources"] if one["name"] == "site")["extraction"]
    assert site["pages"] == 21
    here.run("verify", tmp_path / "without")


def test_another_extractor_reads_the_pages_of_its_source_again_and_no_others(made: Made, tmp_path: Path) -> None:
    here = made.here
    text = here.recipe.read_text()
    out = tmp_path / "changed"
    shutil.copytree(made.release.with_name("release.work"), tmp_path / "changed.work")
    try:
        here.recipe.write_text(text.replace("    format: html\n", "    format: {kind: html, extractor: all_text}\n"))
        said = json.loads(here.run("plan", here.recipe, "--out", out, "--json").stdout)
    finally:
        here.recipe.write_text(text)
    run = {step["task"]: step["why"] for step in said if step.get("run") and step["stage"] == "curate"}
    assert run == {"site/site.tar.gz": "parameter format changed"}
