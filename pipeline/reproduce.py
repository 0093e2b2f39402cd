"""Build a published manifest again, from its own recipe and lock, and say at which level the result is the same.

L0: a file has the same bytes. L1: the bytes differ but every row is equal, by content root (another codec library or
`created_by`). The report is made again of the published manifest and the rows that were built, and compared with the digest
in the published run document: where it lies there is no matter.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline import lock as locks
from pipeline import recipe as recipes
from pipeline import takedown
from pipeline.against import Other, refuse_others
from pipeline.build import Built, Report, Settings, build
from pipeline.errors import VerificationError
from pipeline.inspection import report
from pipeline.trust import dsse, intoto, layout, manifest, names, published, reproduction, run, vouch


@dataclass(frozen=True, slots=True)
class Compared:
    """`level`: "L0", "L1" or "differs"; `detail` says what differs, to the row."""

    name: str
    level: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """`same_manifest`: also the manifests are equal, byte for byte; else `differences` names their parts that are not.

    `report`: None where no run document beside the manifest names one. That of other code may differ; of the very same code
    and rows it has to be the published one.
    """

    wanted: str
    built: str
    files: tuple[Compared, ...]
    same_manifest: bool
    differences: tuple[str, ...]
    report: Compared | None

    @property
    def ok(self) -> bool:
        same_report = self.report is None or self.report.level == "L0" or not self.same_manifest
        return same_report and all(file.level != "differs" for file in self.files)

    @property
    def level(self) -> str:
        levels = {file.level for file in self.files}
        return "differs" if "differs" in levels else "L1" if "L1" in levels else "L0"

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "level": self.level, **asdict(self)}


def attestation(result: Reproduction, built: Built, started: float, finished: float) -> bytes:
    """The statement of what `reproduce` found, to be signed by whoever ran it. Times in seconds since 1970."""
    return reproduction.statement(
        release_id=result.wanted,
        built=result.built,
        levels={file.name: file.level for file in result.files},
        manifest_parts={difference.partition(":")[0] for difference in result.differences},
        code=built.manifest["code"],
        started=started,
        finished=finished,
    )


def reproduce(
    path: Path,
    settings: Settings,
    trusted: Sequence[Any],
    progress: Report,
    others: Sequence[Other] = (),
    vouchers: vouch.Vouchers = vouch.EVERYONE,
) -> tuple[Reproduction, Built]:
    """Verify the manifest at `path`, build it into `settings.out`, compare. Raises what `build` raises.

    others: the releases that it was built against; RecipeError where these are not those that the manifest names.
    """
    opened = published.read(path, trusted, vouchers)
    data, predicate = opened.data, opened.manifest
    stated = _stated(opened, path, trusted, vouchers)
    refuse_others(predicate["against"], others, str(path))
    recipe = recipes.from_json(predicate["recipe"], str(path))
    lock = locks.from_json(predicate["lock"], str(path))
    built = build(recipe, lock, settings, progress, others)
    out, takedowns = settings.out, predicate["policies"]["takedown"]
    if takedowns:  # built as it was first, then without what was removed
        out = settings.out.with_name(f"{settings.out.name}-takedown")
        takedown.again(settings.out, out, takedowns)
    release = path.parent if (path.parent / "data").is_dir() else None
    files = tuple(compare(predicate["files"], predicate["environment"], out, release))
    mine = (out / "manifest.json").read_bytes()
    differences = () if mine == data else tuple(_differences(predicate, manifest.parse(mine)))
    reported = _report(opened, stated, out) if stated else None
    return Reproduction(
        hashlib.sha256(data).hexdigest(), hashlib.sha256(mine).hexdigest(), files, mine == data, differences, reported
    ), built


def _stated(opened: published.Published, path: Path, trusted: Sequence[Any], vouchers: vouch.Vouchers) -> str | None:
    """The SHA-256 of the report, as the run document beside the manifest says; None where neither or no report is named."""
    beside = (path if path.is_dir() else path.parent) / "run.dsse.json"
    if not beside.is_file():
        return None
    signed = dsse.open_envelope(beside.read_bytes(), trusted, intoto.PAYLOAD_TYPE, str(beside))
    vouchers.vouch(signed.key_id, str(beside))
    stated = run.parse(signed.payload, str(beside))
    if stated.release_id != opened.release_id:
        raise VerificationError(
            f"it is the run of release {stated.release_id}", wanted=opened.release_id, where=str(beside)
        )
    return stated.report


def _report(opened: published.Published, stated: str, out: Path) -> Compared:
    """The report of the rows in `out` against the published one's digest."""
    try:
        page = report.page(lambda name: out / name, opened.manifest, opened.release_id, opened.key_id)
    except OSError as error:  # a file that was not built, which is told where files are compared
        return Compared(names.REPORT, "differs", f"was not made: {error.strerror}")
    seen = hashlib.sha256(page).hexdigest()
    if seen == stated:
        return Compared(names.REPORT, "L0")
    return Compared(names.REPORT, "differs", f"sha256 {stated} was published, {seen} is made here")


