"""The check `extraction`: what a release may say of its pages, and what is refused though a trusted key has signed it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.kernels.html.reasons import REASONS
from pipeline.model import ACCOUNTING, CUT_REASONS, EXTRACTORS, Cut, Extraction
from pipeline.release import schemas
from pipeline.trust import extraction, page_rows
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.refused import refusals
from tests.trust.small_release import Corpus, Row


@pytest.fixture
def made() -> Corpus:
    """Rows of which those of `notes` are pages."""
    return small.pages(small.corpus())


def found(folder: Path, rows: Corpus, **more: Any) -> list[tuple[str, str]]:
    """Name and detail of what is refused in a release of these rows."""
    return [(check.name, check.detail) for check in refusals(small.write(folder, rows, **{**small.PAGED, **more}))]


def kept(rows: Corpus) -> Row:
    return rows["notes"]["kept"][2]


def dropped(rows: Corpus, stage: str) -> Row:
    return next(row for row in rows["notes"]["dropped"] if row["stage"] == stage)


def test_a_release_of_pages_whose_accounts_add_up_verifies(tmp_path: Path, made: Corpus) -> None:
    result = verify(small.write(tmp_path, made, **small.PAGED), small.TRUSTED)
    assert result.ok, result.failures
    totals = result.manifest["totals"]["extraction"] if result.manifest else {}
    rows = [row for fate in made["notes"].values() for row in fate if row.get("extractor")]
    assert totals["pages"] == len(rows) > 20
    assert totals["visible_characters"] == sum(row["visible_characters"] for row in rows)
    assert [cut["reason"] for cut in totals["cuts"]] == ["footer", "link_list", "navigation"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda row: row.update(kept_characters=row["kept_characters"] + 1), "that are visible"),
        (lambda row: row.update(visible_characters=row["visible_characters"] - 1), "that are visible"),
        (lambda row: row["cuts"][1].update(characters=0), "that are visible"),
        (lambda row: row.update(cuts=[]), "that are visible"),
        (lambda row: row.update(kept_characters=-1, cuts=[]), "negative or too large"),
        (lambda row: row["cuts"][0].update(characters=-row["cuts"][0]["characters"]), "a count that is negative"),
        (lambda row: row["cuts"][0].update(blocks=0), "a cut has no block"),
        (lambda row: row["cuts"][0].update(blocks=-2), "a cut has no block"),
        (lambda row: row["cuts"][0].update(reason="found_boring"), "a reason that is not listed"),
        (lambda row: row["cuts"][0].update(reason="navigation"), "do not ascend by reason, each once"),
        (lambda row: row["cuts"].reverse(), "do not ascend by reason, each once"),
    ],
)
def test_an_account_of_a_page_that_does_not_add_up_is_refused(
    tmp_path: Path, made: Corpus, change: Callable[[Row], object], said: str
) -> None:
    for number, row in enumerate((kept(made), dropped(made, "judge"))):
        before = {**row, "cuts": [dict(cut) for cut in row["cuts"]]}
        change(row)
        names = found(tmp_path / str(number), made)
        assert {name for name, _ in names} == {"extraction"}
        assert said in names[0][1]
        row |= before


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: kept(rows).update(extractor=None),
        lambda rows: kept(rows).update(visible_characters=None),
        lambda rows: kept(rows).update(kept_characters=None),
        lambda rows: kept(rows).update(extractor=None, visible_characters=None, kept_characters=None),
        lambda rows: kept(rows).update(extractor=None, visible_characters=None, kept_characters=None, cuts=[]),
        lambda rows: dropped(rows, "dedup").update(extractor=None, visible_characters=None, kept_characters=None, cuts=[]),
        lambda rows: dropped(rows, "read").update(small.account(1, [])),
        lambda rows: rows["manual"]["kept"][0].update(small.account(1, [])),
        lambda rows: rows["manual"]["kept"][0].update(cuts=small.account(0, [("footer", 1, 1)])["cuts"]),
        lambda rows: dropped(rows, "extract").update(small.account(1, [("footer", 1, 1)])),
        lambda rows: dropped(rows, "extract").update(small.account(0, [])),
    ],
)  # fmt: skip
def test_an_account_that_is_missing_or_of_no_page_is_refused(
    tmp_path: Path, made: Corpus, change: Callable[[Corpus], object]
) -> None:
    change(made)
    names = {name for name, _ in found(tmp_path, made)}
    assert {"extraction"} <= names <= {"extraction", "totals"}  # sums count pages by their extractor


@pytest.mark.parametrize(
    ("extractor", "said"),
    [
        ("pellucid/2", "the manifest says 'pellucid/1'"),
        ("all_text/1", "the manifest says 'pellucid/1'"),
        ("trafilatura/2.3.1", "the manifest says 'pellucid/1'"),
        ("pellucid", "the manifest says 'pellucid/1'"),
        ("", "the manifest says 'pellucid/1'"),
    ],
)
def test_an_extractor_that_recipe_and_manifest_do_not_name_is_refused(
    tmp_path: Path, made: Corpus, extractor: str, said: str
) -> None:
    kept(made)["extractor"] = extractor
    ((name, detail), *_) = found(tmp_path / "row", made)
    assert (name, said in detail) == ("extraction", True)
    kept(made)["extractor"] = "pellucid/1"
    assert {name for name, _ in found(tmp_path / "manifest", made, extractors=[])} == {"extraction"}


def test_an_extractor_that_names_no_cuts_may_keep_more_than_is_visible_and_have_none(
    tmp_path: Path, made: Corpus
) -> None:
    told = {
        "formats": {"notes": {"kind": "html", "extractor": "trafilatura"}},
        "extractors": [{"name": "trafilatura", "version": "2.3.1", "model_sha256": None}],
    }
    for rows in made["notes"].values():
        for row in rows:
            if row.get("extractor"):
                row.update(extractor="trafilatura/2.3.1", visible_characters=50, kept_characters=60, cuts=[])
                row["reason"] = "empty" if row.get("reason") == "no_main_content" else row.get("reason")
    assert verify(small.write(tmp_path / "good", made, **told), small.TRUSTED).ok
    kept(made)["cuts"] = [{"reason": "footer", "blocks": 1, "characters": 1}]
    ((name, detail),) = found(tmp_path / "bad", made, **told)
    assert (name, "which makes no such cuts" in detail) == ("extraction", True)
    for column in ("visible_characters", "kept_characters"):
        before = {**kept(made)}
        kept(made).update({"cuts": [], column: None})
        ((name, detail),) = found(tmp_path / column, made, **told)
        assert (name, f"{column} is None" in detail) == ("extraction", True)
        kept(made).update(before)


def test_cuts_of_a_record_that_is_no_page_are_said_to_be_that(tmp_path: Path, made: Corpus) -> None:
    made["manual"]["kept"][0].update(cuts=small.account(0, [("footer", 1, 1)])["cuts"])
    assert "1 cuts in a row that is no page" in dict(found(tmp_path, made))["extraction"]


def test_all_text_cuts_nothing_but_what_the_page_hides(tmp_path: Path, made: Corpus) -> None:
    told = {
        "formats": {"notes": {"kind": "html", "extractor": "all_text"}},
        "extractors": [{"name": "all_text", "version": "1", "model_sha256": None}],
    }
    for rows in made["notes"].values():
        for row in rows:
            if row.get("extractor"):
                row.update(small.account(5, [("hidden", 1, 7)]), extractor="all_text/1")
                row["reason"] = "empty" if row.get("reason") == "no_main_content" else row.get("reason")
    assert verify(small.write(tmp_path / "good", made, **told), small.TRUSTED).ok
    kept(made).update(small.account(5, [("footer", 1, 7)]), extractor="all_text/1")
    ((name, detail),) = found(tmp_path / "bad", made, **told)
    assert (name, "which makes no such cuts" in detail) == ("extraction", True)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda one: one.update(pages=one["pages"] + 1), "extraction.pages"),
        (lambda one: one.update(visible_characters=0), "extraction.visible_characters"),
        (lambda one: one.update(kept_characters=one["kept_characters"] - 1), "extraction.kept_characters"),
        (lambda one: one["cuts"][0].update(characters=1), "characters cut as footer"),
        (lambda one: one["cuts"][0].update(blocks=1), "blocks cut as footer"),
        (lambda one: one["cuts"].pop(1), "cut as link_list"),
    ],
)
def test_an_edited_total_of_what_pages_lost_is_refused(
    tmp_path: Path, made: Corpus, edit: Callable[[Row], object], said: str
) -> None:
    for place in ("totals", "source"):
        release = small.write(tmp_path / place, made, **small.PAGED)

        def change(predicate: Row, place: str = place) -> None:
            edit(predicate["totals"]["extraction"] if place == "totals" else predicate["sources"][1]["extraction"])

        small.sign_again(release, edit=change)
        failures = refusals(release)
        assert {check.name for check in failures} == {"totals"}
        assert any(said in check.detail for check in failures)


def test_counts_that_add_up_only_beyond_64_bits_are_refused() -> None:
    """A sum that wraps around must not look like the right one."""
    row = {
        "extractor": "pellucid/1", "visible_characters": 4, "kept_characters": 2**63 - 1,
        "cuts": [
            {"reason": "footer", "blocks": 1, "characters": 2**63 - 1}, {"reason": "form", "blocks": 1, "characters": 6},
        ],
    }  # fmt: skip
    schema = pa.schema([schemas.kept(()).field(name) for name in row])
    batch = pa.RecordBatch.from_pylist([row], schema)
    assert (
        sum([row["kept_characters"], *(cut["characters"] for cut in row["cuts"])]) % 2**64 == row["visible_characters"]
    )
    details = [check.detail for check in page_rows.check(batch, "pellucid/1", "kept.parquet", 0)]
    assert len(details) == 2 and all("too large" in detail for detail in details)


def test_reasons_of_totals_stand_in_order_each_once(tmp_path: Path, made: Corpus) -> None:
    release = small.write(tmp_path, made, **small.PAGED)
    small.sign_again(release, edit=lambda predicate: predicate["totals"]["extraction"]["cuts"].reverse())
    ((name, detail),) = [(check.name, check.detail) for check in refusals(release)]
    assert (name, "sorted, each once" in detail) == ("manifest", True)


def test_totals_less_a_part_of_them_are_those_of_the_rest() -> None:
    one, other = (
        extraction.of_page(Extraction("pellucid/1", 10, 4, (Cut("footer", 1, 6),))),
        extraction.of_page(Extraction("pellucid/1", 30, 10, (Cut("footer", 2, 5), Cut("header", 1, 15)))),
    )
    both = extraction.summed([one, other])
    assert both == {
        "pages": 2, "visible_characters": 40, "kept_characters": 14,
        "cuts": [{"reason": "footer", "blocks": 3, "characters": 11}, {"reason": "header", "blocks": 1, "characters": 15}],
    }  # fmt: skip
    assert (extraction.less(both, other), extraction.less(both, both)) == (one, extraction.summed([]))


def test_reasons_and_extractors_are_those_that_the_extractor_gives() -> None:
    assert sorted(REASONS[1:]) == sorted(CUT_REASONS)
    assert {name.partition("/")[0] for name in ACCOUNTING} < set(EXTRACTORS)
