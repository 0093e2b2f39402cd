"""The truth that recall of near duplicates is measured against: every pair of documents that is alike, found without sketches.

    .venv/bin/python bench/truth_pairs.py OUT.parquet [--work FOLDER...] [--threshold 0.5] [--check 1500]

Reads what curate left of whole sources, before any deduplication (`FOLDER/curate/*/*/survivors-*.arrow`), drops exact
duplicates (`exact_sha256`) and writes each pair whose sets of word 5-grams have a Jaccard similarity of the threshold or more.
Nothing is sampled. `--check N` compares the pairs of N documents with a plain double loop over sets of tuples of words first.

How: similar sets share one of their rarest members. Order all members by frequency; for Jaccard t, sets x and y with
|y| <= |x| must have |y| >= t|x|, and share a member among the first |x| - ceil(t|x|) + 1 of x and the first
|y| - ceil(t|y|) + 1 of y (prefix filter: Bayardo, Ma and Srikant 2007, "Scaling up all pairs similarity search"; Xiao et al.
2008, PPJoin). Those pairs are compared in full.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.kernels import codepoints, shingles

WORK = (Path("build/multilingual.work"), Path("build/workstation.work"))
WORDS = 5
SCALE = 1_000_000  # a similarity is in millionths, rounded half to even
PAIRS = pa.schema([("left", pa.int32()), ("right", pa.int32()), ("shared", pa.int64()), ("similarity", pa.int32())])


def documents(folders: Sequence[Path]) -> pa.Table:
    """id, source, url, language and text of the survivors in work folders, in order of id, without exact duplicates."""
    columns = ["id", "source", "path", "language", "exact_sha256", "text"]
    parts = [
        table.select(columns).set_column(5, "text", table.column("text").cast(pa.large_string()))
        for folder in folders
        for path in sorted(folder.glob("curate/*/*/survivors-*.arrow"))
        for table in (pa.ipc.open_file(path).read_all(),)
    ]
    if not parts:
        sys.exit(f"no survivors-*.arrow in {', '.join(map(str, folders))}; next: pellucid build the recipes")
    table = pa.concat_tables(parts).sort_by("id")
    keys = table.column("exact_sha256").to_pylist()
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    return table.take(pa.array(sorted(first.values()))).drop_columns("exact_sha256").combine_chunks()


def by_frequency(offsets: Any, values: Any) -> Any:
    """The sets again, (n,) int32: members numbered by how many sets hold them, the rarest first; -1 for those of one set.

    A set's members stay together, in ascending order. Members of one set come first and are of no use in a pair.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.append(starts, len(ordered)))
    rank = np.empty(len(counts), np.int32)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts), dtype=np.int32)
    rank[counts == 1] = -1
    found = np.empty(len(values), np.int32)
    found[order] = np.repeat(rank, counts)
    _sort_each(offsets, found)
    return found


@numba.njit(cache=True, nogil=True)
def _sort_each(offsets: Any, members: Any) -> None:
    for d in range(len(offsets) - 1):
        members[offsets[d] : offsets[d + 1]].sort()


@numba.njit(cache=True, nogil=True)
def _prefix(size: int, threshold: float) -> int:
    """How many of the rarest members of a set one must look at: some more where the product is rounded up."""
    return size - int(np.ceil(threshold * size - 1e-9)) + 1 if size else 0


@numba.njit(cache=True, nogil=True)
def _posted(order: Any, offsets: Any, members: Any, threshold: float) -> Any:
    """Of each member the sets (as places in `order`) that have it in their prefix: (start of each member, the places)."""
    highest = -1
    for member in members:
        highest = max(highest, member)
    starts = np.zeros(highest + 3, np.int64)
    for round_ in range(2):
        places = np.empty(starts[-1] if round_ else 0, np.int32)
        for place in range(len(order)):
            low, high = offsets[order[place]], offsets[order[place] + 1]
            for i in range(low, low + _prefix(high - low, threshold)):
                if members[i] < 0:
                    continue
                if round_:
                    places[starts[members[i] + 1]] = place
                    starts[members[i] + 1] += 1
                else:
                    starts[members[i] + 2] += 1
        if round_ == 0:
            starts = np.cumsum(starts)
    return starts, places


