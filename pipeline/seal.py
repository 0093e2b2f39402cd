"""From records to a release: documents, manifest, its signature, the report, and the rename that makes it appear.

The manifest holds nothing of the moment or the machine; those are in the run document beside it, which names the report.
"""

import hashlib
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import code
from pipeline.against import Other
from pipeline.engine.execute import STAGES, task_folder
from pipeline.errors import TaskError, VerificationError
from pipeline.inspection import report
from pipeline.lock import Lock
from pipeline.plan import TaskRecord
from pipeline.recipe import Recipe
from pipeline.release import documents, tally
from pipeline.release.links import link
from pipeline.trust import checkpoint, dsse, extraction, keys, machine, manifest, names, signers
from pipeline.trust import run as runs
from pipeline.trust.signers import Signer


@dataclass(frozen=True, slots=True)
class Run:
    """What the run document says of a build, beside the machine: start (since 1970), seconds a stage, workers, engine."""

    started: float
    seconds: Mapping[str, float]
    workers: int
    engine: str = "local"


@dataclass(frozen=True, slots=True)
class Sealed:
    release_id: str
    key_id: str
    key_made: Path | None
    manifest: Mapping[str, Any]
    changed: bool


def seal(
    recipe: Recipe,
    lock: Lock,
    others: Sequence[Other],
    curated: Sequence[TaskRecord],
    candidates: TaskRecord,
    written: Sequence[TaskRecord],
    trees: TaskRecord,
    run: Run,
    work: Path,
    out: Path,
    key: Path | Signer | None,
) -> Sealed:
    """Write the release to `out` unless it is there already, byte for byte."""
    skipped = candidates.result["skipped"]
    sources = [
        {**_source(recipe, lock, spec.name, curated, written), "skipped_pairs": skipped[spec.name]}
        for spec in recipe.sources
    ]
    totals = _totals(sources)
    shards = _shards(work, written)
    files = [{key: value for key, value in shard.items() if key != "path"} for shard in shards]
    made = _documents(recipe, totals, sources, files, others, written)
    files += documents.entries(made)
    statement = manifest.statement(
        recipe=recipe.canonical(),
        lock=lock.to_json(),
        against=[other.to_json() for other in others],
        code={"package": "pellucid", "version": code.package_version(), "sha256": manifest.code_sha256(code.PACKAGE)},
        environment={
            "requirements_sha256": code.requirements_sha256(),
            "packages": {**code.libraries(), **code.extractor_libraries(recipe), **code.filter_libraries(recipe)},
        },
        extractors=_extractors(recipe),
        stages=[{"name": stage, "code_sha256": code.stage_sha256(module)} for stage, module in STAGES.items()],
        totals=totals,
        sources=sources,
        files=files,
        index=trees.result["roots"],
    )
    private, new_key = signers.signing_key(key)
    key_id = keys.key_id(private.public_key())
    signed = checkpoint.signed_with(statement, private)
    release_id = hashlib.sha256(statement).hexdigest()
    document = manifest.parse(statement)
    if _is_there(out, {**signed, **made}, shards) and _is_reported(out, private):
        return Sealed(release_id, key_id, new_key, document, False)
    staging = work / "staging"
    shutil.rmtree(staging, ignore_errors=True)
    for shard in shards:
        link(shard["path"], staging / shard["name"])
    for name, data in {**signed, **made}.items():
        (staging / name).write_bytes(data)
    page = report.page(lambda name: staging / name, document, release_id, key_id)
    (staging / names.REPORT).write_bytes(page)
    stated = runs.run_statement(
        document, release_id=release_id, report=hashlib.sha256(page).hexdigest(), started=run.started,
        finished=time.time(), seconds=run.seconds, workers=run.workers, engine=run.engine, used=machine.used(),
    )  # fmt: skip
    (staging / "run.dsse.json").write_bytes(dsse.sign(stated, manifest.PAYLOAD_TYPE, private))
    _swap(staging, out, work / "replaced")
    return Sealed(release_id, key_id, new_key, document, True)


def _documents(
    recipe: Recipe, totals: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]],
    others: Sequence[Other], written: Sequence[TaskRecord],
) -> dict[str, bytes]:  # fmt: skip
    """The card, the summary and the Croissant description, from what the write tasks counted."""
    counted = [tally.Tally(record.result["languages"], record.result["publishers"]) for record in written]
    return documents.documents(
        documents.Facts(
            recipe.canonical(), totals, sources, files, [other.to_json() for other in others],
            written[0].result["columns"], tally.together(counted),
        )
    )  # fmt: skip


