"""What numba lacks for work on raw bytes: unaligned loads, bit counts, wide products, 64 bytes compared at once.

Each is a few LLVM instructions; LLVM lowers the 64-byte vectors to whatever the machine has (one AVX-512 compare, two of AVX2,
four of SSE2), with the same result. Little-endian machines only, as Arrow's buffers are read as they lie.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.kernels import jit

# A cast. numba sees np.int64; mypy would not let its result into a variable that began as a literal.
signed: Any = np.int64

_BYTE, _WORD, _WIDE = ir.IntType(8), ir.IntType(64), ir.IntType(128)
_VECTOR = ir.VectorType(_BYTE, 64)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, pointee: Any) -> Any:
    data = (
        array
        if isinstance(array_type, types.CPointer)
        else context.make_array(array_type)(context, builder, array).data
    )
    return builder.bitcast(builder.gep(data, [index]), pointee.as_pointer())


@intrinsic
def pointer(_context: Any, array: Any, _index: Any) -> Any:
    """pointer(array, i): to item i of a contiguous array, which the caller keeps alive; it is indexed as the array is.

    numba counts the references of arrays wherever one compiled function calls another, which takes longer than to hash a
    short word. Of pointers it does not: 14 % on ordinary text, four times the speed on texts of a few words.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.gep(data, [arguments[1]])

    return types.CPointer(array.dtype)(array, types.int64), generate


@intrinsic
def load64(_context: Any, array: Any, _index: Any) -> Any:
    """load64(bytes, i): the 8 bytes from i on as a little-endian uint64. All 8 must be readable."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_pointer(context, builder, signature.args[0], arguments[0], arguments[1], _WORD))
        value.align = 1
        return value

    return types.uint64(array, types.int64), generate


@intrinsic
def store64(_context: Any, array: Any, _index: Any, _value: Any) -> Any:
    """store64(bytes, i, value): the inverse of load64. All 8 bytes must be writable."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], arguments[0], arguments[1], _WORD)
        builder.store(arguments[2], pointer).align = 1
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), generate


@intrinsic
def ones(_context: Any, _value: Any) -> Any:
    """ones(mask): how many bits of a uint64 are set, int64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic
def lowest(_context: Any, _value: Any) -> Any:
    """lowest(mask): the index of the lowest set bit of a uint64, int64. Undefined for 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def folded(_context: Any, _a: Any, _b: Any) -> Any:
    """folded(a, b): the halves of the 128-bit product of two uint64, xor-ed (the mixing step of wyhash, Wang Yi 2019)."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        product = builder.mul(builder.zext(arguments[0], _WIDE), builder.zext(arguments[1], _WIDE))
        high = builder.trunc(builder.lshr(product, ir.Constant(_WIDE, 64)), _WORD)
        return builder.xor(builder.trunc(product, _WORD), high)

    return types.uint64(types.uint64, types.uint64), generate


@intrinsic
def classify(_context: Any, array: Any, _index: Any) -> Any:
    """classify(bytes, i): eleven masks of the 64 bytes from i on, bit k for byte i + k. All 64 must be readable.

    ASCII only: white space, letters, letters and digits, upper case, printable others (categories P and S), line breaks of
    str.splitlines, and "\\n", "#", "." each; then bytes >= 0x80, and bytes that begin a code point.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_pointer(context, builder, signature.args[0], arguments[0], arguments[1], _VECTOR))
        value.align = 1

        def all_of(byte: int) -> Any:
            return ir.Constant(_VECTOR, [byte & 0xFF] * 64)

        def within(vector: Any, first: int, last: int) -> Any:
            return builder.icmp_unsigned("<=", builder.sub(vector, all_of(first)), all_of(last - first))

        def equal(byte: int) -> Any:
            return builder.icmp_unsigned("==", value, all_of(byte))

        letter = within(builder.or_(value, all_of(0x20)), ord("a"), ord("z"))
        letter_or_digit = builder.or_(letter, within(value, ord("0"), ord("9")))
        masks = (
            builder.or_(within(value, 9, 13), within(value, 28, 32)),
            letter,
            letter_or_digit,
            within(value, ord("A"), ord("Z")),
            builder.and_(within(value, 33, 126), builder.not_(letter_or_digit)),
            builder.or_(within(value, 10, 13), within(value, 28, 30)),
            equal(ord("\n")),
            equal(ord("#")),
            equal(ord(".")),
            builder.icmp_signed("<", value, all_of(0)),
            builder.icmp_signed(">", value, all_of(0xBF)),
        )
        return context.make_tuple(builder, signature.return_type, [builder.bitcast(mask, _WORD) for mask in masks])

    return types.UniTuple(types.uint64, 11)(array, types.int64), generate


@jit.inner
def cleared(items: Any, count: int) -> None:
    """Zero the first `count` items."""
    for k in range(count):
        items[k] = 0
