"""Drive a plan: fetch what the lock pins, run the tasks that have to run, seal the release.

Two folders: the release `OUT`, and beside it `OUT.work` with the outputs and records of tasks, by which an interrupted
build goes on and a repeated one finds nothing to do. The release appears by one rename when everything in it is final.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import places, plan, seal
from pipeline.against import Other
from pipeline.code import curate_sha256, reading_sha256, stage_sha256
from pipeline.curate import cut_alarm
from pipeline.dedup import alarm
from pipeline.engine.execute import STAGES, broken_output, read_record, task_folder
from pipeline.engine.local import Event, Finished, Job, Pool
from pipeline.errors import RecipeError
from pipeline.kernels import warm
from pipeline.lock import Lock, check
from pipeline.plan import Decision, Task, TaskRecord
from pipeline.recipe import Recipe
from pipeline.sources.fetch import Cache, FetchProgress, fetch_all
from pipeline.trust.signers import Signer


@dataclass(frozen=True, slots=True)
class Phase:
    """A stage begins: how many tasks it has, how many of them have to run, and how many bytes they read."""

    name: str
    tasks: int
    run: int


Report = Callable[[Phase | FetchProgress | Event], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not change a byte: where, how many workers, which key signs."""

    out: Path
    base: Path
    workers: int
    cache: Cache
    key: Path | Signer | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """`ran` of `tasks` tasks ran; `changed` says whether the release folder was written.

    `unused`: lines of the recipe's opt-out lists that kept no record out.
    """

    out: Path
    release_id: str
    key_id: str
    key_made: Path | None
    manifest: Mapping[str, Any]
    tasks: int
    ran: int
    changed: bool
    seconds: float
    unused: tuple[str, ...] = ()


@dataclass(slots=True)
class _Run:
    """One build under way."""

    recipe: Recipe
    lock: Lock
    settings: Settings
    others: Sequence[Other]
    report: Report
    pool: Pool
    kernels: warm.Warming
    later: warm.Warming
    tasks: int = 0
    ran: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return work_folder(self.settings.out)


def work_folder(out: Path) -> Path:
    return out.parent / f"{out.name}.work"


def build(recipe: Recipe, lock: Lock, settings: Settings, report: Report, others: Sequence[Other] = ()) -> Built:
    """Build the release of a recipe and its lock, without what `others` hold (`against.load_all`).

    Raises SourceError, TaskError, RecipeError.
    """
    started, began = time.time(), time.monotonic()
    check(lock, recipe)
    _refuse_idle(recipe, others)
    refuse_foreign(settings.out)
    code = curate_sha256(recipe, STAGES["curate"])  # before anything is fetched: filters that cannot be had end it here
    with (
        _exclusive(work_folder(settings.out)) as work, warm.ahead() as kernels,
        warm.ahead(warm.LATER, at_once=False) as later,
    ):  # fmt: skip
        shutil.rmtree(work / "tmp", ignore_errors=True)
        places.put_lists(recipe, work)
        artifacts = (*lock.artifacts, lock.model)
        fetch_all(artifacts, settings.base, settings.cache, report=report)
        fetched = time.monotonic()
        with Pool(settings.workers, work) as pool:
            run = _Run(
                recipe, lock, settings, others, report, pool, kernels, later, seconds={"fetch": fetched - began}
            )  # fmt: skip
            shown = run_stage(run, "evidence", plan.evidence_tasks(recipe, lock, _code("evidence")), [])
            counted, blocks = _find_blocks(run)
            shown += [*counted, *blocks]
            curated = run_stage(run, "curate", plan.curate_tasks(recipe, lock, code, blocks), blocks)
            cut_alarm.check(recipe.cut_limits(), _pages(curated))
            against = plan.against_tasks(recipe, others, _code("against"))
            known = run_stage(run, "against", against, []) if against else []
            done = [*curated, *known]
            proposing = plan.candidates_task(recipe, curated, _code("candidates"), known)
            found = run_stage(run, "candidates", [proposing], done)
            done += found
            again = plan.shingle_tasks(recipe, curated, found[0], _code("shingle"), known)
            shingled = run_stage(run, "shingle", again, done)
            done += shingled
            choosing = plan.choose_task(recipe, curated, found[0], shingled, _code("choose"), known)
            chosen = run_stage(run, "choose", [choosing], done)
            alarm.check(
                recipe.drop_limits(), chosen[0].result,
                partial(places.texts, records=done, work=work, others=others),
            )  # fmt: skip
            done += chosen
            written = run_stage(run, "write", plan.write_tasks(recipe, lock, curated, chosen[0], _code("write")), done)
            (trees,) = run_stage(run, "trees", [plan.trees_task(lock, written, _code("trees"))], written)
        report(Phase("seal", 1, 1))
        sealed = seal.seal(
            recipe, lock, others, curated, found[0], written, trees, seal.Run(started, run.seconds, settings.workers), work,
            settings.out, settings.key,
        )  # fmt: skip
        _remove_stale(work, [*shown, *done, *written, trees])
    return Built(
        settings.out, sealed.release_id, sealed.key_id, sealed.key_made, sealed.manifest, run.tasks, run.ran,
        sealed.changed, time.monotonic() - began, places.unused_lines(recipe, curated),
    )  # fmt: skip


