"""Releases with one byte changed: a seeded sample of what `make flips` does a hundred thousand times."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from checks import flips
from pipeline.trust.verify import verify
from tests.trust import small_release as small

SEED = 20


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("flips"), small.corpus())


@pytest.mark.parametrize(("mode", "runs"), [("flip", 1000), ("size", 500)])
def test_every_changed_byte_is_refused_and_its_file_named(release: Path, mode: str, runs: int) -> None:
    counted, faults = flips.run(release, range(runs), SEED, flips.MODES[mode])
    assert faults == []
    assert counted.total() == runs
    assert {kind for kind, _, _ in counted} == set(flips.MODES[mode])
    assert {file for _, _, file in counted} == set(flips.contents(release))
    assert {check for _, check, _ in counted} == {"signature", "checkpoint", "run", "report", "digests"}


def test_a_change_depends_on_seed_and_number_alone_and_is_a_change(release: Path) -> None:
    files = flips.contents(release)
    for number in range(300):
        made = flips.change(files, SEED, number, flips.MODES["all"])
        assert made == flips.change(files, SEED, number, flips.MODES["all"])
        assert made.applied(files[made.file]) != files[made.file]
    assert flips.change(files, SEED, 0, flips.MODES["flip"]) != flips.change(files, SEED + 1, 0, flips.MODES["flip"])


def test_a_change_that_passes_is_reported(release: Path, tmp_path: Path) -> None:
    """A flip that puts the same byte there: nothing is changed, so that the release verifies, as a hole would."""
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    data = (copy / "README.md").read_bytes()
    none = flips.Change("README.md", "flip", 0, data[0])
    assert flips.fault(copy, none, data) == ("none", f"{none} passes")
    assert verify(copy, small.TRUSTED).ok


def test_a_release_that_does_not_verify_is_not_counted_from(release: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "copy"))
    (copy / "README.md").write_bytes(b"")
    assert flips.run(copy, range(5), SEED, ("flip",)) == (Counter(), ["the release does not verify as it is"])
