"""`pellucid show --again`: what it says of a record that was read again, where it is the row's and where it is not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.errors import PellucidError
from pipeline.inspection import show
from tests.inspection.browsable import GOOD, Made
from tests.trust import small_release as small

Row = dict[str, Any]
WRONG = "0" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("show"))


@pytest.fixture
def again(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`again(code, *options, member=..., **changes)`: `show --again` of a document whose row is changed so."""
    monkeypatch.setenv("PELLUCID_CACHE", str(made.cache.root))

    def run(code: int, *options: str, member: str = "pages/good.txt", **changes: Any) -> Result:
        rows = copy.deepcopy(made.corpus)
        one = next(row for fate in rows["notes"].values() for row in fate if row["member"] == member)
        one.update(changes)
        folder = small.write(tmp_path / "release", rows)
        done = CliRunner().invoke(main, ["show", str(folder), one["id"], "--again", *options])
        assert done.exit_code == code, done.output
        return done

    return run


def test_a_record_and_text_of_the_rows_digests_are_equal(again: Callable[..., Result]) -> None:
    said = again(0).stdout
    assert "digest equal" in said and f"text equal, {len(GOOD):,} characters" in said and GOOD in said


@pytest.mark.parametrize(
    ("changes", "said", "record", "text"),
    [
        ({"record_hmac": WRONG}, "digest DIFFERS", False, True),
        ({"text_hmac": WRONG}, "text DIFFERS", True, False),
    ],
)
def test_a_record_or_text_of_another_digest_is_said_and_ends_with_1(
    again: Callable[..., Result], changes: Row, said: str, record: bool, text: bool
) -> None:
    assert said in again(1, **changes).stdout
    (told,) = json.loads(again(1, "--json", **changes).stdout)
    assert (told["again"]["same"], told["again"]["record_equal"], told["again"]["text_equal"]) == (False, record, text)


def test_a_row_without_a_digest_has_nothing_to_compare_with(again: Callable[..., Result]) -> None:
    said = again(0, member="pages/broken.txt", record_hmac=None, record_bytes=None).stdout
    assert "digest not in its row" in said


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (Path.unlink, "the artifact is not in the artifact cache"),
        (lambda path: path.write_bytes(b"other bytes"), "the cached artifact has sha256"),
    ],
)
def test_an_artifact_that_cannot_be_had_is_named_with_what_to_do(
    made: Made, again: Callable[..., Result], spoil: Callable[[Path], object], seen: str
) -> None:
    spoil(made.artifact)
    try:
        said = again(1).stderr
    finally:
        made.artifact.write_bytes(made.content)
    assert seen in said and made.digest in said and "next:" in said


def test_an_artifact_that_is_cut_off_before_the_record_is_said(made: Made, tmp_path: Path) -> None:
    (story,) = show.show(made.before, made.ids["pages/good.txt"])
    cut = tmp_path / "cut"
    cut.write_bytes(made.content[: len(made.content) // 2])
    with pytest.raises(PellucidError, match="cannot be read up to the record"):
        show.again(story, cut, lambda row, path: made.key)
