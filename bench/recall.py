"""Recall and cost of banded MinHash against every true pair: which bands and rows are worth their permutations?

    .venv/bin/python bench/truth_pairs.py /tmp/pairs.parquet
    .venv/bin/python bench/recall.py /tmp/pairs.parquet [--seeds 5] [--settings 14x8 ...]

Prints Markdown: of the pairs in a range of similarity the share that meets in a band (a candidate), pairs proposed for each
document and how many of those are below 0.8, and what the choice of survivors makes of it: documents that it drops, if all
candidates are compared, as a share of those that it would drop if it knew every pair. Mean and least over seeds. What the
columns mean: docs/near-duplicates.md.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipeline.kernels import join, minhash, shingles

SETTINGS = (
    "8x6 10x6 12x6 13x6 16x6 20x6 8x7 10x7 11x7 12x7 13x7 14x7 16x7 18x7 10x8 12x8 14x8 16x8 12x9 14x9 9x13 12x10 "
    "16x5 25x5 20x4 28x4"
)
BUCKETS = "1,0 0,1 1,1 4,4 8,8 8,24 16,16 16,32 32,32 100000,0"
RANGES = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))
THRESHOLD = 0.8
MANY = 1000  # pairs of 0.8 or more that a source has, for a column of its own
SCALE = 1_000_000


def candidates(keys: Any) -> Any:
    """Every pair of rows that have a key in common in some column, once, as left << 32 | right, ascending."""
    found = np.zeros(0, np.int64)
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        ordered = keys[order, band]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        sizes = np.diff(np.append(starts, len(ordered)))
        parts = []
        for size in np.unique(sizes[sizes > 1]):
            rows = np.sort(order[starts[sizes == size, None] + np.arange(size)], axis=1).astype(np.int64)
            left, right = np.triu_indices(size, 1)
            parts.append((rows[:, left] << 32 | rows[:, right]).ravel())
        if parts:
            found = np.union1d(found, np.concatenate(parts))
    return found


def dropped(left: Any, right: Any, rank: Any) -> int:
    """Documents that lose to a kept one that is earlier in rank (DESIGN section 5), the pairs known being these."""
    first, second = np.where(rank[left] < rank[right], (left, right), (right, left))
    order = np.argsort(rank[second], kind="stable")
    gone = np.zeros(len(rank), np.bool_)
    for earlier, later in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if not gone[earlier]:
            gone[later] = True
    return int(gone.sum())


def measure(signatures: Any, bands: int, rows: int, truth: Any, rank: Any, sources: Any) -> dict[str, float]:
    """Figures of one setting. `truth`: left, right and similarity in millionths of each pair; `sources`: of each document."""
    left, right, similarity = truth
    found = candidates(minhash.band_keys(signatures[:, : bands * rows], bands=bands, rows=rows))
    codes = left.astype(np.int64) << 32 | right
    met = found[np.minimum(np.searchsorted(found, codes), max(len(found) - 1, 0))] == codes if len(found) else codes < 0
    true = similarity >= THRESHOLD * SCALE
    figures = {"all": met[true].mean(), "pairs": len(found) / len(rank), "false": 1 - (met & true).sum() / len(found)}
    for low, high in RANGES:
        inside = (similarity >= low * SCALE) & (similarity < high * SCALE)
        figures[f"{low}"] = met[inside].mean()
    for source in np.unique(sources):
        if (inside := true & (sources[left] == source) & (sources[right] == source)).sum() >= MANY:
            figures[f"source {source}"] = met[inside].mean()
    known = true & met
    figures["dropped"] = dropped(left[known], right[known], rank) / dropped(left[true], right[true], rank)
    return figures


def proposed(keys: Any, rank: Any, first: int, neighbours: int) -> Any:
    """Pairs of rows as `candidates` has them, of those that a bounded bucket proposes (`kernels.join.propose`)."""
    at = np.argsort(rank)  # row of each rank
    nobody = np.zeros(len(rank), np.int32)  # all of one source
    found = np.zeros(0, np.int64)
    for band in range(keys.shape[1]):
        order = np.argsort(keys[:, band], kind="stable")
        ranks = rank[order].astype(np.uint32)
        pairs, _ = join.propose(keys[order, band], ranks, nobody, 1, first=first, neighbours=neighbours)
        one, other = at[pairs >> np.uint64(32)], at[pairs & np.uint64(0xFFFFFFFF)]
        found = np.union1d(found, np.minimum(one, other) << 32 | np.maximum(one, other))
    return found


def bounds(signatures: Any, truth: Any, rank: Any, buckets: list[str]) -> str:
    """Markdown: what is left of recall with buckets bounded, at the default bands and rows."""
    left, right, similarity = truth
    codes, true = left.astype(np.int64) << 32 | right, similarity >= THRESHOLD * SCALE
    keys = minhash.band_keys(signatures[:, : minhash.BANDS * minhash.ROWS], bands=minhash.BANDS, rows=minhash.ROWS)
    largest = max(int(np.unique(keys[:, band], return_counts=True)[1].max()) for band in range(minhash.BANDS))
    lines = [
        f"{minhash.BANDS} x {minhash.ROWS}, seed 1; the largest bucket has {largest} documents\n",
        "| first, neighbours | proposed of the pairs of 0.8 or more | dropped, of those to drop | pairs a document |",
        "|---|---:|---:|---:|",
    ]
    whole = dropped(left[true], right[true], rank)
    for bucket in buckets:
        first, neighbours = map(int, bucket.split(","))
        found = proposed(keys, rank, first, neighbours)
        met = np.isin(codes, found) & true
        share = dropped(left[met], right[met], rank) / whole
        lines.append(f"| {bucket} | {met.sum() / true.sum():.3f} | {share:.3f} | {len(found) / len(rank):.2f} |")
    return "\n".join(lines)


def theory(bands: int, rows: int, similarity: float) -> float:
    """The chance that two sets of that similarity agree in all rows of some band (Leskovec et al., section 3.4.2)."""
    return float(1 - (1 - similarity**rows) ** bands)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="what bench/truth_pairs.py has written")
    parser.add_argument("--seeds", type=int, default=5, help="of the permutations, from 1; default: %(default)s")
    parser.add_argument(
        "--buckets", nargs="*", default=BUCKETS.split(), metavar="FIRST,NEIGHBOURS", help="bounds to try"
    )
    parser.add_argument("--settings", nargs="+", default=SETTINGS.split(), metavar="BANDSxROWS")
    options = parser.parse_args()
    settings = sorted((tuple(map(int, one.split("x"))) for one in options.settings), key=lambda one: one[0] * one[1])
    pairs = pq.read_table(options.pairs)
    truth = tuple(pairs.column(name).to_numpy() for name in ("left", "right", "similarity"))
    table = pq.read_table(options.pairs.with_suffix(".documents.parquet")).combine_chunks()
    texts, sources = table.column("text").chunk(0), np.array(table.column("source").to_pylist())
    ids, lengths = table.column("id").to_pylist(), [len(text) for text in texts.to_pylist()]
    rank = np.empty(len(ids), np.int64)
    rank[sorted(range(len(ids)), key=lambda row: (-lengths[row], ids[row]))] = np.arange(len(ids))
    offsets, values = shingles.hashes(texts)
    figures: dict[tuple[int, ...], list[dict[str, float]]] = {one: [] for one in settings}
    for seed in range(1, options.seeds + 1):
        most = max(bands * rows for bands, rows in settings)
        signatures = minhash.signatures_of_hashes(offsets, values, permutations=most, seed=seed)
        for bands, rows in settings:
            began = time.process_time()
            figures[bands, rows].append(measure(signatures, bands, rows, truth, rank, sources))
            print(f"seed {seed}, {bands} x {rows}: {time.process_time() - began:.1f} s", file=sys.stderr)
    print(
        f"{len(ids):,} documents, {int((truth[2] >= THRESHOLD * SCALE).sum()):,} pairs of {THRESHOLD} or more, ", end=""
    )
    print(f"{len(truth[2]):,} of 0.5 or more; permutations of {options.seeds} seeds: mean (least)\n")
    print(report(figures))
    if options.buckets:
        print("\n" + bounds(minhash.signatures_of_hashes(offsets, values, seed=1), truth, rank, options.buckets))
    return 0


def report(figures: dict[tuple[int, ...], list[dict[str, float]]]) -> str:
    names = sorted({name for seeds in figures.values() for name in seeds[0] if name.startswith("source ")})
    heads = [*(f"{low} to {min(high, 1):g}" for low, high in RANGES), *(name.removeprefix("source ") for name in names)]
    lines = [
        "| bands x rows | permutations | recall, 0.8 or more | "
        + " | ".join(heads)
        + " | dropped, of those to drop | pairs a document | of that below 0.8 |"
        " by theory: at 0.8 | at 0.3 |",
        "|---|---:|" + "---:|" * (len(heads) + 6),
    ]
    for (bands, rows), seeds in figures.items():

        def cell(name: str, seeds: list[dict[str, float]] = seeds) -> str:
            values = [one[name] for one in seeds]
            return f"{np.mean(values):.3f} ({min(values):.3f})"

        shown = [*(str(low) for low, _ in RANGES), *names]
        ranges = " | ".join(f"{np.mean([one[name] for one in seeds]):.3f}" for name in shown)
        lines.append(
            f"| {bands} x {rows} | {bands * rows} | {cell('all')} | {ranges} | "
            f"{cell('dropped')} | {np.mean([one['pairs'] for one in seeds]):.2f} | "
            f"{np.mean([one['false'] for one in seeds]):.0%} | {theory(bands, rows, THRESHOLD):.3f} | "
            f"{theory(bands, rows, 0.3):.5f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
