"""The charts of a report, each with its table: the way of the records, languages, and what rules saw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.inspection import charts, reasons, scales
from pipeline.inspection.pages import count, millionths, share, visible
from pipeline.inspection.report_rows import Found, Measure
from pipeline.trust import extraction
from pipeline.trust.manifest import Manifest, SourceEntry


def stage_order(manifest: Manifest) -> list[str]:
    """The stages in which records are lost: the known ones in their order, then others by name."""
    seen = {row["stage"] for row in manifest["totals"]["reasons"]}
    return [
        *(stage for stage in reasons.STAGES if stage != "takedown" or stage in seen),
        *sorted(seen - set(reasons.STAGES)),
    ]


def funnel(manifest: Manifest) -> Markup:
    """From the records that were read to those that are kept, stage by stage."""
    totals = manifest["totals"]
    lost = _by_stage(totals["reasons"])
    left, bars, rows = totals["read"], [], []
    for stage in stage_order(manifest):
        after = left - lost[stage]
        bars.append(
            charts.Bar(f"after {stage}", after, lost[stage], f"{count(after)} left, {count(lost[stage])} dropped")
        )
        rows.append((stage, reasons.STAGES.get(stage, ""), count(left), count(lost[stage]), count(after)))
        left = after
    svg = charts.bars(
        "funnel", "From records read to documents kept",
        f"{count(totals['read'])} records were read; {count(totals['kept'])} are kept, {count(totals['dropped'])} dropped.",
        [charts.Bar("records read", totals["read"]), *bars], legend=True,
    )  # fmt: skip
    table = charts.Table(
        "Records by stage", ("stage", "what it does", "records before", "dropped", "records left"), rows, 3,
        ("all", "", count(totals["read"]), count(totals["dropped"]), count(totals["kept"])),
    )  # fmt: skip
    return charts.figure(svg, charts.LEGEND, table, folded=False)


def by_source(manifest: Manifest, limit: int) -> Markup:
    """The same for each source: what was read of it, what each stage dropped, what is kept."""
    stages, sources = stage_order(manifest), manifest["sources"]
    shown = sorted(sources, key=lambda source: (-source["read"], source["name"]))[:limit]
    bars = [
        charts.Bar(
            source["name"], source["kept"], source["dropped"], f"{count(source['kept'])} of {count(source['read'])}"
        )
        for source in shown
    ]
    svg = charts.bars(
        "by-source", "Records kept and dropped, by source",
        f"{len(shown)} sources, from {shown[0]['name'] if shown else 'none'}, of which most records were read.",
        bars, legend=True,
    )  # fmt: skip
    rows = [_counts(source["name"], source, stages) for source in shown]
    names = {source["name"] for source in shown}
    if rest := [source for source in sources if source["name"] not in names]:
        rows.append(_counts(f"{len(rest)} other sources", _sum(rest), stages))
    totals = manifest["totals"]
    table = charts.Table(
        "Records by source and stage", ("source", "read", *(f"dropped: {stage}" for stage in stages), "kept", "share kept"),
        rows, len(stages) + 3, _counts("all sources", totals, stages),
    )  # fmt: skip
    return charts.figure(svg, charts.LEGEND, table, folded=False)


def cut_by_source(manifest: Manifest, limit: int) -> Markup:
    """Of each source of pages, how many of their visible characters were kept and cut."""
    found = [source for source in manifest["sources"] if source["extraction"]["pages"]]
    found.sort(key=lambda source: (-_cut(source["extraction"]), source["name"]))
    shown, rest = found[:limit], found[limit:]
    items = [(source["name"], source["extraction"]) for source in shown]
    if rest:
        items.append((f"{len(rest)} other sources", extraction.summed(source["extraction"] for source in rest)))
    svg = charts.bars(
        "cut-by-source", "Visible characters of pages kept and cut, by source",
        f"{len(found)} sources of pages, from {found[0]['name'] if found else 'none'}, of which most characters were cut.",
        [
            charts.Bar(name, one["kept_characters"], _cut(one), f"{share(_cut(one), one['visible_characters'])} cut")
            for name, one in items
        ],
        legend=True,
    )  # fmt: skip
    table = charts.Table(
        "Visible characters by source", ("source", "pages", "visible characters", "kept", "cut", "share cut"),
        [_of_pages(name, one) for name, one in items], 5, _of_pages("all sources", manifest["totals"]["extraction"]),
    )  # fmt: skip
    return charts.figure(svg, charts.CUT_LEGEND, table, folded=False)


def cut_by_reason(manifest: Manifest, limit: int) -> Markup:
    """Of all pages, how many visible characters were cut for each reason."""
    totals = manifest["totals"]["extraction"]
    ordered = sorted(totals["cuts"], key=lambda cut: (-cut["characters"], cut["reason"]))
    counted = [
        (cut["reason"], reasons.CUTS.get(cut["reason"], ""), cut["blocks"], cut["characters"])
        for cut in ordered[:limit]
    ]
    if rest := ordered[limit:]:
        sums = (sum(cut["blocks"] for cut in rest), sum(cut["characters"] for cut in rest))
        counted.append((f"{len(rest)} other reasons", "", *sums))
    svg = charts.bars(
        "cut-by-reason", "Characters cut from pages, by reason",
        f"{len(ordered)} reasons; most characters were cut as {charts.short(counted[0][0]) if counted else 'nothing'}.",
        [charts.Bar(name, 0, characters) for name, _, _, characters in counted], legend=True,
    )  # fmt: skip
    visible = totals["visible_characters"]
    rows = [
        (name, what, count(blocks), count(characters), share(characters, visible))
        for name, what, blocks, characters in counted
    ]
    blocks, characters = sum(one[2] for one in counted), sum(one[3] for one in counted)
    table = charts.Table(
        "Cut blocks by reason", ("reason", "what it is", "blocks", "characters", "share of visible"), rows, 3,
        ("all", "", count(blocks), count(characters), share(characters, visible)),
    )  # fmt: skip
    return charts.figure(svg, charts.CUT_LEGEND, table)


def _cut(counted: Mapping[str, Any]) -> int:
    """Visible characters that were not kept; an extractor that writes more than is visible cuts none."""
    return max(0, int(counted["visible_characters"]) - int(counted["kept_characters"]))


def _of_pages(name: str, counted: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (counted["pages"], counted["visible_characters"], counted["kept_characters"], _cut(counted))
    return (name, *map(count, numbers), share(_cut(counted), counted["visible_characters"]))


def language_chart(found: Found, limit: int) -> Markup:
    kept, dropped = found.languages
    ordered = sorted({*kept, *dropped}, key=lambda name: (-kept[name], -dropped[name], name))
    shown = [name for name in ordered if kept[name] or not kept][:limit]
    rest = ordered[len(shown) :]
    items = [(name, kept[name], dropped[name]) for name in shown]
    if rest:
        items.append((f"{len(rest)} others", sum(kept[name] for name in rest), sum(dropped[name] for name in rest)))
    svg = charts.bars(
        "languages", "Languages",
        f"{len(ordered)} languages were found; most texts are in {ordered[0] if ordered else 'none'}.",
        [charts.Bar(name, ours, lost, f"{count(ours)} kept, {count(lost)} dropped") for name, ours, lost in items], legend=True,
    )  # fmt: skip
    rows = [(name, count(ours), count(lost), share(ours, kept.total())) for name, ours, lost in items]
    table = charts.Table(
        "Documents by language", ("language", "kept", "dropped", "share of kept"), rows, 3,
        ("all", count(kept.total()), count(dropped.total()), share(kept.total(), kept.total())),
    )  # fmt: skip
    return charts.figure(svg, charts.LEGEND, table)


def measure_chart(name: str, reason: str, measure: Measure) -> Markup:
    """How a check's values are spread over kept and dropped documents, and where its bounds are."""
    kept, dropped = measure.cells
    bounds = Counter[tuple[str, int]]()
    for (low, high), number in measure.bounds.items():
        for word, bound in (("at least", low), ("at most", high)):
            if bound is not None:
                bounds[word, bound] += number
    ordered = [bound for bound, _ in sorted(bounds.items(), key=lambda item: (-item[1], item[0]))]
    lines = [(f"{word} {millionths(bound)}", bound) for word, bound in ordered]
    more = f" and {len(lines) - 2} other bounds" if len(lines) > 2 else ""
    return _histogram(
        name, reason, f"{reasons.sentence('judge', reason)} Bounds: {', '.join(label for label, _ in lines[:2])}{more}.",
        kept, dropped, lines,
    )  # fmt: skip


