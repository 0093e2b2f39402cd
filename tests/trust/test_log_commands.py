"""`pellucid log` and `verify --log`: what a publisher and a reader type, and what they are told."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization

from pipeline.cli import main
from pipeline.trust import log, log_append, log_seen
from pipeline.trust.keys import key_id, public_pem
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.small_release import KEY, OTHER_KEY, TRUSTED

ORIGIN = "example.com/releases"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder whose signing key is the one that signs the releases of these tests."""
    folder = tmp_path / "config"
    folder.mkdir()
    private_key(folder / "signing.key", KEY)
    (folder / "signing.pub").write_bytes(public_pem(KEY.public_key()))
    monkeypatch.setenv("PELLUCID_CONFIG", str(folder))
    return folder


def private_key(path: Path, key: object) -> Path:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    path.chmod(0o600)
    return path


@pytest.fixture
def successor(release: Path, tmp_path: Path) -> Path:
    """Another release: the same rows under another description."""
    folder = Path(shutil.copytree(release, tmp_path / "successor"))
    small.sign_again(folder, KEY, lambda predicate: predicate["code"].update(sha256="f" * 64))
    return folder


@pytest.fixture
def folder(tmp_path: Path, release: Path) -> Path:
    """A log that has the release."""
    run("init", tmp_path / "log", "--origin", ORIGIN)
    run("add", tmp_path / "log", release)
    return tmp_path / "log"


