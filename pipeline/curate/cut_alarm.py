"""Stop a build in which a source's pages lose too much of their visible text, and show where it was lost.

Pages lose much for one of three reasons: they hold little but navigation and lists of links, the extractor takes their text
for something else, or the source's globs match pages that are not meant. Counts by reason and the pages with the largest cuts
tell which it is. `page_losses` counts, in the tasks: the process that drives a build has no Arrow.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import TaskError
from pipeline.trust import extraction

EXAMPLES = 3
_LONGEST_URL = 300  # characters of it are shown
_REASONS = 8


def check(limits: Mapping[str, float], results: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Raise TaskError for the sources whose pages lose a larger share of their visible characters than their limit.

    limits: by source, the greatest share; results: by source, what its curate tasks counted (`page_losses.Losses.to_json`).
    """
    said = []
    for source, limit in limits.items():
        counted = extraction.summed(results[source])
        visible, lost = counted["visible_characters"], counted["visible_characters"] - counted["kept_characters"]
        if visible and lost / visible > limit:
            said.append(
                f"{source}: {lost:,} of {visible:,} visible characters of {_several(counted['pages'], 'page')} "
                f"({lost / visible:.1%}, alarm at {limit:.1%})"
            )
            said += _by_reason(counted, lost)
            said += [line for page in _largest(results[source]) for line in _shown(page)]
    if said:
        raise TaskError(
            "pages would lose more of their visible text than the alarm of their source allows:\n  "
            + "\n  ".join(said),
            where="curate",
            hint="look at these pages; if the loss is right, set `max_cut_share` of the source in the recipe; if the text is "
            "wanted, set its format's `extractor: all_text` or `boilerplate: mark`; if the pages are not, narrow its `members`",
        )


def _several(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _by_reason(counted: Mapping[str, Any], lost: int) -> list[str]:
    ordered = sorted(counted["cuts"], key=lambda cut: (-cut["characters"], cut["reason"]))
    lines = [
        f"  {cut['characters']:>11,} characters as {cut['reason']} ({cut['characters'] / lost:.1%} of what is cut)"
        for cut in ordered[:_REASONS]
    ]
    if rest := ordered[_REASONS:]:
        lines.append(
            f"  {sum(cut['characters'] for cut in rest):>11,} characters for {_several(len(rest), 'other reason')}"
        )
    return lines


def _largest(parts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    pages = [page for part in parts for page in part["largest"]]
    return sorted(pages, key=lambda page: (page["kept_characters"] - page["visible_characters"], page["id"]))[:EXAMPLES]


def _shown(page: Mapping[str, Any]) -> list[str]:
    cuts = sorted(page["cuts"], key=lambda cut: (-cut["characters"], cut["reason"]))
    why = ", ".join(f"{cut['reason']} {cut['characters']:,}" for cut in cuts[:_REASONS])
    url = page["url"] if len(page["url"]) <= _LONGEST_URL else page["url"][:_LONGEST_URL] + "…"
    return [
        f"  page {page['id']}: {page['kept_characters']:,} of {page['visible_characters']:,} characters kept",
        f"    {url}",
        *([f"    cut: {why}"] if why else []),
    ]