def compare(
    wanted: Sequence[Mapping[str, Any]], environment: Mapping[str, Any], out: Path, release: Path | None
) -> list[Compared]:
    """File by file: bytes, then content roots; where rows differ and the published files are at hand (`release`), row by row.

    `environment`: of the published manifest.
    """
    mine = {file["name"]: file for file in json.loads((out / "manifest.json").read_bytes())["predicate"]["files"]}
    found = []
    for file in wanted:
        name = file["name"]
        if name not in mine:
            found.append(Compared(name, "differs", "was not built"))
        elif mine[name]["sha256"] == file["sha256"]:
            found.append(Compared(name, "L0"))
        elif file["root"] is not None and mine[name]["root"] == file["root"]:
            found.append(Compared(name, "L1", layout.differences(out / name, environment)))
        elif release is not None and name.endswith(".parquet"):
            found.append(_rows(name, release / name, out / name))
        else:
            found.append(Compared(name, "differs", f"{_facts(file)} was wanted, {_facts(mine[name])} was built"))
    wanted_names = {file["name"] for file in wanted}
    found += [Compared(name, "differs", "is not in the published release") for name in mine if name not in wanted_names]
    return found


def _facts(file: Mapping[str, Any]) -> str:
    rows = "" if file["rows"] is None else f"{file['rows']} rows, "
    return f"{rows}{file['bytes']} bytes, sha256 {file['sha256'][:16]}"


def _rows(name: str, wanted: Path, built: Path) -> Compared:
    old, new = pq.ParquetFile(wanted), pq.ParquetFile(built)
    if old.schema_arrow.names != new.schema_arrow.names:
        return Compared(name, "differs", "the columns differ")
    for row, (left, right) in enumerate(zip(_rows_of(old), _rows_of(new), strict=False)):
        if left != right:
            columns = ", ".join(column for column in left if left[column] != right[column])
            return Compared(name, "differs", f"row {row} (id {left['id']}) differs in {columns}")
    if old.metadata.num_rows != new.metadata.num_rows:
        return Compared(
            name, "differs", f"{old.metadata.num_rows} rows were wanted, {new.metadata.num_rows} were built"
        )
    return Compared(name, "differs", "the rows are equal, the content root that one manifest says is not theirs")


def _rows_of(file: Any) -> Any:
    for batch in file.iter_batches(batch_size=1024):
        yield from batch.to_pylist()


def _differences(wanted: Mapping[str, Any], built: Mapping[str, Any]) -> list[str]:
    return [
        f"{part}: {_short(wanted.get(part))} was published, {_short(built.get(part))} is here"
        for part in sorted({*wanted, *built})
        if wanted.get(part) != built.get(part)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 160 else f"{text[:157]}..."
