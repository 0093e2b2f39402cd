"""A corpus built against other releases, by the installed command: what they hold is left out, and named."""

import hashlib
import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.trust import keyed
from tests.corpus import World, sdist, sentences, world
from tests.dedup.small_corpus import MILLION, shingles, similarity

RECIPE = """
name: {name}
version: "{version}"
description: Lines that nobody wrote.
language_model: {{package: tiny-lid==1.0, member: tiny_lid/tiny.ftz, sha256: {model}, license: MIT, characters: 400}}
sources:
  - name: {source}
    from: {{kind: local, paths: [{paths}]}}
    members: "**/*.jsonl"
    format: {{kind: jsonl, text: body}}
    license: MIT
    evidence: "**/LICENSE"
    priority: {priority}
"""


def page(seed: int) -> str:
    return sentences(seed, 30).rstrip()


def near(seed: int, words: int = 2) -> str:
    """The page of a seed with some words changed, and longer by that."""
    draw = random.Random(seed)
    found = page(seed).split(" ")
    for _ in range(words):
        found[draw.randrange(len(found))] = "altogether-different"
    return " ".join(found)


@dataclass
class Case:
    """Releases `first`, `other` and `plain` (nothing left out), and `second`, which is built against the former two."""

    made: World

    def out(self, name: str) -> Path:
        return self.made.folder / name

    def recipe(self, name: str) -> Path:
        return self.made.folder / "recipe" / f"{name}.yaml"

    def build(self, name: str, out: str, *options: str | Path, code: int = 0) -> dict[str, Any]:
        done = self.made.run("build", self.recipe(name), "--out", self.out(out), "--json", *options, code=code)
        return json.loads(done.stdout) if code == 0 else {"said": done.stderr}

    def release_id(self, name: str) -> str:
        return hashlib.sha256((self.out(name) / "manifest.json").read_bytes()).hexdigest()

    def predicate(self, name: str) -> dict[str, Any]:
        return json.loads((self.out(name) / "manifest.json").read_bytes())["predicate"]

    def rows(self, name: str, kind: str) -> list[dict[str, Any]]:
        files = sorted(self.out(name).glob(f"*/*/{kind}-*.parquet"))
        return [row for path in files for row in pq.read_table(path).to_pylist()]

    def against(self, *names: str) -> list[str | Path]:
        return [part for name in names for part in ("--against", self.out(name))]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with world(tmp_path_factory.mktemp("world")) as made:
        found = Case(made)
        model = made.recipe.read_text().split("sha256: ")[1].split(",")[0]
        texts = {
            "shared": [page(seed) for seed in range(600, 604)],
            "first": [page(seed) for seed in range(610, 620)],
            "other": [page(seed) for seed in (610, 630, 631)],
            # A copy, near ones of first and of other, one that is not near enough; new ones, with copies of their own.
            "second": [
                page(610), near(611), near(630), near(612, 80), page(640), near(640), page(641),
                page(641),
            ],
        }  # fmt: skip
        for name, bodies in texts.items():
            lines = "\n".join(json.dumps({"body": body}) for body in bodies).encode()
            (made.folder / "recipe" / f"{name}.tar.gz").write_bytes(sdist({"a.jsonl": lines}, name, "1"))
        for name, source, paths, priority in (
            ("first", "alpha", "first.tar.gz, shared.tar.gz", 0), ("other", "beta", "other.tar.gz", 0),
            ("second", "own", "second.tar.gz, shared.tar.gz", 9),
        ):  # fmt: skip
            filled = RECIPE.format(
                name=name, version=f"1.{len(name)}", source=source, paths=paths, model=model, priority=priority
            )
            found.recipe(name).write_text(filled + "dedup: {max_drop_share: 0.8}\n")
            made.run("lock", found.recipe(name))
        for name in ("first", "other"):
            found.build(name, name)
        found.build("second", "second", *found.against("first", "other"), "--workers", "1")
        yield found


def test_what_the_others_keep_is_left_out_and_named(case: Case) -> None:
    ids = {case.release_id(name): name for name in ("first", "other")}
    held = {name: {row["id"]: row["text"] for row in case.rows(name, "train")} for name in ids.values()}
    rows = [row for row in case.rows("second", "dropped") if row["kept_release"] is not None]
    # Both hold sentences(610), of one length: the smaller id comes first.
    _, both = min((id_, name) for name in held for id_, text in held[name].items() if text == page(610))
    expected = {text: ("first", "exact_duplicate", text) for text in (page(seed) for seed in range(600, 604))}
    expected[page(610)] = (both, "exact_duplicate", page(610))
    expected[near(611)] = ("first", "near_duplicate", page(611))
    expected[near(630)] = ("other", "near_duplicate", page(630))
    cache = Path(case.made.environment["PELLUCID_CACHE"])
    keys = dict(keyed.artifact_key(path) for path in cache.rglob("*") if path.is_file())
    found = {}
    for row in rows:
        key, name = keys[row["artifact_sha256"]], ids[row["kept_release"]]
        (text,) = (text for text in expected if keyed.of(key, text.encode()) == row["text_hmac"])
        witness = held[name][row["kept_id"]]
        found[text] = (name, row["reason"], witness)
        assert row["kept_source"] == {"first": "alpha", "other": "beta"}[name]
        assert row["similarity"] == round(similarity(shingles(text, 5), shingles(witness, 5)) * MILLION)
        assert (row["bands"] is None) == (row["reason"] == "exact_duplicate")
    assert (found, len(rows)) == (expected, 7)
    own = {row["text"] for row in case.rows("second", "train")}
    assert own == {near(612, 80), near(640), page(641)}  # of two that are alike the longer is kept


