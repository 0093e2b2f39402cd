"""What a build says that stops because pages lose too much, and what its tasks count for it."""

from typing import Any

import pyarrow as pa
import pytest

from pipeline.curate import batch, cut_alarm
from pipeline.curate.page_losses import Losses
from pipeline.errors import TaskError

Row = dict[str, Any]


def row(identifier: str, visible: int, kept: int, cuts: dict[str, tuple[int, int]], **more: Any) -> Row:
    listed = [{"reason": reason, "blocks": blocks, "characters": n} for reason, (blocks, n) in cuts.items()]
    return {
        "id": identifier, "purl": "pkg:pypi/pages@1", "member": f"{identifier}.html", "extractor": "pellucid/1",
        "visible_characters": visible, "kept_characters": kept, "cuts": listed, **more,
    }  # fmt: skip


def documents(*rows: Row) -> pa.RecordBatch:
    arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in batch.DROPPED]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.DROPPED)


def counted(*batches: pa.RecordBatch) -> Row:
    losses = Losses()
    for documents in batches:
        losses.add(documents)
    return losses.to_json()


def test_pages_are_summed_over_batches_and_records_that_are_no_pages_are_left_out() -> None:
    text = {"id": "t", "cuts": []}
    found = counted(
        documents(row("a", 10, 4, {"footer": (1, 6)}), text),
        documents(text),
        documents(row("b", 20, 20, {}), row("c", 9, 1, {"footer": (2, 3), "navigation": (1, 5)})),
    )
    assert found["pages"] == 3
    assert (found["visible_characters"], found["kept_characters"]) == (39, 25)
    assert found["cuts"] == [
        {"reason": "footer", "blocks": 3, "characters": 9}, {"reason": "navigation", "blocks": 1, "characters": 5},
    ]  # fmt: skip


def test_the_pages_that_lose_most_are_remembered_in_whatever_batches_they_come() -> None:
    rows = [
        row(f"p{number}", 100, 100 - lost, {"footer": (1, lost)}) for number, lost in enumerate((5, 50, 7, 50, 60, 1))
    ]
    wanted = ["p4", "p1", "p3"]  # of equal losses the smaller id first
    for cut in range(len(rows) + 1):
        parts = [documents(*part) for part in (rows[:cut], rows[cut:]) if part]
        assert [page["id"] for page in counted(*parts)["largest"]] == wanted
    assert counted()["largest"] == []


def test_a_page_is_named_by_its_url_or_where_it_has_none_by_its_place() -> None:
    found = counted(documents(row("a", 9, 0, {}, url="https://example.org/a"), row("b", 8, 0, {})))
    assert [page["url"] for page in found["largest"]] == ["https://example.org/a", "pkg:pypi/pages@1#b.html"]


def test_the_share_is_of_all_artifacts_of_a_source_and_a_loss_at_the_limit_is_no_alarm() -> None:
    parts = [counted(documents(row("a", 50, 0, {"form": (1, 50)}))), counted(documents(row("b", 50, 50, {})))]
    cut_alarm.check({"one": 0.5}, {"one": parts, "unlimited": [parts[0]]})
    with pytest.raises(TaskError) as caught:
        cut_alarm.check({"one": 0.499}, {"one": parts})
    said = str(caught.value)
    assert "one: 50 of 100 visible characters of 2 pages (50.0%, alarm at 49.9%)" in said
    assert "50 characters as form (100.0% of what is cut)" in said
    assert caught.value.exit_code == 4


def test_sources_without_pages_or_that_keep_more_than_is_visible_lose_nothing() -> None:
    more = counted(documents(row("a", 10, 30, {}, extractor="trafilatura/2.3.1")))
    cut_alarm.check({"empty": 0, "more": 0}, {"empty": [counted()], "more": [more]})


def test_three_pages_are_shown_of_each_source_that_loses_too_much_and_a_long_url_is_cut() -> None:
    rows = [row(f"p{n}", 100 + n, 0, {"sidebar": (1, 100 + n)}, url=f"https://x.org/{'w' * 5000}") for n in range(5)]
    reasons = dict.fromkeys(("footer", "form", "header", "navigation", "pagination", "dialog", "metadata"), (1, 10))
    many = row("q0", 90, 0, reasons | {"comments": (1, 10), "link_list": (1, 10)}, url="https://x.org/q")
    with pytest.raises(TaskError) as caught:
        cut_alarm.check(
            {"one": 0.5, "two": 0.5}, {"one": [counted(documents(*rows))], "two": [counted(documents(many))]}
        )
    said = str(caught.value)
    assert [f"page p{n}: 0 of {100 + n} characters kept" in said for n in range(5)] == [False, False, True, True, True]
    assert "two: 90 of 90 visible characters of 1 page " in said and "10 characters for 1 other reason" in said
    assert max(map(len, said.splitlines()[:-1])) < 350