def run(*words: object, code: int = 0, group: str = "log") -> Result:
    result = CliRunner().invoke(main, [group, *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result


def release_id(folder: Path) -> str:
    return verify(folder, TRUSTED).release_id or ""


def test_a_publisher_starts_a_log_adds_releases_and_withdraws_one(
    tmp_path: Path, release: Path, successor: Path
) -> None:
    folder = tmp_path / "log"
    assert f"{ORIGIN}, 0 entries" in run("init", folder, "--origin", ORIGIN).stdout
    assert f"0  {release_id(release)}  logged" in run("add", folder, release).stdout
    run("add", folder, successor / "manifest.json")
    assert f"2  {release_id(release)}  withdrawn" in run("withdraw", folder, release_id(release)).stdout
    shown = run("show", folder).stdout
    assert f"0  {release_id(release)}  withdrawn by entry 2" in shown
    assert f"1  {release_id(successor)}  logged" in shown
    value = json.loads(run("show", folder, "--json").stdout)
    assert (value["origin"], value["size"], value["key_id"]) == (ORIGIN, 3, key_id(KEY.public_key()))
    assert value["verifier_key"].startswith(f"{ORIGIN}+")
    assert value["releases"] == [
        {"number": 0, "release_id": release_id(release), "state": "withdrawn", "withdrawn_by": 2},
        {"number": 1, "release_id": release_id(successor), "state": "logged", "withdrawn_by": None},
    ]


def test_several_releases_are_added_together_or_not_at_all(folder: Path, release: Path, successor: Path) -> None:
    assert "a second time" in run("add", folder, successor, release, code=2).stderr
    assert log.read(folder, TRUSTED).size == 1
    assert "a second time" in run("add", folder, successor, successor, code=2).stderr
    assert log.read(folder, TRUSTED).size == 1


def test_only_a_manifest_that_a_trusted_key_signed_is_logged(folder: Path, successor: Path) -> None:
    small.sign_again(successor, OTHER_KEY)
    assert "no trusted key" in run("add", folder, successor, code=1).stderr
    (successor / "manifest.json").write_bytes((successor / "manifest.json").read_bytes() + b" ")
    small_key = successor.parent / "other.pub"
    small_key.write_bytes(public_pem(OTHER_KEY.public_key()))
    assert "is not what manifest.dsse.json" in run("add", folder, successor, "--key", small_key, code=1).stderr
    (successor / "manifest.dsse.json").unlink()
    assert "cannot be read" in run("add", folder, successor, code=2).stderr
    assert log.read(folder, TRUSTED).size == 1


def test_a_run_document_in_the_place_of_a_manifest_is_not_logged(folder: Path, successor: Path) -> None:
    import base64

    envelope = (successor / "run.dsse.json").read_bytes()
    (successor / "manifest.dsse.json").write_bytes(envelope)
    (successor / "manifest.json").write_bytes(base64.b64decode(json.loads(envelope)["payload"]))
    assert "predicateType" in run("add", folder, successor, code=1).stderr


def test_a_withdrawal_wants_a_logged_release_id(folder: Path, release: Path, successor: Path) -> None:
    assert "is no release id" in run("withdraw", folder, "abc", code=2).stderr
    assert "which no earlier entry logs" in run("withdraw", folder, release_id(successor), code=2).stderr
    run("withdraw", folder, release_id(release))
    assert "a second time" in run("withdraw", folder, release_id(release), code=2).stderr


def test_a_key_of_its_own_can_sign_a_log(tmp_path: Path, config: Path, release: Path) -> None:
    key = private_key(tmp_path / "log.key", OTHER_KEY)
    (config / "log.pub").write_bytes(public_pem(OTHER_KEY.public_key()))
    run("init", tmp_path / "log", "--origin", ORIGIN, "--signing-key", key)
    run("add", tmp_path / "log", release, "--signing-key", key)
    assert key_id(OTHER_KEY.public_key()) in run("check", tmp_path / "log", release).stdout


def test_a_reader_checks_that_a_release_is_in_the_log_by_id_folder_or_manifest(
    folder: Path, release: Path, successor: Path
) -> None:
    run("add", folder, successor)
    for name in (release_id(release), release, release / "manifest.json"):
        said = run("check", folder, name)
        assert f"entry       0 is {release_id(release)}: proved from the tiles" in said.stdout
        assert "1 entry after it" in said.stdout
    value = json.loads(run("check", folder, release, "--json").stdout)
    assert (value["ok"], value["number"], value["size"], len(value["proof"])) == (True, 0, 2, 1)
    assert "is not in the log" in run("check", folder, "0" * 64, code=1).stderr
    run("withdraw", folder, release_id(release))
    assert "WITHDRAWN   by entry 2" in run("check", folder, release, code=1).stdout
    assert json.loads(run("check", folder, release, "--json", code=1).stdout)["ok"] is False


def test_a_reader_is_told_whether_a_log_was_seen_before(folder: Path, successor: Path, config: Path) -> None:
    shutil.rmtree(config / "logs")
    assert "seen for the first time" in run("check", folder).stderr
    run("add", folder, successor)
    assert "2 entries, continues the 2 seen last" in run("check", folder).stderr
    assert "is of the log" in run("check", folder, "--origin", "example.com/other", code=1).stderr


def test_an_older_copy_of_a_log_is_refused_with_both_checkpoints_and_the_memory_stays(
    folder: Path, successor: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(folder, tmp_path / "old"))
    run("add", folder, successor)
    seen = log_seen.last(ORIGIN)
    assert seen is not None and seen.size == 2
    for words in (("check", old), ("show", old), ("add", old, successor), ("withdraw", old, release_id(successor))):
        said = run(*words, code=1).stderr
        assert "rolled back, from 2 entries to 1" in said
        for checkpoint in (old / "checkpoint", folder / "checkpoint"):
            assert all(line in said for line in checkpoint.read_text().split())
        assert log_seen.last(ORIGIN) == seen
    assert "rolled back" in run("init", tmp_path / "new", "--origin", ORIGIN, code=1).stderr
    assert not (tmp_path / "new").exists()


# ---------------------------------------------------------------- verify --log


def test_verify_asks_for_the_log_only_where_one_is_given(folder: Path, release: Path) -> None:
    without = json.loads(run(release, "--json", group="verify").stdout)
    assert "log" not in [check["name"] for check in without["checks"]] + without["unchecked"]
    value = json.loads(run(release, "--log", folder, "--json", group="verify").stdout)
    assert value["ok"] and value["checks"][-1]["name"] == "log"
    said = run(release, "--log", folder, group="verify").stdout
    assert "ok    log " in said and f"entry 0 of {ORIGIN}, 0 entries after it" in said


def failed_log(release: Path, folder: Path) -> str:
    """What the check `log` says, which must be the only one that fails."""
    value = json.loads(run(release, "--log", folder, "--json", group="verify", code=1).stdout)
    (check,) = (check for check in value["checks"] if not check["ok"])
    assert check["name"] == "log" and value["unchecked"] == []
    return str(check["detail"])


def test_a_withdrawn_release_is_refused_and_told_from_one_that_was_never_logged(
    folder: Path, release: Path, successor: Path
) -> None:
    assert "none of the 1 entries" in failed_log(successor, folder)
    run("add", folder, successor)
    run("withdraw", folder, release_id(release))
    said = failed_log(release, folder)
    assert "was withdrawn" in said and "entry 2" in said and "takedown" in said
    run(successor, "--log", folder, group="verify")


def test_an_old_release_is_refused_by_the_older_log_that_comes_with_it(
    folder: Path, release: Path, successor: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(folder, tmp_path / "old"))
    run("add", folder, successor)
    said = run(release, "--log", folder, group="verify").stdout
    assert "1 entry after it" in said
    assert "rolled back" in failed_log(release, old)


def test_the_withdrawal_is_remembered_though_verify_refused_the_release(
    folder: Path, release: Path, successor: Path, tmp_path: Path, config: Path
) -> None:
    old = Path(shutil.copytree(folder, tmp_path / "old"))
    run("withdraw", folder, release_id(release))
    shutil.rmtree(config / "logs")
    assert "was withdrawn" in failed_log(release, folder)
    assert "rolled back" in failed_log(release, old)


def test_a_log_that_does_not_hold_fails_the_check_and_no_other(folder: Path, release: Path) -> None:
    (folder / "tile/0/000.p/1").write_bytes(bytes(32))
    assert "not what the entries make" in failed_log(release, folder)


def test_a_log_that_no_trusted_key_signed_fails_the_check(release: Path, tmp_path: Path) -> None:
    log_append.start(tmp_path / "strange", ORIGIN, OTHER_KEY)
    assert "no trusted key" in failed_log(release, tmp_path / "strange")
    assert log_seen.last(ORIGIN) is None


def test_the_log_is_not_asked_for_a_release_whose_signature_fails(folder: Path, release: Path) -> None:
    small.sign_again(release, OTHER_KEY)
    value = json.loads(run(release, "--log", folder, "--json", group="verify", code=1).stdout)
    assert "log" in value["unchecked"]


def test_a_log_folder_that_is_not_there_is_a_usage_error(release: Path, tmp_path: Path) -> None:
    assert "no such folder" in run(release, "--log", tmp_path / "none", group="verify", code=2).stderr
    assert "no such folder" in run("add", tmp_path / "none", release, code=2).stderr


@pytest.mark.parametrize("words", [[], ["init"], ["add"], ["withdraw"], ["show"], ["check"]])
def test_every_command_explains_itself(words: list[str]) -> None:
    assert len(run(*words, "--help").stdout.splitlines()) > 8
