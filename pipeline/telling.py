"""What the command line says of plans, builds, verifications and proofs, as the values of `look`. Pure; `options.say` prints.

Of single documents speaks `telling_rows`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.harmless import one_line as one_line
from pipeline.harmless import printable as printable
from pipeline.harmless import within as within
from pipeline.look import Fact, Heading, Item, Row, Table, plain
from pipeline.telling_rows import alike, decision, where_dropped

FEW = 12  # tasks that `plan` lists without being asked
OPT_OUT = "opt_out"  # the reason of what an opt-out list keeps out


def pinned(path: Path, lock: Any, changes: Sequence[Any]) -> Iterator[Item]:
    """What a lock pins, and what of it is new."""
    rows = []
    for change in changes:
        word, _, rest = str(change).partition(" ")
        rows.append(Row((word, rest.strip()), {"added": "good", "removed": "bad"}.get(word, "warn")))
    if rows:
        yield Table("<~", tuple(rows))
    size = sum(artifact.size for artifact in lock.artifacts)
    changed = f"{len(changes)} changes" if changes else "unchanged"
    yield f"{path}: {len(lock.artifacts)} artifacts, {size / 1e6:,.1f} MB, {changed}"


def planned(steps: Sequence[Any], every: bool) -> Iterator[Item]:
    """What a build would run, by stage, with why; task by task where `every` or these are few."""
    decided = [step for step in steps if not isinstance(step, str)]
    stages: dict[str, list[Any]] = {}
    for step in decided:
        stages.setdefault(step.task.stage, []).append(step)
    rows = []
    for stage, mine in stages.items():
        whys = Counter(step.why for step in mine if step.run).most_common()
        first = f"{whys[0][1]:,}: {whys[0][0]}" if len(whys) > 1 else whys[0][0] if whys else "all are done"
        rows.append(Row((stage, f"{len(mine):,}", f"{sum(step.run for step in mine):,}", first)))
        rows += [Row(("", "", "", f"{count:,}: {why}")) for why, count in whys[1:]]
    yield Table("<>>~", tuple(rows), ("stage", "tasks", "to run", "why"))
    to_run = [step for step in decided if step.run]
    listed = decided if every else to_run if len(to_run) <= FEW else []
    if listed:
        yield ""
        yield Table("<<~", tuple(
            Row(("run" if step.run else "done", step.task.stage, f"{step.task.name}{': ' * bool(step.why)}{step.why}"))
            for step in listed
        ))  # fmt: skip
    later = [Row(("later", step)) for step in steps if isinstance(step, str)]
    if later:
        yield ""
        yield Table("<~", tuple(later))
    hint = "" if listed or not decided else "; --all lists them"
    yield from ("", f"{len(to_run)} of {len(decided)} tasks would run{hint}")


def summary(built: Any) -> Iterator[Item]:
    """What a finished build says: totals, top reasons, where it is, what to type next."""
    predicate = built.manifest
    totals = predicate["totals"]
    if built.key_made:
        yield f"made a local signing key: {built.key_made} (key id {built.key_id})"
    if not built.ran and not built.changed:
        yield f"nothing to do: {built.tasks} tasks are done and the release is whole ({built.seconds:.1f} s)"
    share = totals["kept"] / totals["read"] if totals["read"] else 0
    artifacts = sum(len(source["artifacts"]) for source in predicate["sources"])
    yield f"{totals['read']:>11,} records read from {artifacts} artifacts of {len(predicate['sources'])} sources"
    yield f"{totals['kept']:>11,} documents kept ({share:.1%}), {totals['text_bytes'] / 1e6:,.1f} MB of text"
    yield f"{totals['dropped']:>11,} dropped, each with its row in the ledger:"
    ordered = sorted(totals["reasons"], key=lambda row: (-row["documents"], row["stage"], row["reason"]))
    rows = [Row((f"{row['documents']:,}", row["stage"], row["reason"])) for row in ordered[:8]]
    if len(ordered) > 8:
        rows.append(Row((f"{sum(row['documents'] for row in ordered[8:]):,}", "", f"{len(ordered) - 8} other reasons")))
    if rows:
        yield Table("><~", tuple(rows), least=13)
    if predicate["policies"]["opt_out"]:
        yield from _kept_out(totals, predicate["policies"]["opt_out"], built.unused)
    size = sum(file["bytes"] for file in predicate["files"])
    place = _short_path(built.out)
    ran = f"{built.seconds:.1f} s, {built.ran} of {built.tasks} tasks ran"
    yield Fact("release", f"{place}  ({len(predicate['files'])} files, {size / 1e6:,.1f} MB, {ran})")
    yield Fact("release id", built.release_id)
    for other in predicate["against"]:
        yield Fact("against", f"{other['name']} {other['version']}, {other['release_id']}")
    yield Fact("next", f"pellucid verify {place}")


def of_build(built: Any) -> dict[str, Any]:
    """The facts of `summary`, for `build --json`."""
    predicate = built.manifest
    return {
        "release": str(built.out), "release_id": built.release_id, "tasks": built.tasks, "ran": built.ran,
        "changed": built.changed, "seconds": round(built.seconds, 3), "totals": predicate["totals"],
        "sources": len(predicate["sources"]),
        "artifacts": sum(len(source["artifacts"]) for source in predicate["sources"]),
        "files": len(predicate["files"]), "bytes": sum(file["bytes"] for file in predicate["files"]),
        "against": list(predicate["against"]), "opt_out": list(predicate["policies"]["opt_out"]),
        "unused_opt_out": list(built.unused), "key_id": built.key_id,
        "key_made": str(built.key_made) if built.key_made else None,
    }  # fmt: skip


def _kept_out(totals: Mapping[str, Any], lists: Sequence[Mapping[str, Any]], unused: Sequence[str]) -> Iterator[Item]:
    """How many records opt-out lists kept out, and which of their lines none: of a misspelt line nobody else tells."""
    records = sum(row["documents"] for row in totals["reasons"] if row["reason"] == OPT_OUT)
    lines = sum(count for one in lists for count in one.values() if isinstance(count, int))
    yield f"{records:>11,} kept out by {lines:,} line{'s' * (lines != 1)} of opt-out lists"
    if unused:
        shown = ", ".join(unused[:5]) + (f" and {len(unused) - 5:,} more" if len(unused) > 5 else "")
        said = f"{len(unused):,} line{'s' * (len(unused) != 1)} of opt-out lists kept nothing out: {shown}"
        yield Fact("WARNING", said, "warn")


def _short_path(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def verified(result: Any) -> Iterator[Item]:
    """Every check, aligned; the failures once more, with file and row; the verdict."""
    from pipeline.trust.findings import OF_BYTES

    rows = [
        Row(("ok" if check.ok else "FALSE", check.name, check.detail if check.ok else _seen(check)),
            "" if check.ok else "bad")
        for check in result.checks
    ]  # fmt: skip
    for name in result.unchecked:
        waived = result.bytes_only and name not in OF_BYTES
        said = "--bytes reads no row" if waived else "it rests on one that failed"
        rows.append(Row(("-", name, f"not made, {said}"), "faint"))
    yield Table("<<~", tuple(rows), least=4)
    if result.reproductions:
        yield from map(one_line, reproductions(result.reproductions))
    if result.failures:
        yield Heading("What failed")
        for check in result.failures:
            yield Fact(check.name, _place(check) or "the release", "bad", 2)
            yield Fact("", check.detail, "", 2)
    yield ""
    yield from ending(result)


def _place(check: Any) -> str:
    return f"{check.file}{'' if check.row is None else f', row {check.row}'}" if check.file else ""


def _seen(check: Any) -> str:
    place = _place(check)
    return f"{place}: {check.detail}" if place else str(check.detail)


def ending(result: Any) -> Iterator[Item]:
    """The last lines of a verification."""
    if not result.ok:
        failed = sum(not check.ok for check in result.checks)
        yield _sentence(f"NOT verified: {failed} of {len(result.checks)} checks failed", "bad")
        return
    totals = result.totals
    if result.differs:
        yield f"L1: every row is the published one; {len(result.differs)} files have other bytes:"
        yield Table("<~", tuple(Row((f"{name}:", what)) for name, what in result.differs.items()), indent=2)
    counted = (
        f"{totals['read']:,} records read = {totals['kept']:,} kept + {totals['dropped']:,} dropped, "
        f"{totals['text_bytes'] / 1e6:,.1f} MB of text"
    )
    if result.bytes_only:
        size = f"{result.files:,} files, {result.bytes / 1e6:,.1f} MB"
        yield _sentence(f"verified, bytes only: {size}, are what was signed. Not counted again: {counted}", "good")
    else:
        yield _sentence(f"verified: {counted}", "good")
    yield Fact("release id", result.release_id)
    yield Fact("signed by", result.key_id)
    yield Fact("vouched by", _voucher(result.vouched_by))


def _sentence(text: str, style: str) -> Table:
    return Table("~", (Row((text,), style),))


def verdict(result: Any) -> str:
    """The last lines of a verification, as text."""
    return "\n".join(plain(ending(result)))


def selected(found: Any) -> Iterator[str]:
    """Which documents a takedown's list names, and which of its lines name none."""
    for identifier, line in sorted(found.documents.items()):
        yield f"removes     {identifier}  by {line}"
    for line in found.unmatched:
        yield f"WARNING: {line} names no document of this release"
    for copy, kept in sorted(found.copies.items()):
        yield f"WARNING: {copy} was dropped as a copy of {kept}, whose text stays: name that too, or give --with-copies"


