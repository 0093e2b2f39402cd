"""What `pellucid diff` says of two releases, against what was changed in their rows."""

import copy
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import telling_diff
from pipeline.cli import main
from pipeline.inspection import diff, diff_manifest, diff_rows
from pipeline.trust import keys
from tests.trust import small_release as small

Row = dict[str, Any]


def run(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


def compared(a: Path, b: Path) -> dict[str, Any]:
    found: dict[str, Any] = diff.diff(diff.load(a), diff.load(b)).to_json()
    return found


def counted(found: dict[str, Any]) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for group in found["rows"]["groups"]:
        counts[group["kind"], group["old"], group["new"]] += group["documents"]
    return counts


def release(folder: Path, change: Callable[[small.Corpus], object], **named: Any) -> Path:
    rows = copy.deepcopy(small.corpus())
    change(rows)
    return small.write(folder, rows, **named)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("diff") / "plain", small.corpus())


def to_dropped(rows: small.Corpus) -> Row:
    """A kept document that none is a copy of goes for a rule."""
    named = {row.get("kept_id") for fates in rows.values() for row in fates["dropped"]}
    row = next(row for row in rows["manual"]["kept"] if row["id"] not in named)
    rows["manual"]["kept"].remove(row)
    low = small.decision("too_short", 10 * small.MILLION, 500 * small.MILLION, None)
    rows["manual"]["dropped"].append({**row, "stage": "judge", "failed": ["too_short"], "decisions": [low], **low})
    return row


def all_changes(rows: small.Corpus) -> None:
    to_dropped(rows)
    manual, notes = rows["manual"], rows["notes"]
    back = next(row for row in manual["dropped"] if row["reason"] == "too_short" and row["text"].startswith("short"))
    manual["dropped"].remove(back)
    manual["kept"].append({**back, "failed": []})
    edited = next(row for row in notes["kept"] if not row["edits"])
    before = edited["text"]
    edited["text"], edited["edits"] = before[:-1], [small.edit(before, before[:-1])]
    edited["text_hmac"] = edited["edits"][0]["after_hmac"]
    other = next(row for row in notes["dropped"] if row["reason"] == "exact_duplicate")
    other["kept_id"] = next(row["id"] for row in manual["kept"] if row["id"] != other["kept_id"])
    other["kept_source"] = "manual"
    manual["kept"][0] |= {"language_score": 1, "charset": "latin-1"}
    manual["kept"][1]["decisions"] = [*manual["kept"][1]["decisions"], small.decision("new", 1, None, 2)]
    manual["kept"][2]["exact_hmac"] = "0" * 64  # keyed by all artifacts of the release: no difference of the row
    notes["dropped"].remove(next(row for row in notes["dropped"] if row["reason"] == "redirect"))


def test_every_way_in_which_a_document_can_differ_is_told_and_counted(plain: Path, tmp_path: Path) -> None:
    other = release(tmp_path / "other", all_changes)
    expected = {
        ("fate", "kept", "too_short"): 1, ("fate", "too_short", "kept"): 1, ("text", "kept", "kept"): 1,
        ("copy", "exact_duplicate", "exact_duplicate"): 1, ("values", "kept", "kept"): 1, ("judged", "kept", "kept"): 1,
        ("gone", "redirect", "not read"): 1,
    }  # fmt: skip
    found = compared(plain, other)
    assert counted(found) == expected
    whys = {group["kind"]: group["why"] for group in found["rows"]["groups"]}
    assert (whys["text"], whys["gone"]) == ("edits:none -> c4", "settings:notes")
    assert whys["values"] == "columns:charset, language_score"
    rows = sum(len(part) for fates in small.corpus().values() for part in fates.values())
    assert found["rows"]["same"] == rows - sum(expected.values())
    back = compared(other, plain)
    swapped = {(kind.replace("gone", "come"), new, old): n for (kind, old, new), n in expected.items()}
    assert counted(back) == swapped
    said = run("diff", plain, other, code=1).stdout
    assert "kept -> too_short" in said and "kept: kept in both, the text is another, by edits:" in said
    assert "in B 10; wanted at least 500" in said
    assert re.search(r"the same fate and text, other values in the row:\n +1  charset, language_score\n", said)
    assert all(len(line) <= 80 for line in said.split("\n"))


