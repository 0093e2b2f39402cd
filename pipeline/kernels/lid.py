"""Language identification: fastText's own labels and probabilities, bit for bit, computed on Arrow's UTF-8 buffer.

What fastText does (Joulin et al. 2016, Bojanowski et al. 2016; rules read from fastText 0.9.2's `Dictionary::getLine`,
`Dictionary::computeSubwords`, `FastText::predict`, `HierarchicalSoftmaxLoss::dfs`): a text is words between white space (six
ASCII characters and NUL) and an end-of-line token "</s>". Features are each word that the model knows and the 2- to 4-grams of
code points of "<word>", hashed into buckets of which pruning kept some; "__label__..." words are none. The mean of the
features' vectors is sent down a Huffman tree of binary classifiers to the likeliest leaf.

How it is fast: white space stands for "<" where an n-gram begins with it and for ">" where it ends with it, so that the text
itself, as an array of code points, is hashed at all positions at once (LLVM makes vector code of that loop), without cutting
it into words. One word of a bitmap with running counts tells whether a feature has a vector and which.

Equal results on every machine: vectors are added and multiplied in fastText's order, in float32; without fastmath flags LLVM
may not contract a product and a sum into one rounding. exp and log are those of the C library that fastText calls too.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kernels import fasttext_model
from pipeline.kernels.arrow import utf8_buffers
from pipeline.kernels.fasttext_model import HIERARCHICAL_SOFTMAX, FastTextModel
from pipeline.kernels.lid_kernel import DIM, HIGH, LOW, MARGIN, identify_texts

LABEL_PREFIX = "__label__"
UNDETERMINED = "und"  # ISO 639-2, where fastText has no answer
END_OF_LINE = b"</s>"
WHITE_SPACE = b" \n\r\t\v\f\0"
MINN, MAXN = 2, 4  # what the kernel is written for, with DIM: the sizes of lid.176
MOST_CHARACTERS = 1 << 20  # of one text: the working arrays take 44 bytes for each
MOST_WEIGHTS = 1 << 26  # dequantised, 256 MB; lid.176.bin has 32 million
LARGEST_WEIGHT = 1e6  # no sum of products of such weights overflows, so NaN cannot arise
RISE = 1.1e-5  # log(p + 1e-5) lets a score rise by that much a step of the tree; see `lid_kernel._likeliest`


class Unsupported(Exception):
    """A model or request that fastText can serve and this kernel cannot; says why."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model laid out for the kernel; made by `load`.

    `labels`: without prefix, then "und". `sizes`: bucket count and `_reciprocal`'s numbers. `present`: a bit a feature, the
    lowest first: whether it has a vector; `before`: how many have one in the words of 32 bits before. `vectors`: (n, 16).
    Vocabulary: `slots` (open addressing, -1 is empty) to word, `keys` (words, 2) and `spans` (words + 1,) into `spelled`, its
    bytes. `classifiers`: (16, inner nodes). `children`: (nodes, 2), -1 at leaves; the root is last.
    """

    labels: npt.NDArray[np.object_]
    sizes: npt.NDArray[np.uint64]
    present: npt.NDArray[np.uint32]
    before: npt.NDArray[np.uint32]
    vectors: npt.NDArray[np.float32]
    slots: npt.NDArray[np.int32]
    keys: npt.NDArray[np.uint64]
    spans: npt.NDArray[np.int64]
    spelled: npt.NDArray[np.uint8]
    end_of_line: int  # the index of "</s>"
    classifiers: npt.NDArray[np.float32]
    children: npt.NDArray[np.int32]

    def identify(
        self, texts: "pa.StringArray | pa.LargeStringArray", characters: int
    ) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float32]]:
        """Label (n,) and probability (n,) of the first `characters` of each text; "und" and 0 where fastText has no answer.

        Those of fastText's predict(text[:characters].replace("\\n", " ")). A probability may be as high as 1.00001. Raises
        TypeError and ValueError as `utf8_buffers`, and Unsupported for more than MOST_CHARACTERS.
        """
        if not 1 <= characters <= MOST_CHARACTERS:
            raise Unsupported(f"characters is {characters}, the kernel reads 1 to {MOST_CHARACTERS}")
        offsets, data = utf8_buffers(texts)
        data = data.view()
        data.flags.writeable = False  # one type, one compilation
        longest = int(np.diff(offsets).max(initial=0))
        found, probabilities = np.empty(len(texts), np.int32), np.empty(len(texts), np.float32)
        identify_texts(
            data, offsets, characters, min(longest, characters), _kinds(), self.sizes, self.present, self.before, self.vectors,
            self.slots, self.keys, self.spans, self.spelled, self.end_of_line, self.classifiers, self.children, found,
            probabilities,
        )  # fmt: skip
        return self.labels[found], probabilities


def load(path: Path) -> Model:
    """The model in a file. Raises ValueError where it is malformed, Unsupported where the kernel is not made for it."""
    return prepare(fasttext_model.read(path))


def prepare(model: FastTextModel) -> Model:
    """Lay a model out for the kernel. Raises Unsupported, and ValueError for weights that are not finite."""
    reciprocal = _supported(model)
    source, output = model.input.weights(), model.output.weights()
    for name, weights in (("input", source), ("output", output)):
        if not (np.abs(weights) <= LARGEST_WEIGHT).all():
            raise ValueError(f"the {name} matrix has a weight that is not within +-{LARGEST_WEIGHT:.0e}")
    known = len(model.words)
    if model.kept is None:
        kept = np.repeat(np.arange(model.bucket, dtype=np.int32)[:, None], 2, axis=1)
    else:
        kept = model.kept[np.argsort(model.kept[:, 0])]
    # Features: n-gram buckets, words, "</s>" if it is not among them (it has no vector), and one that never has any.
    present = np.zeros(-(-(model.bucket + known + 2) // 32) * 32, np.uint8)
    present[kept[:, 0]] = 1
    present[model.bucket : model.bucket + known] = 1
    counts = present.reshape(-1, 32).sum(axis=1, dtype=np.uint32)
    words = model.words if END_OF_LINE in model.words else (*model.words, END_OF_LINE)
    slots, keys = _vocabulary(words)
    return Model(
        labels=np.array([*[label.removeprefix(LABEL_PREFIX) for label in model.labels], UNDETERMINED], object),
        sizes=np.array([model.bucket, *reciprocal, known], np.uint64),
        present=np.packbits(present, bitorder="little").view(np.uint32),
        before=np.cumsum(counts, dtype=np.uint32) - counts,
        vectors=np.concatenate([source[known + kept[:, 1]], source[:known]]),
        slots=slots,
        keys=keys,
        spans=np.cumsum([0, *map(len, words)], dtype=np.int64),
        spelled=np.array(bytearray(b"".join(words)), np.uint8),
        end_of_line=words.index(END_OF_LINE),
        classifiers=output[: len(model.labels) - 1].T.copy(),
        children=_huffman(model.label_counts),
    )


def compile_kernels() -> None:
    """Compile (or load from the cache) what `Model.identify` runs, on a model of zeros."""
    source, output = (fasttext_model.Matrix(rows, DIM, np.zeros((rows, DIM), np.float32)) for rows in (3, 2))
    labels = (f"{LABEL_PREFIX}x", f"{LABEL_PREFIX}y")
    tiny = FastTextModel(DIM, 1, HIERARCHICAL_SOFTMAX, 2, MINN, MAXN, (b"a",), labels, (2, 1), None, source, output)
    prepare(tiny).identify(pa.array(["a"], pa.large_string()), 1)


def _supported(model: FastTextModel) -> tuple[int, int, int]:
    """The bucket count's reciprocal. Raises Unsupported, naming the first thing that the kernel is not made for."""
    reciprocal = _reciprocal(model.bucket)
    deepest = len(model.labels)
    for name, seen, fine, wanted in (
        ("loss", model.loss, model.loss == HIERARCHICAL_SOFTMAX, f"{HIERARCHICAL_SOFTMAX} (hierarchical softmax)"),
        ("dim", model.dim, model.dim == DIM, str(DIM)),
        ("wordNgrams", model.word_ngrams, model.word_ngrams == 1, "1"),
        ("minn, maxn", (model.minn, model.maxn), (model.minn, model.maxn) == (MINN, MAXN), f"{MINN}, {MAXN}"),
        ("output", "quantised", model.output.dense is not None, "dense"),
        ("buckets", model.bucket, reciprocal is not None, "a number with a 32-bit reciprocal"),
        ("weights", model.input.rows * DIM, model.input.rows * DIM <= MOST_WEIGHTS, f"at most {MOST_WEIGHTS}"),
        ("labels", deepest, (deepest + 3) * deepest * RISE < MARGIN, "fewer than 300"),
        ("a label", "without prefix", all(name.startswith(LABEL_PREFIX) for name in model.labels), LABEL_PREFIX),
        ("a word", "a label", not any(word.startswith(LABEL_PREFIX.encode()) for word in model.words), "words"),
    ):
        if not fine:
            raise Unsupported(f"{name}: {seen}, the kernel is made for {wanted}")
    assert reciprocal is not None  # noqa: S101 (asked above)
    return reciprocal


