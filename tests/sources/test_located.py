"""Files behind URLs and files of this machine."""

import hashlib
from pathlib import Path

import pytest

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources import http, local


def test_a_url_is_named_by_its_file_and_itself() -> None:
    url = "https://example.org/dumps/a%20b.xml.bz2?day=1&part=2"
    (found,) = http.resolve({"kind": "http", "urls": (url,)}, Path())
    assert found.file == "a b.xml.bz2"
    assert found.location == found.url == url
    assert (
        found.purl
        == "pkg:generic/a%20b.xml.bz2?download_url=https://example.org/dumps/a%2520b.xml.bz2%3Fday%3D1%26part%3D2"
    )
    pin = Artifact("dump", "http", found.purl, found.file, 5, "0" * 64, found.location)
    assert http.locate(pin, Path()).url == url


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://example.org/folder/", "https:///a.gz", "https://h/a%00b"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(RecipeError, match="names no file"):
        http.resolve({"kind": "http", "urls": (url,)}, Path())


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(RecipeError, match="user name or password") as caught:
        http.resolve({"kind": "http", "urls": ("https://me:secret@example.org/a.gz",)}, Path())
    assert "secret" not in str(caught.value)


def test_a_local_file_is_named_by_its_sha256_and_its_path_as_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "recipes").mkdir()
    (tmp_path / "data" / "notes.txt").write_bytes(b"notes")
    (found,) = local.resolve({"kind": "local", "paths": ("../data/notes.txt",)}, tmp_path / "recipes")
    digest = hashlib.sha256(b"notes").hexdigest()
    assert (found.purl, found.size) == (f"pkg:generic/notes.txt?checksum=sha256:{digest}", 5)
    assert found.location == "../data/notes.txt"
    assert str(tmp_path) not in found.purl + found.location
    pin = Artifact("notes", "local", found.purl, found.file, 5, digest, found.location)
    assert local.locate(pin, tmp_path / "recipes").url == (tmp_path / "data" / "notes.txt").as_uri()


@pytest.mark.parametrize(("path", "said"), [("gone.txt", "there is no such file"), ("folder", "is not a regular file")])
def test_a_local_path_without_a_file_is_named(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=said) as caught:
        local.resolve({"kind": "local", "paths": (path,)}, tmp_path)
    assert path in caught.value.where