@numba.njit(cache=True, nogil=True)
def _shared(members: Any, i: int, i_end: int, j: int, j_end: int, wanted: int) -> int:
    """Members that two sets have in common, or -1 as soon as they cannot be as many as wanted."""
    found = 0
    while i < i_end and members[i] < 0:
        i += 1
    while j < j_end and members[j] < 0:
        j += 1
    while i < i_end and j < j_end:
        if found + min(i_end - i, j_end - j) < wanted:
            return -1
        if members[i] == members[j]:
            found += 1
            i += 1
            j += 1
        elif members[i] < members[j]:
            i += 1
        else:
            j += 1
    return found if found >= wanted else -1


@numba.njit(cache=True, nogil=True)
def _join(order: Any, offsets: Any, members: Any, starts: Any, places: Any, threshold: float) -> Any:
    """Pairs (left, right, shared) of sets with |left & right| / |left | right| >= threshold; and how many were compared."""
    begins = starts.copy()  # of each member the first place that is still large enough
    seen = np.full(len(order), -1, np.int32)
    left, right, common = [numba.int32(0) for _ in range(0)], [numba.int32(0) for _ in range(0)], [0 for _ in range(0)]
    compared = 0
    for place in range(len(order)):
        x = order[place]
        low, high = offsets[x], offsets[x + 1]
        size = high - low
        for i in range(low, low + _prefix(size, threshold)):
            member = members[i]
            if member < 0:
                continue
            k = begins[member]
            while places[k] < place:
                y = order[places[k]]
                other = offsets[y + 1] - offsets[y]
                if other < threshold * size - 1e-9:
                    k += 1
                    begins[member] = k
                    continue
                if seen[places[k]] != place:
                    seen[places[k]] = place
                    compared += 1
                    # shared / (size + other - shared) >= threshold
                    wanted = int(np.ceil(threshold / (1 + threshold) * (size + other) - 1e-9))
                    shared = _shared(members, low, high, offsets[y], offsets[y + 1], wanted)
                    if shared >= 0:
                        left.append(numba.int32(min(x, y)))
                        right.append(numba.int32(max(x, y)))
                        common.append(shared)
                k += 1
    return np.array(left), np.array(right), np.array(common), compared


def pairs_of(offsets: Any, values: Any, threshold: float) -> tuple[pa.Table, int]:
    """All pairs of sets (schema PAIRS, by left and right), empty sets aside, and how many pairs were compared for it.

    `offsets`, `values`: as of `shingles.hashes`. A similarity that is the threshold exactly counts.
    """
    members = by_frequency(offsets, values)
    sizes = np.diff(offsets)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    starts, places = _posted(order, offsets, members, threshold)
    left, right, shared, compared = _join(order, offsets, members, starts, places, threshold)
    similarity = np.rint(shared / (sizes[left] + sizes[right] - shared) * SCALE).astype(np.int32)
    table = pa.table([left, right, shared, similarity], schema=PAIRS)
    return table.sort_by([("left", "ascending"), ("right", "ascending")]), compared


def words_of(text: str, characters: int = 500_000) -> list[str]:
    """The words that a shingle is made of, in plain Python: the rule of pipeline/kernels/words.py, told once more."""
    flags = codepoints.flags()
    found: list[str] = []
    for whole in text[:characters].split():
        kind = 0
        for character in whole:
            flag = int(flags[ord(character)])
            own = flag & (codepoints.SINGLE | codepoints.KATAKANA) or 1
            if kind and (flag & codepoints.EXTENDING or (own == kind and own != codepoints.SINGLE)):
                found[-1] += character
            else:
                found.append(character)
                kind = own
    return found


