"""Python packages, from a real package index on loopback."""

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pipeline.errors import RecipeError, SourceError
from pipeline.model import Artifact
from pipeline.sources import pypi
from pipeline.sources.fetch import Cache, fetch_all, fetch_candidates
from pipeline.sources.interface import Candidate
from pipeline.sources.retry import Retry
from tests.corpus import sdist, wheel
from tests.sources.servers import Server, refuse, serving, static, use_index, write_package


def release(index: Path, version: str, *, yanked: bool = False, wheels: tuple[str, ...] = ("py3-none-any",)) -> None:
    """An sdist and wheels of the package `guides`. The sdist's build would fail: nothing may run it."""
    source = sdist({"setup.py": b"raise SystemExit('was run')", "docs/a.rst": version.encode()}, "guides", version)
    write_package(index, "guides", f"guides-{version}.tar.gz", source, yanked=yanked)
    for tags in wheels:
        data = wheel({"guides/a.txt": f"{version} {tags}".encode()}, "guides", version)
        write_package(index, "guides", f"guides-{version}-{tags}.whl", data, yanked=yanked)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Server]]:
    """A served index with guides 1.9, 1.10, 1.11 (yanked) and 2.0rc1; pip is configured for it alone."""
    folder = tmp_path / "index"
    release(folder, "1.9")
    release(folder, "1.10", wheels=("py2-none-any", "py3-none-any", "cp311-cp311-manylinux_2_28_x86_64"))
    release(folder, "1.11", yanked=True)
    release(folder, "2.0rc1")
    with serving(static(folder)) as server:
        use_index(monkeypatch, f"{server.url}/simple")
        yield folder, server


def resolve(*packages: str, file: str = "sdist") -> list[Candidate]:
    return list(pypi.resolve({"kind": "pypi", "packages": packages, "file": file}, Path()))


def artifact(candidate: Candidate, sha256: str) -> Artifact:
    return Artifact("docs", "pypi", candidate.purl, candidate.file, 1, sha256)


def test_an_sdist_is_found_with_purl_and_sha256_and_not_built(index: tuple[Path, Server], tmp_path: Path) -> None:
    folder, server = index
    (found,) = resolve("Guides==1.9")
    data = (folder / "files" / "guides-1.9.tar.gz").read_bytes()
    assert found.purl == "pkg:pypi/guides@1.9?file_name=guides-1.9.tar.gz"
    assert (found.file, found.location) == ("guides-1.9.tar.gz", "")
    assert found.digests == {"sha256": hashlib.sha256(data).hexdigest()}
    assert [one.path for one in server.asked] == ["/simple/guides/"]
    cache = Cache(tmp_path / "cache")
    ((sha256, size),) = fetch_candidates([found], cache)
    assert (cache.path(sha256).read_bytes(), size) == (data, len(data))


def test_without_a_version_the_newest_is_taken_that_is_neither_pre_release_nor_yanked(
    index: tuple[Path, Server],
) -> None:
    assert resolve("guides")[0].file == "guides-1.10.tar.gz"
    assert resolve("guides<1.10")[0].file == "guides-1.9.tar.gz"


def test_a_pre_release_or_a_yanked_file_is_taken_where_it_is_pinned(index: tuple[Path, Server]) -> None:
    assert resolve("guides==2.0rc1")[0].file == "guides-2.0rc1.tar.gz"
    assert resolve("guides==1.11")[0].file == "guides-1.11.tar.gz"


def test_a_wheel_is_the_pure_one_for_python_3(index: tuple[Path, Server]) -> None:
    assert resolve("guides", file="wheel")[0].file == "guides-1.10-py3-none-any.whl"


def test_a_glob_finds_the_one_file_that_it_matches(index: tuple[Path, Server]) -> None:
    assert resolve("guides", file="*manylinux*")[0].file == "guides-1.10-cp311-cp311-manylinux_2_28_x86_64.whl"


