"""Checks of one batch of rows: Arrow in, findings out, no state. What joins batches and shards is in `shards`.

Vectorised but for two loops over rows, which hash: ids and texts. A mask has one entry a row, True where the row is wrong.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model import DOCUMENT_TAG
from pipeline.trust.findings import Check, Findings, failed

Bools = npt.NDArray[np.bool_]
POINTER = ("member", "offset", "length", "record", "path")
TEXT_COLUMNS = ("text_hmac", "text_bytes", "exact_hmac", "language", "language_score")
WITNESS_COLUMNS = ("kept_id", "kept_source", "similarity")
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def first(mask: Bools) -> int | None:
    """Index of the first True."""
    return int(mask.argmax()) if len(mask) and mask.any() else None


def first_finding(name: str, mask: Bools, file: str, start: int, detail: Any) -> Findings:
    """One finding for the first row of a mask; `detail(row)` says what was seen; how many more there are is added."""
    row = first(mask)
    if row is not None:
        more = int(mask.sum()) - 1
        yield failed(name, f"{detail(row)}{f' (and {more} more rows near it)' if more else ''}", file, start + row)


def order(ids: pa.Array, previous: str | None, file: str, start: int) -> Findings:
    """Ids ascend strictly; `previous` is the last one before this batch."""
    if not len(ids):
        return
    later = np.zeros(len(ids), np.bool_)
    later[1:] = _mask(pc.less_equal(ids[1:], ids[:-1]))
    later[0] = previous is not None and ids[0].as_py() <= previous
    yield from first_finding(
        "order", later, file, start, lambda row: f"id {ids[row]} does not come after the one before it"
    )


def origins(
    batch: pa.RecordBatch, source: str, known: pa.Array, file: str, start: int
) -> tuple[npt.NDArray[np.int64], list[Check]]:
    """For each row the index of its artifact in `known` ("sha256 purl" strings of the source), -1 where it is none."""
    joined = pc.binary_join_element_wise(batch.column("artifact_sha256"), batch.column("purl"), " ")
    index = pc.index_in(joined, value_set=known).fill_null(-1).to_numpy().astype(np.int64)
    findings = [
        *first_finding(
            "origins", _mask(pc.not_equal(batch.column("source"), source)), file, start,
            lambda row: f"the row's source is {batch.column('source')[row].as_py()!r}, its file is of {source!r}",
        ),
        *first_finding(
            "origins", index < 0, file, start,
            lambda row: f"the lock has no artifact {joined[row]} in source {source!r}",
        ),
    ]  # fmt: skip
    return index, findings


def digests(batch: pa.RecordBatch) -> list[bytes]:
    """The 16-byte id of each row, computed from its artifact and pointer as `model.document_id` does.

    The pointer's RFC 8785 bytes are put together here, members in the order of their keys, a tenth of the time of a
    general encoder; JSON's escapes are those of the standard library's encoder, which are RFC 8785's.
    """
    columns = [batch.column(name).to_pylist() for name in ("artifact_sha256", *POINTER)]
    tags: dict[str, bytes] = {}
    found = []
    for artifact, member, offset, length, record, path in zip(*columns, strict=True):
        tag = tags.get(artifact)
        if tag is None:
            tag = tags[artifact] = DOCUMENT_TAG + bytes.fromhex(artifact)
        parts = (
            "" if length is None else f'"length":{length},',
            "" if member is None else f'"member":{encode_basestring(member)},',
            "" if offset is None else f'"offset":{offset},',
            "" if path is None else f'"path":{encode_basestring(path)},',
        )
        pointer = f'{{{"".join(parts)}"record":{record}}}'
        found.append(hashlib.sha256(tag + pointer.encode()).digest()[:16])
    return found


def ids(batch: pa.RecordBatch, wanted: Sequence[bytes], file: str, start: int) -> Findings:
    """The column `id` is what `digests` gives. Hex of both is compared as one string; rows only where they differ."""
    column = batch.column("id")
    if "".join(column.to_pylist()) != b"".join(wanted).hex() or not _all(pc.equal(pc.binary_length(column), 32)):
        computed = pa.array([digest.hex() for digest in wanted], pa.string())
        yield from first_finding(
            "ids", _mask(pc.not_equal(column, computed)), file, start,
            lambda row: f"the id is {column[row]}, artifact and pointer give {computed[row]}",
        )  # fmt: skip


def aligned(data: pa.RecordBatch, kept: pa.RecordBatch, license_: str, file: str, start: int) -> Findings:
    """Row i of data is row i of kept; the licence is the source's."""
    for name in ("id", "source", "url", "language"):
        left, right = data.column(name), kept.column(name)
        yield from first_finding(
            "aligned", _mask(pc.not_equal(left, right)), file, start,
            lambda row, name=name, left=left, right=right:
                f"{name} is {left[row].as_py()!r:.200}, in provenance {right[row].as_py()!r:.200}",
        )  # fmt: skip
    licences = data.column("license")
    yield from first_finding(
        "aligned", _mask(pc.not_equal(licences, license_)), file, start,
        lambda row: f"the licence is {licences[row].as_py()!r:.100}, the source's is {license_!r}",
    )  # fmt: skip


