"""Read the Parquet of a release batch by batch, check its rows, and keep the little that checks of the whole need.

Memory: one batch of texts, and for the whole release 16 bytes an id and 64 a kept document's exact key, plain
and keyed. Rows, not the footers, are counted; a file is read only after its digest has been compared.
"""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import index, leaves, page_rows, rows, tombstones
from pipeline.trust.findings import Check, Findings, failed
from pipeline.trust.manifest import FileEntry, SourceEntry
from pipeline.trust.reading import BATCH_ROWS, BadParquet, aligned, batch_rows, batches
from pipeline.trust.seen import NO_TEXTS, TAKEDOWN, Counted, Digests, Members, Seen, Segment, Witnesses
from pipeline.trust.tombstones import Tombstones


def source_of(entry: SourceEntry, seen: Seen) -> pa.Array:
    """Begin a source: its counters, and its artifacts as the strings that `rows.origins` looks up."""
    seen.sources[entry["name"]] = Counted(np.zeros(len(entry["artifacts"]), np.int64))
    return pa.array([f"{artifact['sha256']} {artifact['purl']}" for artifact in entry["artifacts"]], pa.string())


def kept_shard(
    release: Path, entry: SourceEntry, known: pa.Array, data: FileEntry, kept: FileEntry, gone: Tombstones, seen: Seen
) -> Findings:
    """Check one shard of data and the kept rows beside it. `known` as from `source_of`, `gone` from `removed_shard`."""
    source, counted, name = entry["name"], seen.sources[entry["name"]], kept["name"]
    ids, characters, start, first_id, last_id = [], [], 0, None, None
    exacts: list[Digests] = []
    keyed: list[Digests] = []
    of_data, of_kept, entries = gone.tree("data"), gone.tree("kept"), []
    try:
        for texts, batch in aligned(release, data, kept, seen, batch_rows(entry)):
            places, wrong = rows.origins(batch, source, known, name, start)
            yield from wrong
            yield from rows.order(batch.column("id"), seen.last.get((source, "kept")), name, start)
            yield from rows.aligned(texts, batch, entry["license"], data["name"], start)
            hashed = rows.text_digests(texts)
            yield from rows.texts(texts, batch, hashed, data["name"], start)
            of_data.extend(leaves.leaf_hashes("data", texts, hashed))
            of_kept.extend(leaves.leaf_hashes("kept", batch))
            entries.append(index.of_rows("kept", batch, b"".join(hashed)))
            seen.opted += seen.kept_out.kept(batch, name, start)
            yield from rows.kept_decisions(batch, name, start)
            yield from rows.edits(batch, name, start)
            yield from _pages(batch, source, name, start, seen)
            if not wrong:
                digests = rows.digests(batch)
                yield from rows.ids(batch, digests, name, start)
                ids.append(b"".join(digests))
            for column, found in (("exact_sha256", exacts), ("exact_hmac", keyed)):
                if (exact := rows.hex_bytes(batch.column(column), 64)) is None:
                    yield failed("schema", f"an {column} from this row on is not 64 lower-case hex digits", name, start)
                else:
                    found.append(exact)
            characters.append(_characters(batch))
            counted.read += np.bincount(places[places >= 0], minlength=len(known))
            counted.text_bytes += int(batch.column("text_bytes").to_numpy().sum())
            start += len(batch)
            first_id, last_id = first_id or batch.column("id")[0].as_py(), batch.column("id")[-1].as_py()
            seen.last[source, "kept"] = last_id
    except BadParquet as error:
        yield error.finding
        return
    counted.kept += start
    seen.roots |= {data["name"]: of_data.root(), name: of_kept.root()}
    seen.entries.append(index.together(entries))
    yield from _ends(kept, start, first_id, last_id, of_kept.size)
    yield from _ends(data, start, first_id, last_id, of_data.size)
    lengths = np.concatenate([np.zeros(0, np.int64), *characters])
    own = np.frombuffer(b"".join(ids), "S16")
    yield from _placed(gone, "kept", own, start, name)
    digests_of_texts = (_concatenated(exacts, "S32"), _concatenated(keyed, "S32"))
    seen.segments.append(Segment(name, source, own, *digests_of_texts, lengths))


