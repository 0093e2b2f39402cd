"""Where the files lie that a task reads: artifacts in the cache, outputs of earlier tasks, files of other releases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import plan
from pipeline.against import Other
from pipeline.engine.execute import task_folder
from pipeline.plan import Task, TaskRecord
from pipeline.recipe import Recipe
from pipeline.sources.cache import Cache
from pipeline.trust import opt_out

OPT_OUT = "opt-out.txt"  # in the work folder: all lines of the recipe's opt-out lists


def inputs(
    task: Task, before: Sequence[TaskRecord], work: Path, cache: Cache, others: Sequence[Other]
) -> dict[str, Path]:
    """Where a task's inputs are: artifacts in the cache, files of other releases, outputs of earlier stages."""
    folders = {other.release_id: other.folder for other in others}
    if task.stage == "against":
        folder = folders[task.parameters["release"]]
        return {kind: folder / file["name"] for kind, file in task.parameters["files"].items()}
    places = {
        (record.task.stage, record.task.name, output.name): task_folder(work, record.task) / output.name
        for record in before
        for output in record.outputs
    }

    if task.stage in ("evidence", "lines", "curate"):
        files = {name: cache.path(sha256) for name, sha256 in task.inputs.items() if name in ("artifact", "model")}
        if "opt_out" in task.inputs:
            files["opt_out"] = work / OPT_OUT
        if "blocks" in task.inputs:
            files["blocks"] = places["blocks", task.parameters["source"], "blocks.arrow"]
        return {**files, "models": cache.root / "models"}

    def made_by(name: str) -> tuple[str, str, str]:
        """Stage, task and output that an input of the task is."""
        maker, _, output = name.rpartition("/")
        if task.stage == "blocks":
            return "lines", maker, output
        if task.stage == "shingle":
            if name == "wanted":
                return "candidates", "all", plan.wanted_name(task.name)
            return ("against" if "release" in task.parameters else "curate"), task.name, name
        if name in ("losers", "members"):
            suffix = ".arrow" if name == "losers" else ".members.arrow"
            return "choose", "all", f"{task.parameters['source']}{suffix}"
        if task.stage == "trees":
            return "write", name.removeprefix("index/"), "index.arrow"
        if task.stage == "write":
            kind, _, maker = name.partition("/")
            return "curate", maker, f"{kind}-{task.parameters['shard']:05d}.arrow"
        if name in ("order", "pairs"):
            return "candidates", "all", f"{name}.arrow"
        if output == "shingles.arrow":
            return "shingle", maker, output
        return ("against" if ("against", maker, output) in places else "curate"), maker, output

    if task.stage == "shingle" and "data" in task.inputs:
        texts = {"data": folders[task.parameters["release"]] / task.parameters["data"]["name"]}
    else:
        texts = {}
    return {name: texts.get(name) or places[made_by(name)] for name in task.inputs}


def put_lists(recipe: Recipe, work: Path) -> None:
    """Put the lines of the recipe's opt-out lists where tasks read them, whole or not at all; none where it has none."""
    names, path = recipe.opted_out(), work / OPT_OUT
    if not names:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(opt_out.encoded(names))
    temporary.replace(path)


def unused_lines(recipe: Recipe, curated: Sequence[TaskRecord]) -> tuple[str, ...]:
    """Lines of the opt-out lists that kept no record out."""
    lines = recipe.opted_out().to_json()
    used = {place for record in curated for place in record.result.get("opt_out", ())}
    return tuple(line for place, line in enumerate(lines) if place not in used)


def texts(
    entry: Mapping[str, Any], *, records: Sequence[TaskRecord], work: Path, others: Sequence[Other]
) -> list[Path]:
    """The files of which one has the text of a document, of curate or of another release; entry: its task and release."""
    if entry["release"] is not None:
        (folder,) = (other.folder for other in others if other.release_id == entry["release"])
        (record,) = (
            record for record in records if (record.task.stage, record.task.name) == ("against", entry["task"])
        )
        return [folder / record.task.parameters["files"]["data"]["name"]]
    (record,) = (record for record in records if (record.task.stage, record.task.name) == ("curate", entry["task"]))
    folder = task_folder(work, record.task)
    return [folder / output.name for output in record.outputs if output.name.startswith("survivors-")]
