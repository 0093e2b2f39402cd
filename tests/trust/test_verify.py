"""Tampering: whatever is changed in a release, `verify` refuses it, by the right check, naming the file and the row.

First what a stranger can do, who has no trusted key; then what a trusted key cannot sign away, because the rows say
otherwise.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.errors import RecipeError
from pipeline.model import Pointer, document_id
from pipeline.release import schemas
from pipeline.trust import checkpoint, dsse, intoto, keys, manifest, roots, rows
from pipeline.trust.findings import CHECKS, OF_BYTES, ON_REQUEST
from pipeline.trust.keys import key_id
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.refused import refusal, refusals
from tests.trust.small_release import KEY, MILLION, OTHER_KEY, TRUSTED, Corpus, Row

ENVELOPES = ("manifest.json", "manifest.dsse.json", "checkpoint.dsse.json", "run.dsse.json")
DATA = "data/manual/train-00000-of-00002.parquet"
KEPT = "provenance/manual/kept-00000-of-00002.parquet"
DROPPED = "provenance/manual/dropped-00000-of-00002.parquet"


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- what holds


def test_a_release_as_it_was_signed_passes_every_check(release: Path) -> None:
    result = verify(release, TRUSTED)
    assert result.ok
    assert result.failures == ()
    assert result.unchecked == ()
    assert [check.name for check in result.checks] == [name for name in CHECKS if name not in ON_REQUEST]
    assert result.release_id == hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest()
    assert result.key_id == key_id(KEY.public_key())


def test_the_totals_of_the_result_are_those_counted_by_other_code(release: Path) -> None:
    made = small.corpus()
    kept, dropped = (sum(len(fates[fate]) for fates in made.values()) for fate in ("kept", "dropped"))
    totals = verify(release, TRUSTED).totals
    assert totals is not None
    assert (totals["read"], totals["kept"], totals["dropped"]) == (kept + dropped, kept, dropped)
    assert totals["text_bytes"] == sum(len(row["text"].encode()) for fates in made.values() for row in fates["kept"])


def test_one_of_several_trusted_keys_is_enough(release: Path) -> None:
    assert verify(release, (OTHER_KEY.public_key(), *TRUSTED)).ok


def test_the_result_can_be_written_as_json(release: Path) -> None:
    (release / "README.md").write_text("# smaLL\n")
    value = json.loads(json.dumps(verify(release, TRUSTED).to_json()))
    assert value["ok"] is False
    assert [check["file"] for check in value["checks"] if not check["ok"]] == ["README.md"]


def test_progress_ends_at_all_bytes(release: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    verify(release, TRUSTED, report=lambda what, done, total: seen.append((what, done, total)))
    assert {what for what, _, _ in seen} == {"digests", "rows"}
    for phase in ("digests", "rows"):
        mine = [(done, total) for what, done, total in seen if what == phase]
        assert mine == sorted(mine) and mine[-1][0] == mine[-1][1] > 0


def test_a_folder_that_is_not_there_is_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such folder"):
        verify(tmp_path / "nothing", TRUSTED)


def test_verification_imports_no_stage() -> None:
    code = "import pipeline.trust.verify, sys; print(*sorted(m for m in sys.modules if m.startswith('pipeline.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    outside = {name for name in loaded if not name.startswith("pipeline.trust")}
    assert outside == {"pipeline.errors", "pipeline.model", "pipeline.release", "pipeline.release.schemas"}


@given(st.builds(
    Pointer, st.none() | st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.integers(0, 2**53 - 1),
    st.none() | st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
))  # fmt: skip
def test_ids_are_computed_as_the_model_defines_them(pointer: Pointer) -> None:
    columns = {
        "artifact_sha256": ["ab" * 32], "member": [pointer.member], "offset": [pointer.offset],
        "length": [pointer.length], "record": [pointer.record], "path": [pointer.path],
    }  # fmt: skip
    kinds = {name: schemas.kept(()).field(name).type for name in columns}
    batch = pa.RecordBatch.from_pydict(columns, pa.schema(list(kinds.items())))
    assert rows.digests(batch)[0].hex() == document_id("ab" * 32, pointer)


def test_a_character_that_moves_from_one_id_to_the_next_is_seen() -> None:
    one, other = bytes(range(16)), bytes(range(16, 32))
    batch = pa.RecordBatch.from_pydict({"id": [one.hex()[:-1], one.hex()[-1] + other.hex()]})
    assert [(check.name, check.row) for check in rows.ids(batch, [one, other], "f", 7)] == [("ids", 7)]


def test_the_id_of_a_known_document_is_the_golden_one() -> None:
    assert document_id("00" * 32, Pointer("docs/a.txt", 0, 12, 0)) == "5701a8c2f4e4be6e1c084bf7b3272e9b"


# ---------------------------------------------------------------- what a stranger changes


@pytest.mark.parametrize("name", ["manifest.dsse.json", *small.DOCUMENTS])
def test_a_flipped_bit_in_any_byte_of_an_envelope_or_a_document_is_refused_and_the_file_is_named(
    release: Path, name: str
) -> None:
    """A sample of the bytes of every file is in test_flips.py."""
    draw = random.Random(5)
    path, data = release / name, (release / name).read_bytes()
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        assert [check.file for check in refusals(release)] == [name], position
    path.write_bytes(data)
    assert verify(release, TRUSTED).ok


@pytest.mark.parametrize("kept", [0, 0.5, -1])
def test_a_truncated_file_is_refused_by_its_size(release: Path, kept: float) -> None:
    for name in files_of(release):
        data = (release / name).read_bytes()
        (release / name).write_bytes(data[: int(len(data) * kept) if kept >= 0 else -1])
        assert [check.file for check in refusals(release)] == [name]
        (release / name).write_bytes(data)


def test_bytes_after_the_end_of_a_file_are_refused(release: Path) -> None:
    for name in files_of(release):
        data = (release / name).read_bytes()
        (release / name).write_bytes(data + b"\n")
        assert [check.file for check in refusals(release)] == [name]
        (release / name).write_bytes(data)


def test_two_shards_that_changed_places_are_both_named(release: Path) -> None:
    other = DATA.replace("train-00000", "train-00001")
    (release / DATA).rename(release / "aside")
    (release / other).rename(release / DATA)
    (release / "aside").rename(release / other)
    assert {(check.name, check.file) for check in refusals(release)} == {("digests", DATA), ("digests", other)}


def test_a_missing_file_is_named_whichever_it_is(release: Path) -> None:
    for name in files_of(release):
        data = (release / name).read_bytes()
        (release / name).unlink()
        found = refusals(release)
        assert name in {check.file for check in found}
        assert "missing" in found[0].detail
        (release / name).write_bytes(data)


@pytest.mark.parametrize(
    "name", ["extra.txt", "data/manual/train-00002-of-00002.parquet", ".hidden", "data/x", "readme.md"]
)
def test_a_file_that_the_manifest_does_not_name_is_refused(release: Path, name: str) -> None:
    (release / name).write_bytes(b"x")
    found = refusal(release)
    assert (found.name, found.file, found.detail) == ("listing", name, "is a file that the manifest does not name")


@pytest.mark.parametrize("name", ["extra", "data/other", "data/manual/deeper", ".git"])
def test_a_folder_that_the_manifest_does_not_have_is_refused_even_if_empty(release: Path, name: str) -> None:
    (release / name).mkdir()
    found = refusal(release)
    assert (found.name, found.file, found.detail) == ("listing", name, "is a folder where the manifest has none")


def test_a_link_is_refused_even_to_the_very_same_bytes(release: Path, tmp_path: Path) -> None:
    for name in files_of(release):
        (release / name).rename(tmp_path / "aside")
        (release / name).symlink_to(tmp_path / "aside")
        assert (name, True) in {
            (check.file, "link" in check.detail or "regular" in check.detail) for check in refusals(release)
        }
        (release / name).unlink()
        (tmp_path / "aside").rename(release / name)
    assert verify(release, TRUSTED).ok


def test_a_linked_folder_is_refused_and_nothing_is_read_through_it(release: Path, tmp_path: Path) -> None:
    (release / "data").rename(tmp_path / "aside")
    (release / "data").symlink_to(tmp_path / "aside")
    found = {(check.name, check.file, check.detail) for check in refusals(release)}
    assert ("listing", "data", "is a link, not a regular file or folder") in found
    assert ("listing", DATA, "is missing") in found


def test_a_pipe_in_the_place_of_a_file_is_refused_without_waiting_for_it(release: Path) -> None:
    for name in (DATA, "manifest.json", "run.dsse.json"):
        (release / name).rename(release.parent / "aside")
        os.mkfifo(release / name)
        assert name in {check.file for check in refusals(release)}
        (release / name).unlink()
        (release.parent / "aside").rename(release / name)


def test_the_same_release_signed_by_a_key_that_is_not_trusted_is_refused(release: Path) -> None:
    small.sign_again(release, OTHER_KEY)
    found = refusal(release)
    assert (found.name, found.file) == ("signature", "manifest.dsse.json")
    assert key_id(OTHER_KEY.public_key()) in found.detail
    result = verify(release, TRUSTED)
    assert result.manifest is None and result.totals is None and result.key_id is None
    assert set(result.unchecked) == set(CHECKS) - {"signature", *ON_REQUEST}


def test_rows_in_another_order_signed_by_another_key_are_refused(tmp_path: Path) -> None:
    made = small.corpus()
    made["notes"]["kept"].reverse()
    assert refusal(small.write(tmp_path, made, OTHER_KEY, order=False)).name == "signature"


def test_an_old_manifest_with_its_own_signature_does_not_fit_new_shards(release: Path, tmp_path: Path) -> None:
    made = small.corpus()
    del made["notes"]["kept"][0]
    newer = small.write(tmp_path / "newer", made)
    for name in ENVELOPES:
        shutil.copy(release / name, newer / name)
    assert {check.name for check in refusals(newer)} == {"digests"}


def test_an_envelope_of_another_release_by_the_same_key_is_refused(release: Path, tmp_path: Path) -> None:
    made = small.corpus()
    del made["notes"]["kept"][0]
    newer = small.write(tmp_path / "newer", made)
    shutil.copy(newer / "manifest.dsse.json", release)
    found = refusal(release)
    assert (found.name, found.file) == ("signature", "manifest.json")


def test_the_run_document_of_another_release_is_refused(release: Path) -> None:
    small.sign_run(release, "b" * 64)
    found = refusal(release)
    assert (found.name, found.file) == ("run", "run.dsse.json")
    assert "b" * 64 in found.detail


def test_a_run_document_by_another_key_is_refused(release: Path) -> None:
    small.sign_run(release, hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest(), OTHER_KEY)
    assert refusal(release).name == "run"


def test_a_manifest_in_the_place_of_a_run_document_is_refused(release: Path) -> None:
    shutil.copy(release / "manifest.dsse.json", release / "run.dsse.json")
    found = refusal(release)
    assert found.name == "run"
    assert "predicateType" in found.detail


def test_the_bytes_of_a_manifest_are_not_parsed_before_their_signature_holds(release: Path) -> None:
    (release / "manifest.json").write_bytes(b"[" * 1_000_000)
    assert [check.name for check in refusals(release)] == ["signature"]


def test_a_file_whose_digest_differs_is_not_parsed(release: Path) -> None:
    (release / DATA).write_bytes(b"PAR1" + b"\xff" * ((release / DATA).stat().st_size - 8) + b"PAR1")
    assert refusal(release).name == "digests"
    assert "schema" in verify(release, TRUSTED).unchecked


# ---------------------------------------------------------------- what a trusted key signs and the rows deny

Edit = Callable[[dict[str, Any]], object]


def shift(path: list[Any], by: int = 1) -> Edit:
    def edit(predicate: dict[str, Any]) -> None:
        holder: Any = predicate
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] += by

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (shift(["totals", "read"]), "totals: read"),
        (shift(["totals", "kept"]), "totals: kept"),
        (shift(["totals", "dropped"], -1), "totals: dropped"),
        (shift(["totals", "text_bytes"]), "totals: text_bytes"),
        (shift(["totals", "reasons", 0, "documents"]), "totals: dedup/exact_duplicate"),
        (shift(["sources", 0, "artifacts", 0, "read"]), "source manual: read of pkg:pypi/first@1.0"),
    ],
)
def test_an_edited_total_is_refused_though_a_trusted_key_signed_it(release: Path, edit: Edit, said: str) -> None:
    small.sign_again(release, edit=edit)
    found = refusal(release)
    assert (found.name, found.file) == ("totals", "manifest.json")
    assert found.detail.startswith(said)


@pytest.mark.parametrize("key", ["read", "kept", "dropped", "text_bytes"])
def test_an_edited_total_of_a_source_is_refused_and_the_source_named(release: Path, key: str) -> None:
    small.sign_again(release, edit=shift(["sources", 1, key]))
    found = refusals(release)
    assert {check.name for check in found} == {"totals"}
    assert any(check.detail.startswith(f"source notes: {key}") for check in found)


def test_reasons_moved_from_one_to_another_are_refused(release: Path) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        for counted in (predicate["totals"], predicate["sources"][0]):
            counted["reasons"][0]["documents"] -= 1
            counted["reasons"][1]["documents"] += 1

    small.sign_again(release, edit=edit)
    details = [check.detail for check in refusals(release)]
    assert [detail.split(":")[1].strip() for detail in details] == ["dedup/exact_duplicate", "extract/redirect"]


@pytest.mark.parametrize("name", [DATA, KEPT, DROPPED])
def test_numbers_of_rows_and_ids_at_the_ends_are_those_of_the_file(release: Path, name: str) -> None:
    number = next(
        index for index, file in enumerate(json.loads((release / "manifest.json").read_bytes())["predicate"]["files"])
        if file["name"] == name
    )  # fmt: skip
    for key, value in (("rows", 1), ("first_id", "0" * 32), ("last_id", None)):
        original = (release / "manifest.json").read_bytes()
        small.sign_again(release, edit=lambda p, key=key, value=value: p["files"][number].update({key: value}))
        found = refusal(release)
        assert (found.name, found.file) == ("rows", name)
        assert found.detail.startswith(f"{key} is")
        (release / "manifest.json").write_bytes(original)
        small.sign_again(release)
    assert verify(release, TRUSTED).ok


def test_a_size_that_is_not_the_files_is_refused_though_signed(release: Path) -> None:
    small.sign_again(release, edit=shift(["files", 0, "bytes"]))
    found = refusal(release)
    assert (found.name, found.file, found.detail) == ("digests", "README.md", "has 8 bytes, the manifest says 9")


def test_a_manifest_of_another_form_is_refused_though_signed(release: Path) -> None:
    small.sign_again(release, edit=lambda p: p.update(note="x"))
    found = refusal(release)
    assert (found.name, found.file) == ("manifest", "manifest.json")
    assert "'note'" in found.detail


def test_a_manifest_that_names_a_file_outside_the_release_is_refused(release: Path) -> None:
    small.sign_again(release, edit=lambda p: p["files"][0].update(name="../README.md"))
    assert refusal(release).name == "manifest"


Change = Callable[[Corpus], object]


def kept_row(made: Corpus, number: int = 3) -> Row:
    return made["manual"]["kept"][number]


def dropped_row(made: Corpus, stage: str) -> Row:
    return next(row for row in made["manual"]["dropped"] if row["stage"] == stage)


def new_text(row: Row, text: str) -> None:
    encoded = text.encode()
    row.update(text=text, text_sha256=hashlib.sha256(encoded).hexdigest(), text_bytes=len(encoded))


def duplicate_in_notes(made: Corpus) -> Row:
    return next(row for row in made["notes"]["dropped"] if row["stage"] == "dedup")


def outside_bounds_but_kept(made: Corpus) -> None:
    kept_row(made)["decisions"][0] = small.decision("too_short", 199 * MILLION, 200 * MILLION, None)


def above_the_upper_bound_but_kept(made: Corpus) -> None:
    kept_row(made)["decisions"][1] = small.decision("language_score", 900_000, 0, 899_999)


def edited_score_of_a_drop(made: Corpus) -> None:
    dropped_row(made, "judge")["decisions"][1]["value"] = 200 * MILLION


def later_failure_as_reason(made: Corpus) -> None:
    dropped_row(made, "judge").update(small.decision("symbols", 300_000, None, 100_000))


def edited_value_of_the_reason(made: Corpus) -> None:
    dropped_row(made, "judge")["value"] += 1


def edited_bound_of_the_reason(made: Corpus) -> None:
    dropped_row(made, "judge")["low"] = None


def failed_rule_left_out(made: Corpus) -> None:
    dropped_row(made, "judge")["failed"].pop()


def failed_rules_in_another_order(made: Corpus) -> None:
    dropped_row(made, "judge")["failed"].reverse()


def duplicate_that_failed_a_rule(made: Corpus) -> None:
    dropped_row(made, "dedup")["decisions"] = [small.decision("too_short", 1, 2, None)]
    dropped_row(made, "dedup")["failed"] = ["too_short"]


def another_text(made: Corpus) -> None:
    kept_row(made)["text_sha256"] = "0" * 64


def another_length(made: Corpus) -> None:
    kept_row(made)["text_bytes"] += 1


def another_id(made: Corpus) -> None:
    row = kept_row(made)
    row["id"] = row["id"][:-1] + ("0" if row["id"][-1] != "0" else "1")


def upper_case_id(made: Corpus) -> None:
    """Of a row in the middle of its shard: the manifest can name no such id as its first or last."""
    kept_row(made)["id"] = kept_row(made)["id"].upper()


def edited_pointer(made: Corpus) -> None:
    kept_row(made)["record"] += 1


def edited_pointer_of_a_drop(made: Corpus) -> None:
    dropped_row(made, "extract")["member"] = "elsewhere"


def artifact_of_another_source(made: Corpus) -> None:
    row = made["manual"]["kept"][2]
    purl, content = small.ARTIFACTS["notes"][0]
    row.update(purl=purl, artifact_sha256=hashlib.sha256(content).hexdigest())
    row["id"] = document_id(row["artifact_sha256"], Pointer(*(row[name] for name in rows.POINTER)))


def purl_of_another_artifact(made: Corpus) -> None:
    row = kept_row(made)
    row["purl"] = next(purl for purl, _ in small.ARTIFACTS["manual"] if purl != row["purl"])


def artifact_that_the_lock_has_not(made: Corpus) -> None:
    dropped_row(made, "read")["artifact_sha256"] = "zz"


def row_of_another_source(made: Corpus) -> None:
    kept_row(made)["source"] = "notes"


def licence_of_another_source(made: Corpus) -> None:
    kept_row(made)["license"] = "MIT"


def kept_and_dropped(made: Corpus) -> None:
    drop = dropped_row(made, "dedup")
    drop.update({name: kept_row(made)[name] for name in ("id", "purl", "artifact_sha256", *rows.POINTER)})


def kept_twice_under_two_names(made: Corpus) -> None:
    """Not exact copies, but documents of one normalised text that were both kept."""
    kept_row(made, 3)["exact_sha256"] = kept_row(made, 8)["exact_sha256"]


def kept_twice_under_one_keyed_digest(made: Corpus) -> None:
    kept_row(made, 3)["exact_hmac"] = kept_row(made, 8)["exact_hmac"]


def keyed_digest_that_is_none(made: Corpus) -> None:
    kept_row(made)["exact_hmac"] = "x" * 64


def edit_that_ends_elsewhere(made: Corpus) -> None:
    kept_row(made)["edits"][-1]["after_hmac"] = "0" * 64


def edits_that_do_not_meet(made: Corpus) -> None:
    kept_row(made)["edits"][1]["before_hmac"] = "0" * 64


def edit_of_a_record_without_text(made: Corpus) -> None:
    dropped_row(made, "read")["edits"] = kept_row(made)["edits"]


def exact_key_that_is_no_digest(made: Corpus) -> None:
    kept_row(made)["exact_sha256"] = "x" * 64


def witness_that_is_not_kept(made: Corpus) -> None:
    dropped_row(made, "dedup")["kept_id"] = dropped_row(made, "extract")["id"]


def witness_of_another_source(made: Corpus) -> None:
    dropped_row(made, "dedup")["kept_source"] = "notes"


def witness_of_another_text(made: Corpus) -> None:
    drop = duplicate_in_notes(made)
    drop["kept_id"] = next(
        row["id"] for row in made[drop["kept_source"]]["kept"] if row["exact_hmac"] != drop["exact_hmac"]
    )


def exact_copy_of_lesser_similarity(made: Corpus) -> None:
    dropped_row(made, "dedup")["similarity"] = 999_999


def near_copy_of_impossible_similarity(made: Corpus) -> None:
    dropped_row(made, "dedup").update(reason="near_duplicate", similarity=MILLION + 1, bands=1)


def near_copy_below_the_threshold(made: Corpus) -> None:
    dropped_row(made, "dedup").update(reason="near_duplicate", similarity=799_999, bands=1)


def witness_that_is_shorter(made: Corpus) -> None:
    drop = dropped_row(made, "dedup")
    drop["measures"]["characters"] += 2


def witness_of_the_same_length_and_a_larger_id(made: Corpus) -> None:
    """Where it is equal in all else, the smaller id is kept."""
    drops = [row for source in made.values() for row in source["dropped"] if row["stage"] == "dedup"]
    drop = next(row for row in drops if row["id"] < row["kept_id"])
    drop["measures"]["characters"] += 1


def near_copy_without_bands(made: Corpus) -> None:
    dropped_row(made, "dedup").update(reason="near_duplicate", similarity=MILLION - 1)


def exact_copy_with_bands(made: Corpus) -> None:
    dropped_row(made, "dedup")["bands"] = 1


def witness_that_is_no_id(made: Corpus) -> None:
    dropped_row(made, "dedup")["kept_id"] = "somebody"


def duplicate_without_witness(made: Corpus) -> None:
    dropped_row(made, "dedup")["kept_id"] = None


def witness_in_a_release_that_is_not_named(made: Corpus) -> None:
    dropped_row(made, "dedup").update(kept_release="ab" * 32)


def redirect_with_a_release(made: Corpus) -> None:
    dropped_row(made, "extract").update(kept_release="ab" * 32)


def unread_record_with_a_text(made: Corpus) -> None:
    dropped_row(made, "read")["text_bytes"] = 7


def unread_record_with_decisions(made: Corpus) -> None:
    dropped_row(made, "extract")["decisions"] = [small.decision("too_short", 3, 2, None)]


def judged_drop_without_value(made: Corpus) -> None:
    dropped_row(made, "judge")["value"] = None


def redirect_with_a_bound(made: Corpus) -> None:
    dropped_row(made, "extract")["high"] = 7


def redirect_with_a_witness(made: Corpus) -> None:
    dropped_row(made, "extract").update(kept_id=kept_row(made)["id"])


def stage_that_is_none(made: Corpus) -> None:
    dropped_row(made, "extract")["stage"] = "whim"


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        (outside_bounds_but_kept, "decisions", "kept, but too_short has 199000000, outside 200000000 to -"),
        (above_the_upper_bound_but_kept, "decisions", "kept, but language_score has 900000, outside 0 to 899999"),
        (
            edited_score_of_a_drop,
            "decisions",
            "failed lists ['too_short', 'symbols'], outside their bounds are ['symbols']",
        ),
        (later_failure_as_reason, "decisions", "reason is 'symbols', the first failing decision has 'too_short'"),
        (edited_value_of_the_reason, "decisions", "value is"),
        (edited_bound_of_the_reason, "decisions", "low is None, the first failing decision has 200000000"),
        (failed_rule_left_out, "decisions", "failed lists ['too_short'], outside their bounds are"),
        (failed_rules_in_another_order, "decisions", "failed lists ['symbols', 'too_short']"),
        (duplicate_that_failed_a_rule, "decisions", "dropped by stage dedup, with 1 decisions outside"),
        (another_text, "texts", "the text has sha256"),
        (another_length, "texts", "the text has"),
        (another_id, "ids", "the id is"),
        (upper_case_id, "ids", "the id is"),
        (edited_pointer, "ids", "the id is"),
        (edited_pointer_of_a_drop, "ids", "the id is"),
        (artifact_of_another_source, "origins", "the lock has no artifact"),
        (purl_of_another_artifact, "origins", "the lock has no artifact"),
        (artifact_that_the_lock_has_not, "origins", "the lock has no artifact zz"),
        (row_of_another_source, "origins", "the row's source is 'notes', its file is of 'manual'"),
        (licence_of_another_source, "aligned", "the licence is 'MIT', the source's is 'BSD-3-Clause'"),
        (kept_and_dropped, "unique", "document"),
        (kept_twice_under_two_names, "duplicates", "exact_sha256"),
        (kept_twice_under_one_keyed_digest, "duplicates", "exact_hmac"),
        (keyed_digest_that_is_none, "schema", "an exact_hmac from this row on"),
        (edit_that_ends_elsewhere, "edits", "the digests of its 2 edits do not lead to its text_hmac"),
        (edits_that_do_not_meet, "edits", "the digests of its 2 edits do not lead to its text_hmac"),
        (edit_of_a_record_without_text, "edits", "the digests of its 2 edits do not lead to its text_hmac, None"),
        (exact_key_that_is_no_digest, "schema", "an exact_sha256 from this row on"),
        (witness_that_is_not_kept, "witnesses", "kept_id is no kept document"),
        (witness_of_another_source, "witnesses", "kept_source is not the source"),
        (witness_of_another_text, "witnesses", "an exact duplicate of a document with another"),
        (witness_in_a_release_that_is_not_named, "witnesses", "kept_release is none of the releases"),
        (exact_copy_of_lesser_similarity, "witnesses", "an exact duplicate with a similarity"),
        (near_copy_of_impossible_similarity, "witnesses", "similarity is not between"),
        (near_copy_below_the_threshold, "witnesses", "a near duplicate below the recipe's threshold of 0.8"),
        (witness_that_is_shorter, "witnesses", "the document that kept_id names does not come before"),
        (witness_of_the_same_length_and_a_larger_id, "witnesses", "the document that kept_id names does not come"),
        (near_copy_without_bands, "ledger", "bands is null in a row of stage dedup"),
        (exact_copy_with_bands, "ledger", "bands is not null in a row of stage dedup"),
        (witness_that_is_no_id, "ledger", "an id, kept_id or exact_hmac"),
        (duplicate_without_witness, "ledger", "kept_id is null in a row of stage dedup"),
        (unread_record_with_a_text, "ledger", "text_bytes is not null in a row of stage read"),
        (unread_record_with_decisions, "ledger", "decisions on a row of stage extract"),
        (judged_drop_without_value, "ledger", "value is null in a row of stage judge"),
        (redirect_with_a_bound, "ledger", "high is not null in a row of stage extract"),
        (redirect_with_a_witness, "ledger", "kept_id is not null in a row of stage extract"),
        (redirect_with_a_release, "ledger", "kept_release is not null in a row of stage extract"),
        (stage_that_is_none, "ledger", "there is no stage 'whim'"),
    ],
)
def test_rows_that_cannot_be_true_are_refused_by_file_and_row(
    tmp_path: Path, change: Change, name: str, said: str
) -> None:
    """The release is consistent but for one change: manifest, digests, totals and signature are made after it."""
    made = small.corpus()
    change(made)
    folder = small.write(tmp_path / "release", made)
    found = [check for check in refusals(folder) if check.name == name]
    assert found
    assert found[0].detail.startswith(said)
    assert found[0].row is not None
    assert found[0].file.endswith(".parquet")


def test_the_row_that_is_named_is_the_row_that_was_changed(tmp_path: Path) -> None:
    made = small.corpus()
    row = kept_row(made, 20)
    row["decisions"][0] = small.decision("too_short", 0, 1, None)
    found = refusal(small.write(tmp_path, made))
    assert pq.read_table(tmp_path / found.file).column("id")[found.row].as_py() == row["id"]


def test_rows_out_of_order_are_refused_within_a_shard_and_across_shards(tmp_path: Path) -> None:
    made = small.corpus()
    made["notes"]["kept"][4:6] = made["notes"]["kept"][5:3:-1]
    found = refusal(small.write(tmp_path / "within", made, order=False))
    assert (found.name, found.file, found.row) == ("order", "provenance/notes/kept-00000-of-00001.parquet", 5)
    folder = small.write(tmp_path / "across", small.corpus())
    for kind, stem in (
        ("data", "train"),
        ("provenance", "kept"),
        ("provenance", "dropped"),
        ("provenance", "clusters"),
    ):
        one, other = (folder / kind / "manual" / f"{stem}-0000{number}-of-00002.parquet" for number in (0, 1))
        one.rename(tmp_path / "aside")
        other.rename(one)
        (tmp_path / "aside").rename(other)
    small.hash_again(folder, edit=lambda p: swap_rows(p["files"]))
    assert {(check.name, check.row) for check in refusals(folder)} == {("order", 0)}


def test_a_row_that_stands_twice_running_is_refused(tmp_path: Path) -> None:
    made = small.corpus()
    made["notes"]["kept"].insert(4, made["notes"]["kept"][4])
    found = refusals(small.write(tmp_path, made))
    assert [(check.name, check.row) for check in found] == [("order", 5), ("unique", 5), ("duplicates", 5)]


def swap_rows(files: list[dict[str, Any]]) -> None:
    """Exchange what the manifest says of the rows of shards 0 and 1."""
    pairs = [(f, g) for f in files for g in files if "-00000-of-00002" in f["name"]
             and g["name"] == f["name"].replace("-00000-of", "-00001-of")]  # fmt: skip
    for one, other in pairs:
        for key in ("rows", "leaves", "first_id", "last_id"):
            one[key], other[key] = other[key], one[key]


def test_a_document_that_stands_in_two_sources_is_refused(tmp_path: Path) -> None:
    """Only a lock that pins one artifact for two sources can bring that about."""
    artifacts = {**small.ARTIFACTS, "notes": [*small.ARTIFACTS["notes"], small.ARTIFACTS["manual"][0]]}
    made = small.corpus()
    row = next(row for row in made["manual"]["kept"] if row["purl"] == artifacts["manual"][0][0])
    copy = {
        **row,
        "source": "notes",
        "license": small.LICENCES["notes"],
        "exact_sha256": "1" * 64,
        "exact_hmac": "1" * 64,
    }
    made["notes"]["kept"] = small.in_order([*made["notes"]["kept"], copy])
    found = refusal(small.write(tmp_path, made, artifacts=artifacts))
    assert found.name == "unique"
    assert row["id"] in found.detail


def rewritten(folder: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a Parquet file as a table, and let manifest and signature follow."""
    table = pq.read_table(folder / name)
    pq.write_table(change(table), folder / name, store_schema=False)
    small.hash_again(folder)


