"""What other rules would change, answered from a release's rows, against a build by those rules."""

import json
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest

from tests.corpus import World, world

Changes = Counter[tuple[str, str, str]]

# Beside the world's own rules: those that read text, and one for each kind of stored value.
RULES = """
rules:
  - {rule: length, min_characters: 100}
  - {rule: language, allow: [en]}
  - {rule: c4, min_sentences: 10, min_words_per_line: 9}
  - {rule: datatrove, filter: C4ParagraphFilter}
  - {rule: gopher_quality, min_words: 30}
  - {rule: gopher_dolma, min_words: 20}
"""
WITHOUT_PARAGRAPHS = RULES.replace("  - {rule: datatrove, filter: C4ParagraphFilter}\n", "")
OTHERS = (
    "min_characters: 100", "min_characters: 700", "allow: [en]", "allow: [en, de]", "min_words: 30",
    "min_words: 120, min_stop_words: 3, max_mean_word_length: 5.2", "priority: 1", "priority: -1",
)  # fmt: skip


def other(recipe: str) -> str:
    for old, new in zip(OTHERS[::2], OTHERS[1::2], strict=True):
        assert old in recipe
        recipe = recipe.replace(old, new)
    return recipe + "  - {rule: url, block_words: [docs/part2]}\n  - {rule: gopher_repetition, max_top_2_gram: 0.04}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path]]:
    """The world, and a release of it whose recipe has a rule that edits."""
    folder = tmp_path_factory.mktemp("rejudge")
    with world(folder) as here:
        text = here.recipe.read_text()
        here.recipe.write_text(text[: text.index("rules:")] + "dedup: {near: null}\n" + WITHOUT_PARAGRAPHS.lstrip())
        here.build(folder / "old")
        yield here, folder / "old"


def fates(release: Path) -> dict[str, tuple[str, str]]:
    """Id to source and fate ("kept" or the reason) of every document with text."""
    query = (
        f"SELECT id, source, 'kept' FROM '{release}/provenance/*/kept-*.parquet' UNION ALL "
        f"SELECT id, source, reason FROM '{release}/provenance/*/dropped-*.parquet' WHERE measures IS NOT NULL"
    )
    return {id_: (source, fate) for id_, source, fate in duckdb.sql(query).fetchall()}


def changes_between(old: Path, new: Path) -> Changes:
    before, after = fates(old), fates(new)
    assert before.keys() == after.keys()
    pairs = ((source, fate, after[id_][1]) for id_, (source, fate) in before.items())
    return Counter((source, fate, now) for source, fate, now in pairs if fate != now)


def rejudged(here: World, release: Path, recipe: str) -> Changes:
    path = here.recipe.with_name("other.yaml")
    path.write_text(recipe)
    found = json.loads(here.run("rejudge", release, "--recipe", path, "--json").stdout)
    assert not found["unanswered"]
    return Counter({(row["source"], row["old"], row["new"]): row["documents"] for row in found["changes"]})


def test_the_release_was_edited_and_lost_documents_in_every_way(made: tuple[World, Path]) -> None:
    seen = {fate for _, fate in fates(made[1]).values()}
    assert {"kept", "too_short", "language", "too_few_sentences", "exact_duplicate"} <= seen
    edits = duckdb.sql(f"SELECT count(*) FROM '{made[1]}/provenance/*/kept-*.parquet' WHERE len(edits) > 0").fetchall()
    assert edits[0][0] > 10


def test_by_its_own_recipe_nothing_changes(made: tuple[World, Path]) -> None:
    here, release = made
    assert rejudged(here, release, here.recipe.read_text()) == Counter()


def test_other_thresholds_change_what_a_build_by_them_changes(made: tuple[World, Path], tmp_path: Path) -> None:
    here, release = made
    answered = rejudged(here, release, other(here.recipe.read_text()))
    before = here.recipe.read_text()
    try:
        here.recipe.write_text(other(before))
        here.build(tmp_path / "new")
    finally:
        here.recipe.write_text(before)
    assert answered == changes_between(release, tmp_path / "new")
    kinds = {(old == "kept", new == "kept") for _, old, new in answered}
    assert kinds == {(True, False), (False, True), (False, False)}


