"""Are the near duplicates that a release dropped what the ledger says, and how many did it not find?

    .venv/bin/python bench/removals.py RELEASE... [--show 20]

For every ledger row `near_duplicate`: the document that it names was kept, and the similarity that it states is that of the two
texts' sets of word 5-grams, made anew in plain Python. Then every pair of kept documents of 0.8 or more is looked for by the
exact join of bench/truth_pairs.py: what the release should have dropped and did not. Texts are those before deduplication,
from RELEASE.work. `--show N` prints N removals, spread evenly over the similarities, with what differs. Exit 1 if a row is not
right.
"""

import argparse
import difflib
import sys
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import truth_pairs
from graded import THRESHOLD

from pipeline.kernels import shingles

RANGES = tuple(range(THRESHOLD, truth_pairs.SCALE, 50_000))
COLUMNS = ["id", "source", "stage", "reason", "kept_id", "similarity"]


class Release:
    """Texts before deduplication by id, and the ledger's rows of near duplicates."""

    def __init__(self, folder: Path) -> None:
        work = folder.with_name(f"{folder.name}.work")
        self.texts: dict[str, str] = {}
        for path in sorted(work.glob("curate/*/*/survivors-*.arrow")):
            table = pa.ipc.open_file(path).read_all()
            self.texts |= dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True))
        ledger = [
            row
            for path in sorted(folder.glob("provenance/*/dropped-*.parquet"))
            for row in pq.read_table(path, columns=COLUMNS).to_pylist()
            if row["stage"] == "dedup"
        ]
        self.near = sorted((row for row in ledger if row["reason"] == "near_duplicate"), key=lambda row: row["id"])
        self.kept = sorted(self.texts.keys() - {row["id"] for row in ledger})

    def wrong(self) -> list[str]:
        """What is not right, a line a row."""

        @lru_cache(4096)
        def of(identifier: str) -> frozenset[tuple[str, ...]]:
            return truth_pairs.shingle_set(self.texts[identifier])

        kept, found = set(self.kept), []
        for row in sorted(self.near, key=lambda row: row["kept_id"]):
            if row["kept_id"] not in kept:
                found.append(f"{row['id']}: {row['kept_id']} was not kept")
                continue
            one, other = of(row["id"]), of(row["kept_id"])
            share = Fraction(len(one & other), max(len(one | other), 1))
            similarity = round(share * truth_pairs.SCALE)  # half to even
            if similarity != row["similarity"] or share < Fraction(THRESHOLD, truth_pairs.SCALE):
                found.append(f"{row['id']}: the ledger says {row['similarity']}, the texts {similarity}")
        return found

    def missed(self) -> tuple[int, int]:
        """Pairs of kept documents of 0.8 or more, and the documents that would go if these were known too."""
        texts = pa.array([self.texts[identifier] for identifier in self.kept], pa.large_string())
        pairs, _ = truth_pairs.pairs_of(*shingles.hashes(texts), THRESHOLD / truth_pairs.SCALE)
        gone: set[int] = set()
        for left, right in zip(pairs.column("left").to_pylist(), pairs.column("right").to_pylist(), strict=True):
            if left not in gone:
                gone.add(right)
        return pairs.num_rows, len(gone)

    def show(self, count: int) -> None:
        """Removals, the least alike first, each with the lines that differ."""
        rows = sorted(self.near, key=lambda row: (row["similarity"], row["id"]))
        for index in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int):
            row = rows[index]
            one, other = (self.texts[row[name]].splitlines() for name in ("id", "kept_id"))
            print(f"\n{row['source']} {row['id']}, {row['similarity'] / truth_pairs.SCALE:.4f} like {row['kept_id']}")
            changes = [
                line
                for line in difflib.unified_diff(other, one, lineterm="", n=0)
                if line[:2] not in ("--", "++", "@@")
            ]
            for line in changes[:12]:
                print(f"    {line[:150]}")
            if len(changes) > 12:
                print(f"    ... {len(changes) - 12} lines more")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", type=Path, nargs="+", help="with RELEASE.work beside it")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="removals to print; default: none")
    options = parser.parse_args()
    failed = 0
    for folder in options.releases:
        release = Release(folder)
        wrong = release.wrong()
        similarities = np.array([row["similarity"] for row in release.near], np.int64)
        print(f"{folder.name}: {len(release.texts):,} documents before deduplication, {len(release.kept):,} after.")
        print(f"{len(release.near):,} near duplicates; {len(wrong):,} of their rows are not right.")
        for low, high in zip(RANGES, [*RANGES[1:], truth_pairs.SCALE + 1], strict=True):
            inside = int(((similarities >= low) & (similarities < high)).sum())
            print(f"  similarity {low / 1e6:.2f} to {min(high, truth_pairs.SCALE) / 1e6:.2f}: {inside:,}")
        pairs, more = release.missed()
        found = len(release.near) / max(len(release.near) + more, 1)
        print(f"not found: {pairs:,} pairs of kept documents; {more:,} more would go; found {found:.4f}")
        print("\n".join(wrong[:20]))
        release.show(options.show)
        failed += len(wrong)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
