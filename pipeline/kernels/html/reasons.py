"""Why a block was cut: a name for what it seems to be, from the nearest element around it that says so.

The decision is made elsewhere (`main_content`); the reason explains it to people. It is the purpose whose class, id, role or
element is nearest to the block; of equally near ones, the first in REASONS. Where nothing says anything: `link_list` for a
block that is mostly links, else `boilerplate`.
"""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, CHARACTERS, CONCEALED, LINK_CHARACTERS
from pipeline.kernels.html.class_signals import FAR, GROUP_COUNT, GROUPS, LANDMARKS
from pipeline.kernels.html.options import entry

KEPT = 0
# A reason, and the groups and landmarks (in capitals) of `class_signals` that stand for it. Number 0 means kept.
_SIGNS = (
    ("skip_link", "skip"),
    ("breadcrumbs", "crumb"),
    ("pagination", "pagination"),
    ("cookie_banner", "cookie"),
    ("newsletter", "newsletter"),
    ("advertisement", "ad"),
    ("share_links", "share"),
    ("comments", "comment"),
    ("related_content", "related"),
    ("table_of_contents", "contents"),
    ("copyright", "copyright"),
    ("navigation", "NAV nav"),
    ("footer", "FOOTER foot"),
    ("sidebar", "ASIDE side"),
    ("header", "HEADER head"),
    ("dialog", "DIALOG modal"),
    ("form", "FORM SELECT BUTTON login filter"),
    ("metadata", "byline tags"),
)
REASONS = ("kept", "hidden", *(name for name, _ in _SIGNS), "link_list", "boilerplate")
_HIDDEN, _COPYRIGHT, _LINK_LIST, _BOILERPLATE = (
    REASONS.index(name) for name in ("hidden", "copyright", "link_list", "boilerplate")
)


def _columns() -> tuple[Any, Any]:
    columns, reasons = [], []
    for number, (_, signs) in enumerate(_SIGNS, 2):
        for sign in signs.split():
            columns.append(GROUP_COUNT + LANDMARKS.index(sign.lower()) if sign.isupper() else list(GROUPS).index(sign))
            reasons.append(number)
    return np.array(columns, np.int64), np.array(reasons, np.uint8)


_COLUMNS, _REASONS = _columns()


@entry
def explain(blocks: Any, near: Any, words: Any, keep: Any, count: int, reasons: Any) -> Any:
    """Fill `reasons` (count; uint8, indices of REASONS): KEPT where `keep` is set, else why the block is cut."""
    for b in range(count):
        if keep[b]:
            reasons[b] = KEPT
            continue
        if blocks[b, CONCEALED]:
            reasons[b] = _HIDDEN
            continue
        distances = near[blocks[b, BOX]]
        best = FAR
        reason = _LINK_LIST if 2 * blocks[b, LINK_CHARACTERS] > blocks[b, CHARACTERS] else _BOILERPLATE
        if words[b, w.SIGNS] & 1 and words[b, w.WORDS] < 40:
            reason = _COPYRIGHT
            best = 1
        for i in range(len(_COLUMNS)):
            if distances[_COLUMNS[i]] < best:
                best = distances[_COLUMNS[i]]
                reason = _REASONS[i]
        reasons[b] = reason
