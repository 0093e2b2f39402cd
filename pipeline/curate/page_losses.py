"""Count what the pages of an artifact lose of their visible text, and remember those that lose most, for `cut_alarm`."""

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.trust import extraction, page_rows

LARGEST = 3  # pages that are shown of a source
COLUMNS = ("id", "url", "purl", "member", "extractor", "visible_characters", "kept_characters", "cuts")

Page = dict[str, Any]


class Losses:
    """What the pages of one artifact lose: their totals, and the pages that lose most."""

    def __init__(self) -> None:
        self._parts: list[extraction.ExtractionTotals] = []
        self._largest: list[Page] = []

    def add(self, documents: pa.RecordBatch) -> None:
        """Count rows of the work folder that have COLUMNS; those that are no pages count for nothing."""
        pages = documents.select(COLUMNS).filter(documents.column("extractor").is_valid())
        if not len(pages):
            return
        self._parts = [extraction.summed([*self._parts, page_rows.totals(pages)])]
        lost = pc.subtract(pages.column("visible_characters"), pages.column("kept_characters"))
        order = pc.sort_indices(pa.table([lost, pages.column("id")], ["lost", "id"]),
                                sort_keys=[("lost", "descending"), ("id", "ascending")])  # fmt: skip
        found = [_page(row) for row in pages.take(order[:LARGEST]).to_pylist()]
        self._largest = largest([*self._largest, *found])

    def to_json(self) -> dict[str, Any]:
        return {**extraction.summed(self._parts), "largest": self._largest}


def largest(pages: Iterable[Page]) -> list[Page]:
    """The pages that lose most characters."""
    return nsmallest(LARGEST, pages, key=lambda page: (-lost(page), page["id"]))


def lost(counted: Mapping[str, Any]) -> int:
    """How many visible characters were not kept. An extractor that writes more than is visible loses none."""
    return max(0, int(counted["visible_characters"]) - int(counted["kept_characters"]))


def _page(row: Mapping[str, Any]) -> Page:
    url = row["url"] or f"{row['purl']}#{row['member'] or ''}"
    return {"id": row["id"], "url": url, **{name: row[name] for name in COLUMNS[5:]}}
