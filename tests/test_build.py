"""A whole corpus, built by the installed command from a package index on loopback."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipeline.release import survey
from pipeline.trust import canonical, dsse, intoto, keyed, keys, manifest, reproduction, roots
from pipeline.trust.verify import verify
from tests.corpus import World, sdist, sentences, world


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Path, str]]:
    with world(tmp_path_factory.mktemp("world")) as made:
        out = made.folder / "release"
        yield made, out, made.build(out)


def rows(out: Path, kind: str) -> list[dict]:
    return [
        row for path in sorted(out.glob(f"provenance/*/{kind}-*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def fates(out: Path) -> dict[str, tuple[str, str]]:
    """(stage, reason) of every dropped member."""
    return {row["member"].split("/", 1)[-1]: (row["stage"], row["reason"]) for row in rows(out, "dropped")}


def test_a_build_is_verified(built: tuple[World, Path, str]) -> None:
    made, out, release_id = built
    done = made.run("verify", out)
    assert release_id in done.stdout
    assert "verified: 134 records read" in done.stdout


def test_each_record_ends_where_it_should(built: tuple[World, Path, str]) -> None:
    _, out, _ = built
    seen = fates(out)
    assert seen["docs/short.rst"] == ("judge", "too_short")
    assert seen["docs/deutsch.rst"] == ("judge", "language")
    assert seen["docs/binary.rst"][0] == "extract"
    assert seen["docs/blank.rst"] == ("extract", "empty")
    assert "docs/latin1.rst" not in seen
    text = [row for path in out.glob("data/guides/*.parquet") for row in pq.read_table(path).to_pylist()]
    assert any(row["text"].startswith("Café crème.") for row in text)
    reasons = Counter(row["reason"] for row in rows(out, "dropped") if row["source"] == "lines")
    assert sum(count for reason, count in reasons.items() if reason != "exact_duplicate") == 8


def test_duplicates_name_the_kept_document_of_the_preferred_source(built: tuple[World, Path, str]) -> None:
    _, out, _ = built
    kept = {row["id"]: row for row in rows(out, "kept")}
    losers = [row for row in rows(out, "dropped") if row["stage"] == "dedup"]
    assert {row["source"] for row in losers} == {"guides", "pages", "lines"}
    for row in losers:
        assert kept[row["kept_id"]]["exact_hmac"] == row["exact_hmac"]
        assert kept[row["kept_id"]]["source"] == row["kept_source"]
    # Sentences 30 to 39 stand in two sources: those of the source with the highest priority are kept.
    shared = {row["kept_source"] for row in losers if row["source"] == "pages"}
    assert shared == {"guides"}


@pytest.mark.parametrize(
    ("workers", "environment"),
    [("1", {"PYTHONHASHSEED": "7"}), ("3", {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "0"})],
)
def test_workers_hash_seed_time_zone_and_folder_change_no_byte(
    built: tuple[World, Path, str], tmp_path: Path, workers: str, environment: dict[str, str]
) -> None:
    made, out, release_id = built
    other = tmp_path / "elsewhere" / "other name"
    assert made.build(other, "--workers", workers, **environment) == release_id
    for path in out.rglob("*"):
        if path.is_file() and path.name != "run.dsse.json":
            assert path.read_bytes() == (other / path.relative_to(out)).read_bytes(), path


def test_a_processor_without_vector_units_makes_the_same_release(
    built: tuple[World, Path, str], tmp_path: Path
) -> None:
    made, _, release_id = built
    environment = {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    done = made.run("build", made.recipe, "--out", tmp_path / "release", "--json", **environment)
    assert json.loads(done.stdout)["release_id"] == release_id
    assert "compile: compile kernels for this processor" in done.stderr


def test_card_summary_and_croissant_say_what_the_files_say(built: tuple[World, Path, str]) -> None:
    """What the write tasks counted is what reading every file again gives."""
    out = built[1]
    stated = json.loads((out / "manifest.json").read_bytes())["predicate"]
    shards = [file for file in stated["files"] if file["rows"] is not None]
    made = survey.documents_of(out, *(stated[key] for key in ("recipe", "totals", "sources")), shards, [])
    assert {name: (out / name).read_bytes() for name in made} == made


def test_a_second_build_has_nothing_to_do_and_changes_nothing(built: tuple[World, Path, str]) -> None:
    made, out, _ = built
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert "nothing to do" in made.run("build", made.recipe, "--out", out).stdout
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_changed_rule_runs_again_only_what_depends_on_it(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        out = tmp_path / "release"
        made.build(out)
        text = made.recipe.read_text()
        made.recipe.write_text(text.replace("    priority: 1\n", "    priority: 1\n    rules: [{rule: length}]\n"))
        decisions = json.loads(made.run("plan", made.recipe, "--out", out, "--json").stdout)
        run = {step["task"]: step["why"] for step in decisions if step.get("run")}
        assert run == {"guides/guides-1.0.tar.gz": "parameter rules changed"}
        summary = json.loads(made.run("build", made.recipe, "--out", out, "--json").stdout)
        assert 0 < summary["ran"] < summary["tasks"]
        made.run("verify", out)


def test_another_source_sketches_only_itself_and_ends_with_what_a_build_from_nothing_makes(tmp_path: Path) -> None:
    more = """  - name: more
    from: {kind: local, paths: [more.tar.gz]}
    members: "**/*.txt"
    format: text
    license: MIT
    evidence: "*/LICENSE"
    priority: 7
