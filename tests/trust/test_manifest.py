"""The manifest: a function of its values, and read so strictly that nothing in it can be of another kind."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import VerificationError
from pipeline.trust import canonical, manifest, names, roots
from tests.trust import small_release


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = small_release.write(tmp_path_factory.mktemp("release"), small_release.corpus())
    return (folder / "manifest.json").read_bytes()


def arguments(predicate: Any) -> dict[str, Any]:
    kept = ("recipe", "lock", "code", "environment", "stages", "sources", "files", "totals", "policies", "against")
    index = {tree: predicate["roots"][tree] for tree in roots.INDEX_TREES}
    return {"index": index, **{key: copy.deepcopy(predicate[key]) for key in kept}}


def test_what_is_parsed_is_written_the_same_again(data: bytes) -> None:
    assert manifest.encode(manifest.parse(data)) == data
    assert manifest.statement(**arguments(manifest.parse(data))) == data


def test_it_is_an_in_toto_statement_whose_subjects_are_the_files_in_order(data: bytes) -> None:
    value = json.loads(data)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "urn:pellucid:manifest:v1"
    assert [subject["name"] for subject in value["subject"]] == sorted(f["name"] for f in value["predicate"]["files"])
    assert {s["name"]: s["digest"] for s in value["subject"]} == {
        f["name"]: {"sha256": f["sha256"]} for f in value["predicate"]["files"]
    }


def test_the_order_in_which_files_and_reasons_are_given_does_not_matter(data: bytes) -> None:
    given_ = arguments(manifest.parse(data))
    given_["files"].reverse()
    for source in given_["sources"]:
        source["reasons"].reverse()
    given_["totals"]["reasons"].reverse()
    assert manifest.statement(**given_) == data


def test_releases_that_it_was_built_against_are_put_in_the_order_of_their_ids(data: bytes) -> None:
    two = [small_release.other("first", "cd" * 32), small_release.other("second", "ab" * 32)]
    given = arguments(json.loads(data)["predicate"])
    made = [manifest.statement(**{**given, "against": named}) for named in (two, two[::-1], [])]
    assert made[0] == made[1] != made[2] == data
    assert [other["name"] for other in manifest.parse(made[0])["against"]] == ["second", "first"]


def test_totals_are_the_sums_of_the_sources(data: bytes) -> None:
    given_ = arguments(manifest.parse(data))
    del given_["totals"]
    assert manifest.statement(**given_) == data
    given_["totals"] = {**manifest.parse(data)["totals"], "kept": 1}
    with pytest.raises(ValueError, match="sum to"):
        manifest.statement(**given_)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every value in the predicate's own structure (recipe and lock are their makers')."""
    if path in {("recipe",), ("lock",)}:
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(leaf for key, item in items for leaf in leaves(item, (*path, key)))]


@given(st.data())
def test_a_value_of_another_kind_is_refused_wherever_it_stands(data: bytes, draw: st.DataObject) -> None:
    value = json.loads(data)
    path = draw.draw(st.sampled_from(leaves(value["predicate"])[1:]))
    holder = value["predicate"]
    for key in path[:-1]:
        holder = holder[key]
    old = holder[path[-1]]
    other = draw.draw(st.sampled_from([None, True, -1, 1.5, "x", [[]], {"k": {}}]))
    assume(type(other) is not type(old) and not (other is None and path[-1] in {"first_id", "last_id"}))
    holder[path[-1]] = other
    with pytest.raises(VerificationError):
        manifest.parse(canonical.dumps(value))


@given(st.data())
def test_a_key_that_is_missing_or_unknown_is_refused_by_name(data: bytes, draw: st.DataObject) -> None:
    value = json.loads(data)
    objects = [()]
    strict = [path for path in leaves(value["predicate"]) if path not in {("recipe",), ("lock",)}]
    objects += [
        path for path in strict if isinstance(at(value["predicate"], path), dict) and path[-1:] != ("packages",)
    ]
    holder = at(value["predicate"], draw.draw(st.sampled_from(objects)))
    if draw.draw(st.booleans()):
        key = draw.draw(st.sampled_from(sorted(holder)))
        del holder[key]
    else:
        key = "extra"
        holder[key] = 1
    with pytest.raises(VerificationError, match=f"'{key}'"):
        manifest.parse(canonical.dumps(value))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def predicate_of(value: dict[str, Any]) -> Any:
    return value["predicate"]


def others(predicate: dict[str, Any], *names: str) -> None:
    predicate["against"] = [small_release.other(release_id=name.ljust(64, "0")) for name in names]


