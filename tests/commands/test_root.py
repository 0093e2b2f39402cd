"""A project's root from the command line: a ceremony, a rotation, and what `verify` makes of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization

from pipeline.cli import main
from pipeline.trust import keys, pins
from tests.trust import small_release as small

Run = Callable[..., Result]
FUTURE = "2099-01-01"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PELLUCID_SIGNER", "PELLUCID_SIGNER_PUBLIC", "PELLUCID_SIGNING_KEY", keys.PASSPHRASE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PELLUCID_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def run(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def people(tmp_path: Path) -> dict[str, keys.KeyFiles]:
    return {name: keys.generate(tmp_path / name) for name in ("ann", "bob", "cem", "release")}


@pytest.fixture
def ours(tmp_path: Path, people: dict[str, keys.KeyFiles]) -> Path:
    """A folder with version 1, signed by ann and bob."""
    release = tmp_path / "key-of-the-release.pub"
    release.write_bytes(keys.public_pem(small.KEY.public_key()))
    root_keys = [word for name in ("ann", "bob", "cem") for word in ("--root-key", people[name].public)]
    rest = ("--threshold", 2, "--release-key", release, "--expires", FUTURE, "-o", tmp_path / "root")
    run("root", "init", "tales", *root_keys, *rest)
    for name in ("ann", "bob"):
        run("root", "sign", tmp_path / "root" / "1.root.json", "--signing-key", people[name].private)
    return tmp_path / "root"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("pristine"), small.corpus())


def fingerprint(folder: Path) -> str:
    return pins.read(folder).versions[1].fingerprint


# ---------------------------------------------------------------- ceremonies


def test_a_draft_becomes_the_root_with_the_last_signature_it_needs(
    tmp_path: Path, people: dict[str, keys.KeyFiles]
) -> None:
    folder, public = tmp_path / "root", {name: made.public for name, made in people.items()}
    words = [
        "--root-key",
        public["ann"],
        "--root-key",
        public["bob"],
        "--threshold",
        2,
        "--expires",
        FUTURE,
        "-o",
        folder,
    ]
    run("root", "init", "tales", *words, "--release-key", public["release"], "--log-key", public["release"])
    assert "0 of 2" in run("root", "show", folder, code=1).output
    first = run("root", "sign", folder / "1.root.json", "--signing-key", people["ann"].private)
    assert "1 of 2" in first.output
    assert not (folder / "root.json").exists()
    second = run("root", "sign", folder / "1.root.json", "--signing-key", people["bob"].private)
    assert "2 of 2" in second.output
    assert (folder / "root.json").read_bytes() == (folder / "1.root.json").read_bytes()
    assert fingerprint(folder) in second.output
    shown = run("root", "show", folder).output
    assert shown.count("signed") == 2
    assert people["release"].key_id in shown


def test_show_gives_all_of_it_as_json(ours: Path, people: dict[str, keys.KeyFiles]) -> None:
    shown = json.loads(run("root", "show", ours, "--json").output)
    assert (shown["ok"], shown["newest"], shown["pinned"]) == (True, 1, None)
    (version,) = shown["versions"]
    assert version["expires"] == "2099-01-01T00:00:00Z"
    assert version["signatures"][0]["keyids"] == sorted([people["ann"].key_id, people["bob"].key_id])


def test_a_next_version_needs_the_old_keys_and_its_own(
    ours: Path, people: dict[str, keys.KeyFiles], tmp_path: Path
) -> None:
    new = keys.generate(tmp_path / "new")
    run(
        "root",
        "next",
        ours,
        "--root-key",
        people["cem"].public,
        "--root-key",
        new.public,
        "--add-release-key",
        new.public,
    )
    two = ours / "2.root.json"
    for signer in (people["ann"], people["bob"], people["cem"]):
        assert "not yet" in run("root", "sign", two, "--signing-key", signer.private).output
        assert pins.read(ours).newest.version == 1  # a draft is nobody's root
    assert "is version 2 now" in run("root", "sign", two, "--signing-key", new.private).output
    assert pins.read(ours).newest.version == 2
    assert len(pins.read(ours).newest.role_keys("release")) == 2


def test_a_root_is_not_signed_by_the_local_key_nor_by_one_that_has_no_say(
    ours: Path, people: dict[str, keys.KeyFiles]
) -> None:
    keys.local_key()
    run("root", "sign", ours / "1.root.json", code=2)
    run("root", "sign", ours / "1.root.json", "--signing-key", people["release"].private, code=2)


def test_a_root_key_with_a_passphrase_signs(
    ours: Path, people: dict[str, keys.KeyFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = keys.load_private(people["cem"].private).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    people["cem"].private.write_bytes(locked)
    monkeypatch.setenv(keys.PASSPHRASE, "secret")
    run("root", "sign", ours / "1.root.json", "--signing-key", people["cem"].private)
    assert len(pins.read(ours).newest.signatures) == 3


def test_a_draft_is_not_written_over(ours: Path) -> None:
    run("root", "next", ours, "--threshold", 3)
    run("root", "next", ours, "--threshold", 1, code=2)


@pytest.mark.parametrize("expires", ["2001-01-01", "soon", "2099-02-30", "2099-01-01T00:00"])
def test_an_expiry_that_is_past_or_no_time_is_refused(
    people: dict[str, keys.KeyFiles], tmp_path: Path, expires: str
) -> None:
    run("root", "init", "tales", "--root-key", people["ann"].public, "--threshold", 1, "--release-key", people["bob"].public,
        "--expires", expires, "-o", tmp_path / "root", code=2)  # fmt: skip
    assert not (tmp_path / "root").exists()


def test_a_threshold_beyond_the_number_of_keys_is_refused(people: dict[str, keys.KeyFiles], tmp_path: Path) -> None:
    run("root", "init", "tales", "--root-key", people["ann"].public, "--threshold", 2, "--release-key", people["bob"].public,
        "--expires", FUTURE, "-o", tmp_path / "root", code=2)  # fmt: skip


def test_a_completed_version_is_not_signed_anew_with_other_content(
    ours: Path, people: dict[str, keys.KeyFiles]
) -> None:
    one = ours / "1.root.json"
    one.unlink()
    run("root", "init", "tales", "--root-key", people["cem"].public, "--threshold", 1, "--release-key", people["cem"].public,
        "--expires", FUTURE, "-o", ours)  # fmt: skip
    before = one.read_bytes()
    assert "FORK" in run("root", "sign", one, "--signing-key", people["cem"].private, code=1).output
    assert one.read_bytes() == before


def test_the_help_teaches_a_ceremony() -> None:
    text = run("root", "--help").output
    assert [
        word
        for word in ("keygen", "root init", "root show", "root sign", "root next")
        if f"pellucid {word}" not in text
    ] == []


# ---------------------------------------------------------------- verify


def test_a_release_is_verified_by_a_root_once_it_is_pinned(pristine: Path, ours: Path, config: Path) -> None:
    refused = run("verify", pristine, "--root", ours, code=1).output
    assert fingerprint(ours) in refused
    assert not (config / "roots").exists()
    first = run("verify", pristine, "--root", ours, "--root-sha256", fingerprint(ours))
    assert "pinned the root of tales" in first.stderr
    assert "vouched by  root tales version 1" in first.stdout
    second = run("verify", pristine, "--root", ours)
    assert second.stderr == ""
    assert run("verify", pristine, "--release").stdout == second.stdout
    assert json.loads(run("verify", pristine, "--release", "--json").stdout)["vouched_by"] == "root tales version 1"


def test_tofu_pins_with_a_loud_message(pristine: Path, ours: Path, config: Path) -> None:
    said = run("verify", pristine, "--root", ours, "--tofu")
    assert "FIRST SIGHT" in said.stderr
    assert fingerprint(ours) in said.stderr
    assert (config / "roots" / "tales.root.json").read_bytes() == (ours / "root.json").read_bytes()


def test_a_log_is_asked_for_a_log_key_of_the_root(
    pristine: Path, people: dict[str, keys.KeyFiles], tmp_path: Path, config: Path
) -> None:
    """The key that signs releases is not enough for a log, where a root names another one for it."""
    release = tmp_path / "key-of-the-release.pub"
    release.write_bytes(keys.public_pem(small.KEY.public_key()))
    named = ("--root-key", people["ann"].public, "--release-key", release, "--log-key", people["cem"].public)
    run("root", "init", "tales", *named, "--threshold", 1, "--expires", FUTURE, "-o", tmp_path / "root")
    run("root", "sign", tmp_path / "root" / "1.root.json", "--signing-key", people["ann"].private)
    for name, code in (("cem", 0), ("release", 1)):
        folder = tmp_path / f"log-{name}"
        trusted = ("--key", release, "--key", people[name].public)
        run("log", "init", folder, "--origin", f"tales/{name}", "--signing-key", people[name].private)
        run("log", "add", folder, pristine, "--signing-key", people[name].private, *trusted)
        said = run("verify", pristine, "--root", tmp_path / "root", "--tofu", "--log", folder, code=code).output
        assert "vouched by  root tales version 1" in said if not code else "log" in said


def test_a_local_key_is_enough_without_a_root_and_is_refused_with_one(pristine: Path, ours: Path, config: Path,
                                                                      people: dict[str, keys.KeyFiles]) -> None:  # fmt: skip
    config.mkdir()
    (config / "signing.pub").write_bytes(keys.public_pem(small.KEY.public_key()))
    assert "vouched by  local (your own key" in run("verify", pristine).stdout
    assert "vouched by  named" in run("verify", pristine, "--key", config / "signing.pub").stdout
    release_key = keys.key_id(small.KEY.public_key())[:8]
    run("root", "next", ours, "--add-release-key", people["release"].public, "--remove-release-key", release_key)
    for name in ("ann", "bob"):
        run("root", "sign", ours / "2.root.json", "--signing-key", people[name].private)
    for options in (["--root", ours, "--tofu"], ["--release"]):
        assert "a `local` key" in run("verify", pristine, *options, code=1).stdout
    assert "vouched by  named" in run("verify", pristine, "--root", ours, "--key", config / "signing.pub").stdout
    assert "only `named`" in run("verify", pristine, "--release", "--key", config / "signing.pub", code=1).stdout


def test_a_release_by_a_stolen_key_is_refused_after_the_rotation(
    pristine: Path, ours: Path, people: dict[str, keys.KeyFiles]
) -> None:
    run("verify", pristine, "--root", ours, "--tofu")
    stolen = keys.key_id(small.KEY.public_key())[:8]
    run("root", "next", ours, "--add-release-key", people["release"].public, "--remove-release-key", stolen)
    for name in ("bob", "cem"):
        run("root", "sign", ours / "2.root.json", "--signing-key", people[name].private)
    old = shutil.copytree(ours, ours.parent / "old", ignore=shutil.ignore_patterns("2.root.json"))
    (old / "root.json").write_bytes((old / "1.root.json").read_bytes())
    said = run("verify", pristine, "--root", ours, code=1)
    assert "from version 1 to 2" in said.stderr
    assert "no trusted key has signed it" in said.stdout
    assert "ROLLBACK" in run("verify", pristine, "--root", old, code=1).stderr


def test_a_rotation_that_is_not_valid_ends_it_with_one_and_the_pin_stays(
    pristine: Path, ours: Path, config: Path, people: dict[str, keys.KeyFiles]
) -> None:
    run("verify", pristine, "--root", ours, "--tofu")
    pin = (config / "roots" / "tales.root.json").read_bytes()
    run("root", "next", ours, "--threshold", 1)
    run("root", "sign", ours / "2.root.json", "--signing-key", people["ann"].private)
    shutil.copy(ours / "2.root.json", ours / "root.json")  # what one stolen root key can do
    said = run("verify", pristine, "--root", ours, "--tofu", code=1)
    assert "NOT a valid rotation" in said.stderr
    assert (config / "roots" / "tales.root.json").read_bytes() == pin


def test_release_without_any_pinned_root_says_what_to_name(pristine: Path) -> None:
    assert "--root" in run("verify", pristine, "--release", code=1).stderr


@pytest.mark.parametrize("options", [["--tofu"], ["--root-sha256", "0" * 64], ["--root", ".", "--root-sha256", "abc"]])
def test_options_about_a_root_that_is_not_named_are_refused(pristine: Path, options: list[str]) -> None:
    run("verify", pristine, *options, code=2)


def test_reproduce_asks_for_the_same_voucher(pristine: Path, ours: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    said = run("reproduce", pristine / "manifest.json", "--root", ours, "--out", out, code=1)
    assert "is not pinned here" in said.stderr
    config.mkdir(exist_ok=True)
    (config / "signing.pub").write_bytes(keys.public_pem(small.OTHER_KEY.public_key()))
    run("verify", pristine, "--root", ours, "--tofu")
    theirs = small.write(tmp_path / "theirs", small.corpus(), key=small.OTHER_KEY)
    said = run("reproduce", theirs / "manifest.json", "--release", "--out", out, code=1)
    assert "a `local` key" in said.stderr
    assert not (out / "manifest.json").exists()


def test_proofs_are_made_and_checked_by_the_same_vouchers(
    pristine: Path, ours: Path, config: Path, tmp_path: Path
) -> None:
    config.mkdir()
    (config / "signing.pub").write_bytes(keys.public_pem(small.OTHER_KEY.public_key()))
    theirs = small.write(tmp_path / "theirs", small.corpus(), key=small.OTHER_KEY)
    name = small.corpus()["manual"]["kept"][0]["id"]
    for release, local in ((pristine, False), (theirs, True)):
        proof = tmp_path / f"{local}.proof"
        key = ["--key", config / "signing.pub"] if local else ["--root", ours, "--tofu"]
        run("prove", release, name, "-o", proof, *key)
        run("check-proof", proof, *key)
        run("check-proof", proof, "--release", code=int(local))
        run("check-proof", proof, code=int(not local))


# ---------------------------------------------------------------- keygen


def test_keygen_with_a_passphrase_makes_a_locked_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keygen", "-o", tmp_path / "none", "--passphrase", code=2)  # no terminal to ask on
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv(keys.PASSPHRASE, "secret")
    run("keygen", "-o", tmp_path / "locked", "--passphrase")
    assert b"ENCRYPTED" in (tmp_path / "locked" / "signing.key").read_bytes()
    assert keys.load_private(tmp_path / "locked" / "signing.key")
