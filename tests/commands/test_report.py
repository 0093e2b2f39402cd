"""`pellucid report` writes the page that the run document names, and puts no other one into a release."""

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline import takedown
from pipeline.cli import main
from pipeline.trust.verify import verify
from tests.trust import small_release as small


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose report other code has made."""
    return small.write(tmp_path_factory.mktemp("old"), small.corpus())


@pytest.fixture(scope="module")
def made(old: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose report this code has made."""
    row = small.corpus()["manual"]["kept"][0]
    out = tmp_path_factory.mktemp("made") / "release"
    return takedown.make(old, out, [row["id"]], small.KEY, small.TRUSTED, time.time()).out


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_it_writes_the_same_bytes_again_and_the_release_still_verifies(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    wanted = (copy / "report.html").read_bytes()
    (copy / "report.html").unlink()
    done = run(copy, "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["is_signed"], said["bytes"]) == (0, True, len(wanted))
    assert (copy / "report.html").read_bytes() == wanted
    assert verify(copy, small.TRUSTED).ok
    assert "as run.dsse.json names it" in run(copy, "-o", tmp_path / "new" / "page.html").stdout
    assert (tmp_path / "new" / "page.html").read_bytes() == wanted


def test_another_page_than_the_signed_one_is_written_elsewhere_only(old: Path, tmp_path: Path) -> None:
    before = (old / "report.html").read_bytes()
    done = run(old)
    assert done.exit_code == 1
    assert hashlib.sha256(before).hexdigest() in done.stderr and "-o FILE" in done.stderr
    assert run(old, "-o", old / ".." / old.name / "report.html").exit_code == 1
    assert (old / "report.html").read_bytes() == before
    done = run(old, "-o", tmp_path / "page.html")
    assert done.exit_code == 0 and "NOT the one that run.dsse.json names" in done.stdout
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_page_of_a_takedown_says_what_was_removed_and_from_which_release(old: Path, made: Path) -> None:
    text = (made / "report.html").read_text("utf-8")
    assert "1 documents were taken out" not in text and "1 document was taken out after publication" in text
    assert hashlib.sha256((old / "manifest.json").read_bytes()).hexdigest() in text
    assert "It was taken out after it was published." in text


def test_what_is_no_release_or_has_unreadable_rows_is_told(made: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "nowhere").exit_code == 2
    assert run(tmp_path).exit_code == 1
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    path = next(copy.rglob("kept-*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    done = run(copy)
    assert done.exit_code == 1 and "its rows cannot be read" in done.stderr
