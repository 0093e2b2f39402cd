"""Content roots under other versions of pyarrow, each in an environment of its own: other bytes, the same rows, level L1."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from pipeline.trust import keys
from pipeline.trust.verify import verify

HERE = Path(__file__).parent
VERSIONS = ("18", "22")


def python_with(version: str, folder: Path) -> Path:
    """The interpreter of a new environment with that pyarrow, from its hash-pinned requirements."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pinned = HERE / f"requirements-pyarrow-{version}.lock"
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    subprocess.run([python, "-m", "pip", "install", *options, "-r", pinned], check=True)
    return python


@pytest.mark.parametrize("version", VERSIONS)
def test_what_another_pyarrow_writes_has_the_content_roots_of_the_manifest(
    release: Path, tmp_path: Path, version: str
) -> None:
    python, copy = python_with(version, tmp_path / "environment"), tmp_path / "copy"
    command = [python, "-m", "checks.other_pyarrow", release.resolve(), copy]
    done = subprocess.run(
        command, cwd=HERE.parent, env={**os.environ, "PYTHONPATH": str(HERE.parent)}, check=True, capture_output=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["pyarrow"].split(".")[0] == version
    manifest = json.loads((release / "manifest.json").read_bytes())["predicate"]
    assert said["roots"] == {file["name"]: file["root"] for file in manifest["files"] if file["root"] is not None}
    trusted = keys.trusted_keys()
    assert {check.name for check in verify(copy, trusted).failures} == {"digests"}
    found = verify(copy, trusted, content=True)
    assert (found.level, set(found.differs)) == ("L1", set(said["roots"]))
    assert all(f"created_by is 'parquet-cpp-arrow version {version}." in what for what in found.differs.values())


def test_the_versions_are_others_than_the_one_in_use() -> None:
    code = "import pyarrow; print(pyarrow.__version__.split('.')[0])"
    own = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert own not in VERSIONS
