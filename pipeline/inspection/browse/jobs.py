"""Work that a page does not wait for: begun once, kept when it is done, shared by all who ask for it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from threading import Lock
from typing import Any

KEPT = 512  # results; the oldest goes first


@dataclass(frozen=True, slots=True)
class Outcome:
    """`value` is None and `running` true where the work goes on; `why`, where it came to nothing."""

    value: Any = None
    running: bool = False
    why: str = ""


class Jobs:
    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="browse")
        self._known: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = Lock()

    def value(self, key: Hashable, make: Callable[[], Any], seconds: float) -> Outcome:
        """What `make` gives for this key, waited for so long; the first call begins it. A failure is told once, then tried
        again by whoever asks next."""
        with self._lock:
            future = self._known.get(key)
            if future is None:
                future = self._known[key] = self._pool.submit(make)
                while len(self._known) > KEPT and next(iter(self._known.values())).done():
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
        try:
            return Outcome(future.result(seconds))
        except NotYet:
            if not future.done():
                return Outcome(running=True)
            raise
        except Exception:
            with self._lock:
                self._known.pop(key, None)
            raise

    def peek(self, key: Hashable) -> Outcome | None:
        """What is known under a key, without beginning it."""
        with self._lock:
            future = self._known.get(key)
        if future is None:
            return None
        return Outcome(future.result()) if future.done() and not future.exception() else Outcome(running=True)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