def _reciprocal(divisor: int) -> tuple[int, int, int] | None:
    """(before, factor, after) with h // divisor == ((h >> before) * factor) >> after for all h < 2^32, factor < 2^32.

    Granlund and Montgomery 1994, theorem 4.2; None where no such factor exists.
    """
    if divisor < 1:
        return None
    before = (divisor & -divisor).bit_length() - 1
    odd, bits = divisor >> before, 32 - before
    for after in range(bits, 64):
        factor = -(-(1 << after) // odd)
        if factor < 1 << 32 and (factor * odd - (1 << after)) << bits <= 1 << after:
            return before, factor, after
    return None


def _vocabulary(words: tuple[bytes, ...]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64]]:
    """Slots and keys of `Model`; a key is a word's first 8 bytes, and its last 8 if it is longer."""
    keys = np.zeros((len(words), 2), np.uint64)
    slots = np.full(1 << (4 * len(words)).bit_length(), -1, np.int32)
    for index, word in enumerate(words):
        low = int.from_bytes(word[:8], "little")
        high = int.from_bytes(word[-8:], "little") if len(word) > 8 else 0
        keys[index, 0], keys[index, 1] = low, high
        product = (low ^ int(LOW)) * (high + len(word) ^ int(HIGH) & (1 << 64) - 1)
        slot = (product ^ product >> 64) & len(slots) - 1
        while slots[slot] >= 0:
            slot = (slot + 1) & len(slots) - 1
        slots[slot] = index
    return slots, keys


def _huffman(counts: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """`Model.children` of fastText's tree: leaves in the order of the labels, which is that of falling counts."""
    leaves = len(counts)
    weights = [*counts, *[fasttext_model.MOST_COUNTED] * leaves]
    children = np.full((2 * leaves - 1, 2), -1, np.int32)
    leaf, node = leaves - 1, leaves
    for parent in range(leaves, 2 * leaves - 1):
        for side in (0, 1):
            if leaf >= 0 and weights[leaf] < weights[node]:
                children[parent, side] = leaf
                leaf -= 1
            else:
                children[parent, side] = node
                node += 1
        weights[parent] = weights[children[parent, 0]] + weights[children[parent, 1]]
    return children


def _kinds() -> npt.NDArray[np.uint8]:
    """(256,) uint8: 1 for the bytes of WHITE_SPACE."""
    kinds = np.zeros(256, np.uint8)
    kinds[list(WHITE_SPACE)] = 1
    return kinds
