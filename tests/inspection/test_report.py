"""The report: its sums are the manifest's, charts have their tables, nothing in it loads or runs, it is the same for all."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lxml import html

from pipeline.inspection import report, report_rows, report_text
from pipeline.inspection.report_rows import Found, Measure
from pipeline.trust import manifest as manifests
from tests.trust import small_release as small

KEY_ID = "ab" * 32
HOSTILE = "</style><script>alert(1)</script>\x1b[2J\u202egnp.\u2066\"'><img src=x onerror=alert(1)>"
Page = Any


def page(folder: Path, rows: int = report_rows.ROWS) -> bytes:
    data = (folder / "manifest.json").read_bytes()
    manifest = json.loads(data)["predicate"]
    release_id = hashlib.sha256(data).hexdigest()
    found = report_rows.gather(lambda name: folder / name, manifest["files"], release_id, rows)
    return report.render(manifest, release_id, KEY_ID, found)


def parsed(data: bytes) -> Page:
    return html.document_fromstring(data.decode("utf-8"))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("release"), small.corpus())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose titles, URLs, members, details, reasons and texts want to be markup, or to move what is around them."""
    rows = small.corpus()
    for fates in rows.values():
        for fate in fates.values():
            for number, row in enumerate(fate):
                row |= {"title": HOSTILE, "member": HOSTILE, "path": HOSTILE if number % 2 else None, "detail": HOSTILE}
                row["url"] = (f"https://example.org/{HOSTILE}", f"javascript:{HOSTILE}", HOSTILE)[number % 3]
                if "text" in row:
                    row |= {"text": HOSTILE * 40, "language": HOSTILE}
                if row.get("stage") == "judge":
                    row |= {"reason": HOSTILE, "decisions": [small.decision(HOSTILE, 5, 6, None)]}
    return small.write(tmp_path_factory.mktemp("hostile"), rows)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of which no record was kept, and none dropped."""
    empty: small.Corpus = {source: {"kept": [], "dropped": []} for source in small.SHARDS}
    return small.write(tmp_path_factory.mktemp("nothing"), empty)


@pytest.fixture(scope="module")
def all_kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = {source: {**fates, "dropped": []} for source, fates in small.corpus().items()}
    return small.write(tmp_path_factory.mktemp("kept"), rows)


@pytest.fixture(params=["release", "hostile", "nothing", "all_kept"])
def any_release(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def predicate(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_bytes())["predicate"])


def table(tree: Page, caption: str) -> list[list[str]]:
    """The cells of the table with this caption, row by row."""
    (found,) = [one for one in tree.iter("table") if one.findtext("caption", "").startswith(caption)]
    return [[cell.text_content().strip() for cell in row.iter("td", "th")] for row in found.iter("tr")]


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


# ---------------------------------------------------------------- what it says


def test_every_stage_and_source_adds_up_to_what_the_manifest_says(release: Path) -> None:
    tree, manifest = parsed(page(release)), predicate(release)
    _, *stages, last = table(tree, "Records by stage")
    assert [row[0] for row in stages] == ["read", "extract", "judge", "dedup"]
    left = manifest["totals"]["read"]
    for row in stages:
        before, dropped, after = map(number, row[2:])
        lost = sum(one["documents"] for one in manifest["totals"]["reasons"] if one["stage"] == row[0])
        assert (before, dropped, after) == (left, lost, left - lost)
        left = after
    assert left == manifest["totals"]["kept"]
    assert list(map(number, last[2:])) == [manifest["totals"][what] for what in ("read", "dropped", "kept")]
    _, *sources, last = table(tree, "Records by source and stage")
    for row in sources:
        (source,) = [one for one in manifest["sources"] if one["name"] == row[0]]
        read, *lost, kept = map(number, row[1:-1])
        assert (read, kept) == (source["read"], source["kept"])
        assert read == kept + sum(lost)
    columns = zip(*(map(number, row[1:-1]) for row in sources), strict=True)
    assert [sum(column) for column in columns] == [number(cell) for cell in last[1:-1]]


def test_every_reason_is_there_with_its_sentence_and_they_sum_to_what_was_dropped(release: Path) -> None:
    _, *rows, last = table(parsed(page(release)), "Dropped records by reason")
    totals = predicate(release)["totals"]
    assert {(row[1], row[0]): number(row[3]) for row in rows} == {
        (one["stage"], one["reason"]): one["documents"] for one in totals["reasons"]
    }
    assert all(row[2].endswith(".") for row in rows)
    assert number(last[3]) == totals["dropped"]


def test_every_upstream_is_there_with_its_digest_its_licence_and_the_digest_of_its_evidence(release: Path) -> None:
    shown = parsed(page(release)).text_content()
    for source in predicate(release)["sources"]:
        assert source["license"] in shown
        for artifact in source["artifacts"]:
            for said in (artifact["purl"], artifact["sha256"], *(one["sha256"] for one in artifact["evidence"])):
                assert said in shown


def test_release_id_and_key_id_are_there_to_be_compared(release: Path) -> None:
    shown = parsed(page(release)).text_content()
    assert hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest() in shown
    assert KEY_ID in shown


def test_histograms_count_every_judged_document_once(release: Path) -> None:
    manifest = predicate(release)
    found = report_rows.gather(lambda name: release / name, manifest["files"], "0" * 64)
    rows = [row for fates in small.corpus().values() for fate in fates.values() for row in fate if row["decisions"]]
    asked = Counter(one["reason"] for row in rows for one in row["decisions"])
    assert {name: measure.failed.total() for name, measure in found.measures.items()} == asked
    outside = Counter(name for row in rows for name in row["failed"])
    assert {name: measure.failed[True] for name, measure in found.measures.items()} == {
        name: outside[name] for name in asked
    }
    _, *columns, last = table(parsed(page(release)), "Documents by value: too_short")
    kept, dropped = (sum(number(row[at]) for row in columns) for at in (1, 2))
    assert [kept, dropped] == [number(cell) for cell in last[1:]]
    assert kept + dropped == asked["too_short"]


def test_samples_are_documents_of_the_release_and_are_drawn_by_its_id(release: Path) -> None:
    manifest = predicate(release)

    def drawn(release_id: str) -> Found:
        return report_rows.gather(lambda name: release / name, manifest["files"], release_id)

    one, again, other = drawn("0" * 64), drawn("0" * 64), drawn("1" * 64)
    rows = {row["id"]: row for fates in small.corpus().values() for fate in fates.values() for row in fate}
    assert one == again
    assert [row["id"] for row in one.samples] != [row["id"] for row in other.samples]
    assert len({row["id"] for row in one.samples}) == 20
    for row in one.samples:
        assert (row["text"], row["license"]) == (rows[row["id"]]["text"], rows[row["id"]]["license"])
    for (stage, reason), samples in one.dropped.items():
        for row in samples:
            assert (rows[row["id"]]["stage"], rows[row["id"]]["reason"]) == (stage, reason)


def test_the_largest_clusters_are_there_with_their_sizes(release: Path) -> None:
    manifest = predicate(release)
    found = report_rows.gather(lambda name: release / name, manifest["files"], "0" * 64)
    wanted = sorted(
        ((row["documents"], row["id"]) for rows in small.clusters(small.corpus()).values() for row in rows),
        key=lambda one: (-one[0], one[1]),
    )
    assert [(row["documents"], row["id"]) for row in found.clusters] == wanted[: report_rows.CLUSTERS]
    assert found.clustered == (len(wanted), sum(size for size, _ in wanted))
    assert all(row["url"] and member["url"] for row in found.clusters for member in row["members"])


def test_empty_states_are_said_in_words(nothing: Path, all_kept: Path) -> None:
    shown = parsed(page(nothing)).text_content()
    for said in ("No record was dropped.", "No document is kept.", "The recipe asks nothing of the texts."):
        assert said in shown
    shown = parsed(page(all_kept)).text_content()
    assert "No document was dropped as a copy of another one of this release." in shown


# ---------------------------------------------------------------- a page for everybody


def test_every_chart_has_a_name_a_description_and_its_table(any_release: Path) -> None:
    tree = parsed(page(any_release))
    charts = tree.xpath('//svg[@role="img"]')
    assert charts
    for chart in charts:
        title, description = (tree.get_element_by_id(name) for name in chart.get("aria-labelledby").split())
        assert title.tag == "title" and title.text and description.tag == "desc" and description.text
        figure = chart.getparent()
        assert figure.tag == "figure" and len(list(figure.iter("table"))) == 1
    assert [svg for svg in tree.iter("svg") if svg.get("role") != "img" and svg.get("aria-hidden") != "true"] == []


def test_headings_landmarks_and_tables_are_in_order(any_release: Path) -> None:
    tree = parsed(page(any_release))
    levels = [int(heading.tag[1]) for heading in tree.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert tree.get("lang") == "en" and tree.findtext("head/title")
    assert [len(list(tree.iter(name))) for name in ("main", "nav", "header", "footer")] == [1, 1, 1, 1]
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for anchor in tree.xpath('//nav//a | //a[@class="skip"]'):
        assert anchor.get("href")[1:] in ids
    for one in tree.iter("table"):
        assert one.findtext("caption", "").strip()
        assert all(cell.get("scope") in ("col", "row", "rowgroup") for cell in one.iter("th"))


def test_nothing_in_it_loads_or_runs(any_release: Path) -> None:
    data = page(any_release)
    tree = parsed(data)
    assert not list(tree.iter("script", "link", "img", "iframe", "object", "embed", "base", "form", "video", "audio"))
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name not in ("src", "srcset", "action", "xlink:href", "background")
            if name == "href" and not value.startswith("#"):
                assert element.tag == "a" and element.get("rel") == "noreferrer"
                assert re.fullmatch(r"https?://[\x21-\x7e]+", value)
    (style,) = tree.iter("style")
    assert re.findall(r"url\(([^)]*)\)|@import", style.text) == ["#hatch"]


def test_hostile_text_is_shown_and_never_obeyed(hostile: Path) -> None:
    data = page(hostile)
    text = data.decode("utf-8")
    assert "<script" not in text and "<img" not in text
    assert set(text) & set("\x1b\u202e\u2066") == set()
    assert text.count("</style>") == 1
    assert "U+202E" in text and "U+001B" in text
    assert "<script>alert(1)</script>" in parsed(data).text_content()


# ---------------------------------------------------------------- the same for all


def test_it_depends_on_no_batch_no_row_group_and_no_order_of_files(release: Path, tmp_path: Path) -> None:
    wanted = page(release)
    assert page(release, rows=1) == page(release, rows=5) == wanted
    manifest, data = predicate(release), (release / "manifest.json").read_bytes()
    for file in manifest["files"]:
        if file["rows"] is not None:
            (tmp_path / file["name"]).parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pq.read_table(release / file["name"]), tmp_path / file["name"], row_group_size=3)
    release_id = hashlib.sha256(data).hexdigest()
    found = report_rows.gather(lambda name: tmp_path / name, manifest["files"][::-1], release_id, 4)
    assert report.render(manifests.parse(data), release_id, KEY_ID, found) == wanted


def test_it_is_the_same_with_another_hash_seed_time_zone_and_locale(release: Path) -> None:
    code = (
        "import sys, pathlib; from tests.inspection.test_report import page; "
        "sys.stdout.buffer.write(page(pathlib.Path(sys.argv[1])))"
    )
    other = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    made = subprocess.run([sys.executable, "-c", code, str(release)], env=other, capture_output=True, check=True).stdout
    assert made == page(release)


def test_it_says_nothing_of_the_folder_it_was_made_from(release: Path) -> None:
    assert str(release).encode() not in page(release)


# ---------------------------------------------------------------- however large


def large(sources: int, artifacts: int, reasons: int) -> tuple[dict[str, Any], Found]:
    """What the manifest and the rows of a large release say, with long names everywhere."""
    long = "x" * 3000
    rows = [{"stage": "judge", "reason": f"{n}{long}", "documents": 1} for n in range(reasons)]
    cuts = [{"reason": f"{n:04}{long}", "blocks": 1, "characters": 10**6} for n in range(reasons)]
    pages = {"pages": 10**9, "visible_characters": 10**12, "kept_characters": 10**12 - reasons * 10**6, "cuts": cuts}
    one = {
        "read": 10**9, "kept": 10**9 - reasons, "extraction": pages, "dropped": reasons, "text_bytes": 10**13, "license": long,
        "reasons": rows, "skipped_pairs": 0,
        "artifacts": [
            {"purl": f"pkg:pypi/{long}@{n}", "file": long, "size": 10**9, "sha256": "a" * 64, "read": 10**6,
             "evidence": [{"member": long, "sha256": "b" * 64}] * 9}
            for n in range(artifacts)
        ],
    }  # fmt: skip
    manifest = {
        "name": "large", "version": "1", "description": "large", "against": [], "files": [],
        "recipe": {"sources": [{"name": "y" * 55, "format": {"boilerplate": "mark"}}] * sources},
        "code": {"package": "pellucid", "version": "1", "sha256": "c" * 64}, "policies": {"takedown": [], "opt_out": []},
        "sources": [{**one, "name": f"s{n}-" + "y" * 55} for n in range(sources)],
    }  # fmt: skip
    manifest["totals"] = manifests.sum_totals(manifest["sources"])
    row = {
        "id": "d" * 32, "source": "s0", "purl": long, "member": long, "path": long, "record": 7, "url": f"https://e.org/{long}",
        "language": "en", "language_score": 1, "text_bytes": 10**6, "text": long * 50, "title": long, "license": long,
        "detail": long, "value": 1, "low": 2, "high": None, "kept_id": None, "kept_source": None, "kept_release": None,
        "similarity": None, "documents": 10**6,
    }  # fmt: skip
    found = Found(
        measures={
            f"{n}{long}": Measure((Counter(range(1400)), Counter(range(1400))), Counter({(n, None): 9}), Counter({True: 9}))
            for n in range(reasons)
        },
        languages=(Counter({f"l{n}": 3 for n in range(500)}), Counter()),
        samples=[row] * 20,
        dropped={("judge", one["reason"]): [row] * 20 for one in rows},
        clusters=[{**row, "members": [{**row, "similarity": 900_000}] * 2}] * 12, clustered=(12, 36),
    )  # fmt: skip
    return manifest, found


@pytest.mark.parametrize("size", [(1000, 1, 50), (3, 2000, 400)])
def test_a_large_release_has_a_report_of_less_than_two_megabytes_that_says_what_is_cut(
    size: tuple[int, int, int],
) -> None:
    manifest, found = large(*size)
    data = report.render(manifest, "0" * 64, KEY_ID, found)  # type: ignore[arg-type]
    assert len(data) < report.LIMIT
    shown = parsed(data).text_content()
    cut = (
        ("others", "Upstream files:")
        if size[0] > 500
        else ("Upstream files:", "other reasons", "rarer reasons", "more are in")
    )
    for said in cut:
        assert said in shown
    tree = parsed(data)
    _, *sources, last = table(tree, "Records by source and stage")
    assert sum(number(row[1]) for row in sources) == number(last[1]) == manifest["totals"]["read"]
    _, *rows, last = table(tree, "Dropped records by reason")
    assert sum(number(row[3]) for row in rows) == number(last[3]) == manifest["totals"]["dropped"]
    pages = manifest["totals"]["extraction"]
    _, *sources, last = table(tree, "Visible characters by source")
    assert sum(number(row[3]) for row in sources) == number(last[3]) == pages["kept_characters"]
    _, *rows, last = table(tree, "Cut blocks by reason")
    lost = pages["visible_characters"] - pages["kept_characters"]
    assert sum(number(row[3]) for row in rows) == number(last[3]) == lost


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("  short\n", "short"),
        ("a" * 700, "a" * 600),
        ("word " * 200, ("word " * 120).strip()),
        ("x" * 598 + " yz", "x" * 598),
        ("x" * 597 + " yz", "x" * 597 + " yz"),
        ("line\n" * 50, "line\n" * 13 + "line"),
    ],
)
def test_a_passage_is_the_beginning_in_whole_words_and_few_lines(text: str, shown: str) -> None:
    assert report_text.passage(text) == shown


def test_an_id_that_is_no_id_is_a_fault_and_no_wrong_page(tmp_path: Path) -> None:
    rows = small.corpus()
    rows["notes"]["kept"][3]["id"] += "00"
    folder = small.write(tmp_path, rows)
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        page(folder)
