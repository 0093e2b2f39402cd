"""MinHash signatures of texts, and the band keys by which near duplicates are looked for.

A signature holds, for each of 112 permutations of the 32-bit integers, the least value to which it takes a shingle of the text;
two texts agree in a place about as often as their shingle sets overlap (Broder 1997; Broder et al. 1998, "Min-wise independent
permutations"). The permutations are x -> a * x + b mod 2^32 with an odd a, over the upper halves of the shingle hashes
of `kernels.shingles`. docs/minhash.md specifies signatures and keys to the byte, under VERSION.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pipeline.kernels import codepoints, jit, shingles
from pipeline.kernels.bits import pointer
from pipeline.kernels.hashing import GOLDEN, SECOND, Bytes, finished

VERSION = "pellucid/minhash/v1"
PERMUTATIONS = 112
# As Penedo et al. 2024 (FineWeb). Two texts of similarity s share a key with probability 1 - (1 - s^8)^14: 0.92 at 0.8.
BANDS, ROWS = 14, 8

_LANES = 16  # permutations at once: one register of AVX-512, two of AVX2
_WHOLE = (1 << 64) - 1


def permutations_of(seed: int, permutations: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Multipliers (odd) and summands of the permutations, (permutations,) uint32 each.

    The upper halves of what splitmix64 gives from the state `seed` on, multiplier, summand, multiplier, ... (Steele, Lea and
    Flood 2014, "Fast splittable pseudorandom number generators", with the constants of Vigna's splitmix64.c, 2015).
    """
    if not 0 <= seed <= _WHOLE:
        raise ValueError(f"seed {seed}; wanted 0 to 2^64 - 1")
    if not 1 <= permutations <= 1 << 16:
        raise ValueError(f"{permutations} permutations; wanted 1 to {1 << 16}")
    drawn = [_splitmix(seed + k * 0x9E3779B97F4A7C15 & _WHOLE) >> 32 for k in range(1, 2 * permutations + 1)]
    return np.array(drawn[::2], np.uint32) | np.uint32(1), np.array(drawn[1::2], np.uint32)


def _splitmix(z: int) -> int:
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _WHOLE
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _WHOLE
    return z ^ z >> 31


def signatures(
    texts: "pa.StringArray | pa.LargeStringArray", *, words: int = shingles.WORDS, permutations: int = PERMUTATIONS,
    seed: int = 1, characters: int = shingles.CHARACTERS,
) -> npt.NDArray[np.uint32]:  # fmt: skip
    """The signature of each text, (texts, permutations) uint32; all 0xFFFFFFFF for a text without words.

    words, characters: as of `shingles.hashes`. Raises TypeError and ValueError as that and `permutations_of` do.
    """
    offsets, data = shingles.readable(texts, words, characters)
    a, b = _padded(seed, permutations)
    out = np.empty((len(texts), permutations), np.uint32)
    _signatures(data, offsets, codepoints.flags(), words, characters, a, b, out)
    return out


def signatures_of_hashes(
    offsets: npt.NDArray[np.int64], values: npt.NDArray[np.uint64], *, permutations: int = PERMUTATIONS, seed: int = 1
) -> npt.NDArray[np.uint32]:
    """The same signatures, from what `shingles.hashes` gave: (len(offsets) - 1, permutations) uint32.

    Raises TypeError for arrays of another kind, ValueError for offsets that leave the values, and as `permutations_of` does.
    """
    offsets, values = _readonly(offsets, np.int64, 1), _readonly(values, np.uint64, 1)
    if len(offsets) == 0 or offsets[0] < 0 or offsets[-1] > len(values) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets do not ascend from 0 to at most {len(values)}, the number of values")
    a, b = _padded(seed, permutations)
    out = np.empty((len(offsets) - 1, permutations), np.uint32)
    _signatures_of_hashes(offsets, values, a, b, out)
    return out


def band_keys(signatures: npt.NDArray[np.uint32], *, bands: int = BANDS, rows: int = ROWS) -> npt.NDArray[np.uint64]:
    """The key of each band of each signature, (signatures, bands) uint64.

    Band k is places k * rows to (k + 1) * rows of the signature. Equal places in different bands give different keys.
    Signatures of texts without words are all the same, and so are their keys: who joins by them leaves those out.
    Raises TypeError if they are no signatures, ValueError if they are shorter than all bands together.
    """
    signatures = _readonly(signatures, np.uint32, 2)
    if bands < 1 or rows < 1 or bands * rows > signatures.shape[1]:
        raise ValueError(f"{bands} bands of {rows} places; signatures have {signatures.shape[1]}")
    out = np.empty((len(signatures), bands), np.uint64)
    _band_keys(signatures, rows, out)
    return out


