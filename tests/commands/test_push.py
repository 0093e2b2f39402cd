"""`pellucid push`, against a server on loopback that speaks the Hub's protocol and keeps what it is given."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline import push as pushing
from pipeline.cli import main
from pipeline.errors import SourceError
from pipeline.trust import keys
from pipeline.trust.verify import verify
from tests.hub_server import TOKEN, HubServer, Repository, hub
from tests.trust import small_release as small

REPOSITORY = "somebody/small"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.with_documents(small.write(tmp_path_factory.mktemp("push") / "release", small.corpus()))


@pytest.fixture
def release(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "release"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with hub() as running:
        yield running


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "small.pub"
    path.write_bytes(keys.public_pem(small.KEY.public_key()))
    return path


def push(server: HubServer, release: Path, key: Path, *options: str, code: int = 0, name: str = REPOSITORY) -> Result:
    arguments = ["push", str(release), name, "--endpoint", server.url, "--key", str(key), *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    assert TOKEN not in result.output
    return result


def files_of(release: Path) -> dict[str, bytes]:
    return {path.relative_to(release).as_posix(): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def test_the_repository_has_every_byte_of_the_release_and_nothing_else_after_one_commit(
    server: HubServer, release: Path, key: Path
) -> None:
    result = push(server, release, key, "--yes")
    assert server.files(REPOSITORY) == files_of(release)
    (message,) = server.repositories[REPOSITORY].messages
    assert message.startswith("small 1\nPellucid release ")
    assert f"pushed      {server.url}/datasets/{REPOSITORY}" in result.stdout
    assert ("PUT" in {method for method, _ in server.asked}) and server.stored


def test_a_repository_that_is_made_is_private_unless_public_is_asked_for(
    server: HubServer, release: Path, key: Path
) -> None:
    push(server, release, key, "--yes")
    push(server, release, key, "--yes", "--public", name="somebody/other")
    assert [one.private for one in server.repositories.values()] == [True, False]


def test_what_was_pushed_can_be_downloaded_and_verifies(
    server: HubServer, release: Path, key: Path, tmp_path: Path
) -> None:
    from huggingface_hub import HfApi

    said = push(server, release, key, "--yes").stdout
    assert "--exclude .gitattributes" in said and "rm -r .cache && pellucid verify ." in said
    folder = tmp_path / "download"
    HfApi(endpoint=server.url, token=TOKEN).snapshot_download(
        REPOSITORY, repo_type="dataset", local_dir=folder, ignore_patterns=[".gitattributes"]
    )
    shutil.rmtree(folder / ".cache")
    assert verify(folder, small.TRUSTED).failures == ()


def test_datasets_loads_each_configuration_of_what_was_pushed_by_the_repositorys_name(
    server: HubServer, release: Path, key: Path, tmp_path: Path
) -> None:
    """In a process of its own: `datasets` asks for the server's address once, as it is imported."""
    push(server, release, key, "--yes")
    configurations = {"default": "data", "provenance": "kept", "dropped": "dropped", "clusters": "clusters"}
    code = (
        f"from datasets import load_dataset\nfor name in {list(configurations)}:\n"
        f"    print(name, load_dataset({REPOSITORY!r}, name, split='train').num_rows)"
    )
    place = {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": TOKEN}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **place}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = json.loads((release / "manifest.json").read_bytes())["predicate"]["files"]
    rows = {name: sum(file["rows"] for file in files if file["kind"] == kind) for name, kind in configurations.items()}
    assert done.stdout.split() == [word for name, count in rows.items() for word in (name, str(count))]


def test_a_release_that_does_not_verify_is_not_pushed(server: HubServer, release: Path, key: Path) -> None:
    (release / "SUMMARY.md").write_text("# another\n")
    assert "does not verify" in push(server, release, key, "--yes", code=1).stderr
    assert server.asked == []


def test_a_file_that_is_not_of_the_release_does_not_go_up(server: HubServer, release: Path, key: Path) -> None:
    (release / "notes.txt").write_text("to myself\n")
    push(server, release, key, "--yes", code=1)
    assert server.asked == []


def test_a_dry_run_says_what_would_go_where_and_changes_nothing(server: HubServer, release: Path, key: Path) -> None:
    said = push(server, release, key, "--dry-run").stdout
    files = files_of(release)
    assert all(name in said for name in files)
    assert "private, is made" in said and "BSD-3-Clause, CC-BY-SA-4.0" in said
    planned = json.loads(push(server, release, key, "--dry-run", "--json").stdout)
    assert planned["files"] == {name: len(data) for name, data in files.items()}
    assert planned["pushed"] is None
    assert server.repositories == {} and {method for method, _ in server.asked} == {"GET"}


def test_without_yes_nobody_to_ask_is_an_error_and_nothing_is_pushed(
    server: HubServer, release: Path, key: Path
) -> None:
    assert "--yes" in push(server, release, key, code=2).stderr
    assert server.repositories == {}


def test_files_of_an_earlier_release_go_in_the_same_commit_and_others_stay(
    server: HubServer, release: Path, key: Path
) -> None:
    server.repositories[REPOSITORY] = Repository(private=False)
    old = "data/manual/train-00002-of-00003.parquet"
    server.put(REPOSITORY, old, b"old")
    server.put(REPOSITORY, "notes.txt", b"kept")
    said = push(server, release, key, "--yes").stderr
    assert f"1 files of an earlier release: {old}" in said
    assert "WARNING: notes.txt" in said
    assert server.files(REPOSITORY) == {**files_of(release), "notes.txt": b"kept"}
    assert len(server.repositories[REPOSITORY].messages) == 1


def test_pushing_again_sends_nothing_and_makes_no_commit(server: HubServer, release: Path, key: Path) -> None:
    push(server, release, key, "--yes")
    asked = len(server.asked)
    assert "it was there already" in push(server, release, key, "--yes").stdout
    assert "PUT" not in {method for method, _ in server.asked[asked:]}
    assert len(server.repositories[REPOSITORY].messages) == 1


def test_a_branch_is_made_and_the_main_one_left_alone(server: HubServer, release: Path, key: Path) -> None:
    server.repositories[REPOSITORY] = Repository(private=True)
    server.put(REPOSITORY, "data/manual/train-00002-of-00003.parquet", b"old")
    push(server, release, key, "--yes", "--revision", "v1")
    assert server.files(REPOSITORY, "v1") == files_of(release)
    assert list(server.files(REPOSITORY)) == ["data/manual/train-00002-of-00003.parquet"]


def test_what_the_repository_ignores_is_missed_after_the_push(server: HubServer, release: Path, key: Path) -> None:
    server.repositories[REPOSITORY] = Repository(private=True, ignored={"SUMMARY.md"})
    said = push(server, release, key, "--yes", code=3).stderr
    assert "SUMMARY.md: is not in the repository after the push" in said


def test_a_repository_of_the_other_kind_is_not_changed(server: HubServer, release: Path, key: Path) -> None:
    server.repositories[REPOSITORY] = Repository(private=True)
    assert "changes no visibility" in push(server, release, key, "--yes", "--public", code=2).stderr


@pytest.mark.parametrize(
    ("request_", "status", "headers", "message"),
    [
        (("POST", "/api/repos/create"), 403, {}, "the token may not do this"),
        (("POST", "/preupload/"), 403, {"X-Error-Message": f"{TOKEN} may not"}, "the token may not do this"),
        (("POST", "/commit/"), 409, {}, "somebody else changed the repository"),
        (("POST", "/commit/"), 412, {}, "somebody else changed the repository"),
        (("POST", "/preupload/"), 404, {"X-Error-Code": "RepoNotFound"}, "no such repository"),
        (("POST", "objects/batch"), 413, {}, "too large"),
        (("PUT", "/lfs/"), 403, {}, "the token may not do this"),
    ],
)
def test_what_the_server_refuses_is_said_with_what_to_do(
    server: HubServer, release: Path, key: Path, request_: tuple[str, str], status: int, headers: dict, message: str
) -> None:
    server.refuse[request_] = (status, headers)
    said = push(server, release, key, "--yes", code=3).stderr
    assert f"the server answered {status}: {message}" in said
    assert "next:" in said


def test_a_commit_that_came_between_plan_and_push_is_not_written_over(server: HubServer, release: Path) -> None:
    server.repositories[REPOSITORY] = there = Repository(private=True)
    client = pushing.Hub(server.url)
    plan = client.plan(pushing.local(release, small.TRUSTED), REPOSITORY)
    there.commits["f" * 40] = {"notes.txt": b"of somebody else"}
    there.branches["main"] = "f" * 40
    with pytest.raises(SourceError, match="somebody else changed the repository"):
        client.push(plan)
    assert server.files(REPOSITORY) == {"notes.txt": b"of somebody else"}


def test_a_token_that_is_not_known_is_said_and_not_shown(
    server: HubServer, release: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    said = push(server, release, key, "--yes", code=3).stderr
    assert "401" in said and "hf auth login" in said and "hf_another" not in said


def test_a_server_that_cannot_be_reached_is_exit_3(release: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with hub() as closed:
        pass
    said = push(closed, release, key, "--yes", code=3).stderr
    assert "the push failed" in said and "reachable" in said


@pytest.mark.parametrize("name", ["small", "a/b/c", "somebody/..", "some body/x"])
def test_a_name_that_no_repository_can_have_is_a_wrong_argument(
    server: HubServer, release: Path, key: Path, name: str
) -> None:
    assert "OWNER/NAME" in push(server, release, key, "--yes", code=2, name=name).stderr