"""
    with world(tmp_path / "world") as made:
        out = tmp_path / "release"
        made.build(out)
        kept = {row["text"] for path in out.glob("data/guides/*") for row in pq.read_table(path).to_pylist()}
        taken = sorted(kept)[0]  # the new source comes before the one that has it
        members = {"a.txt": f"{taken}\n".encode(), "b.txt": sentences(901, 30).encode()}
        (made.recipe.parent / "more.tar.gz").write_bytes(sdist(members, "more", "1"))
        text = made.recipe.read_text()
        assert text.count("rules:\n") == 1
        made.recipe.write_text(text.replace("rules:\n", f"{more}rules:\n"))
        made.run("lock", made.recipe)
        steps = json.loads(made.run("plan", made.recipe, "--out", out, "--json").stdout)
        assert {(step["stage"], step["task"]) for step in steps if step.get("run")} == {
            ("evidence", "more/more.tar.gz"), ("curate", "more/more.tar.gz"),
        }  # fmt: skip
        release_id = made.build(out)
        assert made.build(tmp_path / "from-nothing") == release_id
        rows = [row for path in out.glob("provenance/guides/dropped-*") for row in pq.read_table(path).to_pylist()]
        assert any(row["kept_source"] == "more" for row in rows)


def outsider(made: World, folder: Path) -> Path:
    """A folder with the key pair of somebody else than the builder."""
    made.run("keygen", "--out", folder / "outsider")
    return folder / "outsider"


def test_questions_about_reproductions_that_lack_something_end_with_2(
    built: tuple[World, Path, str], tmp_path: Path
) -> None:
    made, out, _ = built
    assert "--reproducer-key" in made.run("verify", out, "--reproduced-by", "1", code=2).stderr
    assert "--reproduced-by" in made.run("verify", out, "--reproducer-key", tmp_path, code=2).stderr
    again = ("reproduce", out / "manifest.json", "--out", tmp_path / "again")
    assert "--attest" in made.run(*again, "--signing-key", tmp_path / "x", code=2).stderr
    for inside in (tmp_path / "again" / "a.json", out / "reproductions" / "a.json"):
        assert "inside a release" in made.run(*again, "--attest", inside, code=2).stderr
    said = made.run(*again, "--attest", tmp_path / "a.json", "--signing-key", tmp_path / "none.key", code=2).stderr
    assert "the key cannot be read" in said
    assert not (tmp_path / "again").exists()  # all of it is said before anything is built


def test_reproduce_finds_every_file_equal(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, out, release_id = built
    published = tmp_path / "published"
    published.mkdir()
    for name in ("manifest.json", "manifest.dsse.json", "run.dsse.json"):  # the report's digest, and no report
        shutil.copy(out / name, published)
    shutil.copy(made.folder / "recipe" / "lines.tar.gz", published)
    key, document = outsider(made, tmp_path), published / "reproductions" / "outsider.dsse.json"
    done = made.run(
        "reproduce", published / "manifest.json", "--out", tmp_path / "again", "--json", "--attest", document,
        "--signing-key", key / "signing.key",
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert (result["ok"], result["level"], result["same_manifest"], result["built"]) == (True, "L0", True, release_id)
    assert result["report"] == {"name": "report.html", "level": "L0", "detail": ""}
    assert "put it into the folder reproductions/ beside the published manifest" in done.stderr
    stated = reproduction.parse(
        dsse.open_envelope(document.read_bytes(), keys.trusted_keys([key]), intoto.PAYLOAD_TYPE).payload
    )
    assert (stated.release_id, stated.built, stated.verdict) == (release_id, release_id, "bytes")
    assert stated.predicate["files"] == {"bytes": len(result["files"]), "content": 0, "differs": 0}
    # What was attested counts for whoever names that key, wherever the document lies.
    folder = ("--reproductions", document.parent)
    said = made.run("verify", out, "--reproduced-by", "1", "--reproducer-key", key, *folder).stdout
    assert "ok    reproduced" in said and "reproduced (bytes) by" in said
    made.run("verify", out, "--reproduced-by", "2", "--reproducer-key", key, *folder, code=1)
    builder = Path(made.environment["PELLUCID_CONFIG"])
    assert "not signed by a key that you named" in made.run(
        "verify", out, "--reproduced-by", "1", "--reproducer-key", builder, *folder, code=1
    ).stdout  # fmt: skip
    # By default it is found by the release's id among the published manifests below the folder that one is in.
    shelf = tmp_path / "manifests" / "small" / "1"
    shelf.parent.mkdir(parents=True)
    shutil.copytree(published, shelf)
    made.run("verify", out, "--reproduced-by", "1", "--reproducer-key", key, cwd=tmp_path)
    said = made.run("verify", out, "--reproduced-by", "1", "--reproducer-key", key, cwd=published, code=2).stderr
    assert "no published manifest is of this release" in said


def test_a_takedown_is_reproduced_by_building_what_was_first_and_removing_the_same(
    built: tuple[World, Path, str], tmp_path: Path
) -> None:
    made, out, release_id = built
    rows = [row for path in sorted(out.glob("provenance/*/kept-*")) for row in pq.read_table(path).to_pylist()]
    (tmp_path / "list").write_text(f"id:{rows[0]['id']}\nid:{rows[-1]['id']}\n")
    new = tmp_path / "new"
    taken = json.loads(made.run("takedown", out, tmp_path / "list", "--out", new, "--json").stdout)
    assert (taken["old_release_id"], taken["kept"], taken["dropped"]) == (release_id, 2, 0)
    assert "verified" in made.run("verify", new).stdout
    assert "by a takedown; it was kept" in made.run("show", new, rows[0]["id"]).stdout
    published = tmp_path / "published"
    published.mkdir()
    for name in ("manifest.json", "manifest.dsse.json", "run.dsse.json"):
        shutil.copy(new / name, published)
    shutil.copy(made.folder / "recipe" / "lines.tar.gz", published)
    result = json.loads(
        made.run("reproduce", published / "manifest.json", "--out", tmp_path / "again", "--json").stdout
    )
    assert (result["level"], result["same_manifest"], result["built"]) == ("L0", True, taken["release_id"])
    assert result["report"]["level"] == "L0"


def test_reproduce_says_which_file_differs(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, out, _ = built
    value = canonical.loads((out / "manifest.json").read_bytes())
    shard = next(file for file in value["predicate"]["files"] if file["kind"] == "data")
    shard["sha256"] = shard["root"] = "0" * 64
    predicate = value["predicate"]
    predicate["roots"].update(roots.listed(predicate["sources"], predicate["files"]))
    next(subject for subject in value["subject"] if subject["name"] == shard["name"])["digest"]["sha256"] = "0" * 64
    forged = canonical.dumps(value)
    (tmp_path / "manifest.json").write_bytes(forged)
    private = keys.load_private(Path(made.environment["PELLUCID_CONFIG"]) / "signing.key")
    (tmp_path / "manifest.dsse.json").write_bytes(dsse.sign(forged, manifest.PAYLOAD_TYPE, private))
    shutil.copy(made.folder / "recipe" / "lines.tar.gz", tmp_path)
    document = tmp_path / "reproductions" / "mine.dsse.json"
    done = made.run(
        "reproduce", tmp_path / "manifest.json", "--out", tmp_path / "again", "--attest", document, code=1
    )  # fmt: skip
    assert f"differs  {shard['name']}" in done.stdout
    stated = reproduction.parse(
        dsse.open_envelope(document.read_bytes(), [private.public_key()], intoto.PAYLOAD_TYPE).payload
    )
    assert (stated.release_id, stated.verdict) == (hashlib.sha256(forged).hexdigest(), "differs")
    assert stated.predicate["differing"] == [shard["name"]]
    assert stated.predicate["manifest_parts"] == ["files", "roots"]


def test_any_flipped_byte_is_found_and_its_file_named(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, out, _ = built
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    trusted = keys.trusted_keys([made.folder / "config" / "signing.pub"])
    draw = random.Random(5)
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        data = path.read_bytes()
        at = draw.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :])
        assert {check.file for check in verify(copy, trusted).failures} == {path.relative_to(copy).as_posix()}
        path.write_bytes(data)
    path.write_bytes(data + b"\n")
    assert path.relative_to(copy).as_posix() in made.run("verify", copy, code=1).stdout
    path.write_bytes(data)
    made.run("verify", copy)


def test_records_read_equal_those_that_other_code_counts(built: tuple[World, Path, str]) -> None:
    _, out, _ = built
    totals = {
        source["name"]: source for source in json.loads((out / "manifest.json").read_bytes())["predicate"]["sources"]
    }
    expected = {"guides": 46, "pages": 30, "lines": (25 + 4) * 2}
    assert {name: source["read"] for name, source in totals.items()} == expected
    for source in totals.values():
        assert source["read"] == source["kept"] + source["dropped"]


def test_show_tells_a_kept_documents_story_and_reads_it_again(built: tuple[World, Path, str]) -> None:
    made, out, _ = built
    row = next(row for row in rows(out, "kept") if row["source"] == "guides")
    for wanted in (row["id"], row["id"][:12], row["url"]):
        said = made.run("show", out, wanted, "--again").stdout
        assert row["artifact_sha256"] in said
        assert "digest equal" in said
        assert "text equal" in said
        assert "gopher_short_doc" in said


def test_show_names_the_kept_document_of_a_duplicate(built: tuple[World, Path, str]) -> None:
    made, out, _ = built
    row = next(row for row in rows(out, "dropped") if row["stage"] == "dedup")
    story = json.loads(made.run("show", out, row["id"], "--json").stdout)[0]
    assert story["fate"] == "dropped"
    assert story["kept_instead"]["id"] == row["kept_id"]


def test_show_of_nothing_ends_with_1(built: tuple[World, Path, str]) -> None:
    made, out, _ = built
    assert "no document" in made.run("show", out, "0" * 32, code=1).stderr


def test_pointers_lead_to_the_bytes_that_rows_name(built: tuple[World, Path, str]) -> None:
    import gzip
    import tarfile

    made, out, _ = built
    cache = Path(made.environment["PELLUCID_CACHE"])
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in cache.rglob("*") if path.is_file()}
    keys = {name: keyed.artifact_key(path)[1] for name, path in files.items()}
    checked = 0
    for row in [*rows(out, "kept"), *rows(out, "dropped")]:
        if row["source"] == "pages" or row["record_hmac"] is None:
            continue
        with tarfile.open(files[row["artifact_sha256"]]) as archive:
            member = archive.extractfile(row["member"])
            assert member is not None
            data = member.read()
        data = gzip.decompress(data) if row["member"].endswith(".gz") else data
        piece = data[row["offset"] : row["offset"] + row["length"]]
        assert keyed.of(keys[row["artifact_sha256"]], piece) == row["record_hmac"]
        checked += 1
    assert checked > 80


def test_no_row_has_a_plain_digest_of_text_that_is_not_in_the_corpus(built: tuple[World, Path, str]) -> None:
    """Every digest of the work folder's rows is looked for in the files of the release."""
    import pyarrow as pa

    made, out, _ = built
    plain: dict[str, set[str]] = {name: set() for name in ("record_sha256", "text_sha256", "exact_sha256")}
    for path in made.folder.rglob("*.arrow"):
        if path.name.startswith(("survivors-", "dropped-")):
            for row in pa.ipc.open_file(path).read_all().to_pylist():
                for name, digests in plain.items():
                    digests.add(row[name])
    every = set().union(*plain.values()) - {None}
    assert len(every) > 100
    for row in rows(out, "dropped"):
        assert not every & {value for value in row.values() if isinstance(value, str)}
    for row in rows(out, "kept"):
        assert {name for name, value in row.items() if isinstance(value, str) and value in every} == {
            "text_sha256", "exact_sha256",
        }  # fmt: skip