def dropped_shard(
    release: Path, entry: SourceEntry, known: pa.Array, dropped: FileEntry, gone: Tombstones, seen: Seen
) -> Findings:
    """Check one shard of the ledger of dropped rows. `known` as from `source_of`, `gone` from `removed_shard`."""
    source, counted, name = entry["name"], seen.sources[entry["name"]], dropped["name"]
    ids, start, first_id, last_id = [], 0, None, None
    tree, entries = gone.tree("dropped"), []
    try:
        for batch in batches(release, dropped, seen, BATCH_ROWS):
            places, wrong = rows.origins(batch, source, known, name, start)
            yield from wrong
            yield from rows.order(batch.column("id"), seen.last.get((source, "dropped")), name, start)
            if not wrong:
                digests = rows.digests(batch)
                yield from rows.ids(batch, digests, name, start)
                ids.append(b"".join(digests))
            seen.opted += seen.kept_out.dropped(batch, name, start)
            yield from _pages(batch, source, name, start, seen)
            in_ledger = list(rows.ledger(batch, name, start))
            yield from in_ledger
            if not in_ledger:
                yield from rows.dropped_decisions(batch, name, start)
                yield from rows.edits(batch, name, start)
                yield from _witnesses(batch, source, name, start, seen)
            tree.extend(leaves.leaf_hashes("dropped", batch))
            entries.append(index.of_rows("dropped", batch))
            counted.reasons.update(rows.reasons(batch))
            counted.read += np.bincount(places[places >= 0], minlength=len(known))
            start += len(batch)
            first_id, last_id = first_id or batch.column("id")[0].as_py(), batch.column("id")[-1].as_py()
            seen.last[source, "dropped"] = last_id
    except BadParquet as error:
        yield error.finding
        return
    counted.dropped += start
    seen.roots[name] = tree.root()
    seen.entries.append(index.together(entries))
    yield from _ends(dropped, start, first_id, last_id, tree.size)
    own = np.frombuffer(b"".join(ids), "S16")
    yield from _placed(gone, "dropped", own, start, name)
    seen.segments.append(Segment(name, source, own, *NO_TEXTS))


def removed_shard(
    release: Path, entry: SourceEntry, known: pa.Array, removed: FileEntry, seen: Seen
) -> Generator[Check, None, Tombstones]:
    """Check one shard of what takedowns have removed; returns it for the checks of the other files of the shard."""
    source, counted, name = entry["name"], seen.sources[entry["name"]], removed["name"]
    ids, parts, start, first_id, last_id, tree = [], [], 0, None, None, Tombstones().tree("kept")
    try:
        for batch in batches(release, removed, seen, BATCH_ROWS):
            places, wrong = rows.origins(batch, source, known, name, start)
            yield from wrong
            yield from rows.order(batch.column("id"), seen.last.get((source, "removed")), name, start)
            tree.extend(leaves.leaf_hashes("removed", batch))
            parts.append(batch)
            ids.append(batch.column("id"))
            counted.read += np.bincount(places[places >= 0], minlength=len(known))
            start += len(batch)
            first_id, last_id = first_id or batch.column("id")[0].as_py(), batch.column("id")[-1].as_py()
            seen.last[source, "removed"] = last_id
    except BadParquet as error:
        yield error.finding
        return Tombstones()
    gone = yield from tombstones.of_batches(parts, name)
    counted.dropped += start
    counted.reasons[TAKEDOWN] += start
    seen.roots[name] = tree.root()
    yield from _ends(removed, start, first_id, last_id, tree.size)
    if start:
        digests = rows.hex_bytes(pa.concat_arrays(ids), 32)
        if digests is not None:
            seen.segments.append(Segment(name, source, digests, *NO_TEXTS))
        seen.removed.append(gone)
        seen.entries.append(index.together([index.of_rows("removed", batch.select(["id"])) for batch in parts]))
    return gone


