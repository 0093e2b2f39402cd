"""Recipes: what is accepted, and that every fault is named with file, key, what was seen and what is allowed."""

from pathlib import Path

import pytest

from pipeline import recipe
from pipeline.errors import RecipeError

GOOD = """
name: small
version: "1"
description: A small corpus.
sources:
  - name: docs
    from: {kind: pypi, packages: [django==5.2.19]}
    members: "*/docs/**/*.txt"
    format: text
    license: bsd-3-clause
    evidence: "*/LICENSE"
rules:
  - {rule: length, min_characters: 200}
"""


def refused(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        recipe.parse(text.encode(), "recipe.yaml")
    assert caught.value.exit_code == 2
    assert caught.value.where == "recipe.yaml"
    return str(caught.value)


def test_short_forms_stand_for_the_long_ones_and_defaults_are_filled_in() -> None:
    source = recipe.parse(GOOD.encode(), "recipe.yaml").sources[0]
    assert source.members == ("*/docs/**/*.txt",)
    assert source.format == recipe.Text(kind="text", charset="utf-8")
    assert source.license == "BSD-3-Clause"
    assert source.priority == 0


def test_a_recipe_is_the_same_after_a_round_trip_through_its_canonical_form() -> None:
    first = recipe.parse(GOOD.encode(), "recipe.yaml")
    assert recipe.from_json(first.canonical(), "manifest.json") == first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: small", "name: small\nsourcs: []", "sourcs: unknown key (allowed: dedup, description, language_model,"),
        (
            "format: text",
            "format: {kind: text, encoding: x}",
            "encoding: unknown key (allowed: charset, kind), seen 'x'",
        ),
        (
            "{rule: length, min_characters: 200}",
            "{rule: length, min_words: 2}",
            "min_words: unknown key (allowed: by_language, except",
        ),
        ("bsd-3-clause", "BSD-Three", "SPDX has no licence 'BSD-Three'"),
        ("bsd-3-clause", "MIT AND (", "not an SPDX licence expression"),
        ("kind: pypi", "kind: ftp", "Input tag 'ftp' found using 'kind' does not match any of the expected tags"),
        ("rule: length", "rule: lenght", "'lenght'"),
        ('evidence: "*/LICENSE"', "priority: 1", "evidence: Field required"),
        ("name: small", "name: Small Corpus", "String should match pattern"),
        ("min_characters: 200", "min_characters: -1", "greater than or equal to 0, seen -1"),
        (
            "min_characters: 200",
            "by_language: {de: {min_words: 3}}",
            "by_language.de: unknown key 'min_words' (allowed: max_",
        ),
        ("min_characters: 200", "by_language: {de: {min_characters: -3}}", "by_language.de: min_characters: Input"),
        (
            "rule: length, min_characters: 200",
            "rule: c4}\n  - {rule: c4",
            "the rule 'c4' stands twice; by_language gives",
        ),
        ("rule: length, min_characters: 200", "rule: character_ratio", "has no bound; give one of min_letters"),
        ("rule: length, min_characters: 200", "rule: line_length, max_mean: -1", "greater than or equal to 0"),
        ("rule: length, min_characters: 200", "rule: url", "names neither allow_domains nor block_domains"),
        (
            "rule: length, min_characters: 200",
            "rule: url, block_domains: [Example.org]",
            "is not a domain in lower case",
        ),
        ("rule: length, min_characters: 200", "rule: gopher_quality, words: ascii", "'whitespace' or 'unicode'"),
        (
            "name: small",
            "name: small\ndedup: {near: {treshold: 1}}",
            "treshold: unknown key (allowed: bands, bucket_fi",
        ),
        (
            "format: text",
            "format: text\n    repeated_lines: {min_doc: 1}",
            "min_doc: unknown key (allowed: min_characters, min_documents, min_share, unit), seen 1",
        ),
        ("format: text", "format: text\n    repeated_lines: {min_documents: 1}", "repeated_lines.min_documents: Input"),
        (
            "format: text",
            "format: text\n    repeated_lines: {unit: word}",
            "repeated_lines.unit: Input should be 'line'",
        ),
        (
            "format: text",
            "format: {kind: html, main_content: false}",
            "sources.0.format.html.main_content: unknown key (allowed: boilerplate, charset, extractor, kind, links, output); "
            "`extractor: default` is what true was, `extractor: all_text` what false was, seen False",
        ),
        ("format: text", "format: {kind: warc, main_content: true}", "`extractor: all_text` what false was"),
        ("format: text", "format: {kind: html, extractor: lynx}", "Input should be 'default', 'all_text', 'trafil"),
        (
            "format: text",
            "format: {kind: html, extractor: all_text, boilerplate: mark}",
            "all_text, which keeps all text",
        ),
        (
            "format: text",
            "format: {kind: html, extractor: trafilatura, boilerplate: mark}",
            "this is trafilatura, which does not say what it leaves out: nothing could be marked",
        ),
        (
            "format: text",
            "format: {kind: warc, extractor: resiliparse, output: markdown}",
            "output: markdown needs extractor: default or all_text, and this is resiliparse, whose text is taken as it",
        ),
        (
            "format: text",
            "format: {kind: html, extractor: trafilatura, links: true}",
            "links: true needs extractor: def",
        ),
        ("format: text", "format: {kind: html, output: html}", "Input should be 'text' or 'markdown'"),
        ("name: small", "name: small\nmax_cut_share: 1.5", "max_cut_share: Input should be less than or equal to 1"),
        ("name: small", "name: small\ndedup: {near: {threshold: 0}}", "dedup.near.threshold: Input should be greater"),
        ("name: small", "name: small\ndedup: {near: {threshold: 1.1}}", "dedup.near.threshold: Input should be less"),
        ("name: small", "name: small\ndedup: {near: {bands: 0}}", "dedup.near.bands: Input should be greater than"),
        ("name: small", "name: small\ndedup: {near: {bucket_first: 0}}", "dedup.near.bucket_first: Input should be"),
        (
            "name: small",
            "name: small\ndedup: {max_duplicate_share: 0.5}",
            "dedup.max_duplicate_share: unknown key (allowed: exact, max_drop_share, near), seen 0.5",
        ),
    ],
)
def test_a_fault_is_named_with_its_key_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert said in refused(GOOD.replace(old, new))


