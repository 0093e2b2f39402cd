"""A corpus whose pages share navigation and a footer, built by the installed command: what goes, and what the rows say."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.trust import keyed
from tests.corpus import RECIPE, World, sdist, sentences, world

FOOTER = "Copyright 2026 by the people of the island.\nAll of these pages may be copied, changed and sold by everybody."
MENU = sentences(1, 9, "de").replace("\n", " ").strip()  # more of it than the language model reads of a text
RARE = "This paragraph stands in three documents of thirty, and in none of the others that the source holds."
SOURCE = """  - name: site
    from: {kind: local, paths: [one.tar.gz, two.tar.gz]}
    members: "*/docs/*.txt"
    format: text
    license: MIT
    evidence: "*/LICENSE"
    repeated_lines: {min_documents: 5, min_share: 0.2}
"""
ASKED = "repeated_lines: {min_documents: 5, min_share: 0.2}"


def bodies() -> dict[str, str]:
    """Of 29 pages the text that is theirs; one more is of the footer and the menu alone."""
    return {f"docs/p{n:02}.txt": sentences(n + 2000) + (f"\n{RARE}\n" if n < 3 else "") for n in range(29)}


def page(name: str, body: str) -> str:
    """One with the menu above, one with other white space in the footer, one with neither."""
    number = int(name[6:8])
    if number == 28:
        return body
    footer = FOOTER.replace(" of ", "  of\t") if number % 3 == 1 else FOOTER
    return (f"{MENU}\n\n{body}\n{footer}\n") if number % 2 else f"{body}\n{footer}\n"


def write(home: Path) -> None:
    """Two artifacts; in neither of them alone does the footer stand in all."""
    pages = {name: page(name, body).encode() for name, body in bodies().items()}
    pages["docs/zz.txt"] = f"{MENU}\n\n{FOOTER}\n".encode()
    for number, archive in enumerate(("one", "two")):
        members = {name: data for at, (name, data) in enumerate(sorted(pages.items())) if at % 2 == number}
        (home / f"{archive}.tar.gz").write_bytes(sdist(members, archive, "1"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path, str]]:
    """The world with one more source, and a release of it."""
    folder = tmp_path_factory.mktemp("repeated")
    with world(folder) as here:
        write(here.recipe.parent)
        text = here.recipe.read_text()
        assert text.count("rules:\n") == RECIPE.count("rules:\n") == 1
        # Without rules for the source, so that nothing but the edit can drop a page.
        asked = SOURCE.replace("    repeated", "    rules: []\n    repeated")
        here.recipe.write_text(text.replace("rules:\n", f"{asked}rules:\n"))
        here.run("lock", here.recipe)
        yield here, folder / "release", here.build(folder / "release", "--workers", "2")


def rows(out: Path, kind: str) -> dict[str, dict]:
    paths = sorted(out.glob(f"{kind}/site/*.parquet" if kind == "data" else f"provenance/site/{kind}-*.parquet"))
    found = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return {row.get("member", row["url"].partition("#")[2]).split("/", 1)[1]: row for row in found}


def keys_of(here: World, told: dict[str, dict]) -> dict[str, bytes]:
    """The key of each row's artifact, from the file that was packed."""
    found = dict(keyed.artifact_key(here.recipe.parent / f"{name}.tar.gz") for name in ("one", "two"))
    return {name: found[row["artifact_sha256"]] for name, row in told.items()}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_footer_and_menu_are_gone_and_all_else_is_as_it_was(made: tuple[World, Path, str]) -> None:
    here, out, release_id = made
    texts = {name: row["text"] for name, row in rows(out, "data").items()}
    assert texts == {name: body.strip() for name, body in bodies().items()}
    assert {row["language"] for row in rows(out, "kept").values()} == {"en"}  # the menu's is another
    done = here.run("verify", out)
    assert release_id in done.stdout


def test_rows_tell_the_edit_with_the_digests_before_and_after(made: tuple[World, Path, str]) -> None:
    here, out, _ = made
    texts = {name: row["text"] for name, row in rows(out, "data").items()}
    told = {name: row["edits"] for name, row in rows(out, "kept").items()}
    keys = keys_of(here, rows(out, "kept"))
    assert told.pop("docs/p28.txt") == []
    for name, edits in told.items():
        before = page(name, bodies()[name]).strip()
        assert edits == [
            {
                "edit": "repeated_lines", "spans": 2 if before.startswith(MENU) else 1,
                "characters": len(before) - len(texts[name]), "before_hmac": keyed.of(keys[name], before.encode()),
                "after_hmac": keyed.of(keys[name], texts[name].encode()),
            }
        ]  # fmt: skip
    assert all(row["text_sha256"] == sha256(texts[name]) for name, row in rows(out, "kept").items())


def test_a_page_of_nothing_else_is_in_the_ledger_with_its_text_as_it_was(made: tuple[World, Path, str]) -> None:
    here, out, _ = made
    (row,) = (row for row in rows(out, "dropped").values() if row["stage"] == "judge")
    assert (row["member"], row["reason"]) == ("two-1/docs/zz.txt", "repeated_lines/emptied")
    (key,) = keys_of(here, {"": row}).values()
    assert (row["edits"], row["text_hmac"]) == ([], keyed.of(key, f"{MENU}\n\n{FOOTER}".encode()))
    assert row["failed"] == ["repeated_lines/emptied"]
    said = here.run("show", out, row["id"], "--again").stdout
    assert "text equal" in said


