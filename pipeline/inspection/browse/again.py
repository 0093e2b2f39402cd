"""The way back to upstream: a document's record and text read again from the cached artifact, and compared with its digests.

1. What an opt-out list or a takedown names is never read again.
2. An artifact counts only if its bytes have the SHA-256 that the row says; a record only if it has the row's keyed digest.
"""

import threading
from dataclasses import dataclass

from pipeline.errors import PellucidError
from pipeline.inspection import show
from pipeline.inspection.browse.documents import Found
from pipeline.inspection.browse.faults import NotFound, NotShown
from pipeline.inspection.browse.release import Opened
from pipeline.sources.cache import Cache
from pipeline.trust import keyed


@dataclass(frozen=True, slots=True)
class Again:
    """`record_equal`, `text_equal`: whether the digest is the row's; None where the row has none. `text`: as it was extracted,
    before the edits of the recipe; None where the record holds none."""

    raw: bytes
    text: str | None
    record_equal: bool | None
    text_equal: bool | None
    edited: bool


class Artifacts:
    """The artifact cache, and the keys of the artifacts that were looked into: each is hashed once while it is unchanged."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self._keys: dict[tuple[str, int, int], tuple[str, bytes]] = {}
        self._read: dict[str, Again] = {}
        self._lock = threading.Lock()

    def read(self, opened: Opened, found: Found) -> Again:
        """The record again. Raises NotShown, and NotFound where it cannot be had, with what to do."""
        if found.silent:
            raise NotShown(f"{found.id} is not read again: {found.silent}")
        with self._lock:
            known = self._read.get(found.id)
        if known is not None:
            return known
        key = self._key(found)
        try:
            raw, text = show.read_again(found.story(opened), self.cache.path(found.row["artifact_sha256"]))
        except PellucidError as error:
            raise NotFound(f"the record cannot be read again: {error.seen}", hint=error.hint) from error
        again = _compared(found, key, raw, text)
        with self._lock:
            while len(self._read) >= 16:
                self._read.pop(next(iter(self._read)))
            if len(raw) < 4 << 20:
                self._read[found.id] = again
        return again

    def _key(self, found: Found) -> bytes:
        """The artifact's key, once its bytes are known to be the right ones."""
        wanted = found.row["artifact_sha256"]
        path = self.cache.path(wanted)
        try:
            stamp = path.stat()
            place = (wanted, stamp.st_mtime_ns, stamp.st_size)
            if place not in self._keys:
                self._keys[place] = keyed.artifact_key(path)
        except OSError:
            raise NotFound(
                f"the artifact {found.row['purl']} is not in the artifact cache",
                wanted=f"a file with sha256 {wanted}",
                hint="`pellucid build` of this release's recipe, with its lock, fetches it; then load this page again",
            ) from None
        seen, key = self._keys[place]
        if seen != wanted:
            raise NotFound(
                f"the cached artifact has sha256 {seen}", wanted=wanted, hint="delete it from the cache and build again"
            )
        return key


def _compared(found: Found, key: bytes, raw: bytes, text: str | None) -> Again:
    row = found.row
    edits = row["edits"]  # the row's text is what they left; extraction gives what the first of them was given
    of_text = edits[0]["before_hmac"] if edits else row["text_hmac"]
    return Again(
        raw,
        text,
        None if row["record_hmac"] is None else keyed.of(key, raw) == row["record_hmac"],
        None if text is None or of_text is None else keyed.of(key, text.encode()) == of_text,
        bool(edits),
    )