def test_the_same_record_in_both_is_named_by_its_own_id(case: Case) -> None:
    same = [row for row in case.rows("second", "dropped") if row["kept_id"] == row["id"]]
    assert len(same) == 4
    assert {(row["reason"], row["kept_release"]) for row in same} == {("exact_duplicate", case.release_id("first"))}


def test_own_totals_and_clusters_are_of_own_documents_alone(case: Case) -> None:
    predicate = case.predicate("second")
    totals = predicate["totals"]
    assert (totals["read"], totals["kept"], totals["dropped"]) == (12, 3, 9)
    assert sum(row["documents"] for row in totals["reasons"]) == 9
    assert [source["name"] for source in predicate["sources"]] == ["own"]
    clusters = case.rows("second", "clusters")
    assert sorted((row["exact_duplicates"], row["near_duplicates"]) for row in clusters) == [(0, 1), (1, 0)]
    assert {row["source"] for kind in ("kept", "dropped", "train") for row in case.rows("second", kind)} == {"own"}


def test_the_manifest_names_the_others_by_id_and_the_release_verifies(case: Case) -> None:
    named = {entry["release_id"]: (entry["name"], entry["version"]) for entry in case.predicate("second")["against"]}
    assert named == {case.release_id("first"): ("first", "1.5"), case.release_id("other"): ("other", "1.5")}
    assert case.predicate("first")["against"] == []
    assert "verified: 12 records read" in case.made.run("verify", case.out("second")).stdout
    assert f"- first 1.5, release id `{case.release_id('first')}`" in (case.out("second") / "README.md").read_text()
    assert str(case.made.folder) not in (case.out("second") / "manifest.json").read_text()


def test_workers_and_the_order_of_the_others_change_no_byte(case: Case) -> None:
    turned = case.against("other", "first", "other")
    assert case.build("second", "again", *turned, "--workers", "3")["release_id"] == case.release_id("second")
    for path in case.out("second").rglob("*.parquet"):
        assert path.read_bytes() == (case.out("again") / path.relative_to(case.out("second"))).read_bytes()
    assert case.build("second", "again", *turned)["ran"] == 0


def test_another_release_or_none_runs_only_what_depends_on_it(case: Case) -> None:
    case.build("second", "changing", *case.against("first"))
    plan = case.made.run("plan", case.recipe("second"), "--out", case.out("changing"), "--json").stdout
    assert [step["stage"] for step in json.loads(plan) if step.get("run")] == ["candidates"]
    plan = case.made.run("plan", case.recipe("second"), "--out", case.out("changing"), *case.against("first", "other"))
    assert [line.split()[1] for line in plan.stdout.splitlines() if line.startswith("run ")] == ["against"]
    alone = case.build("second", "changing")
    assert alone["totals"]["kept"] == 3 + 7
    assert case.predicate("changing")["against"] == []
    case.made.run("verify", case.out("changing"))
    assert case.build("second", "fresh")["release_id"] == alone["release_id"]


@pytest.mark.parametrize("kind", ["data", "provenance"])
def test_a_changed_file_of_the_other_release_ends_with_4_and_is_named(case: Case, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "first"
    shutil.copytree(case.out("first"), copy)
    path = next((copy / kind).rglob("train-*" if kind == "data" else "kept-*"))
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)
    options = ("build", case.recipe("second"), "--out", tmp_path / "out", "--against", copy)
    said = case.made.run(*options, code=4).stderr
    for part in (str(path), wanted, hashlib.sha256(data).hexdigest(), "restore the file", case.release_id("first")):
        assert part in said
    assert not (tmp_path / "out").exists()