def taken(done: Any) -> Iterator[str]:
    """What a takedown made, and what its publisher does next."""
    yield f"removed     {done.kept:,} kept and {done.dropped:,} dropped documents; {done.files} files are new"
    yield f"release     {_short_path(done.out)}"
    yield f"release id  {done.release_id}"
    yield f"before      {done.old_release_id}"
    if done.level == "L1":
        yield "L1: every row is the published one, some bytes are not: pellucid verify --content"
    elif done.level == "L0":
        yield "L0: every file has the published bytes"
    else:
        yield f"next        pellucid verify {_short_path(done.out)}, and delete the old release wherever you serve it"
        yield f"            in your log: pellucid log withdraw LOG {done.old_release_id}"
        yield f"                         pellucid log add LOG {_short_path(done.out)}"


def proven(found: Any) -> Iterator[str]:
    """What a proof says, of which release, and by whose word. No value of it can end a line or begin another."""
    for line in _proven(found):
        yield one_line(line)


def _proven(found: Any) -> Iterator[str]:
    kept, dropped, removed = found.counts
    what = {"ids": "id", "urls": "URL", "domains": "domain", "texts": "text with SHA-256"}.get(found.tree or "", "")
    if found.kind == "absent":
        yield f"absent      no document in the release has the {what} {found.asked}"
        if found.tree == "texts":
            yield "            (texts are compared to the byte, with those of kept documents)"
        if found.tree == "domains" and "." not in found.asked and not found.asked.startswith("pkg:"):
            yield "            (a name of one label is a host of that very name: domains are counted down to two labels)"
    elif found.kind == "counted":
        gone = f", {removed:,} removed by a takedown" if removed else ""
        yield f"counted     {kept:,} kept, {dropped:,} dropped{gone} under the {what} {found.asked}"
    else:
        row = found.row
        yield f"{found.fate:12}{row['id']}"
        if row["url"]:
            yield f"url         {row['url']}"
        yield f"artifact    {row['purl']}"
        if found.fate == "dropped":
            yield f"dropped     at {where_dropped(row)}"
            if row["value"] is not None:
                yield f"            {'   '.join(decision(row).cells)}"
            if row["kept_id"]:
                yield f"kept        {row['kept_id']} of {row['kept_source']}, {alike(row)}"
        else:
            yield f"text        {row['text_bytes']:,} bytes, sha256 {row['text_sha256']}"
    yield f"release     {found.name} {found.version}, {found.release_id}"
    yield f"signed by   {found.key_id}"