def text_digests(data: pa.RecordBatch) -> list[bytes]:
    """SHA-256 of each text's UTF-8 bytes, hashed in place."""
    return [hashlib.sha256(text).digest() for text in _slices(data.column("text"))]


def texts(data: pa.RecordBatch, kept: pa.RecordBatch, digests: Sequence[bytes], file: str, start: int) -> Findings:
    """The digest and length of every text, as `text_digests` gives them, are those of its row."""
    sizes = pc.binary_length(data.column("text"))
    yield from first_finding(
        "texts", _mask(pc.not_equal(sizes, kept.column("text_bytes"))), file, start,
        lambda row: f"the text has {sizes[row]} bytes, its row says {kept.column('text_bytes')[row]}",
    )  # fmt: skip
    seen = [digest.hex() for digest in digests]
    if seen != (said := kept.column("text_sha256").to_pylist()):
        mask = np.array([one != other for one, other in zip(seen, said, strict=True)])
        yield from first_finding(
            "texts", mask, file, start, lambda row: f"the text has sha256 {seen[row]}, its row says {said[row]!r:.80}"
        )


def kept_decisions(batch: pa.RecordBatch, file: str, start: int) -> Findings:
    """No kept row has a value outside its bounds."""
    asked, parents, outside = _decisions(batch.column("decisions"))
    mask = np.zeros(len(batch), np.bool_)
    mask[parents[outside]] = True

    def detail(row: int) -> str:
        decision = asked[int(np.flatnonzero(outside & (parents == row))[0])].as_py()
        return f"kept, but {_spell(decision)}"

    yield from first_finding("decisions", mask, file, start, detail)


def dropped_decisions(batch: pa.RecordBatch, file: str, start: int) -> Findings:
    """`failed` lists the decisions outside their bounds; the first is the reason of a judge's drop; others have none."""
    asked, parents, outside = _decisions(batch.column("decisions"))
    failing = np.bincount(parents[outside], minlength=len(batch))
    judged = _mask(pc.equal(batch.column("stage"), "judge"))
    yield from first_finding(
        "decisions", judged != (failing > 0), file, start,
        lambda row: f"dropped by stage {batch.column('stage')[row]}, with {failing[row]} decisions outside their bounds",
    )  # fmt: skip
    listed = batch.column("failed")
    wrong = failing != pc.list_value_length(listed).to_numpy()
    reasons = asked.field("reason").filter(pa.array(outside))
    if not wrong.any():
        wrong[parents[outside][_mask(pc.not_equal(reasons, listed.flatten()))]] = True
    yield from first_finding(
        "decisions", wrong, file, start,
        lambda row: f"failed lists {listed[row].as_py()}, outside their bounds are "
        f"{reasons.filter(pa.array(parents[outside] == row)).to_pylist()}",
    )  # fmt: skip
    # The first failing decision of each row that has one: positions of failing decisions are in row order.
    rows, starts = np.unique(parents[outside], return_index=True)
    firsts = asked.take(pa.array(np.flatnonzero(outside)[starts]))
    for name in ("reason", "value", "low", "high"):
        mask = np.zeros(len(batch), np.bool_)
        stated, decided = batch.column(name).take(pa.array(rows)), firsts.field(name)
        mask[rows[~_same(stated, decided)]] = True
        yield from first_finding(
            "decisions", mask & judged, file, start,
            lambda row, name=name, decided=decided: f"{name} is {batch.column(name)[row].as_py()!r}, "
            f"the first failing decision has {decided[int(np.searchsorted(rows, row))].as_py()!r}",
        )  # fmt: skip