def steps(recipe: Recipe, lock: Lock, out: Path, others: Sequence[Other] = ()) -> list[Decision | str]:
    """What `build` would run, and why, from the records as they are now; changes nothing.

    A stage whose inputs are not made yet is a sentence instead of decisions.
    """
    check(lock, recipe)
    _refuse_idle(recipe, others)
    work = work_folder(out)
    found: list[Decision | str] = []
    shards = "write, trees: every shard whose rows change, then the trees over all of them"

    def decide(tasks: Sequence[Task]) -> list[TaskRecord] | None:
        decisions = [_decide(work, task) for task in tasks]
        found.extend(decision for decision, _ in decisions)
        if any(decision.run for decision, _ in decisions):
            return None
        return [record for _, record in decisions if record is not None]

    decide(plan.evidence_tasks(recipe, lock, _code("evidence")))
    code = curate_sha256(recipe, STAGES["curate"])
    later = "candidates, shingle, choose: run if what curate keeps changes"
    asking = [source.name for source in recipe.sources if source.repeated_lines]
    counted = decide(plan.lines_tasks(recipe, lock, reading_sha256(recipe, STAGES["lines"])))
    blocks = None if counted is None else decide(plan.blocks_tasks(recipe, counted, _code("blocks")))
    if blocks is None:
        rest = tuple(source for source in recipe.sources if source.name not in asking)
        decide(plan.curate_tasks(recipe.model_copy(update={"sources": rest}), lock, code))
        stages = "blocks, curate" if counted is None else "curate"
        return [*found, f"{stages}: run for {', '.join(asking)} if what repeats in it changes", later, shards]
    curated = decide(plan.curate_tasks(recipe, lock, code, blocks))
    known = decide(plan.against_tasks(recipe, others, _code("against")))
    if curated is None or known is None:
        return [*found, later, shards]
    candidates = decide([plan.candidates_task(recipe, curated, _code("candidates"), known)])
    if candidates is None:
        return [*found, "shingle, choose: run if the candidates change", shards]
    shingled = decide(plan.shingle_tasks(recipe, curated, candidates[0], _code("shingle"), known))
    if shingled is None:
        return [*found, "choose: runs if the sets change", shards]
    chosen = decide([plan.choose_task(recipe, curated, candidates[0], shingled, _code("choose"), known)])
    if chosen is None:
        return [*found, shards]
    written = decide(plan.write_tasks(recipe, lock, curated, chosen[0], _code("write")))
    if written is None:
        return [*found, "trees: run if a shard changes"]
    decide([plan.trees_task(lock, written, _code("trees"))])
    return found


def run_stage(run: _Run, stage: str, tasks: Sequence[Task], before: Sequence[TaskRecord]) -> list[TaskRecord]:
    """Run those of a stage's tasks that have to; records of all, in the order of `tasks`."""
    began = time.monotonic()
    records: dict[str, TaskRecord] = {}
    jobs = []
    for task in tasks:
        decision, record = _decide(run.work, task)
        if decision.run:
            jobs.append(Job(task, places.inputs(task, before, run.work, run.settings.cache, run.others)))
        elif record is not None:
            records[task.name] = record
    _compile(run, jobs)
    run.report(Phase(stage, len(tasks), len(jobs)))
    for event in run.pool.run(jobs):
        if isinstance(event, Finished):
            records[event.record.task.name] = event.record
        run.report(event)
    run.tasks, run.ran = run.tasks + len(tasks), run.ran + len(jobs)
    run.seconds[stage] = time.monotonic() - began
    return [records[task.name] for task in tasks]


