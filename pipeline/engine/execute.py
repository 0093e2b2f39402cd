"""Run one task where it is: its stage's function into a temporary folder, then a rename, then its record.

A task's output appears whole or not at all. Folder of a task: `work/STAGE/NAME/KEY`, `/` in names written as `@`; its
record: `work/records/STAGE/NAME.json`. Every engine runs tasks through `execute`.
"""

import errno
import hashlib
import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.errors import TaskError
from pipeline.plan import Output, Task, TaskRecord

STAGES = {  # stage -> module that has `run(parameters, files, out, progress)`
    "evidence": "pipeline.curate.evidence",
    "lines": "pipeline.curate.line_counts",
    "blocks": "pipeline.curate.line_blocks",
    "curate": "pipeline.curate.task",
    "against": "pipeline.dedup.against",
    "candidates": "pipeline.dedup.candidates",
    "shingle": "pipeline.dedup.shingle",
    "choose": "pipeline.dedup.choose",
    "write": "pipeline.release.task",
    "trees": "pipeline.release.trees",
}


def execute(task: Task, files: Mapping[str, Path], work: Path, progress: Callable[[int, int], None]) -> TaskRecord:
    """Run `task` on its input `files` and return its record, which is on disk by then. Raises TaskError."""
    module = importlib.import_module(STAGES[task.stage])
    folder = task_folder(work, task)
    temporary = Path(tempfile.mkdtemp(dir=_folder(work / "tmp")))
    try:
        result = module.run(task.parameters, files, temporary, progress)
        outputs = tuple(_outputs(temporary))
        if folder.exists():  # of a run that ended before its record, or whose output was damaged since
            shutil.rmtree(folder)
        _folder(folder.parent)
        temporary.rename(folder)
        record = TaskRecord(task, task.key(), outputs, result)
        _write_record(work, record)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TaskError(
                f"no space left on the disk of {work}",
                where=f"{task.stage} {task.name}",
                hint="free some space and run the same command again: what is done stays done",
            ) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return record


def task_folder(work: Path, task: Task) -> Path:
    return work / task.stage / task.name.replace("/", "@") / task.key()[:16]


def read_record(work: Path, task: Task) -> TaskRecord | None:
    """The record of an earlier run of the task of this stage and name, or None."""
    try:
        return TaskRecord.from_json(json.loads(_record_path(work, task).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # of another version, or cut off by a crash of the machine: the task runs again


def broken_output(work: Path, record: TaskRecord) -> str | None:
    """What is wrong with a record's outputs on disk: missing, of another size, of another digest; None if nothing."""
    folder = task_folder(work, record.task)
    for output in record.outputs:
        path = folder / output.name
        if not path.is_file():
            return f"its output {output.name} is missing"
        if path.stat().st_size != output.bytes or _sha256(path) != output.sha256:
            return f"its output {output.name} is not what its record says"
    return None


def _outputs(folder: Path) -> list[Output]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    return [Output(path.relative_to(folder).as_posix(), _sha256(path), path.stat().st_size) for path in files]


def _write_record(work: Path, record: TaskRecord) -> None:
    path = _record_path(work, record.task)
    _folder(path.parent)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("w") as stream:
        json.dump(record.to_json(), stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _record_path(work: Path, task: Task) -> Path:
    return work / "records" / task.stage / (task.name.replace("/", "@") + ".json")


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
