"""The page of a reason: how many went for it, how its values are spread, and where its bounds are."""

import copy
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from starlette.testclient import TestClient

from pipeline.inspection.browse import views_reasons
from tests.inspection.browsable import Made
from tests.trust import small_release as small


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("reasons"))


@pytest.fixture(scope="module")
def web(made: Made) -> TestClient:
    return made.client()


def test_a_reason_has_its_values_and_the_documents_that_went_for_it(web: TestClient, made: Made) -> None:
    facts = web.get("/reasons/too_short.json").json()
    gone = [row for row in made.rows.values() if row["fate"] == "dropped" and row.get("reason") == "too_short"]
    asked = [one for row in made.rows.values() for one in row["decisions"] if one["reason"] == "too_short"]
    failing = [one for one in asked if one["value"] < one["low"]]
    assert facts["documents"] == len(gone)
    assert {row["id"] for row in facts["sample"]} <= {row["id"] for row in gone}
    values = facts["values"]
    assert (values["asked"], values["failing"]) == (len(asked), len(failing))
    assert sum(one["documents"] for one in values["bins"]) == len(asked)
    assert sum(one["failing"] for one in values["bins"]) == len(failing)
    chart = etree.HTML(web.get("/reasons/too_short").text).xpath("//figure[@class='chart']")[0]
    cells = [["".join(cell.itertext()) for cell in row] for row in chart.xpath(".//tbody/tr")]
    assert [sum(int(row[at].replace(",", "")) for row in cells) for at in (1, 2)] == [len(asked), len(failing)]
    assert len(chart.xpath(".//*[local-name()='rect'][@class='hatch']")) == sum(row[2] != "0" for row in cells)
    near = web.get("/reasons/near_duplicate.json").json()["values"]
    assert (near["asked"], near["bounds"]) == (1, [{"low": 800_000, "high": None, "documents": 1}])
    assert web.get("/reasons/nothing_of_that_kind").status_code == 404


def test_the_bound_of_a_decision_is_drawn_where_it_lies_among_the_values() -> None:
    bins = [{"documents": 2, "failing": 0}, {"documents": 3, "failing": 1}]
    values = {"what": "value", "asked": 5, "failing": 1, "edges": [0, 10**6, 2 * 10**6], "bins": bins}
    values |= {"beyond": 0, "whole": False, "bounds": [{"low": None, "high": 1_500_000, "documents": 5}]}
    drawn = etree.HTML(str(views_reasons.chart("too_long", values)))
    (bound,) = drawn.xpath("//*[local-name()='text'][@class='at']")
    assert (bound.text, bound.get("x")) == ("at most 1.5", "75%")
    assert views_reasons.chart("too_long", None) == ""


def test_a_bound_that_no_value_reaches_is_drawn_too(made: Made, tmp_path: Path) -> None:
    rows = copy.deepcopy(made.corpus)
    for row in (row for fates in rows.values() for part in fates.values() for row in part):
        row["decisions"] = [{**one, "low": 900_000 * small.MILLION} for one in row["decisions"]]
    web = made.client(small.write(tmp_path / "release", rows))
    values = web.get("/reasons/too_short.json").json()["values"]
    low = 900_000 * small.MILLION
    assert values["bounds"] == [{"low": low, "high": None, "documents": values["asked"]}] and values["edges"][-1] >= low
    assert values["failing"] == values["asked"] == sum(one["failing"] for one in values["bins"])
    chart = etree.HTML(web.get("/reasons/too_short").text)
    assert [one.text for one in chart.xpath("//*[local-name()='text'][@class='at']")] == ["at least 900,000"]


def test_bounds_that_differ_by_source_are_told_with_how_many_they_judged(made: Made, tmp_path: Path) -> None:
    rows = copy.deepcopy(made.corpus)
    changed = [row for row in rows["notes"]["kept"] if row["decisions"]][:2]
    for row in changed:
        row["decisions"] = [{**one, "low": 3 * small.MILLION} for one in row["decisions"]]
    web = made.client(small.write(tmp_path / "release", rows))
    judged = Counter(
        one["low"] for fates in rows.values() for part in fates.values() for row in part for one in row["decisions"]
        if one["reason"] == "too_short"
    )  # fmt: skip
    bounds = web.get("/reasons/too_short.json").json()["values"]["bounds"]
    assert {one["low"]: one["documents"] for one in bounds} == judged
    assert [one["documents"] for one in bounds] == sorted(judged.values(), reverse=True)
    assert "at least 3 of 2" in web.get("/reasons/too_short").text


def test_a_decision_without_bounds_says_nothing_of_them(made: Made, tmp_path: Path) -> None:
    rows = copy.deepcopy(made.corpus)
    for row in (row for fates in rows.values() for part in fates.values() for row in part):
        row["decisions"] = [{**one, "low": None, "high": None} for one in row["decisions"]]
    web = made.client(small.write(tmp_path / "release", rows))
    values = web.get("/reasons/too_short.json").json()["values"]
    assert (values["bounds"], values["failing"]) == ([], 0)
    assert "Wanted" not in web.get("/reasons/too_short").text
