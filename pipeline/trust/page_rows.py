"""The check `extraction`: from the rows alone, that every visible character of a page was kept or was cut for a reason.

The extractors in `model.ACCOUNTING` account for every character. Of the others only the names and counts are checked.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model import ACCOUNTING, CUT_REASONS
from pipeline.trust.extraction import ExtractionTotals
from pipeline.trust.findings import Findings
from pipeline.trust.rows import Bools, first_finding

NAME = "extraction"
DEFAULT, ALL_TEXT = ACCOUNTING
HIDDEN = (
    "hidden"  # what an attribute or a style hides: of all reasons the only one for which `all_text` leaves text out
)
COUNTS = ("visible_characters", "kept_characters")
CUT = ("reason", "blocks", "characters")
LARGEST = 2**53 - 1  # of a count, as in canonical JSON; sums of a row's counts fit in 64 bits


def check(batch: pa.RecordBatch, wanted: str | None, file: str, start: int) -> Findings:
    """Each page has its account, no other row has one, and the account adds up.

    `wanted`: what `extractor` says of the source's pages; None if its format reads none. Rows without text need not be pages.
    """
    named = batch.column("extractor")
    is_page = _bools(named.is_valid())
    stage = batch.column("stage") if "stage" in batch.schema.names else None
    of_text = np.ones(len(batch), np.bool_) if stage is None else _bools(pc.is_in(stage, pa.array(["judge", "dedup"])))
    unread = np.zeros(len(batch), np.bool_) if stage is None else _bools(pc.equal(stage, "read"))
    needed = of_text if wanted is not None else np.zeros(len(batch), np.bool_)
    barred = unread if wanted is not None else np.ones(len(batch), np.bool_)
    yield from first_finding(
        NAME, (needed & ~is_page) | (barred & is_page), file, start,
        lambda row: f"extractor is {named[row].as_py()!r:.100} in a row of a source whose pages have {wanted!r}",
    )  # fmt: skip
    if wanted is not None:
        yield from first_finding(
            NAME, is_page & ~_bools(pc.equal(named, wanted).fill_null(False)), file, start,
            lambda row: f"extractor is {named[row].as_py()!r:.100}, the manifest says {wanted!r}",
        )  # fmt: skip
    lengths = pc.list_value_length(batch.column("cuts")).to_numpy()
    for name in COUNTS:
        yield from first_finding(
            NAME, _bools(batch.column(name).is_valid()) != is_page, file, start,
            lambda row, name=name: f"{name} is {batch.column(name)[row].as_py()}, and extractor {named[row].as_py()!r:.100}",
        )  # fmt: skip
    yield from first_finding(
        NAME, ~is_page & (lengths > 0), file, start, lambda row: f"{lengths[row]} cuts in a row that is no page"
    )
    yield from _cuts(batch, lengths, file, start)


def _cuts(batch: pa.RecordBatch, lengths: npt.NDArray[Any], file: str, start: int) -> Findings:
    """Reasons are known, ascending and each once; counts are in their range; kept and cut characters are the visible ones."""
    cuts = batch.column("cuts").flatten()
    parents = np.repeat(np.arange(len(batch)), lengths)
    reasons = cuts.field("reason")
    blocks, characters = (cuts.field(name).to_numpy() for name in ("blocks", "characters"))
    unknown = ~_bools(pc.is_in(reasons, pa.array(CUT_REASONS)))
    later = np.zeros(len(cuts), np.bool_)
    if len(cuts):
        later[1:] = (parents[1:] == parents[:-1]) & _bools(pc.less_equal(reasons[1:], reasons[:-1]))
    odd = (blocks < 1) | (blocks > LARGEST) | (characters < 0) | (characters > LARGEST)
    visible, kept = (batch.column(name).fill_null(0).to_numpy() for name in COUNTS)
    beyond = (np.minimum(visible, kept) < 0) | (np.maximum(visible, kept) > LARGEST)
    for wrong, what in (
        (unknown, "a cut has a reason that is not listed"),
        (later, "its cuts do not ascend by reason, each once"),
        (odd, "a cut has no block, or a count that is negative or too large"),
    ):
        yield from first_finding(
            NAME, _of_rows(parents[wrong], len(batch)), file, start,
            lambda row, what=what: f"{what}: {batch.column('cuts')[row].as_py()!r:.300}",
        )  # fmt: skip
    yield from first_finding(
        NAME, beyond, file, start,
        lambda row: f"{visible[row]} visible and {kept[row]} kept characters: negative or too large",
    )  # fmt: skip
    if unknown.any() or odd.any() or beyond.any():
        return
    cut = np.zeros(len(batch), np.int64)
    np.add.at(cut, parents, characters)
    name = pc.replace_substring_regex(batch.column("extractor").fill_null(""), "/.*", "")
    accounts = _bools(pc.is_in(name, pa.array(ACCOUNTING)))
    yield from first_finding(
        NAME, accounts & (kept + cut != visible), file, start,
        lambda row: f"{kept[row]:,} characters are kept and {cut[row]:,} cut, of {visible[row]:,} that are visible",
    )  # fmt: skip
    hidden = np.bincount(parents[_bools(pc.equal(reasons, HIDDEN))], minlength=len(batch))
    permitted = np.where(_bools(pc.equal(name, ALL_TEXT)), hidden, 0)
    whole = _bools(pc.not_equal(name, DEFAULT)) & (lengths > permitted)
    yield from first_finding(
        NAME, whole, file, start,
        lambda row: f"{lengths[row]} cuts by {batch.column('extractor')[row].as_py()!r:.100}, which makes no such cuts",
    )  # fmt: skip
    if "reason" in batch.schema.names:
        emptied = _bools(pc.equal(batch.column("reason"), "no_main_content"))
        yield from first_finding(
            NAME, emptied & ((kept > 0) | (visible == 0)), file, start,
            lambda row: f"no_main_content, with {kept[row]:,} of {visible[row]:,} visible characters kept",
        )  # fmt: skip


def _of_rows(rows: npt.NDArray[np.int64], count: int) -> Bools:
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def totals(rows: pa.RecordBatch | pa.Table) -> ExtractionTotals:
    """What rows say of their pages, summed."""
    cuts = pc.list_flatten(rows.column("cuts"))
    table = pa.table([pc.struct_field(cuts, name) for name in CUT], CUT)
    grouped = table.group_by("reason", use_threads=False).aggregate([("blocks", "sum"), ("characters", "sum")])
    visible, kept = (pc.sum(rows.column(name)).as_py() or 0 for name in COUNTS)
    return {
        "pages": len(rows) - rows.column("extractor").null_count,
        "visible_characters": visible,
        "kept_characters": kept,
        "cuts": [
            {"reason": row["reason"], "blocks": row["blocks_sum"], "characters": row["characters_sum"]}
            for row in sorted(grouped.to_pylist(), key=lambda row: str(row["reason"]))
        ],
    }


def _bools(booleans: pa.Array) -> Bools:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), np.bool_)