def test_pages_that_lose_other_characters_are_counted_by_reason_and_named_by_column(tmp_path: Path) -> None:
    def cut_more(rows: small.Corpus) -> None:
        small.pages(rows)
        rows["notes"]["kept"][0].update(small.account(50, [("footer", 2, 57), ("navigation", 3, 40)]))

    other = [{"name": "pellucid", "version": "1", "model_sha256": "e" * 64}]
    a = release(tmp_path / "a", small.pages, **small.PAGED)
    b = release(tmp_path / "b", cut_more, **{**small.PAGED, "extractors": other})
    found = compared(a, b)
    (group,) = found["rows"]["groups"]
    assert (group["kind"], group["why"], group["documents"]) == ("values", "columns:kept_characters, cuts", 1)
    of_source, of_all = found["totals"]
    assert (of_source["source"], of_source["cuts"], of_source["reasons"]) == ("notes", (("footer", *_sums(a, b)),), ())
    assert of_all["new"]["kept_characters"] - of_all["old"]["kept_characters"] == -50
    (change,) = found["environment"]
    assert (change["path"], change["old"], change["new"]) == ("extractors.pellucid.model_sha256", "f" * 64, "e" * 64)
    said = run("diff", a, b, code=1).stdout
    assert re.search(r"\n    kept of pages +[\d,]+ +[\d,]+ +-50\n      cut as footer +[\d,]+ +[\d,]+ +\+50\n", said)


def _sums(*releases: Path) -> list[int]:
    """Characters that were cut as footers from the pages of each release."""
    manifests = (diff.load(folder).manifest for folder in releases)
    totals = (one["totals"]["extraction"]["cuts"] for one in manifests)
    return [next(cut["characters"] for cut in cuts if cut["reason"] == "footer") for cuts in totals]