def replaced(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), table.schema.field(column), values)


@pytest.mark.parametrize("column", ["url", "language", "id", "source"])
def test_a_column_that_data_and_kept_share_is_the_same_in_both(release: Path, column: str) -> None:
    rewritten(
        release,
        DATA,
        lambda table: replaced(
            table,
            column,
            table.column(column).combine_chunks().take(pa.array([*range(1, table.num_rows), 0]))
            if column in ("url", "id")
            else pa.array(["x"] * table.num_rows),
        ),
    )
    found = refusals(release)
    assert {(check.name, check.file, check.row) for check in found} == {("aligned", DATA, 0)}
    assert found[0].detail.startswith(column)


def test_two_texts_that_changed_places_are_refused(release: Path) -> None:
    def swap(table: pa.Table) -> pa.Table:
        texts = table.column("text").to_pylist()
        texts[0], texts[1] = texts[1], texts[0]
        return replaced(table, "text", pa.array(texts))

    rewritten(release, DATA, swap)
    found = refusal(release)
    assert (found.name, found.file, found.row) == ("texts", DATA, 0)


@pytest.mark.parametrize("name", [DATA, KEPT, DROPPED])
def test_a_row_too_many_or_too_few_is_refused_though_digests_hold(release: Path, name: str) -> None:
    original = (release / name).read_bytes()
    rewritten(release, name, lambda table: table.slice(0, table.num_rows - 1))
    assert {"rows"} <= {check.name for check in refusals(release)}
    (release / name).write_bytes(original)
    rewritten(release, name, lambda table: pa.concat_tables([table, table.slice(table.num_rows - 1)]))
    assert {"rows"} <= {check.name for check in refusals(release)}


