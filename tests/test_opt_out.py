"""A corpus whose recipe has opt-out lists, built by the installed command: who is kept out, and what is left of them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.trust import keyed
from tests.corpus import RECIPE, World, jsonl, sentences, world

ANN, BOB = "ann.txt", "lists/bob.txt"
REQUESTER = "Ann Requester <ann@requester.example>"
# Guides are edited by c4, so that a text as it was extracted and as it would be released are two.
EDITED = "    priority: 1\n    rules: [{rule: c4, min_sentences: 3, min_words_per_line: 10}]\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def rows(out: Path, kind: str) -> list[dict[str, Any]]:
    return [
        row for path in sorted(out.glob(f"provenance/*/{kind}-*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def file_of(row: dict[str, Any]) -> str:
    return str(row["member"]).split("/", 1)[1]


def text_of(row: dict[str, Any]) -> bytes:
    """The text of a record of the world, as it was extracted."""
    name = file_of(row)
    if name.endswith(".rst"):
        return sentences(int(name.removeprefix(name.rstrip("0123456789.rst")).partition(".")[0])).strip().encode()
    if name.startswith("p") and name.endswith(".html"):
        return sentences(int(name[1:-5]) + 30).strip().encode()
    return sentences(row["record"] + 70).strip().encode()


def raw_of(row: dict[str, Any]) -> bytes:
    """The record's bytes, where they are not those of its text and a line end."""
    if "jsonl" in file_of(row):
        return jsonl(1).splitlines()[row["record"]]
    return text_of(row) + b"\n"


class Made:
    """The world; a release without lists; the recipe with lists, and a release of it; what was to be kept out."""

    def __init__(self, here: World) -> None:
        self.here, self.old, self.new = here, here.folder / "old", here.folder / "new"
        assert RECIPE.count("    priority: 1\n") == 1
        self.plain = here.recipe.read_text().replace("    priority: 1\n", EDITED)
        here.recipe.write_text(self.plain)
        self.old_id = here.build(self.old, "--workers", "2")
        kept = rows(self.old, "kept")
        before = {file_of(row): row for row in kept if row["source"] != "lines"}
        # A line that is no object stands in two files of the artifact.
        self.faulty = [row for row in rows(self.old, "dropped") if row["reason"] == "unreadable:not_an_object"]
        self.by_id, self.by_text, self.by_old_text = (before[f"docs/part{n % 3}/page{n}.rst"] for n in (5, 8, 11))
        assert self.by_old_text["edits"] and self.by_text["edits"]
        self.by_url = [row for row in (*kept, *rows(self.old, "dropped")) if row["url"] == "https://example.org/3/1"]
        self.by_purl = next(row for row in before.values() if row["url"].endswith("#pages/p25.html"))
        assert len(self.by_url) == 2
        lists = here.recipe.parent / "lists"
        lists.mkdir()
        (here.recipe.parent / ANN).write_text(
            f"# {REQUESTER}, by letter\nid:{self.by_id['id']}\nurl:HTTPS://Example.org:443/3/1#me  # {REQUESTER}\n"
            f"domain:nobody.example\n"
        )
        (lists / "bob.txt").write_text(
            f"id:{self.faulty[0]['id']}\nid:{self.faulty[1]['id']}\nsha256:{self.by_text['text_sha256']}\nsha256:{sha256(text_of(self.by_old_text))}\n"
            f"url:{self.by_purl['url']}\n"
        )
        self.listed = f"{self.plain}opt_out: [{ANN}, {BOB}]\n"
        here.recipe.write_text(self.listed)
        self.new_id = here.build(self.new, "--workers", "1")

    @property
    def named(self) -> dict[str, dict[str, Any]]:
        """Id to the row that a document had before."""
        found = (self.by_id, self.by_text, self.by_old_text, self.by_purl, *self.faulty, *self.by_url)
        return {row["id"]: row for row in found}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with world(tmp_path_factory.mktemp("opt-out")) as here:
        yield Made(here)


def test_each_record_that_a_list_names_is_one_row_of_the_ledger_that_tells_no_more_than_where_it_lies(
    made: Made,
) -> None:
    found = {row["id"]: row for row in rows(made.new, "dropped") if row["reason"] == "opt_out"}
    assert found.keys() == made.named.keys()
    assert len(found) == 8
    origin = ("id", "source", "purl", "artifact_sha256", "member", "offset", "length", "record", "path")
    for identifier, row in found.items():
        before = made.named[identifier]
        assert {name: row[name] for name in origin} == {name: before[name] for name in origin}
        by_url = before in made.by_url or before == made.by_purl
        told = {name: value for name, value in row.items() if name not in origin and value not in (None, [])}
        assert told == {"stage": "extract", "reason": "opt_out"} | ({"url": before["url"]} if by_url else {})


