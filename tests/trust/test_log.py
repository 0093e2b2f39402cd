"""The release log: it says what its entries make, only grows, and whatever is done to one of its files is refused by name."""

import base64
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import log, log_append, log_checkpoint, log_seen, merkle, note, tiles
from pipeline.trust.log import Log, Release
from tests.trust.small_release import KEY, OTHER_KEY, TRUSTED

ORIGIN = "example.com/releases"


def id_of(number: int) -> str:
    return hashlib.sha256(b"release %d" % number).hexdigest()


def releases(*numbers: int) -> list[bytes]:
    return [log_append.release(id_of(number)) for number in numbers]


def made(folder: Path, size: int = 0, key: object = KEY) -> Log:
    """A log of `size` releases in `folder`, added at once."""
    log_append.start(folder, ORIGIN, key)
    return log_append.append(folder, releases(*range(size)), key)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(folder: Path) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        log.read(folder, TRUSTED)
    return caught.value


def lay_out(folder: Path, entries: list[bytes], origin: str = ORIGIN) -> None:
    """Files of a log of any entries, signed, no rule of the log asked."""
    hashes = tiles.levels([merkle.leaf_hash(entry) for entry in entries])
    for tile in tiles.needed(len(entries)):
        path = folder / tile.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiles.content(tile, entries, hashes))
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint").write_bytes(
        log_checkpoint.sign(origin, len(entries), merkle.root_hash(hashes[0]), KEY).note
    )  # fmt: skip


# ---------------------------------------------------------------- what holds


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 513])
def test_a_log_of_any_size_is_read_as_it_was_written(tmp_path: Path, size: int) -> None:
    written = made(tmp_path / "log", size)
    read = log.read(tmp_path / "log", TRUSTED, ORIGIN)
    assert read == written
    assert (read.origin, read.size, read.key) == (ORIGIN, size, KEY.public_key())
    assert read.root == merkle.root_hash(merkle.leaf_hash(bytes.fromhex(id_of(number))) for number in range(size))
    assert list(read.releases()) == [Release(id_of(number), number, None) for number in range(size)]


def test_a_log_of_more_entries_than_a_tile_of_tiles_holds_is_read_and_proved(tmp_path: Path) -> None:
    written = made(tmp_path / "log", 65_537)
    assert (tmp_path / "log/tile/2/000.p/1").stat().st_size == 32
    assert log.read(tmp_path / "log", TRUSTED) == written
    for number in (0, 65_535, 65_536):
        proof = log.prove(tmp_path / "log", written, id_of(number))
        assert log.verify_inclusion(proof, written.checkpoint)


def test_the_files_of_a_small_log_are_these_bytes(tmp_path: Path) -> None:
    made(tmp_path / "log", 1)
    log_append.append(tmp_path / "log", [log_append.withdrawal(id_of(0))], KEY)
    files = snapshot(tmp_path / "log")
    one, two = bytes.fromhex(id_of(0)), b"\1" + bytes.fromhex(id_of(0))
    leaves = [hashlib.sha256(b"\0" + entry).digest() for entry in (one, two)]
    root = base64.b64encode(hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()).decode()
    text = f"{ORIGIN}\n2\n{root}\n".encode()
    signed = base64.b64encode(
        hashlib.sha256(ORIGIN.encode() + b"\n\1" + KEY.public_key().public_bytes_raw()).digest()[:4] + KEY.sign(text)
    )
    assert files == {
        "checkpoint": text + b"\n\xe2\x80\x94 " + ORIGIN.encode() + b" " + signed + b"\n",
        "tile/entries/000.p/1": b"\0\x20" + one,
        "tile/entries/000.p/2": b"\0\x20" + one + b"\0\x21" + two,
        "tile/0/000.p/1": leaves[0],
        "tile/0/000.p/2": leaves[0] + leaves[1],
    }
    assert hashlib.sha256(files["checkpoint"]).hexdigest() == (
        "d533b22f8f5bb9bd164a96ebf8f0dd4f51478bc604e86aa70812bde8b700bd83"
    )


