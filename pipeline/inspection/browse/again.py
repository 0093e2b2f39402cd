"""The way back to upstream: a document's record and text read again from the cached artifact, and compared with its digests.

1. What an opt-out list or a takedown names is never read again.
2. An artifact counts only if its bytes have the SHA-256 that the row says; a record only if it has the row's keyed digest.
3. An archive has to be read up to the record, which takes as long as it takes: it is begun before somebody asks, where somebody
   may, and a page does not wait for it.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PellucidError
from pipeline.inspection import show
from pipeline.inspection.browse.documents import Found
from pipeline.inspection.browse.faults import NotFound, NotShown
from pipeline.inspection.browse.jobs import Jobs
from pipeline.inspection.browse.release import Opened
from pipeline.inspection.show import Again
from pipeline.sources.cache import Cache

KEPT = 16  # records that were read, none larger than
LARGE = 4 << 20  # bytes


class Artifacts:
    """The artifact cache, and the keys of the artifacts that were looked into: each is hashed once while it is unchanged."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._keys: dict[tuple[str, int, int], bytes] = {}
        self._jobs = Jobs(workers=2, kept=KEPT)
        self._ahead = ""  # id of what was begun last without being asked for
        self._lock = threading.Lock()

    def read(self, opened: Opened, found: Found, seconds: float | None = None) -> Again:
        """The record again.

        Raises NotShown; NotFound where it cannot be had, with what to do; TimeoutError where it is still being read after
        so many seconds, which goes on.
        """
        if found.silent:
            raise NotShown(f"{found.id} is not read again: {found.silent}")
        outcome = self._jobs.value(found.id, lambda: self._read(opened, found), seconds)
        if outcome.running:
            raise TimeoutError
        again: Again = outcome.value
        if len(again.raw) >= LARGE:
            self._jobs.forget(found.id)
        return again

    def begin(self, opened: Opened, found: Found) -> None:
        """Read it already, as somebody may ask for it; one at a time, and none that is large."""
        if found.silent or (found.row["record_bytes"] or LARGE) >= LARGE:
            return
        with self._lock:
            before = self._jobs.peek(self._ahead)
            if before is None or not before.running:
                self._ahead = found.id
                self._jobs.begin(found.id, lambda: self._ahead_of_time(opened, found))

    def _ahead_of_time(self, opened: Opened, found: Found) -> Again:
        """The same; a failure that nobody waits for is not kept for who asks later."""
        try:
            return self._read(opened, found)
        except BaseException:
            self._jobs.forget(found.id)
            raise

    def _read(self, opened: Opened, found: Found) -> Again:
        try:
            return show.again(found.story(opened), self.cache.path(found.row["artifact_sha256"]), self._key)
        except PellucidError as error:
            raise NotFound(error.seen, where=error.where, wanted=error.wanted, hint=error.hint) from error

    def _key(self, row: Mapping[str, Any], path: Path) -> bytes:
        """The artifact's key, once its bytes are known to be the right ones."""
        stamp = path.stat()
        place = (row["artifact_sha256"], stamp.st_mtime_ns, stamp.st_size)
        if place not in self._keys:
            self._keys[place] = show.key_of(row, path)
        return self._keys[place]
