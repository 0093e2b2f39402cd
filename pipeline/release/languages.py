"""Language labels of lid.176 as codes of ISO 639, which catalogues and the Hub ask for.

The labels are Wikipedia's codes of 2017; most are ISO 639-1 or 639-3 codes. Not all: Alemannic is `als` there, which in
ISO 639-3 is Tosk Albanian; `bh`, `sh` and `eml` were withdrawn (registration authorities of ISO 639, change history).
"""

import re
from collections.abc import Mapping

_CODE = re.compile("[a-z]{2,3}")
_OTHERWISE = {"als": "gsw", "bh": "bih", "sh": "hbs", "eml": "egl"}
_SHARE = (
    1_000  # a label of fewer than one in so many documents is more often a wrong guess than a language of the corpus
)


def iso(label: str) -> str | None:
    """The code of a label; None for `und` and whatever has no form of a code."""
    if label == "und" or not _CODE.fullmatch(label):
        return None
    return _OTHERWISE.get(label, label)


def of_corpus(labels: Mapping[str, int]) -> list[str]:
    """The codes of the languages that at least one in a thousand of the documents has, sorted. `labels`: documents by label."""
    total = sum(labels.values())
    codes = {iso(label) for label, count in labels.items() if count and count * _SHARE >= total}
    return sorted(code for code in codes if code)
