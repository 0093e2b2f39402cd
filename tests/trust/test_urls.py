"""One spelling for every URL, and the names that it is under."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.trust.urls import canonical_url, canonical_urls, domain, domains, package

URLS = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"(?i)https?://[a-zA-Z0-9.-]{1,12}(:(80|443|8080))?[/a-zA-Z0-9%.~?#=&é ]{0,30}", fullmatch=True),
    st.from_regex(r"https?://[a-z]{1,5}\.[a-z]{1,3}(/[a-z.%A-F0-9]{0,4}){0,4}(\?[a-z/]{0,3})?", fullmatch=True),
    st.text(alphabet="hHtTpP:/%4123aA.?#@[]\\ ;é\t\n~&=+eE", max_size=12).map(lambda rest: f"http://{rest}"),
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
    ("http://[v1.x]/", "http://[v1.x]/"),
    ("http://%65xample.%4fRG/", "http://example.org/"),
    ("http://a%2fb/", "http://a%2Fb/"),
    ("http://%75ser%40:x@example.org/", "http://user%40:x@example.org/"),
    ("http://example.org/%%341?%zz", "http://example.org/%2541?%25zz"),
    (" http://example.org/\n", "http://example.org/"),
    ("ht\ntp://exam\tple.org/", "http://example.org/"),
    ("http://example.org:/", "http://example.org/"),
    ("http://example.org:443/", "http://example.org:443/"),
    ("https://example.org:80/", "https://example.org:80/"),
    ("http://example.org/a  ", "http://example.org/a"),
    ("http://example.org/?a?b", "http://example.org/?a?b"),
    ("http://example.org/a/.", "http://example.org/a/"),
    ("http://example.org/a/..", "http://example.org/"),
    ("http://example.org:080/", "http://example.org/"),
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
    assert package("pkg:pypi/one#a@b") == "pkg:pypi/one"
    assert package("pkg:one@1") == "pkg:one@1"  # names no package
    assert package("pkg:npm/@scope/name") == "pkg:npm/@scope/name"


@pytest.mark.parametrize(("one", "other"), [
    ("http://example.org/", "https://example.org/"),
    ("https://example.org/", "https://www.example.org/"),
    ("https://example.org/a", "https://example.org/a/"),
    ("https://example.org/", "https://example.org./"),
    ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
    ("https://example.org/\u00e9", "https://example.org/e\u0301"),
    ("https://me@example.org/", "https://example.org/"),
    ("https://example.org/a;b", "https://example.org/a"),
    ("https://example.org:0/", "https://example.org/"),
    ("https://example.org/a%2Fb", "https://example.org/a/b"),
])  # fmt: skip
def test_urls_that_the_page_says_are_kept_apart_are(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(("name", "spelt"), [
    ("Example.ORG.", "example.org"), ("localhost", "localhost"), ("::1", "::1"), ("pkg:maven/Org/Name@1", "pkg:maven/Org/Name"),
    ("https://example.org", None), ("example.org/x", None), ("a@example.org", None), ("*.example.org", None), ("", None),
    ("[::1]", None), ("a\\b", None), ("a?b", None), ("a#b", None),
])  # fmt: skip
def test_a_domain_is_asked_for_in_its_one_spelling(name: str, spelt: str | None) -> None:
    assert domain(name) == spelt


@given(URLS)
def test_every_domain_of_a_url_is_in_the_spelling_in_which_it_is_asked_for(url: str) -> None:
    for name in domains(canonical_url(url)):
        assert domain(name) in (name, None)


@pytest.mark.parametrize(("url", "names"), [
    ("ftp://Files.Example.ORG/x", ["files.example.org", "example.org"]),
    ("a://%", ["%25"]), ("a://%A", ["%25a"]), ("a://%41.b%2f/", ["a.b%2F"]),
    ("mailto:a@example.org", []), ("a://[", []),
])  # fmt: skip
def test_a_url_that_stands_as_it_is_has_its_host_in_the_same_spelling(url: str, names: list[str]) -> None:
    assert domains(canonical_url(url)) == names
