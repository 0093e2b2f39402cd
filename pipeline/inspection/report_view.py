"""What the report shows, as plain values for its template: tables, charts, samples. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.inspection import charts, reasons, scales
from pipeline.inspection.pages import count, millionths, share, visible
from pipeline.inspection.report_rows import Found, Measure, Row
from pipeline.trust.manifest import Manifest, SourceEntry

PASSAGE, LINES = 600, 14  # characters and lines of a sample
STRING = 160  # characters of a URL, a path, a detail


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown of what can be long."""

    sources: int = 200
    artifacts: int = 400
    reasons: int = 200
    measures: int = 40
    open_measures: int = 6
    languages: int = 20
    sampled: int = 40
    samples: int = 20
    clusters: int = 12

    @classmethod
    def part(cls, divisor: int) -> "Limits":
        whole = cls()
        return cls(*(max(1, getattr(whole, name) // divisor) for name in cls.__slots__))


def view(manifest: Manifest, release_id: str, key_id: str, found: Found, limits: Limits) -> dict[str, Any]:
    """The template's values."""
    totals = manifest["totals"]
    taken = manifest["policies"]["takedown"]
    return {
        "manifest": manifest,
        "totals": totals,
        "release_id": release_id,
        "key_id": key_id,
        "artifacts": sum(len(source["artifacts"]) for source in manifest["sources"]),
        "licences": sorted({source["license"] for source in manifest["sources"]}),
        "languages": len(found.languages[0]),
        "sources": [_source(source, totals["text_bytes"]) for source in manifest["sources"][: limits.sources]],
        "upstreams": _upstreams(manifest, limits.artifacts),
        "several": several,
        "short_purl": short_purl,
        "alike": alike,
        "funnel": funnel(manifest),
        "by_source": by_source(manifest, limits.sources),
        "reasons_table": charts.table(_reasons(manifest, limits.reasons)),
        "stages": reasons.STAGES,
        "measures": _measures(manifest, found, limits),
        "answers": _answers(found, limits.measures),
        "language_chart": language_chart(found, limits.languages),
        "length_chart": _of_rows("lengths", "Length of the texts", "bytes of text in UTF-8", found.lengths),
        "score_chart": _of_rows(
            "scores", "How sure the language is", "the language model's probability of the label it gives", found.scores
        ),
        "clusters": found.clusters[: limits.clusters],
        "clustered": found.clustered,
        "samples": [_sample(row) for row in found.samples[: limits.samples]],
        "dropped": _dropped_samples(manifest, found, limits),
        "taken": taken,
        "removed": sum(len(step["ids"]) for step in taken),
        "definitions": charts.DEFINITIONS,
        "cut": cut,
        "link": link,
        "figure": charts.figure,
    }


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
    if rest := sources_beyond(sources, shown):
        rows.append(_counts(f"{len(rest)} other sources", _sum(rest), stages))
    totals = manifest["totals"]
    table = charts.Table(
        "Records by source and stage", ("source", "read", *(f"dropped: {stage}" for stage in stages), "kept", "share kept"),
        rows, len(stages) + 3, _counts("all sources", totals, stages),
    )  # fmt: skip
    return charts.figure(svg, charts.LEGEND, table, folded=False)


def sources_beyond(sources: Sequence[SourceEntry], shown: Sequence[SourceEntry]) -> list[SourceEntry]:
    names = {source["name"] for source in shown}
    return [source for source in sources if source["name"] not in names]


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


def _of_rows(name: str, title: str, what: str, cells: tuple[Counter[int], Counter[int]]) -> Markup:
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


def _is_answer(measure: Measure) -> bool:
    """Whether a check has no values but 0 and 1: yes or no, which needs no chart."""
    return {*measure.cells[0], *measure.cells[1]} <= {0, scales.EDGES.index(scales.MILLION)}


def _measures(manifest: Manifest, found: Found, limits: Limits) -> dict[str, Any]:
    first = {row["reason"]: row["documents"] for row in manifest["totals"]["reasons"] if row["stage"] == "judge"}
    names = [name for name, measure in found.measures.items() if not _is_answer(measure)]
    ordered = sorted(names, key=lambda name: (-first.get(name, 0), -found.measures[name].failed[True], name))
    shown = [
        {
            "reason": name, "sentence": reasons.sentence("judge", name), "first": first.get(name, 0),
            "failed": found.measures[name].failed[True], "asked": found.measures[name].failed.total(),
            "figure": measure_chart(f"measure-{number}", name, found.measures[name]),
        }
        for number, name in enumerate(ordered[: limits.measures])
    ]  # fmt: skip
    return {
        "open": shown[: limits.open_measures],
        "folded": shown[limits.open_measures :],
        "left": len(ordered) - len(shown),
    }


def _answers(found: Found, limit: int) -> Markup | None:
    names = sorted(name for name, measure in found.measures.items() if _is_answer(measure))
    rows = [
        (
            name,
            reasons.sentence("judge", name),
            count(found.measures[name].failed.total()),
            count(found.measures[name].failed[True]),
        )
        for name in names[:limit]
    ]
    return (
        charts.table(charts.Table("Checks that answer yes or no", ("check", "fails where", "asked", "failed"), rows, 2))
        if rows
        else None
    )


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


def _source(source: SourceEntry, text_bytes: int) -> dict[str, Any]:
    evidence = [entry for artifact in source["artifacts"] for entry in artifact["evidence"]]
    return {**source, "share": share(source["text_bytes"], text_bytes), "evidence": evidence}


def _upstreams(manifest: Manifest, limit: int) -> dict[str, Any]:
    """The artifacts of all sources; where they are too many, of each source as many as fit."""
    left, shown = limit, []
    for place, source in enumerate(manifest["sources"]):
        mine = source["artifacts"][: left // (len(manifest["sources"]) - place)]
        left -= len(mine)
        shown += [{**artifact, "source": source["name"], "license": source["license"]} for artifact in mine]
    return {"shown": shown, "cut": sum(len(source["artifacts"]) for source in manifest["sources"]) - len(shown)}


def _reasons(manifest: Manifest, limit: int) -> charts.Table:
    totals, order = manifest["totals"], stage_order(manifest)
    rows = sorted(totals["reasons"], key=lambda row: (order.index(row["stage"]), -row["documents"], row["reason"]))
    shown = [
        (row["reason"], row["stage"], reasons.sentence(row["stage"], row["reason"]), count(row["documents"]),
         share(row["documents"], totals["read"]))
        for row in rows[:limit]
    ]  # fmt: skip
    if rest := rows[limit:]:
        number = sum(row["documents"] for row in rest)
        shown.append((f"{len(rest)} other reasons", "", "", count(number), share(number, totals["read"])))
    return charts.Table(
        "Dropped records by reason", ("reason", "stage", "what it means", "records", "share of read"), shown, 2,
        ("all", "", "", count(totals["dropped"]), share(totals["dropped"], totals["read"])),
    )  # fmt: skip


def _sample(row: Row) -> dict[str, Any]:
    return {**row, "passage": passage(row["text"]), "whole": len(passage(row["text"])) == len(row["text"].strip())}


def _dropped_samples(manifest: Manifest, found: Found, limits: Limits) -> dict[str, Any]:
    order = stage_order(manifest)
    rows = [row for row in manifest["totals"]["reasons"] if (row["stage"], row["reason"]) in found.dropped]
    rows.sort(key=lambda row: (order.index(row["stage"]), -row["documents"], row["reason"]))
    shown = [
        {**row, "sentence": reasons.sentence(row["stage"], row["reason"]),
         "samples": found.dropped[row["stage"], row["reason"]][: limits.samples]}
        for row in rows[: limits.sampled]
    ]  # fmt: skip
    return {"reasons": shown, "cut": len(rows) - len(shown)}


def passage(text: str) -> str:
    """The beginning of a text: some PASSAGE characters, whole words, and LINES lines at most."""
    begun = text.strip()
    lines = begun[: PASSAGE + 1].split("\n")
    if len(begun) > PASSAGE:
        shown = begun[:PASSAGE]
        if not begun[PASSAGE].isspace() and (end := max(shown.rfind(" "), shown.rfind("\n"))) > PASSAGE // 2:
            shown = shown[:end]
        lines = shown.split("\n")
    return "\n".join(lines[:LINES]).strip()


def cut(text: str, most: int = STRING) -> str:
    """A string of somebody else's, as long as it may be: the middle is left out of longer ones."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def several(number: int, one: str, many: str = "") -> str:
    """1 source, 2 sources."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def short_purl(purl: str) -> str:
    """A Package URL without qualifiers and subpath: the package and its version."""
    return cut(purl.partition("?")[0].partition("#")[0])


def alike(similarity: int) -> str:
    """A similarity with three digits, so that columns of it are even; rounded down, so that 1 is 1."""
    return f"{similarity // 1_000_000}.{similarity % 1_000_000 // 1000:03d}"


def link(url: str) -> Markup:
    """A document's URL: a link if it is one of the web that looks like what it is, else its text."""
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2000
    if plain and url.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, cut(url))
    return Markup("<code>{}</code>").format(visible(cut(url)))
