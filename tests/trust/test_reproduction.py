"""Reproductions: a document says what was found and nothing that contradicts itself; only what somebody else signed counts."""

import getpass
import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import canonical, dsse, intoto, reproduction
from pipeline.trust.findings import CHECKS, Verification
from pipeline.trust.keys import key_id
from pipeline.trust.verify import verify
from tests.trust import small_release as small

ANNA, BERT, CLEO = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (7, 8, 9))
NAMED = tuple(key.public_key() for key in (ANNA, BERT))
BUILT = "b" * 64


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("release"), small.corpus())


@pytest.fixture(scope="module")
def release_id(release: Path) -> str:
    return hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest()


def statement(release_id: str, built: str = BUILT, levels: str = "000", parts: tuple[str, ...] = ("code",)) -> bytes:
    """One character of `levels` a file: 0 equal bytes, 1 equal rows, x different."""
    names = {"0": "L0", "1": "L1", "x": "differs"}
    return reproduction.statement(
        release_id=release_id, built=built, levels={f"data/f{n:03}": names[level] for n, level in enumerate(levels)},
        manifest_parts=parts, code={"package": "pellucid", "version": "0.1.0", "sha256": "c" * 64}, started=0, finished=60,
    )  # fmt: skip


def signed(key: Ed25519PrivateKey, data: bytes) -> bytes:
    return dsse.sign(data, intoto.PAYLOAD_TYPE, key)


def ask(release: Path, documents: dict[str, bytes], wanted: int = 1, keys: Any = NAMED) -> Verification:
    return verify(release, small.TRUSTED, reproduced=reproduction.Asked(documents, keys, wanted))


# ---------------------------------------------------------------- the document


@pytest.mark.parametrize(
    ("levels", "verdict", "counts"),
    [
        ("000", "bytes", (3, 0, 0)),
        ("0101", "content", (2, 2, 0)),
        ("01x", "differs", (1, 1, 1)),
        ("x", "differs", (0, 0, 1)),
    ],
)
def test_the_verdict_is_the_worst_of_all_files(levels: str, verdict: str, counts: tuple[int, int, int]) -> None:
    data = statement("a" * 64, levels=levels)
    value = json.loads(data)
    assert value["predicateType"] == "urn:pellucid:reproduction:v1"
    assert value["subject"] == [{"name": "manifest.json", "digest": {"sha256": "a" * 64}}]
    stated = reproduction.parse(data)
    assert (stated.release_id, stated.built, stated.verdict) == ("a" * 64, BUILT, verdict)
    assert stated.predicate["files"] == dict(zip(("bytes", "content", "differs"), counts, strict=True))
    assert stated.predicate["differing"] == [f"data/f{n:03}" for n, level in enumerate(levels) if level == "x"]
    assert (stated.predicate["started"], stated.predicate["finished"]) == (
        "1970-01-01T00:00:00Z", "1970-01-01T00:01:00Z",
    )  # fmt: skip
    assert stated.predicate["versions"]["python"] == platform.python_version()


def test_of_many_files_that_differ_the_first_hundred_are_named_and_all_are_counted() -> None:
    stated = reproduction.parse(statement("a" * 64, levels="x" * 250))
    assert stated.predicate["differing"] == [f"data/f{n:03}" for n in range(100)]
    assert stated.predicate["files"]["differs"] == 250


def strings(value: Any) -> Iterator[str]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield str(value)
    for _, item in parts:
        yield from strings(item)


