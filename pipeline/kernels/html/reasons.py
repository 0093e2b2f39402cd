"""Why a block was cut: a name for what it seems to be, from the nearest element around it that says so.

The decision is made elsewhere (`main_content`); the reason explains it to people. It is the purpose whose class, id, role or
element is nearest to the block; of equally near ones, the first in REASONS. Where nothing says anything: `link_list` for a
block that is mostly links, else `boilerplate`.

The groups of `class_signals` are wide, so that the model can learn from them: "form" is also in "platform", "hide" tells of
any menu of a small screen, "bottom" of a margin. To people a reason is a claim, so most of them ask for a whole name or part
of a name (_NAMES), and `skip_link` for a link to a place in the page.
"""

from typing import Any

import numpy as np

from pipeline.kernels.bits import signed
from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, CHARACTERS, CONCEALED, FIRST, LINK_CHARACTERS, PARENT
from pipeline.kernels.html.class_signals import (
    FAR,
    FIRST_TOKEN,
    GROUP_COUNT,
    GROUPS,
    LANDMARKS,
    LAST_TOKEN,
)
from pipeline.kernels.html.names import ATTRIBUTE
from pipeline.kernels.html.options import entry, inner

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
    ("table_of_contents", "contents"),
    ("copyright", "copyright"),
    ("navigation", "NAV nav"),
    ("related_content", "related"),
    ("footer", "FOOTER foot"),
    ("sidebar", "ASIDE side"),
    ("header", "HEADER head"),
    ("dialog", "DIALOG modal"),
    ("form", "FORM SELECT BUTTON login filter"),
    ("metadata", "byline tags"),
)
# Of these groups an element says something only if one of its names, or a part of one, is this.
_NAMES = {
    "skip": "skip skiplink skiplinks skipnav hidden hide sr-only visually-hidden visuallyhidden screen-reader"
    " screen-reader-text",
    "cookie": "cookie cookies cookiebar cookiebanner cookiebot cookieconsent cookielaw cookienotice consent gdpr"
    " ccpa onetrust privacy",
    "newsletter": "newsletter newsletters subscribe subscription subscriptions subscriber signup sign-up mailing"
    " mailinglist mailchimp optin opt-in",
    "ad": "ad ads ad-slot ad-unit ad-container ad-wrapper advert adverts advertisement advertisements"
    " advertising adsense sponsor sponsored sponsors dfp affiliate promo promos promotion promotions"
    " promoted",
    "related": "related relatedposts recommend recommended recommendations recommendation recirc trending popular"
    " similar upsell upsells crosssell cross-sell next-post next-article next-up more-posts more-stories"
    " more-articles recent-posts latest-posts latest-news latest-articles",
    "contents": "toc tocs tocframe toctree toctreewrapper tableofcontents table-of-contents on-this-page",
    "foot": "foot footer footers sitefooter pagefooter subfooter colophon",
    "side": "sidebar sidebars side-bar rail aside rightcol leftcol right-col left-col sphinxsidebar",
    "byline": "author authors byline bylines meta postmeta date dates time timestamp pubdate datetime posted"
    " published avatar bio profile",
    "tags": "tag tags taglist taxonomy badge badges post-categories post-category entry-categories cat-links",
}
REASONS = ("kept", "hidden", *(name for name, _ in _SIGNS), "link_list", "boilerplate")
_HIDDEN, _COPYRIGHT, _LINK_LIST, _BOILERPLATE = (
    REASONS.index(name) for name in ("hidden", "copyright", "link_list", "boilerplate")
)


def _columns() -> tuple[Any, Any, Any]:
    """Return of each sign its column of `near`, its reason, and the row of its names in `_hashes` (-1: any will do)."""
    columns, reasons, rows = [], [], []
    for number, (_, signs) in enumerate(_SIGNS, 2):
        for sign in signs.split():
            columns.append(GROUP_COUNT + LANDMARKS.index(sign.lower()) if sign.isupper() else list(GROUPS).index(sign))
            reasons.append(number)
            rows.append(list(_NAMES).index(sign) if sign in _NAMES else -1)
    return np.array(columns, np.int64), np.array(reasons, np.uint8), np.array(rows, np.int64)


def _hashes() -> Any:
    """Return the hashes of _NAMES, a row each, the rest of it 0."""
    rows = [[w.hashed(name) for name in names.split()] for names in _NAMES.values()]
    table = np.zeros((len(rows), max(map(len, rows)) + 1), np.uint64)
    for row, hashes in zip(table, rows, strict=True):
        row[: len(hashes)] = hashes
    return table


_COLUMNS, _REASONS, _ROWS = _columns()
_HASHES = _hashes()
_SKIP_LINK = REASONS.index("skip_link")
_HREF = ATTRIBUTE["href"]
_SKIP_WORDS = 8  # a link that skips something says so in a few words


@inner
def named(signals: Any, box: int, row: int) -> Any:
    """Whether a class or id of the box, or a part of one, is in the row of _HASHES. Its first token is its tag's."""
    for i in range(signals.classes[box, FIRST_TOKEN] + 1, signals.classes[box, LAST_TOKEN]):
        for j in range(len(_HASHES[row])):
            if _HASHES[row, j] == 0:
                break
            if _HASHES[row, j] == signals.tokens[i]:
                return True
    return False


@inner
def leads_into_page(nodes: Any, link: int) -> Any:
    """Whether the address of the link (a node, or -1) is a place in the page: `#` and a name."""
    if link < 0:
        return False
    for row in range(nodes.first_attribute[link], nodes.last_attribute[link]):
        if nodes.attributes[row, 0] == _HREF:
            return nodes.attributes[row, 4] > 1 and nodes.values[nodes.attributes[row, 3]] == 35
    return False


@inner
def distance_to(signals: Any, box: int, column: int, row: int, best: int) -> Any:
    """Return how far up from `box` an element is that has the sign of `column` by a name of `row`; `best` if none is nearer."""
    away = signed(0)
    while box >= 0:
        away += signed(signals.near[box, column])  # to the next element that may have it
        if away >= best:
            return best
        for _ in range(signals.near[box, column]):
            box = signed(signals.boxes[box, PARENT])
        if named(signals, box, row):
            return away
        box = signed(signals.boxes[box, PARENT])
        away += 1
    return best


@entry
def explain(nodes: Any, marks: Any, signals: Any, keep: Any, count: int, reasons: Any) -> Any:
    """Fill `reasons` (count; uint8, indices of REASONS): KEPT where `keep` is set, else why the block is cut."""
    for b in range(count):
        if keep[b]:
            reasons[b] = KEPT
            continue
        block = signals.blocks[b]
        if block[CONCEALED]:
            reasons[b] = _HIDDEN
            continue
        box = signed(block[BOX])
        best = signed(FAR)
        reason = _LINK_LIST if 2 * block[LINK_CHARACTERS] > block[CHARACTERS] else _BOILERPLATE
        if signals.words[b, w.SIGNS] & 1 and signals.words[b, w.WORDS] < 40:
            reason = _COPYRIGHT
            best = signed(1)
        for i in range(len(_COLUMNS)):
            away = signed(signals.near[box, _COLUMNS[i]])
            if away >= best:
                continue
            if _REASONS[i] == _SKIP_LINK and not (
                signals.words[b, w.WORDS] <= _SKIP_WORDS and leads_into_page(nodes, marks.link[block[FIRST]])
            ):
                continue
            if _ROWS[i] >= 0:
                away = distance_to(signals, box, _COLUMNS[i], _ROWS[i], best)
            if away < best:
                best = away
                reason = _REASONS[i]
        reasons[b] = reason
