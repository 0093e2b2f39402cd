"""Documents whose fate is not the same in two releases, from their provenance rows, by DuckDB.

Rules
- Rows are paired by id. An id names an artifact and a place in it, so the same record has the same id in every release that
  read it, whatever its recipe says. Where two sources of a release read one artifact, an id stands twice: its rows are
  paired in the order of their sources.
- An id that is in one release only is explained by its artifact: in the other lock there is none of these bytes, or there
  is, and then the source's settings read it otherwise.
- `exact_hmac` is keyed by all artifacts of a release: that it is another says nothing of its row. `text_hmac` is keyed by the
  artifact, so for one id it says whether the text is the same. Between two versions of a
  package it says nothing: there `text_sha256` is compared, which only kept rows have.

Memory does not grow with the releases: ids are hashes, evenly spread, so their range is cut into parts of some PART rows
that are joined one after the other (the rows of a shard are in the order of ids, so a part's rows are read from few row
groups), and DuckDB spills to disk beyond its limit.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import RecipeError
from pipeline.inspection import diff_sql, duck
from pipeline.inspection.diff_manifest import ArtifactChange, package_of
from pipeline.inspection.diff_sql import EXAMPLES
from pipeline.release import schemas
from pipeline.trust.manifest import Manifest

PART = 1_000_000  # rows of the larger side, about, that are joined at once
# fate: another fate in both. text: kept in both, another text. come, gone: in one only. copy: of another document.
# moved: to another source. values: other values in other columns. judged: only other bounds, or other rules.
KINDS = ("fate", "text", "come", "gone", "copy", "moved", "values", "judged")
COLUMNS = tuple(dict.fromkeys((*schemas.kept([]).names, *schemas.dropped([]).names, *schemas.REMOVED.names)))


@dataclass(frozen=True, slots=True)
class Group:
    """So many documents that were `old` and are `new` ("kept", a reason, "not read", "taken down"), and `why` where that does
    not say it. `examples`: the first EXAMPLES by id."""

    kind: str
    old: str
    new: str
    why: str
    documents: int
    examples: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """`groups`: by (kind, old, new, why), in the order of KINDS, the most frequent first. `same`: rows that are equal in all
    columns.

    `replaced`: the same, for places in another version of a package; by `kind` "same", "changed", "unknown" (of a dropped
    text there is only a keyed digest), "gone", "come".
    """

    same: int
    groups: tuple[Group, ...]
    replaced: tuple[Group, ...]


@dataclass(slots=True)
class _Tally:
    documents: int = 0
    examples: list[Mapping[str, Any]] = field(default_factory=list)


class Comparison:
    """The rows of two releases, opened; a context manager. Raises RecipeError where a file cannot be read."""

    def __init__(
        self, folders: tuple[Path, Path], sides: tuple[Manifest, Manifest], changes: Sequence[ArtifactChange]
    ) -> None:
        self.read = max(one["totals"]["read"] for one in sides)
        self.spill = tempfile.TemporaryDirectory(prefix="pellucid-diff-")
        paths = [path for pair in zip(folders, sides, strict=True) for path in _files(*pair, tuple(diff_sql.APART))]
        self.connection = duck.connect(paths, spill=self.spill.name, settings=["SET preserve_insertion_order = false"])
        for name, folder, manifest in zip("ab", folders, sides, strict=True):
            self.connection.execute(f"CREATE TEMP VIEW rows_{name} AS {_side(folder, manifest)}")
            self.connection.execute(f"CREATE TEMP VIEW whole_{name} AS {_whole(folder, manifest)}")
        self.connection.execute("CREATE TEMP TABLE other (id VARCHAR, source VARCHAR, columns VARCHAR)")
        locked = [{a["sha256"] for source in one["sources"] for a in source["artifacts"]} for one in sides]
        self.connection.execute("CREATE TEMP TABLE locked (side VARCHAR, sha256 VARCHAR)")
        self._insert(
            "locked", [(name, digest) for name, own in zip("ab", locked, strict=True) for digest in sorted(own)]
        )
        self.connection.execute(
            "CREATE TEMP TABLE pairs (pair BIGINT, source VARCHAR, a VARCHAR, a_version VARCHAR, b VARCHAR, b_version VARCHAR)"
        )
        replaced = [one for one in changes if one.old and one.new and one.old["sha256"] != one.new["sha256"]]
        self._insert("pairs", [_pair(number, one) for number, one in enumerate(replaced)])

    def __enter__(self) -> "Comparison":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.spill.cleanup()

    def _insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608

    def compare(self) -> Rows:
        """Every document counted, and examples of each kind."""
        same, found = 0, dict[tuple[str, str, str, str], _Tally]()
        for low, high in self._parts():
            groups = list(self._run(diff_sql.GROUPS, low=low, high=high))
            if any(kind == "values" for kind, *_ in groups):
                self._name_columns(low, high)
                groups = list(self._run(diff_sql.GROUPS, low=low, high=high))
            for kind, old, new, why, documents, examples in groups:
                if kind is None:
                    same += documents
                    continue
                tally = found.setdefault((kind, old, new, why), _Tally())
                tally.documents += documents
                tally.examples += examples[: EXAMPLES - len(tally.examples)]
        replaced = {
            (kind, old, new, why): _Tally(n, some) for kind, old, new, why, n, some in self._run(diff_sql.REPLACED)
        }
        return Rows(same, _ordered(found), _ordered(replaced))

    def documents(self) -> Iterator[Mapping[str, Any]]:
        """Every document that differs, in the order of ids."""
        for low, high in self._parts():
            self._name_columns(low, high)
            for (row,) in self._run(diff_sql.DOCUMENTS, low=low, high=high):
                yield row

    def _name_columns(self, low: str, high: str) -> None:
        """Note which columns differ in the pairs of kind `values` of a part, for the next queries: whole rows are read."""
        there = [{row[0] for row in self._run(f"SELECT column_name FROM (DESCRIBE whole_{side})")} for side in "ab"]  # noqa: S608
        names = [name for name in COLUMNS if name in there[0] & there[1]]
        columns = ", ".join(f"CASE WHEN hash(a.{name}) <> hash(b.{name}) THEN '{name}' ELSE '' END" for name in names)
        list(self._run("DELETE FROM other"))
        list(self._run(diff_sql.OTHER.format(columns=columns), low=low, high=high))

    def _parts(self) -> Iterator[tuple[str, str]]:
        count = min(1 << 16, self.read // PART + 1)
        bounds = [f"{(place << 32) // count:08x}" for place in range(count)]
        yield from zip(bounds, [*bounds[1:], "g"], strict=True)

    def _run(self, query: str, **named: Any) -> Iterator[Any]:
        try:
            cursor = self.connection.execute(query, named or None)
            while batch := cursor.fetchmany(10_000):
                yield from batch
        except duckdb.Error as error:
            raise RecipeError(f"rows cannot be compared: {error!s:.500}", hint="pellucid verify RELEASE") from error


def _ordered(found: Mapping[tuple[str, str, str, str], _Tally]) -> tuple[Group, ...]:
    rows = sorted(found.items(), key=lambda item: (_rank(item[0][0]), -item[1].documents, item[0]))
    return tuple(
        Group(kind, old, new, why, tally.documents, tuple(tally.examples)) for (kind, old, new, why), tally in rows
    )


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else 0


def _pair(number: int, change: ArtifactChange) -> tuple[Any, ...]:
    old, new = change.old or {}, change.new or {}
    return number, change.source, old["sha256"], package_of(old["purl"])[1], new["sha256"], package_of(new["purl"])[1]


def _files(folder: Path, manifest: Manifest, kinds: tuple[str, ...]) -> list[Path]:
    return [folder / file["name"] for file in manifest["files"] if file["kind"] in kinds]


def _hashed(kind: str) -> str:
    apart = diff_sql.APART[kind]
    return f"* EXCLUDE ({', '.join(apart)})" if apart else "*"


def _whole(folder: Path, manifest: Manifest) -> str:
    """All rows of a release with the columns that `whole` is a hash over."""
    parts = []
    for kind in diff_sql.APART:
        if listed := ", ".join(duck.quoted(path) for path in _files(folder, manifest, (kind,))):
            parts.append(f"SELECT {_hashed(kind)} FROM read_parquet([{listed}])")  # noqa: S608
    return " UNION ALL BY NAME ".join(parts)


def _side(folder: Path, manifest: Manifest) -> str:
    """All rows of a release in one form; `judged` is a hash over the decisions, `whole` one over every other column."""
    parts = []
    for kind, columns in (("kept", diff_sql.KEPT), ("dropped", diff_sql.DROPPED), ("removed", diff_sql.REMOVED)):
        listed = ", ".join(duck.quoted(path) for path in _files(folder, manifest, (kind,)))
        if listed:
            hashes = f"hash(*COLUMNS({_hashed(kind)})) AS whole, {diff_sql.JUDGED[kind]} AS judged"
            parts.append(f"SELECT {columns}, {hashes} FROM read_parquet([{listed}])")  # noqa: S608
    return " UNION ALL BY NAME ".join(parts)
