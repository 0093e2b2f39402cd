"""What a release says of its pages: how many of their visible characters were kept, and why the others were cut. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from pipeline.model import Extraction

DEFAULT = "pellucid"  # the extractor that a recipe calls `default`


class CutTotals(TypedDict):
    """What was cut for one reason. Characters are code points that are no white space."""

    reason: str
    blocks: int
    characters: int


class ExtractionTotals(TypedDict):
    """Sums over pages, kept and dropped ones. `cuts`: sorted by reason."""

    pages: int
    visible_characters: int
    kept_characters: int
    cuts: list[CutTotals]


def of_page(page: Extraction) -> ExtractionTotals:
    """The totals of one page."""
    cuts: list[CutTotals] = [
        {"reason": cut.reason, "blocks": cut.blocks, "characters": cut.characters} for cut in page.cuts
    ]
    return {
        "pages": 1, "visible_characters": page.visible_characters, "kept_characters": page.kept_characters, "cuts": cuts,
    }  # fmt: skip


def columns(page: Extraction | None) -> dict[str, Any]:
    """The columns of a provenance row that account for a page; null and empty where the record is no page."""
    if page is None:
        return {"extractor": None, "visible_characters": None, "kept_characters": None, "cuts": []}
    totals = of_page(page)
    return {
        "extractor": page.extractor,
        **{name: totals[name] for name in ("visible_characters", "kept_characters", "cuts")},
    }


def summed(parts: Iterable[Mapping[str, Any]]) -> ExtractionTotals:
    """The sums of totals."""
    return _combined((1, part) for part in parts)


def less(whole: Mapping[str, Any], part: Mapping[str, Any]) -> ExtractionTotals:
    """Totals without a part of them."""
    return _combined(((1, whole), (-1, part)))


def _combined(parts: Iterable[tuple[int, Mapping[str, Any]]]) -> ExtractionTotals:
    counts: Counter[str] = Counter()
    blocks: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    for sign, part in parts:
        for name in ("pages", "visible_characters", "kept_characters"):
            counts[name] += sign * part[name]
        for cut in part["cuts"]:
            blocks[cut["reason"]] += sign * cut["blocks"]
            characters[cut["reason"]] += sign * cut["characters"]
    return {
        "pages": counts["pages"],
        "visible_characters": counts["visible_characters"],
        "kept_characters": counts["kept_characters"],
        "cuts": [
            {"reason": reason, "blocks": blocks[reason], "characters": characters[reason]}
            for reason in sorted({*blocks, *characters})
            if blocks[reason] or characters[reason]
        ],
    }


def named(asked: str) -> str:
    """The name of an extractor, from what a recipe calls it."""
    return DEFAULT if asked == "default" else asked


def extractors(manifest: Mapping[str, Any]) -> dict[str, str | None]:
    """By source, what the column `extractor` of its pages says: name and version, as the manifest has them.

    None for sources whose format reads no pages; without a version, which no row can have, where the manifest names none.
    """
    found: dict[str, str | None] = {}
    versions = {one["name"]: one["version"] for one in manifest["extractors"]}
    for source in manifest["recipe"]["sources"]:
        spec = source.get("format")
        asked = spec.get("extractor") if isinstance(spec, dict) else None
        name = named(asked) if isinstance(asked, str) else None
        found[str(source.get("name"))] = None if name is None else f"{name}/{versions.get(name, '')}"
    return found
