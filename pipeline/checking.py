"""What a verification looks like while it runs: a line on a terminal, plain lines elsewhere, nothing if it is quick."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

QUIET_SECONDS = 1.0  # what takes less says nothing
PLAIN_SECONDS = 5.0  # between lines that are not on a terminal
SAID = {"digests": "reading files", "rows": "checking rows"}


class Checking:
    """Takes a verification's progress, file by file; use as a context manager. `console` writes to stderr."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = self.told = time.monotonic()
        self.live: Progress | None = None

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self.hear

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()
        seconds = time.monotonic() - self.began
        if seconds >= QUIET_SECONDS:
            self._print(f"checked in {seconds:,.1f} s")

    def hear(self, what: str, done: int, total: int) -> None:
        """`done` of `total` bytes of what is checked now."""
        now = time.monotonic()
        if now - self.began < QUIET_SECONDS:
            return
        size = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
        if self.console.is_terminal:
            if self.live is None:
                self.live = Progress(
                    TextColumn("{task.description:<13}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"),
                    TimeElapsedColumn(), console=self.console, transient=True,
                )  # fmt: skip
                self.live.add_task("", total=None, said="")
                self.live.start()
            self.live.update(
                self.live.task_ids[0], description=SAID.get(what, what), completed=done, total=max(total, 1), said=size
            )
        elif now - self.told >= PLAIN_SECONDS:
            self.told = now
            self._print(f"{SAID.get(what, what)}: {size}, {now - self.began:,.0f} s")

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)
