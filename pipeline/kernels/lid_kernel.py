"""The loops of `kernels.lid`, compiled: from the bytes of texts to leaves of the tree of labels."""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pipeline.kernels import jit
from pipeline.kernels.bits import folded, load64, ones

DIM = 16  # of the vectors
MARGIN = 1.0  # of a score, in natural logarithms; see `_likeliest`


@intrinsic
def _add_vectors(_context: Any, vectors: Any, _rows: Any, _count: Any, total: Any) -> Any:
    """_add_vectors(vectors, rows, n, total): total[:16] += vectors[rows[k], :16] for k = 0 to n - 1, in that order.

    One vector addition a row; numba's LLVM would make 16 scalar ones, as it runs without the SLP vectoriser.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sixteen = ir.VectorType(ir.FloatType(), DIM)
        source, rows, sums = (
            context.make_array(kind)(context, builder, arguments[k]).data
            for k, kind in ((0, signature.args[0]), (1, signature.args[1]), (3, signature.args[3]))
        )
        place = builder.bitcast(sums, sixteen.as_pointer())
        running = cgutils.alloca_once_value(builder, builder.load(place, align=4))
        with cgutils.for_range(builder, arguments[2]) as loop:
            row = builder.zext(builder.load(builder.gep(rows, [loop.index])), ir.IntType(64))
            start = builder.gep(source, [builder.mul(row, ir.Constant(ir.IntType(64), DIM))])
            value = builder.load(builder.bitcast(start, sixteen.as_pointer()), align=4)
            builder.store(builder.fadd(builder.load(running), value), running)
        builder.store(builder.load(running), place, align=4)
        return context.get_dummy_value()

    return types.void(vectors, types.Array(types.uint32, 1, "C"), types.int64, total), generate


_SPACE, _OPEN, _CLOSE = np.uint32(32), np.uint32(60), np.uint32(62)  # ' ', '<', '>'
_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)  # FNV-1a, 32 bits
LOW, HIGH = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # odd and irregular, to mix keys with
_LABEL_KEY = np.uint64(int.from_bytes(b"__label_", "little"))


# Functions of their own that LLVM inlines: numba's `inline="always"` would type each of a hundred copies anew, for 8 s.
@jit.inner
def _step(state: Any, byte: Any) -> Any:
    """FNV-1a; fastText extends the byte's sign."""
    return np.uint32((state ^ np.uint32(np.int32(np.int8(byte)))) * _PRIME)


@jit.inner
def _one(state: Any, point: Any) -> Any:
    """The hash after one more code point of one byte. Code points are given as their UTF-8, the first byte lowest."""
    return _step(state, np.uint8(point))


@jit.inner
def _two(state: Any, point: Any) -> Any:
    """The hash after one more code point of at most two bytes."""
    state = _step(state, np.uint8(point))
    byte = np.uint8(point >> np.uint32(8))
    return _step(state, byte) if byte else state


@jit.inner
def _four(state: Any, point: Any) -> Any:
    """The hash after one more code point of at most four bytes."""
    state = _two(state, point)
    byte = np.uint8(point >> np.uint32(16))
    state = _step(state, byte) if byte else state
    byte = np.uint8(point >> np.uint32(24))
    return _step(state, byte) if byte else state


def _features(hash_on: Any) -> Any:
    """features(points, count, sizes, grams): grams[n - 2, i] = the bucket of the n-gram at points[i], or a feature without
    vector where there is none. hash_on: for the widest code point that there is.
    """

    @jit.inner
    def features(points: Any, count: Any, sizes: Any, grams: Any) -> None:
        bucket, before, factor, after = np.uint32(sizes[0]), sizes[1], sizes[2], sizes[3]
        never = np.uint32(sizes[0] + sizes[4] + np.uint64(1))
        for i in range(count):
            p0, p1, p2, p3 = points[i], points[i + 1], points[i + 2], points[i + 3]
            state = hash_on(_OFFSET, _OPEN if p0 == _SPACE else p0)
            state = hash_on(state, _CLOSE if p1 == _SPACE else p1)
            quotient = np.uint32(((np.uint64(state) >> before) * factor) >> after)
            grams[0, i] = never if (p0 == _SPACE) & (p1 == _SPACE) else np.uint32(state - quotient * bucket)
            # After a ">" the state is of no use, nor is it used.
            state = hash_on(state, _CLOSE if p2 == _SPACE else p2)
            quotient = np.uint32(((np.uint64(state) >> before) * factor) >> after)
            grams[1, i] = never if p1 == _SPACE else np.uint32(state - quotient * bucket)
            state = hash_on(state, _CLOSE if p3 == _SPACE else p3)
            quotient = np.uint32(((np.uint64(state) >> before) * factor) >> after)
            grams[2, i] = never if (p1 == _SPACE) | (p2 == _SPACE) else np.uint32(state - quotient * bucket)

    return features


