"""The edit `repeated_lines`: a source's blocks, as `curate.line_counts` found them, go from its documents before all rules."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import blocks

NAME = "repeated_lines"


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
