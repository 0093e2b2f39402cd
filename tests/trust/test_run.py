"""The run document is SLSA provenance v1, says who built what of what, and agrees with the manifest of its release."""

import getpass
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import VerificationError
from pipeline.trust import canonical, dsse, intoto, machine, run
from pipeline.trust.verify import verify
from tests.trust import small_release as small

COMMIT = "ab" * 20


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("release"), small.corpus(), against=[small.other()])


@pytest.fixture(scope="module")
def manifest(release: Path) -> dict[str, Any]:
    return dict(json.loads((release / "manifest.json").read_bytes())["predicate"])


@pytest.fixture(scope="module")
def document(manifest: dict[str, Any]) -> bytes:
    return run.run_statement(
        manifest, release_id="a" * 64, report="b" * 64, started=0, finished=86399.9, seconds={"write": 1.23456}, workers=2,
        used=machine.Used(12.5, 1 << 30),
    )  # fmt: skip


def test_it_is_an_in_toto_statement_of_slsa_provenance_about_the_manifest(document: bytes) -> None:
    value = json.loads(document)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://slsa.dev/provenance/v1"
    assert value["subject"] == [{"name": "manifest.json", "digest": {"sha256": "a" * 64}}]


def test_fields_without_underscore_are_those_of_the_slsa_schema_and_what_it_requires_is_there(document: bytes) -> None:
    """The names of provenance.proto, in lowerCamelCase as its JSON has them; an extension is VENDOR_FIELD."""
    value = json.loads(document)["predicate"]
    defined, details = value["buildDefinition"], value["runDetails"]
    assert set(value) == {"buildDefinition", "runDetails"}
    assert set(defined) == {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}
    assert set(details) == {"builder", "metadata", "byproducts", "pellucid_run"}
    assert set(details["builder"]) <= {"id", "version", "builderDependencies"} and details["builder"]["id"]
    assert set(details["metadata"]) == {"invocationId", "startedOn", "finishedOn"}
    for descriptor in defined["resolvedDependencies"]:
        assert set(descriptor) <= {"uri", "digest", "name", "downloadLocation", "mediaType", "content", "annotations"}
        assert descriptor["digest"]
    assert defined["buildType"].startswith("urn:") and details["builder"]["id"].startswith("urn:")
    assert not set(defined["externalParameters"]) & set(defined["internalParameters"])


def test_it_says_what_was_built_of_what_when_and_with_what(document: bytes, manifest: dict[str, Any]) -> None:
    stated = run.parse(document)
    defined, details = stated.predicate["buildDefinition"], stated.predicate["runDetails"]
    assert stated.release_id == "a" * 64
    assert defined["externalParameters"] == {
        "recipe": "small", "version": "1", "against": [{"name": "other", "version": "1.0"}],
    }  # fmt: skip
    assert defined["internalParameters"] == {"engine": "local", "workers": 2}
    digests = [(one["name"], *sorted(set(one["digest"]) - {"gitCommit"})) for one in defined["resolvedDependencies"]]
    assert digests == [("code", "code_sha256"), ("recipe", "sha256"), ("lock", "sha256"), ("against", "sha256")]
    assert defined["resolvedDependencies"][0]["digest"]["code_sha256"] == manifest["code"]["sha256"]
    assert defined["resolvedDependencies"][-1]["digest"]["sha256"] == "ab" * 32
    assert (details["metadata"]["startedOn"], details["metadata"]["finishedOn"]) == (
        "1970-01-01T00:00:00Z", "1970-01-01T23:59:59Z",
    )  # fmt: skip
    extension = details["pellucid_run"]
    assert extension["seconds"] == {"write": 1.235}
    assert (extension["cpu_seconds"], extension["peak_memory_bytes"]) == (12.5, 1 << 30)
    assert extension["machine"]["cores"] >= 1
    assert details["builder"]["version"]["python"] == platform.python_version()
    assert details["builder"]["version"]["pellucid"] == "0.1.0"


def test_digests_of_recipe_and_lock_are_the_golden_ones() -> None:
    made = {
        "name": "a", "version": "1", "against": [], "recipe": {"name": "a"}, "lock": {"artifacts": []},
        "code": {"sha256": "c" * 64}, "environment": {"requirements_sha256": "d" * 64},
    }  # fmt: skip
    assert [(one["name"], *one["digest"].items()) for one in run.definition(made)[1]] == [
        ("code", ("code_sha256", "c" * 64)),
        ("recipe", ("sha256", "d9d719b27480b55cd4918020e7473e716ed3569c8adafe926cf9b10b4f8ef064")),
        ("lock", ("sha256", "bf551427bb93b2762e29fc326bedde7a8e2cac4e25b3126cea8fc66f46d2e55b")),
        ("requirements", ("sha256", "d" * 64)),
    ]


