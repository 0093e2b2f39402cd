"""What the command line says of documents: where one comes from, how it was judged, what other rules would change. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.look import Fact, Heading, Item, Row, Table

PREFIX = 8  # characters of an id that `show` takes for it
POINTER = ("member", "offset", "length", "record", "path")


def story(told: Any) -> Iterator[Item]:
    """A document's story, in sections: origin, pointer and licence; its text; decisions; where it ended."""
    row = told.row
    kept = told.fate == "kept"
    yield Fact(told.fate, told.id, "good" if kept else "bad")
    yield Heading("Origin")
    yield Fact("source", row["source"], indent=2)
    yield Fact("licence", f"{told.license} (of the text)", indent=2)
    if told.fate == "removed":
        yield Fact("artifact", row["purl"], indent=2)
        yield Fact("sha256", row["artifact_sha256"], indent=2)
        yield Heading("Where it ended")
        yield Fact("removed", f"by a takedown; it was {row['fate']}", indent=2)
        yield Fact("stands in", f"{told.shard}, row {told.position}", indent=2)
        return
    if row["url"]:
        yield Fact("url", row["url"], indent=2)
    yield Fact("artifact", row["purl"], indent=2)
    yield Fact("sha256", row["artifact_sha256"], indent=2)
    place = ", ".join(f"{name} {row[name]}" for name in POINTER if row[name] is not None)
    yield Fact("pointer", place, indent=2)
    if row["record_hmac"]:
        yield Fact("record", f"{row['record_bytes']:,} bytes", indent=2)
        yield Fact("hmac", row["record_hmac"], indent=2)
    if row["extractor"] is not None:
        yield Heading("Page")
        yield from page(row)
    if row["text_hmac"]:
        yield Heading("Text")
        yield from _text(row, kept)
    if row["decisions"]:
        yield Heading("Decisions")
        yield Table("<<>~", tuple(map(decision, row["decisions"])), indent=2, least=4)
    yield Heading("Where it ended")
    yield from _end(told, row, kept)


def page(row: Mapping[str, Any]) -> Iterator[Item]:
    """What of a page's visible text is kept, and what is cut for which reason, most characters first."""
    visible, kept = row["visible_characters"], row["kept_characters"]
    yield Fact("extractor", row["extractor"], indent=2)
    yield Fact("visible", f"{visible:,} characters", indent=2)
    yield Fact("kept", f"{kept:,} characters{f' ({kept / visible:.1%})' if visible else ''}", indent=2)
    cuts = sorted(row["cuts"], key=lambda one: (-one["characters"], one["reason"]))
    said = [f"{one['reason']} {one['characters']:,} in {_blocks(one['blocks'])}" for one in cuts]
    if said:
        yield Fact("cut", ", ".join(said), indent=2)


def cut(found: Mapping[str, Any]) -> Iterator[Item]:
    """The blocks that were cut from a page: `cli.page_once_more`."""
    yield Heading("Cut")
    if found["why"]:
        yield Fact("blocks", found["why"], indent=2)
        return
    blocks = found["blocks"]
    style, said = ("", "as the row says") if found["same"] else ("bad", "which DIFFERS from what the row says")
    yield Fact("blocks", f"{_blocks(len(blocks))} cut, {said}", style, 2)
    rows = [Row((one["reason"], f"{one['characters']:,}", " ".join(one["text"].split()))) for one in blocks]
    if rows:
        yield Table("<>~", tuple(rows), ("reason", "characters", "text"), indent=2)


def _blocks(count: int) -> str:
    return f"{count:,} block{'s' * (count != 1)}"


def _text(row: Mapping[str, Any], kept: bool) -> Iterator[Item]:
    yield Fact("size", f"{row['text_bytes']:,} bytes, read as {row['charset']}", indent=2)
    yield Fact("sha256", row["text_sha256"], indent=2) if kept else Fact("hmac", row["text_hmac"], indent=2)
    for edit in row["edits"]:
        spans = "" if edit["spans"] is None else f" in {edit['spans']:,} spans"
        yield Fact("edited", f"by {edit['edit']}: {edit['characters']:,} characters fewer{spans}", indent=2)
        yield Fact("hmac before", edit["before_hmac"], indent=2)
    if row["language"]:
        yield Fact("language", f"{row['language']} ({row['language_score'] / 1e6:.3f})", indent=2)


