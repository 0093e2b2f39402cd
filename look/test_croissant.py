"""croissant.json as Croissant's own library reads it: it validates, and every record set gives the rows of the release."""

import contextlib
import io
import re
from operator import itemgetter
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow.parquet as pq
import pytest

HOME = Path(__file__).parents[1]
KINDS = {"default": "data/*/train-*", "provenance": "provenance/*/kept-*", "dropped": "provenance/*/dropped-*",
         "clusters": "provenance/*/clusters-*"}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(release: Path) -> Any:
    return mlcroissant.Dataset(release / "croissant.json")


def test_the_validator_finds_no_error_and_misses_only_a_citation_and_a_date(dataset: Any) -> None:
    issues = dataset.metadata.ctx.issues
    assert list(issues.errors) == []
    assert {re.search(r'"[^"]*/(\w+)" is recommended', warning)[1] for warning in issues.warnings} == {  # type: ignore[index]
        "citeAs", "datePublished",
    }  # fmt: skip


def test_there_is_a_record_set_for_each_kind_of_file(dataset: Any) -> None:
    assert [one.id for one in dataset.metadata.record_sets] == list(KINDS)


@pytest.mark.parametrize("name", list(KINDS))
def test_every_record_set_gives_the_rows_of_the_release(release: Path, dataset: Any, name: str) -> None:
    rows = [row for path in sorted(release.glob(f"{KINDS[name]}.parquet")) for row in pq.read_table(path).to_pylist()]
    records = [_plain(record) for record in dataset.records(name)]
    assert len(records) == len(rows)
    for record, row in zip(sorted(records, key=itemgetter("id")), sorted(rows, key=itemgetter("id")), strict=True):
        assert _without_nulls(record) == _without_nulls(row)


def test_the_program_of_the_page_prints_an_answer(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (HOME / "docs" / "querying.md").read_text()
    (block,) = (block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "mlcroissant" in block)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "sample").symlink_to(release)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "docs/querying.md", "exec"), {"__name__": "page"})  # noqa: S102
    assert len(printed.getvalue().splitlines()) == 2


def _plain(value: Any) -> Any:
    """Records as rows: fields without the names of what they are in, texts as text, no numpy."""
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: _plain(inner) for name, inner in value.items()}
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _without_nulls(value: Any) -> Any:
    """Croissant has no nulls: pandas makes None, NaN or NaT of them, of a null struct one of nulls."""
    if isinstance(value, dict):
        kept = {name: _without_nulls(inner) for name, inner in value.items() if not _is_null(inner)}
        return {name: inner for name, inner in kept.items() if inner != {}}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)
