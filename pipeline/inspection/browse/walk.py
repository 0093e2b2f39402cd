"""Pages of documents in the order of their ids, without reading more of a release than a page needs.

Ids are hashes, so they are spread evenly: a part of their range holds about that part of the documents. The range is walked in
windows, the first as wide as a page should need, each later one wider; a window reads the shards, and by Parquet's statistics
the row groups, whose ids overlap it. So the first page of ten million documents costs what that of a thousand does, and a rare
filter costs one scan of the columns that it asks for. At the limit of time a walk ends, and says how far it came.
"""

import time
from dataclasses import dataclass
from typing import Any

from pipeline.inspection.browse.engine import Engine, Row
from pipeline.inspection.browse.faults import TooSlow
from pipeline.inspection.browse.filters import Filter, conditions, kinds
from pipeline.inspection.browse.release import LAST, Opened

PAGE = 50
FEW = 200_000  # rows that are read at once, without windows
FEW_TEXTS = 4_000
GROWTH = 8
SHRINK = 64  # where the first window has more than there is time for
SECONDS = 0.8  # that a list may take: a page answers within a second, or says how far it looked
_COLUMNS = {
    "kept": "id, source, 'kept' AS fate, url, language, language_score, text_bytes, NULL::VARCHAR AS stage, "
    "NULL::VARCHAR AS reason, NULL::BIGINT AS value, NULL::BIGINT AS low, NULL::BIGINT AS high",
    "dropped": "id, source, 'dropped' AS fate, url, language, language_score, text_bytes, stage, reason, value, low, high",
    "removed": "id, source, 'removed' AS fate, NULL::VARCHAR AS url, NULL::VARCHAR AS language, "
    "NULL::BIGINT AS language_score, NULL::BIGINT AS text_bytes, NULL::VARCHAR AS stage, NULL::VARCHAR AS reason, "
    "NULL::BIGINT AS value, NULL::BIGINT AS low, NULL::BIGINT AS high",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of ids. `earlier`, `later`: whether there are more on that side. `reached`: where the limit of time
    ended the walk, the last id (first, going back) up to which everything was looked at."""

    rows: list[Row]
    earlier: bool
    later: bool
    reached: str | None


def sources_of(opened: Opened, chosen: Filter) -> list[str]:
    """Sources that can have what is asked: by name, licence, and the manifest's reasons."""
    return [
        name
        for name, source in opened.sources.items()
        if chosen.source in (None, name)
        and chosen.license in (None, source["license"])
        and (chosen.reason is None or any(row["reason"] == chosen.reason for row in source["reasons"]))
    ]


def page(
    engine: Engine, opened: Opened, chosen: Filter, *, after: str | None = None, before: str | None = None,
    seconds: float = SECONDS, size: int = PAGE,
) -> Page:  # fmt: skip
    """The documents behind `after`, or before `before`, or the first ones; as far as it comes in `seconds`."""
    back = before is not None
    low = int(after, 16) + 1 if after else 0
    high = int(before, 16) - 1 if before else LAST
    sources = sources_of(opened, chosen)
    span = _first_span(opened, chosen, sources, size)
    found: list[Row] = []
    reached, walked = None, False
    end = time.monotonic() + seconds
    least = LAST // max(1, sum(opened.rows(kind, sources) for kind in kinds(chosen)))
    while low <= high and len(found) <= size:
        window = (max(low, high - span), high) if back else (low, min(high, low + span))
        began = time.monotonic()
        try:
            if walked and began >= end:
                raise TooSlow("the time is over")
            found += _window(engine, opened, chosen, sources, window, back, size + 1 - len(found), end)
        except TooSlow:
            if not walked and span > least:  # it would not come forward at all: once more, with less
                span, end = span // SHRINK, time.monotonic() + seconds
                continue
            reached = _id(high + 1) if back else _id(low - 1) if low else ""
            break
        walked = True
        if back:
            high = window[0] - 1
        else:
            low = window[1] + 1
        # A window that the time ends is lost: the next is as wide as the last one's pace says that there is time for.
        took, left = time.monotonic() - began, end - time.monotonic()
        span = max(least, int(span * min(GROWTH, 0.7 * left / max(took, 1e-3))))
    more = len(found) > size or reached is not None
    rows = found[:size]
    if back:
        return Page(rows[::-1], more, True, reached)
    return Page(rows, after is not None, more, reached)


def count(engine: Engine, opened: Opened, chosen: Filter, seconds: float) -> int:
    """How many there are. Raises TooSlow."""
    if chosen.by_manifest:
        return counted(opened, chosen)
    total = 0
    end = time.monotonic() + seconds
    for kind in kinds(chosen):
        asked = _asked(opened, chosen, kind, sources_of(opened, chosen), 0, LAST)
        if asked:
            sql, bound = asked
            total += engine.rows(f"SELECT count(*) AS n {sql}", bound, max(0.05, end - time.monotonic()))[0]["n"]
    return total


def counted(opened: Opened, chosen: Filter) -> int:
    """The same from the manifest alone, for filters that it can answer."""
    names = sources_of(opened, chosen)
    if chosen.reason is None:
        return sum(opened.rows(kind, names) for kind in kinds(chosen))
    if not kinds(chosen):
        return 0
    reasons = [row for name in names for row in opened.sources[name]["reasons"]]
    return sum(row["documents"] for row in reasons if row["reason"] == chosen.reason)


def _first_span(opened: Opened, chosen: Filter, sources: list[str], size: int) -> int:
    rows = sum(opened.rows(kind, sources) for kind in kinds(chosen))
    few = FEW_TEXTS if chosen.text else FEW
    if rows <= few:
        return LAST
    likely = max(1, counted(opened, Filter(chosen.fate, chosen.source, None, chosen.reason, chosen.license)))
    return LAST * min(rows, max(4 * size * rows // likely, few // 4)) // rows


def _window(
    engine: Engine, opened: Opened, chosen: Filter, sources: list[str], window: tuple[int, int], back: bool, limit: int,
    end: float,
) -> list[Row]:  # fmt: skip
    parts, bound = [], {"limit": limit}
    for kind in kinds(chosen):
        asked = _asked(opened, chosen, kind, sources, *window)
        if asked:
            parts.append(f"SELECT {_COLUMNS[kind]} {asked[0]}")
            bound |= asked[1]
    if not parts:
        return []
    left = end - time.monotonic()
    if left <= 0:
        raise TooSlow("the time is over")
    sql = f"{' UNION ALL '.join(parts)} ORDER BY id {'DESC' if back else 'ASC'} LIMIT $limit"
    return engine.rows(sql, bound, left)


def _asked(
    opened: Opened, chosen: Filter, kind: str, sources: list[str], low: int, high: int
) -> tuple[str, dict[str, Any]] | None:
    """FROM and WHERE for the rows of a kind whose ids are in a window; None where no shard can have one."""
    first, last = _id(low), _id(high)
    window = {"low_id": first, "high_id": last}
    files = opened.paths(opened.between(kind, first, last, sources))
    if not files:
        return None
    where, bound = conditions(chosen)
    sql = f"FROM read_parquet($files_{kind}) WHERE id >= $low_id AND id <= $high_id"
    bound |= {f"files_{kind}": files, **window}
    if where:
        sql += f" AND {where}"
    if chosen.text is not None:
        texts = opened.paths(opened.between("data", first, last, sources))
        sql += (
            " AND id IN (SELECT id FROM read_parquet($files_data) WHERE id >= $low_id AND id <= $high_id "
            "AND regexp_matches(text, '(?i)' || regexp_escape($text)))"  # twice as fast as contains(lower(text), ...)
        )
        bound |= {"files_data": texts, "text": chosen.text}
    return sql, bound


def _id(number: int) -> str:
    return f"{number:032x}"
