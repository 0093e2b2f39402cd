"""What `pellucid diff` says, as lines of at most `width` columns. Pure; the command prints them.

A line that begins without a space is a heading, or one of the first lines. No value of a release can end a line.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.telling import one_line

SHOWN = 40  # groups of documents and artifacts a list; the rest is summed up
REASONS = 8  # artifacts, sources or edits under a group of documents
EXAMPLES = 10
REPLACING = ("version", "digest")  # changes of the lock: of another version of a package
SAYS = {
    "text": "kept in both, the text is another",
    "moved": "in another source",
    "copy": "a copy of another document",
    "values": "the same fate and text, other values in the row",
    "judged": "the same fate and text, judged by other bounds or rules",
}
COUNTS = {
    "read": "read", "kept": "kept", "dropped": "dropped", "text_bytes": "bytes of text",
    "visible_characters": "visible on pages", "kept_characters": "kept of pages",
}  # fmt: skip
REPLACED = {
    "same": "text equal",
    "changed": "text changed",
    "unknown": "texts cannot be compared",
    "come": "only in B",
    "gone": "only in A",
}


def lines(found: Any, width: int = 80) -> Iterator[str]:
    """The whole answer, the most important first."""
    for letter, side in (("A", found.a), ("B", found.b)):
        yield from wrapped(f"{letter}  {side.title}  {side.path}", 3, width, first=0)
        yield f"   {side.release_id}"
    yield from _verdict(found, width)
    for title, changes in (("recipe", (*found.labels, *found.recipe)), ("environment", found.environment)):
        if changes:
            yield from ("", title)
            for change in changes:
                yield from _change(change, width)
    if found.lock:
        yield from ("", "lock")
        yield from _lock(found.lock, width)
    if found.code:
        yield from ("", "code")
        yield from _code(found.code, width)
    if found.policies:
        yield from ("", "policies")
        for change in found.policies:
            yield from _policy(change, width)
    if found.totals:
        yield ""
        yield from _totals(found.totals)
    if found.rows is not None:
        yield from _documents(found, width)
    for path in found.needs_rows:
        yield ""
        yield from wrapped(
            f"Which documents differ, and why, needs the provenance rows, and {path} has not all of them: give the whole "
            "release. All above is from the manifests.", 0, width,
        )  # fmt: skip
    yield ""
    yield from wrapped("Signatures are not verified here: pellucid verify RELEASE", 0, width)


def _verdict(found: Any, width: int) -> Iterator[str]:
    if found.a.release_id == found.b.release_id:
        yield "the same release"
    elif found.same:
        yield "two releases of the same corpus: every row is the same"
    else:
        sources = list(dict.fromkeys(source for own in found.differing.values() for source in own))
        yield from wrapped(f"not the same corpus: rows differ in {_some(sources, 12)}", 2, width, first=0)
    if found.made_from:
        later, earlier = ("B", "A") if found.made_from == "b" else ("A", "B")
        yield f"{later} was made from {earlier} by a takedown"


def _change(change: Any, width: int) -> Iterator[str]:
    """path: old -> new; what was added or removed; another order."""
    if change.change == "changed":
        said = f"{change.path}: {_value(change.old)} -> {_value(change.new)}"
    elif change.change == "order":
        said = f"{change.path}: the same in another order: {_value(change.new)}"
    else:
        sign, value = ("+", change.new) if change.change == "added" else ("-", change.old)
        said = f"{change.path}: {sign} {_value(value)}"
    yield from wrapped(said, 6, width, first=2)


def _value(value: Any) -> str:
    """A value in short: what names an object stands for it."""
    if isinstance(value, dict) and "name" in value:
        return f"the source {value['name']}"
    if isinstance(value, dict) and "rule" in value:
        given = {key: item for key, item in value.items() if key != "rule" and item not in (None, [], {})}
        return f"the rule {value['rule']} {_compact(given)}"
    return value if isinstance(value, str) and value else _compact(value)


def _compact(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 400 else f"{text[:400]}..."


def _lock(changes: Sequence[Any], width: int) -> Iterator[str]:
    from pipeline.inspection.diff_manifest import package_of

    for change in changes[:SHOWN]:
        old, new = ((package_of(row["purl"])[1] or "no version") if row else "" for row in (change.old, change.new))
        said = {
            "version": f"{old} -> {new}",
            "digest": f"{old}, other bytes: sha256 {_short(change.old)} -> {_short(change.new)}",
            "moved": f"{old}, in A of source {change.was}",
            "added": f"+ {new}",
            "removed": f"- {old}",
        }[change.change]
        file = (change.new or change.old)["file"]
        shown = f" ({file})" if change.change in ("added", "removed") else ""
        yield from wrapped(f"{change.source}: {change.package} {said}{shown}", 6, width, first=2)
    if len(changes) > SHOWN:
        yield f"  and {len(changes) - SHOWN:,} more (--json lists all)"


def _short(row: Mapping[str, Any] | None) -> str:
    return row["sha256"][:12] if row else ""


def _code(changes: Sequence[Any], width: int) -> Iterator[str]:
    stages = [change.path.removeprefix("stages.") for change in changes if change.path.startswith("stages.")]
    for change in changes:
        if change.path == "sha256":
            yield f"  sha256 {change.old}"
            yield f"      -> {change.new}"
        elif not change.path.startswith("stages"):
            yield from _change(change, width)
    if stages:
        yield from wrapped(f"stages that run on other code: {', '.join(stages)}", 6, width, first=2)


def _policy(change: Any, width: int) -> Iterator[str]:
    kind, _, name = change.path.partition(".")
    value = change.new if change.old is None else change.old
    side = "B" if change.old is None else "A"
    if kind == "takedown" and isinstance(value, list):
        said = f"takedown: only in {side}: {_documents_of(len(value))}, from release {name}"
    elif kind == "opt_out" and isinstance(value, dict):
        counts = [f"{value[key]:,} {key}" for key in ("domains", "ids", "texts", "urls") if value[key]]
        said = f"opt_out: only in {side}: a list of {', '.join(counts) or 'nothing'}, sha256 {name}"
    elif kind == "against":
        said = f"against: only in {side}: {value}, {name}"
    else:
        yield from _change(change, width)
        return
    yield from wrapped(said, 6, width, first=2)


def _documents_of(count: int) -> str:
    return f"{count:,} document{'s' * (count != 1)}"


def _totals(rows: Sequence[Any]) -> Iterator[str]:
    yield f"{'totals':<36} {'A':>13} {'B':>13} {'B - A':>13}"
    for row in rows:
        yield f"  {row.source or 'all sources'}"
        before, after = row.old or {}, row.new or {}
        for key, name in COUNTS.items():
            if before.get(key) != after.get(key):
                yield _counts(f"    {name}", before.get(key), after.get(key))
        for _, reason, old, new in row.reasons:
            yield _counts(f"      {one_line(reason)}", old, new)
        for reason, old, new in row.cuts:
            yield _counts(f"      cut as {one_line(reason)}", old, new)


def _counts(name: str, old: int | None, new: int | None) -> str:
    left, right = (("-" if count is None else f"{count:,}") for count in (old, new))
    return f"{name:<36} {left:>13} {right:>13} {(new or 0) - (old or 0):>+13,}"


def _documents(found: Any, width: int) -> Iterator[str]:
    rows = found.rows
    yield from ("", f"documents: {rows.same:,} rows are the same in both, {_sum(rows.groups):,} are not")
    if not rows.groups and not found.same:
        yield from wrapped("The rows of data/ differ all the same: titles are there alone.", 2, width)
    replaced = {
        f"artifact:{row['purl']}" for one in found.lock if one.change in REPLACING for row in (one.old, one.new)
    }
    together: dict[tuple[str, str, str, str], list[Any]] = {}
    for group in rows.groups:
        if group.kind == "judged":
            together.setdefault(("judged", "", "", ""), []).append(group)
        elif group.why not in replaced:
            together.setdefault((group.kind, group.old, group.new, group.why.partition(":")[0]), []).append(group)
    ordered = list(together.items())
    for (kind, old, new, why), groups in ordered[:SHOWN]:
        what = f"{old}: {SAYS[kind]}".removeprefix(": ") if kind in SAYS else f"{old} -> {new}"
        yield from wrapped(f"{_sum(groups):>9,}  {what}{_why(kind, why)}", 13, width, first=0)
        if why:
            for group in groups[:REASONS]:
                named = group.why.partition(":")[2]
                named = named.partition("?")[0] if why == "artifact" else named
                yield from wrapped(f"{group.documents:>9,}  {named}", 26, width, first=11)
            yield from _rest(groups[REASONS:], " " * 11)
        examples = sorted((row for group in groups for row in group.examples), key=lambda row: str(row["id"]))
        for example in examples[:EXAMPLES] if kind != "judged" else ():
            yield from _example(example, width)
    yield from _rest([group for _, groups in ordered[SHOWN:] for group in groups])
    other = [group for group in rows.groups if group.why in replaced]
    if other:
        yield from wrapped(f"{_sum(other):>9,}  of other versions of a package, below", 13, width, first=0)
    yield from _replaced(found, width)


def _sum(groups: Sequence[Any]) -> int:
    return sum(group.documents for group in groups)


def _why(kind: str, why: str) -> str:
    only, other = ("A", "B") if kind == "gone" else ("B", "A")
    return {
        "artifact": f", from artifacts that only {only} has:",
        "settings": f", from artifacts that both have; in {other} these sources read them otherwise, or not:",
        "source": ":",
        "edits": ", by edits:",
        "columns": ":",
    }.get(why, "")


def _example(row: Mapping[str, Any], width: int) -> Iterator[str]:
    yield f"           {row['id']}  {one_line(row['source'])}"
    if row["url"]:
        yield from wrapped(row["url"], 15, width)
    for side, name in (("old", "A"), ("new", "B")):
        if row[f"kept_id_{side}"]:
            alike = row[f"similarity_{side}"]
            said = "" if alike is None else f", similarity {alike / 1e6:.3f}"
            yield from wrapped(
                f"in {name} a copy of {row[f'kept_id_{side}']} of {row[f'kept_source_{side}']}{said}", 15, width
            )
        if row[f"value_{side}"] is not None:
            bounds = [
                f"{word} {_million(row[f'{bound}_{side}'])}"
                for word, bound in (("at least", "low"), ("at most", "high"))
                if row[f"{bound}_{side}"] is not None
            ]
            yield from wrapped(f"in {name} {_million(row[f'value_{side}'])}; wanted {', '.join(bounds)}", 15, width)


def _million(value: int) -> str:
    """A number of millionths as a person reads it."""
    return f"{value // 1_000_000:,}" if value % 1_000_000 == 0 else f"{value / 1e6:.4g}"


def _rest(groups: Sequence[Any], indent: str = "") -> Iterator[str]:
    if groups:
        yield f"{indent}{_sum(groups):>9,}  of {len(groups):,} more (--json lists all)"


def _replaced(found: Any, width: int) -> Iterator[str]:
    pairs = [one for one in found.lock if one.old and one.new and one.old["sha256"] != one.new["sha256"]]
    if not found.rows.replaced:
        return
    yield from ("", "the same place in another version of the package")
    for place, pair in enumerate(pairs):
        groups = [group for group in found.rows.replaced if group.why == str(place)]
        if not groups:
            continue
        yield from wrapped(f"{pair.source}: {pair.old['purl']} -> {pair.new['purl']}", 6, width, first=2)
        for group in groups[:SHOWN]:
            fates = group.old if group.old == group.new else f"{group.old} -> {group.new}"
            yield f"{group.documents:>9,}  {one_line(fates)}: {REPLACED[group.kind]}"
            if group.kind == "changed" or group.old != group.new:
                for row in group.examples:
                    yield f"           {row['id_old'] or '-':32} -> {row['id_new'] or '-'}"[:width]
                    yield from wrapped(row["url"] or "", 15, width)
        yield from _rest(groups[SHOWN:])
    if any(group.kind == "unknown" for group in found.rows.replaced):
        yield from wrapped(
            "Texts of dropped records are not in a release, and their digests are keyed by the artifact: across versions "
            "they cannot be compared.", 2, width,
        )  # fmt: skip


def _some(names: Sequence[str], count: int) -> str:
    return ", ".join(names[:count]) + (f" and {len(names) - count:,} more" if len(names) > count else "")


def wrapped(text: str, indent: int, width: int, first: int | None = None) -> Iterator[str]:
    """Lines of one text: no value in it can begin a line of its own, and none is wider than `width`."""
    lead = indent if first is None else first
    safe = one_line(text)
    pad = len(safe) - len(safe.lstrip(" "))
    yield from textwrap.wrap(
        safe.lstrip(" "),
        width,
        initial_indent=" " * (lead + pad),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
