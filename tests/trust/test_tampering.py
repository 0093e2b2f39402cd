"""Kinds of tampering that stand in docs/tampering.md and in no other test; and that each kind of that page has its tests."""

import hashlib
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.trust import canonical, dsse, intoto
from pipeline.trust.folder import ENVELOPE_LIMIT
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.refused import refusals

DATA = "data/manual/train-00000-of-00002.parquet"
NOTES = "data/notes/train-00000-of-00001.parquet"


def exchange(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def sign_bytes(folder: Path, data: bytes) -> None:
    """Any bytes as a manifest, signed by the trusted key."""
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.dsse.json").write_bytes(dsse.sign(data, intoto.PAYLOAD_TYPE, small.KEY))


def test_files_of_two_sources_that_changed_places_are_refused_signed_or_not(release: Path) -> None:
    exchange(release / DATA, release / NOTES)
    assert {(check.name, check.file) for check in refusals(release)} == {("digests", DATA), ("digests", NOTES)}
    small.hash_again(release)
    assert {DATA, NOTES} == {check.file for check in refusals(release) if check.name == "aligned"}


def test_a_data_file_in_the_place_of_a_kept_file_is_refused_though_signed(release: Path) -> None:
    exchange(release / DATA, release / DATA.replace("data/manual/train", "provenance/manual/kept"))
    small.hash_again(release)
    assert DATA in {check.file for check in refusals(release) if check.name == "schema"}


def test_a_dropped_document_that_is_put_among_the_kept_is_refused(tmp_path: Path) -> None:
    for stage, name in (("judge", "decisions"), ("dedup", "duplicates")):
        made = small.corpus()
        row = next(row for row in made["manual"]["dropped"] if row["stage"] == stage)
        made["manual"]["dropped"].remove(row)
        made["manual"]["kept"] = small.in_order([*made["manual"]["kept"], row])
        assert name in {check.name for check in refusals(small.write(tmp_path / stage, made))}


def test_a_document_that_is_both_kept_and_a_row_of_another_source_is_refused(tmp_path: Path) -> None:
    made = small.corpus()
    made["notes"]["kept"] = small.in_order([*made["notes"]["kept"], made["manual"]["kept"][0]])
    assert "origins" in {check.name for check in refusals(small.write(tmp_path, made))}


def test_where_a_shard_ends_is_the_signers_own_word_and_a_strangers_move_breaks_the_digests(release: Path) -> None:
    for stem in ("data/manual/train", "provenance/manual/kept"):
        one, two = (release / f"{stem}-0000{number}-of-00002.parquet" for number in (0, 1))
        first, second = pq.read_table(one), pq.read_table(two)
        pq.write_table(first.slice(0, first.num_rows - 1), one, store_schema=False)
        pq.write_table(pa.concat_tables([first.slice(first.num_rows - 1), second]), two, store_schema=False)
    assert {check.name for check in refusals(release)} == {"digests"}

    def recount(predicate: dict[str, Any]) -> None:
        for file in predicate["files"]:
            if file["kind"] in ("data", "kept"):
                ids = pq.read_table(release / file["name"]).column("id").to_pylist()
                file.update(rows=len(ids), leaves=len(ids), first_id=ids[0], last_id=ids[-1])

    small.hash_again(release, recount)
    assert verify(release, small.TRUSTED).ok


def test_a_title_that_the_signer_changed_is_the_signers_own_word(tmp_path: Path) -> None:
    """Documented: nothing in a release says what a title was. A stranger's change of it breaks the digest."""
    made = small.corpus()
    made["manual"]["kept"][0]["title"] = "another"
    assert verify(small.write(tmp_path, made), small.TRUSTED).ok


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data + b"\n", "canonical"),
        (lambda data: data + data, "not JSON"),
        (lambda data: data.replace(b":", b": ", 1), "canonical"),
        (lambda data: b'{"_type":"x",' + data[1:], "stands twice"),
        (lambda data: data.replace(b'"predicate":{', b'"predicate":{"a":NaN,', 1), "NaN"),
        (lambda data: b"\xef\xbb\xbf" + data, "not JSON"),
        (lambda data: data.decode().encode("utf-16"), "not JSON"),
        (lambda data: b"", "not JSON"),
    ],
)
def test_a_manifest_that_is_spelt_otherwise_is_refused_though_signed(
    release: Path, spoil: Callable[[bytes], bytes], said: str
) -> None:
    sign_bytes(release, spoil((release / "manifest.json").read_bytes()))
    found = refusals(release)
    assert (found[0].name, found[0].file) == ("manifest", "manifest.json")
    assert said in found[0].detail


