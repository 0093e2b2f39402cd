"""The reader of fastText's model files against fastText itself, and against files that are not what they say."""

import struct
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kernels import fasttext_model
from tests import corpus

SIGNATURE, ARGUMENTS, DICTIONARY = 0, 8, 64  # where they begin


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> bytes:
    return corpus.model(folder)


def train(folder: Path, **options: Any) -> Any:
    """A fastText model of two languages; `folder` holds training.txt after `corpus.model`."""
    corpus.model(folder)
    settings = {"dim": 8, "minn": 2, "maxn": 4, "bucket": 2000, "epoch": 5, "thread": 1, "verbose": 0}
    return fasttext.train_supervised(str(folder / "training.txt"), **{**settings, **options})


def test_a_dense_model_is_what_fasttext_says_it_is(folder: Path, tiny: bytes) -> None:
    model, reference = fasttext_model.parse(tiny), fasttext.load_model(str(folder / "tiny.ftz"))
    assert [word.decode() for word in model.words] == reference.words
    assert list(model.labels) == reference.labels
    assert (model.dim, model.loss, model.bucket, model.minn, model.maxn) == (8, fasttext_model.SOFTMAX, 2000, 2, 4)
    assert model.label_counts == (60, 60)
    assert model.kept is None
    np.testing.assert_array_equal(model.input.weights(), reference.get_input_matrix())
    np.testing.assert_array_equal(model.output.weights(), reference.get_output_matrix())


@pytest.mark.parametrize("options", [
    {}, {"qnorm": True}, {"cutoff": 400}, {"cutoff": 400, "qnorm": True, "dsub": 3}, {"qout": True},
])  # fmt: skip
def test_a_quantised_model_has_fasttexts_vectors(tmp_path: Path, options: dict[str, Any]) -> None:
    # 256 centroids want as many rows, of the output too
    reference = train(tmp_path, loss="hs", bucket=600)
    if "qout" in options:
        rows = "".join(f"__label__{n} word{n} and word{n + 1}\n" for n in range(300))
        (tmp_path / "training.txt").write_text(rows)
        reference = fasttext.train_supervised(str(tmp_path / "training.txt"), dim=8, minn=2, maxn=4, bucket=600, epoch=1,
                                              thread=1, verbose=0)  # fmt: skip
    reference.quantize(input=str(tmp_path / "training.txt"), thread=1, verbose=0, **options)
    reference.save_model(str(tmp_path / "quantised.ftz"))
    model = fasttext_model.read(tmp_path / "quantised.ftz")
    assert model.input.dense is None
    assert (model.output.dense is None) == ("qout" in options)
    assert (model.kept is not None) == ("cutoff" in options)
    expected = [reference.get_input_vector(row) for row in range(model.input.rows)]
    np.testing.assert_array_equal(model.input.weights(), expected)
    assert list(model.labels) == reference.labels


def test_every_truncation_is_refused(tiny: bytes) -> None:
    for size in (*range(600), *range(600, len(tiny), 997), len(tiny) - 1):
        with pytest.raises(ValueError, match="wanted"):
            fasttext_model.parse(tiny[:size])


def test_bytes_after_the_end_are_refused(tiny: bytes) -> None:
    with pytest.raises(ValueError, match="1 bytes follow the output matrix"):
        fasttext_model.parse(tiny + b"\0")


@pytest.mark.parametrize(("at", "form", "value", "message"), [
    (0, "i", 1, "signature is 1, format 12"),
    (4, "i", 11, "format 11; wanted 793712314, format 12"),
    (ARGUMENTS, "i", 0, "dim is 0"),
    (ARGUMENTS + 4 * 7, "i", 1, "model is 1, wanted 3"),
    (ARGUMENTS + 4 * 8, "i", -1, "bucket is -1"),
    (ARGUMENTS + 4 * 8, "i", 0, "bucket is 0, wanted > 0"),
    (ARGUMENTS + 4 * 8, "i", 2**31 - 1, "size of the input matrix"),
    (ARGUMENTS, "i", 2**31 - 1, "size of the input matrix"),
    (DICTIONARY, "i", 2**31 - 1, "number of entries"),
    (DICTIONARY + 4, "i", -1, "number of entries|number of words|kind"),
    (DICTIONARY + 20, "q", 2**62, "left, wanted"),
    (DICTIONARY + 20, "q", 10**6, "left, wanted|kept buckets"),
])  # fmt: skip
def test_a_number_that_cannot_be_is_named(tiny: bytes, at: int, form: str, value: int, message: str) -> None:
    changed = bytearray(tiny)
    struct.pack_into(f"<{form}", changed, at, value)
    with pytest.raises(ValueError, match=message):
        fasttext_model.parse(bytes(changed))


@settings(max_examples=300)
@given(st.data())
def test_changed_bytes_give_a_model_or_a_value_error(tiny: bytes, data: st.DataObject) -> None:
    changed = bytearray(tiny)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, 2500))] = data.draw(st.integers(0, 255))
    try:
        model = fasttext_model.parse(bytes(changed))
    except ValueError:
        return
    assert model.input.rows == len(model.words) + model.bucket


def test_a_word_that_comes_twice_is_refused(tiny: bytes) -> None:
    model = fasttext_model.parse(tiny)
    pair = next((a, b) for a in model.words for b in model.words if a != b and len(a) == len(b))
    with pytest.raises(ValueError, match="number of different entries"):
        fasttext_model.parse(tiny.replace(pair[0] + b"\0", pair[1] + b"\0", 1))
