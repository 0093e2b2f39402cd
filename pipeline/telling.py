"""What the command line says of builds, verifications and documents, as lines. Pure; `cli` prints them."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

OPT_OUT = "opt_out"  # the reason of what an opt-out list keeps out


def summary(built: Any) -> Iterator[str]:
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
    for row in ordered[:8]:
        yield f"{row['documents']:>13,}  {row['stage']:8} {row['reason']}"
    if len(ordered) > 8:
        rest = sum(row["documents"] for row in ordered[8:])
        yield f"{rest:>13,}  {len(ordered) - 8} other reasons"
    if predicate["policies"]["opt_out"]:
        yield from _kept_out(totals, predicate["policies"]["opt_out"], built.unused)
    size = sum(file["bytes"] for file in predicate["files"])
    place = _short_path(built.out)
    ran = f"{built.seconds:.1f} s, {built.ran} of {built.tasks} tasks ran"
    yield f"release     {place}  ({len(predicate['files'])} files, {size / 1e6:,.1f} MB, {ran})"
    yield f"release id  {built.release_id}"
    for other in predicate["against"]:
        yield f"against     {other['name']} {other['version']}, {other['release_id']}"
    yield f"next        pellucid verify {place}"


def _kept_out(totals: Mapping[str, Any], lists: Sequence[Mapping[str, Any]], unused: Sequence[str]) -> Iterator[str]:
    """How many records opt-out lists kept out, and which of their lines none: of a misspelt line nobody else tells."""
    records = sum(row["documents"] for row in totals["reasons"] if row["reason"] == OPT_OUT)
    lines = sum(count for one in lists for count in one.values() if isinstance(count, int))
    yield f"{records:>11,} kept out by {lines:,} line{'s' * (lines != 1)} of opt-out lists"
    if unused:
        shown = ", ".join(unused[:5]) + (f" and {len(unused) - 5:,} more" if len(unused) > 5 else "")
        yield f"WARNING     {len(unused):,} line{'s' * (len(unused) != 1)} of opt-out lists kept nothing out: {shown}"


def _short_path(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def verdict(result: Any) -> str:
    """The last lines of a verification."""
    if not result.ok:
        return f"NOT verified: {sum(not check.ok for check in result.checks)} of {len(result.checks)} checks failed"
    totals = result.totals
    level = ""
    if result.differs:
        shown = "".join(f"\n  {name}: {one_line(what)}" for name, what in result.differs.items())
        level = f"L1: every row is the published one; {len(result.differs)} files have other bytes:{shown}\n"
    counted = (
        f"{totals['read']:,} records read = {totals['kept']:,} kept + {totals['dropped']:,} dropped, "
        f"{totals['text_bytes'] / 1e6:,.1f} MB of text"
    )
    said = f"verified: {counted}"
    if result.bytes_only:
        said = (
            f"verified, bytes only: {result.files:,} files, {result.bytes / 1e6:,.1f} MB, are what was signed. "
            f"Not counted again: {counted}"
        )
    return (
        f"{level}{said}\nrelease id {result.release_id}\n"
        f"signed by  {result.key_id}\nvouched by {_voucher(result.vouched_by)}"
    )


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
            yield f"dropped     at {row['stage']}: {row['reason']}{' (' + row['detail'] + ')' if row['detail'] else ''}"
            if row["value"] is not None:
                yield f"            {_decision(row)}"
            if row["kept_id"]:
                yield f"kept        {row['kept_id']} of {row['kept_source']}, {_alike(row)}"
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


def story(told: Any) -> Iterator[str]:
    """A document's story: origin, pointer, licence, decisions, and where it ended."""
    row = told.row
    yield f"{told.fate:12}{told.id}"
    yield f"source      {row['source']}   licence of the text: {told.license}"
    if told.fate == "removed":
        yield f"artifact    {row['purl']}"
        yield f"            sha256 {row['artifact_sha256']}"
        yield f"removed     by a takedown; it was {row['fate']}"
        yield f"stands in   {told.shard}, row {told.position}"
        return
    if row["url"]:
        yield f"url         {row['url']}"
    yield f"artifact    {row['purl']}"
    yield f"            sha256 {row['artifact_sha256']}"
    place = ", ".join(
        f"{name} {row[name]}" for name in ("member", "offset", "length", "record", "path") if row[name] is not None
    )
    yield f"pointer     {place}"
    if row["record_hmac"]:
        yield f"record      {row['record_bytes']:,} bytes, hmac {row['record_hmac']}"
    if row["text_hmac"]:
        digest = f"sha256 {row['text_sha256']}" if told.fate == "kept" else f"hmac {row['text_hmac']}"
        yield f"text        {row['text_bytes']:,} bytes, {digest}, read as {row['charset']}"
    for edit in row["edits"]:
        spans = "" if edit["spans"] is None else f" in {edit['spans']:,} spans"
        yield f"edited      by {edit['edit']}: {edit['characters']:,} characters fewer{spans}"
        yield f"            hmac before {edit['before_hmac']}"
    if row["language"]:
        yield f"language    {row['language']} ({row['language_score'] / 1e6:.3f})"
    for decision in row["decisions"]:
        yield f"  {_decision(decision)}"
    if told.fate == "kept":
        yield f"stands in   {told.shard}, row {told.position}"
    else:
        yield f"dropped     at {row['stage']}: {row['reason']}{' (' + row['detail'] + ')' if row['detail'] else ''}"
        yield f"ledger      {told.shard}, row {told.position}"
    if told.kept_instead:
        kept = told.kept_instead
        yield f"kept        {kept['id']} of {kept['source']}, {_alike(row)}"
        yield f"            {kept['url']}"
    if told.kept_elsewhere:
        other = told.kept_elsewhere
        yield f"kept        {row['kept_id']} of {row['kept_source']}, {_alike(row)}"
        yield f"            in another release, {other['name']} {other['version']}: {other['release_id']}"