def test_a_run_document_without_signature_is_refused(release: Path) -> None:
    path = release / "run.dsse.json"
    path.write_bytes(canonical.dumps({**json.loads(path.read_bytes()), "signatures": []}))
    (found,) = refusals(release)
    assert (found.name, found.file) == ("run", "run.dsse.json")
    assert "0 signatures" in found.detail


def test_a_signature_that_was_made_for_another_payload_type_is_refused(release: Path) -> None:
    data = (release / "manifest.json").read_bytes()
    path = release / "manifest.dsse.json"
    other = dsse.sign(data, "application/other", small.KEY)
    for envelope, said in (
        (other, "the payload type is"),
        (canonical.dumps({**json.loads(other), "payloadType": intoto.PAYLOAD_TYPE}), "does not verify"),
    ):
        path.write_bytes(envelope)
        (found,) = refusals(release)
        assert (found.name, said in found.detail) == ("signature", True)


def test_a_socket_in_a_release_is_refused(release: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(release / "s"))
        (found,) = refusals(release)
    assert (found.name, found.file) == ("listing", "s")
    assert "device, pipe or socket" in found.detail


@pytest.mark.parametrize("name", ["RЕADME.md", "README.md\u200b", "README\u2024md"])
def test_a_name_that_looks_like_another_is_refused_on_disk_and_in_the_manifest(release: Path, name: str) -> None:
    (release / name).write_bytes(b"x")
    assert [(check.name, check.file) for check in refusals(release)] == [("listing", name)]
    small.sign_again(release, edit=lambda p: p["files"][0].update(name=name))
    assert {check.name for check in refusals(release)} == {"manifest"}


def test_a_report_that_is_not_the_one_the_run_document_names_is_refused(release: Path) -> None:
    path = release / "report.html"
    path.write_text("<!doctype html>\n<title>another</title>\n")
    for bytes_only in (False, True):
        (found,) = verify(release, small.TRUSTED, bytes_only=bytes_only).failures
        assert (found.name, found.file) == ("report", "report.html")
        assert f"has sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}, run.dsse.json says" in found.detail
    path.unlink()
    (found,) = verify(release, small.TRUSTED).failures
    assert (found.name, found.file, found.detail) == ("listing", "report.html", "is missing")


def test_a_run_document_that_names_no_report_or_another_file_is_refused(release: Path) -> None:
    path = release / "run.dsse.json"
    value = json.loads(dsse.open_envelope(path.read_bytes(), small.TRUSTED, intoto.PAYLOAD_TYPE).payload)
    details = value["predicate"]["runDetails"]
    details["byproducts"][0]["name"] = "README.md"
    path.write_bytes(dsse.sign(canonical.dumps(value), intoto.PAYLOAD_TYPE, small.KEY))
    (found,) = verify(release, small.TRUSTED).failures
    assert (found.name, found.file) == ("run", "run.dsse.json")
    del details["byproducts"]
    path.write_bytes(dsse.sign(canonical.dumps(value), intoto.PAYLOAD_TYPE, small.KEY))
    (found,) = verify(release, small.TRUSTED).failures
    assert (found.name, found.file) == ("run", "run.dsse.json")
    assert "'byproducts'" in found.detail


@pytest.mark.parametrize("name", ["manifest.json", "manifest.dsse.json", "run.dsse.json"])
def test_a_document_of_gigabytes_is_refused_by_its_size_without_reading_it(release: Path, name: str) -> None:
    with (release / name).open("r+b") as stream:
        stream.truncate(ENVELOPE_LIMIT + 1)  # sparse: it takes no room
    (found,) = refusals(release)
    assert (found.file, found.detail) == (name, f"has more than {ENVELOPE_LIMIT} bytes")


def test_a_forgery_in_which_everything_agrees_but_the_key_is_refused(tmp_path: Path) -> None:
    made = small.corpus()
    row = made["manual"]["kept"][0]
    text = row["text"] + "forged"
    encoded = text.encode()
    row.update(text=text, text_sha256=hashlib.sha256(encoded).hexdigest(), text_bytes=len(encoded), edits=[])
    folder = small.write(tmp_path, made, small.OTHER_KEY)
    assert verify(folder, (small.OTHER_KEY.public_key(),)).ok
    (found,) = refusals(folder)
    assert found.name == "signature"


def test_every_kind_of_tampering_in_the_page_names_tests_that_are_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tampering.md").read_text()
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    kinds = [line.split("|")[1:] for line in page.splitlines() if re.match(r"\| (?!kind|---)", line)]
    assert len({kind[0].strip() for kind in kinds}) == len(kinds) >= 40
    for kind in kinds:
        named = re.findall(r"`(\w+)`", kind[2])
        assert named, kind
        assert [name for name in named if f"def {name}(" not in tests] == [], kind