def test_no_other_document_has_another_fate(made: Made) -> None:
    """But copies of what was kept out: of a duplicate whose kept document goes, the next one may be kept."""
    for kind in ("kept", "dropped"):
        old, new = ({row["id"] for row in rows(out, kind)} for out in (made.old, made.new))
        assert old ^ new <= made.named.keys()
    texts = {row["text"] for path in made.new.glob("data/*/*.parquet") for row in pq.read_table(path).to_pylist()}
    assert not {text_of(row).decode() for row in made.named.values() if row not in made.faulty} & texts


def values(out: Path) -> set[str]:
    """Every string in every Parquet file of a release."""
    found: set[str] = set()

    def walk(array: Any) -> None:
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if pa.types.is_list(array.type):
            walk(array.flatten())
        elif pa.types.is_struct(array.type):
            for place in range(array.type.num_fields):
                walk(array.field(place))
        elif pa.types.is_string(array.type):
            found.update(array.to_pylist())

    for path in out.rglob("*.parquet"):
        for column in pq.read_table(path).columns:
            walk(column)
    return found


def test_no_digest_of_what_was_kept_out_is_anywhere_in_the_release(made: Made) -> None:
    predicate = json.loads((made.new / "manifest.json").read_bytes())["predicate"]
    cache = made.here.folder / "cache"
    paths = {sha256(path.read_bytes()): path for path in cache.rglob("*") if path.is_file()}
    artifacts = {artifact["sha256"] for source in predicate["sources"] for artifact in source["artifacts"]}
    keys = dict(keyed.artifact_key(paths[name]) for name in artifacts)
    whole = keyed.release_key(list(keys.values()))
    was, now = values(made.old), values(made.new)
    files = "".join(path.read_text(errors="replace") for path in made.new.iterdir() if path.is_file())
    known = 0
    for row in made.named.values():
        own = keys[row["artifact_sha256"]]
        texts = [] if row in made.faulty else [text_of(row), b" ".join(text_of(row).split())]
        plain = {sha256(data) for data in (raw_of(row), *texts)} | {row.get("text_sha256"), row.get("exact_sha256")}
        secret = {keyed.of(key, data) for data in (raw_of(row), *texts) for key in (own, whole)}
        secret |= {row["record_hmac"], row["text_hmac"], row["exact_hmac"]}
        secret |= {edit[name] for edit in row["edits"] for name in ("before_hmac", "after_hmac")}
        for digest in (plain | secret) - {None}:
            known += digest in was
            assert digest not in now
            listed = digest in (made.by_text["text_sha256"], sha256(text_of(made.by_old_text)))
            assert (digest in files) == listed  # a list that names a text by its digest stands in the recipe
    assert known > 20


