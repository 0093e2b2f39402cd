"""Keys: made whole, kept private, loaded strictly, trusted only where the user says so."""

import contextlib
import io
import os
import pty
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import RecipeError
from pipeline.trust import keys

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
SPKI, PLAIN = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.NoEncryption()

# RFC 8032, section 7.1: secret key, public key, message, signature of tests 1 to 3.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PELLUCID_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv(keys.PASSPHRASE, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal, however the tests are run
    return tmp_path / "config"


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_the_published_vectors_of_ed25519_hold(
    tmp_path: Path, secret: str, public: str, message: str, signature: str
) -> None:
    path = private_file(tmp_path, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    key = keys.load_private(path)
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature


def test_a_key_id_is_the_sha256_of_the_raw_public_key() -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(RFC_8032[0][1]))
    assert keys.key_id(key) == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"


def test_a_new_pair_is_private_to_its_owner_and_loads_again(tmp_path: Path) -> None:
    os.umask(0)  # the mode may not depend on it
    made = keys.generate(tmp_path / "new" / "folder")
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    assert keys.key_id(keys.load_private(made.private).public_key()) == made.key_id
    assert keys.key_id(keys.load_public(made.public)) == made.key_id
    assert sorted(path.name for path in made.private.parent.iterdir()) == ["signing.key", "signing.pub"]


@pytest.mark.parametrize("name", ["signing.key", "signing.pub"])
def test_a_key_file_is_never_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(RecipeError, match="there is a key already"):
        keys.generate(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir() if path.is_file()] == ["precious"]


def test_a_key_that_another_process_makes_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    made = keys.generate(tmp_path)
    before = made.private.read_bytes()
    with pytest.raises(FileExistsError):
        keys._write_new(made.private, b"another", 0o600)  # what `generate` does after it has looked
    assert made.private.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_key_is_not_written_through_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "signing.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecipeError, match="there is a key already"):
        keys.generate(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_private_key_that_others_may_use_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    path = private_file(tmp_path, Ed25519PrivateKey.generate())
    path.chmod(mode)
    with pytest.raises(RecipeError, match="chmod 600"):
        keys.load_private(path)


def test_a_private_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.key"
    path.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, PLAIN))
    path.chmod(0o600)
    with pytest.raises(RecipeError, match="another algorithm"):
        keys.load_private(path)


def test_a_public_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pub"
    path.write_bytes(rsa.generate_private_key(65537, 2048).public_key().public_bytes(PEM, SPKI))
    with pytest.raises(RecipeError, match="another algorithm"):
        keys.load_public(path)


def test_a_key_made_with_a_passphrase_opens_with_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = keys.generate(tmp_path, b"six words that nobody would guess")
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in made.private.read_bytes()
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    monkeypatch.setenv(keys.PASSPHRASE, "six words that nobody would guess")
    assert keys.key_id(keys.load_private(made.private).public_key()) == made.key_id
    for wrong in ("six words", "six words that nobody would guess "):
        monkeypatch.setenv(keys.PASSPHRASE, wrong)
        with pytest.raises(RecipeError, match="does not open"):
            keys.load_private(made.private)
    monkeypatch.setenv(keys.PASSPHRASE, "")
    with pytest.raises(RecipeError, match="passphrase is empty"):
        keys.load_private(made.private)


def test_an_encrypted_key_without_a_terminal_to_ask_on_is_refused_with_the_cure(tmp_path: Path) -> None:
    made = keys.generate(tmp_path, b"secret")
    with pytest.raises(RecipeError, match="no terminal") as caught:
        keys.load_private(made.private)
    assert "$PELLUCID_KEY_PASSPHRASE" in caught.value.wanted


def test_a_passphrase_is_asked_for_on_the_terminal(tmp_path: Path) -> None:
    """A real terminal: a child on a pseudo-terminal, which must not echo what is typed."""
    made = keys.generate(tmp_path, b"secret")
    program = f"import pathlib; from pipeline.trust import keys; print(keys.load_private(pathlib.Path({str(made.private)!r})))"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", program])  # noqa: S606
    seen = b""
    with contextlib.suppress(OSError):  # what a terminal reads as when its last process has gone
        while piece := os.read(terminal, 1024):
            seen += piece
            if seen.endswith(b"signing.key: "):
                os.write(terminal, b"secret\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen
    os.close(terminal)
    assert b"Ed25519PrivateKey" in seen
    assert b"secret" not in seen


@pytest.mark.parametrize("given", ["", "x" * 251])
def test_a_passphrase_that_is_empty_or_endless_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.PASSPHRASE, given)
    with pytest.raises(RecipeError, match="the passphrase"):
        keys.ask_passphrase("some.key", new=True)


