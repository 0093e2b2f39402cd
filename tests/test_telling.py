"""What is said of documents, on a terminal that must not obey their text."""

import io
import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from pipeline import plan, telling, telling_rows
from pipeline.checking import Checking
from pipeline.cli import main
from pipeline.look import plain
from pipeline.reproduce import Compared, Reproduction
from pipeline.trust import keys, reproduction
from tests.trust import small_release as small
from tests.trust.small_release import KEY


def test_control_and_bidi_characters_are_shown_not_obeyed() -> None:
    assert telling.printable("a\x1b[31mred\x07 \u202eevil\n\tok é") == "a\\x1b[31mred\\x07 \\u202eevil\n\tok é"


def test_numbers_are_grouped_and_short() -> None:
    assert [telling_rows.number(value) for value in (2_000_000.0, 0.123456, 0.0)] == ["2,000,000", "0.1235", "0"]


def test_a_near_duplicate_is_told_with_its_similarity_and_bands_an_exact_one_without() -> None:
    assert telling_rows.alike({"similarity": 881_709, "bands": 2}) == "similarity 0.882, 2 bands in common"
    assert telling_rows.alike({"similarity": 800_000, "bands": 1}) == "similarity 0.800, 1 band in common"
    assert telling_rows.alike({"similarity": 1_000_000, "bands": None}) == "similarity 1.000"


def test_who_could_not_build_a_release_again_is_told_last_and_loudest() -> None:
    tally = reproduction.Tally(
        (
            reproduction.Judged("a.json", False, "says that 2 files DIFFER, x the first", "a" * 64, "differs"),
            reproduction.Judged("b.json", True, "", "b" * 64, "content"),
            reproduction.Judged("c.json", False, "is of another release, d", "c" * 64),
        ),
        1,
    )
    assert list(telling.reproductions(tally)) == [
        f"      reproduced (content) by {'b' * 64}: b.json",
        "      not counted: c.json is of another release, d",
        f"WARNING: a.json says that 2 files DIFFER, x the first; it is signed by {'a' * 64}",
    ]


# ---------------------------------------------------------------- what commands say, in text and in JSON


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = small.corpus()
    rows["manual"]["kept"][0]["url"] = "https://example.org/[bold]a[/bold]"
    folder = tmp_path_factory.mktemp("told")
    (folder / "key.pub").write_bytes(keys.public_pem(KEY.public_key()))
    return small.write(folder / "release", rows)