def test_show_reads_an_edited_document_again(made: tuple[World, Path, str]) -> None:
    here, out, _ = made
    said = here.run("show", out, rows(out, "kept")["docs/p01.txt"]["id"], "--again").stdout
    assert "edited      by repeated_lines" in said
    assert "text equal" in said
    assert "before its edits" in said


@pytest.mark.parametrize("workers", ["1", "3"])
def test_the_number_of_workers_changes_no_byte(made: tuple[World, Path, str], tmp_path: Path, workers: str) -> None:
    here, out, release_id = made
    assert here.build(tmp_path / "release", "--workers", workers) == release_id
    for path in out.rglob("*"):
        if path.is_file() and path.name != "run.dsse.json":
            assert path.read_bytes() == (tmp_path / "release" / path.relative_to(out)).read_bytes(), path


def test_reproduce_finds_every_file_equal(made: tuple[World, Path, str], tmp_path: Path) -> None:
    here, out, _ = made
    published = tmp_path / "published"
    published.mkdir()
    for path in (out / "manifest.json", out / "manifest.dsse.json", *here.recipe.parent.glob("*.tar.gz")):
        (published / path.name).write_bytes(path.read_bytes())
    done = here.run("reproduce", published / "manifest.json", "--out", tmp_path / "again", "--json")
    assert {key: json.loads(done.stdout)[key] for key in ("ok", "level", "same_manifest")} == {
        "ok": True, "level": "L0", "same_manifest": True,
    }  # fmt: skip


def steps(here: World, out: Path) -> tuple[dict[str, str], list[str]]:
    """What a build would run, by stage and task, with why; and what is said of the rest."""
    found = json.loads(here.run("plan", here.recipe, "--out", out, "--json").stdout)
    tasks = {f"{step['stage']} {step['task']}": step["why"] for step in found if step.get("run")}
    return tasks, [step["sentence"] for step in found if "sentence" in step]


def test_a_second_build_has_nothing_to_do(made: tuple[World, Path, str]) -> None:
    here, out, _ = made
    assert steps(here, out) == ({}, [])
    assert "nothing to do" in here.run("build", here.recipe, "--out", out).stdout


def test_another_share_adds_up_and_curates_again_and_counts_nothing(made: tuple[World, Path, str]) -> None:
    here, out, release_id = made
    before = here.recipe.read_text()
    try:
        here.recipe.write_text(before.replace(ASKED, ASKED.replace("5", "3").replace("0.2", "0.1")))
        tasks, later = steps(here, out)
        assert tasks == {"blocks site": "parameter min_documents changed; parameter min_share changed"}
        assert later[0] == "curate: run for site if what repeats in it changes"
        done = here.run("build", here.recipe, "--out", out)
        assert "lines: count lines that documents have in common (2 tasks, 0 to run)" in done.stderr
        assert "blocks: find those that repeat in a source (1 task, 1 to run)" in done.stderr
        assert "curate: read, extract, measure, judge (5 tasks, 2 to run)" in done.stderr
        assert not [row for row in rows(out, "data").values() if RARE in row["text"]]
        here.run("verify", out)
    finally:
        here.recipe.write_text(before)
    assert here.build(out) == release_id
    assert len([row for row in rows(out, "data").values() if RARE in row["text"]]) == 3


def test_before_anything_is_counted_the_plan_says_which_sources_wait_for_it(
    made: tuple[World, Path, str], tmp_path: Path
) -> None:
    here, _, _ = made
    tasks, later = steps(here, tmp_path / "release")
    assert {name for name in tasks if name.startswith(("lines", "blocks", "curate"))} == {
        "lines site/one.tar.gz", "lines site/two.tar.gz", "curate guides/guides-1.0.tar.gz",
        "curate pages/pages-2.0-py3-none-any.whl", "curate lines/lines.tar.gz",
    }  # fmt: skip
    assert later[0] == "blocks, curate: run for site if what repeats in it changes"


def test_a_recipe_that_asks_for_nothing_runs_neither_stage(made: tuple[World, Path, str], tmp_path: Path) -> None:
    here, _, _ = made
    before = here.recipe.read_text()
    try:
        here.recipe.write_text(before.replace(f"    {ASKED}\n", ""))
        done = here.run("build", here.recipe, "--out", tmp_path / "release")
    finally:
        here.recipe.write_text(before)
    assert "curate: " in done.stderr
    assert not {"lines", "blocks"} & {line.partition(":")[0] for line in done.stderr.splitlines()}
    assert FOOTER in rows(tmp_path / "release", "data")["docs/p00.txt"]["text"]


def test_rejudge_keeps_the_emptied_and_names_another_setting(made: tuple[World, Path, str]) -> None:
    here, out, _ = made
    other = here.recipe.with_name("other.yaml")
    text = here.recipe.read_text()
    for recipe, said in (
        (text, []),
        (text.replace("0.2}", "0.3}"), ["repeated_lines of source site differs"]),
        (text.replace(f"    {ASKED}\n", ""), ["repeated_lines of source site differs"]),
        (text.replace("    priority: 1\n", "    priority: 1\n    repeated_lines: {}\n"),
         ["repeated_lines of source guides differs"]),
    ):  # fmt: skip
        other.write_text(recipe)
        found = json.loads(here.run("rejudge", out, "--recipe", other, "--json").stdout)
        assert (found["changes"], found["unanswered"]) == ([], said)
