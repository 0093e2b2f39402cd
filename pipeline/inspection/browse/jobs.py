"""Work that a page does not wait for: begun once, kept when it is done, shared by all who ask for it.

Its threads are daemons: an interrupt ends the program, whatever they are at.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock, Semaphore, Thread
from typing import Any

KEPT = 512  # results, where nothing else is said; the oldest goes first


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value` is None and `running` true where the work goes on; `why`, where it came to nothing."""

    value: Any = None
    running: bool = False
    why: str = ""


class Jobs:
    def __init__(self, workers: int = 4, kept: int = KEPT) -> None:
        self._free, self._kept = Semaphore(workers), kept
        self._known: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = Lock()

    def value(self, key: Hashable, make: Callable[[], Any], seconds: float | None) -> Outcome:
        """What `make` gives for this key, waited for so long (None: to its end); the first call begins it. A failure is told
        once, then tried again by whoever asks next."""
        future = self.begin(key, make)
        wait([future], seconds)
        if not future.done():
            return Outcome(running=True)
        try:
            return Outcome(future.result())
        except Exception:
            self.forget(key)
            raise

    def begin(self, key: Hashable, make: Callable[[], Any]) -> Future[Any]:
        """The work under this key, begun if it was not."""
        with self._lock:
            future = self._known.get(key)
            if future is None:
                future = self._known[key] = Future()
                Thread(target=self._run, args=(future, make), name=f"browse {key!r:.60}", daemon=True).start()
                while len(self._known) > self._kept and next(iter(self._known.values())).done():
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
        return future

    def forget(self, key: Hashable) -> None:
        """Keep no result under this key; work that is under way ends for those who wait for it."""
        with self._lock:
            self._known.pop(key, None)

    def peek(self, key: Hashable) -> Outcome | None:
        """What is known under a key, without beginning it; a failure is nothing."""
        with self._lock:
            future = self._known.get(key)
        if future is None or (future.done() and future.exception()):
            return None
        return Outcome(future.result()) if future.done() else Outcome(running=True)

    def _run(self, future: Future[Any], make: Callable[[], Any]) -> None:
        with self._free:
            try:
                future.set_result(make())
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is asked for
                future.set_exception(error)