def test_a_text_that_changes_after_it_was_sketched_is_found_before_it_is_read_again(case: Case, tmp_path: Path) -> None:
    copy = tmp_path / "first"
    shutil.copytree(case.out("first"), copy)
    options = ("build", case.recipe("second"), "--out", tmp_path / "out", "--against", copy)
    assert f"against     first 1.5, {case.release_id('first')}" in case.made.run(*options).stdout
    shutil.rmtree(tmp_path / "out.work" / "shingle")
    path = next((copy / "data").rglob("train-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert str(path) in case.made.run(*options, code=4).stderr


def test_what_is_no_release_ends_with_2(case: Case, tmp_path: Path) -> None:
    said = case.made.run(
        "build", case.recipe("second"), "--out", tmp_path / "out", "--against", tmp_path, code=2
    ).stderr
    assert "no manifest.json" in said
    said = case.build("first", "first", *case.against("first"), code=2)["said"]
    assert "is both the release to build against and the folder to build into" in said
    shutil.copytree(case.out("first"), tmp_path / "first")
    (tmp_path / "first" / "manifest.json").write_text("{}")
    options = ("build", case.recipe("second"), "--out", tmp_path / "out", "--against", tmp_path / "first")
    assert "has no key '_type'" in case.made.run(*options, code=1).stderr


def test_a_recipe_that_keeps_duplicates_is_refused(case: Case, tmp_path: Path) -> None:
    recipe = tmp_path / "second.yaml"
    recipe.write_text(case.recipe("second").read_text().replace("{max", "{exact: false, near: null, max"))
    shutil.copy(case.recipe("second").with_name("second.lock.json"), tmp_path)
    said = case.made.run("build", recipe, "--out", tmp_path / "out", *case.against("first"), code=2).stderr
    assert "would drop nothing" in said


def test_reproduce_asks_for_the_others_by_id_and_finds_every_file_equal(case: Case, tmp_path: Path) -> None:
    published = case.recipe("second").parent  # where the artifacts of the recipe lie
    for name in ("manifest.json", "manifest.dsse.json"):
        shutil.copy(case.out("second") / name, published)
    options = ("reproduce", published / "manifest.json", "--out", tmp_path / "again")
    for given in ([], case.against("first")):
        said = case.made.run(*options, *given, code=2).stderr
        assert f"not given: other 1.5, {case.release_id('other')}" in said
        assert (f"not given: first 1.5, {case.release_id('first')}" in said) == (not given)
    said = case.made.run(*options, *case.against("first", "other", "second"), code=2).stderr
    assert f"given, but not of this manifest: second 1.6, {case.release_id('second')}" in said
    done = json.loads(case.made.run(*options, *case.against("other", "first"), "--json").stdout)
    assert (done["level"], done["same_manifest"], done["built"]) == ("L0", True, case.release_id("second"))


def test_show_says_which_release_has_the_kept_document(case: Case) -> None:
    row = next(
        row for row in case.rows("second", "dropped") if row["reason"] == "near_duplicate" and row["kept_release"]
    )
    said = case.made.run("show", case.out("second"), row["id"]).stdout
    assert f"kept        {row['kept_id']} of {row['kept_source']}, similarity 0.9" in said
    assert f"1.5: {row['kept_release']}" in said
    story = json.loads(case.made.run("show", case.out("second"), row["id"], "--json").stdout)[0]
    assert (story["kept_instead"], story["kept_elsewhere"]["release_id"]) == (None, row["kept_release"])
    same = next(row for row in case.rows("second", "dropped") if row["kept_id"] == row["id"])
    assert same["kept_release"] in case.made.run("show", case.out("second"), same["id"]).stdout


def test_judged_again_what_the_others_hold_stays_dropped(case: Case, tmp_path: Path) -> None:
    found = json.loads(case.made.run("rejudge", case.out("second"), "--recipe", case.recipe("second"), "--json").stdout)
    assert (found["before"], found["after"], found["changes"], found["unanswered"]) == ({"own": 3}, {"own": 3}, [], [])


def test_the_alarm_shows_the_largest_clusters_and_another_limit_compares_nothing_again(
    case: Case, tmp_path: Path
) -> None:
    shutil.copytree(case.recipe("second").parent, tmp_path / "recipe")
    recipe = tmp_path / "recipe" / "second.yaml"
    recipe.write_text(recipe.read_text().replace("max_drop_share: 0.8", "max_drop_share: 0.1"))
    options = ("--out", tmp_path / "out", *case.against("first", "other"))
    said = case.made.run("build", recipe, *options, code=4).stderr

    rows = [row for row in case.rows("second", "dropped") if row["kept_id"]]
    assert f"own: {len(rows)} of {len(rows) + len(case.rows('second', 'train'))} documents" in said
    assert "7 of them are copies of documents of the releases that it is built against" in said
    held = {row["id"]: row for name in ("first", "other", "second") for row in case.rows(name, "train")}
    lines = [line.strip() for line in said.splitlines()]
    found = [re.match("([0-9]+) (?:is a copy|are copies) of ([0-9a-f]{32})", line) for line in lines]
    shown = [(at, int(match[1]), held[match[2]]) for at, match in enumerate(found) if match]
    assert len(shown) == 3
    for at, copies, kept in shown:
        urls = {row["url"] for row in rows if row["kept_id"] == kept["id"]}
        assert copies == len(urls)
        assert lines[at + 1] == kept["url"]
        assert lines[at + 2] == f'"{" ".join(kept["text"].split())[:100]}…"'
        assert lines[at + 3].split(": ", 1)[1] in urls
    recipe.write_text(recipe.read_text().replace("max_drop_share: 0.1", "max_drop_share: 0.8"))
    steps = json.loads(case.made.run("plan", recipe, *options, "--json").stdout)
    assert {step["stage"] for step in steps if step.get("run")} == {"write"}
