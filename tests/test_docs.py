"""The pages name every command, option, reason, format, kind of source, key of a recipe and file of a release, and no others;
what they link to is there; the code that they show runs."""

import ast
import io
import re
import tarfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import click
import numpy as np
import pyarrow as pa
import pytest
from pydantic import BaseModel, Field, TypeAdapter

from pipeline import recipe as recipes
from pipeline.cli import main
from pipeline.curate import checks, repeated_lines, rules
from pipeline.dedup.interface import EXACT, NEAR
from pipeline.errors import SourceError
from pipeline.formats import html_text, read, warc
from pipeline.formats.registry import FORMATS
from pipeline.kernels import features
from pipeline.kernels.html.reasons import REASONS
from pipeline.model import CUT_REASONS, Document, Fault, Record, Refusal
from pipeline.recipe_rules import MODELS, Rule, RuleSpec, Share
from pipeline.sources.registry import SOURCES
from pipeline.trust import opt_out, seen
from tests.trust import small_release

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def sections(text: str, level: int) -> dict[str, str]:
    """Title to text, of the headings of one level."""
    mark = "\n" + "#" * level + " "
    return {part.split("\n")[0]: part for part in text.split(mark)[1:]}


def first_cells(text: str) -> list[str]:
    """Names in backticks in the first column of all tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


# ---------------------------------------------------------------- commands


def commands(command: click.Command = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word, inner in command.commands.items():
        yield from commands(inner, f"{name} {word}".strip())


def test_every_command_has_its_section_and_no_other_has_one() -> None:
    titles = set(sections(page("commands.md"), 2)) - {"Whose signature is enough"}
    assert titles == {name for name, _ in commands()}


@pytest.mark.parametrize(
    ("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_option_of_a_command_is_in_its_section_and_no_other_is(name: str, command: click.Command) -> None:
    section = sections(page("commands.md"), 2)[name]
    options = [
        word for one in command.params if isinstance(one, click.Option) for word in (*one.opts, *one.secondary_opts)
    ]
    assert sorted(first_cells(section)) == sorted(options)
    assert any(f"$ pellucid {name}" in block for block in blocks(section, ""))
    every = {word for _, one in commands() for param in one.params for word in (*param.opts, *param.secondary_opts)}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", section)) <= every


def test_every_exit_code_is_on_the_page() -> None:
    wanted = set(re.findall(r"(?<=; )\d+|(?<=: )\d+", str(main.epilog)))
    head = page("commands.md").split("\n## ")[0]
    assert set(re.findall(r"^\| (\d+) \|", head, re.MULTILINE)) == wanted == {"0", "1", "2", "3", "4", "130"}


# ---------------------------------------------------------------- reasons

# Expressions that pass on a reason that stands elsewhere, and those that make one of a name.
PASSED_ON = {"error.reason", "why.reason", "member.reason", "reason"}
MADE = {
    "f'unreadable:{kind}'": set(),  # of archive._fault, whose calls are read
    "f'unreadable:{type(error).__name__.lower()}'": {"unreadable:truncated", "unreadable:bomb"},
    "f\"warc_{(kind if kind in KINDS else 'unknown')}\"": {f"warc_{kind}" for kind in (*warc.KINDS, "unknown")},
}
FAULTS, REFUSALS = {"Fault": 1, "NotJson": 0, "Undecodable": 0}, {"Refusal": 0}


def made(function: str, place: int, tree: ast.AST) -> Iterator[str]:
    """The reasons that calls of a name are given in the code of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
            given = node.args[place] if len(node.args) > place else None
            if isinstance(given, ast.Constant):
                yield str(given.value)
            elif given is not None and (said := ast.unparse(given)) not in PASSED_ON:
                yield from MADE[said]


def of_formats() -> tuple[set[str], set[str]]:
    """Every reason of a record that cannot be read, and of one that is no document, from the code of the formats."""
    faults, refusals = set(), set()
    for path in sorted((ROOT / "pipeline" / "formats").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for name, place in FAULTS.items():
            faults |= set(made(name, place, tree))
        refusals |= set(made("Refusal", 0, tree))
        if path.name in ("archive.py", "tar.py"):
            PASSED_ON.add("entry.kind")
            faults |= {
                f"unreadable:{kind}" for name in ("_fault", "Entry") for kind in made(name, 1, tree) if kind != "file"
            }
        faults |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
                   and re.fullmatch("unreadable:[a-z_]+", node.value)}  # fmt: skip
    return faults, refusals


