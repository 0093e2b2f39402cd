"""The commands about proofs, as a person types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli import main
from pipeline.trust import keys
from tests.trust import small_release as small


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "config"
    config.mkdir()
    (config / "signer.pub").write_bytes(keys.public_pem(small.KEY.public_key()))
    monkeypatch.setenv("PELLUCID_CONFIG", str(config))
    return small.write(tmp_path / "release", small.corpus())


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


def test_a_proof_that_was_written_is_checked_with_the_file_and_a_key_alone(release: Path, tmp_path: Path) -> None:
    row = small.corpus()["manual"]["kept"][0]
    file = tmp_path / "one.proof"
    said = run("prove", release, row["id"], "-o", file).stderr
    assert f"kept        {row['id']}" in said and f"{len(file.read_bytes()):,} bytes" in said
    for path in sorted(release.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    checked = run("check-proof", file, "--key", tmp_path / "config" / "signer.pub").stdout
    assert f"kept        {row['id']}" in checked and row["text_sha256"] in checked
    assert json.loads(run("check-proof", file, "--json").stdout)["row"]["id"] == row["id"]


def test_each_way_of_asking_has_its_answer(release: Path, tmp_path: Path) -> None:
    row = small.corpus()["manual"]["kept"][1]
    (tmp_path / "text").write_bytes(row["text"].encode())
    (tmp_path / "other").write_bytes(b"nobody wrote this")
    for arguments, said in (
        ((row["url"],), f"kept        {row['id']}"),
        (("--text", tmp_path / "text"), f"kept        {row['id']}"),
        (("--text", tmp_path / "other"), "absent      no document in the release has the text"),
        (("https://example.org/x",), "absent      no document in the release has the URL https://example.org/x"),
        (("Example.ORG.", "--domain"), "absent      no document in the release has the domain example.org"),
        (("pkg:pypi/first", "--domain"), "counted "),
        (("0" * 32,), "absent      no document in the release has the id"),
    ):
        done = run("prove", release, *arguments)
        assert said in done.stderr, arguments
        (tmp_path / "made").write_text(done.stdout.rstrip("\n"))
        assert said in run("check-proof", tmp_path / "made").stdout


def test_a_proof_about_another_text_is_refused_where_the_text_is_given(release: Path, tmp_path: Path) -> None:
    for name, text in (("one", b"nobody wrote this"), ("two", b"nor this")):
        (tmp_path / name).write_bytes(text)
    run("prove", release, "--text", tmp_path / "one", "-o", tmp_path / "proof")
    run("check-proof", tmp_path / "proof", "--text", tmp_path / "one")
    assert "about another text" in run("check-proof", tmp_path / "proof", "--text", tmp_path / "two", code=1).stderr


def test_what_cannot_be_asked_or_read_has_its_message(release: Path, tmp_path: Path) -> None:
    assert "name one document" in run("prove", release, code=2).stderr
    assert "name one document" in run("prove", release, "x", "--text", release / "README.md", code=2).stderr
    assert "cannot be read" in run("prove", tmp_path / "nothing", "0" * 32, code=2).stderr
    assert "cannot be read" in run("check-proof", tmp_path / "nothing", code=2).stderr
    (tmp_path / "bad").write_text("{}")
    assert "has no key" in run("check-proof", tmp_path / "bad", code=1).stderr