@pytest.mark.parametrize("name", [DATA, KEPT, DROPPED])
def test_columns_missing_renamed_nullable_or_of_another_type_are_refused(release: Path, name: str) -> None:
    original = (release / name).read_bytes()
    nullable = lambda table: pa.table(table.columns, schema=pa.schema([f.with_nullable(True) for f in table.schema]))  # noqa: E731
    changes: list[tuple[Callable[[pa.Table], pa.Table], str]] = [
        (lambda table: table.drop_columns(["url"] if "url" in table.column_names else ["text"]), "differ in url"),
        (lambda table: table.append_column("note", pa.array(["x"] * table.num_rows)), "differ in note"),
        (nullable, "not string not null"),
        (lambda table: table.select(table.column_names[::-1]), "differ in their order"),
        (lambda table: table.set_column(
            1, pa.field(table.column_names[1], pa.binary(), nullable=False), table.column(1).cast(pa.binary())
        ), "is binary not null"),
    ]  # fmt: skip
    for change, said in changes:
        (release / name).write_bytes(original)
        rewritten(release, name, change)
        found = refusal(release)
        assert (found.name, found.file) == ("schema", name)
        assert said in found.detail


def test_measures_of_another_set_of_features_in_one_file_are_refused(release: Path) -> None:
    def rename(table: pa.Table) -> pa.Table:
        kind = schemas.measures(("characters", "word"))
        column = table.column("measures").combine_chunks()
        renamed = pa.StructArray.from_arrays([column.field(0), column.field(1)], fields=list(kind))
        return table.set_column(table.schema.get_field_index("measures"), pa.field("measures", kind, False), renamed)

    rewritten(release, KEPT, rename)
    assert {(check.name, check.row) for check in refusals(release)} == {("schema", None)}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"hello" * 100])
