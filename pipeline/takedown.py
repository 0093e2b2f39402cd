"""Takedown: the next release without some documents, made from a release in seconds and without building it again.

Rows go; of each removed document its id and the hashes of its leaves stay (`trust.tombstones`), so that every other document's
proof still holds, and every record is still accounted for, now as dropped by stage `takedown`. Nothing says who asked, or why.
The recipe, lock and code of the manifest stay: they say how the first release was made. `policies.takedown` says what was
removed from which release, so that whoever has the old one can do the same (`apply`), and `reproduce` too.
"""

import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline import code
from pipeline.errors import RecipeError, VerificationError
from pipeline.inspection import report
from pipeline.release import documents, removal, survey
from pipeline.release.croissant import with_files
from pipeline.release.links import link
from pipeline.trust import checkpoint, dsse, extraction, index, keys, machine, manifest, published, run
from pipeline.trust.lists import Names
from pipeline.trust.names import REPORT
from pipeline.trust.prove import Release, names
from pipeline.trust.seen import TAKEDOWN
from pipeline.trust.signers import Signer
from pipeline.trust.verify import verify

DOCUMENTS = ("manifest.json", "manifest.dsse.json", checkpoint.NAME, "run.dsse.json")


@dataclass(frozen=True, slots=True)
class Selected:
    """Which documents a list names: id to the line that names it; `unmatched` lines; `copies`: of a named duplicate the id of
    the kept document that it was dropped for, where that one is not named itself."""

    documents: Mapping[str, str]
    unmatched: tuple[str, ...]
    copies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """A release without some documents. `files`: how many of its files are other than before. `level`: of one that was made
    after a published one, whether it has its bytes (L0) or its rows (L1)."""

    out: Path
    release_id: str
    old_release_id: str
    kept: int
    dropped: int
    files: int
    level: str | None = None


def select(release: Release, listed: Names, with_copies: bool = False) -> Selected:
    """The documents of a release that a list names; `with_copies`: and those that they are copies of. Raises RecipeError."""
    found: dict[str, str] = {}
    copies: dict[str, str] = {}
    for fate, rows in names(release.folder, release.manifest["files"], ("kept_id",)):
        texts = rows.column("text_sha256").to_pylist() if fate == "kept" else [None] * len(rows)
        witnesses = rows.column("kept_id").to_pylist() if fate == "dropped" else [None] * len(rows)
        columns = (rows.column(name).to_pylist() for name in ("id", "url", "purl"))
        for identifier, url, purl, text, kept in zip(*columns, texts, witnesses, strict=True):
            line = listed.why(identifier, url, purl, text)
            if line is not None:
                found[identifier] = line
                if kept is not None:
                    copies[identifier] = kept
    if not found:
        raise RecipeError(
            "the list names no document of this release", where=str(release.folder),
            hint="pellucid show RELEASE ID_OR_URL finds a document; what is not in it yet can be named in a recipe's opt_out",
        )  # fmt: skip
    if with_copies:
        found |= {kept: f"id:{kept}" for kept in copies.values() if kept not in found}
    used = set(found.values())
    return Selected(
        found,
        tuple(line for line in listed.to_json() if line not in used),
        {copy: kept for copy, kept in copies.items() if kept not in found},
    )


def make(
    folder: Path, out: Path, ids: Collection[str], key: Signer, trusted: Sequence[Ed25519PublicKey], started: float
) -> Taken:
    """The release in `folder` without these documents, in `out`, signed. Raises VerificationError, RecipeError."""
    old = _verified(folder, trusted)
    wanted = sorted(ids)
    with _staging(out) as staging:
        statement, counts = _rewrite(
            old.folder, staging, old.manifest, wanted,
            [*old.manifest["policies"]["takedown"],
             {"release_id": old.signed["release_id"], "code_sha256": manifest.code_sha256(code.PACKAGE), "ids": wanted}],
        )  # fmt: skip
        release_id = hashlib.sha256(statement).hexdigest()
        predicate = manifest.parse(statement)
        page = report.page(lambda name: staging / name, predicate, release_id, keys.key_id(key.public_key()))
        (staging / REPORT).write_bytes(page)
        stated = run.run_statement(
            predicate, release_id=release_id, report=hashlib.sha256(page).hexdigest(), started=started,
            finished=time.time(), seconds={}, workers=1, used=machine.used(),
        )  # fmt: skip
        signed = checkpoint.signed_with(statement, key)
        signed["run.dsse.json"] = dsse.sign(stated, manifest.PAYLOAD_TYPE, key)
        for name in DOCUMENTS:
            (staging / name).write_bytes(signed[name])
    return Taken(out, release_id, old.signed["release_id"], *counts)