def test_datasets_and_duckdb_read_the_release(built: tuple[World, Path, str], tmp_path: Path) -> None:
    from datasets import load_dataset

    _, out, _ = built
    kept = len(rows(out, "kept"))
    texts = load_dataset(str(out), split="train", cache_dir=str(tmp_path))
    provenance = load_dataset(str(out), "provenance", split="train", cache_dir=str(tmp_path))
    assert len(texts) == len(provenance) == kept
    assert texts["id"][:] == provenance["id"][:]
    count = duckdb.sql(f"SELECT count(*) FROM read_parquet('{out}/data/*/*.parquet')").fetchall()[0][0]
    assert count == kept


def test_killed_at_random_moments_a_build_ends_with_the_same_release(
    built: tuple[World, Path, str], tmp_path: Path
) -> None:
    made, _, release_id = built
    out = tmp_path / "release"
    draw = random.Random(11)
    kills, builds = 0, 0
    while kills < 20:
        builds += 1
        assert builds <= 60, "builds end before they can be killed"
        process = subprocess.Popen(
            made.command("build", made.recipe, "--out", out, "--workers", "2"), env=made.environment, cwd=made.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(timeout=draw.uniform(0.05, 2.5))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        else:  # it was done: begin again with something to do
            shutil.rmtree(out)
            stage = draw.choice(["records", "curate", "write"])
            shutil.rmtree(out.with_name("release.work") / stage, ignore_errors=True)
    assert made.build(out) == release_id
    made.run("verify", out)
    assert not list(out.with_name("release.work").glob("tmp/*"))


def test_a_second_build_in_the_same_folder_is_refused(built: tuple[World, Path, str], tmp_path: Path) -> None:
    import fcntl

    made, _, _ = built
    work = tmp_path / "release.work"
    work.mkdir()
    with (work / "lock").open("w") as handle:
        handle.write("12345")
        handle.flush()
        fcntl.flock(handle, fcntl.LOCK_EX)
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=2).stderr
    assert "another build (process 12345) is at work" in said


