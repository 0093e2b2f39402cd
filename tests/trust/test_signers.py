"""What signs: files, the environment, commands. Real commands, run as a user would set them up."""

import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.errors import RecipeError, TaskError
from pipeline.trust import dsse, keys, signers

HEADER = "import sys, base64, pathlib\nfrom cryptography.hazmat.primitives.serialization import load_pem_private_key\n"
KEY = "key = load_pem_private_key(pathlib.Path(sys.argv[1]).read_bytes(), None)\ndata = sys.stdin.buffer.read()\n"
RAW = "sys.stdout.buffer.write(key.sign(data))"
BASE64 = "print(base64.b64encode(key.sign(data)).decode())"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (signers.COMMAND, signers.COMMAND_PUBLIC, signers.KEY, keys.PASSPHRASE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PELLUCID_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def pair(tmp_path: Path) -> keys.KeyFiles:
    return keys.generate(tmp_path / "pair")


def command(tmp_path: Path, pair: keys.KeyFiles, program: str, seconds: float = 60.0) -> signers.CommandSigner:
    script = tmp_path / "signer.py"
    script.write_text(HEADER + program)
    return signers.CommandSigner(
        (sys.executable, str(script), str(pair.private)), keys.load_public(pair.public), seconds
    )


@pytest.mark.parametrize("answer", [RAW, BASE64])
def test_a_command_signs_like_a_key_in_a_file(tmp_path: Path, pair: keys.KeyFiles, answer: str) -> None:
    signer = command(tmp_path, pair, KEY + answer)
    envelope = dsse.sign(b"payload \x00\xff", "text/plain", signer)
    assert envelope == dsse.sign(b"payload \x00\xff", "text/plain", keys.load_private(pair.private))
    assert dsse.open_envelope(envelope, [signer.public_key()], "text/plain").key_id == pair.key_id


def test_a_command_that_fails_says_with_what_it_failed(tmp_path: Path, pair: keys.KeyFiles) -> None:
    with pytest.raises(TaskError, match="exit code 3: the token is locked"):
        command(tmp_path, pair, "sys.stderr.write('the token is locked'); sys.exit(3)").sign(b"x")


def test_a_command_that_hangs_is_ended(tmp_path: Path, pair: keys.KeyFiles) -> None:
    with pytest.raises(TaskError, match=r"gave no signature in 0\.5 s"):
        command(tmp_path, pair, "import threading; threading.Event().wait()", seconds=0.5).sign(b"x")


def test_a_command_has_a_minute() -> None:
    assert signers.SECONDS == 60


def test_a_signature_by_another_key_is_not_used(tmp_path: Path, pair: keys.KeyFiles) -> None:
    other = keys.generate(tmp_path / "other")
    script = command(tmp_path, pair, KEY + RAW)
    wrong = signers.CommandSigner((*script.arguments[:2], str(other.private)), script.public)
    with pytest.raises(TaskError, match="another key") as caught:
        wrong.sign(b"x")
    assert pair.key_id in caught.value.wanted


def test_a_signature_of_other_bytes_is_not_used(tmp_path: Path, pair: keys.KeyFiles) -> None:
    """As of a command that signs a digest of what it is given."""
    with pytest.raises(TaskError, match="or of other bytes"):
        command(tmp_path, pair, KEY + "import hashlib; data = hashlib.sha256(data).digest()\n" + RAW).sign(b"x")


@pytest.mark.parametrize(
    "answer", ["pass", "print('no')", "sys.stdout.buffer.write(key.sign(data)[:-1])", "print(key.sign(data).hex())",
               "print(base64.b64encode(key.sign(data) + b'x').decode())"],
)  # fmt: skip
def test_an_answer_that_is_no_signature_is_refused(tmp_path: Path, pair: keys.KeyFiles, answer: str) -> None:
    with pytest.raises(TaskError, match="that are no signature"):
        command(tmp_path, pair, KEY + answer).sign(b"x")


def test_a_command_that_is_not_there_is_named(tmp_path: Path, pair: keys.KeyFiles) -> None:
    with pytest.raises(TaskError, match="cannot be run"):
        signers.CommandSigner((str(tmp_path / "gone"),), keys.load_public(pair.public)).sign(b"x")


def test_the_command_of_the_environment_is_split_like_words_of_a_shell_and_read_by_none(
    tmp_path: Path, pair: keys.KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signers.COMMAND, f"'{sys.executable}' -c 'x; y' $HOME > {tmp_path}/made")
    monkeypatch.setenv(signers.COMMAND_PUBLIC, str(pair.public))
    signer, made = signers.signing_key(None)
    assert isinstance(signer, signers.CommandSigner)
    assert signer.arguments == (sys.executable, "-c", "x; y", "$HOME", ">", f"{tmp_path}/made")
    assert made is None


@pytest.mark.parametrize(("line", "public"), [("sign", None), (" ", "key.pub"), ("'unclosed", "key.pub")])
def test_half_a_command_in_the_environment_is_refused(
    line: str, public: str | None, monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    monkeypatch.setenv(signers.COMMAND, line)
    if public:
        monkeypatch.setenv(signers.COMMAND_PUBLIC, public)
    with pytest.raises(RecipeError, match=r"is empty|no command line"):
        signers.signing_key(None)
    assert not config.exists()


def test_a_key_in_the_environment_signs_and_no_local_one_is_made(
    pair: keys.KeyFiles, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signers.KEY, pair.private.read_text())
    signer, made = signers.signing_key(None)
    assert keys.key_id(signer.public_key()) == pair.key_id
    assert made is None
    assert not config.exists()


def test_a_key_in_the_environment_may_have_a_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    monkeypatch.setenv(signers.KEY, pem.decode())
    monkeypatch.setenv(keys.PASSPHRASE, "secret")
    assert signers.signing_key(None)[0].public_key() == key.public_key()


def test_what_is_no_key_in_the_environment_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signers.KEY, "half a secret")
    with pytest.raises(RecipeError, match="PELLUCID_SIGNING_KEY") as caught:
        signers.signing_key(None)
    assert "half a secret" not in str(caught.value)


def test_two_signers_in_the_environment_are_refused(pair: keys.KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(signers.KEY, pair.private.read_text())
    monkeypatch.setenv(signers.COMMAND, "sign")
    with pytest.raises(RecipeError, match="both"):
        signers.signing_key(None)


def test_a_named_file_comes_before_the_environment(
    tmp_path: Path, pair: keys.KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signers.KEY, keys.generate(tmp_path / "other").private.read_text())
    assert keys.key_id(signers.signing_key(pair.private)[0].public_key()) == pair.key_id


def test_the_first_use_makes_a_local_key_and_later_ones_use_it(config: Path) -> None:
    assert signers.ready(None) is None  # nothing is made before it is needed
    assert not config.exists()
    first, made = signers.signing_key(None)
    second, made_again = signers.signing_key(None)
    assert made == config / "signing.key"
    assert made_again is None
    assert keys.key_id(first.public_key()) == keys.key_id(second.public_key())
    assert [keys.key_id(key) for key in keys.trusted_keys()] == [keys.key_id(first.public_key())]


def test_a_signer_that_was_made_ready_is_used_as_it_is(pair: keys.KeyFiles) -> None:
    signer = signers.ready(pair.private)
    assert signer is not None
    assert signers.signing_key(signer) == (signer, None)


def test_where_a_key_has_to_be_named_the_local_one_is_not_taken(config: Path) -> None:
    keys.local_key()
    with pytest.raises(RecipeError, match="no key is named"):
        signers.explicit(None)