def of_rows(name: str, title: str, what: str, cells: tuple[Counter[int], Counter[int]]) -> Markup:
    return _histogram(name, title, f"{title}: {what}.", *cells, ())


def _histogram(
    name: str,
    title: str,
    description: str,
    kept: Counter[int],
    dropped: Counter[int],
    bounds: Sequence[tuple[str, int]],
) -> Markup:
    scale = scales.scale(kept + dropped, [at for _, at in bounds])
    columns = list(zip(scale.gather(kept), scale.gather(dropped), strict=True))
    svg = charts.histogram(
        name, title, description, columns, scale.ticks(),
        [charts.Bound(scale.place(at), label) for label, at in bounds],
    )  # fmt: skip
    rows = [
        (words, count(ours), count(lost))
        for words, (ours, lost) in zip(scale.ranges(), columns, strict=True)
        if ours or lost
    ]
    table = charts.Table(
        f"Documents by value: {title}", ("value", "kept", "dropped"), rows, 2,
        ("all", count(kept.total()), count(dropped.total())),
    )  # fmt: skip
    told = [visible(f"{label}; ") for label, _ in bounds[:10]] if len(bounds) > 2 else []
    most = f"Tallest column: {count(max((ours + lost for ours, lost in columns), default=0))}. "
    beyond = f"Above the last number lie {count(scale.beyond)}. " if scale.beyond else ""
    return charts.figure(svg, Markup("{}{}{}{}").format(charts.LEGEND, Markup("").join(told), most, beyond), table)


def _by_stage(rows: Iterable[Mapping[str, Any]]) -> Counter[str]:
    lost: Counter[str] = Counter()
    for row in rows:
        lost[row["stage"]] += row["documents"]
    return lost


def _counts(name: str, counted: Mapping[str, Any], stages: Sequence[str]) -> tuple[str, ...]:
    lost = _by_stage(counted["reasons"])
    return (
        name, count(counted["read"]), *(count(lost[stage]) for stage in stages), count(counted["kept"]),
        share(counted["kept"], counted["read"]),
    )  # fmt: skip


def _sum(sources: Sequence[SourceEntry]) -> dict[str, Any]:
    return {
        "read": sum(source["read"] for source in sources),
        "kept": sum(source["kept"] for source in sources),
        "reasons": [row for source in sources for row in source["reasons"]],
    }