def test_near_duplicates_are_dropped_unless_the_recipe_keeps_them() -> None:
    dedup = recipe.parse(GOOD.encode(), "recipe.yaml").dedup
    assert dedup.near is not None
    assert (dedup.exact, dedup.max_drop_share) == (True, 0.6)
    assert dedup.near.parameters() == {
        "threshold": 800_000, "words": 5, "characters": 500_000, "bands": 14, "rows": 8, "seed": 1, "bucket_first": 16,
        "bucket_neighbours": 32,
    }  # fmt: skip
    assert recipe.parse((GOOD + "dedup: {near: null}\n").encode(), "recipe.yaml").dedup.near is None


@pytest.mark.parametrize(("threshold", "millionths"), [("0.57", 570_000), ("0.1234564", 123_456), ("1", 1_000_000)])
def test_a_threshold_is_taken_in_whole_millionths(threshold: str, millionths: int) -> None:
    near = recipe.parse((GOOD + f"dedup: {{near: {{threshold: {threshold}}}}}\n").encode(), "recipe.yaml").dedup.near
    assert near is not None
    assert near.parameters()["threshold"] == millionths


LIST = """\ufeff# wished for by Ann Other, ann@example.com
URL:nothing
""".replace("URL:nothing", "url:HTTPS://Example.org:443/page#part   # by letter of May\r\n\n  domain:Example.NET.")


def test_an_opt_out_list_stands_in_the_recipe_by_its_lines_and_without_its_comments(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "ann.txt").write_text(LIST)
    text = GOOD + "opt_out: [lists/ann.txt, ['id:" + "ab" * 16 + "', '# nobody']]\n"
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    found = recipe.load(path)
    lines = [["domain:example.net", "url:https://example.org/page"], ["id:" + "ab" * 16]]
    assert found.canonical()["opt_out"] == lines
    said = str(found.canonical()).lower()
    assert not [word for word in ("ann", "letter", "nobody", "#") if word in said]
    assert recipe.from_json(found.canonical(), "manifest.json") == found
    assert found.opted_out().to_json() == sorted(lines[0] + lines[1])
    path.write_text(GOOD + "opt_out: lists/ann.txt\n")
    assert recipe.load(path).canonical()["opt_out"] == lines[:1]


