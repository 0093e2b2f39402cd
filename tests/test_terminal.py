"""A build's progress: one readable line a phase on a terminal of 80 columns, plain lines elsewhere."""

import io
import re

from rich.console import Console

from pipeline.build import Phase
from pipeline.engine.local import Finished, Progressed, Retried
from pipeline.plan import Task, TaskRecord
from pipeline.terminal import Display

TASK = Task("curate", "guides/" + "a-long-name-" * 8, {}, {}, "code")


def shown(**options: object) -> str:
    out = io.StringIO()
    with Display(Console(file=out, width=80, **options)) as report:  # type: ignore[arg-type]
        report(Phase("curate", 2, 2))
        report(Progressed(TASK, 71_118, 203_000_000))
        report(Retried(TASK, "its worker was ended by SIGKILL"))
        report(Finished(TaskRecord(TASK, TASK.key(), (), {})))
        report(Phase("seal", 1, 1))
    return out.getvalue()


def test_on_a_terminal_no_column_is_cut_off_at_80_characters() -> None:
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(force_terminal=True))
    lines = [line.strip("\r") for line in re.split(r"[\n\r]", plain) if "curate " in line and "again" not in line]
    assert any("71,118 documents, 203.0 MB" in line for line in lines)
    for line in lines:
        assert len(line.rstrip()) <= 80
        assert "\u2026" not in line
        assert line.count("\u2501") + line.count("\u2578") + line.count("\u257a") >= 10


def test_elsewhere_phases_and_retries_are_plain_lines() -> None:
    said = shown(force_terminal=False)
    assert "curate: read, extract, measure, judge (2 tasks, 2 to run)" in said
    assert f"again: curate {TASK.name}: its worker was ended by SIGKILL" in said
    assert "\x1b" not in said