def test_a_signed_file_that_is_no_parquet_is_refused(release: Path, content: bytes) -> None:
    (release / KEPT).write_bytes(content)
    small.hash_again(release)
    found = refusal(release)
    assert (found.name, found.file) == ("schema", KEPT)


def test_a_text_that_is_not_utf_8_is_refused(release: Path) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        texts = [b"\xff\xfe", *(text.encode() for text in table.column("text").to_pylist()[1:])]
        return replaced(table, "text", pa.array(texts, pa.binary()).view(pa.string()))

    rewritten(release, DATA, spoil)
    assert refusal(release).name == "schema"


def test_damage_in_a_signed_file_is_a_finding_and_never_a_crash(release: Path) -> None:
    """What no rule can know (a title, a charset, statistics) is the signer's own word, so that not all are refused."""
    draw = random.Random(3)
    refused = 0
    for name in (DATA, KEPT, DROPPED):
        data = (release / name).read_bytes()
        for _ in range(40):
            changed = bytearray(data)
            for _ in range(3):
                changed[draw.randrange(4, len(data) - 8)] = draw.randrange(256)
            (release / name).write_bytes(changed)
            small.hash_again(release)
            refused += not verify(release, TRUSTED).ok
        (release / name).write_bytes(data)
    assert refused > 60


