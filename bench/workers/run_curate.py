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
from pipeline.engine.execute import execute, task_folder
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
    max_duplicate_share: 1
rules:
  - {{rule: language, allow: [en], min_score: 0.65}}
  - {{rule: gopher_repetition}}
  - {{rule: gopher_quality}}
  - {{rule: c4}}
  - {{rule: fineweb}}
"""


class Build:
    """A recipe over one artifact, with what its tasks need."""

    def __init__(self, artifact: Path, model: Path, model_artifact: dict[str, Any]) -> None:
        kind = "jsonl" if artifact.name.endswith(".jsonl.gz") else "parquet"
        with artifact.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = artifact.stat().st_size
        mine = Artifact("texts", "local", f"pkg:generic/{artifact.name}", artifact.name, size, sha256, artifact.name)
        self.lock = Lock("bench", (mine,), Artifact(**{**model_artifact, "evidence": ()}))
        self.recipe = recipe.parse(RECIPE.format(name=artifact.name, kind=kind).encode(), "bench")
        (self.task,) = plan.curate_tasks(self.recipe, self.lock, "bench")
        self.files = {"artifact": artifact, "model": model, "models": model.parent}

    def curate(self, work: Path) -> plan.TaskRecord:
        return execute(self.task, self.files, work, quiet)

    def stages(self, work: Path) -> None:
        """Curate, dedup and write."""
        curated = self.curate(work)
        dedup = plan.dedup_task(self.recipe, [curated], "bench")
        made = task_folder(work, self.task)
        chosen = execute(dedup, {name: made / name.rpartition("/")[2] for name in dedup.inputs}, work, quiet)
        for write in plan.write_tasks(self.recipe, self.lock, [curated], chosen, "bench"):
            inputs = {
                name: made / f"{name.partition('/')[0]}-{write.parameters['shard']:05d}.arrow" for name in write.inputs
            }
            inputs["losers"] = task_folder(work, dedup) / "texts.arrow"
            execute(write, inputs, work, quiet)


def quiet(documents: int, size: int) -> None:
    """No progress."""


def in_folder(run: Callable[[Path], Any]) -> Any:
    folder = Path(tempfile.mkdtemp())
    try:
        return run(folder)
    finally:
        shutil.rmtree(folder)


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    build = Build(Path(job["artifact"]), Path(job["model"]), job["model_artifact"])
    if work == "memory":
        imports, began = peak_rss(), time.process_time()
        result = in_folder(lambda folder: build.curate(folder).result)
        facts = {"documents": result["read"], "bytes": job["bytes"], "cpu": time.process_time() - began}
        facts |= {"peak_rss": peak_rss(), "imports_rss": imports}
        return nothing, nothing, facts
    texts = measure.read(job["documents"])
    facts = {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}
    stages = {"parquet": build.curate, "json_lines": build.stages}[work]
    run = lambda: in_folder(stages)  # noqa: E731
    facts["survivors"] = in_folder(lambda folder: build.curate(folder).result["survivors"])
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
