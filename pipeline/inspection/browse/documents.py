"""One document: its row, where it stands, its text, its copies."""

from dataclasses import dataclass
from typing import Any

from pipeline.inspection.browse.engine import Engine, Row
from pipeline.inspection.browse.faults import BadRequest, NotFound
from pipeline.inspection.browse.release import DOCUMENTS, Opened
from pipeline.inspection.show import Story

SHORTEST = 8  # characters of an id
OPT_OUT = "opt_out"


@dataclass(frozen=True, slots=True)
class Found:
    """A document's provenance row, and the file and place (from 0) where it stands; `fate` kept, dropped or removed."""

    fate: str
    row: Row
    shard: str
    position: int

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def silent(self) -> str | None:
        """Why neither its record nor its text may be read again; None: they may."""
        if self.fate == "removed":
            return "it was removed by a takedown"
        return "an opt-out list of the recipe names it" if self.row.get("reason") == OPT_OUT else None

    def story(self, opened: Opened) -> Story:
        """As `inspection.show` reads it again."""
        recipe = {source["name"]: source for source in opened.manifest["recipe"]["sources"]}
        source = recipe[self.row["source"]]
        return Story(
            self.fate,
            self.id,
            source["license"],
            source["format"],
            self.shard,
            self.position,
            self.row,
            None,
            None,
            None,
        )


def find(engine: Engine, opened: Opened, wanted: str) -> Found:
    """The document of an id, or of the beginning of one. Raises BadRequest and NotFound."""
    if not (SHORTEST <= len(wanted) <= 32 and set(wanted) <= set("0123456789abcdef")):
        raise BadRequest(
            f"{wanted!r:.80} is no id", wanted=f"32 hex digits in lower case, or the first {SHORTEST} or more of them"
        )
    low, high = wanted.ljust(32, "0"), wanted.ljust(32, "f")
    names = {
        str(opened.folder / file["name"]): (kind, file["name"])
        for kind in DOCUMENTS
        for file in opened.between(kind, low, high)
    }
    found = []
    if names:
        found = engine.rows(
            "SELECT id, filename FROM read_parquet($files, filename = true) WHERE id >= $low AND id <= $high LIMIT 2",
            {"files": list(names), "low": low, "high": high},
        )
    if len(found) > 1:
        raise BadRequest(
            f"more than one id begins with {wanted}", wanted="more digits",
            hint=f"among them {found[0]['id']} and {found[1]['id']}",
        )  # fmt: skip
    if not found:
        raise NotFound(
            f"no document, kept, dropped or removed, has the id {wanted}" if len(wanted) == 32
            else f"no id begins with {wanted}",
            hint="the documents of this release are listed at /documents",
        )  # fmt: skip
    kind, name = names[found[0]["filename"]]
    row = engine.rows(
        "SELECT * FROM read_parquet($file, file_row_number = true) WHERE id = $id",
        {"file": found[0]["filename"], "id": found[0]["id"]},
    )[0]
    return Found(kind, row, name, row.pop("file_row_number"))


def text(engine: Engine, opened: Opened, found: Found) -> Row:
    """Text, title, license, language of a kept document."""
    for file in opened.between("data", found.id, found.id, {found.row["source"]}):
        rows = engine.rows(
            "SELECT text, title, license, language FROM read_parquet($file) WHERE id = $id",
            {"file": str(opened.folder / file["name"]), "id": found.id},
        )
        if rows:
            return rows[0]
    raise NotFound(f"the text of {found.id} does not stand beside its row", hint="`pellucid verify` says what is wrong")


def titles(engine: Engine, opened: Opened, rows: list[Row]) -> dict[str, str]:
    """Titles of the kept ones among some documents, by id; of those that have one."""
    kept = sorted(row["id"] for row in rows if row["fate"] == "kept")
    sources = {row["source"] for row in rows if row["fate"] == "kept"}
    files = opened.paths(opened.between("data", kept[0], kept[-1], sources)) if kept else []
    if not files:
        return {}
    found = engine.rows(
        "SELECT id, title FROM read_parquet($files) WHERE id >= $low AND id <= $high AND title IS NOT NULL",
        {"files": files, "low": kept[0], "high": kept[-1]},
    )
    return {row["id"]: row["title"] for row in found}


def cluster(engine: Engine, opened: Opened, found: Found) -> Row | None:
    """The documents that were dropped for a kept one; None where there are none."""
    for file in opened.between("clusters", found.id, found.id, {found.row["source"]}):
        rows = engine.rows(
            "SELECT * FROM read_parquet($file) WHERE id = $id",
            {"file": str(opened.folder / file["name"]), "id": found.id},
        )
        if rows:
            return rows[0]
    return None


def kept_for(engine: Engine, opened: Opened, found: Found) -> Found | None:
    """The kept document that a duplicate was dropped for, if it is in this release and was not removed since."""
    row = found.row
    if found.fate != "dropped" or not row["kept_id"] or row["kept_release"]:
        return None
    try:
        kept = find(engine, opened, row["kept_id"])
    except NotFound:
        return None
    return kept if kept.fate == "kept" else None


def checks(row: Row) -> list[dict[str, Any]]:
    """The decisions of a row, each with whether it holds."""
    return [{**one, "holds": holds(one)} for one in row["decisions"]]


def holds(one: Row) -> bool:
    return not ((one["low"] is not None and one["value"] < one["low"])
                or (one["high"] is not None and one["value"] > one["high"]))  # fmt: skip