def test_a_recipe_without_opt_out_lists_names_nobody() -> None:
    found = recipe.parse(GOOD.encode(), "recipe.yaml")
    assert (found.canonical()["opt_out"], bool(found.opted_out())) == ([], False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "'list.txt' cannot be read: No such file"),
        (b"id:short\n", "list.txt: line 1 is 'id:short'"),
        (b"domain:example.org\n\xff\n", "byte 19 is no UTF-8"),
    ],
)
def test_an_opt_out_list_that_cannot_be_used_is_refused_with_its_name(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    (tmp_path / "recipe.yaml").write_text(GOOD + "opt_out: [list.txt]\n")
    with pytest.raises(RecipeError) as caught:
        recipe.load(tmp_path / "recipe.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["/etc/opt-out.txt", "~/opt-out.txt"])
def test_the_path_of_an_opt_out_list_must_be_relative(tmp_path: Path, name: str) -> None:
    (tmp_path / "recipe.yaml").write_text(GOOD + f"opt_out: ['{name}']\n")
    with pytest.raises(RecipeError, match="is absolute"):
        recipe.load(tmp_path / "recipe.yaml")


def test_lines_of_an_opt_out_list_in_the_recipe_itself_are_checked_too() -> None:
    assert "opt_out: Value error, line 2 is 'example.org'" in refused(GOOD + "opt_out: [['# fine', 'example.org']]\n")
    assert "opt_out.0" in refused(GOOD + "opt_out: [list.txt]\n")  # no folder, so no file


def test_every_fault_is_named_at_once() -> None:
    text = refused(GOOD.replace("bsd-3-clause", "FOO").replace("name: small", "name: small\nextra: 1"))
    assert "FOO" in text
    assert "extra" in text


def test_a_key_that_stands_twice_is_refused() -> None:
    assert "the key 'name' stands twice" in refused(GOOD + "name: other\n")


def test_two_sources_of_one_name_are_refused() -> None:
    block = GOOD.split("sources:\n")[1].split("rules:")[0]
    assert "two sources are named 'docs'" in refused(GOOD.replace(block, block + block))


def test_what_is_no_mapping_is_refused() -> None:
    assert "holds a list" in refused("- 1")


def test_what_is_no_yaml_is_refused() -> None:
    assert "not YAML" in refused("a: [")


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(RecipeError, match="not YAML"):
        recipe.parse(b"name: \xff\xfe\xfa", "recipe.yaml")


@pytest.mark.parametrize("path", ["/etc/passwd", "~/corpus.jsonl"])
def test_a_local_path_must_be_relative(path: str) -> None:
    text = GOOD.replace("{kind: pypi, packages: [django==5.2.19]}", f"{{kind: local, paths: ['{path}']}}")
    assert "is absolute" in refused(text)


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        recipe.load(tmp_path / "none.yaml")


def test_license_refs_are_expressions_too() -> None:
    assert recipe.spdx("LicenseRef-own AND mit") == "LicenseRef-own AND MIT"
    assert recipe.license_ids("GPL-2.0-or-later OR CC-BY-SA-3.0") == ("GPL-2.0-or-later", "CC-BY-SA-3.0")


def test_a_rule_may_have_other_parameters_for_a_language() -> None:
    text = GOOD.replace("min_characters: 200", "min_characters: 200, by_language: {zh: {min_characters: 80}}")
    (rule,) = recipe.parse(text.encode(), "recipe.yaml").rules
    assert rule.by_language == {"zh": {"min_characters": 80}}


def test_filters_of_datatrove_stand_once_each_by_name() -> None:
    two = "rule: datatrove, filter: {0}}}\n  - {{rule: datatrove, filter: {1}"
    length = "rule: length, min_characters: 200"
    both = GOOD.replace(length, two.format("C4ParagraphFilter", "GopherQualityFilter"))
    assert len(recipe.parse(both.encode(), "recipe.yaml").rules) == 2
    assert "stands twice" in refused(GOOD.replace(length, two.format("C4ParagraphFilter", "C4ParagraphFilter")))
