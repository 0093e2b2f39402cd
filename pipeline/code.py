"""Digests of the code that a stage runs on, so that an edit re-runs the stages that it touches and no others."""

import ast
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline.trust import canonical

PACKAGE = Path(__file__).parent

# The libraries whose versions can change a byte of a release. numpy is not among them: what it does here is exact.
LIBRARIES = (
    "fasttext-community", "fastwarc", "isal", "lxml", "numba", "pyarrow", "resiliparse", "rfc8785",
    "wcmatch", "zstandard",
)  # fmt: skip


@cache
def libraries() -> Mapping[str, str]:
    """Name to installed version of every library in LIBRARIES."""
    return {name: version(name) for name in LIBRARIES}


@cache
def stage_sha256(module: str) -> str:
    """SHA-256 (hex) over the source of `module`, of all modules of this package that it imports, and LIBRARIES."""
    files: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        path = _file(name)
        source = path.read_bytes()
        files[name] = hashlib.sha256(source).hexdigest()
        waiting += _imports(source, name)
    return canonical.digest("pellucid/stage-code/v1", {"modules": files, "libraries": dict(libraries())})


def _file(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(source: bytes, module: str) -> list[str]:
    """Modules of this package that are imported anywhere in `source`, at the top or inside a function."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    package = PACKAGE.name
    return [name for name in found if name.split(".")[0] == package and _file(name).exists()]


def package_version() -> str:
    return version("pellucid")


def requirements_sha256() -> str | None:
    """SHA-256 (hex) of `requirements.lock` beside the package, None where it is installed without its checkout."""
    path = PACKAGE.parent / "requirements.lock"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
