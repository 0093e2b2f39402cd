"""What the report shows, as plain values for its template: tables, charts, samples. Pure."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipeline.inspection import charts, reasons, report_charts, report_text, scales
from pipeline.inspection.pages import count, share
from pipeline.inspection.report_rows import Found, Measure, Row
from pipeline.trust.manifest import Manifest, SourceEntry


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
        "several": report_text.several,
        "short_purl": report_text.short_purl,
        "alike": report_text.alike,
        "funnel": report_charts.funnel(manifest),
        "by_source": report_charts.by_source(manifest, limits.sources),
        "pages": totals["extraction"],
        "cut_by_source": report_charts.cut_by_source(manifest, limits.sources),
        "cut_by_reason": report_charts.cut_by_reason(manifest, limits.reasons)
        if totals["extraction"]["cuts"]
        else None,
        "marked": _marked(manifest),
        "reasons_table": charts.table(_reasons(manifest, limits.reasons)),
        "stages": reasons.STAGES,
        "measures": _measures(manifest, found, limits),
        "answers": _answers(found, limits.measures),
        "language_chart": report_charts.language_chart(found, limits.languages),
        "length_chart": report_charts.of_rows(
            "lengths", "Length of the texts", "bytes of text in UTF-8", found.lengths
        ),
        "score_chart": report_charts.of_rows(
            "scores", "How sure the language is", "the language model's probability of the label it gives", found.scores
        ),
        "clusters": found.clusters[: limits.clusters],
        "clustered": found.clustered,
        "samples": [_sample(row) for row in found.samples[: limits.samples]],
        "dropped": _dropped_samples(manifest, found, limits),
        "taken": taken,
        "removed": sum(len(step["ids"]) for step in taken),
        "definitions": charts.DEFINITIONS,
        "cut": report_text.cut,
        "link": report_text.link,
        "figure": charts.figure,
    }


def _marked(manifest: Manifest) -> list[str]:
    """Sources whose recipe marks boilerplate in the text and cuts none."""
    specs = ((str(source.get("name")), source.get("format")) for source in manifest["recipe"]["sources"])
    return [name for name, spec in specs if isinstance(spec, dict) and spec.get("boilerplate") == "mark"]


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
            "figure": report_charts.measure_chart(f"measure-{number}", name, found.measures[name]),
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
    totals, order = manifest["totals"], report_charts.stage_order(manifest)
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
    return {
        **row,
        "passage": report_text.passage(row["text"]),
        "whole": len(report_text.passage(row["text"])) == len(row["text"].strip()),
    }


def _dropped_samples(manifest: Manifest, found: Found, limits: Limits) -> dict[str, Any]:
    order = report_charts.stage_order(manifest)
    rows = [row for row in manifest["totals"]["reasons"] if (row["stage"], row["reason"]) in found.dropped]
    rows.sort(key=lambda row: (order.index(row["stage"]), -row["documents"], row["reason"]))
    shown = [
        {**row, "sentence": reasons.sentence(row["stage"], row["reason"]),
         "samples": found.dropped[row["stage"], row["reason"]][: limits.samples]}
        for row in rows[: limits.sampled]
    ]  # fmt: skip
    return {"reasons": shown, "cut": len(rows) - len(shown)}