def test_what_a_list_says_of_who_asked_is_in_no_file(made: Made) -> None:
    for path in (*made.new.rglob("*"), *(made.here.folder / "new.work").rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            assert not [
                word for word in (b"Requester", b"requester", b"by letter", b"ann.txt", b"bob.txt") if word in data
            ], path


def test_manifest_and_card_say_how_many_lines_were_applied_and_verify_compares_them_with_the_rows(made: Made) -> None:
    predicate = json.loads((made.new / "manifest.json").read_bytes())["predicate"]
    first, second = predicate["policies"]["opt_out"]
    assert [first[kind] for kind in ("domains", "ids", "texts", "urls")] == [1, 1, 0, 1]
    assert [second[kind] for kind in ("domains", "ids", "texts", "urls")] == [0, 2, 2, 1]
    lines = ["domain:nobody.example", f"id:{made.by_id['id']}", "url:https://example.org/3/1"]
    assert predicate["recipe"]["opt_out"][0] == lines
    assert first["sha256"] == sha256("".join(f"{line}\n" for line in lines).encode())
    assert "8 records were kept out because an opt-out list" in (made.new / "README.md").read_text()
    assert "opt-out" not in (made.old / "README.md").read_text()
    done = made.here.run("verify", made.new, "--json")
    assert {"name": "opt_out", "ok": True}.items() <= next(
        check for check in json.loads(done.stdout)["checks"] if check["name"] == "opt_out"
    ).items()


def test_the_number_of_workers_changes_no_byte(made: Made, tmp_path: Path) -> None:
    made.here.recipe.write_text(made.listed)
    assert made.here.build(tmp_path / "release", "--workers", "3") == made.new_id
    for path in made.new.rglob("*"):
        if path.is_file() and path.name != "run.dsse.json":
            assert path.read_bytes() == (tmp_path / "release" / path.relative_to(made.new)).read_bytes(), path


def test_a_build_says_how_many_it_kept_out_and_which_lines_named_nothing(made: Made) -> None:
    made.here.recipe.write_text(made.listed)
    said = made.here.run("build", made.here.recipe, "--out", made.new).stdout
    assert "nothing to do" in said
    assert "          8 kept out by 8 lines of opt-out lists" in said
    assert "1 line of opt-out lists kept nothing out: domain:nobody.example" in said
    told = json.loads(made.here.run("build", made.here.recipe, "--out", made.new, "--json").stdout)
    assert told["unused_opt_out"] == ["domain:nobody.example"]


def test_a_line_more_reads_all_records_again_and_another_comment_none(made: Made, tmp_path: Path) -> None:
    made.here.recipe.write_text(made.listed)
    out, path = tmp_path / "release", made.here.recipe.parent / ANN
    before = path.read_text()
    try:
        assert made.here.build(out) == made.new_id
        path.write_text(before + "# another\n\n")
        assert json.loads(made.here.run("build", made.here.recipe, "--out", out, "--json").stdout)["ran"] == 0
        path.write_text(before + "domain:nobody.else.example\n")
        steps = json.loads(made.here.run("plan", made.here.recipe, "--out", out, "--json").stdout)
        assert {step["stage"] for step in steps if step.get("run")} == {"curate"}
        assert {step["why"] for step in steps if step.get("run")} == {
            "parameter opt_out changed; 1 of 3 inputs changed"
        }
        told = json.loads(made.here.run("build", made.here.recipe, "--out", out, "--json").stdout)
        assert told["ran"] == 3  # what they give is the same, so nothing behind them runs
        assert told["release_id"] != made.new_id
        made.here.run("verify", out)
    finally:
        path.write_text(before)


def test_without_the_lists_everything_is_back(made: Made, tmp_path: Path) -> None:
    made.here.recipe.write_text(made.listed)
    out = tmp_path / "release"
    made.here.build(out)
    try:
        made.here.recipe.write_text(made.plain)
        assert made.here.build(out) == made.old_id
        assert not (tmp_path / "release.work" / "opt-out.txt").exists()
    finally:
        made.here.recipe.write_text(made.listed)


def test_the_manifest_alone_reproduces_it(made: Made, tmp_path: Path) -> None:
    published = tmp_path / "published"
    published.mkdir()
    for path in (made.new / "manifest.json", made.new / "manifest.dsse.json", made.here.recipe.parent / "lines.tar.gz"):
        (published / path.name).write_bytes(path.read_bytes())
    done = made.here.run("reproduce", published / "manifest.json", "--out", tmp_path / "again", "--json")
    assert {key: json.loads(done.stdout)[key] for key in ("ok", "level", "same_manifest")} == {
        "ok": True, "level": "L0", "same_manifest": True,
    }  # fmt: skip


def test_the_recipe_of_a_manifest_is_a_recipe_with_the_same_lists(made: Made) -> None:
    predicate = json.loads((made.new / "manifest.json").read_bytes())["predicate"]
    path = made.here.recipe.with_name("taken.yaml")
    path.write_text(json.dumps(predicate["recipe"]))
    path.with_name("taken.lock.json").write_text(json.dumps(predicate["lock"]))
    steps = made.here.run("plan", path, "--out", made.new).stdout
    assert "0 of " in steps.splitlines()[-1]


def test_rejudge_names_another_list_as_a_difference_that_needs_a_build(made: Made) -> None:
    other = made.here.recipe.with_name("other.yaml")
    for release, recipe, said in (
        (made.new, made.listed, []),
        (made.new, made.listed.replace(f"[{ANN}, {BOB}]", f"[{BOB}, {ANN}, {ANN}]"), []),
        (
            made.new,
            made.plain,
            ["opt_out differs, by 0 lines more and 8 fewer; what the lists keep out was taken as it is"],
        ),
        (
            made.old,
            made.listed,
            ["opt_out differs, by 8 lines more and 0 fewer; what the lists keep out was taken as it is"],
        ),
    ):
        other.write_text(recipe)
        found = json.loads(made.here.run("rejudge", release, "--recipe", other, "--json").stdout)
        assert (found["changes"], found["unanswered"]) == ([], said)


def test_show_does_not_read_again_what_was_kept_out(made: Made) -> None:
    said = made.here.run("show", made.new, made.by_id["id"], "--again").stdout
    assert "dropped     at extract: opt_out" in said
    assert "not read: an opt-out list" in said
    assert text_of(made.by_id).decode().splitlines()[0] not in said


def test_a_line_of_a_package_keeps_out_all_of_its_records(made: Made, tmp_path: Path) -> None:
    try:
        made.here.recipe.write_text(made.plain + "opt_out: [['domain:pkg:pypi/guides']]\n")
        made.here.build(tmp_path / "release")
    finally:
        made.here.recipe.write_text(made.listed)
    guides = [row for row in rows(tmp_path / "release", "dropped") if row["source"] == "guides"]
    assert {(row["reason"], row["url"]) for row in guides} == {("opt_out", None)}
    old = [row for kind in ("kept", "dropped") for row in rows(made.old, kind) if row["source"] == "guides"]
    assert {row["id"] for row in guides} == {row["id"] for row in old}
    made.here.run("verify", tmp_path / "release")