def one_artifact_under_two_file_names(predicate: dict[str, Any]) -> None:
    for artifacts in (predicate["lock"]["artifacts"], predicate["sources"][0]["artifacts"]):
        artifacts.append({**artifacts[0], "file": "another-name"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(_type="https://in-toto.io/Statement/v0.1"), "_type is"),
        (lambda v: v.update(predicateType="urn:pellucid:run:v1"), "predicateType is"),
        (lambda v: v["subject"].reverse(), "out of order"),
        (lambda v: v["subject"].append(v["subject"][-1]), "names a file twice"),
        (lambda v: v["subject"].pop(), "subject and files say different things of 'provenance/notes/kept"),
        (lambda v: v["subject"][0]["digest"].update(sha256="0" * 64), "different things of 'README.md'"),
        (lambda v: v["subject"][0]["digest"].update(sha512="0"), "'sha512'"),
        (lambda v: predicate_of(v)["files"].reverse(), "files holds"),
        (lambda v: predicate_of(v)["totals"]["reasons"].reverse(), "totals: reasons holds"),
        (lambda v: predicate_of(v)["sources"][0]["reasons"].reverse(), "sources manual: reasons holds"),
        (lambda v: predicate_of(v)["sources"].reverse(), "recipe.sources are"),
        (lambda v: predicate_of(v)["sources"][0].update(license="MIT"), "recipe.sources are"),
        (lambda v: predicate_of(v).update(version="2"), "recipe.version"),
        (lambda v: predicate_of(v)["lock"]["artifacts"].pop(), "lock and sources differ"),
        (lambda v: predicate_of(v)["lock"]["artifacts"][0].update(sha256="0" * 64), "lock and sources differ"),
        (lambda v: predicate_of(v)["lock"].update(artifacts="none"), "lock and sources differ"),
        (lambda v: one_artifact_under_two_file_names(predicate_of(v)), "has one artifact twice"),
        (lambda v: others(predicate_of(v), "b", "a"), "against holds"),
        (lambda v: others(predicate_of(v), "a", "a"), "against holds"),
        (lambda v: others(predicate_of(v), "a" * 65), r"against\[0\].release_id is"),
        (lambda v: predicate_of(v)["code"].update(sha256="a" * 65), "code.sha256 is"),
        (lambda v: predicate_of(v)["code"].update(sha256="A" * 64), "code.sha256 is"),
        (lambda v: predicate_of(v)["sources"][0]["artifacts"][0].update(purl="pkg:pypi/evil@1"), "lock and sources differ"),
        (lambda v: predicate_of(v)["files"][0].update(rows=3), "rows for shards only"),
        (lambda v: predicate_of(v)["files"][3].update(rows=None), "rows for shards only"),
        (lambda v: predicate_of(v)["files"][3].update(source="notes"), "the form of a data shard of 'notes'"),
        (lambda v: predicate_of(v)["files"][3].update(kind="kept"), "the form of a kept shard"),
        (lambda v: predicate_of(v)["files"][3].update(first_id="F" * 32), r"files\[3\].first_id"),
    ],
)  # fmt: skip
def test_each_rule_has_its_own_message(data: bytes, change: Callable[[dict[str, Any]], object], message: str) -> None:
    value = json.loads(data)
    change(value)
    with pytest.raises(VerificationError, match=message):
        manifest.parse(canonical.dumps(value))


def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    for changed in (data + b"\n", data.replace(b":", b": ", 1), json.dumps(json.loads(data)).encode(), b"", b"[]"):
        with pytest.raises(VerificationError):
            manifest.parse(changed)


def entry(name: str, kind: str = "card", source: str | None = None) -> dict[str, Any]:
    count, root = (None, None) if kind in names.DOCUMENTS.values() else (0, "0" * 64)
    return {"name": name, "kind": kind, "source": source, "rows": count, "leaves": count, "root": root}


def documents() -> list[dict[str, Any]]:
    return [entry(name, kind) for name, kind in names.DOCUMENTS.items()]


