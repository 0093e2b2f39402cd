"""Opt-out lists in a manifest: the lookup of many records, what stands in the policies, and what verification refuses."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import VerificationError
from pipeline.trust import opt_out
from pipeline.trust.findings import Check
from pipeline.trust.lists import Names, parse
from pipeline.trust.verify import verify
from tests.trust import small_release as small

hosts = st.sampled_from(["a.org", "b.a.org", "c.b.a.org", "xa.org", "a.org.", "A.org", "10.0.0.1", "localhost"])
urls = st.one_of(
    st.builds(
        "{}://{}{}".format, st.sampled_from(["http", "https", "HTTP", "ftp"]), hosts,
        st.sampled_from(["", "/", "/x", "/x#y", "/%C3%A4", "/%7E%e4", "/x?q", "/%78", "/./x", "?q", "/x?", "\tx", "//x",
                         "/x/..", "/.x", "\\x"]),
    ),
    st.builds("https://user:word@{}/x".format, hosts),
    st.sampled_from(["pkg:pypi/one@1.0", "pkg:pypi/one@1.0#docs/x", "pkg:pypi/two@1.0#x", "", "x", "http://[", "urn:x"]),
)  # fmt: skip
purls = st.sampled_from(["pkg:pypi/one@1.0", "pkg:pypi/two@2?file_name=x", "pkg:generic/three"])
ids = st.sampled_from(["0" * 32, "ab" * 16])
digests = st.sampled_from(["0" * 64, "ab" * 32])
lines = st.one_of(
    ids.map("id:{}".format), digests.map("sha256:{}".format),
    urls.filter(lambda url: ":" in url and len(url.split()) == 1 and url[-1] != ":").map("url:{}".format),
    hosts.map("domain:{}".format), st.sampled_from(["domain:pkg:pypi/one", "domain:pkg:pypi/two", "url:pkg:pypi/one@1.0"]),
)  # fmt: skip


@given(st.lists(lines, max_size=5), st.lists(st.tuples(ids, urls, purls, digests), min_size=1, max_size=5))
def test_the_fast_lookup_names_what_the_plain_one_names(listed: list[str], documents: list[tuple[str, ...]]) -> None:
    names = parse(listed, "list")
    finder = opt_out.Finder(names)
    for identifier, url, purl, digest in documents:
        found = (
            *finder.of_id(identifier), *finder.of_url(url), *finder.of_artifact(purl), *finder.of_text([digest]),
        )  # fmt: skip
        why = names.why(identifier, url, purl, digest)
        assert why is None if not found else why in found
        assert set(found) <= set(names.to_json())


def test_more_hosts_than_are_remembered_change_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opt_out, "_HOSTS", 2)
    finder = opt_out.Finder(Names(domains=("a.org",)))
    for _ in range(2):
        for host in ("a.org", "b.org", "c.org", "x.a.org"):
            assert finder.of_url(f"https://{host}/x") == (("domain:a.org",) if host.endswith("a.org") else ())
    assert len(finder.known) <= 2


@given(st.lists(st.lists(lines, max_size=4), max_size=3))
def test_a_list_is_known_by_the_sha256_of_its_sorted_lines(listed: list[list[str]]) -> None:
    names = [parse(one, "list") for one in listed]
    for one, policy in zip(names, opt_out.policies(names), strict=True):
        file = "".join(f"{line}\n" for line in sorted(one.to_json())).encode()
        assert policy["sha256"] == hashlib.sha256(file).hexdigest()
        assert sum(policy[kind] for kind in ("ids", "urls", "domains", "texts")) == len(one.to_json())
        assert opt_out.decoded(opt_out.encoded(one)) == one
    together = opt_out.merged(names)
    assert together.to_json() == sorted({line for one in names for line in one.to_json()})
    assert opt_out.of_recipe({"opt_out": [one.to_json() for one in names]}, "manifest.json") == names


def test_the_digest_of_a_list_is_pinned() -> None:
    """Made by `sha256sum` of the three lines, sorted, the URL's last letter as %C3%A4."""
    names = parse(["url:https://example.org/ä", "domain:pkg:pypi/two", "id:" + "ab" * 16], "list")
    assert opt_out.sha256(names) == "b39816f0456b20a7a5ae72982990a78cc4952ff5b0f81a22cc7d45f29fb3d1e0"


@pytest.mark.parametrize("stated", [
    {}, "x", ["domain:a.org"], [[1]], [["domain:A.org"]], [["id:" + "a" * 32, "domain:a.org"]],
    [["domain:a.org", "domain:a.org"]], [["domain:a.org # by Ann"]], [["# by Ann"]], [["nothing"]],
])  # fmt: skip
def test_lists_in_another_spelling_than_their_own_are_refused(stated: Any) -> None:
    with pytest.raises(VerificationError, match=r"recipe\.opt_out"):
        opt_out.of_recipe({"opt_out": stated}, "manifest.json")


# ---------------------------------------------------------------- verification


def listing(*listed: str) -> Callable[[dict[str, Any]], None]:
    """The manifest's edit by which its recipe has this one list."""

    def edit(predicate: dict[str, Any]) -> None:
        names = [parse(listed, "list")]
        predicate["recipe"]["opt_out"] = [one.to_json() for one in names]
        predicate["policies"]["opt_out"] = opt_out.policies(names)

    return edit