def test_a_folder_that_holds_something_else_is_never_replaced(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, _, _ = built
    (tmp_path / "thesis.txt").write_text("years of work")
    said = made.run("build", made.recipe, "--out", tmp_path, code=2).stderr
    assert "holds no release" in said
    made.run("reproduce", built[1] / "manifest.json", "--out", tmp_path, code=2)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_pin_that_the_upstream_no_longer_serves_ends_with_3_and_is_named(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        shutil.rmtree(made.folder / "cache")
        (made.folder / "index" / "files" / "guides-1.0.tar.gz").unlink()
        (made.folder / "index" / "simple" / "guides" / "index.html").write_text("<html><body></body></html>")
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=3).stderr
        assert "guides" in said
        assert "1.0" in said


def test_a_licence_that_is_edited_after_the_lock_was_made_ends_with_3(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        made.recipe.write_text(made.recipe.read_text().replace("license: MIT\n", "license: Apache-2.0\n", 1))
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=3).stderr
        assert "the evidence does not show Apache-2.0; it shows MIT" in said
        assert not (tmp_path / "release").exists()


def test_evidence_that_is_edited_in_the_lock_ends_with_3(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        lock = made.recipe.with_name("recipe.lock.json")
        digest = json.loads(lock.read_text())["artifacts"][0]["evidence"][0]["sha256"]
        lock.write_text(lock.read_text().replace(digest, "ab" * 32))
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=3).stderr
        assert "what the lock pins" in said
        assert digest[:12] in said


def test_an_artifact_that_was_changed_in_the_cache_ends_with_4_and_says_what_to_do(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        pinned = json.loads(made.recipe.with_name("recipe.lock.json").read_text())["artifacts"][0]
        cached = next((made.folder / "cache").rglob(pinned["sha256"]))
        data = bytearray(cached.read_bytes())
        data[-1] ^= 1
        cached.write_bytes(data)
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=4).stderr
        assert pinned["sha256"] in said
        assert f"remove {cached}" in said
        cached.unlink()
        made.build(tmp_path / "release")


def test_an_artifact_with_another_sha256_ends_with_3_and_both_digests(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        shutil.rmtree(made.folder / "cache")
        lock = made.recipe.with_name("recipe.lock.json")
        value = json.loads(lock.read_text())
        wanted = next(artifact for artifact in value["artifacts"] if artifact["source"] == "lines")["sha256"]
        lock.write_text(lock.read_text().replace(wanted, "ab" * 32))
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=3).stderr
        assert wanted in said
        assert "ab" * 32 in said


def test_a_truncated_artifact_ends_with_4_and_is_named(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        path = made.folder / "recipe" / "lines.tar.gz"
        data = path.read_bytes()
        # Evidence stands first, so that the lock is made; the end is missing.
        path.write_bytes(data[: len(data) - 300])
        lock = made.recipe.with_name("recipe.lock.json")
        value = json.loads(lock.read_text())
        entry = next(artifact for artifact in value["artifacts"] if artifact["source"] == "lines")
        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        entry["size"] = path.stat().st_size
        lock.write_text(json.dumps(value))
        said = made.run("build", made.recipe, "--out", tmp_path / "release", code=4).stderr
        assert "truncated" in said
        assert "lines.tar.gz" in said
        assert not (tmp_path / "release").exists()
        path.write_bytes(sdist({"a.jsonl": json.dumps({"body": sentences(500)}).encode()}, "lines", "1"))
        made.run("lock", made.recipe, "--refresh")
        made.build(tmp_path / "release")


def test_an_interrupted_build_ends_with_130_and_goes_on(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, _, release_id = built
    out = tmp_path / "release"
    process = subprocess.Popen(
        made.command("build", made.recipe, "--out", out), env=made.environment, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores it
    )  # fmt: skip
    assert process.stderr is not None
    while "curate" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(timeout=60) == 130
    assert "interrupted" in said
    assert made.build(out) == release_id


def test_help_answers_at_once_and_teaches(built: tuple[World, Path, str]) -> None:
    made, _, _ = built
    said = made.run("--help").stdout
    assert "Start here" in said
    for command in ("lock", "plan", "build", "verify", "reproduce", "show", "keygen"):
        assert command in said
        assert made.run(command, "--help").stdout.startswith("Usage: pellucid")


def test_help_imports_nothing_heavy() -> None:
    import sys

    code = (
        "import sys, pipeline.cli; print([m for m in ('pyarrow', 'numba', 'duckdb', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_build_that_finds_all_done_imports_no_package_client_and_no_arrow() -> None:
    code = "import pipeline.build, sys; print({'unearth', 'requests', 'pyarrow', 'numpy', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_unknown_recipe_keys_end_with_2(built: tuple[World, Path, str], tmp_path: Path) -> None:
    made, _, _ = built
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(made.recipe.read_text() + "sorces: []\n")
    assert "sorces: unknown key (allowed:" in made.run("build", recipe, code=2).stderr


def test_a_recipe_without_lock_ends_with_2_and_says_what_to_type(
    built: tuple[World, Path, str], tmp_path: Path
) -> None:
    made, _, _ = built
    shutil.copy(made.recipe, tmp_path / "recipe.yaml")
    assert "pellucid lock" in made.run("build", tmp_path / "recipe.yaml", code=2).stderr


def test_the_first_build_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    with world(tmp_path / "world") as made:
        assert "made a local signing key" in made.run("build", made.recipe, "--out", tmp_path / "release").stdout
        key = Path(made.environment["PELLUCID_CONFIG"]) / "signing.key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert "made a local" not in made.run("build", made.recipe, "--out", tmp_path / "release").stdout
