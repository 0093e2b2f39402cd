"""Is a release what was signed, and does its account add up? From the files alone, and from keys that the caller trusts.

The rules, in the order in which they are kept:
1. Verify before parsing: the signature over the manifest's bytes, then its form; a file's digest, then its rows.
2. What is parsed are the bytes that were verified.
3. Nothing of a release names a key to trust, a folder to read or a file outside the release.
4. Only regular files are read; links, devices and names that are not on the manifest's list are failures themselves.
5. A check that rests on a failed one is not made, and is named as not made.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import (
    balance,
    checkpoint,
    dsse,
    extraction,
    folder,
    index,
    kept_out,
    layout,
    names,
    reproduction,
    run,
    shards,
    tombstones,
    vouch,
)  # fmt: skip
from pipeline.trust import manifest as manifests
from pipeline.trust.findings import CHECKS, Check, Findings, Progress, Verification, failed
from pipeline.trust.intoto import PAYLOAD_TYPE
from pipeline.trust.log import Log
from pipeline.trust.manifest import FileEntry, Manifest
from pipeline.trust.seen import Seen

# Where these fail, not all rows have been read and identified, so nothing can be said of the whole.
FOUNDATIONS = ("schema", "rows", "origins", "ids")


@dataclass(slots=True)
class _State:
    """One verification under way: what was found, which checks were made, and what the earlier ones established."""

    release: Path
    keys: Sequence[Ed25519PublicKey]
    vouchers: vouch.Vouchers
    report: Progress
    asked: reproduction.Asked | None = None
    found: dict[tuple[str, str, str], Check] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    payload: bytes = b""
    release_id: str | None = None
    key_id: str | None = None
    builders: set[str] = field(default_factory=set)  # ids of the keys that signed manifest, checkpoint and run document
    tally: reproduction.Tally | None = None
    vouched_by: str | None = None
    manifest: Manifest | None = None
    content: bool = False
    bytes_only: bool = False
    stated: run.Run | None = None
    differs: dict[str, str] = field(default_factory=dict)

    def make(self, checks: Sequence[str], findings: Findings) -> bool:
        """Make checks, to their end. True if nothing is wrong. Of each check, one finding a file is enough."""
        self.made.extend(checks)
        good = True
        for check in findings:
            good = False
            # Totals have no file of their own: each is its own finding.
            self.found.setdefault((check.name, check.file, check.detail if check.name == "totals" else ""), check)
        return good

    def failed(self, checks: Sequence[str]) -> bool:
        return any(name in checks for name, _, _ in self.found)


def verify(
    release: Path, keys: Sequence[Ed25519PublicKey], *, vouchers: vouch.Vouchers = vouch.EVERYONE,
    report: Progress | None = None, content: bool = False, log: Log | VerificationError | None = None,
    reproduced: reproduction.Asked | None = None, bytes_only: bool = False,
) -> Verification:  # fmt: skip
    """Verify the release in a folder. Faults are parts of the result; raises RecipeError only if there is no folder, or if
    `content` and `bytes_only` are both asked for.

    vouchers: why these keys are trusted, and whose word is enough; a good signature by another one is a fault.
    content: read Parquet files whose bytes are not the published ones, and compare their rows by content root: these are bytes
    that nobody signed, so do it in a process of its own, with bounded memory.
    log: the release log that the release has to be in, or why it does not hold; without one that is not asked.
    `report(what, done, total)` is called as files are hashed and read, with bytes done and bytes in all.
    reproduced: also check that so many of these keys have signed a reproduction.
    bytes_only: read no row. Every byte is what was signed; whether the account adds up is the signer's word.
    """
    if content and bytes_only:
        raise RecipeError("rows are to be compared, and none to be read", hint="either --content or --bytes")
    if not release.is_dir():
        raise RecipeError("there is no such folder", where=str(release), hint="pellucid build RECIPE makes a release")
    state = _State(release, keys, vouchers, report or (lambda what, done, total: None), reproduced)
    state.content, state.bytes_only = content, bytes_only
    if state.make(["signature"], _signature(state)) and state.make(["manifest"], _manifest(state)):
        _contents(state)
        if log is not None:
            state.make(["log"], _logged(state, log))
    waived = {name for name, asked in (("log", log), ("reproduced", reproduced)) if asked is None}
    files = state.manifest["files"] if state.manifest else []
    failures = state.found.values()
    passed = [Check(name, True, CHECKS[name]) for name in state.made if not state.failed([name])]
    order = list(CHECKS)
    return Verification(
        checks=tuple(sorted([*passed, *failures], key=lambda check: order.index(check.name))),
        unchecked=tuple(name for name in CHECKS if name not in state.made and name not in waived),
        release_id=state.release_id,
        key_id=state.key_id,
        vouched_by=state.vouched_by,
        manifest=state.manifest,
        files=len(files),
        bytes=sum(file["bytes"] for file in files),
        differs=state.differs,
        reproductions=state.tally,
        bytes_only=bytes_only,
    )


def _signature(state: _State) -> Findings:
    """The envelope's signature, and that its payload is manifest.json."""
    try:
        data = folder.read(state.release, "manifest.json")
        state.release_id = hashlib.sha256(data).hexdigest()
        envelope = folder.read(state.release, "manifest.dsse.json")
        opened = dsse.open_envelope(envelope, state.keys, PAYLOAD_TYPE, "manifest.dsse.json")
        by = state.vouchers.vouch(opened.key_id, "manifest.dsse.json")
    except VerificationError as error:
        yield _finding("signature", error)
        return
    if opened.payload != data:
        yield failed("signature", "is not the manifest that manifest.dsse.json signs", "manifest.json")
        return
    state.payload, state.key_id, state.vouched_by = opened.payload, opened.key_id, by
    state.builders.add(opened.key_id)


