"""Arrow string arrays as the (offsets, bytes) pair that kernels read; no string is copied."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def utf8_buffers(texts: Any) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Offsets, (n + 1,) int64 into the returned bytes, and the bytes, (m,) uint8, of a String or LargeString array.

    Slices are honoured. Raises TypeError for other arrays and ValueError for nulls: a missing text is no text, and who
    calls must have said why it is missing. Raises ValueError as well for offsets that leave the buffer and for a text that is
    no valid UTF-8 by itself, since kernels decode without looking; the check runs at over 10 GB/s on ASCII.
    """
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        raise TypeError(f"texts are {texts.type}, wanted string or large_string")
    if texts.null_count:
        raise ValueError(f"{texts.null_count} of {len(texts)} texts are null")
    if not _is_valid(texts):
        raise ValueError(
            f"text {_first_invalid(texts)} of {len(texts)} is no valid UTF-8, or its offsets leave the buffer"
        )
    _, offsets_buffer, data_buffer = texts.buffers()
    width = np.int32 if pa.types.is_string(texts.type) else np.int64
    if len(texts) == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offsets_buffer, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return offsets, data


def _is_valid(texts: Any) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _first_invalid(texts: Any) -> int:
    """The row of the first text that does not pass; there is one. By halving, each half checked once."""
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        if _is_valid(texts.slice(low, middle - low)):
            low = middle
        else:
            high = middle
    return low
