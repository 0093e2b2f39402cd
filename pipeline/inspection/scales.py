"""From values to the columns of a histogram, in one pass over rows and with integers alone.

Values are millionths, as in signed rows: shares of 1, counts, lengths. They are counted in fine cells first, which are the
same for every release, and the cells put together to columns when all are known:

- below 2, a cell is 0.005 wide: shares are told from each other, and bounds in half per cents lie between two cells;
- from 2 on, a cell is one step of the second significant digit (2.0, 2.1, ... 9.9, 10, 11, ...): some 90 a power of ten.

Columns are equally wide where the largest value is below 100, and else follow the digits of a decade (1, 2, 5, 10). They begin
at 0, or where all are shares in the upper half of the scale, below the lowest. One value in _FAR may lie beyond the last
edge: it is counted in the last column, which says so.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.inspection.charts import BINS, Tick
from pipeline.inspection.pages import millionths

MILLION = 1_000_000
EDGES: tuple[int, ...] = (
    *range(0, 2 * MILLION, 5_000),
    *range(2 * MILLION, 10 * MILLION, 100_000),
    *(digits * 10**power for power in range(6, 17) for digits in range(10, 100)),
)
_EDGES = np.array(EDGES, np.int64)
_STEPS = (5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 200_000, 500_000, MILLION, 2 * MILLION, 5 * MILLION)
_DECADES = ((10, 12, 15, 20, 25, 30, 40, 50, 60, 80), (10, 15, 20, 30, 50, 70), (10, 20, 50), (10,))
_FAR = (
    200  # one in so many values may lie beyond the last edge: a single long text would squeeze all others into a column
)


def cells(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The cell of each value (n,); what is negative, which no measure is, counts as 0."""
    found: npt.NDArray[np.int64] = np.maximum(np.searchsorted(_EDGES, values, side="right") - 1, 0)
    return found


@dataclass(frozen=True, slots=True)
class Scale:
    """Edges of columns, ascending. `beyond`: how many values lie above the last edge; they are counted in the last column.
    `whole`: there are no values but whole ones."""

    edges: tuple[int, ...]
    beyond: int = 0
    whole: bool = False

    def gather(self, counted: Mapping[int, int]) -> list[int]:
        """How many there are in each column, from how many there are in each cell."""
        found = [0] * (len(self.edges) - 1)
        for cell, number in counted.items():
            column = bisect_right(self.edges, EDGES[cell]) - 1
            found[min(max(column, 0), len(found) - 1)] += number
        return found

    def place(self, value: int) -> int:
        """Where a value lies, in hundredths of a per cent of the width: columns are equally wide, and even within."""
        column = min(max(bisect_right(self.edges, value) - 1, 0), len(self.edges) - 2)
        low, high = self.edges[column], self.edges[column + 1]
        part = (min(max(value, low), high) - low) * 10_000 // (high - low)
        return (column * 10_000 + part) // (len(self.edges) - 1)

    def ticks(self, most: int = 5) -> list[Tick]:
        """Some of the edges with their numbers: powers of ten, or evenly, from one end to the other where that is even."""
        count = len(self.edges) - 1
        tens = [at for at, edge in enumerate(self.edges) if edge and str(edge).strip("0") == "1" and edge >= MILLION]
        if self.edges[-1] > 100 * MILLION and len(tens) > 1:
            chosen = tens
        else:
            steps = range(-(-count // most), count // 2 + 1)
            step = next((step for step in steps if count % step == 0), -(-count // (most - 1)))
            chosen = [*range(0, count + 1, step)]
        return [Tick(at * 10_000 // count, millionths(self.edges[at])) for at in chosen]

    def ranges(self) -> list[str]:
        """Each column in words: `0.1 to 0.2`, whose upper end is the next one's; of whole values `10 to 14`, both in it."""
        words = []
        for low, high in pairwise(self.edges):
            last = high - MILLION if self.whole and low % MILLION == 0 and high % MILLION == 0 else high
            words.append(millionths(low) if low == last else f"{millionths(low)} to {millionths(last)}")
        return [*words[:-1], f"{millionths(self.edges[-2])} and more"] if self.beyond else words


def scale(counted: Mapping[int, int], bounds: Iterable[int] = ()) -> Scale:
    """The columns, at most BINS, for values of these cells, of which bounds within their range are edges or lie inside."""
    total, seen, used = sum(counted.values()), 0, sorted(counted)
    last = 0
    for cell in used:
        seen += counted[cell]
        last = cell
        if (total - seen) * _FAR <= total:
            break
    whole = bool(used) and all(EDGES[cell] % MILLION == 0 for cell in used)  # counts: no column narrower than 1
    low = EDGES[used[0]] if used else 0
    far = EDGES[min(last + 1, len(EDGES) - 1)] if used else MILLION
    if whole or EDGES[last] == MILLION:  # the cell's own value is its only one: 1 of 1 belongs to what is just below
        far = max(far if far > 100 * MILLION else EDGES[last] + MILLION * whole, 5_000)
    near = [bound for bound in bounds if bound >= 0]
    low, far = min([low, *near]), max([far, *near])
    edges = _even(low, far, whole) if far <= 100 * MILLION else _decades(low, far)
    return Scale(edges, sum(number for cell, number in counted.items() if EDGES[cell] > edges[-1]), whole)


def _even(low: int, far: int, whole: bool) -> tuple[int, ...]:
    """Equal steps from 0; of shares, where the first half would be empty, from below the lowest."""
    upper = far <= 2 * MILLION and low * 2 > far and not whole
    least = (
        MILLION if whole or far > 10 * MILLION else 100_000 if far > 2 * MILLION else 5_000
    )  # no narrower than a cell
    for step in (step for step in _STEPS if step >= least):
        start = low - low % step if upper else 0
        if far - start <= step * BINS:
            break
    last = max(far, start + 1)
    return tuple(range(start, last + step - (last % step or step) + 1, step))


def _decades(low: int, far: int) -> tuple[int, ...]:
    """Edges like 10, 20, 50, 100: the finest that BINS columns hold."""
    edges: list[int] = []
    for digits in _DECADES:
        all_edges = [
            0,
            MILLION,
            2 * MILLION,
            5 * MILLION,
            *(digit * 10**power for power in range(6, 18) for digit in digits),
        ]
        first = bisect_right(all_edges, low) - 1
        last = next(place for place, edge in enumerate(all_edges) if edge >= far or edge == all_edges[-1])
        edges = all_edges[first : last + 1]
        if last - first <= BINS:
            break
    return tuple(edges)
