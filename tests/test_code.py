"""The digest of a stage's code: what it covers and what it leaves alone."""

import ast
from importlib.metadata import version
from pathlib import Path

import pytest

from pipeline import code, recipe
from pipeline.engine.execute import STAGES
from pipeline.errors import RecipeError


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


def with_extractor(name: str) -> recipe.Recipe:
    """The sample, with an extractor for its pages."""
    text = (Path(__file__).parents[1] / "configs" / "sample.yaml").read_text()
    assert text.count("format: html\n") == 1
    return recipe.parse(
        text.replace("format: html\n", f"format: {{kind: html, extractor: {name}}}\n").encode(), "recipe.yaml"
    )


def test_libraries_of_a_recipes_extractors_are_part_of_the_digest_of_what_reads_documents() -> None:
    for stage in ("curate", "lines"):
        own = code.stage_sha256(STAGES[stage])
        assert code.reading_sha256(with_extractor("default"), STAGES[stage]) == own
        found = {code.reading_sha256(with_extractor(name), STAGES[stage]) for name in code.EXTRACTORS}
        assert len(found | {own}) == 3
    assert code.extractor_libraries(with_extractor("trafilatura")) == {
        name: version(name) for name in ("trafilatura", "justext")
    }
    assert code.extractor_libraries(with_extractor("all_text")) == {}


def test_an_extractor_whose_package_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(code.EXTRACTORS, "trafilatura", ("no-such-package-of-pellucid",))
    with pytest.raises(RecipeError) as caught:
        code.curate_sha256(with_extractor("trafilatura"), STAGES["curate"])
    said = str(caught.value)
    assert "extractor: trafilatura needs the package no-such-package-of-pellucid" in said
    assert "source sqlalchemy-html" in said and "pip install 'pellucid[trafilatura]'" in said


def test_data_that_lies_beside_a_module_is_part_of_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pipeline"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "deep/__init__.py", "deep/model.py"):
        (package / name).write_text("from pipeline.deep import model\n" if name == "one.py" else "")
    monkeypatch.setattr(code, "PACKAGE", package)
    digests = []
    for write in (
        None,
        ("deep/model.bin", b"1"),
        ("deep/model.bin", b"2"),
        ("deep/.hidden", b"x"),
        ("deep/py.typed", b""),
    ):
        if write:
            (package / write[0]).write_bytes(write[1])
        digests.append(code.stage_sha256.__wrapped__("pipeline.one"))
    assert len(set(digests[:3])) == 3
    assert len(set(digests[2:])) == 1


def test_libraries_of_a_recipes_filters_are_part_of_its_curate_digest() -> None:
    text = (Path(__file__).parents[1] / "configs" / "sample.yaml").read_bytes()
    plain = recipe.parse(text, "sample.yaml")
    filtered = recipe.parse(text + b"  - {rule: datatrove, filter: C4ParagraphFilter}\n", "sample.yaml")
    assert code.filter_libraries(plain) == {}
    assert set(code.filter_libraries(filtered)) == {"datatrove"}
    own = code.stage_sha256("pipeline.curate.task")
    assert code.curate_sha256(plain, "pipeline.curate.task") == own
    assert code.curate_sha256(filtered, "pipeline.curate.task") != own