def apply(folder: Path, folder_of_new: Path, out: Path, trusted: Sequence[Ed25519PublicKey]) -> Taken:
    """What `make` made of another copy of the release in `folder`: the same removals, and the published documents beside them.

    `folder_of_new`: with the new release's DOCUMENTS. Raises VerificationError where the outcome has other rows, or its card,
    summary or Croissant are other ones.
    """
    old = _verified(folder, trusted)
    opened = published.read(folder_of_new, trusted)
    new = opened.manifest
    takedowns = new["policies"]["takedown"]
    steps = [number for number, step in enumerate(takedowns) if step["release_id"] == old.signed["release_id"]]
    if not steps:
        seen = ", ".join(step["release_id"] for step in takedowns) or "no release"
        raise VerificationError(
            f"it was made from {seen}", wanted=f"a takedown from {old.signed['release_id']}", where=str(folder_of_new)
        )
    ids = sorted({identifier for step in takedowns[steps[0] :] for identifier in step["ids"]})
    with _staging(out) as staging:
        statement, counts = _rewrite(old.folder, staging, old.manifest, ids, takedowns)
        level = _same(manifest.parse(statement), new)
        _as_published(staging, folder_of_new, new["files"])
        for name in DOCUMENTS:
            try:
                shutil.copyfile(folder_of_new / name, staging / name)
            except OSError as error:
                raise RecipeError(f"cannot be read: {error.strerror}", where=str(folder_of_new / name)) from error
        (staging / REPORT).write_bytes(_published_report(opened, folder_of_new, staging, trusted))
    return Taken(out, opened.release_id, old.signed["release_id"], *counts, level)


def again(folder: Path, out: Path, takedowns: Sequence[Mapping[str, Any]]) -> bytes:
    """For `reproduce`: `folder`'s release without what these takedowns removed, unsigned, in `out`; its manifest's bytes."""
    base = manifest.parse((folder / "manifest.json").read_bytes())
    ids = sorted({identifier for step in takedowns for identifier in step["ids"]})
    shutil.rmtree(out, ignore_errors=True)
    with _staging(out) as staging:
        statement, _ = _rewrite(folder, staging, base, ids, takedowns)
        (staging / "manifest.json").write_bytes(statement)
    return statement


def _verified(folder: Path, trusted: Sequence[Ed25519PublicKey]) -> Release:
    """A release of which every check holds: what is wrong already is not to be signed again."""
    result = verify(folder, trusted)
    if not result.ok:
        raise VerificationError(
            f"the release does not verify: {(result.failures or ('?',))[0]}", where=str(folder),
            hint=f"pellucid verify {folder}",
        )  # fmt: skip
    return Release(folder, trusted)


def _rewrite(
    folder: Path, out: Path, old: manifest.Manifest, ids: Sequence[str], takedowns: Iterable[Mapping[str, Any]]
) -> tuple[bytes, tuple[int, int, int]]:
    """Write a release's files without some documents. Returns the manifest's bytes; how many were kept and dropped; files."""
    files: list[dict[str, Any]] = []
    written: set[str] = set()
    sources: list[dict[str, Any]] = []
    kept = dropped = 0
    for source in old["sources"]:
        counts, reasons, size, pages = [0, 0], Counter[tuple[str, str]](), 0, []
        for shard in _shards(old["files"], source["name"]):
            done = removal.remove(folder, out, shard, ids)
            files += done.files
            written |= done.written
            counts = [counts[0] + done.kept, counts[1] + done.dropped.total()]
            reasons.update(done.dropped)
            size += done.text_bytes
            pages.append(done.extraction)
        taken = {
            "text_bytes": source["text_bytes"] - size,
            "extraction": extraction.less(source["extraction"], extraction.summed(pages)),
        }
        sources.append({**_source(source, counts[0], reasons), **taken})
        kept, dropped = kept + counts[0], dropped + counts[1]
    removed = kept + dropped
    if removed != len(ids):
        raise RecipeError(f"{removed} of {len(ids)} documents were found in {folder}", where="takedown")
    for file in files:
        if file["name"] not in written:
            link(folder / file["name"], out / file["name"])
    totals = manifest.sum_totals(sources)
    made = survey.documents_of(out, old["recipe"], totals, sources, files, old["against"])
    for name, data in made.items():
        (out / name).write_bytes(data)
    files += documents.entries(made)
    statement = manifest.statement(
        recipe=old["recipe"], lock=old["lock"], code=old["code"], environment=old["environment"],
        extractors=old["extractors"], stages=old["stages"],
        sources=sources, files=files, index=_index(out, files, sources), against=old["against"],
        policies={**old["policies"], "takedown": [dict(step) for step in takedowns]},
    )  # fmt: skip
    return statement, (kept, dropped, len(written) + len(made))


