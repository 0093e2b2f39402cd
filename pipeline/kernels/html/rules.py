"""The first design for what to keep: rules written by hand on landmarks, class words, and the density of links and text.

Kept as what the trained model is compared with (`bench/html/`), and as what explains it: no rule here was tuned on a benchmark.
"""

from typing import Any

import numpy as np

from pipeline.kernels.html import word_signals as w
from pipeline.kernels.html.blocks import BOX, CHARACTERS, CONCEALED, LINK_CHARACTERS
from pipeline.kernels.html.class_signals import FAR, GROUP_COUNT, GROUPS, LANDMARKS
from pipeline.kernels.html.options import entry

AWAY = ["nav", "footer", "aside", "dialog", "form", "select", "button", "header"]
AWAY_GROUPS = [
    "nav",
    "foot",
    "side",
    "crumb",
    "share",
    "related",
    "cookie",
    "modal",
    "newsletter",
    "ad",
    "pagination",
    "comment",
    "skip",
    "login",
    "filter",
]
_AWAY = np.array(
    [GROUP_COUNT + LANDMARKS.index(n) for n in AWAY] + [list(GROUPS).index(n) for n in AWAY_GROUPS], np.int64
)
_CENTER = np.array([GROUP_COUNT + LANDMARKS.index(n) for n in ("main", "article", "ITEMPROP_BODY")], np.int64)


@entry
def decide(blocks: Any, near: Any, words: Any, count: int, keep: Any) -> Any:
    """Fill `keep` (count; uint8): 1 for blocks that the rules take for main content."""
    centered = False
    for b in range(count):
        for i in range(len(_CENTER)):
            centered |= near[blocks[b, BOX], _CENTER[i]] < FAR
    for b in range(count):
        distances = near[blocks[b, BOX]]
        away = FAR
        for i in range(len(_AWAY)):
            away = min(away, distances[_AWAY[i]])
        center = FAR
        for i in range(len(_CENTER)):
            center = min(center, distances[_CENTER[i]])
        linked = 2 * blocks[b, LINK_CHARACTERS] > blocks[b, CHARACTERS]
        short = words[b, w.WORDS] < 10
        keep[b] = not blocks[b, CONCEALED] and (
            (center < away and not (linked and short)) if centered else (away == FAR and not (linked and short))
        )
