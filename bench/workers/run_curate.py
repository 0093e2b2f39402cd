"""Curate as a build does it: the stages by their own functions in this process; no download, no start of a worker.

Works: `parquet` (curate alone), `json_lines` (curate + dedup + write), `memory` (curate once; peak RSS, no figure of speed
is taken from it). Additional key of a job, `artifact`: the file to curate.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import plan, recipe
from pipeline.engine.execute import execute, read_record, task_folder
from pipeline.lock import Lock
from pipeline.model import Artifact

RECIPE = """
name: bench
version: "1"
description: The texts of a release, again.
sources:
  - name: texts
    from: {{kind: local, paths: [{name}]}}
    format: {kind}
    license: MIT
    evidence: none
    max_drop_share: 1
rules:
  - {{rule: language, allow: [en], min_score: 0.65}}
  - {{rule: gopher_repetition}}
  - {{rule: gopher_quality}}
  - {{rule: c4}}
  - {{rule: fineweb}}
"""


class Build:
    """A recipe over artifacts of one source, with what its tasks need."""

    def __init__(
        self, artifacts: list[Path], model: Path, model_artifact: dict[str, Any], template: str = RECIPE
    ) -> None:
        kind = "jsonl" if artifacts[0].name.endswith(".jsonl.gz") else "parquet"
        self.artifacts = {path.name: path for path in artifacts}
        mine = tuple(
            Artifact(
                "texts", "local", f"pkg:generic/{path.name}", path.name, path.stat().st_size, sha256(path), path.name
            )
            for path in artifacts
        )
        self.lock = Lock("bench", mine, Artifact(**{**model_artifact, "evidence": ()}))
        self.recipe = recipe.parse(template.format(name=", ".join(self.artifacts), kind=kind).encode(), "bench")
        self.models = {"model": model, "models": model.parent}

    def curate(self, work: Path) -> list[plan.TaskRecord]:
        """The records of the curate tasks; those that `work` has already are not run again."""
        return [
            read_record(work, task)
            or execute(
                task, {**self.models, "artifact": self.artifacts[task.parameters["artifact"]["file"]]}, work, quiet
            )
            for task in plan.curate_tasks(self.recipe, self.lock, "bench")
        ]

    def deduplicate(self, work: Path, curated: list[plan.TaskRecord]) -> plan.TaskRecord:
        """Candidates, shingles of those, and the choice; returns the record of the last."""
        files = {
            f"{record.task.name}/{output.name}": task_folder(work, record.task) / output.name
            for record in curated
            for output in record.outputs
        }
        candidates = plan.candidates_task(self.recipe, curated, "bench")
        found = execute(candidates, {name: files[name] for name in candidates.inputs}, work, quiet)
        proposed = {output.name: task_folder(work, candidates) / output.name for output in found.outputs}
        shingled = []
        for task in plan.shingle_tasks(self.recipe, curated, found, "bench"):
            mine = {name: files[f"{task.name}/{name}"] for name in task.inputs if name != "wanted"}
            mine["wanted"] = proposed[plan.wanted_name(task.name)]
            shingled.append(execute(task, mine, work, quiet))
            files[f"{task.name}/shingles.arrow"] = task_folder(work, task) / "shingles.arrow"
        files |= {name.removesuffix(".arrow"): path for name, path in proposed.items()}
        choose = plan.choose_task(self.recipe, curated, found, shingled, "bench")
        return execute(choose, {name: files[name] for name in choose.inputs}, work, quiet)

    def stages(self, work: Path) -> None:
        """Curate, deduplicate and write."""
        curated = self.curate(work)
        chosen = self.deduplicate(work, curated)
        made = task_folder(work, curated[0].task)  # of the only artifact
        for write in plan.write_tasks(self.recipe, self.lock, curated, chosen, "bench"):
            inputs = {
                name: made / f"{name.partition('/')[0]}-{write.parameters['shard']:05d}.arrow" for name in write.inputs
            }
            inputs["losers"] = task_folder(work, chosen.task) / "texts.arrow"
            inputs["members"] = task_folder(work, chosen.task) / "texts.members.arrow"
            execute(write, inputs, work, quiet)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def quiet(documents: int, size: int) -> None:
    """No progress."""


def in_folder(run: Callable[[Path], Any]) -> Any:
    folder = Path(tempfile.mkdtemp())
    try:
        return run(folder)
    finally:
        shutil.rmtree(folder)


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    build = Build([Path(job["artifact"])], Path(job["model"]), job["model_artifact"])
    if work == "memory":
        imports, began = peak_rss(), time.process_time()
        result = in_folder(lambda folder: build.curate(folder)[0].result)
        facts = {"documents": result["read"], "bytes": job["bytes"], "cpu": time.process_time() - began}
        facts |= {"peak_rss": peak_rss(), "imports_rss": imports}
        return nothing, nothing, facts
    texts = measure.read(job["documents"])
    facts = {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}
    stages = {"parquet": build.curate, "json_lines": build.stages}[work]
    run = lambda: in_folder(stages)  # noqa: E731
    facts["survivors"] = in_folder(lambda folder: build.curate(folder)[0].result["survivors"])
    return run, run, facts


def peak_rss() -> int:
    """Of this program, in bytes. `ru_maxrss` would be that of the process that started it, if that was larger."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def nothing() -> None:
    """The figure of `memory` is taken before."""


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("pyarrow",))
