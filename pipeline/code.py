"""Digests of the code that a stage runs on, so that an edit re-runs the stages that it touches and no others."""

import ast
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import RecipeError
from pipeline.trust import canonical

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

PACKAGE = Path(__file__).parent
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")
_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)

# The libraries whose versions can change a byte of a release. numpy is not among them: what it does here is exact.
LIBRARIES = (
    "fasttext-community", "fastwarc", "isal", "lxml", "numba", "pyarrow", "resiliparse", "rfc8785",
    "wcmatch", "zstandard",
)  # fmt: skip

# By extractor of another project, the packages that decide what it keeps.
EXTRACTORS = {"trafilatura": ("trafilatura", "justext"), "resiliparse": ("resiliparse",)}
CODE_SUFFIXES = (".py", ".pyi", ".typed")


@cache
def libraries() -> Mapping[str, str]:
    """Name to installed version of every library in LIBRARIES."""
    return {name: version(name) for name in LIBRARIES}


@cache
def stage_sha256(module: str) -> str:
    """SHA-256 (hex) over the source of `module`, of all modules of this package that it imports, and LIBRARIES.

    Data that lies beside a module, such as a model, counts as its source.
    """
    files: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        path = _file(name)
        source = path.read_bytes()
        files[name] = hashlib.sha256(source).hexdigest()
        files |= _data_beside(path, name)
        waiting += _imports(source, name)
    return canonical.digest("pellucid/stage-code/v1", {"modules": files, "libraries": dict(libraries())})


def filter_libraries(recipe: "Recipe") -> Mapping[str, str]:
    """Name to version of what the recipe's filters of datatrove run on; empty without any, and nothing is imported then.

    Raises RecipeError where such a filter cannot be had.
    """
    rules = [rule.model_dump(mode="json") for source in recipe.sources for rule in recipe.rules_of(source)]
    named = [rule for rule in rules if rule["rule"] == "datatrove"]
    if not named:
        return {}
    from pipeline.curate import edits

    return edits.versions(named)


def reading_sha256(recipe: "Recipe", module: str) -> str:
    """`stage_sha256` of a stage that reads documents, with the libraries of the recipe's extractors."""
    own, extractors = stage_sha256(module), extractor_libraries(recipe)
    found = {"stage": own, "extractors": dict(extractors)}
    return canonical.digest("pellucid/stage-code/v1", found) if extractors else own


def curate_sha256(recipe: "Recipe", module: str) -> str:
    """`reading_sha256` of the curate stage, with the libraries of the recipe's filters."""
    own, filters = reading_sha256(recipe, module), filter_libraries(recipe)
    return canonical.digest("pellucid/stage-code/v1", {"stage": own, "filters": dict(filters)}) if filters else own


def extractor_libraries(recipe: "Recipe") -> Mapping[str, str]:
    """Name to version of the libraries that the recipe's extractors of other projects run on; nothing is imported.

    Raises RecipeError where one is not installed.
    """
    found = {}
    for source, extractor in recipe.extractors().items():
        for name in EXTRACTORS.get(extractor, ()):
            try:
                found[name] = version(name)
            except PackageNotFoundError as error:
                raise RecipeError(
                    f"extractor: {extractor} needs the package {name}, which is not installed",
                    where=f"source {source}", hint=f"pip install 'pellucid[{extractor}]'",
                ) from error  # fmt: skip
    return found


def _data_beside(path: Path, module: str) -> dict[str, str]:
    """Digests of the files beside a module that are no code, by name; of a package, those of its folder."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return {
        f"{package}/{data.name}": hashlib.sha256(data.read_bytes()).hexdigest()
        for data in sorted(path.parent.iterdir())
        if data.is_file() and data.suffix not in CODE_SUFFIXES and not data.name.startswith(".")
    }


def _file(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache  # most modules stand behind several stages
def _imports(source: bytes, module: str) -> tuple[str, ...]:
    """Modules of this package that are imported anywhere in `source`, at the top or inside a function."""
    found: list[str] = []
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        # Imports are statements, and these stand in no expression: a ninth of the time of a walk over every node.
        waiting += [inner for block in _BLOCKS for inner in getattr(node, block, ()) if isinstance(inner, _STATEMENTS)]
    package = PACKAGE.name
    return tuple(name for name in found if name.split(".")[0] == package and _file(name).exists())


def package_version() -> str:
    return version("pellucid")


def requirements_sha256() -> str | None:
    """SHA-256 (hex) of `requirements.lock` beside the package, None where it is installed without its checkout."""
    path = PACKAGE.parent / "requirements.lock"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
