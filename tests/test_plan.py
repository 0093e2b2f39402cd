"""The plan: tasks from recipe and lock alone, keys over all that they depend on, reasons that people can read."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import against, plan, recipe
from pipeline.build import asked_kernels
from pipeline.lock import Lock
from pipeline.model import Artifact
from pipeline.plan import Output, Task, TaskRecord
from pipeline.trust import keyed
from tests.corpus import RECIPE

SHA = {name: f"{number:064x}" for number, name in enumerate(("guides", "pages", "lines", "model", "more"), 1)}


def loaded(more: str = "") -> recipe.Recipe:
    return recipe.parse((RECIPE.format(model="ab" * 32) + more).encode(), "recipe.yaml")


def artifact(source: str, size: int = 100) -> Artifact:
    return Artifact(source, "pypi", f"pkg:pypi/{source}@1", f"{source}-1.tar.gz", size, SHA[source])


def lock(**sizes: int) -> Lock:
    artifacts = tuple(artifact(name, sizes.get(name, 100)) for name in ("guides", "pages", "lines"))
    return Lock("small", artifacts, artifact("model"))


RESULT = {"key": "ab" * 32}  # of a curate task


def record(task: Task, outputs: dict[str, str]) -> TaskRecord:
    return TaskRecord(task, task.key(), tuple(Output(name, sha, 1) for name, sha in outputs.items()), RESULT)


OUTPUTS = {
    "survivors-00000.arrow": "11", "dropped-00000.arrow": "22", "sketch-00000.arrow": "33", "bands-00000.arrow": "44",
}  # fmt: skip
PAGES, GUIDES = "pages/pages-1.tar.gz", "guides/guides-1.tar.gz"


def curated(more: str = "") -> list[TaskRecord]:
    """Records of three tasks: of pages no survivor has a word, of lines there is no survivor."""
    tasks = {task.name: task for task in plan.curate_tasks(loaded(more), lock(), "c")}
    wordless = {name: sha for name, sha in OUTPUTS.items() if name != "bands-00000.arrow"}
    made = {PAGES: wordless, "lines/lines-1.tar.gz": {"dropped-00000.arrow": "22"}, GUIDES: OUTPUTS}
    return [record(tasks[name], outputs) for name, outputs in made.items()]


def candidates(more: str = "", wanted: bool = True) -> TaskRecord:
    outputs = {"order.arrow": "55", "pairs.arrow": "66"}
    outputs |= {plan.wanted_name(GUIDES): "77"} if wanted else {}
    return record(plan.candidates_task(loaded(more), curated(more), "d"), outputs)


def shingled(more: str = "") -> list[TaskRecord]:
    tasks = plan.shingle_tasks(loaded(more), curated(more), candidates(more), "s")
    return [record(task, {"shingles.arrow": "88"}) for task in tasks]


def choice(more: str = "") -> Task:
    return plan.choose_task(loaded(more), curated(more), candidates(more), shingled(more), "e")


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


def test_candidates_are_sought_among_all_sketches_and_bands_that_there_are() -> None:
    task = plan.candidates_task(loaded(), curated(), "d")
    assert task.inputs == {
        f"{GUIDES}/bands-00000.arrow": "44", f"{GUIDES}/sketch-00000.arrow": "33", f"{PAGES}/sketch-00000.arrow": "33",
    }  # fmt: skip
    assert task.parameters["artifacts"] == [
        {
            "source": "guides", "sketch": f"{GUIDES}/sketch-00000.arrow", "bands": f"{GUIDES}/bands-00000.arrow",
            "wanted": "wanted/guides@guides-1.tar.gz.arrow",
        },
        {
            "source": "pages", "sketch": f"{PAGES}/sketch-00000.arrow", "bands": None,
            "wanted": "wanted/pages@pages-1.tar.gz.arrow",
        },
    ]  # fmt: skip
    assert task.parameters["sources"] == [
        {"name": "guides", "priority": 1}, {"name": "pages", "priority": 0}, {"name": "lines", "priority": 0},
    ]  # fmt: skip
    assert (task.parameters["exact"], task.parameters["near"]["threshold"]) == (True, 800_000)


def test_the_order_of_records_changes_no_task_of_deduplication() -> None:
    turned = curated()[::-1]
    assert plan.candidates_task(loaded(), turned, "d").key() == plan.candidates_task(loaded(), curated(), "d").key()
    again = plan.choose_task(loaded(), turned, candidates(), shingled()[::-1], "e")
    assert (again.key(), again.to_json()) == (choice().key(), choice().to_json())


def test_sets_are_made_of_artifacts_with_documents_that_are_compared() -> None:
    (task,) = plan.shingle_tasks(loaded(), curated(), candidates(), "s")
    assert (task.name, task.parameters) == (GUIDES, {"words": 5, "characters": 500_000})
    assert task.inputs == {"sketch-00000.arrow": "33", "survivors-00000.arrow": "11", "wanted": "77"}
    assert plan.shingle_tasks(loaded(), curated(), candidates(wanted=False), "s") == []


def test_the_choice_reads_order_pairs_sketches_and_the_sets_that_there_are() -> None:
    task = choice()
    assert task.inputs == {
        "order": "55", "pairs": "66", f"{GUIDES}/sketch-00000.arrow": "33", f"{PAGES}/sketch-00000.arrow": "33",
        f"{GUIDES}/shingles.arrow": "88",
    }  # fmt: skip
    assert task.parameters["artifacts"] == [
        {
            "task": GUIDES,
            "source": "guides",
            "sketch": f"{GUIDES}/sketch-00000.arrow",
            "shingles": f"{GUIDES}/shingles.arrow",
        },
        {"task": PAGES, "source": "pages", "sketch": f"{PAGES}/sketch-00000.arrow", "shingles": None},
    ]
    assert task.parameters["near"] == loaded().dedup.near.parameters()


def test_the_alarm_of_a_source_stands_before_that_of_the_recipe() -> None:
    text = RECIPE.format(model="ab" * 32).replace("    priority: 1\n", "    priority: 1\n    max_drop_share: 0\n")
    of_one = recipe.parse((text + "dedup: {max_drop_share: 0.25}\n").encode(), "recipe.yaml")
    assert list(of_one.drop_limits().values()) == [0, 0.25, 0.25]


def test_the_limit_of_what_pages_lose_is_the_sources_own_or_the_recipes_and_only_of_pages_that_are_cut() -> None:
    plain = RECIPE.format(model="ab" * 32)
    spec = "format: {kind: html, extractor: all_text}\n"
    assert plain.count(spec) == 1
    text = plain.replace(spec, f"{spec}    max_cut_share: 0.5\n")
    assert recipe.parse(text.encode(), "recipe.yaml").cut_limits() == {"pages": 0.5}
    assert recipe.parse(plain.encode(), "recipe.yaml").cut_limits() == {"pages": 0.95}
    assert recipe.parse((plain + "max_cut_share: 0.2\n").encode(), "recipe.yaml").cut_limits() == {"pages": 0.2}
    marked = plain.replace(spec, "format: {kind: html, boilerplate: mark}\n")
    assert recipe.parse(marked.encode(), "recipe.yaml").cut_limits() == {}


def test_another_limit_of_what_pages_lose_reads_nothing_again() -> None:
    of_source = RECIPE.format(model="ab" * 32).replace("    priority: 1\n", "    priority: 1\n    max_cut_share: 0.3\n")
    keys = [
        [task.key() for task in (*plan.evidence_tasks(one, lock(), "e"), *plan.curate_tasks(one, lock(), "c"))]
        for one in (loaded(), loaded("max_cut_share: 0.1\n"), recipe.parse(of_source.encode(), "recipe.yaml"))
    ]
    assert keys[0] == keys[1] == keys[2]


def test_a_recipe_that_keeps_near_duplicates_sketches_and_compares_nothing() -> None:
    kept = "dedup: {near: null}\n"
    assert {task.parameters["near"] for task in plan.curate_tasks(loaded(kept), lock(), "c")} == {None}
    assert plan.candidates_task(loaded(kept), curated(kept), "d").parameters["near"] is None
    assert plan.shingle_tasks(loaded(kept), curated(kept), candidates(kept), "s") == []
    assert choice(kept).parameters["near"] is None


@pytest.mark.parametrize("near", ["threshold: 0.7", "bucket_first: 9", "bucket_neighbours: 0"])
def test_what_changes_no_sketch_curates_nothing_again(near: str) -> None:
    more = f"dedup: {{near: {{{near}}}}}\n"
    before, after = (plan.curate_tasks(loaded(text), lock(), "c") for text in ("", more))
    assert [task.key() for task in after] == [task.key() for task in before]
    assert plan.candidates_task(loaded(more), curated(), "d").key() != candidates().key
    assert choice(more).key() != choice().key()


@pytest.mark.parametrize("near", ["words: 4", "characters: 9", "bands: 13", "rows: 7", "seed: 2"])
def test_what_changes_a_sketch_curates_again(near: str) -> None:
    after = plan.curate_tasks(loaded(f"dedup: {{near: {{{near}}}}}\n"), lock(), "c")
    before = plan.curate_tasks(loaded(), lock(), "c")
    assert not {task.key() for task in after} & {task.key() for task in before}


def test_another_alarm_makes_nothing_again() -> None:
    more = "dedup: {max_drop_share: 0.9}\n"
    assert plan.candidates_task(loaded(more), curated(more), "d").key() == candidates().key
    assert [record.key for record in shingled(more)] == [record.key for record in shingled()]
    assert choice(more).key() == choice().key()


REPEATED = "    repeated_lines: {min_documents: 4, min_share: 0.25}\n"
MORE = Artifact("guides", "pypi", "pkg:pypi/guides-more@1", "guides-more-1.tar.gz", 900, SHA["more"])


def asking(keys: str = REPEATED) -> recipe.Recipe:
    """The recipe, in which the source `guides` has these keys, too."""
    text = RECIPE.format(model="ab" * 32).replace("    priority: 1\n", "    priority: 1\n" + keys)
    return recipe.parse(text.encode(), "recipe.yaml")


def counted(of: recipe.Recipe, pins: Lock) -> list[TaskRecord]:
    tasks = plan.lines_tasks(of, pins, "l")
    return [record(task, {"lines.arrow": f"a{number}"}) for number, task in enumerate(tasks)]


def blocks(of: recipe.Recipe, pins: Lock, sha256: str = "bb") -> list[TaskRecord]:
    return [record(task, {"blocks.arrow": sha256}) for task in plan.blocks_tasks(of, counted(of, pins), "b")]


def test_nothing_is_counted_for_sources_that_do_not_ask() -> None:
    assert plan.lines_tasks(loaded(), lock(), "l") == []
    assert plan.blocks_tasks(loaded(), [], "b") == []
    tasks = {task.name: task for task in plan.curate_tasks(asking(), lock(), "c", blocks(asking(), lock()))}
    for name, task in tasks.items():
        assert ("blocks" in task.inputs) == (task.parameters["repeated_lines"] is not None) == (name == GUIDES)


def test_units_are_counted_by_the_artifact_and_added_up_by_the_source() -> None:
    pins = Lock("small", (*lock().artifacts, MORE), artifact("model"))
    first, second = plan.lines_tasks(asking(), pins, "l")
    assert (first.name, second.name) == ("guides/guides-more-1.tar.gz", GUIDES)
    assert {key: first.parameters[key] for key in ("unit", "min_characters", "least")} == {
        "unit": "paragraph", "min_characters": 60, "least": 1,
    }  # fmt: skip
    assert first.inputs == {"artifact": SHA["more"]}
    (task,) = plan.blocks_tasks(asking(), counted(asking(), pins), "b")
    assert task.name == "guides"
    assert task.inputs == {f"{GUIDES}/lines.arrow": "a1", "guides/guides-more-1.tar.gz/lines.arrow": "a0"}
    assert task.parameters == {
        "source": "guides", "min_documents": 4, "min_share": 250_000, "inputs": sorted(task.inputs),
    }  # fmt: skip


def test_of_an_only_artifact_units_of_too_few_documents_are_left_out() -> None:
    (task,) = plan.lines_tasks(asking(), lock(), "l")
    assert task.parameters["least"] == 4


def test_what_is_counted_depends_on_units_alone_and_curation_on_the_blocks_alone() -> None:
    def keys(of: recipe.Recipe, sha256: str = "bb") -> tuple[list[str], ...]:
        pins = Lock("small", (*lock().artifacts, MORE), artifact("model"))
        found = blocks(of, pins, sha256)
        curated = plan.curate_tasks(of, pins, "c", found)
        mine = [task.key() for task in curated if task.parameters["source"] == "guides"]
        return [task.key() for task in plan.lines_tasks(of, pins, "l")], [one.key for one in found], mine

    lines, found, curate = keys(asking())
    for threshold in (REPEATED.replace("0.25", "0.5"), REPEATED.replace("4", "5")):
        again = keys(asking(threshold))
        assert (again[0], again[2]) == (lines, curate)
        assert again[1] != found
    assert keys(asking(), "cc")[:2] == (lines, found)
    assert keys(asking(), "cc")[2] != curate
    for unit in ("unit: line", "min_characters: 61"):
        again = keys(asking(REPEATED.replace("{", f"{{{unit}, ")))
        assert not {*again[0], *again[2]} & {*lines, *curate}


def listing(*lines: str) -> str:
    return f"opt_out: [{list(lines)}]\n"


def test_a_changed_opt_out_list_reads_all_records_again_and_nothing_else() -> None:
    def keys(more: str) -> tuple[list[str], ...]:
        of = recipe.parse((RECIPE.format(model="ab" * 32).replace("    priority: 1\n", "    priority: 1\n" + REPEATED) + more
                          ).encode(), "recipe.yaml")  # fmt: skip
        lines, curated = plan.lines_tasks(of, lock(), "l"), plan.curate_tasks(of, lock(), "c", blocks(asking(), lock()))
        rest = [*plan.evidence_tasks(of, lock(), "e"), plan.candidates_task(of, curated_records, "d")]
        return [task.key() for task in lines], [task.key() for task in curated], [task.key() for task in rest]

    curated_records = curated()
    none, one, other = (keys(more) for more in ("", listing("domain:example.org"), listing("domain:example.net")))
    assert len({none[0][0], one[0][0], other[0][0]}) == 3
    assert len({*none[1], *one[1], *other[1]}) == 9
    assert none[2] == one[2] == other[2]


def test_what_changes_no_name_of_an_opt_out_list_runs_nothing_again() -> None:
    first, second = "domain:example.org", "id:" + "ab" * 16
    texts = (
        listing(first, second), listing(second, first, second), f"opt_out: [[{first!r}], [{second!r}]]\n",
        f"opt_out: [[], [{second!r}], [{first!r}, {second!r}]]\n",
    )  # fmt: skip
    assert len({tuple(task.key() for task in plan.curate_tasks(loaded(more), lock(), "c")) for more in texts}) == 1
    for more in ("", "opt_out: [[]]\n"):
        for task in plan.curate_tasks(loaded(more), lock(), "c"):
            assert (task.parameters["opt_out"], "opt_out" in task.inputs) == (None, False)
    task = plan.curate_tasks(loaded(texts[0]), lock(), "c")[0]
    assert task.parameters["opt_out"] == task.inputs["opt_out"]
    decision = plan.decide(task, record(plan.curate_tasks(loaded(), lock(), "c")[0], {}), None)
    assert decision.why.startswith("parameter opt_out changed")


def test_what_repeats_is_no_matter_of_evidence() -> None:
    assert plan.evidence_tasks(asking(), lock(), "e") == plan.evidence_tasks(loaded(), lock(), "e")


def test_a_write_task_reads_its_shard_of_its_own_source_and_the_losers() -> None:
    sources = ("guides", "pages", "lines")
    made = {f"{name}.arrow": "99" for name in sources} | {f"{name}.members.arrow": "aa" for name in sources}
    chosen = record(choice(), made)
    tasks = plan.write_tasks(loaded(), lock(), curated(), chosen, "w")
    assert [task.name for task in tasks] == ["guides/00000", "pages/00000", "lines/00000"]
    assert tasks[0].inputs == {
        "dropped/guides/guides-1.tar.gz": "22", "losers": "99", "members": "aa",
        "survivors/guides/guides-1.tar.gz": "11",
    }  # fmt: skip
    assert tasks[0].parameters["keys"] == {curated()[2].task.parameters["artifact"]["sha256"]: "ab" * 32}
    assert tasks[0].parameters["release_key"] == keyed.release_key([bytes.fromhex("ab" * 32)]).hex()


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
            "source", "format", "members", "exclude", "repeated_lines", "rules", "characters", "near", "shards", "opt_out",
            "model", "artifact",
        }  # fmt: skip


SHARDS = tuple(
    against.Shard(
        "theirs", number, against.File(f"data/{number}", f"d{number}"), against.File(f"kept/{number}", f"k{number}")
    )
    for number in range(2)
)
OTHER = against.Other("ab" * 32, "earlier", "1", Path("/anywhere"), SHARDS)
THEIRS = [f"{OTHER.release_id}/theirs/0000{number}" for number in range(2)]


def sketched(more: str = "") -> list[TaskRecord]:
    """Records of the shards of another release; of the second no text has a word."""
    sketches = {"sketch-00000.arrow": "99", "bands-00000.arrow": "aa"}
    first, second = plan.against_tasks(loaded(more), [OTHER], "a")
    return [record(first, sketches), record(second, {"sketch-00000.arrow": "bb"})]


def test_a_shard_of_another_release_is_sketched_wherever_the_release_lies() -> None:
    tasks = plan.against_tasks(loaded(), [OTHER], "a")
    assert [(task.name, task.inputs) for task in tasks] == [
        (name, {"data": f"d{number}", "kept": f"k{number}"}) for number, name in enumerate(THEIRS)
    ]
    elsewhere = plan.against_tasks(loaded(), [replace(OTHER, folder=Path("/elsewhere"))], "a")
    assert [task.key() for task in elsewhere] == [task.key() for task in tasks]
    assert {task.parameters["near"]["bands"] for task in tasks} == {14}
    threshold = plan.against_tasks(loaded("dedup: {near: {threshold: 0.7}}\n"), [OTHER], "a")
    assert [task.key() for task in threshold] == [task.key() for task in tasks]


def test_other_releases_take_part_beside_the_artifacts_and_are_read_again_where_compared() -> None:
    task = plan.candidates_task(loaded(), curated(), "d", sketched())
    assert [(entry["source"], entry["sketch"], entry["bands"]) for entry in task.parameters["against"]] == [
        ("theirs", f"{THEIRS[0]}/sketch-00000.arrow", f"{THEIRS[0]}/bands-00000.arrow"),
        ("theirs", f"{THEIRS[1]}/sketch-00000.arrow", None),
    ]
    alone = plan.candidates_task(loaded(), curated(), "d")
    assert (alone.parameters["against"], alone.parameters["artifacts"]) == ([], task.parameters["artifacts"])
    assert task.inputs.items() > alone.inputs.items()
    found = record(task, {"order.arrow": "55", "pairs.arrow": "66", plan.wanted_name(THEIRS[0]): "77"})
    (again,) = plan.shingle_tasks(loaded(), curated(), found, "s", sketched())
    assert again.inputs == {"data": "d0", "sketch-00000.arrow": "99", "wanted": "77"}
    assert (again.parameters["release"], again.parameters["data"]) == (
        OTHER.release_id,
        {"name": "data/0", "sha256": "d0"},
    )
    chosen = plan.choose_task(loaded(), curated(), found, [record(again, {"shingles.arrow": "88"})], "e", sketched())
    assert [entry["release"] for entry in chosen.parameters["against"]] == [OTHER.release_id] * 2
    assert [entry["shingles"] for entry in chosen.parameters["against"]] == [f"{THEIRS[0]}/shingles.arrow", None]


def test_rules_and_keys_with_kernels_of_their_own_are_told() -> None:
    assert asked_kernels(plan.curate_tasks(loaded(), lock(), "c")) == ["html"]  # its source `tables` is of format json
    text = RECIPE.format(model="ab" * 32)
    asking = recipe.parse(text.replace("rules:\n", "rules:\n  - {rule: c4}\n", 1).encode(), "recipe.yaml")
    assert asked_kernels(plan.curate_tasks(asking, lock(), "c")) == ["c4", "html"]
    task = plan.Task("lines", "a/b", {}, {}, "c")
    assert asked_kernels([task]) == ["repeated_lines"]


@pytest.mark.parametrize(
    ("kind", "kernels"), [("html", ["html"]), ("mail", ["html"]), ("json", ["html"]), ("text", [])]
)
def test_kernels_of_pages_are_asked_for_where_a_format_reads_pages(kind: str, kernels: list[str]) -> None:
    task = plan.Task("curate", "a/b", {"format": {"kind": kind}}, {}, "c")
    assert asked_kernels([task]) == kernels
