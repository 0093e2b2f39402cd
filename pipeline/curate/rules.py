"""Rules: from measured columns to verdicts, each with the value that was seen and the bound that applied.

A rule is one function from the columns of a batch and its parameters to its checks, in the order in which they are
asked; the first failing check of a recipe's rules is a document's reason. Every value and bound is an integer, the
number x 1,000,000 rounded half to even, and a check fails exactly if value < low or value > high: what the row of a
document says is what decided. For texts of up to 100,000 words that equals comparing the ratios themselves: with a bound
of one or two decimals, a ratio of integers below 10^5 that is not the bound is at least 10^-6 / 2 away from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.release.schemas import MILLION

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """A batch of n documents: `features` by name (n int64 each), `languages` (n labels), `language_scores` (n int64)."""

    features: Mapping[str, Ints]
    languages: npt.NDArray[np.object_]
    language_scores: Ints

    def __len__(self) -> int:
        return len(self.languages)


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a batch: `values` (n,) in millionths, and the inclusive bounds, None where open.

    `applies` (n,) says which documents were asked; None means all.
    """

    reason: str
    values: Ints
    low: int | None = None
    high: int | None = None
    applies: Bools | None = None

    def asked(self) -> Bools:
        return np.ones(len(self.values), np.bool_) if self.applies is None else self.applies

    def fails(self) -> Bools:
        """(n,) bool: asked, and outside the bounds."""
        outside = np.zeros(len(self.values), np.bool_)
        if self.low is not None:
            outside |= self.values < self.low
        if self.high is not None:
            outside |= self.values > self.high
        return outside & self.asked()


Parameters = Mapping[str, Any]


def length(columns: Columns, parameters: Parameters) -> list[Check]:
    """Number of characters (code points)."""
    values = columns.features["characters"] * MILLION
    checks = [Check("too_short", values, low=millionths(parameters["min_characters"]))]
    if parameters["max_characters"] is not None:
        checks.append(Check("too_long", values, high=millionths(parameters["max_characters"])))
    return checks


def language(columns: Columns, parameters: Parameters) -> list[Check]:
    """Most likely language: 1 if it is allowed, else 0; and its score."""
    checks = []
    if parameters["allow"] is not None:
        allowed = np.isin(columns.languages.astype(str), list(parameters["allow"]))
        checks.append(Check("language", allowed.astype(np.int64) * MILLION, low=MILLION))
    if parameters["min_score"] > 0:
        checks.append(Check("language_score", columns.language_scores, low=millionths(parameters["min_score"])))
    return checks


def gopher_quality(columns: Columns, parameters: Parameters) -> list[Check]:
    """Gopher's quality heuristics: Rae et al. 2021, section A.1.1.

    Definitions, order, thresholds and names of reasons follow datatrove's GopherQualityFilter (0.10.1) with white space
    words; content words are those with a code point that is no symbol. A text without words has ratios of 0, so that the
    word count decides.
    """
    f = columns.features
    words, content = f["words"], f["content_words"]
    mean_length = ratio(f["content_characters"], content)
    wanted: list[tuple[str, Ints, str | None, str | None]] = [
        ("gopher_short_doc", content * MILLION, "min_words", None),
        ("gopher_long_doc", content * MILLION, None, "max_words"),
        ("gopher_below_avg_threshold", mean_length, "min_mean_word_length", None),
        ("gopher_above_avg_threshold", mean_length, None, "max_mean_word_length"),
        ("gopher_too_many_hashes", ratio(f["hashes"], words), None, "max_symbol_ratio"),
        ("gopher_too_many_ellipsis", ratio(f["ellipses"], words), None, "max_symbol_ratio"),
        ("gopher_too_many_bullets", ratio(f["bullet_lines"], f["lines"]), None, "max_bullet_lines"),
        ("gopher_too_many_end_ellipsis", ratio(f["ellipsis_lines"], f["lines"]), None, "max_ellipsis_lines"),
        ("gopher_below_alpha_threshold", ratio(f["alphabetic_words"], words), "min_alphabetic_words", None),
        ("gopher_enough_stop_words", f["stop_words"] * MILLION, "min_stop_words", None),
    ]
    checks = []
    for reason, values, low, high in wanted:
        bound = parameters[low or high or ""]
        if bound is not None:
            at = millionths(bound)
            checks.append(Check(reason, values, low=at if low else None, high=at if high else None))
    return checks


RULES: dict[str, Callable[[Columns, Parameters], list[Check]]] = {
    "length": length,
    "language": language,
    "gopher_quality": gopher_quality,
}


def judge(columns: Columns, rules: Sequence[Parameters]) -> list[Check]:
    """All checks of a recipe's rules over a batch, in order. A rule may be for some languages only."""
    checks = []
    for parameters in rules:
        applies = _applies(columns, parameters)
        for check in RULES[parameters["rule"]](columns, parameters):
            checks.append(Check(check.reason, check.values, check.low, check.high, applies))
    return checks


def _applies(columns: Columns, parameters: Parameters) -> Bools | None:
    only, but = parameters["languages"], parameters["except_languages"]
    if only is None and not but:
        return None
    labels = columns.languages.astype(str)
    applies = np.ones(len(labels), np.bool_) if only is None else np.isin(labels, list(only))
    return np.asarray(applies & ~np.isin(labels, list(but)), np.bool_)


def ratio(part: Ints, whole: Ints) -> Ints:
    """part / whole in millionths, rounded half to even, in integers; 0 where `whole` is 0. Counts are below 2^43."""
    divisor = np.maximum(whole, 1)
    quotient, rest = np.divmod(part * MILLION, divisor)
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    return np.where(whole == 0, 0, quotient + up)


def millionths(value: float) -> int:
    """A bound of a recipe in millionths (Python rounds half to even)."""
    return round(value * MILLION)