def shards_of_a() -> list[dict[str, Any]]:
    return [
        entry("data/a/train-00000-of-00001.parquet", "data", "a"),
        entry("provenance/a/clusters-00000-of-00001.parquet", "clusters", "a"),
        entry("provenance/a/dropped-00000-of-00001.parquet", "dropped", "a"),
        entry("provenance/a/kept-00000-of-00001.parquet", "kept", "a"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "../x.md", "/etc/passwd", "a/b.md", ".hidden.md", "x", "C:x.md", "x\\y.md", "README.md\n", "naïve.md", "a..md",
        "x.md/", "manifest.json", "MANIFEST.json", "run.dsse.json", "con\x00.md", "\uff32EADME.md", "",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_or_are_taken_are_refused(name: str) -> None:
    names.check([*documents(), *shards_of_a()], ["a"], "manifest.json")
    for kind in names.DOCUMENTS.values():
        with pytest.raises(VerificationError, match=r"files\[0\]\.name"):
            names.check([entry(name, kind), *documents(), *shards_of_a()], ["a"], "manifest.json")


@pytest.mark.parametrize(
    "name",
    [
        "data/b/train-00000-of-00001.parquet",
        "data/a/../a/train-00000-of-00001.parquet",
        "provenance/a/kept-00000-of-00001.parquet",
        "data/a/train-0-of-1.parquet",
        "data/a/train-00000-of-00001.parquet\n",
    ],
)
def test_a_data_shard_lies_in_the_folder_of_its_source(name: str) -> None:
    with pytest.raises(VerificationError, match="the form of a data shard"):
        names.check([*documents(), entry(name, "data", "a"), *shards_of_a()[1:]], ["a"], "manifest.json")


def test_names_that_differ_by_case_alone_are_refused() -> None:
    for name in ("Readme.md", "summary.md", "Croissant.json"):
        with pytest.raises(VerificationError, match=r"or README\.md, SUMMARY\.md, croissant\.json"):
            names.check([*documents(), entry(name), *shards_of_a()], ["a"], "manifest.json")


def test_each_document_stands_in_a_release_once_under_its_own_kind() -> None:
    for one in documents():
        others = [other for other in documents() if other != one]
        for wrong in (others, [*documents(), one], [*others, others[0]]):
            with pytest.raises(VerificationError, match=r"README\.md, SUMMARY\.md, croissant\.json, each once"):
                names.check([*wrong, *shards_of_a()], ["a"], "manifest.json")
        for change in ({"kind": others[0]["kind"]}, {"source": "a"}):
            with pytest.raises(VerificationError, match=r"a shard, or README\.md"):
                names.check([*others, {**one, **change}, *shards_of_a()], ["a"], "manifest.json")


def test_a_missing_shard_or_kind_of_shard_is_refused() -> None:
    with pytest.raises(VerificationError, match="the dropped shards of a"):
        shards = [file for file in shards_of_a() if file["kind"] != "dropped"]
        names.check([*documents(), *shards], ["a"], "manifest.json")
    second = entry("data/a/train-00001-of-00002.parquet", "data", "a")
    with pytest.raises(VerificationError, match="the data shards of a"):
        names.check([*documents(), second, *shards_of_a()[1:]], ["a"], "manifest.json")
    two = [entry(f"data/a/train-0000{number}-of-00002.parquet", "data", "a") for number in range(2)]
    with pytest.raises(VerificationError, match="as many of each kind"):
        names.check([*documents(), *two, *shards_of_a()[1:]], ["a"], "manifest.json")


def tiny_package(folder: Path) -> Path:
    (folder / "package" / "inner").mkdir(parents=True)
    (folder / "package" / "__init__.py").write_bytes(b"")
    (folder / "package" / "inner" / "a.py").write_bytes(b"x = 1\n")
    (folder / "package" / "data.txt").write_bytes(b"\x00\xff")
    return folder / "package"


def test_the_digest_of_code_is_the_golden_one_wherever_the_package_lies(tmp_path: Path) -> None:
    one, other = tiny_package(tmp_path / "here"), tiny_package(tmp_path / "there" / "deeper")
    assert manifest.code_sha256(one) == manifest.code_sha256(other)
    assert manifest.code_sha256(one) == "c3ce99e55f58f3936fb50955c0c8d37577d8253df84b85bec5968c98e21a8850"


def test_caches_and_hidden_files_are_not_code(tmp_path: Path) -> None:
    package = tiny_package(tmp_path)
    before = manifest.code_sha256(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.pyc").write_bytes(b"1")
    (package / ".a.py.swp").write_bytes(b"1")
    assert manifest.code_sha256(package) == before


def test_every_name_and_byte_of_code_counts_and_no_boundary_can_move(tmp_path: Path) -> None:
    package = tiny_package(tmp_path)
    seen = {manifest.code_sha256(package)}
    (package / "data.txt").write_bytes(b"\x00")
    seen.add(manifest.code_sha256(package))
    (package / "data.txt").rename(package / "data.tx")
    seen.add(manifest.code_sha256(package))
    (package / "data.tx").write_bytes(b"t\x00")
    seen.add(manifest.code_sha256(package))
    (package / "empty").write_bytes(b"")
    seen.add(manifest.code_sha256(package))
    assert len(seen) == 5