def reproductions(tally: Any) -> Iterator[str]:
    """Who says that they built a release again; loudest, who says that they could not."""
    for document in tally.documents:
        if document.counts:
            yield f"      reproduced ({document.verdict}) by {document.key_id}: {document.file}"
        elif document.verdict != "differs":
            yield f"      not counted: {document.file} {document.why}"
    for document in tally.differing:
        yield f"WARNING: {document.file} {document.why}; it is signed by {document.key_id}"


def compared(result: Any) -> Iterator[Item]:
    """What a reproduction found: each file's level, the manifest, the level of the whole."""
    yield ""
    yield Table("<~", tuple(
        Row((file.level, f"{file.name}{': ' * bool(file.detail)}{file.detail}"), "bad" if file.level == "differs" else "")
        for file in result.files
    ), least=7)  # fmt: skip
    if result.report:
        yield f"report   {'equal' if result.report.level == 'L0' else f'differs: {result.report.detail}'}"
    yield f"manifest {'equal' if result.same_manifest else 'differs'}: sha256 {result.built}"
    yield from (f"         {difference}" for difference in result.differences)
    verdict = {"L0": "every file has the published bytes", "L1": "every row is equal, some bytes are not",
               "differs": "NOT reproduced"}  # fmt: skip
    yield _sentence(f"{result.level}: {verdict[result.level]}", "bad" if result.level == "differs" else "good")
    if result.report and result.report.level != "L0" and result.same_manifest:
        yield _sentence("but the report, which follows from manifest and rows, is not the published one", "bad")


def handing_in(file: Path, key_id: str, verdict: str) -> Iterator[str]:
    """What a reproduction document is good for, once it is written."""
    yield f"attested    {file}  ({verdict}, signed by {key_id})"
    yield "hand it in  put it into the folder reproductions/ beside the published manifest, and give your public key"
    yield "            to whoever is to count it: pellucid verify RELEASE --reproduced-by 1 --reproducer-key YOUR.pub"


def _voucher(by: str) -> str:
    """Who vouches for the signer, and what that is worth."""
    means = {
        "local": "your own key: it is as you built it",
        "named": "you, who named the key or keep it in the config folder",
    }
    return f"{by} ({means[by]})" if by in means else by
