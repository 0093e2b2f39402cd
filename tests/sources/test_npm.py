"""npm packages, through the real npm, from a registry on loopback."""

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources import npm
from pipeline.sources.fetch import Cache, fetch_all, fetch_candidate
from pipeline.sources.interface import Candidate
from tests.sources.servers import Server, have, npm_registry, refuse, send, serving


def tarball(text: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("package/data/speech.txt")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return buffer.getvalue()


DATA = tarball(b"We are met here today.")
SHA512 = "sha512-" + base64.b64encode(hashlib.sha512(DATA).digest()).decode()
SHA1 = hashlib.sha1(DATA).hexdigest()  # noqa: S324


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A registry with @tests/speeches 1.0.0 and 1.1.0, and `old`, which has a sha1 only; npm is configured for it alone."""
    packages: dict[str, dict[str, dict[str, object]]] = {"@tests/speeches": {}, "old": {}, "bare": {}}

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if handler.path.endswith(".tgz"):
            send(handler, DATA)
        elif handler.path == "/broken":
            refuse(handler, 400)
        else:
            npm_registry(packages)(handler, number)

    with serving(answer) as server:
        for version in ("1.0.0", "1.1.0"):
            packages["@tests/speeches"][version] = {
                "tarball": f"{server.url}/@tests/speeches/-/speeches-{version}.tgz", "integrity": SHA512, "shasum": SHA1,
            }  # fmt: skip
        packages["old"]["0.1.0"] = {"tarball": f"{server.url}/old/-/old-0.1.0.tgz", "shasum": SHA1}
        packages["bare"]["0.1.0"] = {"tarball": f"{server.url}/bare/-/bare-0.1.0.tgz"}
        for name in [name for name in os.environ if name.lower().startswith("npm_config_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("npm_config_registry", f"{server.url}/")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm-cache"))
        monkeypatch.setenv("npm_config_userconfig", os.devnull)
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        monkeypatch.chdir(tmp_path)
        yield server


def resolve(*packages: str) -> list[Candidate]:
    return list(npm.resolve({"kind": "npm", "packages": packages}, Path()))


def test_a_version_of_a_scoped_package_is_found_and_verified_by_its_sha512(registry: Server, tmp_path: Path) -> None:
    if not have("npm", lambda: resolve("@tests/speeches@1.0.0")):
        return
    (found,) = resolve("@tests/speeches@1.0.0")
    assert found.purl == "pkg:npm/%40tests/speeches@1.0.0"
    assert (found.file, found.location) == ("speeches-1.0.0.tgz", "")
    assert found.digests == {"sha512": hashlib.sha512(DATA).hexdigest()}
    assert fetch_candidate(found, Cache(tmp_path / "cache")) == (hashlib.sha256(DATA).hexdigest(), len(DATA))


def test_without_a_version_the_latest_is_taken_and_the_order_is_kept(registry: Server) -> None:
    if not have("npm", lambda: resolve("old")):
        return
    assert [one.purl for one in resolve("old", "@tests/speeches", "@tests/speeches@1.0.0")] == [
        "pkg:npm/old@0.1.0", "pkg:npm/%40tests/speeches@1.1.0", "pkg:npm/%40tests/speeches@1.0.0",
    ]  # fmt: skip


def test_an_old_package_is_verified_by_its_sha1_and_one_without_any_digest_refused(registry: Server) -> None:
    if not have("npm", lambda: resolve("old")):
        return
    assert resolve("old")[0].digests == {"sha1": SHA1}
    with pytest.raises(SourceError, match="states no digest"):
        resolve("bare")


@pytest.mark.parametrize("entry", ["nobody-has-this", "@tests/speeches@9.9.9"])
def test_what_the_registry_does_not_have_is_named(registry: Server, entry: str) -> None:
    if not have("npm", lambda: resolve(entry)):
        return
    with pytest.raises(SourceError, match="the npm registry does not have it") as caught:
        resolve(entry)
    assert caught.value.where == entry


def test_a_range_of_several_versions_is_refused_and_they_are_listed(registry: Server) -> None:
    if not have("npm", lambda: resolve("@tests/speeches@1.x")):
        return
    with pytest.raises(RecipeError, match=r"several versions: 1\.0\.0, 1\.1\.0"):
        resolve("@tests/speeches@1.x")


def test_a_registry_that_fails_is_not_taken_for_one_that_has_nothing(registry: Server) -> None:
    if not have("npm", lambda: resolve("broken")):
        return
    with pytest.raises(SourceError, match="could not ask its registry"):
        resolve("broken")


def test_a_pinned_tarball_is_located_and_fetched(registry: Server, tmp_path: Path) -> None:
    pin = Artifact("speeches", "npm", "pkg:npm/%40tests/speeches@1.0.0", "speeches-1.0.0.tgz", len(DATA),
                   hashlib.sha256(DATA).hexdigest())  # fmt: skip
    if not have("npm", lambda: npm.locate(pin, Path())):
        return
    fetch_all([pin], tmp_path, Cache(tmp_path / "cache"))
    assert Cache(tmp_path / "cache").path(pin.sha256).read_bytes() == DATA


def test_a_pinned_version_that_is_gone_is_named_by_its_purl(registry: Server) -> None:
    pin = Artifact("speeches", "npm", "pkg:npm/%40tests/speeches@0.9.0", "speeches-0.9.0.tgz", 1, "0" * 64)
    if not have("npm", lambda: npm.locate(pin, Path())):
        return
    with pytest.raises(SourceError, match="the npm registry does not have it") as caught:
        npm.locate(pin, Path())
    assert caught.value.where == pin.purl


def test_without_npm_on_the_system_that_is_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="the command npm is not on this system"):
        resolve("speeches@1.0.0")


def test_integrity_may_hold_several_digests_and_must_be_readable() -> None:
    sha384 = base64.b64encode(hashlib.sha384(DATA).digest()).decode()
    assert npm.digests(f"{SHA512} sha384-{sha384}?x md5-abc", SHA1, "here") == {
        "sha512": hashlib.sha512(DATA).hexdigest(), "sha384": hashlib.sha384(DATA).hexdigest(),
    }  # fmt: skip
    with pytest.raises(SourceError, match="states the integrity"):
        npm.digests("sha512-***", None, "here")
