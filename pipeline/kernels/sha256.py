"""SHA-256 (FIPS 180-4) of many byte strings: short ones side by side, a string a lane; long ones one by one by OpenSSL.

A call of hashlib costs as much as hashing 1,000 bytes. Where documents are tiny that is nearly all of an exact key's cost; so
strings of up to SHORT bytes, one or two blocks, are hashed LANES at a time by the vector units.
"""

import hashlib
from itertools import pairwise
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pipeline.kernels import jit
from pipeline.kernels.bits import load64, pointer

SHORT = 119  # bytes: with the padding, two blocks of 64
LANES = 8  # 32-bit words in a register of AVX2

_MASK = (1 << 32) - 1
_PRIMES = [n for n in range(2, 312) if all(n % k for k in range(2, isqrt(n) + 1))]


def _cube_root(n: int) -> int:
    """The largest r with r * r * r <= n."""
    low, high = 0, 1 << (n.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= n else (low, middle - 1)
    return low


# Sections 4.2.2 and 5.3.3: fractional parts of the cube roots of the first 64 primes, of the square roots of the first 8.
_ROUNDS = np.array([_cube_root(prime << 96) & _MASK for prime in _PRIMES[:64]], np.uint32)
_INITIAL = np.array([isqrt(prime << 64) & _MASK for prime in _PRIMES[:8]], np.uint32)


def digests(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The digest of each data[offsets[i] : offsets[i + 1]], (len(offsets) - 1, 32) uint8.

    data: contiguous; offsets: ascending, within data.
    """
    data, offsets = data.view(), offsets.view()
    data.flags.writeable = offsets.flags.writeable = False  # whatever their owners say: one type, one compilation
    out = np.empty((len(offsets) - 1, 32), np.uint8)
    lengths = np.diff(offsets)
    for blocks, (least, most) in ((1, (0, 55)), (2, (56, SHORT))):
        rows = np.flatnonzero((lengths >= least) & (lengths <= most))
        if len(rows):
            _short(data, offsets, rows, blocks, _INITIAL, _ROUNDS, out.view(np.uint32))
    whole, sha256 = data.data, hashlib.sha256
    long = np.flatnonzero(lengths > SHORT)
    if len(long) == len(out):
        found = [sha256(whole[start:end]).digest() for start, end in pairwise(offsets.tolist())]
    else:
        places = zip(offsets[long].tolist(), offsets[long + 1].tolist(), strict=True)
        found = [sha256(whole[start:end]).digest() for start, end in places]
    out[long] = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32)
    return out


@intrinsic
def _compress(_context: Any, state: Any, _words: Any, _constants: Any) -> Any:
    """_compress(state, words, constants): one block into the state of each lane (section 6.2.2).

    state: 8 x LANES, words: 16 x LANES uint32; a word of all lanes lies together. constants: 64 uint32.
    """
    word = ir.IntType(32)
    vector = ir.VectorType(word, LANES)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        def place(array: Any, index: int) -> Any:
            at = builder.gep(array, [ir.Constant(ir.IntType(64), index * LANES)])
            return builder.bitcast(at, vector.as_pointer())

        def load(array: Any, index: int) -> Any:
            value = builder.load(place(array, index))
            value.align = 4
            return value

        def shifted(value: Any, by: int) -> Any:
            return builder.lshr(value, ir.Constant(vector, [by] * LANES))

        def turned(value: Any, by: int) -> Any:
            return builder.or_(shifted(value, by), builder.shl(value, ir.Constant(vector, [32 - by] * LANES)))

        def mixed(value: Any, one: int, two: int, three: Any) -> Any:
            return builder.xor(builder.xor(turned(value, one), turned(value, two)), three)

        def total(*values: Any) -> Any:
            found = values[0]
            for value in values[1:]:
                found = builder.add(found, value)
            return found

        def rounds(constants: Any, scheduled: bool) -> None:
            """Sixteen rounds, from the state variables to them; `scheduled`: the words have to be made from those before."""
            a, b, c, d, e, f, g, h = (builder.load(variable) for variable in variables)
            words = [builder.load(variable) for variable in ring]
            for t in range(16):
                if scheduled:
                    old, late = words[(t + 1) % 16], words[(t + 14) % 16]
                    words[t] = total(
                        words[t], mixed(old, 7, 18, shifted(old, 3)), words[(t + 9) % 16],
                        mixed(late, 17, 19, shifted(late, 10)),
                    )  # fmt: skip
                    builder.store(words[t], ring[t])
                choice = builder.xor(g, builder.and_(e, builder.xor(f, g)))
                majority = builder.or_(builder.and_(a, b), builder.and_(c, builder.or_(a, b)))
                single = builder.load(builder.gep(constants, [ir.Constant(ir.IntType(64), t)]))
                one = builder.insert_element(ir.Constant(vector, ir.Undefined), single, ir.Constant(word, 0))
                constant = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(word, LANES), [0] * LANES))
                first = total(h, mixed(e, 6, 11, turned(e, 25)), choice, constant, words[t])
                second = total(mixed(a, 2, 13, turned(a, 22)), majority)
                a, b, c, d, e, f, g, h = total(first, second), a, b, c, total(d, first), e, f, g
            for variable, value in zip(variables, (a, b, c, d, e, f, g, h), strict=True):
                builder.store(value, variable)

        before = [load(arguments[0], k) for k in range(8)]
        variables = [cgutils.alloca_once_value(builder, value) for value in before]
        ring = [cgutils.alloca_once_value(builder, load(arguments[1], k)) for k in range(16)]
        rounds(arguments[2], scheduled=False)
        with cgutils.for_range(builder, ir.Constant(ir.IntType(64), 3)) as loop:
            at = builder.mul(builder.add(loop.index, ir.Constant(ir.IntType(64), 1)), ir.Constant(ir.IntType(64), 16))
            rounds(builder.gep(arguments[2], [at]), scheduled=True)
        after = [builder.load(variable) for variable in variables]
        for k, (old, new) in enumerate(zip(before, after, strict=True)):
            builder.store(builder.add(old, new), place(arguments[0], k)).align = 4
        return _context.get_dummy_value()

    return types.void(state, state, state), generate


@jit.inner
def _swapped(word: Any) -> Any:
    """The lower four bytes of an integer in reverse order."""
    value = np.uint32(word & np.uint64(0xFFFFFFFF))
    low, high = np.uint32(0xFF00), np.uint32(0xFF0000)
    ends = value << np.uint32(24) | value >> np.uint32(24)
    return np.uint32(ends | (value >> np.uint32(8) & low) | (value << np.uint32(8) & high))


@jit.entry
def _short(data: Any, offsets: Any, rows: Any, blocks: int, initial: Any, constants: Any, out: Any) -> None:
    """out[rows], 8 uint32 each: the digests of strings that take `blocks` blocks each."""
    state, words = np.empty((8, LANES), np.uint32), np.empty((16 * blocks, LANES), np.uint32)
    of_state, of_constants = pointer(state, 0), pointer(constants, 0)
    for begin in range(0, rows.shape[0], LANES):
        for lane in range(LANES):
            row = rows[min(begin + lane, rows.shape[0] - 1)]  # lanes that are left over hash the last string again
            start = offsets[row]
            length = offsets[row + 1] - start
            whole = length >> 3
            for k in range(whole):
                eight = load64(data, start + 8 * k)
                words[2 * k, lane], words[2 * k + 1, lane] = _swapped(eight), _swapped(eight >> np.uint64(32))
            eight = np.uint64(0x80)  # the bit behind the string
            for i in range(start + length - 1, start + 8 * whole - 1, -1):
                eight = eight << np.uint64(8) | np.uint64(data[i])
            words[2 * whole, lane], words[2 * whole + 1, lane] = _swapped(eight), _swapped(eight >> np.uint64(32))
            for k in range(2 * whole + 2, 16 * blocks - 1):
                words[k, lane] = 0
            words[16 * blocks - 1, lane] = length << 3  # in bits
            for k in range(8):
                state[k, lane] = initial[k]
        for block in range(blocks):
            _compress(of_state, pointer(words, block * 16 * LANES), of_constants)
        for lane in range(min(LANES, rows.shape[0] - begin)):
            for k in range(8):
                out[rows[begin + lane], k] = _swapped(state[k, lane])
