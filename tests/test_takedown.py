"""Takedowns of a small release: what was named is gone, everything else is as it was, and it all still adds up."""

import hashlib
import itertools
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import takedown
from pipeline.cli import main
from pipeline.errors import RecipeError, VerificationError
from pipeline.inspection.show import show
from pipeline.release import schemas
from pipeline.trust import checkpoint, keys, lists, proof, prove
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.small_release import KEY, TRUSTED

NUMBER = itertools.count()


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("old"), small.corpus())


@pytest.fixture(scope="module")
def before(old: Path) -> dict[str, bytes]:
    """A proof of every document of the old release."""
    release = prove.Release(old, TRUSTED)
    return {row["id"]: prove.document(release, row["id"]) for row in every()}


def every(fate: str = "") -> list[small.Row]:
    return [row for fates in small.corpus().values() for name, rows in fates.items() if fate in name for row in rows]


def named(*rows: small.Row) -> list[str]:
    return [row["id"] for row in rows]


def make(old: Path, folder: Path, ids: Sequence[str]) -> takedown.Taken:
    return takedown.make(old, folder / f"new-{next(NUMBER)}", ids, KEY, TRUSTED, time.time())


def failures(folder: Path) -> set[tuple[str, str]]:
    return {(check.name, check.file) for check in verify(folder, TRUSTED).failures}


@pytest.fixture(scope="module")
def three(old: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[takedown.Taken, list[str]]:
    """Without a kept document that others were dropped for, one that stood alone, and a dropped one."""
    head, alone = every("kept")[0], every("kept")[3]
    ids = named(head, alone, every("dropped")[2])
    return make(old, tmp_path_factory.mktemp("three"), ids), ids


def test_the_next_release_verifies_and_its_totals_say_takedown(
    three: tuple[takedown.Taken, list[str]], old: Path
) -> None:
    taken, _ = three
    result, first = verify(taken.out, TRUSTED), verify(old, TRUSTED)
    assert result.ok, result.failures
    assert (taken.kept, taken.dropped) == (2, 1)
    assert taken.old_release_id == first.release_id != taken.release_id == result.release_id
    assert result.totals is not None and first.totals is not None
    assert result.totals["read"] == first.totals["read"] == result.totals["kept"] + result.totals["dropped"]
    assert result.totals["kept"] == first.totals["kept"] - 2
    reasons = {(row["stage"], row["reason"]): row["documents"] for row in result.totals["reasons"]}
    assert reasons["takedown", "takedown"] == 3
    assert sum(reasons.values()) == result.totals["dropped"]
    gone = sum(row["text_bytes"] for row in every("kept") if row["id"] in three[1])
    assert result.totals["text_bytes"] == first.totals["text_bytes"] - gone


def test_every_proof_of_another_document_still_holds_in_the_next_release(
    three: tuple[takedown.Taken, list[str]], before: dict[str, bytes]
) -> None:
    taken, ids = three
    envelope = (taken.out / checkpoint.NAME).read_bytes()
    release = prove.Release(taken.out, TRUSTED)
    for identifier, made in before.items():
        assert proof.check(made, TRUSTED).release_id == taken.old_release_id
        old_claim, again = json.loads(made)["claim"], prove.document(release, identifier)
        found, new_claim = proof.check(again, TRUSTED), json.loads(again)["claim"]
        if identifier not in ids:  # the row, its places and paths are what they were
            assert {**old_claim, "entry": new_claim["entry"]} == new_claim
            continue
        assert (found.kind, found.counts) == ("counted", (0, 0, 1))
        for entry in (None, new_claim["entry"]):  # its leaf is there still, and proves nothing any more
            with pytest.raises(VerificationError, match="entry"):
                proof.check(proof.encode(envelope, {**old_claim, "entry": entry}), TRUSTED)


def test_nothing_of_a_removed_document_is_left_but_its_id_artifact_and_leaves(
    three: tuple[takedown.Taken, list[str]],
) -> None:
    taken, ids = three
    rows = {row["id"]: row for row in every() if row["id"] in ids}
    for path in sorted(taken.out.rglob("*.parquet")):
        table = pq.read_table(path)
        for name in table.column_names:
            text = json.dumps(table.column(name).to_pylist(), ensure_ascii=False)
            for row in rows.values():
                for key in ("text", "text_sha256", "exact_sha256", "url"):
                    assert not row.get(key) or row[key] not in text, (path, name, key)
    for name in takedown.DOCUMENTS:
        data = (taken.out / name).read_bytes()
        assert not any(row["text_sha256"].encode() in data for row in rows.values() if row.get("text_sha256"))


def test_show_says_that_a_document_was_removed(three: tuple[takedown.Taken, list[str]]) -> None:
    taken, ids = three
    for identifier in ids:
        (story,) = show(taken.out, identifier)
        assert story.fate == "removed"
        assert story.text is None


def test_a_text_that_was_removed_is_proved_absent(three: tuple[takedown.Taken, list[str]]) -> None:
    taken, ids = three
    text = next(row["text"] for row in every("kept") if row["id"] == ids[1])
    found = proof.check(prove.text(prove.Release(taken.out, TRUSTED), text.encode()), TRUSTED)
    assert (found.kind, found.tree) == ("absent", "texts")


def test_whoever_has_the_old_release_makes_the_same_one(
    three: tuple[takedown.Taken, list[str]], old: Path, tmp_path: Path
) -> None:
    taken, _ = three
    done = takedown.apply(old, taken.out, tmp_path / "mine", TRUSTED)
    assert (done.level, done.release_id) == ("L0", taken.release_id)
    files = {path.relative_to(taken.out) for path in taken.out.rglob("*") if path.is_file()}
    assert files == {path.relative_to(done.out) for path in done.out.rglob("*") if path.is_file()}
    assert all((taken.out / name).read_bytes() == (done.out / name).read_bytes() for name in files)
    assert verify(done.out, TRUSTED).ok


def test_a_takedown_of_a_takedown_is_the_takedown_of_both(old: Path, tmp_path: Path, before: dict[str, bytes]) -> None:
    first, second = named(*every()[::7]), named(*every()[3::11])
    second = [identifier for identifier in second if identifier not in first]
    one = make(old, tmp_path, first)
    two = make(one.out, tmp_path, second)
    both = make(old, tmp_path, [*first, *second])
    assert verify(two.out, TRUSTED).ok
    for path in sorted(both.out.rglob("*.parquet")):
        assert path.read_bytes() == (two.out / path.relative_to(both.out)).read_bytes()
    done = takedown.apply(old, two.out, tmp_path / "behind", TRUSTED)  # two steps at once
    assert done.level == "L0"
    release = prove.Release(two.out, TRUSTED)
    for identifier, made in before.items():
        new_claim = json.loads(prove.document(release, identifier))["claim"]
        if identifier not in [*first, *second]:
            assert {**json.loads(made)["claim"], "entry": new_claim["entry"]} == new_claim


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(sorted(row["id"] for row in every())), min_size=1))
def test_any_documents_can_be_removed(old: Path, tmp_path: Path, ids: set[str]) -> None:
    taken = make(old, tmp_path, sorted(ids))
    assert verify(taken.out, TRUSTED).failures == ()
    shutil.rmtree(taken.out)