def test_a_long_passphrase_of_wide_characters_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.PASSPHRASE, "\U00020000" * 250)
    made = keys.generate(tmp_path, keys.ask_passphrase("some.key", new=True))
    assert keys.key_id(keys.load_private(made.private).public_key()) == made.key_id


def test_a_passphrase_for_a_key_that_has_none_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = keys.generate(tmp_path)
    monkeypatch.setenv(keys.PASSPHRASE, "secret")
    assert keys.key_id(keys.load_private(made.private).public_key()) == made.key_id


def test_a_damaged_encrypted_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = keys.generate(tmp_path, b"secret")
    lines = made.private.read_bytes().splitlines()
    made.private.write_bytes(b"\n".join([lines[0], *lines[2:]]))
    monkeypatch.setenv(keys.PASSPHRASE, "secret")
    with pytest.raises(RecipeError, match="does not open"):
        keys.load_private(made.private)


def test_the_own_key_and_those_that_were_put_beside_it_are_told_apart(config: Path, tmp_path: Path) -> None:
    assert keys.own_and_others() == ((), ())
    own, _ = keys.local_key()
    other = keys.generate(tmp_path / "other")
    (config / "ann.pub").write_bytes(other.public.read_bytes())
    (config / "copy-of-mine.pub").write_bytes((config / "signing.pub").read_bytes())
    mine, others = keys.own_and_others()
    assert [keys.key_id(key) for key in mine] == [keys.key_id(own.public_key())]
    assert [keys.key_id(key) for key in others] == [other.key_id]


def test_a_private_key_given_as_a_public_one_is_refused_and_named_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="a private key where a public one"):
        keys.load_public(private_file(tmp_path, Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.pub"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RecipeError, match="holds no public key"):
        keys.load_public(path)
    with pytest.raises(RecipeError, match="private"):
        keys.load_private(path)


def test_a_huge_file_is_not_read_as_a_key(tmp_path: Path) -> None:
    path = tmp_path / "huge.pub"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(RecipeError, match="more than"):
        keys.load_public(path)


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"gone\.pub"):
        keys.load_public(tmp_path / "gone.pub")


def test_no_local_key_is_made_unless_wanted(config: Path) -> None:
    with pytest.raises(RecipeError, match="no signing key"):
        keys.local_key(create=False)
    assert not config.exists()


def test_a_public_file_lost_between_two_writes_is_written_again(config: Path) -> None:
    key, _ = keys.local_key()
    (config / "signing.pub").unlink()
    assert keys.local_key() and keys.key_id(keys.load_public(config / "signing.pub")) == keys.key_id(key.public_key())


def test_a_public_file_of_another_key_beside_the_local_one_is_refused(config: Path, tmp_path: Path) -> None:
    keys.local_key()
    (config / "signing.pub").write_bytes(keys.public_pem(Ed25519PrivateKey.generate().public_key()))
    with pytest.raises(RecipeError, match="not that of the private key"):
        keys.local_key()


def test_trusted_are_the_named_files_and_the_public_files_of_named_folders_once_each(tmp_path: Path) -> None:
    one, two = keys.generate(tmp_path / "one"), keys.generate(tmp_path / "two")
    found = keys.trusted_keys([one.public, tmp_path / "two", one.public, tmp_path / "one"])
    assert [keys.key_id(key) for key in found] == [one.key_id, two.key_id]


def test_named_keys_replace_those_of_the_config_folder(tmp_path: Path) -> None:
    local, _ = keys.local_key()
    other = keys.generate(tmp_path / "other")
    assert keys.key_id(local.public_key()) not in map(keys.key_id, keys.trusted_keys([other.public]))


def test_a_named_key_that_cannot_be_read_is_an_error_and_not_left_out(tmp_path: Path) -> None:
    good = keys.generate(tmp_path / "good")
    (tmp_path / "bad.pub").write_text("no key")
    with pytest.raises(RecipeError, match=r"bad\.pub"):
        keys.trusted_keys([good.public, tmp_path / "bad.pub"])


def test_no_key_to_trust_is_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--key"):
        keys.trusted_keys()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match="empty"):
        keys.trusted_keys([tmp_path / "empty"])


def test_the_config_folder_follows_its_own_variable_then_xdg_then_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CONFIG", "/a")
    assert keys.config_folder() == Path("/a")
    monkeypatch.delenv("PELLUCID_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/b")
    assert keys.config_folder() == Path("/b/pellucid")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", "/c")
    assert keys.config_folder() == Path("/c/.config/pellucid")


def private_file(folder: Path, key: Ed25519PrivateKey) -> Path:
    path = folder / "some.key"
    path.write_bytes(key.private_bytes(PEM, PKCS8, PLAIN))
    path.chmod(0o600)
    return path