def run(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout


def values(value: object) -> str:
    """Every key and value of JSON, in words."""
    if isinstance(value, dict):
        return " ".join(f"{key} {values(inner)}" for key, inner in value.items())
    return " ".join(map(values, value)) if isinstance(value, list) else str(value)


def ids(text: str) -> set[str]:
    """What is identified in a text: ids, digests, URLs, Package URLs, paths of files."""
    return set(re.findall(r"[0-9a-f]{32,64}|(?:https?|pkg):\S+|[\w/.-]+\.(?:parquet|json)", text))


def test_a_story_has_its_sections_and_every_thing_that_it_names_is_in_json(release: Path) -> None:
    for kind, sections in (
        ("kept", ["Origin", "Text", "Decisions", "Where it ended"]),
        ("dropped", ["Origin", "Where it ended"]),
    ):
        for path in release.glob(f"provenance/*/{kind}-*.parquet"):
            for identifier in pq.read_table(path).column("id").to_pylist()[:6]:
                text = run("show", release, identifier)
                (story,) = json.loads(run("show", release, identifier, "--json"))
                found = [line for line in text.splitlines() if line[:1].isupper()]
                assert set(sections) <= set(found) and text.splitlines()[0] == f"{kind:12}{identifier}"
                assert ids(text) <= ids(values(story)), identifier
                table = [line.split()[:2] for line in text.splitlines() if line.startswith(("  ok ", "  FAIL "))]
                failed = story["row"].get("failed") or []
                reasons = [check["reason"] for check in story["row"]["decisions"]]
                assert table == [["FAIL" if reason in failed else "ok", reason] for reason in reasons]


def test_a_failed_check_stands_in_its_place_and_again_at_the_end_with_file_and_row(
    release: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(release, tmp_path / "broken")
    (broken / "extra.txt").write_text("")
    options = (broken, "--key", release.parent / "key.pub")
    lines = run("verify", *options, code=1).splitlines()
    assert "FALSE  listing     extra.txt: is a file that the manifest does not name" in lines
    end = lines[lines.index("What failed") + 1 :]
    assert [line.strip() for line in end] == [
        "listing     extra.txt", "is a file that the manifest does not name", "",
        f"NOT verified: 1 of {sum(line[:5].strip() in ('ok', 'FALSE') for line in lines)} checks failed",
    ]  # fmt: skip
    found = json.loads(run("verify", *options, "--json", code=1))
    assert {"name": "listing", "file": "extra.txt", "ok": False}.items() <= next(
        check for check in found["checks"] if not check["ok"]
    ).items()
    assert [line.split()[1] for line in lines if line.startswith("-")] == found["unchecked"]


def test_everything_that_a_verification_names_is_in_json(release: Path) -> None:
    options = (release, "--key", release.parent / "key.pub")
    text, found = run("verify", *options), json.loads(run("verify", *options, "--json"))
    assert ids(text) <= ids(values(found))
    assert [line.split()[1] for line in text.splitlines() if line.startswith("ok ")] == [
        one["name"] for one in found["checks"]
    ]
    assert found["log"] is None


def step(stage: str, name: str, why: str) -> plan.Decision:
    return plan.Decision(plan.Task(stage, name, {}, {}, "code"), bool(why), why)


def test_a_plan_is_told_by_stage_and_task_by_task_where_few_run_or_all_are_asked_for() -> None:
    many = [step("curate", f"a/{number}", "it has not run" if number % 2 else "inputs changed") for number in range(99)]
    steps = [step("evidence", "a/x", ""), *many, "write: every shard whose rows change"]
    lines = list(plain(telling.planned(steps, False)))
    assert lines[:4] == [
        "stage     tasks  to run  why", "evidence      1       0  all are done",
        "curate       99      99  50: inputs changed", "                         49: it has not run",
    ]  # fmt: skip
    assert "later  write: every shard whose rows change" in lines
    assert lines[-1] == "99 of 100 tasks would run; --all lists them"
    listed = list(plain(telling.planned(steps, True)))
    assert "run   curate    a/1: it has not run" in listed and "done  evidence  a/x" in listed
    assert "run  curate  a/0: inputs changed" in list(plain(telling.planned(many[:12], False)))


def test_a_long_verification_says_how_far_it_is_and_how_long_it_took_on_a_stream_of_its_own() -> None:
    out = io.StringIO()
    shown = Checking(Console(file=out, width=80))
    with shown as report:
        report("digests", 1, 2)
        shown.began -= 9  # as if so many seconds had passed
        shown.told -= 9
        report("rows", 1_000_000, 4_000_000)
    assert re.fullmatch(r"checking rows: 1\.0 of 4\.0 MB, 9 s\nchecked in 9\.\d s\n", out.getvalue())


def test_a_short_verification_says_nothing_while_it_runs() -> None:
    out = io.StringIO()
    with Checking(Console(file=out, force_terminal=True, width=80)) as report:
        report("digests", 1, 2)
    assert out.getvalue() == ""


@pytest.mark.parametrize(("level", "same", "said"), [
    ("L0", True, ["report   equal"]),
    ("differs", False, ["report   differs: other bytes"]),
    ("differs", True, ["report   differs: other bytes",
                       "but the report, which follows from manifest and rows, is not the published one"]),
])  # fmt: skip
def test_a_reproduction_says_what_became_of_the_report(level: str, same: bool, said: list[str]) -> None:
    report = Compared("report.html", level, "" if level == "L0" else "other bytes")
    found = Reproduction("a" * 64, "b" * 64, (Compared("README.md", "L0"),), same, (), report)
    assert [line for line in plain(telling.compared(found)) if "report" in line and ".html" not in line] == said
    assert found.ok == (level == "L0" or not same)