def small_file_of_800_megabytes_of_text(path: Path) -> None:
    """40,000 rows of one text of 20 kB, which a dictionary holds once a row group."""
    columns = {field.name: pa.array(["x" * (20_000 if field.name == "text" else 1)] * 1000) for field in schemas.DATA}
    with pq.ParquetWriter(path, schemas.DATA, compression="zstd", store_schema=False) as writer:
        for _ in range(40):
            writer.write_table(pa.table(columns, schema=schemas.DATA))


def test_memory_is_bounded_by_a_batch_whatever_a_signed_file_unfolds_to(release: Path, tmp_path: Path) -> None:
    """Measured in a process of its own: the peak of Arrow's memory is one of a process."""
    small_file_of_800_megabytes_of_text(release / DATA)
    assert (release / DATA).stat().st_size < 200_000
    small.hash_again(release)
    (tmp_path / "trusted.pub").write_bytes(keys.public_pem(TRUSTED[0]))
    code = (
        "import sys, pathlib, pyarrow; from pipeline.trust import keys, verify\n"
        "result = verify.verify(pathlib.Path(sys.argv[1]), [keys.load_public(pathlib.Path(sys.argv[2]))])\n"
        "print(pyarrow.default_memory_pool().max_memory(), *sorted({check.name for check in result.failures}))"
    )
    command = [sys.executable, "-c", code, str(release), str(tmp_path / "trusted.pub")]
    peak, *failed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {"aligned", "rows"} <= set(failed)
    assert int(peak) < 100 << 20