def test_what_becomes_of_near_duplicates_is_said_not_guessed(made: tuple[World, Path], tmp_path: Path) -> None:
    """A near duplicate stays one while its kept document is kept; who else would be alike, a build has to find out."""
    here, _ = made
    before = here.recipe.read_text()
    with_near = before.replace("dedup: {near: null}\n", "")
    try:
        here.recipe.write_text(with_near)
        here.build(tmp_path / "near")
    finally:
        here.recipe.write_text(before)
    assert "near_duplicate" in {fate for _, fate in fates(tmp_path / "near").values()}
    assert rejudged(here, tmp_path / "near", with_near) == Counter()
    path = here.recipe.with_name("other.yaml")
    dropped = f"SELECT kept_id FROM '{tmp_path}/near/provenance/*/dropped-*.parquet' WHERE reason = 'near_duplicate'"
    kept = f"SELECT url FROM '{tmp_path}/near/provenance/*/kept-*.parquet' WHERE id IN ({dropped}) ORDER BY url"
    name = duckdb.sql(kept).fetchall()[0][0].rpartition("/")[2]
    path = here.recipe.with_name("other.yaml")
    for recipe, said in (
        (with_near + f"  - {{rule: url, block_words: ['{name}']}}\n", "lose"),
        (other(with_near), "kept"),
    ):
        path.write_text(recipe)
        found = json.loads(here.run("rejudge", tmp_path / "near", "--recipe", path, "--json").stdout)
        back = {
            was: sum(row["documents"] for row in found["changes"] if (row["old"] == was, row["new"]) == (True, "kept"))
            for was in {row["old"] for row in found["changes"]}
        }
        alone = back.pop("near_duplicate", 0)
        numbers = {"lose": alone, "kept": sum(back.values())}
        assert numbers[said]
        assert [int(line.split()[0]) for line in found["unanswered"]] == [
            number for number in numbers.values() if number
        ]


def test_a_rule_that_reads_text_must_be_the_same(made: tuple[World, Path]) -> None:
    here, release = made
    path = here.recipe.with_name("other.yaml")
    for change in (("min_words_per_line: 9", "min_words_per_line: 8"), (WITHOUT_PARAGRAPHS, RULES)):
        path.write_text(here.recipe.read_text().replace(change[0].lstrip(), change[1].lstrip()))
        said = here.run("rejudge", release, "--recipe", path, code=2).stderr
        assert "it reads the text itself" in said
        assert "rules of source guides" in said


def test_answers_of_a_datatrove_filter_are_read_back(made: tuple[World, Path], tmp_path: Path) -> None:
    here, _ = made
    before = here.recipe.read_text()
    try:
        here.recipe.write_text(before.replace(WITHOUT_PARAGRAPHS.lstrip(), RULES.lstrip()))
        here.build(tmp_path / "filtered")
        assert "datatrove/C4ParagraphFilter/< 3 paragraphs" in {
            fate for _, fate in fates(tmp_path / "filtered").values()
        }
        assert rejudged(here, tmp_path / "filtered", here.recipe.read_text()) == Counter()
        predicate = json.loads((tmp_path / "filtered" / "manifest.json").read_bytes())["predicate"]
        assert predicate["environment"]["packages"]["datatrove"] == version("datatrove")
    finally:
        here.recipe.write_text(before)


def test_differences_that_need_a_build_are_named(made: tuple[World, Path]) -> None:
    here, release = made
    path = here.recipe.with_name("other.yaml")
    text = here.recipe.read_text().replace("extractor: all_text", "extractor: default")
    text = text.replace("characters: 400", "characters: 500")
    path.write_text(text.replace("- name: lines", "- name: rows"))
    found = json.loads(here.run("rejudge", release, "--recipe", path, "--json").stdout)
    assert found["unanswered"] == [
        "source rows is not in the release",
        "source lines of the release is not in the recipe; its documents were left out of the comparison",
        "format of source pages differs",
        "the language model, or how much of a text it reads, differs",
    ]


def test_the_answer_is_told_by_source_and_reason(made: tuple[World, Path]) -> None:
    here, release = made
    path = here.recipe.with_name("other.yaml")
    path.write_text(here.recipe.read_text().replace("min_characters: 100", "min_characters: 900"))
    said = here.run("rejudge", release, "--recipe", path).stdout
    assert "kept -> too_short" in said
    assert "all sources" in said