@pytest.mark.parametrize("file", ["*.whl", "*win_amd64*"])
def test_a_glob_of_several_files_or_none_is_refused_and_they_are_listed(index: tuple[Path, Server], file: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolve("guides", file=file)
    assert "guides-1.10-py2-none-any.whl" in caught.value.seen
    assert "guides-1.10.tar.gz" in caught.value.seen


def test_a_package_without_a_pure_wheel_says_which_files_it_has(index: tuple[Path, Server]) -> None:
    folder, _ = index
    data = wheel({}, "binary", "1.0")
    write_package(folder, "binary", "binary-1.0-cp311-cp311-win_amd64.whl", data)
    with pytest.raises(SourceError, match=r"binary has the files binary-1\.0-cp311-cp311-win_amd64\.whl"):
        resolve("binary", file="wheel")


def test_several_requirements_keep_their_order(index: tuple[Path, Server]) -> None:
    folder, _ = index
    write_package(folder, "another", "another-3.tar.gz", sdist({}, "another", "3"))
    assert [one.file for one in resolve("guides==1.9", "another", "guides==1.10")] == [
        "guides-1.9.tar.gz", "another-3.tar.gz", "guides-1.10.tar.gz",
    ]  # fmt: skip


@pytest.mark.parametrize("entry", ["nobody-has-this", "guides==7.7"])
def test_what_no_index_has_is_named_with_the_places_asked(index: tuple[Path, Server], entry: str) -> None:
    with pytest.raises(SourceError, match=f"no index has a file of {entry}") as caught:
        resolve(entry)
    assert index[1].url in caught.value.seen
    assert caught.value.exit_code == 3


def test_extra_indexes_that_are_relative_missing_or_files_do_no_harm(
    index: tuple[Path, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, server = index
    other = tmp_path / "other"
    write_package(other, "extra", "extra-1.tar.gz", sdist({}, "extra", "1"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "loose-1-py3-none-any.whl").write_bytes(wheel({}, "loose", "1"))
    use_index(
        monkeypatch, f"{server.url}/simple", "nowhere/simple", "other/simple", (tmp_path / "gone").as_uri(),
        find_links="wheels nowhere",
    )  # fmt: skip
    assert resolve("guides")[0].url.startswith(server.url)
    (extra,) = resolve("extra")
    ((sha256, _),) = fetch_candidates([extra], Cache(tmp_path / "cache"))
    assert extra.digests == {"sha256": sha256}
    (loose,) = resolve("loose", file="wheel")
    assert loose.url == (tmp_path / "wheels" / "loose-1-py3-none-any.whl").as_uri()


def test_the_index_that_pip_would_ask_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from pip._internal.models.index import PyPI

    use_index(monkeypatch)
    assert pypi.configured() == pypi.Indexes((PyPI.simple_url,), ())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert pypi.configured().index_urls == ()
    with pytest.raises(SourceError, match="pip is configured to ask no index"):
        resolve("guides")


def test_a_broken_configuration_of_pip_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use_index(monkeypatch)
    monkeypatch.setenv("PIP_TIMEOUT", "soon")
    with pytest.raises(RecipeError, match="pip cannot read its own configuration"):
        pypi.configured()


def test_the_password_of_an_index_is_used_and_never_shown(
    index: tuple[Path, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, server = index
    use_index(monkeypatch, server.url.replace("//", "//reader:secret@") + "/simple")
    (found,) = resolve("guides")
    assert "secret" in found.url
    assert "secret" not in found.purl
    assert server.asked[0].headers["authorization"].startswith("Basic ")
    with pytest.raises(SourceError) as caught:
        resolve("nobody-has-this")
    assert "secret" not in str(caught.value)


def test_a_busy_index_is_asked_again_and_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    release(tmp_path, "1.0")
    good = static(tmp_path)

    def busy_twice(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number < 2:
            refuse(handler, 503, Retry_After="3")
        else:
            good(handler, number)

    waits: list[float] = []
    with serving(busy_twice) as server:
        indexes = pypi.Indexes((f"{server.url}/simple",), ())
        assert pypi.find("guides", "sdist", indexes, Retry(wait=waits.append)).file == "guides-1.0.tar.gz"
    assert waits == [3, 3]


def test_an_index_that_does_not_answer_is_a_source_error(tmp_path: Path) -> None:
    with serving(static(tmp_path)) as server:
        pass
    waits: list[float] = []
    with pytest.raises(SourceError, match="did not answer, 6 times"):
        pypi.find("guides", "sdist", pypi.Indexes((f"{server.url}/simple",), ()), Retry(wait=waits.append))
    assert len(waits) == 5


def test_a_pinned_file_is_located_and_fetched(index: tuple[Path, Server], tmp_path: Path) -> None:
    folder, _ = index
    data = (folder / "files" / "guides-1.11.tar.gz").read_bytes()
    pin = Artifact(
        "docs", "pypi", "pkg:pypi/guides@1.11?file_name=guides-1.11.tar.gz", "guides-1.11.tar.gz", len(data),
        hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    fetch_all([pin], tmp_path, Cache(tmp_path / "cache"))
    assert Cache(tmp_path / "cache").path(pin.sha256).read_bytes() == data


def test_a_pinned_file_that_is_gone_is_named_with_what_there_is(index: tuple[Path, Server]) -> None:
    folder, _ = index
    (found,) = resolve("guides==1.9")
    page = folder / "simple" / "guides" / "index.html"
    page.write_text("\n".join(line for line in page.read_text().splitlines() if "guides-1.9.tar.gz" not in line))
    with pytest.raises(SourceError, match=r"no index serves guides-1\.9\.tar\.gz any more") as caught:
        pypi.locate(artifact(found, found.digests["sha256"]), Path())
    assert caught.value.where == found.purl
    assert "guides-1.9-py3-none-any.whl" in caught.value.wanted
    assert "--refresh" in caught.value.hint


def test_a_pinned_file_that_was_replaced_is_refused_with_both_digests(index: tuple[Path, Server]) -> None:
    (found,) = resolve("guides==1.9")
    with pytest.raises(SourceError) as caught:
        pypi.locate(artifact(found, "ab" * 32), Path())
    assert found.digests["sha256"] in caught.value.seen
    assert "ab" * 32 in caught.value.wanted


def test_of_two_indexes_the_one_with_the_pinned_bytes_is_used(
    index: tuple[Path, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, server = index
    other = tmp_path / "other"
    write_package(other, "guides", "guides-1.9.tar.gz", sdist({"else": b"else"}, "guides", "1.9"))
    use_index(monkeypatch, (other / "simple").as_uri(), f"{server.url}/simple")
    sha256 = hashlib.sha256((folder / "files" / "guides-1.9.tar.gz").read_bytes()).hexdigest()
    (found,) = resolve("guides==1.9")
    assert pypi.locate(artifact(found, sha256), Path()).url.startswith(server.url)