def _end(told: Any, row: Mapping[str, Any], kept: bool) -> Iterator[Item]:
    if kept:
        yield Fact("stands in", f"{told.shard}, row {told.position}", indent=2)
    else:
        yield Fact("dropped", f"at {where_dropped(row)}", "bad", 2)
        yield Fact("ledger", f"{told.shard}, row {told.position}", indent=2)
    if told.kept_instead:
        instead = told.kept_instead
        yield Fact("kept", f"{instead['id']} of {instead['source']}, {alike(row)}", indent=2)
        yield Fact("", instead["url"], indent=2)
    if told.kept_elsewhere:
        other = told.kept_elsewhere
        yield Fact("kept", f"{row['kept_id']} of {row['kept_source']}, {alike(row)}", indent=2)
        said = f"in another release, {other['name']} {other['version']}: {other['release_id']}"
        yield Fact("", said, indent=2)


def again(found: Mapping[str, Any]) -> Iterator[Item]:
    """What reading a document once more from its artifact gave: `cli.read_once_more`."""
    yield Heading("Read again")
    if not found["read"]:
        yield Fact("record", "not read: an opt-out list of the recipe names this record", indent=2)
        return
    words = {True: "equal", False: "DIFFERS", None: "not in its row"}
    style = {True: "", False: "bad", None: ""}
    record, text = found["record_equal"], found["text_equal"]
    yield Fact("record", f"{found['record_bytes']:,} bytes, digest {words[record]}", style[record], 2)
    if found["text"] is not None:
        said = ", before its edits" if found["before_edits"] else ""
        yield Fact("text", f"text {words[text]}, {len(found['text']):,} characters{said}", style[text], 2)
    page, equal = found["extraction"], found["extraction_equal"]
    if equal is not None:
        kept = (
            f", {page['kept_characters']:,} of {page['visible_characters']:,} visible characters kept" if page else ""
        )
        yield Fact(
            "page", f"counts {words[equal] if page else 'are in its row, and it is NO PAGE'}{kept}", style[equal], 2
        )


def where_dropped(row: Mapping[str, Any]) -> str:
    """Stage, reason and detail of a ledger row."""
    return f"{row['stage']}: {row['reason']}{' (' + row['detail'] + ')' if row['detail'] else ''}"


def alike(row: Mapping[str, Any]) -> str:
    """How like a dropped document is to the kept one, and in how many bands the two met."""
    met = "" if row["bands"] is None else f", {row['bands']} band{'s' * (row['bands'] != 1)} in common"
    return f"similarity {row['similarity'] / 1e6:.3f}{met}"


def decision(asked: Mapping[str, Any]) -> Row:
    """One check: whether it holds, its reason, the value and its bounds."""
    value, low, high = (asked[key] if asked[key] is None else asked[key] / 1e6 for key in ("value", "low", "high"))
    fails = (low is not None and value < low) or (high is not None and value > high)
    bounds = [f"{word} {number(bound)}" for word, bound in (("at least", low), ("at most", high)) if bound is not None]
    return Row(("FAIL" if fails else "ok", asked["reason"], number(value), ", ".join(bounds)), "bad" if fails else "")


def number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:.4g}"


def rejudged(found: Any) -> Iterator[Item]:
    """What other rules would change: totals by source, then every change of fate, with the id of one to `show`."""
    before, after = sum(found.before.values()), sum(found.after.values())
    totals = [*((name, found.before[name], found.after[name]) for name in found.before), ("all sources", before, after)]
    rows = [Row((name, f"{old:,}", f"{new:,}", _share(old, new))) for name, old, new in totals]
    rows[-1] = Row(rows[-1].cells, "strong")
    yield Table("~>>>", tuple(rows), ("source", "kept", "would be", "change"))
    together: dict[tuple[str, str], list[int]] = {}
    by_source: dict[str, list[Row]] = {}
    for change in found.changes:
        documents, size = together.setdefault((change.old, change.new), [0, 0])
        together[change.old, change.new] = [documents + change.documents, size + change.bytes]
        row = _change(change.old, change.new, change.documents, change.bytes, change.example[:PREFIX])
        by_source.setdefault(change.source, []).append(row)
    if together:
        yield Heading("All sources")
        ordered = sorted(together.items(), key=lambda item: (-item[1][0], item[0]))
        yield Table(
            ">~>",
            tuple(_change(old, new, documents, size) for (old, new), (documents, size) in ordered),
            indent=2,
            least=8,
        )
    for source, changes in by_source.items():
        yield Heading(source)
        yield Table(">~><", tuple(changes), indent=2, least=8)
    if not found.changes:
        yield from ("", "no document would change its fate")
    if found.unanswered:
        yield Heading("Not answered here, it needs a build")
        yield from (f"  {difference}" for difference in found.unanswered)


def _share(before: int, after: int) -> str:
    return f"{(after - before) / before:+.1%}" if before else ""


def _change(old: str, new: str, documents: int, size: int, *example: str) -> Row:
    return Row((f"{documents:,}", f"{old} -> {new}", f"{size / 1e6:,.2f} MB", *example))