def test_every_reason_for_which_a_block_of_a_page_is_cut_is_on_the_page_and_no_other() -> None:
    assert sorted(first_cells(sections(page("reasons.md"), 2)["cut from a page"])) == sorted(CUT_REASONS)


def test_every_reason_of_a_format_is_on_the_page_and_no_other() -> None:
    faults, refusals = of_formats()
    assert {"unreadable:sparse", "unreadable:encrypted", "unreadable:bomb", "unreadable:charset"} <= faults
    found = sections(page("reasons.md"), 2)
    assert set(first_cells(found["unreadable: it could not be read"])) == faults
    assert set(first_cells(found["extract: it holds no document"])) == refusals | {opt_out.REASON}


class Zeros(dict[str, Any]):
    """What a rule that reads the text would have found, under any name."""

    def __missing__(self, key: str) -> Any:
        return np.array([None]) if key == "reasons" else np.zeros(1, np.int64)


# Values of parameters that are not asked by default, so that every check of every rule is.
ASKED: dict[str, dict[str, Any]] = {
    "length": {"max_characters": 9},
    "language": {"allow": ["en"], "min_score": 0.5},
    "character_ratio": {
        "min_letters": 0.1, "max_uppercase": 0.1, "max_digits": 0.1, "max_symbols": 0.1, "max_spaces": 0.1,
    },
    "line_length": {"min_mean": 1, "max_mean": 2, "max_longest": 3},
    "url": {"allow_domains": ["a.example"], "block_domains": ["b.example"], "block_words": ["x"]},
    "datatrove": {"filter": "GopherQualityFilter"},
}  # fmt: skip


def rule_name(model: type[Rule]) -> str:
    return str(get_args(model.model_fields["rule"].annotation)[0])


def columns(text: str) -> checks.Columns:
    measured = features.measure(pa.array([text]))
    counts = {name: measured.column(name).to_numpy() for name in features.FEATURES}
    return checks.Columns(counts, np.array(["en"], object), np.array([1], np.int64), np.array(["pkg:pypi/x@1"], object))


@pytest.mark.parametrize("model", MODELS, ids=rule_name)
def test_every_reason_of_a_rule_is_on_the_page_and_no_other(model: type[Rule]) -> None:
    name = rule_name(model)
    given: Any = TypeAdapter(RuleSpec).validate_python({"rule": name, **ASKED.get(name, {})})
    parameters = given.model_dump(mode="json")
    unasked = [key for key, value in parameters.items() if value is None and key not in Rule.model_fields]
    assert unasked == [], "ASKED has to give these a value"
    reasons = {check.reason for check in rules.RULES[name](columns("a text"), parameters, Zeros())}
    cells = first_cells(sections(page("reasons.md").split("\n## dedup")[0], 3)[name])
    if name == "datatrove":
        assert cells[0] == "datatrove/FILTER"
    else:
        assert set(cells) == reasons
        assert {key for key in parameters if key not in {*Rule.model_fields, "rule"}} >= set(
            re.findall(r"`((?:min|max)_\w+)`", sections(page("reasons.md"), 3)[name])
        )


def test_reasons_of_what_stands_outside_rules_and_formats_are_on_the_page() -> None:
    text = page("reasons.md")
    found = sections(text, 2)
    assert repeated_lines.EMPTIED in first_cells(sections(text, 3)["repeated_lines"])
    assert set(first_cells(found["dedup: another one is kept"])) == {EXACT, NEAR}
    assert first_cells(found["takedown: it was removed after publication"]) == [seen.TAKEDOWN[1]]
    titles = set(sections(text.split("\n## dedup")[0], 3))
    assert titles == {*map(rule_name, MODELS), "repeated_lines"}


# ---------------------------------------------------------------- recipes and releases


def kinds(union: Any) -> dict[str, type[BaseModel]]:
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(union)[0])}