_features_of_one, _features_of_two, _features_of_four = (_features(hash_on) for hash_on in (_one, _two, _four))


@jit.inlined
def _word(data: Any, start: Any, end: Any, slots: Any, keys: Any, spans: Any, spelled: Any) -> Any:
    """Index of the word data[start:end] in the vocabulary, -1 if it is not there, -2 if it is a label."""
    size = end - start
    low = high = np.uint64(0)
    if start + 8 <= data.shape[0]:
        low = load64(data, start) & (~np.uint64(0) >> np.uint64(64 - 8 * min(size, 8)))
        last_bytes = load64(data, max(end - 8, 0))
        high = last_bytes if size > 8 else high
    else:
        for k in range(size):
            low |= np.uint64(data[start + k]) << np.uint64(8 * k)
    if low == _LABEL_KEY and size > 8 and data[start + 8] == 95:
        return -2
    last = slots.shape[0] - 1
    slot = np.int64(folded(low ^ LOW, (high + np.uint64(size)) ^ HIGH) & np.uint64(last))
    word = np.int64(slots[slot])
    while word >= 0:
        if keys[word, 0] == low and keys[word, 1] == high and spans[word + 1] - spans[word] == size:
            k = 8
            while k < size - 8 and spelled[spans[word] + k] == data[start + k]:
                k += 1
            if k >= size - 8:
                return word
        slot = (slot + 1) & last
        word = np.int64(slots[slot])
    return -1


@jit.inlined
def _log(value: Any) -> Any:
    """fastText's std_log: float32 in, double within, float32 out."""
    return np.float32(math.log(np.float64(value) + 1e-5))


@jit.inlined
def _sigmoid(value: Any) -> Any:
    return np.float32(1.0 / np.float64(np.float32(1.0) + math.exp(-value)))


@jit.inner
def _likeliest(activations: Any, children: Any, nodes: Any, scores: Any) -> Any:
    """(leaf, its score) that fastText's depth-first search ends with, (-1, 0) if none; the last two arrays are its stack.

    That search goes left before right and leaves out what scores less than the best leaf so far. Here what scores less than
    MARGIN below the leaf at the end of the likelier branches is left out too. That changes no answer: a score rises by at most
    1e-5 a step, so a leaf so left out is worse than the answer by nearly MARGIN. To matter it would have to be the best for a
    while and hide another that would have hidden another, and so on, each at most depth * 1e-5 better than the one before:
    there are too few leaves for that (`_supported` sees to it).
    """
    inner = activations.shape[0]
    node: Any = np.int64(children.shape[0] - 1)
    bound = np.float32(0.0)
    while children[node, 0] >= 0:
        value = _sigmoid(activations[node - inner - 1])
        right = value > 0.5
        bound += _log(value if right else np.float32(1.0 - np.float64(value)))
        node = np.int64(children[node, np.int64(right)])
    bound -= np.float32(MARGIN)
    floor = _log(np.float32(0.0))
    best: Any = np.float32(0.0)
    leaf: Any = -1
    nodes[0], scores[0] = children.shape[0] - 1, np.float32(0.0)
    top = 0
    while top >= 0:
        node, score = np.int64(nodes[top]), scores[top]
        top -= 1
        if score < floor or score < bound or (leaf >= 0 and score < best):
            continue
        if children[node, 0] < 0:
            best, leaf = score, node  # of two that are equal fastText's heap keeps the later
            continue
        value = _sigmoid(activations[node - inner - 1])
        nodes[top + 1], scores[top + 1] = children[node, 1], score + _log(value)
        nodes[top + 2], scores[top + 2] = children[node, 0], score + _log(np.float32(1.0 - np.float64(value)))
        top += 2
    return leaf, best