def _readonly(array: npt.NDArray[Any], kind: type, dimensions: int) -> npt.NDArray[Any]:
    """The array, contiguous and marked read-only, whatever its owner says: one type, one compilation."""
    if array.dtype != kind or array.ndim != dimensions:
        raise TypeError(f"{array.ndim} dimensions of {array.dtype}, wanted {dimensions} of {np.dtype(kind)}")
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def _padded(seed: int, permutations: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """The permutations, with zeros up to a multiple of _LANES."""
    a, b = permutations_of(seed, permutations)
    more = (0, -permutations % _LANES)
    return np.pad(a, more), np.pad(b, more)


@jit.entry
def _signatures(data: Bytes, offsets: Any, table: Any, words: int, characters: int, a: Any, b: Any, out: Any) -> None:
    scratch = shingles.room(0, characters)
    for d in range(offsets.shape[0] - 1):
        size = shingles.cut(data, offsets[d], offsets[d + 1], characters)
        if size > shingles.capacity(scratch):
            scratch = shingles.room(size, characters)
        count = shingles.of_text(data, offsets[d], size, table, words, scratch)
        _permute(pointer(scratch[shingles.FOUND], 0), count, a, b, out, d)


@jit.entry
def _signatures_of_hashes(offsets: Any, values: Any, a: Any, b: Any, out: Any) -> None:
    for d in range(offsets.shape[0] - 1):
        _permute(pointer(values, offsets[d]), offsets[d + 1] - offsets[d], a, b, out, d)


@intrinsic
def _least(_context: Any, hashes: Any, _count: Any, a: Any, b: Any, _index: Any, out: Any, _place: Any) -> Any:
    """_least(hashes, count, a, b, index, out, place): the least value of each of _LANES permutations, from `index` on, over the
    upper halves of `count` uint64; written to `out` from `place` on. 0xFFFFFFFF if there are none.

    A permutation a lane, one shingle after another: the minima stay in registers, and nothing is left over at a text's end.
    LLVM vectorises the plain loop by itself, a shingle a lane; that takes 1.6 times as long on real text, 2.5 on two shingles.
    """
    word, vector = ir.IntType(32), ir.VectorType(ir.IntType(32), _LANES)

    def generate(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        of_hashes, count, of_a, of_b, index, of_out, place = arguments

        def lanes(array: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(array, [at]), vector.as_pointer())

        def load(array: Any) -> Any:
            value = builder.load(lanes(array, index))
            value.align = 4
            return value

        multiplier, summand = load(of_a), load(of_b)
        least = cgutils.alloca_once_value(builder, ir.Constant(vector, [0xFFFFFFFF] * _LANES))
        halves = builder.bitcast(of_hashes, word.as_pointer())
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(builder.shl(loop.index, ir.Constant(loop.index.type, 1)), ir.Constant(loop.index.type, 1))
            half = builder.load(builder.gep(halves, [at]))
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), half, ir.Constant(word, 0))
            every = builder.shuffle_vector(one, one, ir.Constant(vector, [0] * _LANES))
            value = builder.add(builder.mul(every, multiplier), summand)
            best = builder.load(least)
            builder.store(builder.select(builder.icmp_unsigned("<", value, best), value, best), least)
        builder.store(builder.load(least), lanes(of_out, place)).align = 4
        return _context.get_dummy_value()

    return types.void(hashes, types.int64, a, b, types.int64, out, types.int64), generate


@jit.inner
def _permute(hashes: Any, count: int, a: Any, b: Any, out: Any, d: int) -> None:
    """out[d]: the least value of each permutation over the hashes."""
    permutations = out.shape[1]
    of_out, of_a, of_b = pointer(out, 0), pointer(a, 0), pointer(b, 0)
    whole = permutations - permutations % _LANES
    for p in range(0, whole, _LANES):
        _least(hashes, count, of_a, of_b, p, of_out, d * permutations + p)
    if whole < permutations:
        rest = np.empty(_LANES, np.uint32)
        _least(hashes, count, of_a, of_b, whole, pointer(rest, 0), 0)
        for p in range(whole, permutations):
            out[d, p] = rest[p - whole]


@jit.entry
def _band_keys(signatures: Any, rows: int, out: Any) -> None:
    for d in range(out.shape[0]):
        for band in range(out.shape[1]):
            h = np.uint64(band + 1) * GOLDEN
            for k in range(band * rows, (band + 1) * rows):
                h = (h ^ np.uint64(signatures[d, k])) * SECOND
                h ^= h >> np.uint64(32)
            out[d, band] = finished(h)