def kept_out(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The ledger's row of a record that a list keeps out, in the place of the row that it would have had."""
    names = ("id", "source", "purl", "artifact_sha256", "member", "offset", "length", "record", "path")
    return {
        **{name: row[name] for name in names}, "cuts": [], "edits": [], "decisions": [], "failed": [], "stage": "extract",
        "reason": "opt_out", **more,
    }  # fmt: skip


def failures(folder: Path) -> tuple[Check, ...]:
    return verify(folder, small.TRUSTED).failures


def row_with_domain(made: small.Corpus) -> dict[str, Any]:
    """A kept row, the URL of which is somebody's; nothing was dropped as its duplicate."""
    named = {row["kept_id"] for fates in made.values() for row in fates["dropped"] if "kept_id" in row}
    row = next(row for row in made["manual"]["kept"] if row["id"] not in named)
    row["url"] = "HTTPS://www.Example.org:443/jane#me"
    return row


@pytest.mark.parametrize("kind", ["id", "url", "purl", "domain", "package", "sha256"])
def test_a_kept_document_that_a_list_names_is_refused_though_signed(tmp_path: Path, kind: str) -> None:
    made = small.corpus()
    row = row_with_domain(made)
    listed = {
        "id": f"id:{row['id']}", "url": "url:https://www.example.org/jane", "purl": f"url:{row['purl']}",
        "domain": "domain:example.org", "package": "domain:" + row["purl"].partition("@")[0],
        "sha256": f"sha256:{row['text_sha256']}",
    }[kind]  # fmt: skip
    folder = small.write(tmp_path, made)
    assert verify(folder, small.TRUSTED).ok
    small.sign_again(folder, edit=listing("domain:example.net", listed))
    found = failures(folder)
    assert {check.name for check in found} == {"opt_out"}
    assert f"kept, but named by {listed}" in found[0].detail
    assert found[0].file.startswith("provenance/manual/kept-")


def test_records_that_a_list_keeps_out_are_accepted_in_the_ledger(tmp_path: Path) -> None:
    made = small.corpus()
    row = row_with_domain(made)
    made["manual"]["kept"].remove(row)
    made["manual"]["dropped"] = small.in_order([*made["manual"]["dropped"], kept_out(row, url=row["url"])])
    folder = small.write(tmp_path, made)
    small.sign_again(folder, edit=listing("domain:example.org", f"sha256:{row['text_sha256']}"))
    assert verify(folder, small.TRUSTED).ok
    small.sign_again(folder, edit=listing("url:https://www.example.org/jane"))
    result = verify(folder, small.TRUSTED)
    assert result.ok
    assert result.manifest is not None
    assert result.manifest["policies"]["opt_out"][0]["urls"] == 1


@pytest.mark.parametrize(("more", "listed", "said"), [
    ({}, (), "no list names it"),
    ({}, ("domain:example.org",), "no list names it"),  # the row does not say the URL
    ({"url": "https://example.org/"}, ("domain:example.net",), "no list names it"),
    ({"record_hmac": "ab" * 32}, None, "record_hmac is not null"),
    ({"record_bytes": 9}, None, "record_bytes is not null"),
    ({"charset": "utf-8"}, None, "charset is not null"),
    ({"detail": "domain:example.org"}, None, "detail is not null"),
    ({"stage": "read"}, None, "no reason of stage read"),
])  # fmt: skip
def test_a_row_that_says_opt_out_is_named_by_a_list_and_tells_nothing_of_the_record(
    tmp_path: Path, more: dict[str, Any], listed: tuple[str, ...] | None, said: str
) -> None:
    made = small.corpus()
    row = row_with_domain(made)
    made["manual"]["kept"].remove(row)
    made["manual"]["dropped"] = small.in_order([*made["manual"]["dropped"], kept_out(row, **more)])
    folder = small.write(tmp_path, made)
    small.sign_again(folder, edit=listing(*([f"id:{row['id']}"] if listed is None else listed)))
    found = failures(folder)
    assert {check.name for check in found} == {"opt_out"}
    assert said in found[0].detail


@pytest.mark.parametrize("edit", [
    lambda p: p["policies"].update(opt_out=[]),
    lambda p: p["recipe"].update(opt_out=[]),
    lambda p: p["policies"]["opt_out"][0].update(ids=0, urls=1),
    lambda p: p["policies"]["opt_out"][0].update(sha256="ab" * 32),
    lambda p: p["policies"]["opt_out"].append(p["policies"]["opt_out"][0]),
    lambda p: p["recipe"]["opt_out"][0].append("id:" + "cd" * 16),
    lambda p: p["recipe"]["opt_out"][0].insert(0, "# for Ann"),
    lambda p: p["policies"]["opt_out"][0].update(file="ann.txt"),
])  # fmt: skip
def test_policies_that_are_not_those_of_the_recipes_lists_are_refused(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    folder = small.write(tmp_path, small.corpus())
    small.sign_again(folder, edit=listing("id:" + "ab" * 16))
    assert verify(folder, small.TRUSTED).ok
    small.sign_again(folder, edit=edit)
    (found,) = failures(folder)
    assert (found.name, "opt_out" in found.detail) == ("manifest", True)