def test_all_documents_can_be_removed(old: Path, tmp_path: Path) -> None:
    taken = make(old, tmp_path, named(*every()))
    result = verify(taken.out, TRUSTED)
    assert result.ok, result.failures
    assert result.totals is not None and result.totals["kept"] == 0


def test_a_list_selects_by_id_url_domain_and_text_and_says_what_it_did_not_find(old: Path) -> None:
    release = prove.Release(old, TRUSTED)
    kept, dropped = every("kept"), every("dropped")
    text, page = kept[1], kept[2]
    lines = [f"sha256:{text['text_sha256']}", f"url:{page['url']}", f"id:{dropped[0]['id']}", "domain:nowhere.example"]
    found = takedown.select(release, lists.parse(lines, "list"))
    assert set(found.documents) == set(named(text, page, dropped[0]))
    assert found.unmatched == ("domain:nowhere.example",)
    package = takedown.select(release, lists.parse(["domain:pkg:deb/debian/notes"], "list"))
    assert set(package.documents) == {row["id"] for row in every() if row["purl"].startswith("pkg:deb/debian/notes@")}
    with pytest.raises(RecipeError, match="names no document"):
        takedown.select(release, lists.parse(["domain:nowhere.example"], "list"))


def test_a_copy_that_is_named_tells_whose_copy_it_is_and_can_take_that_along(old: Path) -> None:
    release = prove.Release(old, TRUSTED)
    copy = next(row for row in every("dropped") if row["stage"] == "dedup")
    listed = lists.parse([f"id:{copy['id']}"], "list")
    assert takedown.select(release, listed).copies == {copy["id"]: copy["kept_id"]}
    found = takedown.select(release, listed, with_copies=True)
    assert (set(found.documents), found.copies) == ({copy["id"], copy["kept_id"]}, {})


