"""A fastText supervised model as its file holds it: format version 12, every count checked before it is believed.

The layout is that of fastText 0.9.2's `FastText::saveModel` and of what it calls (`Args::save`, `Dictionary::save`,
`DenseMatrix::save`, `QuantMatrix::save`, `ProductQuantizer::save`); all numbers are little-endian, as on the machines that
wrote every published model.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC, VERSION = 793712314, 12
SUPERVISED = 3  # Args.model
HIERARCHICAL_SOFTMAX, NEGATIVE_SAMPLING, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4  # Args.loss
ARGUMENTS = ("dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model", "bucket", "minn", "maxn",
             "lr_update_rate")  # fmt: skip
CENTROIDS = 256  # of one sub-space of a product quantiser: a code is one byte
WORD, LABEL = 0, 1  # kinds of dictionary entries; words come first
MOST_COUNTED = 10**15  # fastText's weight of a node that is not built yet: no count may come near it

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Quantiser:
    """Product quantiser (Jégou et al. 2011): `books[k]`, (256, width), are the centroids of the k-th columns."""

    books: tuple[Floats, ...]

    def decode(self, codes: npt.NDArray[np.uint8]) -> Floats:
        """Rows (n, columns) of codes (n, books)."""
        return np.concatenate([book[codes[:, k]] for k, book in enumerate(self.books)], axis=1)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`rows` x `columns` weights, dense or quantised."""

    rows: int
    columns: int
    dense: Floats | None
    quantiser: Quantiser | None = None
    codes: npt.NDArray[np.uint8] | None = None
    norms: Floats | None = None

    def weights(self) -> Floats:
        """(rows, columns) float32; a quantised row is norm * centroid, rounded once, as fastText computes it."""
        if self.dense is not None:
            return self.dense
        assert self.quantiser is not None and self.codes is not None  # noqa: S101 (the reader made one or the other)
        found = self.quantiser.decode(self.codes)
        return found if self.norms is None else found * self.norms[:, None]


@dataclass(frozen=True, slots=True)
class FastTextModel:
    """What prediction needs. `labels` are with their prefix, `label_counts` their frequencies in training.

    `kept`: (n, 2) int32, the buckets of n-grams that pruning kept with their rows after those of the words; None if not pruned.
    """

    dim: int
    word_ngrams: int
    loss: int
    bucket: int
    minn: int
    maxn: int
    words: tuple[bytes, ...]
    labels: tuple[str, ...]
    label_counts: tuple[int, ...]
    kept: npt.NDArray[np.int32] | None
    input: Matrix
    output: Matrix


def read(path: Path) -> FastTextModel:
    """Read a model file; raises ValueError, saying what was seen and wanted, where the file is not what it must be."""
    return parse(path.read_bytes())


def parse(data: bytes) -> FastTextModel:
    """The model in `data`; ValueError as `read`."""
    cursor = _Cursor(data)
    magic, version = cursor.numbers("2i", "signature")
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"signature is {magic}, format {version}; wanted {MAGIC}, format {VERSION}")
    arguments = dict(zip(ARGUMENTS, cursor.numbers("12i", "arguments"), strict=True))
    cursor.numbers("d", "sampling threshold")
    _want("model", arguments["model"], arguments["model"] == SUPERVISED, f"{SUPERVISED} (supervised)")
    for name in ("dim", "word_ngrams"):
        _want(name, arguments[name], arguments[name] >= 1, ">= 1")
    for name in ("bucket", "minn", "maxn"):
        _want(name, arguments[name], arguments[name] >= 0, ">= 0")
    has_ngrams = arguments["maxn"] > 0 or arguments["word_ngrams"] > 1
    _want("bucket", arguments["bucket"], arguments["bucket"] > 0 or not has_ngrams, "> 0, as there are n-grams")
    words, labels, counts, kept = _dictionary(cursor, arguments["bucket"])
    (quantised,) = cursor.flags("quantised input")
    _want("quantised input", False, quantised or kept is None, "True, as n-grams were pruned")
    rows = len(words) + (arguments["bucket"] if kept is None else len(kept))
    source = _matrix(cursor, quantised, "input", rows, arguments["dim"])
    (quantised_output,) = cursor.flags("quantised output")
    output = _matrix(cursor, quantised and quantised_output, "output", len(labels), arguments["dim"])
    if cursor.at != len(data):
        raise ValueError(f"{len(data) - cursor.at} bytes follow the output matrix, wanted none")
    return FastTextModel(
        arguments["dim"], arguments["word_ngrams"], arguments["loss"], arguments["bucket"], arguments["minn"],
        arguments["maxn"], words, labels, counts, kept, source, output,
    )  # fmt: skip