def _manifest(state: _State) -> Findings:
    try:
        state.manifest = manifests.parse(state.payload)
    except VerificationError as error:
        yield _finding("manifest", error)


def _contents(state: _State) -> None:
    """Everything that the manifest speaks of."""
    manifest = state.manifest
    if manifest is None:
        return
    state.make(["checkpoint"], _checkpoint(state, manifest))
    state.make(["run"], _run(state))
    if state.asked:
        state.make(["reproduced"], _reproduced(state, state.asked))
    there = dict(folder.scan(state.release, names.DEPTH))
    listed_names = [file["name"] for file in manifest["files"]]
    listed = state.make(["listing"], folder.listing(there, listed_names))
    if state.stated and there.get(names.REPORT) == "file":
        state.make(["report"], _report(state.release, state.stated))
    files = [file for file in manifest["files"] if there.get(file["name"]) == "file"]
    if state.make(["digests"], _digests(state, files)) and listed and not state.bytes_only:
        _rows(state, manifest)


def _checkpoint(state: _State, manifest: Manifest) -> Findings:
    """The checkpoint's signature, and that it says what the manifest says."""
    name = checkpoint.NAME
    try:
        stated = checkpoint.parse(_opened(state, name).payload, name)
    except VerificationError as error:
        yield _finding("checkpoint", error)
        return
    if stated["release_id"] != state.release_id:
        yield failed("checkpoint", f"is of release {stated['release_id']}, this is {state.release_id}", name)
        return
    for key, said in stated.items():
        if key != "release_id" and said != (known := manifest.get(key)):
            yield failed("checkpoint", f"{key}: it says {said}, the manifest {known}", name)


def _opened(state: _State, name: str) -> dsse.Opened:
    """A signed document of the release; its signer is one of the release's builders. Raises VerificationError."""
    opened = dsse.open_envelope(folder.read(state.release, name), state.keys, PAYLOAD_TYPE, name)
    state.vouchers.vouch(opened.key_id, name)
    state.builders.add(opened.key_id)
    return opened


def _run(state: _State) -> Findings:
    """The run document's signature, and that it is of this release."""
    name = "run.dsse.json"
    try:
        stated = run.parse(_opened(state, name).payload, name)
    except VerificationError as error:
        yield _finding("run", error)
        return
    if stated.release_id != state.release_id:
        yield failed("run", f"is the run of release {stated.release_id}, this is {state.release_id}", name)
    elif state.manifest and (others := run.differences(stated, state.manifest)):
        yield failed("run", "; ".join(others), name)
    else:
        state.stated = stated


def _report(release: Path, stated: run.Run) -> Findings:
    """That the report is the one that the run document names."""
    try:
        seen, _ = folder.digest(release / names.REPORT)
    except OSError as error:
        yield failed("report", f"cannot be read: {error.strerror}", names.REPORT)
        return
    if seen != stated.report:
        yield failed("report", f"has sha256 {seen}, run.dsse.json says {stated.report}", names.REPORT)


def _reproduced(state: _State, asked: reproduction.Asked) -> Findings:
    state.tally = reproduction.judge(asked, str(state.release_id), state.builders)
    if not state.tally.ok:
        yield failed("reproduced", str(state.tally))