def test_every_run_has_an_id_of_its_own(manifest: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "release_id": "a" * 64,
        "report": "b" * 64,
        "started": 0,
        "finished": 1,
        "seconds": {},
        "workers": 1,
    }
    ids = {
        run.parse(run.run_statement(manifest, **facts)).predicate["runDetails"]["metadata"]["invocationId"]
        for _ in range(5)
    }
    assert len(ids) == 5


def test_its_size_does_not_grow_with_the_number_of_artifacts(manifest: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "release_id": "a" * 64,
        "report": "b" * 64,
        "started": 0,
        "finished": 1,
        "seconds": {},
        "workers": 1,
    }
    many = {**manifest, "lock": {"artifacts": manifest["lock"]["artifacts"] * 1000}}
    assert len(run.run_statement(many, **facts)) == len(run.run_statement(manifest, **facts)) < 6000


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    else:
        yield str(value)


def test_it_names_no_host_no_user_and_no_folder(document: bytes) -> None:
    said = list(strings(json.loads(document)))
    assert platform.node() not in said
    assert getpass.getuser() not in said
    assert not any(item.startswith("/") or str(Path.home()) in item for item in said)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@given(st.data())
def test_a_value_of_another_kind_is_refused_wherever_it_stands(document: bytes, draw: st.DataObject) -> None:
    value = json.loads(document)
    path = draw.draw(st.sampled_from([p for p in places(value["predicate"]) if p]))
    holder, old = at(value["predicate"], path[:-1]), at(value["predicate"], path)
    other = draw.draw(st.sampled_from([True, -1, "x\n", [[]], {"k": {}}, None]))
    assume(type(other) is not type(old))
    assume(other is not None or path[-1] not in ("git_commit", "cpu_seconds", "peak_memory_bytes", "memory_bytes"))
    assume(
        not (
            isinstance(old, int | float)
            and isinstance(other, int | float)
            and not isinstance(other, bool)
            and other >= 0
        )
    )
    holder[path[-1]] = other
    with pytest.raises(VerificationError):
        run.parse(canonical.dumps(value))


OPEN = {"version", "seconds", "digest"}  # objects whose keys are names of packages, stages and algorithms


@given(st.data())
def test_a_key_that_is_missing_or_unknown_is_refused_by_name(document: bytes, draw: st.DataObject) -> None:
    value = json.loads(document)
    objects = [p for p in places(value["predicate"]) if isinstance(at(value["predicate"], p), dict) and not OPEN & {*p}]
    holder = at(value["predicate"], draw.draw(st.sampled_from(objects)))
    if draw.draw(st.booleans()):
        key = draw.draw(st.sampled_from(sorted(holder)))
        del holder[key]
    else:
        key = "extra"
        holder[key] = 1
    with pytest.raises(VerificationError, match=f"'{key}'"):
        run.parse(canonical.dumps(value))


Change = Callable[[dict[str, Any]], object]
REPORT = {"name": "report.html", "digest": {"sha256": "b" * 64}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(predicateType="urn:pellucid:run:v1"), "predicateType"),
        (lambda v: v["subject"][0].update(name="other.json"), "subject is"),
        (lambda v: v["subject"].clear(), "subject is"),
        (lambda v: v["predicate"]["buildDefinition"].update(buildType="urn:other"), "buildType"),
        (lambda v: v["predicate"]["runDetails"]["builder"].update(id="urn:other"), "builder.id"),
        (lambda v: v["predicate"]["buildDefinition"]["internalParameters"].update(engine="ray"), "builder.id"),
        (lambda v: v["predicate"]["runDetails"]["builder"]["version"].pop("pellucid"), "no 'pellucid'"),
        (lambda v: v["predicate"]["runDetails"]["builder"]["version"].pop("python"), "no 'python'"),
        (lambda v: v["predicate"]["runDetails"]["metadata"].update(startedOn="yesterday"), "startedOn"),
        (lambda v: v["predicate"]["runDetails"]["metadata"].update(invocationId="me@here"), "invocationId"),
        (lambda v: v["predicate"]["runDetails"]["pellucid_run"].update(seconds={"write": "long"}), "seconds"),
        (lambda v: v["predicate"]["runDetails"]["pellucid_run"].update(git_commit="HEAD"), "git_commit"),
        (lambda v: v["predicate"]["buildDefinition"]["internalParameters"].update(workers=True), "workers"),
        (lambda v: v["predicate"]["runDetails"].update(byproducts=[]), "byproducts are"),
        (lambda v: v["predicate"]["runDetails"]["byproducts"].append(REPORT), "byproducts are"),
        (lambda v: v["predicate"]["runDetails"]["byproducts"][0].update(name="other.html"), "byproducts are"),
        (lambda v: v["predicate"]["runDetails"]["byproducts"][0].update(digest={"sha256": "b"}), "digest.sha256"),
        (lambda v: v["predicate"]["buildDefinition"]["resolvedDependencies"][0].update(digest={}), "digest"),
    ],
)
def test_each_rule_has_its_own_message(document: bytes, change: Change, message: str) -> None:
    value = json.loads(document)
    change(value)
    with pytest.raises(VerificationError, match=message):
        run.parse(canonical.dumps(value))


