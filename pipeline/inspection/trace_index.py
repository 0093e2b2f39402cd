"""An index of the passages of a release: made once beside it, opened by memory map, replaced whole.

    NAME.trace/current.json            which index is the release's, and the files as they were seen (size and time)
    NAME.trace/KEY/index.json          format, release id, each data file with its SHA-256, segments
    NAME.trace/KEY/00000.entries       of a segment: 8 bytes for each gram that winnowing keeps (`kernels.passage_words`)
    NAME.trace/KEY/00000.buckets       where the entries of each bucket begin, and one more: uint32
    NAME.trace/KEY/00000.begins        the number of each document's first word, and one more: uint32
    NAME.trace/KEY/00000.marks         of each 256th word: the byte of its text at which it begins, uint32

All are little-endian without a header. A segment is some data files in a row, its words numbered from 0. Of a gram's key of 64
bits the upper B say the bucket, the next 32 stand in the upper half of the entry, the number of its first word in the lower;
entries ascend. B is such that a bucket has some 16 entries.

Rules
- KEY is a digest of index.json, so an index that is being replaced is never mixed with the next; what else lies in the folder
  is removed by who builds, under a lock. A folder appears by rename, whole or not at all.
- Bytes depend on the release alone: not on workers, threads or time. Which files make a segment follows from their sizes.
- An index is of this release if the release id is the same, and each data file has the size and time of when it was last
  looked at, or else the digest of when it was indexed.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import unidata_version

import numpy as np
import numpy.typing as npt

from pipeline.errors import RecipeError
from pipeline.kernels.passage_words import VERSION
from pipeline.trust import appear, folder, manifest

MARK = 256  # `kernels.winnow.MARK`, which is not imported: it would load the compiler


@dataclass(frozen=True, slots=True)
class Segment:
    """Data files in a row. `files`: (name, rows); `words` of all; `entries`; `bits`: B."""

    number: int
    files: tuple[tuple[str, int], ...]
    words: int
    entries: int
    bits: int


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is open. `arrays`: by segment and name, mapped into memory, so that nobody can take them away."""

    release: Path
    segments: tuple[Segment, ...]
    arrays: Mapping[tuple[int, str], npt.NDArray[Any]]

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())

    def array(self, segment: Segment, name: str) -> npt.NDArray[Any]:
        return self.arrays[segment.number, name]


def default_place(release: Path) -> Path:
    """The folder of a release's index: beside it."""
    whole = release.absolute()  # a link is not followed: what it names may lie where nobody can write
    whole = whole.resolve() if whole.name in ("", "..") else whole
    return whole.with_name(f"{whole.name}.trace")


def opened(release: Path, place: Path) -> tuple[Index | None, str]:
    """The index of the release in `place`, or None and why there is none. Raises RecipeError for what is no release."""
    release_id, predicate = manifest_of(release)
    try:
        current = json.loads((place / "current.json").read_bytes())
        path, seen = place / current["key"], current["seen"]
        described = json.loads((path / "index.json").read_bytes())
        if (described["format"], described["unicode"]) != (VERSION, unidata_version):
            return None, "the index is of another version of this program or of Python"
        digests = {file["name"]: file["sha256"] for file in described["files"]}
        if described["release_id"] != release_id or set(digests) != {file["name"] for file in data_files(predicate)}:
            return None, "the release has changed since it was indexed"
        index = mapped(path, release, described)
    except FileNotFoundError:
        return None, "there is no index yet"
    except (OSError, ValueError, TypeError, LookupError) as error:
        return None, f"the index cannot be read ({error!s:.100})"
    now = seen_now(release, digests)
    changed = [name for name in digests if seen.get(name) != now[name]]
    if any(now[name] is None or folder.digest(release / name)[0] != digests[name] for name in changed):
        return None, "files of the release have changed since it was indexed"
    if changed:
        with suppress(RecipeError):  # somebody else's folder: looked at again the next time
            say_current(place, path.name, now)
    return index, ""


def data_files(predicate: manifest.Manifest) -> list[manifest.FileEntry]:
    """What an index is made of, in the order of names."""
    return [file for file in predicate["files"] if file["kind"] == "data"]


def manifest_of(release: Path) -> tuple[str, manifest.Manifest]:
    """Release id and manifest. Raises RecipeError."""
    from pipeline.inspection.diff import load

    side = load(release)
    return side.release_id, side.manifest


def mapped(path: Path, release: Path, described: Mapping[str, Any]) -> Index:
    """The index in a folder. Raises OSError, and ValueError where a file has not its size."""
    segments = tuple(
        Segment(number, tuple((name, rows) for name, rows in one["files"]), one["words"], one["entries"], one["bits"])
        for number, one in enumerate(described["segments"])
    )
    arrays = {}
    for segment in segments:
        for name, items in sizes(segment).items():
            file, kind = path / f"{segment.number:05d}.{name}", "<u8" if name == "entries" else "<u4"
            if file.stat().st_size != items * int(kind[-1]):
                raise ValueError(f"{file.name} has {file.stat().st_size:,} bytes, not {items * int(kind[-1]):,}")
            arrays[segment.number, name] = np.memmap(file, kind, "r") if items else np.empty(0, kind)
    return Index(release, segments, arrays)


def sizes(segment: Segment) -> dict[str, int]:
    """Items of each of a segment's arrays."""
    return {
        "entries": segment.entries, "buckets": (1 << segment.bits) + 1,
        "begins": sum(rows for _, rows in segment.files) + 1, "marks": -(-segment.words // MARK),
    }  # fmt: skip


def seen_now(release: Path, names: Iterable[str]) -> dict[str, list[int] | None]:
    """Size and time of files; None of one that is not there."""
    found: dict[str, list[int] | None] = {}
    for name in names:
        try:
            stat = (release / name).stat()
            found[name] = [stat.st_size, stat.st_mtime_ns]
        except OSError:
            found[name] = None
    return found


def say_current(place: Path, key: str, seen: Mapping[str, Any]) -> None:
    """Let the index in the folder `key` be that of the release. Raises RecipeError."""
    appear.write(place / "current.json", json.dumps({"key": key, "seen": seen}, indent=1).encode())
