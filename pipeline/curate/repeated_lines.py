"""The edit `repeated_lines`: a source's blocks, as `curate.line_blocks` found them, go from its documents before all rules.

A document of nothing but blocks keeps its text and is dropped for that: a text of nothing says less than what was there.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate.checks import Check, at_most
from pipeline.curate.edits import Edit, replace
from pipeline.kernels import blocks

NAME = "repeated_lines"
EMPTIED = f"{NAME}/emptied"  # the reason of a document of nothing but blocks


@dataclass(frozen=True, slots=True)
class Removed:
    """`texts` (a LargeStringArray) without blocks, what was done to each, and `check`: 1 where nothing would be left."""

    texts: Any
    edits: list[list[Edit]]
    check: Check


def remove(texts: Any, blocks_path: Path, *, unit: str, min_characters: int) -> Removed:
    """`apply`, told as edits are; texts of which nothing would be left stay as they are."""
    edited, spans = apply(texts, blocks_path, unit=unit, min_characters=min_characters)
    empty = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(edited)), 0).to_numpy(zero_copy_only=False) & (spans > 0)
    edits: list[list[Edit]] = [[] for _ in range(len(texts))]
    left = replace(texts, np.arange(len(texts)), texts, edited, ~empty, spans, NAME, edits)
    (check,) = at_most(EMPTIED, empty.astype(np.int64), 1, 0)
    return Removed(left, edits, check)


def apply(
    texts: Any, blocks_path: Path, *, unit: str = "line", min_characters: int = blocks.MIN_CHARACTERS
) -> tuple[Any, npt.NDArray[np.int64]]:
    """The texts, a LargeStringArray, without the units that are blocks; and (n,) int64 units removed of each.

    `blocks_path`: blocks.arrow of the source; `unit`, `min_characters`: those that it was made with. A document of nothing
    but blocks becomes the empty text: what is too short is for a rule to say.
    """
    status = blocks_path.stat()
    known = _load(blocks_path, status.st_mtime_ns, status.st_size)
    return blocks.remove(texts, known, unit=unit, min_characters=min_characters)


@lru_cache(maxsize=2)
def _load(path: Path, _mtime_ns: int, _size: int) -> blocks.Blocks:
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        return blocks.Blocks.of(reader.read_all())
