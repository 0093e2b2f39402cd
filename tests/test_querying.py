"""Every block of docs/querying.md runs as it stands against a release, and gives an answer (Croissant's: look/)."""

import contextlib
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.trust.verify import verify
from tests.trust import small_release as small

PAGE = (Path(__file__).parents[1] / "docs" / "querying.md").read_text()
BLOCKS = re.findall(r"```(sql|python)\n(.*?)```", PAGE, re.DOTALL)
SQL = [block for kind, block in BLOCKS if kind == "sql"]
PYTHON = [block for kind, block in BLOCKS if kind == "python" and "mlcroissant" not in block]


def corpus() -> small.Corpus:
    """The small corpus, one of each source's duplicates a near one."""
    rows = small.corpus()
    for fates in rows.values():
        row = next(row for row in fates["dropped"] if row["stage"] == "dedup")
        row.update(reason="near_duplicate", similarity=870_000, bands=9, exact_hmac=small._hmac(row["id"].encode()))
    return rows


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release in build/sample, as the page has it."""
    folder = tmp_path_factory.mktemp("querying")
    release = small.with_documents(small.write(folder / "build" / "sample", corpus()))
    assert verify(release, small.TRUSTED).failures == ()
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def answers(block: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    import duckdb

    with duckdb.connect() as connection:
        return connection.execute(block).fetchall()


def test_the_page_has_blocks_of_every_tool() -> None:
    assert len(SQL) >= 8
    for tool in ("polars", "pandas", "datasets"):
        assert any(f"import {tool}" in block or f"from {tool}" in block for block in PYTHON), tool


@pytest.mark.parametrize("block", SQL, ids=range(len(SQL)))
def test_a_query_of_the_page_has_an_answer(here: Path, block: str) -> None:
    assert answers(block)


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_a_program_of_the_page_prints_an_answer(here: Path, block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "datasets import" in block:
        from datasets import config

        monkeypatch.setattr(config, "HF_DATASETS_CACHE", here / "cache")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block, "docs/querying.md", "exec"), {"__name__": "page"})  # noqa: S102
    assert printed.getvalue().strip()


def block_with(words: str) -> str:
    (found,) = (block for block in SQL if words in block)
    return found


def test_the_answers_are_those_of_the_rows(here: Path) -> None:
    rows = corpus()
    kept = [row for fates in rows.values() for row in fates["kept"]]
    dropped = [row for fates in rows.values() for row in fates["dropped"]]
    free = [row for row in kept if row["license"] == "BSD-3-Clause"]
    assert answers(block_with("sum(strlen(text))")) == [("manual", len(free), sum(row["text_bytes"] for row in free))]
    funnel = Counter((row["source"], row["stage"], row["reason"]) for row in dropped)
    assert {(*key, count) for key, count in funnel.items()} == set(answers(block_with("GROUP BY ALL")))
    first = min((row for row in dropped if row["stage"] == "judge"), key=lambda row: row["id"])
    checks = answers(block_with("AS passed"))
    assert [(reason, passed) for reason, _, _, _, passed in checks] == [
        (one["reason"], one["reason"] not in first["failed"]) for one in first["decisions"]
    ]
    head = min(row["kept_id"] for row in dropped if row["reason"] == "near_duplicate")
    members = answers(block_with("unnest(members)"))
    assert {row[0] for row in members} == {row["id"] for row in dropped if row.get("kept_id") == head}
    assert 0.87 in {row[2] for row in members}
