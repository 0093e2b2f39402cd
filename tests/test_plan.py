"""The plan: tasks from recipe and lock alone, keys over all that they depend on, reasons that people can read."""

from dataclasses import replace

import pytest

from pipeline import plan, recipe
from pipeline.lock import Lock
from pipeline.model import Artifact
from pipeline.plan import Output, Task, TaskRecord
from tests.corpus import RECIPE

SHA = {name: f"{number:064x}" for number, name in enumerate(("guides", "pages", "lines", "model", "more"), 1)}


def loaded() -> recipe.Recipe:
    return recipe.parse(RECIPE.format(model="ab" * 32).encode(), "recipe.yaml")


def artifact(source: str, size: int = 100) -> Artifact:
    return Artifact(source, "pypi", f"pkg:pypi/{source}@1", f"{source}-1.tar.gz", size, SHA[source])


def lock(**sizes: int) -> Lock:
    artifacts = tuple(artifact(name, sizes.get(name, 100)) for name in ("guides", "pages", "lines"))
    return Lock("small", artifacts, artifact("model"))


def record(task: Task, outputs: dict[str, str]) -> TaskRecord:
    return TaskRecord(task, task.key(), tuple(Output(name, sha, 1) for name, sha in outputs.items()), {})


def curated(code: str = "c") -> list[TaskRecord]:
    outputs = {"survivors-00000.arrow": "11", "dropped-00000.arrow": "22", "sketch-00000.arrow": "33"}
    return [record(task, outputs) for task in plan.curate_tasks(loaded(), lock(), code)]


def test_each_artifact_is_one_curate_task_and_the_largest_starts_first() -> None:
    tasks = plan.curate_tasks(loaded(), lock(pages=500), "c")
    assert [task.name for task in tasks] == ["pages/pages-1.tar.gz", "guides/guides-1.tar.gz", "lines/lines-1.tar.gz"]


def test_evidence_is_checked_again_when_licence_evidence_or_members_change_and_not_when_rules_do() -> None:
    def keys(old: str, new: str) -> list[str]:
        text = RECIPE.format(model="ab" * 32).replace(old, new, 1)
        assert old == new or text != RECIPE.format(model="ab" * 32)
        return [task.key() for task in plan.evidence_tasks(recipe.parse(text.encode(), "r"), lock(), "e")]

    before = keys("", "")
    assert len(before) == 3
    assert keys("    priority: 1\n", "    priority: 2\n    rules: [{rule: length}]\n") == before
    for old, new in (
        ("license: MIT\n", "license: ISC\n"),
        ('"*/LICENSE"', '"*/COPYING"'),
        ("docs/**/*.rst", "docs/*.rst"),
    ):
        after = keys(old, new)
        assert after[0] != before[0]
        assert after[1:] == before[1:]


def test_a_source_has_a_shard_for_each_started_32_megabytes() -> None:
    pins = lock(guides=64_000_001, pages=64_000_000, lines=0)
    sources = loaded().sources
    assert [plan.shards_of(source, loaded(), pins) for source in sources] == [3, 2, 1]


def test_a_write_task_reads_its_shard_of_its_own_source_and_the_losers() -> None:
    chosen = record(
        plan.dedup_task(loaded(), curated(), "d"), {f"{name}.arrow": "44" for name in ("guides", "pages", "lines")}
    )
    tasks = plan.write_tasks(loaded(), lock(), curated(), chosen, "w")
    assert [task.name for task in tasks] == ["guides/00000", "pages/00000", "lines/00000"]
    assert tasks[0].inputs == {
        "dropped/guides/guides-1.tar.gz": "22", "losers": "44", "survivors/guides/guides-1.tar.gz": "11",
    }  # fmt: skip


def test_a_key_depends_on_every_part_of_a_task() -> None:
    task = Task("curate", "a", {"x": 1}, {"i": "00"}, "code")
    others = [
        replace(task, stage="write"), replace(task, name="b"), replace(task, parameters={"x": 2}),
        replace(task, inputs={"i": "01"}), replace(task, inputs={"j": "00"}), replace(task, code="edoc"),
    ]  # fmt: skip
    assert len({task.key(), *(other.key() for other in others)}) == 7


def test_the_key_of_a_task_is_pinned() -> None:
    task = Task("curate", "a/b.whl", {"x": [1, "é"]}, {"artifact": "00"}, "code")
    assert task.key() == "500256a6e1c550327c5c582c6e80a9120a816fe4068fa6a3cb5177b6a9296412"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"parameters": {"x": 2}}, "parameter x changed"),
        ({"inputs": {"i": "01"}}, "1 of 1 inputs changed"),
        ({"code": "new"}, "the code or a library of its stage changed"),
        ({"parameters": {}, "code": "new"}, "parameter x changed; the code or a library of its stage changed"),
    ],
)
def test_a_changed_task_runs_and_says_what_changed(change: dict, why: str) -> None:
    task = Task("curate", "a", {"x": 1}, {"i": "00"}, "code")
    decision = plan.decide(replace(task, **change), record(task, {}), None)
    assert (decision.run, decision.why) == (True, why)


def test_a_task_without_record_runs() -> None:
    assert plan.decide(Task("curate", "a", {}, {}, "c"), None, None).why == "it has not run"


def test_a_task_whose_outputs_are_damaged_runs() -> None:
    task = Task("curate", "a", {}, {}, "c")
    assert plan.decide(task, record(task, {}), "its output x is missing").run


def test_a_done_task_does_not_run() -> None:
    task = Task("curate", "a", {}, {}, "c")
    assert not plan.decide(task, record(task, {}), None).run


def test_a_record_survives_its_json() -> None:
    first = curated()[0]
    assert TaskRecord.from_json(first.to_json()) == first


def test_workers_paths_and_clocks_are_no_part_of_a_task() -> None:
    for task in plan.curate_tasks(loaded(), lock(), "c"):
        assert set(task.parameters) == {
            "source", "format", "members", "exclude", "rules", "characters", "shards", "model", "artifact",
        }  # fmt: skip