@pytest.mark.parametrize(("title", "union", "registry"), [
    ("Where artifacts come from: `from`", recipes.From, SOURCES), ("What a record is: `format`", recipes.FormatSpec, FORMATS),
])  # fmt: skip
def test_every_kind_of_source_and_format_is_in_the_recipe_page_with_its_keys(
    title: str, union: Any, registry: Any
) -> None:
    section = sections(page("recipes.md"), 3)[title].split("\n## ")[0]
    rows = {
        line.split("`")[1]: line for line in section.splitlines() if line.startswith("| `") and "| `kind`" not in line
    }
    assert set(rows) == set(registry) == set(kinds(union))
    for kind, model in kinds(union).items():
        named = set(re.findall(r"`(\w+)`", rows[kind].split("|")[2]))
        assert set(model.model_fields) - {"kind"} <= named, kind


@pytest.mark.parametrize(("title", "level", "model"), [
    ("The recipe", 2, recipes.Recipe), ("A source: `sources`", 2, recipes.SourceSpec),
    ("What repeats: `repeated_lines`", 3, recipes.RepeatedLines),
    ("The language model: `language_model`", 2, recipes.LanguageModel), ("Duplicates: `dedup`", 2, recipes.Dedup),
    ("Duplicates: `dedup`", 2, recipes.Near), ("Files: `output`", 2, recipes.Output),
])  # fmt: skip
def test_every_key_of_a_recipe_is_in_its_section(title: str, level: int, model: type[BaseModel]) -> None:
    section = sections(page("recipes.md"), level)[title]
    assert {field.alias or name for name, field in model.model_fields.items()} <= set(first_cells(section))


def test_every_key_of_a_page_is_in_its_table_with_its_default() -> None:
    section = sections(page("recipes.md"), 3)["What is taken from a page"].split("\n#### ")[0]
    rows = {line.split("`")[1]: line.split("|")[2].strip() for line in section.splitlines() if line.startswith("| `")}
    defaults = {name: str(field.default).lower() for name, field in recipes.Page.model_fields.items()}
    assert rows == {name: f"`{default}`" for name, default in defaults.items()}


def test_no_model_of_a_recipe_is_left_out() -> None:
    """A new model of keys in the recipe has to be named in one of the tests above."""
    known = {recipes.Recipe, recipes.SourceSpec, recipes.RepeatedLines, recipes.LanguageModel, recipes.Dedup, recipes.Near,
             recipes.Output, recipes.Page, recipes.Strict, *kinds(recipes.From).values(),
             *kinds(recipes.FormatSpec).values()}  # fmt: skip
    assert {
        value for value in vars(recipes).values() if isinstance(value, type) and issubclass(value, recipes.Strict)
    } == known


def test_every_file_of_a_release_is_in_the_format_page(tmp_path: Path) -> None:
    tree = blocks(page("format.md"), "")[0]
    shapes = {re.sub(r"\d{5}", "N", line.split()[0]) for line in tree.splitlines()}
    folder = small_release.write(tmp_path / "release", small_release.corpus())
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    found = {re.sub(r"\d{5}", "N", re.sub(r"^(data|provenance)/[^/]+", r"\1/SOURCE", name)) for name in files}
    assert found | {"provenance/SOURCE/removed-N-of-N.parquet"} == shapes


# ---------------------------------------------------------------- links


def anchors(text: str) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ +(.+?)\s*$", outside, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    outside = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", outside):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text("utf-8")), target


# ---------------------------------------------------------------- the page on adding


def shown(number: int) -> types.SimpleNamespace:
    """The names that a block of the page on adding makes: where it is a module, from nothing."""
    code = blocks(page("adding.md"), "python")[number]
    names: dict[str, Any] = {"Strict": recipes.Strict, "Rule": Rule, "Share": Share, "Literal": Literal, "Field": Field}
    exec(compile(code, "adding.md", "exec"), names)  # noqa: S102
    return types.SimpleNamespace(**names)


