"""The digest of a stage's code: what it covers and what it leaves alone."""

import ast
from pathlib import Path

from pipeline import code, recipe
from pipeline.engine.execute import STAGES


def modules(stage: str) -> set[str]:
    seen: set[str] = set()
    waiting = [STAGES[stage]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += code._imports(code._file(name).read_bytes(), name)
    return seen


def test_curation_depends_on_formats_rules_and_kernels() -> None:
    assert {"pipeline.formats.html", "pipeline.curate.rules", "pipeline.kernels.features"} <= modules("curate")


def test_no_stage_depends_on_the_command_line_or_on_where_bytes_come_from() -> None:
    for stage in STAGES:
        assert not {name for name in modules(stage) if name.split(".")[1] in ("cli", "sources", "engine", "inspection")}


def test_writing_does_not_depend_on_formats() -> None:
    assert not {name for name in modules("write") if name.startswith("pipeline.formats")}


def test_trust_imports_no_stage() -> None:
    for path in sorted((code.PACKAGE / "trust").glob("*.py")):
        imported = {
            node.module
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipeline.")
        }
        assert {name.split(".")[1] for name in imported} <= {"errors", "model", "trust", "release"}, path.name
        assert not {name for name in imported if name.startswith("pipeline.release.") and not name.endswith("schemas")}


def test_libraries_of_a_recipes_filters_are_part_of_its_curate_digest() -> None:
    text = (Path(__file__).parents[1] / "configs" / "sample.yaml").read_bytes()
    plain = recipe.parse(text, "sample.yaml")
    filtered = recipe.parse(text + b"  - {rule: datatrove, filter: C4ParagraphFilter}\n", "sample.yaml")
    assert code.filter_libraries(plain) == {}
    assert set(code.filter_libraries(filtered)) == {"datatrove"}
    own = code.stage_sha256("pipeline.curate.task")
    assert code.curate_sha256(plain, "pipeline.curate.task") == own
    assert code.curate_sha256(filtered, "pipeline.curate.task") != own