def edits(batch: pa.RecordBatch, file: str, start: int) -> Findings:
    """Each edit begins at the text where the one before ended, and the last ends at the row's text."""
    column = batch.column("edits")
    lengths = pc.list_value_length(column).to_numpy()
    made = column.flatten()
    if not len(made):
        return
    parents = np.repeat(np.arange(len(column)), lengths)
    last = np.append(parents[1:] != parents[:-1], True)
    after, before = made.field("after_hmac"), made.field("before_hmac")
    texts = batch.column("text_hmac").take(pa.array(parents[last]))
    mask = np.zeros(len(batch), np.bool_)
    mask[parents[last][~_same(after.filter(pa.array(last)), texts)]] = True
    inner = np.flatnonzero(~last)
    mask[parents[inner][~_same(after.take(pa.array(inner)), before.take(pa.array(inner + 1)))]] = True
    yield from first_finding(
        "edits", mask, file, start,
        lambda row: f"the digests of its {lengths[row]} edits do not lead to its text_hmac, "
        f"{batch.column('text_hmac')[row]}",
    )  # fmt: skip


def ledger(batch: pa.RecordBatch, file: str, start: int) -> Findings:
    """Stages are known, and each stage's rows have its columns, and no other stage's."""
    stages = batch.column("stage")
    names = {name: _mask(pc.equal(stages, name)) for name in ("read", "extract", "judge", "dedup")}
    yield from first_finding(
        "ledger", ~np.logical_or.reduce(list(names.values())), file, start,
        lambda row: f"there is no stage {stages[row].as_py()!r:.100}",
    )  # fmt: skip
    texts_there = names["judge"] | names["dedup"]
    near = names["dedup"] & _mask(pc.equal(batch.column("reason"), "near_duplicate"))
    # low and high may be null for a judge's drop, so only their absence elsewhere is asked.
    wanted: list[tuple[Sequence[str], Bools, Bools]] = [
        (TEXT_COLUMNS, texts_there, ~texts_there),
        (WITNESS_COLUMNS, names["dedup"], ~names["dedup"]),
        (("kept_release",), np.zeros(len(batch), np.bool_), ~names["dedup"]),  # null if the kept one is in this release
        (("bands",), near, ~near),
        (("value",), names["judge"], ~names["judge"]),
        (("low", "high"), np.zeros(len(batch), np.bool_), ~names["judge"]),
    ]
    for columns, there, absent in wanted:
        for name in columns:
            null = _mask(batch.column(name).is_null())
            yield from first_finding(
                "ledger", (there & null) | (absent & ~null), file, start,
                lambda row, name=name, null=null:
                    f"{name} is {'null' if null[row] else 'not null'} in a row of stage {stages[row]}",
            )  # fmt: skip
    known = near | _mask(pc.equal(batch.column("reason"), "exact_duplicate"))
    yield from first_finding(
        "ledger", names["dedup"] & ~known, file, start,
        lambda row: f"there is no reason {batch.column('reason')[row].as_py()!r:.100} of stage dedup",
    )  # fmt: skip
    asked = pc.list_value_length(batch.column("decisions")).to_numpy() > 0
    yield from first_finding(
        "ledger", asked & ~texts_there, file, start, lambda row: f"decisions on a row of stage {stages[row]}"
    )