def test_a_kept_document_elsewhere_is_of_a_release_that_the_manifest_names(tmp_path: Path) -> None:
    """Its id, its source and its text are not known here; that it is named, and how alike it is said to be, are."""
    named, odd = small.other(), small.other(release_id="cd" * 32)
    made = small.corpus()
    dropped_row(made, "dedup").update(kept_id="0" * 32, kept_source="theirs", kept_release=named["release_id"])
    assert verify(small.write(tmp_path / "named", made, against=[named, odd]), TRUSTED).ok
    for number, against in enumerate(([], [odd])):
        found = refusal(small.write(tmp_path / str(number), made, against=against))
        assert (found.name, found.detail.split(" (")[0]) == (
            "witnesses", "kept_release is none of the releases that the manifest was built against",
        )  # fmt: skip
        row = pq.read_table(tmp_path / str(number) / found.file).to_pylist()[found.row or 0]
        assert row["kept_release"] == named["release_id"]
    dropped_row(made, "dedup").update(kept_release=None)
    assert "kept_id is no kept document" in str(refusals(small.write(tmp_path / "here", made, against=[named])))
    dropped_row(made, "dedup").update(kept_release=named["release_id"], similarity=MILLION - 1)
    assert "similarity that is not 1" in str(refusals(small.write(tmp_path / "less", made, against=[named])))


