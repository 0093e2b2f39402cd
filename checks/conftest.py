"""Checks of a built release against its artifacts: `pytest checks --release build/sample`."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--release", type=Path, required=False, help="folder of a built release")


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> Path:
    folder = request.config.getoption("--release")
    if folder is None:
        raise pytest.UsageError("name a built release: pytest checks --release build/sample")
    return Path(folder)
