"""Proofs: what holds is proved, in so few bytes, and nothing that was changed is: by our checker and by the one of the docs."""

import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PellucidError, VerificationError
from pipeline.trust import canonical, checkpoint, dsse, intoto, proof, prove
from pipeline.trust.roots import TREES
from tests.trust import small_release as small
from tests.trust.small_release import KEY, OTHER_KEY, TRUSTED

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"
LEVELS = 24  # of a tree of 10 million leaves


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("release"), small.corpus())


@pytest.fixture(scope="module")
def release(folder: Path) -> prove.Release:
    return prove.Release(folder, TRUSTED)


@pytest.fixture(scope="module")
def of_the_docs() -> Callable[[bytes, Any], Any]:
    """The checker that docs/proofs.md prints."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 120
    found: dict[str, Any] = {"__name__": "checker"}
    exec(compile(code, str(PAGE), "exec"), found)  # noqa: S102
    return found["check"]


def rows(fate: str) -> Iterator[small.Row]:
    for fates in small.corpus().values():
        yield from fates[fate]


def examples(release: prove.Release) -> dict[str, bytes]:
    kept, dropped = next(rows("kept")), list(rows("dropped"))
    made = {
        "kept": prove.document(release, kept["id"]),
        "text": prove.text(release, kept["text"].encode()),
        "url": prove.url(release, kept["url"]),
        "counted": prove.named(release, "domains", "pkg:pypi/first"),
        "no id": prove.document(release, "0" * 32),
        "no url": prove.url(release, "HTTPS://example.org:443/page#part"),
        "no domain": prove.named(release, "domains", "example.org"),
        "no text": prove.text(release, b"nobody wrote this"),
        "above all": prove.named(release, "texts", "f" * 64),
        "below all": prove.named(release, "texts", "0" * 64),
    }
    return made | {row["stage"]: prove.document(release, row["id"]) for row in dropped}


def test_every_document_is_proved_kept_or_dropped_with_its_own_row(
    release: prove.Release, of_the_docs: Callable[[bytes, Any], Any]
) -> None:
    for fate in ("kept", "dropped"):
        for row in rows(fate):
            made = prove.document(release, row["id"])
            found = proof.check(made, TRUSTED)
            assert (found.kind, found.fate, found.release_id) == ("row", fate, release.signed["release_id"])
            assert found.row is not None
            assert found.row["id"] == row["id"]
            assert all(found.row[name] == row.get(name) for name in found.row)
            assert of_the_docs(made, KEY.public_key()) == (fate, found.row, found.release_id)


def test_what_is_asked_for_is_what_is_answered(release: prove.Release) -> None:
    found = {name: proof.check(made, TRUSTED) for name, made in examples(release).items()}
    kept = next(rows("kept"))
    for name in ("kept", "text", "url"):
        assert found[name].row is not None and found[name].row["id"] == kept["id"]
    dropped = [row for row in rows("dropped") if row["purl"] == "pkg:pypi/first@1.0"]
    under = [row for row in rows("kept") if row["purl"] == "pkg:pypi/first@1.0"]
    assert found["counted"].counts == (len(under), len(dropped), 0)
    absent = {name: (found[name].tree, found[name].asked) for name in found if name.startswith("no ")}
    assert absent == {
        "no id": ("ids", "0" * 32),
        "no url": ("urls", "https://example.org/page"),
        "no domain": ("domains", "example.org"),
        "no text": ("texts", hashlib.sha256(b"nobody wrote this").hexdigest()),
    }
    assert {found[name].kind for name in found if name.startswith(("no ", "above", "below"))} == {"absent"}


def test_the_checker_of_the_docs_agrees_with_ours(
    release: prove.Release, of_the_docs: Callable[[bytes, Any], Any]
) -> None:
    for made in examples(release).values():
        ours = proof.check(made, TRUSTED)
        kind, about, release_id = of_the_docs(made, KEY.public_key())
        assert kind == (ours.fate or ours.kind)
        assert release_id == ours.release_id
        assert about == (ours.row or about)
        if ours.kind == "counted":
            assert tuple(about["counts"]) == ours.counts


def test_a_proof_signed_by_a_key_that_is_not_trusted_is_refused(release: prove.Release) -> None:
    made = examples(release)["kept"]
    with pytest.raises(VerificationError, match="no trusted key has signed it"):
        proof.check(made, [OTHER_KEY.public_key()])
    value = json.loads(made)
    value["checkpoint"]["signatures"] = json.loads(dsse.sign(b"x", intoto.PAYLOAD_TYPE, KEY))["signatures"]
    with pytest.raises(VerificationError, match="does not verify"):
        proof.check(canonical.dumps(value), TRUSTED)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every leaf of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path
        return
    for key, item in items:
        yield from paths_of(item, (*path, key))


def other(item: Any) -> list[Any]:
    """Values of its kind that it is not, near and far."""
    if item is None:
        return ["x", 0]
    if isinstance(item, int):
        return [item + 1, item - 1, None, str(item)]
    changed = [item + "A", item[1:], item[:-1], item.upper(), item[::-1], None]
    if re.fullmatch("[0-9a-f]+", item):
        changed += [f"{item[:-1]}{'0' if item[-1] != '0' else '1'}", item + "00", item[2:], f"{item[:-2]}  "]
    if len(item) >= 43:
        changed += [item[44:], item[:-44] + "A" * 44, f"{'B' if item[0] == 'A' else 'A'}{item[1:]}"]
    return [one for one in changed if one != item]


@pytest.mark.parametrize(
    "name", ["kept", "read", "judge", "dedup", "counted", "no url", "no text", "above all", "below all"]
)
def test_a_proof_in_which_one_value_was_changed_is_refused_wherever_it_stands(
    release: prove.Release, of_the_docs: Callable[[bytes, Any], Any], name: str
) -> None:
    made = examples(release)[name]
    value, tried = json.loads(made), 0
    for path in paths_of(value):
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        old = holder[path[-1]]
        for new in other(old):
            if path == ("claim", "name") and re.fullmatch("[0-9a-f]{64}", str(new)):
                continue  # the digest next to it: no document has that text either, and the proof says so
            holder[path[-1]] = new
            try:
                data = canonical.dumps(value)
            except canonical.NotCanonical:
                continue
            tried += 1
            with pytest.raises(VerificationError):
                proof.check(data, TRUSTED)
            with pytest.raises(Exception):  # noqa: B017  (the page's checker fails by whatever is at hand)
                of_the_docs(data, KEY.public_key())
        holder[path[-1]] = old
    assert canonical.dumps(value) == made
    assert tried > 60


@settings(max_examples=300)
@given(st.data())
def test_no_other_bytes_are_a_proof(release: prove.Release, data: st.DataObject) -> None:
    made = examples_once(release)
    at = data.draw(st.integers(0, len(made) - 1))
    removed = data.draw(st.integers(0, 3))
    inserted = data.draw(st.binary(max_size=3))
    changed = made[:at] + inserted + made[at + removed :]
    if changed != made:
        with pytest.raises(VerificationError):
            proof.check(changed, TRUSTED)


_ONCE: list[bytes] = []


def examples_once(release: prove.Release) -> bytes:
    if not _ONCE:
        _ONCE.append(prove.document(release, next(rows("kept"))["id"]))
    return _ONCE[0]


def claim(made: bytes) -> Any:
    return copy.deepcopy(json.loads(made)["claim"])


def changed_claims(release: prove.Release) -> Iterator[tuple[str, Any, str]]:
    """Lies that are put together out of true parts."""
    made = examples(release)
    absent, counted = claim(made["no text"]), claim(made["counted"])
    yield "one leaf twice", {**absent, "above": absent["below"]}, "beside each other"
    yield (
        "the leaves the wrong way round",
        {**absent, "below": absent["above"], "above": absent["below"]},
        "beside each other",
    )
    yield "no leaf below", {**absent, "below": None}, "beside each other"
    yield "no leaf above", {**absent, "above": None}, "beside each other"
    yield "no leaf at all", {**absent, "below": None, "above": None}, "beside each other"
    there = next(rows("kept"))["text_sha256"]
    yield "a name that is there", {**absent, "name": there}, "do not enclose"
    yield "the key of a leaf itself", {**absent, "name": absent["below"]["key"]}, "do not enclose"
    yield "another tree", {**absent, "tree": "urls"}, "is not number"
    yield "a name that is no digest", {**absent, "name": "x"}, "of texts"
    yield "a tree that there is not", {**absent, "tree": "titles"}, "one of"
    yield "another name's counts", {**counted, "name": "pkg:pypi/second"}, "is not number"
    yield "another kind", {**absent, "kind": "counted"}, "claim"
    yield "no kind", {key: item for key, item in absent.items() if key != "kind"}, "claim.kind"
    yield "an unknown key", {**absent, "note": 1}, "unknown key"
    row, dropped = claim(made["kept"]), claim(made["judge"])
    yield "a dropped row as a kept one", {**dropped, "fate": "kept"}, "differs in"
    yield "the place of another row", {**row, "index": row["index"] + 1}, "the row is not number"
    yield "a place beyond the file", {**row, "index": row["shard"]["leaves"]}, "the row is not number"
    yield "another file", {**row, "shard": dropped["shard"]}, "the row is not number"
    yield "the place of another file", {**row, "shard_index": row["shard_index"] - 1}, "the file is not number"
    yield "a path too long", {**row, "path": row["path"] + "A" * 43 + "="}, "path"
    yield "no path", {**row, "path": ""}, "the row is not number"
    yield "a column too many", {**row, "row": {**row["row"], "note": "x"}}, "differs in note"
    yield "a column too few", {**row, "row": {k: v for k, v in row["row"].items() if k != "url"}}, "differs in url"
    yield "a truth value", {**row, "row": {**row["row"], "record": True}}, "record"
    yield (
        "the leaf of data as one of kept",
        {**row, "shard": {**row["shard"], "name": row["shard"]["name"][:-1]}},
        "the file",
    )


def test_a_lie_put_together_from_true_parts_is_refused_with_its_own_message(
    release: prove.Release, of_the_docs: Callable[[bytes, Any], Any]
) -> None:
    names = set()
    for name, lie, message in changed_claims(release):
        names.add(name)
        data = proof.encode(release.checkpoint, lie)
        with pytest.raises(VerificationError, match=message):
            proof.check(data, TRUSTED)
        with pytest.raises(Exception):  # noqa: B017
            of_the_docs(data, KEY.public_key())
    assert len(names) == 25


def test_of_a_url_that_several_documents_have_it_is_proved_how_many(tmp_path: Path) -> None:
    made = small.corpus()
    for row in (made["manual"]["kept"][0], made["manual"]["kept"][3], made["notes"]["dropped"][0]):
        row["url"] = "https://example.org/twice"
    made["notes"]["dropped"][0]["url"] = "https://EXAMPLE.org/twice#part"
    release = prove.Release(small.write(tmp_path, made), TRUSTED)
    found = proof.check(prove.url(release, "https://example.org:443/twice"), TRUSTED)
    assert (found.kind, found.asked, found.counts) == ("counted", "https://example.org/twice", (2, 1, 0))
    under = proof.check(prove.named(release, "domains", "example.org"), TRUSTED)
    assert under.counts == (2, 1, 0)


def test_a_release_whose_rows_were_changed_gives_no_proof(folder: Path, tmp_path: Path) -> None:
    import shutil

    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    rows_ = small.corpus()
    rows_["manual"]["kept"][0]["language_score"] += 1
    changed = small.write(tmp_path / "changed", rows_)
    for path in changed.glob("provenance/manual/kept-*"):
        shutil.copy(path, copied / path.relative_to(changed))
    opened = prove.Release(copied, TRUSTED)
    with pytest.raises(VerificationError, match="the rows give the root"):
        prove.document(opened, rows_["manual"]["kept"][0]["id"])


def test_a_folder_that_is_no_release_or_not_signed_gives_no_proof(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PellucidError, match="cannot be read"):
        prove.Release(tmp_path, TRUSTED)
    with pytest.raises(VerificationError, match="no trusted key"):
        prove.Release(folder, [OTHER_KEY.public_key()])


def test_a_proof_of_ten_million_documents_has_at_most_4_kb() -> None:
    """A checkpoint of such trees, and paths as long as they ask for, around the longest usual row."""
    roots = {tree: {"size": 10_000_000, "root": "ab" * 32} for tree in TREES}
    manifest = {"name": "workstation", "version": "2026.11", "roots": roots}
    envelope = dsse.sign(checkpoint.statement("cd" * 32, manifest), intoto.PAYLOAD_TYPE, KEY)
    path = proof.path([bytes(range(32))] * LEVELS)
    entry = {"counts": [1, 0, 0], "index": 9_999_998, "path": path, "key": "ab" * 32}
    absent = {"kind": "absent", "tree": "texts", "name": "ef" * 32, "below": entry, "above": entry}
    assert len(proof.encode(envelope, absent)) <= 4096
    real = next(rows("dropped"))
    from pipeline.release import schemas
    from pipeline.trust.leaves import scalars

    row: dict[str, Any] = {
        name: real.get(name) for name in scalars(schemas.dropped(()))
    } | {"purl": "pkg:pypi/somepackage@12.34.5?file_name=somepackage-12.34.5.tar.gz", "detail": None}  # fmt: skip
    row["url"] = f"{row['purl']}#somepackage-12.34.5/docs/source/reference/page.rst"
    shard = {"name": "provenance/a-source/dropped-00011-of-00064.parquet", "leaves": 131_072, "root": "ab" * 32}
    made = {
        "kind": "row", "fate": "dropped", "row": row, "nested": "ab" * 32, "index": 131_071, "shard": shard,
        "path": proof.path([bytes(32)] * 17), "shard_index": 100, "shard_path": proof.path([bytes(32)] * 8),
    }  # fmt: skip
    assert len(proof.encode(envelope, made)) <= 4096


def test_what_is_no_proof_at_all_has_a_message() -> None:
    for data, message in (
        (b"", "no proof"), (b"{}", "has no key"), (b"x" * (proof.LIMIT + 1), "has 65537 bytes"), (b"\xff", "no proof"),
        (b'{"checkpoint":{},"claim":{},"format":"other"}', "format is"),
    ):  # fmt: skip
        with pytest.raises(VerificationError, match=message):
            proof.check(data, TRUSTED)