def test_a_copy_of_a_document_elsewhere_is_in_no_cluster(tmp_path: Path) -> None:
    made = small.corpus()
    row = dropped_row(made, "dedup")
    row.update(kept_release=small.other()["release_id"])

    def add(clusters: dict[str, list[Row]]) -> None:
        cluster = next(cluster for cluster in clusters[row["kept_source"]] if cluster["id"] == row["kept_id"])
        cluster["members"].append({name: row[name] for name in ("id", "source", "similarity")})
        cluster.update(documents=3, exact_duplicates=2)

    found = refusal(small.write(tmp_path, made, change=add, against=[small.other()]))
    assert (found.name, "is in a cluster, and not dropped" in found.detail) == ("clusters", True)


def of_manual(clusters: dict[str, list[Row]]) -> Row:
    return clusters["manual"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["manual"].pop(0), "is dropped as a duplicate, and in no cluster"),
        (lambda c: of_manual(c)["members"][0].update(id="0" * 32), "is in a cluster, and not dropped as a duplicate"),
        (lambda c: of_manual(c)["members"][-1].update(similarity=5), "has another similarity in its own row"),
        (lambda c: of_manual(c).update(documents=7), "7 documents,"),
        (lambda c: of_manual(c).update(exact_duplicates=-1, near_duplicates=3), "-1 exact and 3 near duplicates"),
        (lambda c: of_manual(c).update(source="notes"), "is of source notes"),
        (
            lambda c: of_manual(c).update(members=of_manual(c)["members"] * 2, documents=5, exact_duplicates=4),
            "a document is in two clusters",
        ),
        (lambda c: of_manual(c)["members"][0].update(similarity=5), "do not descend"),
        (lambda c: of_manual(c).update(id=c["manual"][1]["id"]), "does not come after"),
    ],
)
def test_clusters_that_the_ledger_contradicts_are_refused(
    tmp_path: Path, change: Callable[[dict[str, list[Row]]], object], said: str
) -> None:
    found = refusals(small.write(tmp_path / "release", small.corpus(), change=change))
    assert any(said in check.detail for check in found), [str(check) for check in found]
    assert {check.name for check in found} <= {"clusters", "order", "rows"}


def test_near_duplicates_of_a_recipe_that_keeps_such_are_refused(tmp_path: Path) -> None:
    made = small.corpus()
    dropped_row(made, "dedup").update(reason="near_duplicate", similarity=900_000, bands=3)
    folder = small.write(tmp_path / "release", made)
    assert verify(folder, TRUSTED).ok
    small.sign_again(folder, edit=lambda predicate: predicate["recipe"]["dedup"].update(near=None))
    (found,) = refusals(folder)
    assert (found.name, found.detail[:45]) == ("witnesses", "a near duplicate, and the recipe keeps such (")


def test_the_priority_of_a_source_stands_before_the_length_of_a_text(tmp_path: Path) -> None:
    made = small.corpus()
    drop = next(row for row in made["notes"]["dropped"] if row["stage"] == "dedup" and row["kept_source"] == "manual")
    drop["measures"]["characters"] += 100  # longer than its witness
    folder = small.write(tmp_path / "release", made)
    assert {check.name for check in refusals(folder)} == {"witnesses"}
    small.sign_again(folder, edit=lambda predicate: predicate["recipe"]["sources"][0].update(priority=1))
    assert verify(folder, TRUSTED).ok
    small.sign_again(folder, edit=lambda predicate: predicate["recipe"]["sources"][1].update(priority=2))
    assert {check.name for check in refusals(folder)} == {"witnesses"}


# ---------------------------------------------------------------- roots and checkpoint


@pytest.mark.parametrize("name", [DATA, KEPT, DROPPED])
def test_a_content_root_that_the_rows_deny_is_refused_though_a_trusted_key_signed_it(release: Path, name: str) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        next(file for file in predicate["files"] if file["name"] == name)["root"] = "ab" * 32

    small.sign_again(release, edit=edit)
    found = refusal(release)
    assert (found.name, found.file) == ("roots", name)
    assert "abab" in found.detail


@pytest.mark.parametrize("tree", roots.INDEX_TREES)
@pytest.mark.parametrize("key", ["root", "size"])
def test_an_index_root_that_the_rows_deny_is_refused(release: Path, tree: str, key: str) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        predicate["roots"][tree][key] = {"root": "ab" * 32, "size": 1}[key]

    small.sign_again(release, edit=edit)
    found = refusal(release)
    assert (found.name, found.file) == ("roots", "manifest.json")
    assert f"the rows give {tree} " in found.detail


@pytest.mark.parametrize("tree", ["artifacts", "shards"])
def test_a_root_that_the_manifests_own_lists_deny_is_refused(release: Path, tree: str) -> None:
    predicate = json.loads((release / "manifest.json").read_bytes())["predicate"]
    predicate["roots"][tree]["root"] = "ab" * 32
    (release / "manifest.json").write_bytes(manifest.encode(predicate))
    small.sign_again(release)
    found = refusal(release)
    assert found.name == "manifest"
    assert f"roots.{tree}" in found.detail


def test_a_checkpoint_of_another_release_is_refused(release: Path, tmp_path: Path) -> None:
    rows = small.corpus()
    del rows["notes"]["kept"][-1]
    other = small.write(tmp_path / "other", rows)
    shutil.copy(other / "checkpoint.dsse.json", release)
    found = refusal(release)
    assert (found.name, found.file) == ("checkpoint", "checkpoint.dsse.json")
    assert "is of release" in found.detail


def test_a_checkpoint_with_other_roots_than_the_manifest_is_refused(release: Path) -> None:
    data = (release / "manifest.json").read_bytes()
    predicate = json.loads(data)["predicate"]
    predicate["roots"]["ids"] = {"size": 1, "root": "ab" * 32}
    small_one = checkpoint.statement(hashlib.sha256(data).hexdigest(), predicate)
    (release / "checkpoint.dsse.json").write_bytes(dsse.sign(small_one, intoto.PAYLOAD_TYPE, KEY))
    found = refusal(release)
    assert (found.name, found.file) == ("checkpoint", "checkpoint.dsse.json")
    assert "roots: it says" in found.detail


