"""Deduplication as a build does it, after curate: sketches, candidates, their shingle sets, choice; digests and records too.

Works: `whole`; `prepare` (curate the files of the folder `artifacts`; nothing is timed) and `size` (deduplicate
what `prepare` left, once: CPU seconds, peak RSS).
"""

import time
from pathlib import Path
from typing import Any

import measure
import pyarrow as pa
import pyarrow.compute as pc
from run_curate import Build, in_folder, nothing, peak_rss

from pipeline.curate.sketch import Sketches
from pipeline.engine.execute import task_folder
from pipeline.kernels import warm
from pipeline.plan import TaskRecord

RECIPE = """
name: bench
version: "1"
description: Texts that were curated before.
sources:
  - name: texts
    from: {{kind: local, paths: [{name}]}}
    format: {kind}
    license: MIT
    evidence: none
    max_drop_share: 1
rules:
  - {{rule: length, min_characters: 0, max_characters: 1000000000}}
"""


def sketch(curated: list[TaskRecord], work: Path, out: Path) -> None:
    """The part of deduplication that curate does, again: keys of every survivor, sorted and written."""
    for number, record in enumerate(curated):
        folder = out / str(number)
        folder.mkdir(parents=True)
        sketches = Sketches(folder, record.task.parameters["near"])
        for path in sorted(task_folder(work, record.task).glob("survivors-*.arrow")):
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
            for batch in range(reader.num_record_batches):
                sketches.add(reader.get_batch(batch))
        sketches.close()


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    if work == "whole":
        return whole(job)
    build = Build(sorted(Path(job["artifacts"]).iterdir()), Path(job["model"]), job["model_artifact"], RECIPE)
    imports, began = peak_rss(), time.process_time()
    curated = build.curate(Path(job["work_folder"]))
    facts: dict[str, Any] = {"documents": sum(record.result["survivors"] for record in curated), "bytes": job["bytes"]}
    if work == "size":
        warm.compile_kernels("near")  # from the cache; not counted
        began = time.process_time()
        in_folder(lambda folder: sketch(curated, Path(job["work_folder"]), folder))
        sketched = time.process_time()
        chosen = build.deduplicate(Path(job["work_folder"]), curated)
        facts |= {"sketch": sketched - began, "dropped": sum(chosen.result["dropped"].values())}
    facts |= {"cpu": time.process_time() - began, "peak_rss": peak_rss(), "imports_rss": imports}
    return nothing, nothing, facts


def whole(job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    build = Build([Path(job["documents"])], Path(job["model"]), job["model_artifact"], RECIPE)
    texts = measure.read(job["documents"])
    curated_in = Path(job["work_folder"])
    curated = build.curate(curated_in)

    def run() -> Any:
        in_folder(lambda folder: sketch(curated, curated_in, folder))
        return build.deduplicate(curated_in, curated)

    facts = {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}
    facts["kept"] = facts["documents"] - sum(run().result["dropped"].values())
    return run, run, facts


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("pyarrow",))
