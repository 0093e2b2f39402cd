"""Tasks on this machine: long-lived worker processes, one task at a time each, told over pipes.

A worker that dies (killed, out of memory, a crash in a library) fails its task, which is tried again in a new worker; a
task that raises one of our errors is not tried again, its answer would be the same. Workers end when their parent does.
"""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from pipeline.engine.execute import execute
from pipeline.errors import PellucidError, TaskError
from pipeline.plan import Task, TaskRecord

TRIES = 3
MEMORY_LIMIT = 8 << 30  # bytes of address space a worker; hostile input then ends in MemoryError, not in the OOM killer


@dataclass(frozen=True, slots=True)
class Job:
    """A task and the paths of its inputs."""

    task: Task
    files: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Progressed:
    task: Task
    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Finished:
    record: TaskRecord


@dataclass(frozen=True, slots=True)
class Retried:
    task: Task
    why: str


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    job: Job | None = None


Event = Progressed | Finished | Retried


class Pool:
    """Up to `workers` processes, started when first needed and reused over stages. Use as a context manager."""

    def __init__(self, workers: int, work: Path) -> None:
        self.limit, self.work = workers, work
        self.workers: list[_Worker] = []

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            self._end(worker)
        self.workers.clear()

    def run(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Run all jobs, started in their order; events as they come. Raises the first task's error, after ending all."""
        waiting = list(reversed(jobs))
        tries: dict[str, int] = {}
        while waiting or any(worker.job for worker in self.workers):
            self._hand_out(waiting)
            busy = {worker.pipe: worker for worker in self.workers if worker.job}
            for ready in wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):
                    yield self._died(worker, waiting, tries)
                    continue
                yield from self._hear(worker, message)

    def _hand_out(self, waiting: list[Job]) -> None:
        while waiting:
            idle = next((worker for worker in self.workers if worker.job is None), None)
            if idle is None:
                if len(self.workers) >= self.limit:
                    return
                idle = self._start()
            job = waiting.pop()
            try:
                idle.pipe.send((job.task, dict(job.files)))
                idle.job = job
            except OSError:  # it died while idle
                waiting.append(job)
                self._end(idle)
                self.workers.remove(idle)

    def _hear(self, worker: _Worker, message: tuple[str, Any]) -> Iterator[Event]:
        job = worker.job
        assert job is not None  # noqa: S101 (only busy workers are listened to)
        kind, value = message
        if kind == "progress":
            yield Progressed(job.task, *value)
        elif kind == "done":
            worker.job = None
            yield Finished(value)
        else:
            raise value

    def _died(self, worker: _Worker, waiting: list[Job], tries: dict[str, int]) -> Retried:
        job = worker.job
        assert job is not None  # noqa: S101
        worker.process.join()
        why = _reason(worker.process.exitcode)
        self.workers.remove(worker)
        worker.pipe.close()
        name = f"{job.task.stage} {job.task.name}"
        tries[name] = tries.get(name, 1) + 1
        if tries[name] > TRIES:
            raise TaskError(
                f"its worker {why}, {TRIES} times",
                where=name,
                hint="if memory is short, build with --workers 1; what is done stays done",
            )
        waiting.append(job)
        return Retried(job.task, f"its worker {why}")

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, str(self.work)), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self.workers.append(worker)
        return worker

    def _end(self, worker: _Worker) -> None:
        worker.pipe.close()
        if worker.job is not None:
            worker.process.terminate()
        worker.process.join(timeout=10)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _reason(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


def _serve(pipe: Connection, work: str) -> None:
    """A worker's life: tasks in, progress and records out, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _die_with_parent()
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    while True:
        try:
            task, files = pipe.recv()
        except (EOFError, OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(
                0
            )  # outputs and records are on disk; taking numba and Arrow down one by one is half a second of a build
        try:
            record = execute(task, files, Path(work), _progress(pipe))
            message: tuple[str, Any] = ("done", record)
        except PellucidError as error:
            message = ("failed", error)
        except Exception as error:  # noqa: BLE001 (a bug or a broken library: told whole to the parent)
            name = f"{task.stage} {task.name}"
            message = ("failed", TaskError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}", where=name))
        with contextlib.suppress(OSError):
            pipe.send(message)


def _progress(pipe: Connection) -> Callable[[int, int], None]:
    def report(documents: int, size: int) -> None:
        pipe.send(("progress", (documents, size)))

    return report


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 (only ever run in a child)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
