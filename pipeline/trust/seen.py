"""What is kept of a release's rows as they are read, for the checks of the release as a whole."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.trust import index
from pipeline.trust.extraction import ExtractionTotals
from pipeline.trust.findings import Check
from pipeline.trust.kept_out import KeptOut
from pipeline.trust.tombstones import Tombstones

Digests = npt.NDArray[np.bytes_]
NO_TEXTS = (np.zeros(0, "S32"), np.zeros(0, "S32"), np.zeros(0, np.int64))  # of a segment: exact, keyed, characters
TAKEDOWN = ("takedown", "takedown")  # stage and reason


@dataclass(frozen=True, slots=True)
class Segment:
    """Ids (n,) S16 of one file's rows in order; of kept ones `exact`, `keyed` (n,) S32 and `characters` (n,), else empty.

    `exact`: digests of the normalised texts; `keyed`: the same under the release's key, which alone dropped rows have.
    """

    file: str
    source: str
    ids: Digests
    exact: Digests
    keyed: Digests
    characters: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The duplicates among a batch of `source`'s dropped rows: whom each names, its own keyed exact key, and its own length."""

    file: str
    source: str
    rows: npt.NDArray[np.int64]
    ids: Digests
    kept: Digests
    sources: pa.Array
    releases: pa.Array  # null where the kept document is in this release
    keyed: Digests
    reasons: pa.Array
    similarities: npt.NDArray[np.int64]
    characters: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Members:
    """What the clusters of one file say: for each document that was dropped its own source, the kept one, with its source, and
    how alike; and of each cluster, by the kept one (`heads`), how many of its documents are `exact` duplicates.
    """

    file: str
    source: str
    ids: Digests
    sources: pa.Array
    kept: Digests
    similarities: npt.NDArray[np.int64]
    heads: Digests
    exact: npt.NDArray[np.int64]


@dataclass(slots=True)
class Counted:
    """What the rows of one source say. `read`: by the artifact's place in the manifest."""

    read: npt.NDArray[np.int64]
    kept: int = 0
    dropped: int = 0
    text_bytes: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    extraction: list[ExtractionTotals] = field(default_factory=list)


@dataclass(slots=True)
class Seen:
    """What has been read of a release so far."""

    segments: list[Segment] = field(default_factory=list)
    witnesses: list[Witnesses] = field(default_factory=list)
    members: list[Members] = field(default_factory=list)
    sources: dict[str, Counted] = field(default_factory=dict)
    last: dict[tuple[str, str], str] = field(default_factory=dict)  # (source, "kept" or "dropped") to its last id
    features: tuple[str, ...] | None = None
    roots: dict[str, bytes] = field(default_factory=dict)  # file to its content root
    entries: list[dict[str, index.Entries]] = field(default_factory=list)
    removed: list[Tombstones] = field(default_factory=list)
    extractors: Mapping[str, str | None] = field(default_factory=dict)  # by source (`extraction.extractors`)
    kept_out: KeptOut = field(default_factory=lambda: KeptOut({}))
    opted: list[Check] = field(default_factory=list)  # of the check `opt_out`, which is made with those of the whole