def clusters_shard(release: Path, entry: SourceEntry, clusters: FileEntry, gone: Tombstones, seen: Seen) -> Findings:
    """Check one shard of clusters, and remember their members for `balance.clusters`."""
    source, name = entry["name"], clusters["name"]
    start, first_id, last_id, tree = 0, None, None, gone.tree("clusters")
    try:
        for batch in batches(release, clusters, seen, BATCH_ROWS):
            yield from rows.order(batch.column("id"), seen.last.get((source, "clusters")), name, start)
            yield from rows.clusters(batch, source, name, start)
            tree.extend(leaves.leaf_hashes("clusters", batch))
            owner = pc.list_parent_indices(batch.column("members"))
            members = pc.list_flatten(batch.column("members"))
            ids, heads = (rows.hex_bytes(column, 32) for column in (members.field("id"), batch.column("id")))
            if ids is None or heads is None:
                yield failed("schema", "an id from this row on is not 32 lower-case hex digits", name, start)
            else:
                similar = members.field("similarity").to_numpy()
                exact = batch.column("exact_duplicates").to_numpy()
                kept = heads[owner.to_numpy()]
                seen.members.append(Members(name, source, ids, members.field("source"), kept, similar, heads, exact))
            start += len(batch)
            first_id, last_id = first_id or batch.column("id")[0].as_py(), batch.column("id")[-1].as_py()
            seen.last[source, "clusters"] = last_id
    except BadParquet as error:
        yield error.finding
        return
    seen.roots[name] = tree.root()
    yield from _ends(clusters, start, first_id, last_id, tree.size)
    if tree.size != start + len(gone.leaves["clusters"]):
        yield failed("order", "what a takedown removed of this file stands at places that it does not have", name)


def _pages(batch: pa.RecordBatch, source: str, file: str, start: int, seen: Seen) -> Findings:
    """Check the accounts of a batch's pages, and add them to what the source's rows say."""
    yield from page_rows.check(batch, seen.extractors.get(source), file, start)
    seen.sources[source].extraction.append(page_rows.totals(batch))


def _placed(gone: Tombstones, fate: str, present: Digests, count: int, file: str) -> Findings:
    """What was removed lies where its ids belong; asked only where all rows have their own ids."""
    if len(present) == count and gone.misplaced(fate, present):
        yield failed("order", "what a takedown removed of this file does not lie where its ids belong", file)


def _ends(entry: FileEntry, count: int, first_id: str | None, last_id: str | None, leaves: int) -> Findings:
    """What the manifest says of a file's rows."""
    for key, seen in (("rows", count), ("first_id", first_id), ("last_id", last_id), ("leaves", leaves)):
        if entry[key] != seen:  # type: ignore[literal-required]
            yield failed("rows", f"{key} is {seen}, the manifest says {entry[key]}", entry["name"])  # type: ignore[literal-required]


def _witnesses(batch: pa.RecordBatch, source: str, file: str, start: int, seen: Seen) -> Findings:
    """Remember whom each duplicate of a batch names, for `balance.witnesses`."""
    positions = np.flatnonzero(pc.equal(batch.column("stage"), "dedup").to_numpy(zero_copy_only=False))
    if not len(positions):
        return
    duplicates = batch.take(pa.array(positions))
    ids, kept, exact = (
        rows.hex_bytes(duplicates.column(name), width)
        for name, width in (("id", 32), ("kept_id", 32), ("exact_hmac", 64))
    )
    if ids is None or kept is None or exact is None:
        row = start + int(positions[0])
        yield failed("ledger", "an id, kept_id or exact_hmac from this row on is not lower-case hex", file, row)
        return
    seen.witnesses.append(
        Witnesses(
            file, source, start + positions, ids, kept, duplicates.column("kept_source"), duplicates.column("kept_release"),
            exact, duplicates.column("reason"), duplicates.column("similarity").to_numpy(), _characters(duplicates),
        )
    )  # fmt: skip


def _characters(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """How long the rows' texts are, in code points."""
    found: npt.NDArray[np.int64] = pc.struct_field(batch.column("measures"), "characters").to_numpy()
    return found


def _concatenated(parts: list[Digests], kind: str) -> Digests:
    return np.concatenate([np.zeros(0, kind), *parts])
