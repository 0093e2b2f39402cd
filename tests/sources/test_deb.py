"""Debian packages, through the real apt-get, from a repository in a folder."""

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources import deb
from pipeline.sources.fetch import Cache, FetchProgress, fetch_all, fetch_candidates
from pipeline.sources.interface import Candidate
from tests.sources.servers import have


class Repository:
    """A flat repository, and an apt that knows it alone and keeps its state in the test's own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = folder / "repository"
        for name in ("repository", "state/lists/partial", "cache/archives/partial", "etc"):
            (folder / name).mkdir(parents=True)
        (folder / "state" / "status").touch()
        (folder / "etc" / "sources.list").write_text(f"deb [trusted=yes] file:{self.packages} ./\n")
        self.configuration = folder / "apt.conf"
        self.configuration.write_text(
            f'Dir "{folder}";\nDir::State "state";\nDir::State::status "state/status";\nDir::Cache "cache";\n'
            'Dir::Etc "etc";\nDir::Etc::sourcelist "sources.list";\nDir::Etc::sourceparts "-";\n'
            'Dir::Etc::trustedparts "-";\nAPT::Architecture "amd64";\nAPT::Architectures { "amd64"; };\n'
            f'APT::Sandbox::User "";\nDir::Etc::main "{os.devnull}";\nDir::Etc::parts "-";\n'
        )

    def publish(self, *packages: tuple[str, str, str]) -> None:
        """Serve exactly these: name, version, architecture."""
        for old in self.packages.iterdir():
            old.unlink()
        stanzas = []
        for name, version, architecture in packages:
            data = package(name, version, architecture)
            file = f"{name}_{version.partition(':')[2] or version}_{architecture}.deb"
            (self.packages / file).write_bytes(data)
            stanzas.append(
                f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: nobody <n@example.org>\n"
                f"Provides: help-virtual\nFilename: ./{file}\nSize: {len(data)}\n"
                f"SHA256: {hashlib.sha256(data).hexdigest()}\nDescription: a test\n"
            )
        (self.packages / "Packages").write_text("\n".join(stanzas))
        if have("apt-get", lambda: resolve("help-de")):
            done = subprocess.run(["apt-get", "update", "-q"], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def package(name: str, version: str, architecture: str) -> bytes:
    """A .deb: an ar of three members (deb(5)). Its maintainer script would fail: nothing may run it."""
    control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n".encode()
    members = {
        "debian-binary": b"2.0\n",
        "control.tar": tar({"control": control, "postinst": b"#!/bin/sh\nexit 1\n"}),
        "data.tar": tar({f"usr/share/doc/{name}/help.html": f"<p>{version}".encode()}),
    }
    parts = [b"!<arch>\n"]
    for member, data in members.items():
        parts.append(
            f"{member:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        )
    return b"".join(parts)


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path / "apt")
    monkeypatch.setenv("APT_CONFIG", str(made.configuration))
    return made


def resolve(*packages: str) -> list[Candidate]:
    return list(deb.resolve({"kind": "deb", "packages": packages}, Path()))


def pin(candidate: Candidate) -> Artifact:
    assert candidate.size is not None
    return Artifact("help", "deb", candidate.purl, candidate.file, candidate.size, candidate.digests["sha256"])


HELP = ("help-de", "4:7.4.7-1+deb12u14", "all")


def test_packages_are_found_with_epoch_size_and_digest_and_fetched(repository: Repository, tmp_path: Path) -> None:
    repository.publish(HELP, ("tools", "1.2", "amd64"))
    if not have("apt-get", lambda: resolve("help-de")):
        return
    tools, found = resolve("tools", "help-de=4:7.4.7-1+deb12u14")
    assert found.purl.startswith("pkg:deb/")
    assert "/help-de@4:7.4.7-1%2Bdeb12u14?arch=all&distro=" in found.purl
    assert found.file == "help-de_4%3a7.4.7-1+deb12u14_all.deb"
    assert found.location == ""
    assert "/tools@1.2?arch=amd64&distro=" in tools.purl
    data = package(*HELP)
    assert (found.size, found.digests) == (len(data), {"sha256": hashlib.sha256(data).hexdigest()})
    cache = Cache(tmp_path / "cache")
    assert fetch_candidates([found], cache) == [(hashlib.sha256(data).hexdigest(), len(data))]
    fetch_all([pin(tools), pin(found)], tmp_path, cache)
    assert cache.path(pin(tools).sha256).read_bytes() == package("tools", "1.2", "amd64")


def test_two_versions_of_a_package_are_told_apart(repository: Repository) -> None:
    repository.publish(("help-de", "4:1.10", "all"), ("help-de", "4:1.9", "all"))
    if not have("apt-get", lambda: resolve("help-de")):
        return
    found = resolve("help-de=4:1.9", "help-de=4:1.10")
    assert [one.file for one in found] == ["help-de_4%3a1.9_all.deb", "help-de_4%3a1.10_all.deb"]
    assert resolve("help-de")[0].file == "help-de_4%3a1.10_all.deb"


def test_a_version_that_apt_no_longer_serves_is_named_with_the_one_that_it_serves(repository: Repository) -> None:
    repository.publish(HELP, ("tools", "1.2", "amd64"))
    if not have("apt-get", lambda: resolve("help-de")):
        return
    old, tools = map(pin, resolve("help-de", "tools"))
    repository.publish(("help-de", "4:7.4.7-1+deb12u15", "all"), ("tools", "1.3", "amd64"))
    with pytest.raises(SourceError, match=r"version 4:7\.4\.7-1\+deb12u14; it serves 4:7\.4\.7-1\+deb12u15") as caught:
        deb.locate(old, Path())
    assert caught.value.where == old.purl
    assert "pellucid lock RECIPE --refresh" in caught.value.hint
    with pytest.raises(SourceError, match=r"version 1\.2; it serves 1\.3"):
        deb.locate(tools, Path())


def test_a_package_that_is_gone_is_named(repository: Repository) -> None:
    repository.publish(HELP)
    if not have("apt-get", lambda: resolve("help-de")):
        return
    old = pin(resolve("help-de")[0])
    repository.publish(("tools", "1.2", "amd64"))
    with pytest.raises(SourceError, match="apt does not serve it") as caught:
        deb.locate(old, Path())
    assert caught.value.where == old.purl


def test_the_same_version_with_other_bytes_is_refused_with_both_digests(repository: Repository, tmp_path: Path) -> None:
    repository.publish(HELP)
    if not have("apt-get", lambda: resolve("help-de")):
        return
    (found,) = resolve("help-de")
    wrong = Artifact("help", "deb", found.purl, found.file, found.size or 0, "ab" * 32)
    heard: list[FetchProgress] = []
    with pytest.raises(SourceError) as caught:
        fetch_all([wrong], tmp_path, Cache(tmp_path / "cache"), report=heard.append)
    assert heard == []  # apt's signed lists say so: nothing is downloaded to find it out
    assert found.digests["sha256"] in str(caught.value)
    assert "ab" * 32 in str(caught.value)


def test_every_unknown_name_is_reported_though_one_aborts_the_batch(repository: Repository) -> None:
    repository.publish(HELP)
    if not have("apt-get", lambda: resolve("help-de")):
        return
    with pytest.raises(SourceError) as caught:
        resolve("nobody-has-this", "help-de", "nor-this", "help-de=9")
    assert "nobody-has-this" in caught.value.seen
    assert "nor-this" in caught.value.seen
    assert "Version '9' for 'help-de'" in caught.value.seen
    assert "apt-cache policy" in caught.value.hint


def test_a_virtual_package_is_refused_because_the_lock_could_not_name_it(repository: Repository) -> None:
    repository.publish(HELP)
    if not have("apt-get", lambda: resolve("help-virtual")):
        return
    with pytest.raises((SourceError, RecipeError)):
        resolve("help-virtual")


def test_an_apt_without_package_lists_says_what_to_run(repository: Repository) -> None:
    if not have("apt-get", lambda: resolve("help-de")):
        return
    with pytest.raises(SourceError, match="Unable to locate package help-de") as caught:
        resolve("help-de")
    assert "apt-get update" in caught.value.hint
    assert "no package lists" in caught.value.hint


def test_without_apt_on_the_system_that_is_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="the command apt-get is not on this system") as caught:
        resolve("help-de")
    assert caught.value.exit_code == 3


def test_lines_of_other_schemes_and_digests_are_read_or_refused() -> None:
    (one,) = deb.parse("'copy:/media/pool/a_1_all.deb' a_1_all.deb 7 MD5Sum:0123abcd\n")
    assert (one.url, one.digests) == ("file:/media/pool/a_1_all.deb", {"md5": "0123abcd"})
    (bare,) = deb.parse("'https://h/a_1%3a2_all.deb' a_1%3a2_all.deb 7\n\n")
    assert (bare.version, bare.digests) == ("1:2", {})
    with pytest.raises(SourceError, match="over 'cdrom'"):
        deb.parse("'cdrom:[Debian]/a_1_all.deb' a_1_all.deb 7\n")
    with pytest.raises(SourceError, match="apt-get printed 'Reading package lists'"):
        deb.parse("Reading package lists\n")