class _Cursor:
    """A place in bytes that never reads, nor makes room for, more than there is."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int, what: str) -> int:
        """Where `size` bytes begin; the cursor moves behind them."""
        left = len(self.data) - self.at
        if not 0 <= size <= left:
            raise ValueError(f"{what} at byte {self.at}: {left} bytes are left, wanted {size}")
        self.at += size
        return self.at - size

    def numbers(self, form: str, what: str) -> tuple[Any, ...]:
        return struct.unpack_from(f"<{form}", self.data, self.take(struct.calcsize(f"<{form}"), what))

    def flags(self, what: str) -> tuple[bool, ...]:
        (value,) = self.numbers("B", what)
        _want(what, value, value <= 1, "0 or 1")
        return (value == 1,)

    def array(self, kind: str, count: int, what: str) -> npt.NDArray[Any]:
        return np.frombuffer(self.data, kind, count, self.take(count * np.dtype(kind).itemsize, what))

    def string(self, what: str) -> bytes:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise ValueError(f"{what} at byte {self.at} has no end, wanted a zero byte")
        return self.data[self.take(end + 1 - self.at, what) : end]


def _want(what: str, seen: object, fine: bool, wanted: str) -> None:
    if not fine:
        raise ValueError(f"{what} is {seen}, wanted {wanted}")


def _dictionary(
    cursor: _Cursor, bucket: int
) -> tuple[tuple[bytes, ...], tuple[str, ...], tuple[int, ...], npt.NDArray[np.int32] | None]:
    """Words, labels, the labels' counts, and the kept buckets."""
    size, word_count, label_count, _, pruned = cursor.numbers("3i2q", "dictionary")
    _want("number of labels", label_count, label_count >= 1, ">= 1")
    _want("number of words", word_count, word_count >= 0, ">= 0")
    _want("number of entries", size, size == word_count + label_count, f"{word_count} words + {label_count} labels")
    entries, counts = [], []
    for index in range(size):
        entries.append(cursor.string(f"entry {index}"))
        count, kind = cursor.numbers("qb", f"entry {index}")
        wanted = WORD if index < word_count else LABEL
        _want(f"kind of entry {index}", kind, kind == wanted, str(wanted))
        _want(f"count of entry {index}", count, 0 <= count < MOST_COUNTED, f"0 to {MOST_COUNTED - 1}")
        counts.append(count)
    _want("number of different entries", len(set(entries)), len(set(entries)) == size, str(size))
    kept = None
    if pruned >= 0:
        kept = cursor.array("<i4", 2 * pruned, "kept buckets").reshape(-1, 2)
        for column, what, limit in ((0, "buckets", bucket), (1, "rows", pruned)):
            fine = not pruned or (kept[:, column].min() >= 0 and kept[:, column].max() < limit)
            _want(f"kept {what}", "out of range", fine, f"0 to {limit - 1}")
        different = len(np.unique(kept[:, 0]))
        _want("number of different kept buckets", different, different == pruned, str(pruned))
    try:
        labels = tuple(entry.decode() for entry in entries[word_count:])
    except UnicodeDecodeError as error:
        raise ValueError(f"a label is {error.object!r}, wanted UTF-8") from error
    return tuple(entries[:word_count]), labels, tuple(counts[word_count:]), kept


def _matrix(cursor: _Cursor, quantised: bool, what: str, rows: int, columns: int) -> Matrix:
    has_norms = quantised and cursor.flags(f"{what} matrix: norms")[0]
    seen = cursor.numbers("2q", f"{what} matrix")
    _want(f"size of the {what} matrix", seen, seen == (rows, columns), f"{(rows, columns)}")
    if not quantised:
        return Matrix(rows, columns, cursor.array("<f4", rows * columns, f"{what} matrix").reshape(rows, columns))
    (code_count,) = cursor.numbers("i", f"{what} codes")
    codes = cursor.array("u1", code_count, f"{what} codes")
    quantiser = _quantiser(cursor, what, columns)
    wanted = rows * len(quantiser.books)
    _want(f"number of {what} codes", code_count, code_count == wanted, str(wanted))
    norms = None
    if has_norms:
        norm_codes = cursor.array("u1", rows, f"{what} norms").reshape(-1, 1)
        norms = _quantiser(cursor, f"{what} norms", 1).decode(norm_codes)[:, 0]
    return Matrix(rows, columns, None, quantiser, codes.reshape(rows, -1), norms)


def _quantiser(cursor: _Cursor, what: str, columns: int) -> Quantiser:
    """Sub-spaces are `width` columns, the last one what is left; centroids lie sub-space after sub-space."""
    dim, count, width, last = cursor.numbers("4i", f"{what} quantiser")
    fine = dim == columns and width >= 1 and 1 <= last <= width and (count - 1) * width + last == dim
    _want(f"{what} quantiser", (dim, count, width, last), fine, f"widths that add up to {columns}")
    centroids = cursor.array("<f4", dim * CENTROIDS, f"{what} centroids")
    books = []
    for k in range(count):
        own = width if k < count - 1 else last
        start = k * CENTROIDS * width
        books.append(centroids[start : start + CENTROIDS * own].reshape(CENTROIDS, own))
    return Quantiser(tuple(books))