def shingle_set(text: str) -> frozenset[tuple[str, ...]]:
    """Its word 5-grams; of a text with fewer words, the one tuple of all of them."""
    words = words_of(text)
    count = max(len(words) - WORDS + 1, min(len(words), 1))
    return frozenset(tuple(words[i : i + WORDS]) for i in range(count))


def pairs_by_brute_force(sets: Sequence[Set[Any]], threshold: float) -> Iterator[tuple[int, int, int]]:
    """(left, right, shared) by comparing every two sets."""
    for (left, one), (right, other) in itertools.combinations(enumerate(sets), 2):
        shared = len(one & other)
        if shared and shared >= threshold * (len(one) + len(other) - shared) - 1e-9:
            yield left, right, shared


def check(texts: Any, count: int, threshold: float) -> None:
    """Compare both ways on `count` documents and on small random sets, where many pairs lie on the threshold; else exit 1.

    A third of the documents are neighbours by size and a third by their first words, where pairs are likely.
    """
    rng = np.random.default_rng(5)
    sizes = np.diff(np.frombuffer(texts.buffers()[1], np.int64)[: len(texts) + 1])
    words = np.array([text[:60] for text in texts.to_pylist()])
    some = [np.argsort(by, kind="stable")[len(texts) // 2 :][: count // 3] for by in (sizes, words)]
    chosen = texts.take(pa.array(np.union1d(np.concatenate(some), rng.choice(len(texts), count // 3, replace=False))))
    _compare(shingles.hashes(chosen, words=WORDS), [shingle_set(text) for text in chosen.to_pylist()], threshold)
    for universe in (12, 25, 60):
        sets = [set(rng.integers(0, universe, rng.integers(1, 13)).tolist()) for _ in range(1000)]
        values = np.array([member for one in sets for member in sorted(one)], np.uint64)
        _compare((np.cumsum([0, *map(len, sets)]), values), sets, threshold)


def _compare(hashed: tuple[Any, Any], sets: Sequence[Set[Any]], threshold: float) -> None:
    table, _ = pairs_of(*hashed, threshold)
    ours = list(zip(*(table.column(name).to_pylist() for name in ("left", "right", "shared")), strict=True))
    plain = list(pairs_by_brute_force(sets, threshold))
    if ours != plain:
        sys.exit(f"the join has {len(ours)} pairs, brute force {len(plain)}; first: {set(ours) ^ set(plain)}"[:2000])
    print(f"check: {len(sets):,} sets, {len(plain):,} pairs, the same by brute force")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="Parquet file of the pairs; OUT.documents.parquet gets the documents")
    parser.add_argument("--work", type=Path, nargs="+", default=WORK, help="work folders of builds")
    parser.add_argument("--threshold", type=float, default=0.5, help="least similarity; default: %(default)s")
    parser.add_argument("--check", type=int, default=1500, metavar="N", help="documents; default: %(default)s")
    options = parser.parse_args()
    table = documents(options.work)
    texts = table.column("text").combine_chunks()
    texts = pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
    print(f"{len(texts):,} documents, {texts.buffers()[2].size / 1e6:,.1f} MB, no two with the same normalised text")
    if options.check:
        check(texts, min(options.check, len(texts)), options.threshold)
    began = time.process_time()
    offsets, values = shingles.hashes(texts, words=WORDS)
    hashed = time.process_time()
    pairs, compared = pairs_of(offsets, values, options.threshold)
    print(
        f"{len(values):,} shingles ({hashed - began:.1f} s); {compared:,} pairs compared, {pairs.num_rows:,} at "
        f"{options.threshold} or more ({time.process_time() - hashed:.1f} s)"
    )
    pq.write_table(pairs, options.out, compression="zstd")
    pq.write_table(table, options.out.with_suffix(".documents.parquet"), compression="zstd", row_group_size=2000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
