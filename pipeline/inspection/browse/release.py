"""What the browser may read of a release: the files that its manifest names, as they were when it was opened.

1. The manifest is parsed by the rules of `trust.manifest`, so names lead nowhere else.
2. Only regular files are read. One that changes or vanishes meanwhile ends what rests on it, with its name.
3. Which shard can hold an id, and how many rows there are, is the manifest's word; whether that is true is for `verify`.
"""

import hashlib
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import RecipeError
from pipeline.inspection.browse.faults import Changed
from pipeline.trust import folder, manifest
from pipeline.trust.manifest import FileEntry, Manifest, SourceEntry

Stamp = tuple[int, int, int]  # time of the last change (ns), size, inode
DOCUMENTS = ("kept", "dropped", "removed")  # kinds of files with a row for each document
MANIFEST = "manifest.json"
LAST = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A release as it was when it was opened. `stamps`: of each file that may be read, by name."""

    folder: Path
    release_id: str
    manifest: Manifest
    stamps: dict[str, Stamp]

    @property
    def sources(self) -> dict[str, SourceEntry]:
        return {source["name"]: source for source in self.manifest["sources"]}

    def files(self, kind: str, sources: Collection[str] | None = None) -> list[FileEntry]:
        """Files of a kind with rows in them, of these sources or of all."""
        return [
            file
            for file in self.manifest["files"]
            if file["kind"] == kind and file["rows"] and (sources is None or file["source"] in sources)
        ]

    def between(self, kind: str, low: str, high: str, sources: Collection[str] | None = None) -> list[FileEntry]:
        """Of these the ones that can hold an id from `low` to `high`."""
        return [
            file for file in self.files(kind, sources) if str(file["first_id"]) <= high and str(file["last_id"]) >= low
        ]

    def rows(self, kind: str, sources: Collection[str] | None = None) -> int:
        return sum(file["rows"] or 0 for file in self.files(kind, sources))

    def paths(self, files: Iterable[FileEntry]) -> list[str]:
        return [str(self.folder / file["name"]) for file in files]

    def check(self) -> None:
        """Raise Changed, naming the file, unless all are as they were."""
        for name, stamp in self.stamps.items():
            if _stamp(self.folder / name) != stamp:
                raise Changed(
                    "this file is not the one that was there when the browser was started", where=name,
                    hint="stop the browser (Ctrl-C) and start it again",
                )  # fmt: skip


def open_release(path: Path) -> Opened:
    """Raises RecipeError where there is no release or a file is not as the manifest says, VerificationError for its form."""
    path = path.resolve()
    if not (path / MANIFEST).is_file():
        raise RecipeError(
            "there is no manifest.json, so this is no release", where=str(path), hint="pellucid build RECIPE makes one"
        )
    data = folder.read(path, MANIFEST)
    found = manifest.parse(data)
    stamps = {MANIFEST: _stamp(path / MANIFEST)}
    for file in found["files"]:
        if file["rows"] is None:
            continue
        stamp = stamps[file["name"]] = _stamp(path / file["name"])
        if stamp[1] != file["bytes"]:
            raise RecipeError(
                "is missing, or no regular file" if stamp[1] < 0 else f"has {stamp[1]:,} bytes",
                wanted=f"{file['bytes']:,} bytes, as the manifest says", where=str(path / file["name"]),
                hint=f"pellucid verify {path} names all that is wrong",
            )  # fmt: skip
    return Opened(
        path, hashlib.sha256(data).hexdigest(), found, {name: stamp for name, stamp in stamps.items() if stamp}
    )


def _stamp(path: Path) -> Stamp:
    """Of a regular file; of anything else, links too, one that no file has."""
    try:
        found = path.lstat()
    except OSError:
        return (0, -1, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else (0, -1, 0)
