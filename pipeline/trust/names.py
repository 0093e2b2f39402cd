"""The names of a release's files: an allow-list, so that no name leads out of the release or looks like another.

Names are those of shards and the card's, and no others: plain ASCII (no Unicode form can differ), relative, without `..`,
without a leading dot, and no two of them differ by case alone, which on some file systems would be one file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import VerificationError

SOURCE_NAME = "[a-z0-9][a-z0-9-]{0,62}"  # recipe.NAME
# Where each kind of file lies. A name of any other form is refused: no `..`, no absolute path, nothing but ASCII.
SHARDS = {
    kind: re.compile(rf"{folder}/({SOURCE_NAME})/{stem}-([0-9]{{5}})-of-([0-9]{{5}})\.parquet")
    for kind, folder, stem in (
        ("data", "data", "train"), ("kept", "provenance", "kept"), ("dropped", "provenance", "dropped"),
        ("clusters", "provenance", "clusters"), ("removed", "provenance", "removed"),
    )
}  # fmt: skip
DEPTH = 2  # folders around a file, at most
PRESENT = ("data", "kept", "dropped", "clusters")  # of every source; `removed` only after a takedown
CARD = "README.md"  # the one file beside the shards: another could be taken for rows that were verified
REPORT = "report.html"  # what run.dsse.json names
OWN_FILES = (
    "manifest.json",
    "manifest.dsse.json",
    "checkpoint.dsse.json",
    "run.dsse.json",
    REPORT,
)  # beside those that the manifest names


def check(files: Sequence[Mapping[str, Any]], sources: Sequence[str], where: str) -> None:
    """Raise VerificationError unless names are on the allow-list, of their kind and source, and shards are all there."""
    numbers: dict[tuple[str, str], list[tuple[int, int]]] = {
        (kind, source): [] for kind in SHARDS for source in sources
    }
    for index, file in enumerate(files):
        name, kind, at = file["name"], file["kind"], f"files[{index}].name"
        if kind in SHARDS:
            match = SHARDS[kind].fullmatch(name)
            if not match or match[1] != file["source"] or file["source"] not in sources:
                raise VerificationError(
                    f"{at} is {name!r:.200}", wanted=f"the form of a {kind} shard of {file['source']!r}", where=where
                )
            numbers[kind, match[1]].append((int(match[2]), int(match[3])))
        elif (kind, name, file["source"]) != ("card", CARD, None):
            raise VerificationError(
                f"{at} is {name!r:.200}, of the kind {kind!r:.40}", wanted=f"a shard, or the card, {CARD}", where=where
            )
        if (file["rows"] is not None) != (kind in SHARDS):
            raise VerificationError(
                f"files[{index}].rows is {file['rows']}", wanted="rows for shards only", where=where
            )
        if (file["root"] is not None) != (kind in SHARDS) or (file["leaves"] is not None) != (kind in SHARDS):
            raise VerificationError(
                f"files[{index}].root is {file['root']!r:.70}", wanted="a content root for shards only", where=where
            )
        if kind in SHARDS and file["leaves"] < file["rows"]:
            raise VerificationError(
                f"files[{index}].leaves is {file['leaves']}",
                wanted=f"{file['rows']} or more: a leaf a row",
                where=where,
            )
    for (kind, source), seen in numbers.items():
        if kind not in PRESENT and not seen:
            continue
        if not seen or seen != [(number, len(seen)) for number in range(len(seen))]:
            raise VerificationError(
                f"the {kind} shards of {source} are {seen!r:.100}", wanted="0 to n - 1, all of n", where=where
            )
        if len(seen) != len(numbers["data", source]):
            raise VerificationError(
                f"{source} has {len(seen)} {kind} shards", wanted="as many of each kind", where=where
            )