def _shards(work: Path, written: Sequence[TaskRecord]) -> list[dict[str, Any]]:
    """Every Parquet file of the release: what the manifest says of it, and `path`, where the write task left it."""
    shards = []
    for record in written:
        outputs = {output.name: output for output in record.outputs}
        for file in record.result["files"]:
            output = outputs[file["name"]]
            path = task_folder(work, record.task) / output.name
            shards.append({**file, "sha256": output.sha256, "bytes": output.bytes, "path": path})
    return shards


def _source(
    recipe: Recipe, lock: Lock, name: str, curated: Sequence[TaskRecord], written: Sequence[TaskRecord]
) -> dict[str, Any]:
    """Totals of one source. Raises TaskError where records read are not records kept plus dropped."""
    spec = next(source for source in recipe.sources if source.name == name)
    read = {r.task.parameters["artifact"]["sha256"]: r.result["read"] for r in curated if _is_of(r, name)}
    results = [record.result for record in written if _is_of(record, name)]
    kept, dropped = (sum(result[what] for result in results) for what in ("kept", "dropped"))
    if sum(read.values()) != kept + dropped:
        raise TaskError(
            f"{sum(read.values())} records were read, but {kept} kept and {dropped} dropped",
            where=f"source {name}",
            wanted="every record read to end as one row",
            hint="this is a fault of Pellucid: please report it with the recipe and its lock",
        )
    artifacts = [
        {
            "purl": artifact.purl, "file": artifact.file, "size": artifact.size, "sha256": artifact.sha256,
            "read": read[artifact.sha256], "evidence": [asdict(evidence) for evidence in artifact.evidence],
        }
        for artifact in lock.artifacts
        if artifact.source == name
    ]  # fmt: skip
    return {
        "name": name,
        "license": spec.license,
        "read": sum(read.values()),
        "kept": kept,
        "dropped": dropped,
        "text_bytes": sum(result["text_bytes"] for result in results),
        "extraction": extraction.summed(result["extraction"] for result in results),
        "reasons": _reasons(results),
        "artifacts": artifacts,
    }


def _extractors(recipe: Recipe) -> list[dict[str, Any]]:
    """What the manifest says of each extractor that the recipe's sources ask for."""
    asked = sorted({*recipe.extractors().values()})
    if not asked:
        return []
    from pipeline.formats import html_text

    own = html_text.extractor_identity()
    known = {
        "default": {**own, "model_sha256": own["model_sha256"] or None},
        "all_text": {"name": "all_text", "version": html_text.VERSION, "model_sha256": None},
    }
    versions = code.extractor_libraries(recipe)
    return [
        known[name] if name in known else {"name": name, "version": versions[name], "model_sha256": None}
        for name in asked
    ]


def _is_of(record: TaskRecord, source: str) -> bool:
    return bool(record.task.parameters["source"] == source)


def _totals(sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    totals: dict[str, Any] = {
        what: sum(source[what] for source in sources) for what in ("read", "kept", "dropped", "text_bytes")
    }
    totals["extraction"] = extraction.summed(source["extraction"] for source in sources)
    totals["reasons"] = _reasons(sources)
    return totals


def _reasons(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    count: Counter[tuple[str, str]] = Counter()
    for result in results:
        for row in result["reasons"]:
            count[row["stage"], row["reason"]] += row["documents"]
    return [
        {"stage": stage, "reason": reason, "documents": number} for (stage, reason), number in sorted(count.items())
    ]


def _is_there(out: Path, wanted: Mapping[str, bytes], shards: Sequence[Mapping[str, Any]]) -> bool:
    """Whether `out` holds this very release already: nothing missing, nothing changed, nothing beside it."""
    files = {*wanted, *names.OWN_FILES, *(shard["name"] for shard in shards)}
    if {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()} != files:
        return False
    if any((out / name).read_bytes() != data for name, data in wanted.items()):
        return False
    return all(_same(out / shard["name"], shard) for shard in shards)


def _is_reported(out: Path, key: Signer) -> bool:
    """Whether the report is what a run document says that this key has signed: then it was written here, of this release."""
    try:
        opened = dsse.open_envelope((out / "run.dsse.json").read_bytes(), [key.public_key()], manifest.PAYLOAD_TYPE)
        stated = runs.parse(opened.payload)
    except VerificationError:
        return False
    return (stated.release_id, stated.report) == (_sha256(out / "manifest.json"), _sha256(out / names.REPORT))


def _same(path: Path, shard: Mapping[str, Any]) -> bool:
    """A hard link to the write task's output, which the plan has checked, or a file with its digest."""
    if path.samefile(shard["path"]):
        return True
    return bool(_sha256(path) == shard["sha256"])


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _swap(staging: Path, out: Path, replaced: Path) -> None:
    """Put the staged release in place. Killed between the renames, the next build puts it there again."""
    shutil.rmtree(replaced, ignore_errors=True)
    if out.exists():
        out.rename(replaced)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(out)
    shutil.rmtree(replaced, ignore_errors=True)
