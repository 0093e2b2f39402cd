"""What becomes of pages of which two editions are in a corpus, by how alike the editions are.

    .venv/bin/pellucid build bench/graded.yaml --out build/graded
    .venv/bin/python bench/graded.py build/graded

Pairs the pages of `installation-guide-amd64` with those of `-arm64`, and the two versions of `linux-doc-6.1`, by their path
below the edition's folder, and prints a Markdown table a pair of editions: exact Jaccard similarity of word 5-gram sets, how
many pairs have one normalised text, meet in a band, and in how many the release has dropped one of the two, by the reason in
its ledger. Exit 1 if a page was dropped as a near duplicate of the other below the threshold.
"""

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.kernels import minhash, shingles

# Two sources each, and the folder of the edition that a page's path begins with.
EDITIONS = (
    ("installation-guide-amd64", "installation-guide-arm64"),
    ("kernel-6-1-170", "kernel-6-1-176"),
)
BOUNDS = (0.0, 0.2, 0.5, 0.7, 0.8, 0.9, 1.0)
THRESHOLD, SCALE = 800_000, 1_000_000
COLUMNS = ["id", "member", "exact_sha256", "text"]


def pages(work: Path, source: str) -> dict[str, dict[str, Any]]:
    """What curate left of a source, before deduplication: id, normalised text's digest and text by path in the edition."""
    found = {}
    for path in sorted(work.glob(f"curate/{source}@*/*/survivors-*.arrow")):
        for row in pa.ipc.open_file(path).read_all().select(COLUMNS).to_pylist():
            found[row["member"].split("/", 4)[4]] = row  # usr/share/doc/PACKAGE/...
    return found


def fates(release: Path) -> dict[str, tuple[str, str, int]]:
    """(reason, kept document, similarity) of every document that the release dropped in deduplication, by id."""
    found = {}
    for path in sorted(release.glob("provenance/*/dropped-*.parquet")):
        table = pq.read_table(path, columns=["id", "stage", "reason", "kept_id", "similarity"])
        for row in table.to_pylist():
            if row["stage"] == "dedup":
                found[row["id"]] = (row["reason"], row["kept_id"], row["similarity"])
    return found


def similarities(left: list[str], right: list[str]) -> tuple[Any, Any]:
    """Exact Jaccard similarity of each pair in millionths, and whether it meets in a band."""
    texts = pa.array(left + right, pa.large_string())
    offsets, values = shingles.hashes(texts)
    keys = minhash.band_keys(minhash.signatures(texts))
    count = len(left)
    found = np.zeros(count, np.int64)
    for row in range(count):
        one = values[offsets[row] : offsets[row + 1]]
        other = values[offsets[count + row] : offsets[count + row + 1]]
        shared = len(np.intersect1d(one, other, assume_unique=True))
        found[row] = round(shared / max(len(one) + len(other) - shared, 1) * SCALE)
    return found, (keys[:count] == keys[count:]).any(axis=1)


def table(
    one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]], lost: dict[str, tuple[str, str, int]]
) -> str:
    """Markdown: a row a range of similarity."""
    paths = sorted(one.keys() & other.keys())
    left, right = [one[path] for path in paths], [other[path] for path in paths]
    similarity, meets = similarities([page["text"] for page in left], [page["text"] for page in right])
    same = np.array([a["exact_sha256"] == b["exact_sha256"] for a, b in zip(left, right, strict=True)])
    reasons = [{lost[page["id"]][0] for page in pair if page["id"] in lost} for pair in zip(left, right, strict=True)]
    near = np.array(["near_duplicate" in one for one in reasons])
    exact = np.array(["exact_duplicate" in one for one in reasons])
    of_other = [
        any(lost.get(a["id"], ("", "", 0))[:2] == ("near_duplicate", b["id"]) for a, b in ((x, y), (y, x)))
        for x, y in zip(left, right, strict=True)
    ]
    by_each_other = np.array(of_other)
    lines = [
        "| similarity | pairs | one normalised text | meet in a band | one dropped as exact duplicate "
        "| one dropped as near duplicate | ... of the other |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    rows = [
        (f"{low:g} to {high:g}", (similarity >= low * SCALE) & (similarity < high * SCALE))
        for low, high in pairwise(BOUNDS)
    ]
    for name, inside in [*rows, ("1", similarity == SCALE), ("all", similarity >= 0)]:
        counts = [int((inside & column).sum()) for column in (inside, same, meets, exact, near, by_each_other)]
        lines.append(f"| {name} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    if (by_each_other & (similarity < THRESHOLD)).any():
        raise SystemExit(
            "\n".join([*lines, "a page was dropped as a near duplicate of one that is less alike than 0.8"])
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, help="of bench/graded.yaml; its work folder RELEASE.work must be there")
    options = parser.parse_args()
    lost = fates(options.release)
    work = options.release.with_name(options.release.name + ".work")
    for one, other in EDITIONS:
        left, right = pages(work, one), pages(work, other)
        print(f"{one} ({len(left):,} pages) and {other} ({len(right):,})\n\n{table(left, right, lost)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