def _logged(state: _State, log: Log | VerificationError) -> Findings:
    """That the log holds, and that the release is in it and was not withdrawn. Its signature is checked where it is read."""
    if isinstance(log, VerificationError):
        yield _finding("log", log)
    elif (found := log.find(state.release_id or "")) is None:
        yield failed("log", f"release {state.release_id} is in none of the {log.size} entries of {log.origin}")
    elif found.withdrawn is not None:
        yield failed(
            "log",
            f"the release was withdrawn: entry {found.number} of {log.origin} logs it, entry {found.withdrawn} takes it "
            "back. `pellucid takedown` makes a successor of such a release: use the one that its publisher names",
        )


def _digests(state: _State, files: Sequence[FileEntry]) -> Findings:
    """Size and SHA-256 of every file. Of rows, which have a content root, other bytes may be the same ones."""
    done, total = 0, sum(file["bytes"] for file in files)
    for file in files:
        state.report("digests", done, total)
        try:
            seen, size = folder.digest(state.release / file["name"])
        except OSError as error:
            yield failed("digests", f"cannot be read: {error.strerror}", file["name"])
            continue
        if state.content and file["root"] is not None and seen != file["sha256"]:
            state.differs[file["name"]] = f"has sha256 {seen}, the manifest says {file['sha256']}"
        elif size != file["bytes"]:
            yield failed("digests", f"has {size} bytes, the manifest says {file['bytes']}", file["name"])
        elif seen != file["sha256"]:
            yield failed("digests", f"has sha256 {seen}, the manifest says {file['sha256']}", file["name"])
        done += file["bytes"]
    state.report("digests", done, total)


def _rows(state: _State, manifest: Manifest) -> None:
    """Every row, shard by shard; then what concerns them all."""
    by_row = (
        "schema",
        "rows",
        "order",
        "origins",
        "ids",
        "aligned",
        "texts",
        "decisions",
        "edits",
        "extraction",
        "ledger",
    )
    seen = Seen(kept_out=kept_out.KeptOut(manifest["recipe"]), extractors=extraction.extractors(manifest))
    state.make(by_row, _shards(state, manifest, seen))
    if state.failed(FOUNDATIONS):
        return
    state.make(["unique"], balance.unique(seen))
    state.make(["duplicates"], balance.duplicates(seen, manifest["recipe"]))
    state.make(["opt_out"], iter(seen.opted))
    against = {other["release_id"] for other in manifest["against"]}
    state.make(["witnesses"], balance.witnesses(seen, manifest["recipe"], against))
    state.make(["clusters"], balance.clusters(seen))
    state.make(["removed"], balance.removed(manifest, seen))
    if state.make(["roots"], _roots(manifest, seen)):
        for name in state.differs:
            state.differs[name] = layout.differences(state.release / name, manifest["environment"])
    state.make(["totals"], balance.totals(manifest, seen))


def _roots(manifest: Manifest, seen: Seen) -> Findings:
    """The content root of each file, and the roots of the index trees, from the rows."""
    for file in manifest["files"]:
        root = seen.roots.get(file["name"], b"").hex()
        if file["root"] is not None and root != file["root"]:
            yield failed("roots", f"its rows give content root {root}, the manifest says {file['root']}", file["name"])
    artifacts = index.of_artifacts(
        artifact["purl"] for source in manifest["sources"] for artifact in source["artifacts"]
    )
    for tree, found in index.roots(index.together([artifacts, *seen.entries])).items():
        if manifest["roots"][tree] != found:
            yield failed(
                "roots", f"the rows give {tree} {found}, the manifest says {manifest['roots'][tree]}", "manifest.json"
            )


def _shards(state: _State, manifest: Manifest, seen: Seen) -> Findings:
    done, total = 0, sum(file["bytes"] for file in manifest["files"])
    for entry in manifest["sources"]:
        known = shards.source_of(entry, seen)
        mine = {
            kind: [file for file in manifest["files"] if (file["kind"], file["source"]) == (kind, entry["name"])]
            for kind in names.SHARDS
        }
        for number, (data, kept, dropped, clusters) in enumerate(
            zip(*(mine[kind] for kind in names.PRESENT), strict=True)
        ):
            state.report("rows", done, total)
            gone = tombstones.Tombstones()
            if mine["removed"]:
                gone = yield from shards.removed_shard(state.release, entry, known, mine["removed"][number], seen)
            yield from shards.kept_shard(state.release, entry, known, data, kept, gone, seen)
            yield from shards.dropped_shard(state.release, entry, known, dropped, gone, seen)
            yield from shards.clusters_shard(state.release, entry, clusters, gone, seen)
            done += sum(file["bytes"] for file in (data, kept, dropped, clusters))
    state.report("rows", total, total)


def _finding(name: str, error: VerificationError) -> Check:
    wanted = f" (wanted: {error.wanted})" if error.wanted else ""
    hint = f"; {error.hint}" if error.hint else ""
    return failed(name, f"{error.seen}{wanted}{hint}", error.where)