def test_a_log_that_grew_in_steps_has_the_entries_and_root_of_one_that_grew_at_once(tmp_path: Path) -> None:
    log_append.start(tmp_path / "steps", ORIGIN, KEY)
    for low, high in ((0, 1), (1, 255), (255, 256), (256, 257), (257, 520)):
        log_append.append(tmp_path / "steps", releases(*range(low, high)), KEY)
    at_once = made(tmp_path / "once", 520)
    assert log.read(tmp_path / "steps", TRUSTED) == at_once
    steps, once = snapshot(tmp_path / "steps"), snapshot(tmp_path / "once")
    assert {name: steps[name] for name in once} == once
    assert set(steps) - set(once) == {
        f"tile/{name}"
        for name in (
            "0/000.p/1", "0/000.p/255", "0/001.p/1", "1/000.p/1", "entries/000.p/1", "entries/000.p/255", "entries/001.p/1"
        )
    }  # fmt: skip


def test_an_empty_log_has_a_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    assert made(tmp_path / "log").root == hashlib.sha256(b"").digest()
    assert list(snapshot(tmp_path / "log")) == ["checkpoint"]


def test_a_withdrawn_release_says_which_entry_withdrew_it(tmp_path: Path) -> None:
    made(tmp_path, 3)
    found = log_append.append(tmp_path, [log_append.withdrawal(id_of(1)), *releases(7)], KEY)
    assert found.find(id_of(1)) == Release(id_of(1), 1, 3)
    assert found.find(id_of(7)) == Release(id_of(7), 4, None)
    assert found.find(id_of(8)) is None
    assert [one.withdrawn for one in found.releases()] == [None, 3, None, None]


@settings(max_examples=30)
@given(st.integers(1, 600), st.data())
def test_every_release_is_proved_by_its_tiles_and_no_other_is(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    whole = made(folder, size)
    number = data.draw(st.integers(0, size - 1))
    proof = log.prove(folder, whole, id_of(number))
    assert log.verify_inclusion(proof, whole.checkpoint)
    for changed in (
        log.Inclusion(id_of(size), number, size, proof.hashes),
        log.Inclusion(proof.release_id, (number + 1) % (size + 1), size, proof.hashes),
        log.Inclusion(proof.release_id, number, size + 1, proof.hashes),
        log.Inclusion(proof.release_id, number, size, (*proof.hashes, bytes(32))),
    ):
        assert not log.verify_inclusion(changed, whole.checkpoint)
    with pytest.raises(VerificationError, match="not in the log"):
        log.prove(folder, whole, id_of(size))


# ---------------------------------------------------------------- files that do not agree


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine") / "log"
    made(folder, 250)
    log_append.append(folder, releases(*range(250, 300)), KEY)
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "log"))


