"""C4's line edit (Raffel et al. 2020, section 2.2) on UTF-8 bytes, with the decisions of datatrove 0.10.1's C4QualityFilter.

Lines are those of `str.splitlines()`, stripped; words those of `str.split()`. In the order of the reference, a line is
removed if it has a word of more than `max_word_length` code points, if without its citations (`[12]`, `[]`, `[edit]`,
`[citation needed]`; digits of any script, as `\\d` has them) it does not end in one of `. ? ! " '` or ends in `...`, or if it
has fewer than `min_words_per_line` words, citations counted. Reading stops at a line, not removed so far, that says
"lorem ipsum" in any case. Then lines that say "javascript" are removed, reading stops at a line with `{`, and lines with one
of POLICY are removed. The edited text is the lines kept so far, without citations, joined by a line feed, and stripped.

A removed span is a gap between neighbouring kept pieces of the text (a piece: what is kept of a line between two of its
citations; of a line of which nothing is left, the empty string before its citations or its end), or before the first or
behind the last, that holds more than the one line feed which joins two lines in the edited text too. What is gone in one go
is one span, whatever the reasons: 0 spans if and only if the text is unchanged.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import sentences
from pipeline.kernels.c4_kernel import edit_all
from pipeline.kernels.c4_lines import CURLY_BRACKET, DIGIT, IN_POLICY, JAVASCRIPT, LOREM_IPSUM, TABLE_SIZE
from pipeline.kernels.sentences import PADDING, code_points, readable

# First digits of the runs of ten of category Nd in Unicode 14.0, Python 3.11's; 3.12 knows two more scripts' digits.
DIGITS = """
    30 660 6F0 7C0 966 9E6 A66 AE6 B66 BE6 C66 CE6 D66 DE6 E50 ED0 F20 1040 1090 17E0 1810 1946 19D0 1A80 1A90 1B50 1BB0
    1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 11066 110F0 11136 111D0 112F0 11450 114D0 11650 116C0
    11730 118E0 11950 11C50 11D50 11DA0 16A60 16AC0 16B50 1D7CE 1D7D8 1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E950 1FBF0"""


@dataclass(frozen=True, slots=True)
class C4:
    """The parameters of the edit, with the reference's defaults. None and -1 turn a bound off."""

    remove_citations: bool = True
    terminal_punctuation: bool = True  # remove lines that do not end in it
    min_words_per_line: int | None = 3
    max_word_length: int | None = 1000
    lorem_ipsum: bool = True
    javascript: bool = True
    curly_bracket: bool = True
    policy: bool = True

    def __post_init__(self) -> None:
        for name in ("min_words_per_line", "max_word_length"):
            if (bound := getattr(self, name)) is not None and bound < -1:
                raise ValueError(f"{name} is {bound}, wanted None, -1 or a bound from 0 on")


@dataclass(frozen=True, slots=True)
class Edited:
    """`texts`, a LargeStringArray of n edited texts, whatever the verdict; and (n,) int64 counts of each."""

    texts: Any
    kept_lines: npt.NDArray[np.int64]
    removed_lines: npt.NDArray[np.int64]  # all others, also those behind the one where reading stopped
    removed_spans: npt.NDArray[np.int64]
    removed_characters: npt.NDArray[np.int64]  # code points of the text less those of the edited text
    sentences: npt.NDArray[np.int64]  # of the kept lines, by the rule of `kernels.sentences`
    lorem_ipsum: npt.NDArray[np.int64]  # 1 if reading stopped at a line with "lorem ipsum"
    curly_bracket: npt.NDArray[np.int64]  # 1 if it stopped at a line with "{"


def edit(texts: "pa.StringArray | pa.LargeStringArray", parameters: C4) -> Edited:
    """Edit each text by itself. `texts` holds no nulls (ValueError)."""
    rows = len(texts)
    counts = np.empty((len(fields(Edited)) - 1, rows), np.int64)
    bounds = np.array([
        -1 if bound is None else bound for bound in (parameters.min_words_per_line, parameters.max_word_length)
    ], np.int64)  # fmt: skip
    sought = (
        LOREM_IPSUM * parameters.lorem_ipsum | JAVASCRIPT * parameters.javascript
        | CURLY_BRACKET * parameters.curly_bracket | IN_POLICY * parameters.policy
    )  # fmt: skip
    parts = readable(texts)
    # An edited text is never longer: what joins two lines replaces at least one byte.
    out = np.empty(sum(int(offsets[-1] - offsets[0]) for _, offsets, _ in parts) + PADDING, np.uint8)
    starts = np.zeros(rows + 1, np.int64)
    state, tally = np.zeros(7, np.int64), np.zeros(4, np.int64)
    for first, offsets, data in parts:
        edit_all(
            data, offsets, _flags(), bounds, parameters.remove_citations, parameters.terminal_punctuation,
            sought, out, state, tally, starts[first : first + len(offsets)], counts[:, first : first + len(offsets) - 1],
        )  # fmt: skip
    edited = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(starts), pa.py_buffer(out[: starts[-1]]))
    return Edited(edited, *counts)


@cache
def _flags() -> npt.NDArray[np.uint8]:
    table = np.zeros(TABLE_SIZE, np.uint8)
    table[: sentences.TABLE_SIZE] = sentences.flags()
    for zero in code_points(DIGITS):
        table[zero : zero + 10] |= DIGIT
    return table