@jit.entry
def identify_texts(
    data: Any, offsets: Any, characters: Any, longest: Any, kinds: Any, sizes: Any, present: Any, before: Any, vectors: Any,
    slots: Any, keys: Any, spans: Any, spelled: Any, end_of_line: Any, classifiers: Any, children: Any, found: Any,
    probabilities: Any,
) -> None:  # fmt: skip
    """Fill found (n,) with leaves, -1 for none, and probabilities (n,). `longest`: no text has more characters to read."""
    points = np.empty(longest + 8, np.uint32)
    grams = np.empty((3, longest + 8), np.uint32)
    byte_at, point_at = np.empty(longest + 8, np.int64), np.empty(longest + 8, np.int64)  # where words begin and end
    rows = np.empty(3 * longest + 16, np.uint32)
    total = np.empty(16, np.float32)
    inner = classifiers.shape[1]
    activations = np.empty(inner, np.float32)
    nodes, scores = np.empty(2 * inner + 3, np.int32), np.empty(2 * inner + 3, np.float32)
    never = np.uint32(sizes[0] + sizes[4] + np.uint64(1))
    points[0] = points[1] = _SPACE
    for text in range(offsets.shape[0] - 1):
        # Bytes to code points, the places where words begin and end noted on the way, without a branch.
        at, end = offsets[text], offsets[text + 1]
        last, bounds = 1, 0
        inside, widest = np.uint8(0), np.uint8(0)
        point, shift = np.uint32(0), np.uint32(0)
        while at < end:
            byte = data[at]
            begins = (byte & 0xC0) != 0x80
            if begins and last > characters:
                break
            last += begins
            shift = np.uint32(0) if begins else np.uint32(shift + np.uint32(8))
            point = np.uint32(byte) if begins else point | np.uint32(byte) << shift
            wordly = np.uint8(1) - kinds[byte]
            points[last] = point if wordly else _SPACE
            byte_at[bounds], point_at[bounds] = at, last
            bounds += wordly != inside
            inside = wordly
            widest = max(widest, byte)
            at += 1
        byte_at[bounds], point_at[bounds] = at, last + 1
        points[last + 1] = points[last + 2] = points[last + 3] = points[last + 4] = _SPACE

        if widest < 0x80:
            _features_of_one(points, last + 1, sizes, grams)
        elif widest < 0xE0:
            _features_of_two(points, last + 1, sizes, grams)
        else:
            _features_of_four(points, last + 1, sizes, grams)

        # A word's own feature comes before its n-grams: in the place of the 4-gram that would begin before its "<".
        for k in range(0, bounds, 2):
            word = _word(data, byte_at[k], byte_at[k + 1], slots, keys, spans, spelled)
            if word == end_of_line:
                last = point_at[k] - 2  # the text ends before it
                break
            if word >= 0:
                grams[2, point_at[k] - 2] = np.uint32(sizes[0]) + np.uint32(word)
            elif word == -2:
                grams[:, point_at[k] - 1 : point_at[k + 1]] = never

        count = np.uint64(0)  # unsigned: numba would look whether an index is negative
        for i in range(np.uint64(last + 1)):
            for n in range(3):
                feature = grams[n, i]
                rows[count] = feature
                count += np.uint64((present[feature >> np.uint32(5)] >> (feature & np.uint32(31))) & np.uint32(1))
        for k in range(count):
            which = rows[k] >> np.uint32(5)
            lower = (np.uint32(1) << (rows[k] & np.uint32(31))) - np.uint32(1)
            rows[k] = before[which] + np.uint32(ones(np.uint64(present[which] & lower)))
        if end_of_line < np.int64(sizes[4]):
            rows[count] = vectors.shape[0] - np.int64(sizes[4]) + end_of_line  # words come last
            count += np.uint64(1)
        if count == 0:
            found[text], probabilities[text] = -1, np.float32(0.0)
            continue
        total[:] = np.float32(0.0)
        _add_vectors(vectors, rows, np.int64(count), total)
        share = np.float32(1.0 / count)
        activations[:] = np.float32(0.0)
        for j in range(16):
            value = total[j] * share
            for k in range(inner):
                activations[k] += classifiers[j, k] * value
        leaf, score = _likeliest(activations, children, nodes, scores)
        found[text] = leaf
        probabilities[text] = math.exp(score) if leaf >= 0 else np.float32(0.0)