def test_the_source_of_the_page_finds_the_files_of_a_folder(tmp_path: Path) -> None:
    source, model = shown(0).SOURCE, shown(1).Folder
    (tmp_path / "texts" / "deep").mkdir(parents=True)
    with pytest.raises(SourceError, match="holds no file"):
        source.resolve({"folder": "texts"}, tmp_path)
    (tmp_path / "texts" / "deep" / "b.txt").write_text("b")
    (tmp_path / "texts" / "a.txt").write_text("a")
    spec = model.model_validate({"kind": "folder", "folder": "texts"}).model_dump()
    assert [found.location for found in source.resolve(spec, tmp_path)] == ["texts/a.txt", "texts/deep/b.txt"]


def test_the_format_of_the_page_reads_texts_and_finds_each_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "fortune", shown(2).FORMAT)
    spec = shown(3).Fortune.model_validate({"kind": "fortune"}).model_dump()
    data = "One.\nTwo.\n%\nSee also: others\n%\n\xe9t\xe9\n%\n".encode() + b"\xff\xfe\x00\x00\x00\x01\n"
    with tarfile.open(path := tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo("texts/fortunes")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    found = list(read.read_artifact(path, path.name, members=["**"], exclude=[], spec=spec))
    assert all(isinstance(record, Record) for record in found)
    documents = [read.extract(record, spec) for record in found if isinstance(record, Record)]
    assert [type(document) for document in documents] == [Document, Refusal, Document, Fault]
    assert isinstance(documents[2], Document) and documents[2].text == "\xe9t\xe9"
    for record in found:
        again = read.find(path, path.name, record.pointer, spec)
        assert isinstance(again, Record) and isinstance(record, Record) and again.raw == record.raw


def test_the_rule_of_the_page_drops_what_shouts() -> None:
    rule = shown(4).shouting
    parameters = shown(5).ShoutingRule.model_validate({"rule": "shouting"}).model_dump()
    (loud,), (quiet,) = (rule(columns(text), parameters, {}) for text in ("HEAR Me", "hear me"))
    assert (loud.reason, loud.fails().tolist(), quiet.fails().tolist()) == ("too_loud", [True], [False])


# ---------------------------------------------------------------- the page on extraction


def test_the_page_that_is_shown_gives_the_text_that_is_shown_and_cuts_the_blocks_that_are_listed() -> None:
    text = page("extraction.md").split("\n## ")[0]
    source, wanted = blocks(text, "html")[0], blocks(text, "text")[0]
    listed = re.findall(r"^\| (.+?) \| `(\w+)` \| (\d+) \|$", text, re.MULTILINE)
    cut = [block for block in html_text.page_blocks(source, {}) if block.reason]
    assert html_text.page_text(source, {}).text == wanted.rstrip("\n")
    assert [(block.text, block.reason, str(block.characters)) for block in cut] == listed
    extraction = html_text.page_text(source, {}).extraction
    assert f"has {extraction.visible_characters} visible characters" in text
    assert f"has {extraction.kept_characters} of them" in text


def layouts() -> list[tuple[str, str]]:
    """HTML and text of each row of the table on layout."""
    section = sections(page("extraction.md"), 2)["How text is laid out"]
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \|$", section, re.MULTILINE)
    return [(source.replace("↵", "\n"), text.replace("↵", "\n").replace("\\|", "|")) for source, text in rows]


@pytest.mark.parametrize(("source", "wanted"), layouts())
def test_each_layout_of_the_page_is_what_is_written(source: str, wanted: str) -> None:
    assert html_text.page_text(source, {"extractor": "all_text"}).text == wanted


def test_every_layout_of_the_table_is_tried() -> None:
    section = sections(page("extraction.md"), 2)["How text is laid out"]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(layouts()) == len(rows) - 1 >= 15


def test_the_reasons_of_the_page_are_all_there_are_in_the_order_in_which_they_win() -> None:
    listed = first_cells(sections(page("extraction.md"), 2)["Reasons"])
    assert listed == list(REASONS[1:])


def test_the_options_of_the_page_are_those_of_a_recipe() -> None:
    section = sections(page("extraction.md"), 2)["Options"]
    assert set(first_cells(section)) == set(recipes.Page.model_fields)
    values = {
        value
        for line in section.splitlines()
        if line.startswith("|")
        for value in re.findall(r"`([^`]+)`", line.split("|")[2])
    }
    wanted = {str(value).lower() for field in recipes.Page.model_fields.values()
              for value in (get_args(field.annotation) or (True, False))}  # fmt: skip
    assert values == wanted