NEEDED = ["tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]
OLDER = ["tile/entries/000.p/250", "tile/0/000.p/250"]


def test_partial_tiles_of_a_smaller_size_may_stay_or_go(folder: Path) -> None:
    assert set(snapshot(folder)) == {"checkpoint", *NEEDED, *OLDER}
    whole = log.read(folder, TRUSTED)
    for name in OLDER:
        (folder / name).unlink()
        (folder / name).parent.rmdir()
    assert log.read(folder, TRUSTED) == whole


@pytest.mark.parametrize("name", ["checkpoint", *NEEDED])
def test_a_missing_file_of_a_log_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    found = refusal(folder)
    assert (found.seen, found.where) == ("is missing", name)


@pytest.mark.parametrize("name", [*NEEDED, *OLDER])
def test_a_short_or_long_file_of_a_log_is_named(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    for changed in (data[:-1], data[:-32], data[: len(data) // 2], b"", data + b"\0", data + data):
        (folder / name).write_bytes(changed)
        found = refusal(folder)
        assert found.where == name and ("has" in found.seen or "ends within" in found.seen)


@pytest.mark.parametrize("name", ["checkpoint", *NEEDED, *OLDER])
def test_a_flipped_bit_in_any_file_of_a_log_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    for place in {0, 1, 2, 33, len(data) // 2, len(data) - 1} & set(range(len(data))):
        for bit in (1, 128):
            data[place] ^= bit
            (folder / name).write_bytes(data)
            refusal(folder)
            data[place] ^= bit


@pytest.mark.parametrize("name", [
    "tile/0/000.p/251.txt", "tile/0/0001", "README.md", "tile/0/.hidden", "tile/entries/002", "tile/data/000", "tile/000",
    "tile/0/001.p/45", "tile/0/001", "tile/1/000.p/2", "tile/1/000", "tile/2/000.p/1", "tile/entries/001.p/45",
])  # fmt: skip
def test_a_file_too_many_is_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(32))
    found = refusal(folder)
    assert Path(name).is_relative_to(found.where)
    assert ("beyond the 300 entries" if tiles.parse_name(name) else "that no log has") in found.seen


def test_a_folder_link_or_pipe_too_many_is_named(folder: Path) -> None:
    (folder / "tile/2").mkdir()
    assert (refusal(folder).where, "folder" in refusal(folder).seen) == ("tile/2", True)
    (folder / "tile/2").rmdir()
    aside = folder.parent / "aside"
    for name in (*NEEDED, *OLDER):
        (folder / name).rename(aside)
        (folder / name).symlink_to(aside)
        assert (refusal(folder).where, "link" in refusal(folder).seen) == (name, True)
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert (refusal(folder).where, "pipe" in refusal(folder).seen) == (name, True)
        (folder / name).unlink()
        aside.rename(folder / name)
    (folder / "checkpoint").rename(aside)
    (folder / "checkpoint").symlink_to(aside)
    assert refusal(folder).where == "checkpoint"


def test_an_older_partial_tile_of_other_entries_is_refused(folder: Path, tmp_path: Path) -> None:
    lay_out(tmp_path / "other", releases(*range(1, 251)))
    for name in OLDER:
        shutil.copy(tmp_path / "other" / name, folder / name)
        assert refusal(folder).where == name
        shutil.copy(tmp_path / "other" / name, folder / name)


def test_tiles_and_entries_that_agree_are_refused_under_another_root(folder: Path, tmp_path: Path) -> None:
    lay_out(tmp_path / "other", releases(*range(1, 301)))
    shutil.copy(tmp_path / "other/checkpoint", folder / "checkpoint")
    found = refusal(folder)
    assert "root of the 300 entries" in found.seen and found.where == "checkpoint"


# ---------------------------------------------------------------- the checkpoint


def signed(text: str) -> bytes:
    return note.sign(text, text.split("\n")[0], KEY)


ROOT = base64.b64encode(merkle.EMPTY).decode()
CHECKPOINTS = {
    "two lines": (f"{ORIGIN}\n0\n", "has 2 lines"),
    "an extension line": (f"{ORIGIN}\n0\n{ROOT}\nmore\n", "extension line"),
    "an empty line": (f"{ORIGIN}\n0\n{ROOT}\n\n", "extension line"),
    "a leading zero": (f"{ORIGIN}\n00\n{ROOT}\n", "the size is '00'"),
    "no number": (f"{ORIGIN}\n-1\n{ROOT}\n", "the size is '-1'"),
    "digits of another script": (f"{ORIGIN}\n\u0661\n{ROOT}\n", "the size is"),
    "a number too large": (f"{ORIGIN}\n{10**18}\n{ROOT}\n", "the size is"),
    "a short root": (f"{ORIGIN}\n0\nAAAA\n", "the root has 3 bytes"),
    "a root that is not base64": (f"{ORIGIN}\n0\n{ROOT[:-1]}\n", "the root is not base64"),
    "a long origin": (f"{'a' * 256}\n0\n{ROOT}\n", "the origin has 256 characters"),
}


@pytest.mark.parametrize("fault", CHECKPOINTS)
def test_a_malformed_checkpoint_is_refused_by_its_own_message(tmp_path: Path, fault: str) -> None:
    text, message = CHECKPOINTS[fault]
    (tmp_path / "checkpoint").write_bytes(signed(text))
    found = refusal(tmp_path)
    assert message in found.seen and found.where == "checkpoint"


def test_the_checkpoint_of_the_specification_is_read() -> None:
    found = log_checkpoint.parse(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+"
        "xeMcTOAYQ8=\n".encode()
    )
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert found.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"


def test_a_log_signed_by_a_key_that_is_not_trusted_is_refused(tmp_path: Path) -> None:
    made(tmp_path, 3, OTHER_KEY)
    assert "no trusted key has signed it" in refusal(tmp_path).seen


def test_a_trusted_key_under_another_name_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(note.sign(f"{ORIGIN}\n0\n{ROOT}\n", "example.com/other", KEY))
    assert "no trusted key has signed it" in refusal(tmp_path).seen


def test_the_log_of_another_origin_is_refused_where_one_is_wanted(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(VerificationError, match="is of the log"):
        log.read(tmp_path, TRUSTED, "example.com/other")


def test_countersignatures_of_others_do_no_harm(folder: Path) -> None:
    before = log.read(folder, TRUSTED)
    data = (folder / "checkpoint").read_bytes()
    text = data.split(b"\n\n")[0] + b"\n"
    witness = note.sign(text.decode(), "witness.example", OTHER_KEY).split(b"\n\n")[1]
    (folder / "checkpoint").write_bytes(data + witness)
    assert log.read(folder, TRUSTED).root == before.root


# ---------------------------------------------------------------- entries

A, B = (bytes.fromhex(id_of(number)) for number in range(2))
ENTRIES: dict[str, tuple[list[bytes], str]] = {
    "logged twice": ([A, B, A], "entry 2 logs release"),
    "withdrawn twice": ([A, b"\1" + A, b"\1" + A], "entry 2 withdraws"),
    "withdrawn, never logged": ([A, b"\1" + B], "which no earlier entry logs"),
    "withdrawn before it was logged": ([b"\1" + A, A], "which no earlier entry logs"),
    "logged again after it was withdrawn": ([A, b"\1" + A, A], "entry 2 logs release"),
    "too short": ([A[:31]], "(31 bytes)"),
    "too long": ([A + b"\1\1"], "(34 bytes)"),
    "empty": ([b""], "(0 bytes)"),
    "of another kind": ([A, b"\2" + A], "neither a release id nor a withdrawal"),
}


@pytest.mark.parametrize("fault", ENTRIES)
def test_a_log_whose_entries_break_a_rule_is_refused_whoever_signed_it(tmp_path: Path, fault: str) -> None:
    entries, message = ENTRIES[fault]
    lay_out(tmp_path / "log", entries)
    assert message in refusal(tmp_path / "log").seen


@pytest.mark.parametrize("fault", ENTRIES)
def test_an_entry_that_breaks_a_rule_is_not_added_and_the_log_stays(tmp_path: Path, fault: str) -> None:
    entries, message = ENTRIES[fault]
    log_append.start(tmp_path, ORIGIN, KEY)
    before = snapshot(tmp_path)
    with pytest.raises(RecipeError) as caught:
        log_append.append(tmp_path, entries, KEY)
    assert message in caught.value.seen
    assert snapshot(tmp_path) == before


# ---------------------------------------------------------------- appending


def test_nothing_is_added_to_a_log_that_does_not_hold(folder: Path) -> None:
    (folder / "tile/0/000").write_bytes(bytes(8192))
    before = snapshot(folder)
    with pytest.raises(VerificationError, match="not what the entries make"):
        log_append.append(folder, releases(300), KEY)
    assert snapshot(folder) == before


def test_an_addition_that_ended_before_its_checkpoint_added_nothing_and_the_next_one_puts_it_right(
    folder: Path,
) -> None:
    old = (folder / "checkpoint").read_bytes()
    before = snapshot(folder)
    log_append.append(folder, releases(*range(300, 600)), KEY)
    (folder / "checkpoint").write_bytes(old)  # as if it had ended there
    (folder / "tile/0/.002.0123456789abcdef").write_bytes(b"half")
    assert "beyond the 300 entries" in refusal(folder).seen or "no log has" in refusal(folder).seen
    again = log_append.append(folder, releases(999), KEY)
    assert again.size == 301
    assert log.read(folder, TRUSTED) == again
    assert {name: data for name, data in snapshot(folder).items() if name in before and name != "checkpoint"} == {
        name: data for name, data in before.items() if name != "checkpoint"
    }


def test_one_addition_at_a_time(folder: Path) -> None:
    with log_append._exclusive(folder), pytest.raises(RecipeError, match="another process"):
        log_append.append(folder, releases(300), KEY)
    assert log_append.append(folder, releases(300), KEY).size == 301


def test_a_log_is_started_in_an_empty_folder_only(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="not empty"):
        log_append.start(folder, ORIGIN, KEY)
    for origin in ("", "a b", "a+b", "a\nb", "a" * 256, "DSSEv1 28"):
        with pytest.raises(RecipeError):
            log_append.start(tmp_path / "new", origin, KEY)
    assert not (tmp_path / "new").exists()


def test_another_trusted_key_may_go_on_with_a_log(folder: Path) -> None:
    with pytest.raises(VerificationError, match="no trusted key"):
        log_append.append(folder, releases(300), OTHER_KEY)
    grown = log_append.append(folder, releases(300), OTHER_KEY, TRUSTED)
    assert grown.key == OTHER_KEY.public_key()
    log.consistent(log.read(folder, (OTHER_KEY.public_key(),)), log_checkpoint.sign(ORIGIN, 0, merkle.EMPTY, KEY))


# ---------------------------------------------------------------- what was seen last


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PELLUCID_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config/logs"


def remembered(memory: Path) -> dict[str, bytes]:
    return snapshot(memory)


def test_a_log_is_believed_at_first_sight_and_remembered_as_it_grows(tmp_path: Path, memory: Path) -> None:
    first = made(tmp_path / "log", 3)
    assert log_seen.last(ORIGIN) is None
    assert log_seen.check(first) is None
    assert remembered(memory) == {log_seen.path_of(ORIGIN).name: first.checkpoint.note}
    grown = log_append.append(tmp_path / "log", releases(3, 4), KEY)
    assert log_seen.check(grown) == first.checkpoint
    assert log_seen.check(grown) == grown.checkpoint
    assert log_seen.last(ORIGIN) == grown.checkpoint


def contradiction(seen: Log, memory: Path) -> str:
    before = remembered(memory)
    with pytest.raises(VerificationError) as caught:
        log_seen.check(seen)
    assert remembered(memory) == before
    shown, kept = str(caught.value), log_seen.last(ORIGIN)
    assert kept is not None
    for one in (kept, seen.checkpoint):  # both whole, so that they can be given to others
        assert all(line.strip() in shown for line in str(one).splitlines())
    return caught.value.seen


def test_an_older_log_served_as_the_newest_is_refused_as_a_rollback(tmp_path: Path, memory: Path) -> None:
    old = made(tmp_path / "log", 3)
    new = log_append.append(tmp_path / "log", [log_append.withdrawal(id_of(1))], KEY)
    log_seen.check(new)
    assert "rolled back, from 4 entries to 3" in contradiction(old, memory)
    assert "rolled back, from 4 entries to 0" in contradiction(made(tmp_path / "again"), memory)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 300])
def test_a_log_that_shows_two_people_different_histories_is_refused_as_a_fork(
    tmp_path: Path, memory: Path, size: int
) -> None:
    mine = made(tmp_path / "mine", 5)
    log_append.start(tmp_path / "theirs", ORIGIN, KEY)
    theirs = log_append.append(tmp_path / "theirs", releases(*range(1, size + 1)), KEY)
    log_seen.check(mine)
    said = contradiction(theirs, memory)
    assert ("rolled back" if size < 5 else "two histories of 5 entries" if size == 5 else "another history") in said
    assert log_seen.check(mine) == mine.checkpoint


@settings(max_examples=40)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_log_is_consistent_with_its_own_beginnings_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, old: int, new: int, changed: int
) -> None:
    entries = releases(*range(new))
    root = merkle.root_hash(merkle.leaf_hash(entry) for entry in entries)
    whole = Log(log_checkpoint.sign(ORIGIN, new, root, KEY), KEY.public_key(), tuple(entries))
    other = releases(*range(old))
    if changed < old:
        other[changed] = releases(999)[0]
    last = log_checkpoint.sign(ORIGIN, old, merkle.root_hash(merkle.leaf_hash(entry) for entry in other), KEY)
    if old <= new and changed >= old:
        log.consistent(whole, last)
    else:
        with pytest.raises(VerificationError):
            log.consistent(whole, last)


def test_an_empty_log_of_another_root_is_no_beginning(tmp_path: Path) -> None:
    grown = made(tmp_path / "log", 3)
    log.consistent(grown, log_checkpoint.sign(ORIGIN, 0, merkle.EMPTY, KEY))
    with pytest.raises(VerificationError, match="fork"):
        log.consistent(grown, log_checkpoint.sign(ORIGIN, 0, bytes(32), KEY))


def test_tiles_beyond_a_checkpoint_that_was_rolled_back_are_not_removed(folder: Path) -> None:
    old = (folder / "checkpoint").read_bytes()
    newest = log_append.append(folder, releases(300), KEY).checkpoint
    (folder / "checkpoint").write_bytes(old)
    before = snapshot(folder)
    with pytest.raises(VerificationError, match="rolled back"):
        log_append.append(folder, releases(301), KEY, last=newest)
    assert snapshot(folder) == before


def test_another_log_is_another_memory(tmp_path: Path, memory: Path) -> None:
    log_seen.check(made(tmp_path / "one", 3))
    log_append.start(tmp_path / "two", "example.com/Releases", KEY)
    assert log_seen.check(log.read(tmp_path / "two", TRUSTED)) is None
    assert len(remembered(memory)) == 2


@pytest.mark.parametrize(
    "change",
    [lambda path: path.write_bytes(b"no checkpoint"), lambda path: path.write_bytes(signed(f"other\n0\n{ROOT}\n"))],
)
def test_a_memory_that_cannot_be_read_is_said_and_not_passed_over(
    tmp_path: Path, memory: Path, change: Callable[[Path], object]
) -> None:
    seen = made(tmp_path / "log", 3)
    log_seen.check(seen)
    change(log_seen.path_of(ORIGIN))
    with pytest.raises(RecipeError, match="what was seen last"):
        log_seen.check(seen)


def test_nothing_is_signed_that_contradicts_what_was_seen(folder: Path, tmp_path: Path) -> None:
    seen = log.read(folder, TRUSTED).checkpoint
    made(tmp_path / "older", 299)
    made(tmp_path / "fork")
    log_append.append(tmp_path / "fork", releases(*range(1, 400)), KEY)
    for name in ("older", "fork"):
        before = snapshot(tmp_path / name)
        with pytest.raises(VerificationError, match=r"rolled back|fork"):
            log_append.append(tmp_path / name, releases(1000), KEY, last=seen)
        assert snapshot(tmp_path / name) == before
    with pytest.raises(VerificationError, match="rolled back"):
        log_append.start(tmp_path / "new", ORIGIN, KEY, seen)
    assert log_append.append(folder, releases(1000), KEY, last=seen).size == 301
