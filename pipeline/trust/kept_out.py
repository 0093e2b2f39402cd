"""The check `opt_out`: from the rows alone, that a release keeps nothing that its recipe's opt-out lists name.

And the reverse, so that nobody drops what they like under that reason: each row of the ledger that says `opt_out` is of a
record that a list names by id, artifact or URL. Where a list has digests of texts, it may be one of these, and the row does not
show which. Such a row has no digest or size of the record, and does not say which line it was.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust.findings import Findings
from pipeline.trust.opt_out import REASON, STAGE, Finder, Lines, merged, of_recipe
from pipeline.trust.rows import Bools, first_finding

NAME = "opt_out"
UNTOLD = (
    "record_hmac",
    "record_bytes",
    "charset",
    "extractor",
    "detail",
)  # columns that are null in a row of this reason


class KeptOut:
    """The lists of a release's recipe, against its rows."""

    def __init__(self, recipe: Mapping[str, Any]) -> None:
        self.finder = Finder(merged(of_recipe(recipe, "manifest.json")))
        self.ids, self.texts = (pa.array(sorted(names), pa.string()) for names in (self.finder.ids, self.finder.texts))

    def kept(self, batch: pa.RecordBatch, file: str, start: int) -> Findings:
        """No list names a kept row."""
        named = self._named(batch)
        if len(self.texts):
            named |= _among(batch.column("text_sha256"), self.texts)
        yield from first_finding(NAME, named, file, start, lambda row: f"kept, but named by {self._why(batch, row)}")

    def dropped(self, batch: pa.RecordBatch, file: str, start: int) -> Findings:
        """Rows of reason `opt_out` are of stage `extract`, named, and tell no more of the record than what it was named by."""
        of_reason = np.flatnonzero(_bools(pc.equal(batch.column("reason"), REASON)))
        if not len(of_reason):
            return
        mine = batch.take(pa.array(of_reason))

        def marked(mask: Bools) -> Bools:
            found = np.zeros(len(batch), np.bool_)
            found[of_reason[mask]] = True
            return found

        elsewhere = _bools(pc.not_equal(mine.column("stage"), STAGE))
        yield from first_finding(
            NAME, marked(elsewhere), file, start, lambda row: f"{REASON} is no reason of stage {batch.column('stage')[row]}"
        )  # fmt: skip
        if not len(self.texts):
            yield from first_finding(
                NAME, marked(~self._named(mine)), file, start, lambda _: f"dropped for {REASON}, but no list names it"
            )
        for name in UNTOLD:
            yield from first_finding(
                NAME, marked(_bools(mine.column(name).is_valid())), file, start,
                lambda _, name=name: f"{name} is not null in a row of reason {REASON}",
            )  # fmt: skip

    def _named(self, batch: pa.RecordBatch) -> Bools:
        """Rows that a list names by id, artifact or URL."""
        named = np.zeros(len(batch), np.bool_)
        if len(self.ids):
            named |= _among(batch.column("id"), self.ids)
        if self.finder.by_place:
            of_url = self.finder.of_url
            named |= np.array(
                [url is not None and bool(of_url(url)) for url in batch.column("url").to_pylist()], np.bool_
            )
            purls = [purl for purl in pc.unique(batch.column("purl")).to_pylist() if self.finder.of_artifact(purl)]
            if purls:
                named |= _among(batch.column("purl"), pa.array(purls, pa.string()))
        return named

    def _why(self, batch: pa.RecordBatch, row: int) -> str:
        """The first line that names a kept row."""
        told = batch.slice(row, 1).select(["id", "url", "purl", "text_sha256"]).to_pylist()[0]
        found: Lines = (
            *self.finder.of_id(told["id"]), *self.finder.of_url(told["url"]), *self.finder.of_artifact(told["purl"]),
            *self.finder.of_text([told["text_sha256"]]),
        )  # fmt: skip
        return found[0]


def _among(column: pa.Array, names: pa.Array) -> Bools:
    return _bools(pc.is_in(column, value_set=names))


def _bools(booleans: pa.Array) -> Bools:
    return np.asarray(booleans.to_numpy(zero_copy_only=False), np.bool_)
