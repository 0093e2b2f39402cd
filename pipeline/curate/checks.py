"""What a rule answers: for each document of a batch a value, and the bounds that applied to it.

Every value and bound is an integer, the number x 1,000,000, and a check fails exactly if value < low or value > high: what
the row of a document says is what decided. A ratio under an upper bound is rounded up and one over a lower bound down, so
that the integer is outside the bound exactly where the ratio of the counts is: as if the ratios themselves were compared,
for texts of any length. (A half-even rounding would take 2,000,001 / 10,000,000 for 0.2.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.release.schemas import MILLION

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.object_]  # of str, or of str and None
Outcome = Mapping[str, npt.NDArray[Any]]  # what a rule that read the text found: n values a name


@dataclass(frozen=True, slots=True)
class Columns:
    """A batch of n documents: all that rules see of them.

    `features` by name (n int64 each), `languages` (n labels), `language_scores` (n int64, millionths), `urls` (n).
    `outcomes`: by the index of a rule in its list, what it found in the texts (`curate.edits`).
    """

    features: Mapping[str, Ints]
    languages: Strings
    language_scores: Ints
    urls: Strings
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.languages)


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a batch: `values` (n,) in millionths, and the inclusive bounds, None where open.

    `applies` (n,) says which documents were asked; None means all. `reasons` (n,), where given, stand in place of `reason`.
    """

    reason: str
    values: Ints
    low: int | None = None
    high: int | None = None
    applies: Bools | None = None
    reasons: Strings | None = None

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

    def reason_of(self, row: int) -> str:
        return self.reason if self.reasons is None else str(self.reasons[row])

    def only(self, applies: Bools | None) -> "Check":
        """The same question, to those documents alone."""
        if applies is None:
            return self
        return replace(self, applies=applies if self.applies is None else applies & self.applies)


def at_most(reason: str, part: Ints, whole: Ints | int, bound: float | None) -> list[Check]:
    """part / whole must not be above the bound; 0 where `whole` is 0. No check where the bound is None."""
    if bound is None:
        return []
    return [Check(reason, rounded_up(part, whole), high=millionths(bound))]


def at_least(reason: str, part: Ints, whole: Ints | int, bound: float | None) -> list[Check]:
    """part / whole must not be below the bound; 0 where `whole` is 0. No check where the bound is None."""
    if bound is None:
        return []
    return [Check(reason, rounded_down(part, whole), low=millionths(bound))]


def rounded_down(part: Ints, whole: Ints | int) -> Ints:
    """floor(part x 1,000,000 / whole), 0 where `whole` is 0. Counts are below 2^43."""
    divisor = np.asarray(whole)
    return np.where(divisor == 0, 0, (part * MILLION) // np.maximum(divisor, 1))


def rounded_up(part: Ints, whole: Ints | int) -> Ints:
    """The same, not below it."""
    return -rounded_down(-part, whole)


def millionths(value: float) -> int:
    """A bound of a recipe in millionths (Python rounds half to even)."""
    return round(value * MILLION)