def test_it_names_no_host_no_user_and_no_folder() -> None:
    said = list(strings(json.loads(statement("a" * 64))))
    assert platform.node() not in said
    assert getpass.getuser() not in said
    assert not any(item.startswith("/") or str(Path.home()) in item for item in said)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(verdict="bytes"), "verdict is 'bytes'"),
        (lambda p: p.update(verdict="content"), "verdict is 'content'"),
        (lambda p: p.update(verdict="fine"), "verdict is 'fine'"),
        (lambda p: p["files"].update(differs=1), "differing names 2 files"),
        (lambda p: p["differing"].reverse(), "differing is out of order"),
        (lambda p: p.update(differing=["data/f001", "data/f001"]), "differing is out of order"),
        (lambda p: p.update(differing=["/etc/passwd", "data/f001"]), r"differing\[0\]"),
        (lambda p: p.update(differing=["a\x1b[2J", "data/f001"]), r"differing\[0\]"),
        (lambda p: p["manifest_parts"].reverse(), "manifest_parts is out of order"),
        (lambda p: p.update(built="a" * 64), "yet something differs"),
        (lambda p: p.update(built="b" * 63), "built"),
        (lambda p: p.update(started="now"), "started"),
        (lambda p: p["code"].update(sha256="C" * 64), "code.sha256"),
        (lambda p: p["machine"].update(host="mine"), "'host'"),
    ],
)
def test_a_document_that_contradicts_itself_or_is_of_another_form_is_refused(change: Change, message: str) -> None:
    value = json.loads(statement("a" * 64, levels="0xx", parts=("code", "files")))
    change(value["predicate"])
    with pytest.raises(VerificationError, match=message):
        reproduction.parse(canonical.dumps(value))


def test_only_equal_bytes_can_give_the_published_release_itself() -> None:
    assert reproduction.parse(statement("a" * 64, built="a" * 64, parts=())).built == "a" * 64
    for levels, parts in (("01", ()), ("00", ("code",))):
        with pytest.raises(VerificationError, match="yet something differs"):
            statement("a" * 64, built="a" * 64, levels=levels, parts=parts)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@given(st.data())
def test_a_value_of_another_kind_is_refused_wherever_it_stands(draw: st.DataObject) -> None:
    value = json.loads(statement("a" * 64, levels="01x"))
    path = draw.draw(st.sampled_from([p for p in places(value["predicate"]) if p]))
    holder = value["predicate"]
    for key in path[:-1]:
        holder = holder[key]
    other = draw.draw(st.sampled_from([True, -1, [[]], {"k": {}}, None]))
    assume(type(other) is not type(holder[path[-1]]))
    assume(not (other is None and path[-1] == "memory_bytes"))
    holder[path[-1]] = other
    with pytest.raises(VerificationError):
        reproduction.parse(canonical.dumps(value))


def test_a_subject_that_is_not_one_manifest_is_refused() -> None:
    for change in (
        lambda s: s.clear(),
        lambda s: s[0].update(name="README.md"),
        lambda s: s.append({**s[0], "name": "x"}),
    ):
        value = json.loads(statement("a" * 64))
        change(value["subject"])
        with pytest.raises(VerificationError, match="subject is"):
            reproduction.parse(canonical.dumps(value))


# ---------------------------------------------------------------- who counts


def test_it_is_checked_only_if_it_is_asked_for(release: Path) -> None:
    result = verify(release, small.TRUSTED)
    assert result.ok and result.reproductions is None
    assert "reproduced" not in {check.name for check in result.checks} | set(result.unchecked)
    assert result.to_json()["reproductions"] is None


@pytest.mark.parametrize("levels", ["00", "01"])
def test_two_keys_that_have_reproduced_it_to_the_byte_or_row_are_two(
    release: Path, release_id: str, levels: str
) -> None:
    documents = {
        "a.json": signed(ANNA, statement(release_id)),
        "b.json": signed(BERT, statement(release_id, levels=levels)),
    }
    result = ask(release, documents, 2)
    assert result.ok
    assert [check.name for check in result.checks] == [name for name in CHECKS if name != "log"]
    assert result.reproductions is not None
    assert {judged.key_id for judged in result.reproductions.counted} == {key_id(key) for key in NAMED}
    assert json.loads(json.dumps(result.to_json()))["reproductions"]["counted"] == 2


def shortfall(release: Path, documents: dict[str, bytes], wanted: int, counted: int, keys: Any = NAMED) -> str:
    """What is said where fewer than `wanted` count; the same documents are enough for `counted`."""
    result = ask(release, documents, wanted, keys)
    (found,) = result.failures
    assert found.name == "reproduced"
    assert found.detail.startswith(
        f"{counted} key{' has' if counted == 1 else 's have'} reproduced it, {wanted} wanted"
    )
    if counted:
        assert ask(release, documents, counted, keys).ok
    return found.detail