def clusters(batch: pa.RecordBatch, source: str, file: str, start: int) -> Findings:
    """A cluster is of its source, has members, and counts them; the most alike come first."""
    members = batch.column("members")
    sizes = pc.list_value_length(members).to_numpy()
    documents, exact, near = (
        batch.column(name).to_numpy() for name in ("documents", "exact_duplicates", "near_duplicates")
    )
    wrong = (sizes < 1) | (documents != sizes + 1) | (exact + near != sizes) | (np.minimum(exact, near) < 0)
    yield from first_finding(
        "clusters", wrong, file, start,
        lambda row: f"{documents[row]} documents, {exact[row]} exact and {near[row]} near duplicates, {sizes[row]} members",
    )  # fmt: skip
    other = _mask(pc.not_equal(batch.column("source"), source))
    yield from first_finding("clusters", other, file, start, lambda row: f"is of source {batch.column('source')[row]}")
    owner = pc.list_parent_indices(members).to_numpy()
    similar = pc.list_flatten(members).field("similarity").to_numpy()
    rising = np.zeros(len(batch), np.bool_)
    rising[owner[1:][(owner[1:] == owner[:-1]) & (similar[1:] > similar[:-1])]] = True
    yield from first_finding("clusters", rising, file, start, lambda _: "its members do not descend by similarity")


def reasons(batch: pa.RecordBatch) -> Mapping[tuple[str, str], int]:
    """Number of rows by (stage, reason)."""
    counted = pa.Table.from_batches([batch.select(["stage", "reason"])]).group_by(
        ["stage", "reason"], use_threads=False
    )
    return {
        (row["stage"], row["reason"]): row["count_all"] for row in counted.aggregate([([], "count_all")]).to_pylist()
    }


def hex_bytes(column: pa.Array, digits: int) -> npt.NDArray[np.bytes_] | None:
    """Hex strings as fixed-width bytes (numpy S); None if one is not of so many lower-case digits."""
    if not len(column):
        return np.zeros(0, f"S{digits // 2}")
    ends = _offsets(column)
    written = (column.buffers()[2] or pa.py_buffer(b""))[int(ends[0]) : int(ends[-1])].to_pybytes()
    if column.null_count or (np.diff(ends) != digits).any() or not written.isascii():
        return None
    try:
        found = bytes.fromhex(written.decode("ascii"))
    except ValueError:
        return None
    # That takes capitals, and white space between digits.
    return np.frombuffer(found, f"S{digits // 2}") if found.hex().encode() == written else None


def _decisions(column: pa.Array) -> tuple[Any, npt.NDArray[np.int64], Bools]:
    """All decisions of a batch, one after another; the row of each; which are outside their bounds."""
    lengths = pc.list_value_length(column).to_numpy()
    asked = column.flatten()
    values = asked.field("value").to_numpy()
    outside = (values < asked.field("low").fill_null(LOWEST).to_numpy()) | (
        values > asked.field("high").fill_null(HIGHEST).to_numpy()
    )
    return asked, np.repeat(np.arange(len(column)), lengths), outside


def _spell(decision: Mapping[str, Any]) -> str:
    low, high = decision["low"], decision["high"]
    bounds = f"{'-' if low is None else low} to {'-' if high is None else high}"
    return f"{decision['reason']} has {decision['value']}, outside {bounds}"


def _same(left: pa.Array, right: pa.Array) -> Bools:
    """Equal, or both null."""
    return _mask(pc.equal(left, right).fill_null(False)) | (_mask(left.is_null()) & _mask(right.is_null()))


def _slices(column: pa.Array) -> Iterator[memoryview]:
    """The UTF-8 bytes of each string, without copying them."""
    data = memoryview(column.buffers()[2] or b"")
    return (data[begin:end] for begin, end in pairwise(_offsets(column).tolist()))


def _offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """Where the bytes of each string begin, and the last ends."""
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]


def _mask(booleans: pa.Array) -> Bools:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), np.bool_)


def _all(booleans: pa.Array) -> bool:
    return bool(pc.all(booleans).as_py() is not False)
