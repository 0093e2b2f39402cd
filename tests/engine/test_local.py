"""The local engine with real worker processes and a real stage: records, reuse, death, errors, orphans."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.dedup.interface import ORDER, SKETCH
from pipeline.engine import execute
from pipeline.engine.local import Finished, Job, Pool, Retried
from pipeline.errors import TaskError
from pipeline.plan import Task


def empty(path: Path, schema: pa.Schema) -> Path:
    with pa.ipc.new_file(path, schema) as writer:
        writer.write_table(schema.empty_table())
    return path


def job(tmp_path: Path, name: str) -> Job:
    """The choice among no documents of one source."""
    parameters = {
        "sources": ["a"], "artifacts": [{"task": "a", "source": "a", "sketch": "s", "shingles": None}],
        "against": [], "near": None,
    }  # fmt: skip
    files = {"order": empty(tmp_path / f"{name}.order", ORDER), "s": empty(tmp_path / f"{name}.sketch", SKETCH)}
    return Job(Task("choose", name, parameters, {"order": "00", "s": "00"}, "code"), files)


def test_every_job_leaves_a_record_whose_outputs_hold(tmp_path: Path) -> None:
    jobs = [job(tmp_path, f"n{number}") for number in range(5)]
    with Pool(2, tmp_path) as pool:
        done = [event.record for event in pool.run(jobs) if isinstance(event, Finished)]
    assert {record.task.name for record in done} == {f"n{number}" for number in range(5)}
    for record in done:
        assert execute.read_record(tmp_path, record.task) == record
        assert execute.broken_output(tmp_path, record) is None


def test_a_killed_worker_fails_its_task_which_is_tried_again(tmp_path: Path) -> None:
    with Pool(1, tmp_path) as pool:

        def kill_once() -> None:
            while not (pool.workers and pool.workers[0].job):
                pass
            os.kill(
                pool.workers[0].process.pid, signal.SIGKILL
            )  # it takes a second to begin: its task is its own by now

        killer = threading.Thread(target=kill_once)
        killer.start()
        seen = list(pool.run([job(tmp_path, "other")]))
        killer.join()
    assert isinstance(seen[0], Retried)
    assert seen[0].why == "its worker was ended by SIGKILL"
    assert isinstance(seen[-1], Finished)


def test_an_error_of_a_stage_reaches_the_caller_whole(tmp_path: Path) -> None:
    whole = job(tmp_path, "x")
    missing = Job(whole.task, {**whole.files, "s": tmp_path / "not there"})
    with Pool(1, tmp_path) as pool, pytest.raises(TaskError, match="FileNotFoundError") as caught:
        list(pool.run([missing]))
    assert caught.value.where == "choose x"


def test_a_worker_makes_arrays_without_pandas(tmp_path: Path) -> None:
    with Pool(1, tmp_path) as pool:
        list(pool.run([job(tmp_path, "one")]))
        mapped = Path(f"/proc/{pool.workers[0].process.pid}/maps").read_text()
    assert "pyarrow" in mapped
    assert "/pandas/" not in mapped


def test_workers_are_reused_over_stages(tmp_path: Path) -> None:
    with Pool(1, tmp_path) as pool:
        list(pool.run([job(tmp_path, "one")]))
        first = pool.workers[0].process.pid
        list(pool.run([job(tmp_path, "two")]))
        assert [worker.process.pid for worker in pool.workers] == [first]


def test_a_worker_at_work_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # nobody ever writes to it: whoever opens it to read waits for ever
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal\n"
        "from pathlib import Path\n"
        "from pipeline.engine.local import Job, Pool\n"
        "from pipeline.plan import Task\n"
        "if __name__ == '__main__':\n"
        f"    here = Path({str(tmp_path)!r})\n"
        f"    task = Task('choose', 'x', {job(tmp_path, 'x').task.parameters!r}, {{'order': '00'}}, 'code')\n"
        "    pool = Pool(1, here)\n"
        "    pool._hand_out([Job(task, {'order': here / 'fifo'})])\n"
        "    print(pool.workers[0].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    try:
        parent.communicate(timeout=30)  # the worker holds our end of the pipe: the read ends when it has ended
    except subprocess.TimeoutExpired:
        os.kill(worker, signal.SIGKILL)
        raise


def test_a_damaged_output_is_named(tmp_path: Path) -> None:
    with Pool(1, tmp_path) as pool:
        record = next(event.record for event in pool.run([job(tmp_path, "n")]) if isinstance(event, Finished))
    path = execute.task_folder(tmp_path, record.task) / "a.arrow"
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    assert execute.broken_output(tmp_path, record) == "its output a.arrow is not what its record says"
    path.unlink()
    assert execute.broken_output(tmp_path, record) == "its output a.arrow is missing"


def test_a_cut_off_record_is_no_record(tmp_path: Path) -> None:
    with Pool(1, tmp_path) as pool:
        record = next(event.record for event in pool.run([job(tmp_path, "n")]) if isinstance(event, Finished))
    path = tmp_path / "records" / "choose" / "n.json"
    path.write_bytes(path.read_bytes()[:100])
    assert execute.read_record(tmp_path, record.task) is None