def test_too_few_are_refused_and_none_at_all(release: Path, release_id: str) -> None:
    shortfall(release, {"a.json": signed(ANNA, statement(release_id))}, 2, 1)
    shortfall(release, {}, 1, 0)


def test_two_documents_of_one_key_count_once(release: Path, release_id: str) -> None:
    documents = {
        "a.json": signed(ANNA, statement(release_id)),
        "b.json": signed(ANNA, statement(release_id, levels="01")),
    }
    assert "b.json is by the same key as a.json: a key counts once" in shortfall(release, documents, 2, 1)


def test_one_document_under_two_names_counts_once(release: Path, release_id: str) -> None:
    document = signed(ANNA, statement(release_id))
    assert "a key counts once" in shortfall(release, {"a.json": document, "b.json": document}, 2, 1)


def test_a_key_that_is_named_twice_counts_once(release: Path, release_id: str) -> None:
    documents = {
        "a.json": signed(ANNA, statement(release_id)),
        "b.json": signed(ANNA, statement(release_id, levels="01")),
    }
    shortfall(release, documents, 2, 1, keys=(ANNA.public_key(), ANNA.public_key()))


def test_a_key_under_the_id_of_another_does_not_count(release: Path, release_id: str) -> None:
    envelope = json.loads(signed(ANNA, statement(release_id)))
    envelope["signatures"][0]["keyid"] = key_id(BERT.public_key())
    documents = {"a.json": signed(ANNA, statement(release_id)), "b.json": canonical.dumps(envelope)}
    assert "b.json is not signed by a key that you named: the key id is" in shortfall(release, documents, 2, 1)


def test_a_stranger_under_the_id_of_a_named_key_does_not_count(release: Path, release_id: str) -> None:
    envelope = json.loads(signed(CLEO, statement(release_id)))
    envelope["signatures"][0]["keyid"] = key_id(ANNA.public_key())
    assert "the signature does not verify" in shortfall(release, {"a.json": canonical.dumps(envelope)}, 1, 0)


def test_a_key_that_the_caller_did_not_name_does_not_count(release: Path, release_id: str) -> None:
    said = shortfall(release, {"c.json": signed(CLEO, statement(release_id))}, 1, 0)
    assert "c.json is not signed by a key that you named: no trusted key has signed it" in said
    assert key_id(CLEO.public_key()) in said


def test_a_reproduction_of_another_release_does_not_count(release: Path) -> None:
    documents = {"a.json": signed(ANNA, statement("d" * 64))}
    assert f"a.json is of another release, {'d' * 64}" in shortfall(release, documents, 1, 0)


def test_that_this_release_was_built_while_another_was_published_does_not_count(release: Path, release_id: str) -> None:
    documents = {"a.json": signed(ANNA, statement("d" * 64, built=release_id))}
    assert "is of another release" in shortfall(release, documents, 1, 0)


def test_the_builders_own_key_reproduces_nothing_for_anybody(release: Path, release_id: str) -> None:
    documents = {"k.json": signed(small.KEY, statement(release_id)), "a.json": signed(ANNA, statement(release_id))}
    said = shortfall(release, documents, 2, 1, keys=(*NAMED, small.KEY.public_key()))
    assert "k.json is by the builder's own key" in said


def test_the_key_of_the_run_document_is_the_builders_too(tmp_path: Path) -> None:
    folder = small.write(tmp_path, small.corpus())
    release_id = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    small.sign_run(folder, release_id, ANNA)
    asked = reproduction.Asked({"a.json": signed(ANNA, statement(release_id))}, NAMED, 1)
    (found,) = verify(folder, (*small.TRUSTED, ANNA.public_key()), reproduced=asked).failures
    assert "is by the builder's own key" in found.detail


def test_a_differing_verdict_never_counts_and_is_told_even_where_enough_others_count(
    release: Path, release_id: str
) -> None:
    documents = {
        "a.json": signed(ANNA, statement(release_id)), "b.json": signed(BERT, statement(release_id, levels="0xx")),
    }  # fmt: skip
    assert "b.json says that 2 files DIFFER, data/f001 the first" in shortfall(release, documents, 2, 1)
    result = ask(release, documents, 1)
    assert result.ok and result.reproductions is not None
    assert [judged.file for judged in result.reproductions.differing] == ["b.json"]


