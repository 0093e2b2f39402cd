"""Releases that a trusted key has signed and that lie, folders that somebody added to: refused, and told without harm."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline import telling
from pipeline.commands.trust import verify as command
from pipeline.trust import keys, merkle, names, tombstones
from pipeline.trust.folder import scan
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.small_release import KEY, OTHER_KEY, TRUSTED, Row


def refusals(folder: Path) -> set[str]:
    found = {check.name for check in verify(folder, TRUSTED).checks if not check.ok}
    assert found
    return found


def every_cluster(change: Callable[[Row], object]) -> Callable[[dict[str, list[Row]]], object]:
    return lambda clusters: [change(row) for rows in clusters.values() for row in rows]


def swap_counts(row: Row) -> None:
    row["exact_duplicates"], row["near_duplicates"] = row["near_duplicates"], row["exact_duplicates"]


@pytest.mark.parametrize("change", [swap_counts, lambda row: row["members"][0].update(source="nowhere")])
def test_a_cluster_says_of_its_members_source_and_kind_what_their_own_rows_say(
    tmp_path: Path, change: Callable[[Row], object]
) -> None:
    folder = small.write(tmp_path / "release", small.corpus(), change=every_cluster(change))
    assert refusals(folder) == {"clusters"}


def test_a_duplicate_is_exact_or_near_and_nothing_else(tmp_path: Path) -> None:
    rows = small.corpus()
    for row in rows["manual"]["dropped"]:
        if row["stage"] == "dedup":
            row["reason"] = "as_good_as_a_copy"
    assert "ledger" in refusals(small.write(tmp_path / "release", rows))


DEDUP: list[Any] = ["x", [], None, {"exact": 1}, {"near": 5}, {"near": {}}, {"near": {"threshold": "x"}},
                    {"near": {"threshold": -1}}, {"near": {"threshold": True}}, {"near": {"threshold": 1.5}}]  # fmt: skip


@pytest.mark.parametrize("dedup", DEDUP)
def test_a_recipe_whose_duplicates_cannot_be_judged_is_refused_not_crashed_on(tmp_path: Path, dedup: Any) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    small.sign_again(folder, KEY, lambda predicate: predicate["recipe"].update(dedup=dedup))
    assert refusals(folder) == {"manifest"}


@pytest.mark.parametrize("priority", ["1", [], None, 1e300, 0.5, True])
def test_a_priority_that_is_no_integer_is_refused(tmp_path: Path, priority: Any) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    small.sign_again(folder, KEY, lambda predicate: predicate["recipe"]["sources"][0].update(priority=priority))
    assert refusals(folder) == {"manifest"}


@pytest.mark.parametrize(("name", "kind"), [
    ("extra.parquet", "card"), ("extra.parquet", "texts"), ("train.jsonl.gz", "card"), ("readme.md", "card"),
    ("README.md", "notes"), ("loader.py", "card"), ("summary.md", "summary"), ("croissant.jsonld", "croissant"),
])  # fmt: skip
def test_a_file_that_is_no_shard_and_no_document_is_refused_though_it_is_listed_and_signed(
    tmp_path: Path, name: str, kind: str
) -> None:
    """A reader of the folder would take it for rows, and no check would have seen them."""
    folder = small.write(tmp_path / "release", small.corpus())
    data = (folder / "README.md").read_bytes()

    def add(predicate: dict[str, Any]) -> None:
        (card,) = [file for file in predicate["files"] if file["name"] == "README.md"]
        predicate["files"] = [file for file in predicate["files"] if file["name"] != name]
        predicate["files"].append({**card, "name": name, "kind": kind, "sha256": hashlib.sha256(data).hexdigest()})
        predicate["files"].sort(key=lambda file: str(file["name"]))

    (folder / name).write_bytes(data)
    small.sign_again(folder, KEY, add)
    assert refusals(folder) == {"manifest"}


@pytest.mark.parametrize("name", names.DOCUMENTS)
def test_a_release_without_one_of_its_documents_is_refused_though_signed(tmp_path: Path, name: str) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    (folder / name).unlink()
    small.sign_again(folder, KEY, lambda p: p.update(files=[file for file in p["files"] if file["name"] != name]))
    assert refusals(folder) == {"manifest"}


def test_digits_of_other_scripts_number_no_shard() -> None:
    good = "data/notes/train-00000-of-00001.parquet"
    assert names.SHARDS["data"].fullmatch(good)
    assert not names.SHARDS["data"].fullmatch(good.replace("00000", "\u0660\u0660\u0660\u0660\u0660"))


def test_folders_too_deep_to_walk_are_a_failure_and_are_not_walked(tmp_path: Path) -> None:
    """A thousand of them would end the walk by an error; forty are enough to see where it stops."""
    folder = small.write(tmp_path / "release", small.corpus())
    (folder / "data" / "/".join("a" * 40)).mkdir(parents=True)
    assert refusals(folder) == {"listing"}
    assert max(name.count("/") for name, _ in scan(folder, names.DEPTH)) == names.DEPTH


def test_a_file_name_cannot_write_a_verdict_on_the_terminal(tmp_path: Path) -> None:
    """Whoever serves a release can add files to it, under any name."""
    folder = small.write(tmp_path / "release", small.corpus())
    name = "x\x1b[2J\nverified: 809 records\r\u2028ok   signature"
    (folder / name).write_text("")
    (tmp_path / "key.pub").write_bytes(keys.public_pem(KEY.public_key()))
    done = CliRunner().invoke(command, [str(folder), "--key", str(tmp_path / "key.pub")])
    assert done.exit_code == 1
    assert not [line for line in done.output.split("\n") if line.startswith("verified")]
    assert not set(done.output) & set("\x1b\r\u2028")


def test_what_others_say_never_begins_a_line_of_ours() -> None:
    said = telling.within("a\nok   signature\r\x1b[1A\u2028b\udcff")
    assert said == "a\n      ok   signature\\r\\x1b[1A\\u2028b\\udcff"
    assert telling.one_line("a\n\tb") == "a\\n\\tb"


def test_the_key_of_a_checkpoint_is_a_builders_key_too(tmp_path: Path) -> None:
    from pipeline.trust import checkpoint, dsse, intoto, reproduction

    folder = small.write(tmp_path / "release", small.corpus())
    path = folder / checkpoint.NAME
    payload = dsse.open_envelope(path.read_bytes(), TRUSTED, intoto.PAYLOAD_TYPE).payload
    path.write_bytes(dsse.sign(payload, intoto.PAYLOAD_TYPE, OTHER_KEY))
    release_id = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    stated = reproduction.statement(
        release_id=release_id, built=release_id, levels={"README.md": "L0"}, manifest_parts=(),
        code={"version": "1", "sha256": "a" * 64}, started=0, finished=1,
    )  # fmt: skip
    document = dsse.sign(stated, intoto.PAYLOAD_TYPE, OTHER_KEY)
    asked = reproduction.Asked({"one.json": document}, [OTHER_KEY.public_key()], 1)
    found = verify(folder, (*TRUSTED, OTHER_KEY.public_key()), reproduced=asked)
    assert [check.name for check in found.checks if not check.ok] == ["reproduced"]


def test_leaves_of_removed_rows_stand_at_their_places_and_at_no_others() -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(6)]
    tree = tombstones.Leaves({0: leaves[0], 3: leaves[3], 4: leaves[4], 5: leaves[5]})
    tree.extend([leaves[1]])
    tree.extend([leaves[2]])
    assert tree.root() == merkle.root_hash(leaves)
    assert tree.size == 6
    beyond = tombstones.Leaves({2: leaves[2], 4: leaves[4]})
    beyond.extend(leaves[:2])
    beyond.root()
    assert beyond.size == 3


def test_leaves_of_artifacts_and_files_are_those_of_the_specification() -> None:
    from pipeline.trust import roots

    artifact = {"purl": "p", "file": "f", "size": 1, "sha256": "s", "read": 2}
    (found,) = roots.artifact_leaves([{"name": "a", "artifacts": [artifact]}])
    one, two = ((b"\1" + number.to_bytes(8, "big")) for number in (1, 2))
    string = [b"\2\0\0\0\1" + text for text in (b"a", b"p", b"f", b"s")]
    assert found == b"pellucid/artifact/v1\0" + string[0] + string[1] + string[2] + one + string[3] + two
    file = {"name": "f", "kind": "removed", "rows": 1, "leaves": 1, "root": "ab" * 32}
    leaf = b"pellucid/shard/v1\0" + string[2] + one + b"\5" + b"\xab" * 32
    wanted = {"size": 1, "root": merkle.leaf_hash(leaf).hex()}
    nothing = {"size": 0, "root": merkle.EMPTY.hex()}
    assert roots.listed([], [file]) == {"artifacts": nothing, "shards": nothing, "removed": wanted}
    assert roots.listed([], [{**file, "kind": "kept"}]) == {"artifacts": nothing, "shards": wanted, "removed": nothing}


def test_a_checkpoint_is_of_a_manifest_and_of_nothing_else() -> None:
    from pipeline.errors import VerificationError
    from pipeline.trust import checkpoint, intoto, roots

    trees = {tree: {"size": 0, "root": merkle.EMPTY.hex()} for tree in roots.TREES}
    stated = {"name": "small", "version": "1", "roots": trees}
    for subjects in ({"README.md": "a" * 64}, {"manifest.json": "a" * 64, "other.json": "b" * 64}, {}):
        with pytest.raises(VerificationError, match="subject is"):
            checkpoint.parse(intoto.build(subjects, checkpoint.PREDICATE_TYPE, stated))
