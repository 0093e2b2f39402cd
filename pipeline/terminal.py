"""What a build looks like to a person: a live line a phase on a terminal, plain lines elsewhere. Written to stderr."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from pipeline.build import Phase
from pipeline.engine.local import Event, Finished, Progressed, Retried
from pipeline.sources.fetch import FetchProgress

PLAIN_SECONDS = 5.0  # between lines of progress that are not on a terminal

TITLES = {
    "fetch": "download what the lock pins",
    "evidence": "check licences",
    "compile": "compile kernels for this processor (once)",
    "lines": "count lines that documents have in common",
    "blocks": "find those that repeat in a source",
    "curate": "read, extract, measure, judge",
    "against": "sketch what other releases hold",
    "candidates": "find documents that may be alike",
    "shingle": "read them again",
    "choose": "compare them, choose who is kept",
    "write": "write shards and ledger",
    "trees": "hash the index trees",
    "seal": "manifest and signature",
}


class Display:
    """Takes a build's events; use as a context manager. `console` writes to stderr."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.phase = ""
        self.began = self.told = time.monotonic()
        self.done = self.total = self.documents = self.bytes = 0
        self.live: Progress | None = None
        self.line: Any = None

    def __enter__(self) -> Callable[[Phase | FetchProgress | Event], None]:
        if self.console.is_terminal:
            self.live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description:<10}"),
                BarColumn(bar_width=12),
                TextColumn("{task.fields[said]:<38}"),  # with the times, 80 columns hold a line
                TimeRemainingColumn(compact=True, elapsed_when_finished=True),
                console=self.console,
            )
            self.live.start()
        return self.hear

    def __exit__(self, *_: object) -> None:
        self._end_phase()
        if self.live:
            self.live.stop()

    def hear(self, event: Phase | FetchProgress | Event) -> None:
        match event:
            case Phase():
                self._begin(event.name, event.run, f"{event.tasks} task{'s' * (event.tasks != 1)}, {event.run} to run")
            case FetchProgress():
                if self.phase != "fetch":
                    self._begin("fetch", event.bytes_total, f"{event.artifacts_total} artifacts")
                self.done, self.total, self.bytes = event.bytes_done, event.bytes_total, event.bytes_done
                self._show(", ".join(event.current[:2]))
            case Progressed():
                self.documents += event.documents
                self.bytes += event.bytes
                self._show(event.task.name)
            case Finished():
                self.done += 1
                self._show(event.record.task.name)
            case Retried():
                self.console.print(
                    f"again: {event.task.stage} {event.task.name}: {event.why}", markup=False, soft_wrap=True
                )

    def _begin(self, name: str, total: int, said: str) -> None:
        self._end_phase()
        self.phase, self.began, self.told = name, time.monotonic(), time.monotonic()
        self.done, self.total, self.documents, self.bytes = 0, total, 0, 0
        title = f"{name}: {TITLES[name]}"
        if self.live:
            self.line = self.live.add_task(name, total=total or None, said=said)
        elif total or name != "fetch":
            self.console.print(f"{title} ({said})", markup=False, highlight=False, soft_wrap=True)

    def _show(self, current: str) -> None:
        now = time.monotonic()
        rate = self.bytes / max(now - self.began, 1e-9) / 1e6
        said = f"{self.bytes / 1e6:,.1f} MB, {rate:,.1f} MB/s"
        if self.phase == "evidence":
            said = f"{self.documents:,} artifacts"
        elif self.phase != "fetch":
            said = f"{self.documents:,} documents, {said}"
        if self.live:
            self.live.update(self.line, completed=self.done, total=self.total or None, said=said)
        elif now - self.told >= PLAIN_SECONDS:
            self.told = now
            share = self.done / self.total if self.total else 0.0
            left = f", about {(now - self.began) * (1 - share) / share:,.0f} s left" if share > 0.02 else ""
            self.console.print(
                f"  {share:4.0%}  {said}{left}  {current}", markup=False, highlight=False, soft_wrap=True
            )

    def _end_phase(self) -> None:
        if self.live and self.line is not None:
            self.live.update(self.line, total=max(self.total, 1), completed=max(self.total, 1))
        self.line = None