def test_parts_of_ids_and_all_at_once_give_the_same_answer(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = release(tmp_path / "other", all_changes)
    whole = compared(plain, other)
    monkeypatch.setattr(diff_rows, "PART", 20)
    assert compared(plain, other) == whole
    documents = diff.documents(*map(diff.load, (plain, other)))
    listed = Counter((row["kind"], row["old"], row["new"], row["why"]) for row in documents)
    groups = whole["rows"]["groups"]
    assert listed == {(one["kind"], one["old"], one["new"], one["why"]): one["documents"] for one in groups}
    sides = [diff.load(folder) for folder in (plain, other)]
    with diff_rows.Comparison((plain, other), (sides[0].manifest, sides[1].manifest), ()) as opened:
        assert opened.compare() == opened.compare()


def test_columns_are_named_for_each_source_where_an_id_stands_twice(tmp_path: Path) -> None:
    def twice(manual: Row, notes: Row) -> Callable[[small.Corpus], None]:
        def change(rows: small.Corpus) -> None:
            row = rows["manual"]["kept"][0]
            rows["notes"]["kept"] = small.in_order([*rows["notes"]["kept"], {**row, "source": "notes", **notes}])
            row.update(manual)

        return change

    one = release(tmp_path / "one", twice({}, {}))
    other = release(tmp_path / "other", twice({"charset": "latin-1"}, {"language": "und"}))
    groups = compared(one, other)["rows"]["groups"]
    assert {(group["why"], group["documents"]) for group in groups} == {("columns:charset", 1), ("columns:language", 1)}


@settings(max_examples=5)
@given(data=st.data())
def test_what_is_counted_is_what_was_done_to_each_document(plain: Path, data: st.DataObject) -> None:
    rows = copy.deepcopy(small.corpus())
    copied = {row.get("kept_id") for fates in rows.values() for row in fates["dropped"]}
    expected: Counter[tuple[str, str, str]] = Counter()
    for fates in rows.values():
        for row in list(fates["kept"]):
            done = data.draw(st.sampled_from(["nothing", "nothing", "dropped", "text", "gone", "new id", "language"]))
            if done == "nothing" or row["id"] in copied:
                continue
            if done == "text":
                row["text_hmac"] = "f" * 64
                expected["text", "kept", "kept"] += 1
            elif done == "language":
                row["language"] = "und"
                expected["values", "kept", "kept"] += 1
            else:
                fates["kept"].remove(row)
                if done == "dropped":
                    fates["dropped"].append({**row, "stage": "judge", "reason": "too_short"})
                    expected["fate", "kept", "too_short"] += 1
                else:
                    expected["gone", "kept", "not read"] += 1
                if done == "new id":
                    fates["kept"].append({**row, "id": f"{row['id'][::-1]}"})
                    expected["come", "not read", "kept"] += 1
    with tempfile.TemporaryDirectory() as folder:
        found = compared(plain, small.write(Path(folder), rows))
    assert (counted(found) if found["rows"] else Counter()) == expected
    assert found["same_rows"] == (not expected)


def test_the_first_and_the_last_ids_are_compared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_detail(detail: str) -> Callable[[small.Corpus], None]:
        def change(rows: small.Corpus) -> None:
            own = [row for row in rows["manual"]["dropped"] if row["reason"] == "redirect"]
            own[0].update(id="0" * 32, detail=detail)
            own[1].update(id="f" * 32, detail=detail)

        return change

    sides = [release(tmp_path / name, with_detail(name)) for name in ("one", "two")]
    assert counted(compared(*sides)) == {("values", "redirect", "redirect"): 2}
    monkeypatch.setattr(diff_rows, "PART", 20)
    assert counted(compared(*sides)) == {("values", "redirect", "redirect"): 2}


def test_with_ids_every_document_is_listed_once_and_in_order(plain: Path, tmp_path: Path) -> None:
    artifacts = {**small.ARTIFACTS, "manual": small.ARTIFACTS["manual"][1:]}
    gone = small.ARTIFACTS["manual"][0][0]

    def without(rows: small.Corpus) -> None:
        kept = {row["id"] for fates in rows.values() for row in fates["kept"] if row["purl"] != gone}
        for fates in rows.values():
            for fate, part in fates.items():
                fates[fate] = [
                    r for r in part if r["purl"] != gone and (r.get("kept_id") is None or r["kept_id"] in kept)
                ]

    other = release(tmp_path / "other", without, artifacts=artifacts)
    found = json.loads(run("diff", plain, other, "--json", "--ids", code=1).stdout)
    listed = [row["id"] for row in found["documents"]]
    assert (
        listed == sorted(set(listed))
        and len(listed) == sum(group["documents"] for group in found["rows"]["groups"]) > 12
    )
    assert {f"artifact:{gone}"} <= {group["why"] for group in found["rows"]["groups"]}
    assert all(len(group["examples"]) == min(10, group["documents"]) for group in found["rows"]["groups"])
    assert [(change["change"], change["package"]) for change in found["lock"]] == [("removed", "pkg:pypi/first")]
    assert "--ids lists documents in JSON" in run("diff", plain, other, "--ids", code=2).stderr


def test_another_version_of_a_package_is_paired_and_its_texts_are_compared(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = {**small.ARTIFACTS, "manual": [("pkg:pypi/first@1.1", b"first sdist, again"), small.ARTIFACTS["manual"][1]]}
    monkeypatch.setattr(small, "ARTIFACTS", newer)
    rows = small.corpus()
    mine = [row for row in rows["manual"]["kept"] if row["purl"] == "pkg:pypi/first@1.1"]
    changed = mine[0]
    changed["text"] += "more\n"
    changed["text_sha256"] = small._sha256(changed["text"].encode())
    other = small.write(tmp_path / "other", rows)
    found = compared(plain, other)
    assert [(c["change"], c["old"]["purl"], c["new"]["purl"]) for c in found["lock"]] == [
        ("version", "pkg:pypi/first@1.0", "pkg:pypi/first@1.1")
    ]
    replaced = {(g["kind"], g["old"], g["new"]): g["documents"] for g in found["rows"]["replaced"]}
    assert replaced["changed", "kept", "kept"] == 1
    assert replaced["same", "kept", "kept"] == len(mine) - 1
    assert replaced["unknown", "too_short", "too_short"] == 2
    assert not {"gone", "come"} & {kind for kind, _, _ in replaced}
    said = run("diff", plain, other, code=1).stdout
    assert "pkg:pypi/first 1.0 -> 1.1" in said and "kept: text changed" in said and "cannot be compared" in said


def test_a_takedown_is_named_as_what_it_is(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "signer.pub").write_bytes(keys.public_pem(small.KEY.public_key()))
    monkeypatch.setenv("PELLUCID_CONFIG", str(config))
    copied = {row.get("kept_id") for fates in small.corpus().values() for row in fates["dropped"]}
    gone = next(row for row in small.corpus()["notes"]["kept"] if row["id"] not in copied)
    (tmp_path / "list").write_text(f"id:{gone['id']}\n")
    run("takedown", plain, tmp_path / "list", "--out", tmp_path / "next")
    found = compared(plain, tmp_path / "next")
    assert (found["made_from"], counted(found)) == ("b", {("fate", "kept", "taken down"): 1})
    said = run("diff", plain, tmp_path / "next", code=1).stdout
    assert "B was made from A by a takedown" in said and "takedown: only in B: 1 document" in said


def test_the_same_corpus_is_the_answer_also_of_two_manifests_alone(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((plain / "manifest.json").read_bytes())
    assert "the same release" in run("diff", plain, tmp_path).stdout
    other = small.write(tmp_path / "other", small.corpus())
    small.sign_again(other, edit=lambda predicate: predicate["code"].update(version="0.2.0"))
    said = run("diff", tmp_path / "manifest.json", other).stdout
    assert "two releases of the same corpus" in said and "version: 0.1.0 -> 0.2.0" in said


def test_the_same_rows_in_other_shards_are_the_same_corpus(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "SHARDS", {"manual": 3, "notes": 2})
    other = small.write(tmp_path / "other", small.corpus())
    found = json.loads(run("diff", plain, other, "--json").stdout)
    assert found["same_rows"] and not found["rows"]["groups"] and found["differing"]


def test_what_needs_rows_is_said_where_there_are_none(plain: Path, tmp_path: Path) -> None:
    other = release(tmp_path / "other", all_changes)
    (tmp_path / "manifest.json").write_bytes((other / "manifest.json").read_bytes())
    done = run("diff", plain, tmp_path, code=1)
    assert "needs the provenance rows" in done.stdout and "-> too_short" not in done.stdout
    found = json.loads(run("diff", plain, tmp_path, "--json", "--ids", code=1).stdout)
    assert (found["rows"], found["documents"], found["needs_rows"]) == (None, [], [str(tmp_path)])
    assert found["differing"]["kept"] == ["manual", "notes"]


def test_what_is_no_release_has_its_message(plain: Path, tmp_path: Path) -> None:
    assert "cannot be read" in run("diff", plain, tmp_path / "nothing", code=2).stderr
    (tmp_path / "manifest.json").write_text("{}")
    assert "manifest.json" in run("diff", tmp_path, plain, code=2).stderr


def test_no_value_of_a_release_can_write_a_line_of_its_own(plain: Path, tmp_path: Path) -> None:
    def hostile(rows: small.Corpus) -> None:
        to_dropped(rows)["url"] = "x"
        for row in rows["manual"]["dropped"]:
            row["url"] = "https://e.org/\nthe same release\x1b[2J\u2028B was made from A by a takedown"

    found = diff.diff(diff.load(plain), diff.load(release(tmp_path / "other", hostile)))
    said = list(telling_diff.lines(found))
    assert not any("\n" in line or "\x1b" in line or "\u2028" in line for line in said)
    assert not any(line.startswith(("the same", "B was")) for line in said)


def changes(old: Any, new: Any) -> list[tuple[str, str]]:
    return [(one.path, one.change) for one in diff_manifest.values(old, new)]


def test_a_recipes_lists_are_compared_by_name() -> None:
    old = {
        "sources": [
            {"name": "a", "rules": [{"rule": "c4", "x": 1}, {"rule": "c4", "x": 2}], "members": ["p", "q"]},
            {"name": "b"},
        ]
    }
    new = {
        "sources": [
            {"name": "c"},
            {"name": "a", "rules": [{"rule": "c4", "x": 1}, {"rule": "c4", "x": 3}], "members": ["q", "r"]},
        ]
    }
    assert changes(old, new) == [
        ("sources[b]", "removed"), ("sources[c]", "added"), ("sources[a].members", "removed"),
        ("sources[a].members", "added"), ("sources[a].rules[c4#2].x", "changed"),
    ]  # fmt: skip
    rules = [
        {"rule": "c4"},
        {"rule": "length"},
        {"rule": "datatrove", "filter": "F"},
        {"rule": "datatrove", "filter": "G"},
    ]
    assert changes({"rules": rules}, {"rules": rules[::-1]}) == [("rules", "order")]
    assert changes({"rules": rules}, {"rules": rules[:3]}) == [("rules[datatrove/G]", "removed")]
    assert changes({"x": [1, 2]}, {"x": [2, 1]}) == [("x", "order")]
    assert changes({"x": 1}, {"x": True}) == [("x", "changed")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sources", "rules", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_values_differ_exactly_if_a_difference_is_told(old: Any, new: Any) -> None:
    assert bool(changes(old, new)) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    assert not changes(old, copy.deepcopy(old))


@pytest.mark.parametrize(
    ("purl", "package", "version"),
    [
        ("pkg:pypi/django@6.1.3?file_name=django-6.1.3.tar.gz", "pkg:pypi/django", "6.1.3"),
        ("pkg:deb/debian/notes@3-1?arch=all", "pkg:deb/debian/notes?arch=all", "3-1"),
        ("pkg:npm/%40scope/name@1.0%2B2#path/x@y", "pkg:npm/%40scope/name", "1.0+2"),
        ("pkg:generic/name", "pkg:generic/name", ""),
    ],
)
def test_a_package_is_its_url_without_version_and_file_name(purl: str, package: str, version: str) -> None:
    assert diff_manifest.package_of(purl) == (package, version)