def test_a_verdict_of_no_difference_after_one_of_difference_by_the_same_key_counts(
    release: Path, release_id: str
) -> None:
    documents = {
        "1.json": signed(ANNA, statement(release_id, levels="x")), "2.json": signed(ANNA, statement(release_id)),
    }  # fmt: skip
    result = ask(release, documents)
    assert result.ok and result.reproductions is not None
    assert [judged.file for judged in result.reproductions.differing] == ["1.json"]


def test_other_documents_of_a_named_key_are_no_reproductions(release: Path, release_id: str) -> None:
    manifest = (release / "manifest.json").read_bytes()
    said = shortfall(release, {"a.json": signed(ANNA, manifest), "b.json": signed(BERT, b"[]")}, 1, 0)
    assert "a.json is no reproduction document" in said and "b.json is no reproduction document" in said


def test_a_document_that_is_too_large_is_not_parsed(release: Path, release_id: str) -> None:
    assert "has more than 1048576 bytes" in shortfall(release, {"a.json": b"[" * (1 << 21)}, 1, 0)


@given(st.integers(0, 100_000), st.integers(0, 7))
def test_no_bit_of_a_document_can_change_and_the_document_count(at: int, bit: int) -> None:
    document = bytearray(signed(ANNA, statement("a" * 64)))
    document[at % len(document)] ^= 1 << bit
    asked = reproduction.Asked({"a.json": bytes(document)}, NAMED, 1)
    assert not reproduction.judge(asked, "a" * 64, ()).ok


@cache
def said(key: Ed25519PrivateKey, what: str) -> bytes:
    """A document: of the levels that it says, or of another release."""
    return signed(key, statement("e" * 64 if what == "other" else "a" * 64, levels=what.replace("other", "0")))


@given(
    st.lists(
        st.tuples(st.sampled_from([ANNA, BERT, CLEO, small.KEY]), st.sampled_from(["0", "1", "x", "other"])), max_size=8
    )
)
def test_the_count_is_that_of_a_plain_set_of_keys(made: list[tuple[Ed25519PrivateKey, str]]) -> None:
    documents = {f"{number}.json": said(key, what) for number, (key, what) in enumerate(made)}
    named = [key.public_key() for key in (ANNA, BERT, small.KEY)]
    tally = reproduction.judge(reproduction.Asked(documents, named, 0), "a" * 64, {key_id(small.KEY.public_key())})
    wanted = {key_id(key.public_key()) for key, what in made if key in (ANNA, BERT) and what in "01"}
    assert len(tally.counted) == len(wanted)
    assert {judged.key_id for judged in tally.counted} == wanted


def test_a_release_whose_signature_fails_is_reproduced_by_nobody(tmp_path: Path) -> None:
    folder = small.write(tmp_path, small.corpus())
    release_id = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    asked = reproduction.Asked({"a.json": signed(ANNA, statement(release_id))}, NAMED, 1)
    result = verify(folder, (CLEO.public_key(),), reproduced=asked)
    assert "reproduced" in result.unchecked and result.reproductions is None


# ---------------------------------------------------------------- where documents lie


def test_a_folder_gives_its_json_files_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"b")
    (tmp_path / "a.dsse.json").write_bytes(b"a")
    (tmp_path / "a.pub").write_bytes(b"a key beside a document is nobody's reason to trust")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.pub")
    (tmp_path / "folder.json").mkdir()
    assert reproduction.read_folder(tmp_path) == {"a.dsse.json": b"a", "b.json": b"b"}
    with pytest.raises(RecipeError, match="no such folder"):
        reproduction.read_folder(tmp_path / "nothing")


def test_of_a_large_file_no_more_is_read_than_shows_that_it_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as stream:
        stream.truncate(1 << 30)
    assert len(reproduction.read_folder(tmp_path)["a.json"]) == (1 << 20) + 1


def test_documents_inside_a_release_are_files_that_the_manifest_does_not_name(tmp_path: Path) -> None:
    folder = small.write(tmp_path, small.corpus())
    (folder / "reproductions").mkdir()
    assert [check.name for check in verify(folder, small.TRUSTED).failures] == ["listing"]
