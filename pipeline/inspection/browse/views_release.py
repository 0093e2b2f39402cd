"""Pages that the manifest answers alone: summary, sources, licences, the manifest itself."""

from collections import Counter
from typing import Any

from starlette.requests import Request

from pipeline.errors import VerificationError
from pipeline.inspection import reasons
from pipeline.inspection.browse import filters
from pipeline.inspection.browse.answer import Answer
from pipeline.inspection.browse.faults import NotFound
from pipeline.inspection.browse.site import Site
from pipeline.inspection.browse.verifying import standing
from pipeline.trust import canonical, folder

STAGES = ("read", "extract", "judge", "dedup")
TOP = 8


def summary(site: Site, request: Request) -> Answer:
    """Totals, what went at which stage and for what, and the way to everything else."""
    filters.parse(request.query_params.multi_items())
    manifest = site.opened.manifest
    totals = manifest["totals"]
    facts = {
        "name": manifest["name"], "version": manifest["version"], "description": manifest["description"],
        "release_id": site.opened.release_id,
        "totals": {key: totals[key] for key in ("read", "kept", "dropped", "text_bytes")},
        "removed": site.opened.rows("removed"),
        "files": {"number": len(manifest["files"]), "bytes": sum(file["bytes"] for file in manifest["files"])},
        "artifacts": sum(len(source["artifacts"]) for source in manifest["sources"]),
        "funnel": funnel(totals),
        "reasons": by_size(totals["reasons"])[:TOP],
        "other_reasons": max(0, len(totals["reasons"]) - TOP),
        "sources": [_brief(source) for source in manifest["sources"]],
        "against": list(manifest["against"]),
        "verification": standing(site),
    }  # fmt: skip
    return Answer("summary", facts)


def funnel(totals: Any) -> list[dict[str, Any]]:
    """How many were left after each stage, from what was read to what is kept."""
    gone: Counter[str] = Counter()
    for row in totals["reasons"]:
        gone[row["stage"]] += row["documents"]
    left = totals["read"]
    steps = [{"stage": None, "dropped": 0, "left": left}]
    for stage in (*STAGES, *sorted(set(gone) - set(STAGES))):
        left -= gone[stage]
        steps.append({"stage": stage, "dropped": gone[stage], "left": left})
    return steps


def by_size(counted: Any) -> list[dict[str, Any]]:
    """Reasons, the most frequent first, each with what it means."""
    rows = [{**row, "means": reasons.sentence(row["stage"], row["reason"])} for row in counted]
    return sorted(rows, key=lambda row: (-row["documents"], row["stage"], row["reason"]))


def sources(site: Site, request: Request) -> Answer:
    filters.parse(request.query_params.multi_items())
    return Answer("sources", {"sources": [_brief(source) for source in site.opened.manifest["sources"]]})


def source(site: Site, request: Request) -> Answer:
    """One source: its licence and what shows it, its artifacts, its reasons, its languages."""
    filters.parse(request.query_params.multi_items())
    name = request.path_params["name"]
    found = site.opened.sources.get(name)
    if found is None:
        raise NotFound(f"there is no source {name!r:.80}", hint="all are listed at /sources")
    counted = site.aggregate(("languages", name), lambda: _languages(site, name))
    facts = {
        **_brief(found),
        "skipped_pairs": found["skipped_pairs"],
        "funnel": funnel(found),
        "reasons": by_size(found["reasons"]),
        "artifacts": [dict(artifact) for artifact in found["artifacts"]],
        "languages": counted.value,
        "files": [
            {key: file[key] for key in ("name", "kind", "rows", "bytes", "sha256")}
            for file in site.opened.manifest["files"]
            if file["source"] == name
        ],
    }
    return Answer("source", facts)


def _languages(site: Site, source: str) -> list[dict[str, Any]]:
    files = site.opened.paths(site.opened.files("kept", {source}))
    if not files:
        return []
    return site.engine.rows(
        "SELECT language, count(*) AS documents, sum(text_bytes)::BIGINT AS text_bytes FROM read_parquet($files) "
        "GROUP BY language ORDER BY documents DESC, language",
        {"files": files},
    )


def licenses(site: Site, request: Request) -> Answer:
    """Each licence with its sources, how much text is under it, and the files in the artifacts that show it."""
    filters.parse(request.query_params.multi_items())
    found: dict[str, dict[str, Any]] = {}
    for one in site.opened.manifest["sources"]:
        entry = found.setdefault(
            one["license"], {"license": one["license"], "kept": 0, "text_bytes": 0, "sources": [], "evidence": []}
        )
        entry["kept"] += one["kept"]
        entry["text_bytes"] += one["text_bytes"]
        entry["sources"].append(one["name"])
        entry["evidence"] += [
            {"source": one["name"], "purl": artifact["purl"], **proof}
            for artifact in one["artifacts"]
            for proof in artifact["evidence"]
        ]
    ordered = sorted(found.values(), key=lambda entry: (-entry["text_bytes"], entry["license"]))
    return Answer("licenses", {"licenses": ordered, "text_bytes": site.opened.manifest["totals"]["text_bytes"]})


def manifest(site: Site, request: Request) -> Answer:
    """The signed manifest as a tree, and who says that they signed it."""
    filters.parse(request.query_params.multi_items())
    facts = {
        "manifest": dict(site.opened.manifest),
        "release_id": site.opened.release_id,
        "signature": _signature(site),
        "verification": standing(site),
    }
    return Answer("manifest", facts)


def _signature(site: Site) -> dict[str, Any]:
    """The key id that the envelope names: a claim, until it is verified."""
    try:
        envelope = canonical.loads(folder.read(site.opened.folder, "manifest.dsse.json"))
        return {
            "keyid": str(envelope["signatures"][0]["keyid"])[:200],
            "sig": str(envelope["signatures"][0]["sig"])[:200],
        }
    except (VerificationError, ValueError, LookupError, TypeError):
        return {"keyid": None, "sig": None}


def _brief(found: Any) -> dict[str, Any]:
    return {key: found[key] for key in ("name", "license", "read", "kept", "dropped", "text_bytes")}
