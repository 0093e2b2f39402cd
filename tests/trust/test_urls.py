"""One spelling for every URL, and the names that it is under."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust.urls import canonical_url, canonical_urls, domains, package

URLS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"(?i)https?://[a-zA-Z0-9.-]{1,12}(:(80|443|8080))?[/a-zA-Z0-9%.~?#=&é ]{0,30}", fullmatch=True),
    st.from_regex(r"https?://[a-z]{1,5}\.[a-z]{1,3}(/[a-z.%A-F0-9]{0,4}){0,4}(\?[a-z/]{0,3})?", fullmatch=True),
    st.from_regex(r"pkg:[a-z]{2,5}/[a-z]{1,8}@[0-9.]{1,5}(#[a-z/]{1,10})?", fullmatch=True),
)


@pytest.mark.parametrize(("url", "canonical"), [
    ("HTTP://Example.ORG", "http://example.org/"),
    ("https://example.org:443/a", "https://example.org/a"),
    ("http://example.org:8080/a", "http://example.org:8080/a"),
    ("https://example.org/%7euser/%2f%e4?q=%41#part", "https://example.org/~user/%2F%E4?q=A"),
    ("https://example.org/a/./b/../c", "https://example.org/a/c"),
    ("https://example.org/../..", "https://example.org/"),
    ("https://example.org/a?", "https://example.org/a"),
    ("https://example.org/%7Eann/%e4%2F", "https://example.org/~ann/%E4%2F"),
    ("https://example.org/%C3%A4?b/c", "https://example.org/%C3%A4?b/c"),
    ("https://example.org/a//b/", "https://example.org/a//b/"),
    ("https://example.org/ä b", "https://example.org/%C3%A4%20b"),
    ("http://example.org?y/z", "http://example.org/?y/z"),
    ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ("http://[bad", "http://[bad"),
    ("ftp://Example.org/x", "ftp://Example.org/x"),
    ("pkg:pypi/Some_Name@1.0#a/../b", "pkg:pypi/Some_Name@1.0#a/../b"),
    ("", ""),
])  # fmt: skip
def test_urls_that_rfc_3986_calls_equal_have_one_spelling(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@given(URLS)
def test_a_canonical_url_is_its_own_canonical_url(url: str) -> None:
    assert canonical_url(canonical_url(url)) == canonical_url(url)


@given(st.lists(URLS, max_size=6))
def test_a_column_of_urls_has_the_spelling_that_each_has_alone(urls: list[str]) -> None:
    assert canonical_urls(pa.array(urls, pa.string())).to_pylist() == [canonical_url(url) for url in urls]


@pytest.mark.parametrize(("url", "names"), [
    ("https://docs.python.org/3/", ["docs.python.org", "python.org"]),
    ("http://localhost:8000/", ["localhost"]),
    ("http://127.0.0.1/", ["127.0.0.1"]),
    ("http://[::1]/", ["::1"]),
    ("https://example.org./x", ["example.org"]),
    ("pkg:pypi/django@5.2?file_name=django-5.2.tar.gz#docs/a@b", ["pkg:pypi/django"]),
    ("pkg:npm/%40scope/name@1.0", ["pkg:npm/%40scope/name"]),
    ("mailto:somebody", []),
    ("http://[bad", []),
])  # fmt: skip
def test_a_url_is_under_its_host_and_the_domains_above_it_or_under_its_package(url: str, names: list[str]) -> None:
    assert domains(url) == names


def test_a_package_is_named_without_version_qualifiers_and_subpath() -> None:
    assert package("pkg:deb/debian/notes@3-1?arch=all") == "pkg:deb/debian/notes"
    assert package("pkg:generic/foo") == "pkg:generic/foo"
    assert package("pkg:npm/@scope/name") == "pkg:npm/@scope/name"