def _published_report(
    opened: published.Published, folder_of_new: Path, staging: Path, trusted: Sequence[Ed25519PublicKey]
) -> bytes:
    """The report that the run document in `staging` names: made from the rows there; where other code makes other bytes, the
    one that lies beside the published documents. Raises VerificationError where neither is it."""
    where = str(folder_of_new / "run.dsse.json")
    signed = dsse.open_envelope((staging / "run.dsse.json").read_bytes(), trusted, manifest.PAYLOAD_TYPE, where)
    wanted = run.parse(signed.payload, where).report
    page = report.page(lambda name: staging / name, opened.manifest, opened.release_id, opened.key_id)
    if hashlib.sha256(page).hexdigest() == wanted:
        return page
    beside = folder_of_new / REPORT
    if beside.is_file() and hashlib.sha256(page := beside.read_bytes()).hexdigest() == wanted:
        return page
    raise VerificationError(
        f"this code makes another report of these rows than the one with sha256 {wanted}", where=where,
        hint=f"put the published {REPORT} beside the other documents, or use the version of Pellucid that made it: "
        f"{opened.manifest['code']['version']}",
    )  # fmt: skip


def _shards(files: Sequence[Mapping[str, Any]], source: str) -> list[dict[str, Mapping[str, Any]]]:
    """The entries of each shard of a source, by kind."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for file in files:
        if file["source"] == source:
            found.setdefault(file["name"].rpartition("-of-")[0].rpartition("-")[2], {})[file["kind"]] = file
    return [found[number] for number in sorted(found)]


def _source(source: Mapping[str, Any], kept: int, dropped: Counter[tuple[str, str]]) -> dict[str, Any]:
    """What the manifest says of a source's records, after so many of its kept and dropped documents were removed."""
    reasons = Counter({(row["stage"], row["reason"]): row["documents"] for row in source["reasons"]})
    reasons.subtract(dropped)
    reasons[TAKEDOWN] += kept + dropped.total()
    return {
        **source,
        "kept": source["kept"] - kept,
        "dropped": source["dropped"] + kept,
        "reasons": [
            {"stage": stage, "reason": reason, "documents": count}
            for (stage, reason), count in sorted(reasons.items())
            if count
        ],
    }


def _index(out: Path, files: Sequence[Mapping[str, Any]], sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The roots of the index trees."""
    parts = [index.of_artifacts(artifact["purl"] for source in sources for artifact in source["artifacts"])]
    for fate, rows in names(out, files):
        digests = bytes.fromhex("".join(rows.column("text_sha256").to_pylist())) if fate == "kept" else b""
        columns = ["id"] if fate == "removed" else list(index.COLUMNS)
        parts.append(index.of_rows(fate, rows.select(columns), digests))
    return dict(index.roots(index.together(parts)))


def _same(made: manifest.Manifest, published: manifest.Manifest) -> str:
    """L0 if all files are the published ones, L1 if all rows are. Raises VerificationError where one has other rows."""
    wanted = {file["name"]: file for file in published["files"]}
    mine = {file["name"]: file for file in made["files"]}
    for name in sorted({*wanted, *mine}):
        one, other = wanted.get(name), mine.get(name)
        if one is None or other is None or (one["root"], one["rows"]) != (other["root"], other["rows"]):
            raise VerificationError(
                "the same removals give other rows than were published", where=name,
                hint="this copy and the published release were not the same, though both verify: tell its publisher",
            )  # fmt: skip
    return "L0" if all(wanted[name]["sha256"] == mine[name]["sha256"] for name in wanted) else "L1"


def _as_published(staging: Path, folder_of_new: Path, files: Sequence[Mapping[str, Any]]) -> None:
    """Let the card, the summary and Croissant be those of the manifest: as they were made, Croissant with the published files'
    digests, or as they lie beside the manifest. Raises VerificationError where none of these is.
    """
    for file in files:
        if file["rows"] is not None:
            continue
        made = (staging / file["name"]).read_bytes()
        known = [made, with_files(made, files)] if file["kind"] == "croissant" else [made]
        beside = folder_of_new / file["name"]
        known += [beside.read_bytes()] if beside.is_file() else []
        data = next((data for data in known if hashlib.sha256(data).hexdigest() == file["sha256"]), None)
        if data is None:
            raise VerificationError(
                "this version of Pellucid makes another one than was published", where=str(file["name"]),
                hint=f"put the published file into {folder_of_new}, beside the manifest",
            )  # fmt: skip
        (staging / file["name"]).write_bytes(data)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes it, or goes away if anything fails. Raises RecipeError where something is there."""
    if out.exists():
        raise RecipeError("there is something already", where=str(out), hint="name another folder with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    above = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        staging = above / out.name
        staging.mkdir()
        yield staging
        staging.rename(out)
    finally:
        shutil.rmtree(above, ignore_errors=True)
