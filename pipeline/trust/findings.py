"""What verification says: named checks, each with what was seen, in which file, at which row."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.trust.manifest import Manifest
from pipeline.trust.reproduction import Tally

# In the order in which they are made. A check that fails keeps those that rest on it from being made.
CHECKS = {
    "signature": "a trusted key has signed manifest.dsse.json, and it holds the bytes of manifest.json",
    "manifest": "the manifest is canonical, and each of its fields is of its kind",
    "checkpoint": "a trusted key has signed checkpoint.dsse.json, and it has the roots of this release's manifest",
    "run": "a trusted key has signed run.dsse.json, and it is of this release and its recipe, lock and code",
    "reproduced": "as many other keys as were asked for have signed that they built this release again",
    "listing": "the folder holds the files of the manifest and no others: regular files, no links",
    "report": "report.html has the SHA-256 that run.dsse.json says",
    "digests": "every file has the size and SHA-256 that the manifest says",
    "schema": "every Parquet file is readable and has its columns, null flags included",
    "rows": "every Parquet file has the number of rows, the first and the last id that the manifest says",
    "order": "ids ascend strictly within and across the shards of a source",
    "origins": "every row is of its source and of an artifact that the lock pins for it",
    "ids": "every id is the digest of its artifact and pointer",
    "aligned": "data and kept have the same documents, row by row",
    "texts": "SHA-256 and length of every text are what its row says",
    "decisions": "every recorded value is inside its bounds where kept, and the first outside is the reason where dropped",
    "edits": "the digests of every edit form a chain that ends at the text of its row",
    "extraction": "of every page, the characters that are kept and those that are cut are all that are visible",
    "ledger": "every dropped row has a stage and reason, and the columns of its stage",
    "unique": "no document stands twice: kept or dropped, once in the release",
    "duplicates": "no two kept documents have one normalised text, where the recipe drops such",
    "opt_out": "no kept document is named by an opt-out list of the recipe, and each record that is kept out so is",
    "witnesses": "every duplicate names a kept document that has precedence, of the same digest or similar enough",
    "clusters": "a kept document's cluster names all documents of this release that were dropped for it, and no others",
    "removed": "what takedowns removed is what the manifest says they did, and nothing else",
    "roots": "the leaves of all rows give the content root of every file and the root of every index tree",
    "totals": "read = kept + dropped, by artifact, source and reason, and what pages lost, counted from the rows",
    "log": "the release is in the log and not withdrawn; a trusted key has signed the log, and it only grew",
}
ON_REQUEST = ("reproduced", "log")  # made only if the caller asks for them
OF_BYTES = ("signature", "manifest", "checkpoint", "run", "listing", "report", "digests")  # those that read no row


@dataclass(frozen=True, slots=True)
class Check:
    """One check. For one that failed: what was seen, the file (relative to the release) and the row (from 0), if any."""

    name: str
    ok: bool
    detail: str
    file: str = ""
    row: int | None = None

    def __str__(self) -> str:
        place = self.file + (f", row {self.row}" if self.row is not None else "")
        return f"{self.name}: {place}: {self.detail}" if place else f"{self.name}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result, in parts. `unchecked` names the checks that were not made: an earlier one failed, or, where `bytes_only`, the
    caller wanted those alone that read no row (OF_BYTES).

    `release_id` is the SHA-256 of manifest.json as it lies there; `key_id`, `vouched_by` (why that key is trusted: `vouch`) and
    `manifest` are None unless the signature and the manifest's form held. `differs`: Parquet files with other bytes and, if the
    check `roots` holds, the same rows; of each what is other. Without them the release is verified at level L0, with them L1.
    `reproductions` is None unless they were asked for.
    """

    checks: tuple[Check, ...]
    unchecked: tuple[str, ...]
    release_id: str | None
    key_id: str | None
    vouched_by: str | None
    manifest: Manifest | None
    files: int
    bytes: int
    differs: Mapping[str, str] = field(default_factory=dict)
    reproductions: Tally | None = None
    bytes_only: bool = False

    @property
    def ok(self) -> bool:
        wanted = {*OF_BYTES, *ON_REQUEST} if self.bytes_only else set(CHECKS)
        return not wanted & set(self.unchecked) and all(check.ok for check in self.checks)

    @property
    def level(self) -> str | None:
        """L0: every byte is the published one. L1: every row is. None: neither is known."""
        return None if not self.ok else "L1" if self.differs else "L0"

    @property
    def failures(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.ok)

    @property
    def totals(self) -> dict[str, Any] | None:
        """Read, kept, dropped, text_bytes and reasons of the release, as its verified manifest says."""
        return None if self.manifest is None else {**self.manifest["totals"]}

    def to_json(self) -> dict[str, Any]:
        """JSON values, for `verify --json`."""
        return {
            "ok": self.ok,
            "level": self.level,
            "bytes_only": self.bytes_only,
            "differs": dict(self.differs),
            "release_id": self.release_id,
            "key_id": self.key_id,
            "vouched_by": self.vouched_by,
            "files": self.files,
            "bytes": self.bytes,
            "totals": self.totals,
            "checks": [asdict(check) for check in self.checks],
            "unchecked": list(self.unchecked),
            "reproductions": None if self.reproductions is None else self.reproductions.to_json(),
        }


Findings = Iterator[Check]
Progress = Callable[[str, int, int], None]  # what is checked, bytes done, bytes in all


def failed(name: str, detail: str, file: str = "", row: int | None = None) -> Check:
    return Check(name, False, detail, file, row)
