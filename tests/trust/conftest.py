"""A release to change."""

import shutil
from pathlib import Path

import pytest

from tests.trust import small_release as small


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small valid release; nobody writes to it."""
    return small.write(tmp_path_factory.mktemp("pristine"), small.corpus())


@pytest.fixture
def release(pristine: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return Path(shutil.copytree(pristine, tmp_path / "release"))