def _alike(row: Mapping[str, Any]) -> str:
    """How like a dropped document is to the kept one, and in how many bands the two met."""
    met = "" if row["bands"] is None else f", {row['bands']} band{'s' * (row['bands'] != 1)} in common"
    return f"similarity {row['similarity'] / 1e6:.3f}{met}"


def rejudged(found: Any) -> Iterator[str]:
    """What other rules would change: totals by source, then every change of fate, with an example."""
    width = max(len(name) for name in ("all sources", *found.before))
    yield f"{'':{width}}  {'kept':>11} {'would be':>11} {'change':>9}"
    totals = [("all sources", sum(found.before.values()), sum(found.after.values()))]
    for name, before, after in [*((name, found.before[name], found.after[name]) for name in found.before), *totals]:
        share = f"{(after - before) / before:+.1%}" if before else ""
        yield f"{name:{width}}  {before:>11,} {after:>11,} {share:>9}"
    together: dict[tuple[str, str], list[int]] = {}
    for change in found.changes:
        documents, size = together.setdefault((change.old, change.new), [0, 0])
        together[change.old, change.new] = [documents + change.documents, size + change.bytes]
    if together:
        yield from ("", "all sources")
        for (old, new), (documents, size) in sorted(together.items(), key=lambda item: (-item[1][0], item[0])):
            yield _change(old, new, documents, size)
    source = None
    for change in found.changes:
        if change.source != source:
            source = change.source
            yield from ("", source)
        yield f"{_change(change.old, change.new, change.documents, change.bytes)}   {change.example}"
    if not found.changes:
        yield ""
        yield "no document would change its fate"
    if found.unanswered:
        yield ""
        yield "not answered here, it needs a build:"
        for difference in found.unanswered:
            yield f"  {difference}"


def _change(old: str, new: str, documents: int, size: int) -> str:
    return f"{documents:>11,}  {f'{old} -> {new}':62} {size / 1e6:>9,.2f} MB"


def _decision(decision: Any) -> str:
    value, low, high = (
        decision[key] if decision[key] is None else decision[key] / 1e6 for key in ("value", "low", "high")
    )
    fails = (low is not None and value < low) or (high is not None and value > high)
    bounds = [f"{word} {_number(bound)}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return f"{'FAIL' if fails else 'ok  '} {decision['reason']:30} {_number(value):>12}   {', '.join(bounds)}"


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:.4g}"


def one_line(text: str) -> str:
    """Text as it may stand within a line: what could end the line or move on it stands as an escape."""
    return printable("".join(_escape(character) if character in _ENDS else character for character in text))


def within(text: str, indent: str = "      ") -> str:
    """Somebody else's words after ours: nothing in them moves on the terminal, and no line of them begins where ours do."""
    return printable(text).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\n", f"\n{indent}")


def printable(text: str) -> str:
    """Text of a corpus as a terminal may show it: control characters but newline and tab stand as escapes."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else _escape(character)
        for character in text
    )


_ENDS = frozenset("\n\t\u2028\u2029")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
