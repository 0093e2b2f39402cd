"""Lists of what is not to be in a corpus: one meaning for every line, and whose documents a line names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecipeError
from pipeline.trust.lists import Names, parse

ID, DIGEST = "0" * 31 + "a", "ab" * 32
LIST = f"""
# asked for by somebody
id:{ID}   # because
url:HTTPS://Example.org:443/page#part
url:pkg:pypi/one@1.0
domain:Example.ORG.
domain:pkg:pypi/two
sha256:{DIGEST}
"""


def test_a_list_has_one_meaning_whatever_its_order_case_and_comments() -> None:
    found = parse(LIST.splitlines(), "list")
    assert found == Names(
        (ID,), ("https://example.org/page", "pkg:pypi/one@1.0"), ("example.org", "pkg:pypi/two"), (DIGEST,)
    )
    assert parse(reversed(LIST.splitlines()), "list") == found
    assert parse(found.to_json(), "list") == found
    assert not any("somebody" in line or "because" in line for line in found.to_json())


@pytest.mark.parametrize(("document", "line"), [
    ((ID, None, "pkg:pypi/x@1", None), f"id:{ID}"),
    (("b" * 32, "https://example.org:443/page#other", "pkg:pypi/x@1", None), "url:https://example.org/page"),
    (("b" * 32, None, "pkg:pypi/one@1.0", None), "url:pkg:pypi/one@1.0"),
    (("b" * 32, "http://docs.example.org/", "pkg:pypi/x@1", None), "domain:example.org"),
    (("b" * 32, "http://notexample.org/", "pkg:pypi/x@1", None), None),
    (("b" * 32, "http://example.org.evil.net/", "pkg:pypi/x@1", None), None),
    (("b" * 32, None, "pkg:pypi/two@3?a=b", None), "domain:pkg:pypi/two"),
    (("b" * 32, None, "pkg:pypi/twofold@3", None), None),
    (("b" * 32, None, "pkg:pypi/one@1.0.1", None), None),
    (("b" * 32, None, "pkg:pypi/x@1", DIGEST), f"sha256:{DIGEST}"),
    (("b" * 32, None, "pkg:pypi/x@1", "cd" * 32), None),
])  # fmt: skip
def test_a_line_names_the_documents_that_it_says_and_no_others(
    document: tuple[str, str | None, str, str | None], line: str | None
) -> None:
    assert parse(LIST.splitlines(), "list").why(*document) == line


@pytest.mark.parametrize(
    "line",
    [
        "example.org",
        "id:short",
        f"id:{ID.upper()}",
        "sha256:ab",
        "url:nothing",
        "host:x.org",
        "domain:",
        "domain:a b",
        "domain",
        "domain:https://example.org",
        "domain:example.org/x",
        "domain:*.example.org",
    ],
)
def test_a_line_that_names_nothing_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(RecipeError, match="line 2 is"):
        parse(["# fine", line], "list")


def test_a_package_keeps_its_case_and_loses_its_version_and_a_sign_inside_a_word_begins_no_comment() -> None:
    found = parse(["domain:pkg:maven/Org/Name@1", "url:pkg:pypi/one@1#docs/a"], "list")
    assert found == Names((), ("pkg:pypi/one@1#docs/a",), ("pkg:maven/Org/Name",), ())


@given(
    st.lists(
        st.from_regex(r"(id:[0-9a-f]{32}|url:https?://[a-zA-Z]{1,5}\.org/\w*|domain:[A-Z]{1,5}\.org)", fullmatch=True)
    )
)
def test_what_is_written_is_read_as_the_same(lines: list[str]) -> None:
    found = parse(lines, "list")
    assert parse(found.to_json(), "list") == found
    assert bool(found) == bool(lines)