def test_a_checkpoint_signed_by_another_key_is_refused(release: Path) -> None:
    data = (release / "manifest.json").read_bytes()
    small_one = checkpoint.statement(hashlib.sha256(data).hexdigest(), json.loads(data)["predicate"])
    (release / "checkpoint.dsse.json").write_bytes(dsse.sign(small_one, intoto.PAYLOAD_TYPE, OTHER_KEY))
    found = refusal(release)
    assert (found.name, found.file) == ("checkpoint", "checkpoint.dsse.json")


# ---------------------------------------------------------------- other bytes, the same rows


def written_otherwise(release: Path, name: str, **options: Any) -> None:
    pq.write_table(pq.read_table(release / name), release / name, store_schema=False, **options)


@pytest.mark.parametrize(("options", "said"), [
    ({"compression": "snappy", "row_group_size": 7}, "codec is SNAPPY, was ZSTD"),
    ({"compression": "zstd", "row_group_size": 2}, "row groups here"),
    ({"compression": "zstd", "use_dictionary": False, "data_page_version": "2.0"}, "row groups here"),
])  # fmt: skip
def test_rows_written_otherwise_are_refused_as_bytes_and_accepted_as_content(
    release: Path, options: dict[str, Any], said: str
) -> None:
    for name in (DATA, KEPT, DROPPED):
        written_otherwise(release, name, **options)
    assert [(check.name, check.file) for check in refusals(release)] == [
        ("digests", name) for name in (DATA, DROPPED, KEPT)
    ]
    result = verify(release, TRUSTED, content=True)
    assert (result.ok, result.level, sorted(result.differs)) == (True, "L1", sorted((DATA, KEPT, DROPPED)))
    assert all(said in what for what in result.differs.values())


def test_a_release_with_the_published_bytes_is_at_level_0_however_it_is_asked(release: Path) -> None:
    assert [verify(release, TRUSTED, content=content).level for content in (False, True)] == ["L0", "L0"]


def test_other_rows_are_refused_as_content_too(release: Path) -> None:
    table = pq.read_table(release / DATA)
    titles = pa.array(["other", *table.column("title").to_pylist()[1:]], pa.string())
    changed = table.set_column(table.schema.get_field_index("title"), table.schema.field("title"), titles)
    pq.write_table(changed, release / DATA, store_schema=False)
    result = verify(release, TRUSTED, content=True)
    assert [(check.name, check.file) for check in result.failures] == [("roots", DATA)]
    assert result.level is None


def test_bytes_that_nobody_signed_are_read_with_bounded_memory(release: Path, tmp_path: Path) -> None:
    """In a process of its own: the limit is one of a process."""
    code = (
        "import resource, sys; from click.testing import CliRunner; from pipeline.cli import main; "
        "from pipeline.commands.trust import MEMORY_LIMIT; CliRunner().invoke(main, sys.argv[1:]); "
        "print(resource.getrlimit(resource.RLIMIT_AS)[0] == MEMORY_LIMIT)"
    )
    (tmp_path / "key.pub").write_bytes(keys.public_pem(KEY.public_key()))
    command = [sys.executable, "-c", code, "verify", str(release), "--key", str(tmp_path / "key.pub")]
    for options, limited in (([], "False"), (["--content"], "True")):
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == limited


def test_other_bytes_of_what_has_no_rows_are_refused_however_it_is_asked(release: Path) -> None:
    (release / "README.md").write_text("# other\n")
    assert [check.file for check in verify(release, TRUSTED, content=True).failures] == ["README.md"]


def test_a_file_that_is_no_parquet_is_refused_as_content_too(release: Path) -> None:
    (release / KEPT).write_bytes(b"PAR1 and no more")
    found = verify(release, TRUSTED, content=True).failures
    assert {(check.name, check.file) for check in found} == {("schema", KEPT)}


# ---------------------------------------------------------------- bytes alone


def test_bytes_alone_are_verified_without_a_row_and_what_was_not_checked_is_named(release: Path) -> None:
    result = verify(release, TRUSTED, bytes_only=True)
    assert (result.ok, result.level, result.to_json()["bytes_only"]) == (True, "L0", True)
    assert [check.name for check in result.checks] == list(OF_BYTES)
    assert set(result.unchecked) == set(CHECKS) - {*OF_BYTES, *ON_REQUEST}


def test_whoever_asks_for_bytes_alone_takes_the_signer_s_word_for_the_rows(tmp_path: Path) -> None:
    corpus = small.corpus()
    corpus["manual"]["kept"][0]["text_bytes"] += 1
    wrong = small.write(tmp_path, corpus)
    assert verify(wrong, TRUSTED, bytes_only=True).ok
    assert "texts" in {check.name for check in refusals(wrong)}


@pytest.mark.parametrize("name", [DATA, KEPT, "README.md", *ENVELOPES])
def test_a_changed_byte_or_a_missing_file_is_refused_where_bytes_alone_are_asked_for(release: Path, name: str) -> None:
    data = (release / name).read_bytes()
    (release / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if data else b"x")
    result = verify(release, TRUSTED, bytes_only=True)
    assert not result.ok and result.level is None and result.failures
    (release / name).unlink()
    assert not verify(release, TRUSTED, bytes_only=True).ok


def test_another_file_or_another_key_is_refused_where_bytes_alone_are_asked_for(release: Path) -> None:
    assert not verify(release, [OTHER_KEY.public_key()], bytes_only=True).ok
    (release / "more.txt").write_text("x")
    assert [check.name for check in verify(release, TRUSTED, bytes_only=True).failures] == ["listing"]


def test_bytes_alone_and_content_contradict_each_other(release: Path) -> None:
    with pytest.raises(RecipeError, match="none to be read"):
        verify(release, TRUSTED, content=True, bytes_only=True)


def test_the_command_says_which_checks_bytes_alone_left_out(release: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_bytes(keys.public_pem(TRUSTED[0]))
    result = CliRunner().invoke(main, ["verify", str(release), "--bytes", "--key", str(tmp_path / "key.pub")])
    assert result.exit_code == 0, result.output
    assert "ok    digests" in result.output and "-     texts       not made, --bytes reads no row" in result.output
    assert "verified, bytes only" in result.output