def changed(taken: takedown.Taken, tmp_path: Path, change: Callable[[pa.Table], pa.Table]) -> set[tuple[str, str]]:
    """The failures of the release after its first file of removed documents was changed and all signed again."""
    copy = Path(shutil.copytree(taken.out, tmp_path / "copy"))
    path = next(path for path in sorted(copy.rglob("removed-*.parquet")) if pq.read_metadata(path).num_rows > 1)
    table = change(pq.read_table(path))
    pq.write_table(table.cast(schemas.REMOVED), path, store_schema=False)

    def recount(predicate: dict[str, Any]) -> None:
        for file in predicate["files"]:
            if file["name"] == path.relative_to(copy).as_posix():
                ids = table.column("id").to_pylist()
                file.update(rows=len(ids), leaves=len(ids), first_id=ids[0], last_id=ids[-1])

    small.hash_again(copy, recount)
    return failures(copy)


def setting(column: str, row: int, value: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = table.column(column).to_pylist()
        values[row] = value(values[row]) if callable(value) else value
        place = table.schema.get_field_index(column)
        return table.set_column(place, table.schema.field(column), pa.array(values, table.schema.field(column).type))

    return change


@pytest.mark.parametrize(("change", "check"), [
    (setting("leaf", 0, "ab" * 32), "roots"),
    (setting("leaf", 0, "AB" * 32), "schema"),
    (setting("id", 0, "0" * 32), "removed"),
    (setting("id", 1, "not an id" + "0" * 23), "schema"),
    (setting("position", 0, lambda place: place + 1), "order"),
    (setting("position", 0, -1), "order"),
    (setting("position", 0, 2**62), "order"),
    (setting("fate", 0, "lost"), "ledger"),
    (setting("artifact_sha256", 0, "ab" * 32), "origins"),
    (setting("source", 0, "elsewhere"), "origins"),
    (lambda table: table.slice(1), "order"),
])  # fmt: skip
def test_a_tombstone_that_is_not_what_was_removed_is_refused_though_signed(
    old: Path, tmp_path: Path, change: Callable[[pa.Table], pa.Table], check: str
) -> None:
    taken = make(old, tmp_path, named(*every("kept")[:6], *every("dropped")[:6]))
    assert check in {name for name, _ in changed(taken, tmp_path, change)}


def test_a_release_from_which_rows_are_missing_without_a_tombstone_is_refused(
    three: tuple[takedown.Taken, list[str]], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(three[0].out, tmp_path / "copy"))
    for path in copy.rglob("removed-*.parquet"):
        path.unlink()

    def forget(predicate: dict[str, Any]) -> None:
        predicate["files"] = [file for file in predicate["files"] if file["kind"] != "removed"]
        predicate["policies"]["takedown"] = []

    small.hash_again(copy, forget)
    names = {name for name, _ in failures(copy)}
    assert {"rows", "totals"} & names


def test_a_copy_with_other_rows_cannot_take_the_published_documents(
    three: tuple[takedown.Taken, list[str]], tmp_path: Path
) -> None:
    rows = small.corpus()
    rows["manual"]["kept"][5]["title"] = "another"
    other = small.write(tmp_path / "other", rows)
    with pytest.raises(VerificationError, match="it was made from"):
        takedown.apply(other, three[0].out, tmp_path / "mine", TRUSTED)
    assert not (tmp_path / "mine").exists()


def republished(taken: takedown.Taken, tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The documents of the next release after its publisher has changed what the manifest says of its first file of texts."""
    folder = tmp_path / "published"
    folder.mkdir()
    for name in takedown.DOCUMENTS:
        shutil.copy(taken.out / name, folder)

    def edit(predicate: dict[str, Any]) -> None:
        change(next(file for file in predicate["files"] if file["kind"] == "data"))

    small.sign_again(folder, edit=edit)
    return folder


def test_a_publisher_who_changed_more_than_was_removed_is_found_out(
    three: tuple[takedown.Taken, list[str]], old: Path, tmp_path: Path
) -> None:
    folder = republished(three[0], tmp_path, lambda file: file.update(root="ab" * 32, sha256="ab" * 32))
    with pytest.raises(VerificationError, match="other rows than were published"):
        takedown.apply(old, folder, tmp_path / "mine", TRUSTED)
    assert not (tmp_path / "mine").exists()


def test_the_published_rows_in_other_bytes_are_level_1(
    three: tuple[takedown.Taken, list[str]], old: Path, tmp_path: Path
) -> None:
    folder = republished(three[0], tmp_path, lambda file: file.update(sha256="ab" * 32))
    done = takedown.apply(old, folder, tmp_path / "mine", TRUSTED)
    assert done.level == "L1"
    assert verify(done.out, TRUSTED, content=True).level == "L1"


def test_a_report_that_this_code_does_not_make_is_taken_from_the_published_folder_or_missed(
    three: tuple[takedown.Taken, list[str]], old: Path, tmp_path: Path
) -> None:
    folder = republished(three[0], tmp_path, lambda file: None)  # its run document names the report of other code
    done = takedown.apply(old, folder, tmp_path / "mine", TRUSTED)
    assert (done.out / "report.html").read_bytes() == (folder / "report.html").read_bytes()
    assert verify(done.out, TRUSTED).ok
    for spoil in (lambda path: path.write_text("another"), lambda path: path.unlink()):
        spoil(folder / "report.html")
        with pytest.raises(VerificationError, match="makes another report of these rows"):
            takedown.apply(old, folder, tmp_path / "again", TRUSTED)
        assert not (tmp_path / "again").exists()


def test_documents_that_are_missing_are_named(
    three: tuple[takedown.Taken, list[str]], old: Path, tmp_path: Path
) -> None:
    folder = republished(three[0], tmp_path, lambda file: None)
    (folder / "run.dsse.json").unlink()
    with pytest.raises(RecipeError, match="cannot be read"):
        takedown.apply(old, folder, tmp_path / "mine", TRUSTED)
    assert not (tmp_path / "mine").exists()


def test_a_release_that_does_not_verify_is_not_signed_again(old: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(old, tmp_path / "copy"))
    (copy / "README.md").write_text("# other\n")
    with pytest.raises(VerificationError, match="does not verify"):
        make(copy, tmp_path, named(every()[0]))


def test_a_folder_that_is_there_is_never_written_over(old: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(RecipeError, match="something already"):
        takedown.make(old, tmp_path / "there", named(every()[0]), KEY, TRUSTED, time.time())
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_the_command_takes_down_applies_and_tells_nobody_who_asked(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PELLUCID_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "signer.pub").write_bytes(keys.public_pem(KEY.public_key()))
    private = tmp_path / "key.pem"
    from cryptography.hazmat.primitives import serialization as form

    private.write_bytes(KEY.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    private.chmod(0o600)
    (tmp_path / "list").write_text(
        f"# Jane Requester asks\nid:{every()[0]['id']}  # her page\nurl:https://nowhere.example/\n"
    )
    run = CliRunner().invoke
    dry = run(main, ["takedown", str(old), str(tmp_path / "list"), "--dry-run", "--json"])
    assert list(json.loads(dry.stdout)["documents"]) == [every()[0]["id"]]
    arguments = [
        "takedown",
        str(old),
        str(tmp_path / "list"),
        "--out",
        str(tmp_path / "new"),
        "--signing-key",
        str(private),
    ]
    done = run(main, arguments)
    assert done.exit_code == 0, done.output
    assert "1 kept and 0 dropped" in done.stdout
    assert "url:https://nowhere.example/ names no document" in done.stderr
    for path in (tmp_path / "new").rglob("*"):
        assert not path.is_file() or b"Jane" not in path.read_bytes()
    applied = run(main, ["takedown", str(old), "--apply", str(tmp_path / "new"), "--out", str(tmp_path / "mine")])
    assert applied.exit_code == 0, applied.output
    assert "L0: every file has the published bytes" in applied.stdout
    assert run(main, ["verify", str(tmp_path / "mine")]).exit_code == 0
    assert run(main, ["takedown", str(old)]).exit_code == 2
    digest = hashlib.sha256((tmp_path / "mine" / "manifest.json").read_bytes()).hexdigest()
    assert digest in done.stdout and digest in applied.stdout