def _find_blocks(run: _Run) -> tuple[list[TaskRecord], list[TaskRecord]]:
    """The stages `lines` and `blocks`; of a recipe in which no source asks for them nothing is run or said."""
    tasks = plan.lines_tasks(run.recipe, run.lock, reading_sha256(run.recipe, STAGES["lines"]))
    if not tasks:
        return [], []
    counted = run_stage(run, "lines", tasks, [])
    return counted, run_stage(run, "blocks", plan.blocks_tasks(run.recipe, counted, _code("blocks")), counted)


def _pages(curated: Sequence[TaskRecord]) -> dict[str, list[Mapping[str, Any]]]:
    """By source, what its curate tasks counted of pages."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in curated:
        found.setdefault(record.task.parameters["source"], []).append(record.result["extraction"])
    return found


def _compile(run: _Run, jobs: Sequence[Job]) -> None:
    """Compile the kernels that the jobs need, where that was not done, before workers start."""
    for name in asked_kernels([job.task for job in jobs]):
        _spend(run, partial(warm.ensure, groups=warm.ASKED[name]), warm.ASKED[name])
    if not jobs:
        return
    if jobs[0].task.stage in ("curate", "against"):
        _spend(run, run.kernels.finish, warm.GROUPS)
        run.later.begin(wait=False)
    elif jobs[0].task.stage in ("candidates", "shingle", "choose"):
        _spend(run, run.later.finish, warm.LATER)


def asked_kernels(tasks: Sequence[Task]) -> list[str]:
    """The rules, keys and formats that tasks ask for and that have kernels of their own (`warm.ASKED`)."""
    from pipeline.formats.registry import FORMATS

    found = {rule["rule"] for task in tasks for rule in task.parameters.get("rules", ())}
    found |= {FORMATS[task.parameters["format"]["kind"]].kernels for task in tasks if "format" in task.parameters}
    if any(task.stage == "lines" or task.parameters.get("repeated_lines") for task in tasks):
        found.add("repeated_lines")
    return sorted(name for name in found if name in warm.ASKED)


def _spend(run: _Run, compiled: Callable[[Callable[[], None]], float], groups: warm.Groups) -> None:
    spent = compiled(partial(run.report, Phase("compile", len(groups), len(groups))))
    run.seconds["compile"] = run.seconds.get("compile", 0.0) + spent


def _decide(work: Path, task: Task) -> tuple[Decision, TaskRecord | None]:
    record = read_record(work, task)
    broken = broken_output(work, record) if record is not None and record.key == task.key() else None
    return plan.decide(task, record, broken), record


def _code(stage: str) -> str:
    return stage_sha256(STAGES[stage])


def _refuse_idle(recipe: Recipe, others: Sequence[Other]) -> None:
    if others and not recipe.dedup.exact and recipe.dedup.near is None:
        raise RecipeError(
            "the recipe keeps all duplicates, so building it against a release would drop nothing",
            where=recipe.name,
            wanted="`dedup.exact: true`, or `dedup.near` with its parameters",
            hint="set one of them in the recipe, or build without --against",
        )


def refuse_foreign(out: Path) -> None:
    if out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file():
        raise RecipeError(
            "the folder is not empty and holds no release",
            where=str(out),
            wanted="a new folder, or that of an earlier build, which is replaced",
            hint="name another with --out",
        )


@contextlib.contextmanager
def _exclusive(work: Path) -> Iterator[Path]:
    """Hold the work folder alone. The lock is the kernel's: it ends with the process, however that ends."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            raise RecipeError(
                f"another build (process {handle.read().strip() or 'unknown'}) is at work in this folder",
                where=str(work),
                hint="wait for it, or build elsewhere with --out",
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield work


def _remove_stale(work: Path, records: Sequence[TaskRecord]) -> None:
    """Remove outputs that no current task has made: of other parameters, other locks, other code."""
    current = {task_folder(work, record.task) for record in records}
    for stage in STAGES:
        for folder in sorted((work / stage).glob("*/*")):
            if folder not in current:
                shutil.rmtree(folder, ignore_errors=True)