def test_bytes_that_are_not_canonical_are_refused(document: bytes) -> None:
    for changed in (document + b"\n", json.dumps(json.loads(document)).encode(), b"", b"{}"):
        with pytest.raises(VerificationError):
            run.parse(changed)


def test_the_report_is_the_one_byproduct_and_named_by_its_digest(document: bytes) -> None:
    """ResourceDescriptor of slsa.dev/spec/v1.1/provenance: name and digest."""
    assert json.loads(document)["predicate"]["runDetails"]["byproducts"] == [REPORT]
    assert run.parse(document).report == "b" * 64


def dependencies(value: dict[str, Any]) -> Any:
    return value["predicate"]["buildDefinition"]["resolvedDependencies"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: dependencies(v)[0]["digest"].update(code_sha256="0" * 64), "digest of 'code'"),
        (lambda v: dependencies(v)[1]["digest"].update(sha256="0" * 64), "digest of 'recipe'"),
        (lambda v: dependencies(v)[2]["digest"].update(sha256="0" * 64), "digest of 'lock'"),
        (lambda v: dependencies(v)[2]["digest"].update(gitCommit=COMMIT), "digest of 'lock'"),
        (lambda v: dependencies(v)[3]["digest"].update(sha256="0" * 64), "digest of 'against'"),
        (lambda v: dependencies(v).pop(), "3 dependencies"),
        (lambda v: dependencies(v).append({"name": "more", "digest": {"sha256": "0" * 64}}), "5 dependencies"),
        (lambda v: v["predicate"]["buildDefinition"]["externalParameters"].update(recipe="big"), "recipe is 'big'"),
        (lambda v: v["predicate"]["buildDefinition"]["externalParameters"].update(version="2"), "version is '2'"),
        (lambda v: v["predicate"]["buildDefinition"]["externalParameters"].update(against=[]), "against is"),
    ],
)
def test_a_run_document_that_tells_another_recipe_lock_or_code_than_the_manifest_is_refused(
    tmp_path: Path, change: Change, message: str
) -> None:
    folder = small.write(tmp_path, small.corpus(), against=[small.other()])
    assert verify(folder, small.TRUSTED).ok
    opened = dsse.open_envelope((folder / "run.dsse.json").read_bytes(), small.TRUSTED, intoto.PAYLOAD_TYPE)
    value = json.loads(opened.payload)
    change(value)
    (folder / "run.dsse.json").write_bytes(dsse.sign(canonical.dumps(value), intoto.PAYLOAD_TYPE, small.KEY))
    (found,) = verify(folder, small.TRUSTED).failures
    assert (found.name, found.file) == ("run", "run.dsse.json")
    assert message in found.detail


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_commit_is_a_digest_of_the_code_only_where_nothing_differs_from_it(
    tmp_path: Path, manifest: dict[str, Any]
) -> None:
    def stated() -> tuple[str | None, str | None]:
        """The commit as a digest of the code, and as what is checked out."""
        data = run.run_statement(
            manifest,
            release_id="a" * 64,
            report="b" * 64,
            started=0,
            finished=1,
            seconds={},
            workers=1,
            package=tmp_path,
        )
        found = run.parse(data)
        assert run.differences(found, manifest) == []
        digest = found.predicate["buildDefinition"]["resolvedDependencies"][0]["digest"]
        return digest.get("gitCommit"), found.predicate["runDetails"]["pellucid_run"]["git_commit"]

    assert stated() == (None, None)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "__init__.py").write_text("")
    assert stated() == (None, None)  # not tracked
    git(tmp_path, "add", "__init__.py")
    git(tmp_path, "commit", "--quiet", "--message", "x")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert stated() == (commit, commit)
    (tmp_path / "more.py").write_text("x = 1\n")
    assert stated() == (None, commit)
    (tmp_path / "more.py").unlink()
    (tmp_path / "__init__.py").write_text("x = 1\n")
    assert stated() == (None, commit)


def test_code_that_git_does_not_track_has_no_commit(tmp_path: Path) -> None:
    assert machine.git_commit(tmp_path) is None
    assert machine.git_changed(tmp_path)


def test_time_and_memory_of_processes_that_have_ended_are_counted() -> None:
    before = machine.used()
    code = "x = bytearray(150 << 20)\nfor i in range(2_000_000): pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    after = machine.used()
    assert after.cpu_seconds > before.cpu_seconds
    assert after.peak_memory_bytes >= 150 << 20
