"""Languages by whichever way serves the model: the labels and millionths are fastText's."""

from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa
import pytest

from pipeline.curate import language
from pipeline.errors import SourceError
from pipeline.kernels import lid
from tests import corpus

TEXTS = [corpus.sentences(n, 1 + n % 4, name) for n in range(30) for name in corpus.WORDS] + [
    "",
    "\n \n",
    "é",
    "</s> a",
    "漢字",
]


def trained(folder: Path, **options: Any) -> Path:
    """A model of two languages that the kernel is made for, but where `options` differ."""
    corpus.model(folder)
    sizes = {
        "dim": 16,
        "minn": 2,
        "maxn": 4,
        "bucket": 3000,
        "loss": "hs",
        "epoch": 30,
        "lr": 1.0,
        "thread": 1,
        "verbose": 0,
    }
    path = folder / "model.bin"
    fasttext.train_supervised(str(folder / "training.txt"), **{**sizes, **options}).save_model(str(path))
    return path


def expected(path: Path, characters: int) -> list[tuple[str, int]]:
    model, rows = fasttext.load_model(str(path)).f, []
    for text in TEXTS:
        found = model.predict(text[:characters].replace("\n", " ") + "\n", 1, 0.0, "strict")
        label, probability = (found[0][1], found[0][0]) if found else ("und", 0.0)
        rows.append((label.removeprefix("__label__"), min(round(probability * 1_000_000), 1_000_000)))
    return rows


@pytest.mark.parametrize(("options", "by_kernel"), [({}, True), ({"loss": "softmax"}, False), ({"dim": 8}, False),
                                                    ({"loss": "ova"}, False), ({"wordNgrams": 2}, False)])  # fmt: skip
@pytest.mark.parametrize("characters", [3, 1000, lid.MOST_CHARACTERS + 1])
def test_labels_and_millionths_are_fasttexts(
    tmp_path: Path, options: dict[str, Any], by_kernel: bool, characters: int
) -> None:
    path = trained(tmp_path, **options)
    assert isinstance(language._kernel(path), lid.Model) == by_kernel
    for kind in (pa.string(), pa.large_string()):
        labels, scores = language.identify(pa.array(TEXTS, kind), path, characters)
        assert labels.dtype == object and scores.dtype == np.int64
        assert list(zip(labels, scores.tolist(), strict=True)) == expected(path, characters)
    assert scores.max() <= 1_000_000


def test_a_probability_ends_at_one(tmp_path: Path) -> None:
    path = trained(tmp_path)
    data = path.read_bytes()  # whose end is the one classifier that is used, and a row that is not
    path.write_bytes(data[:-128] + (np.frombuffer(data[-128:], "<f4") * 100).astype("<f4").tobytes())
    assert fasttext.load_model(str(path)).predict("the house of the river and the letter")[1][0] > 1
    assert language.identify(pa.array(["the house of the river and the letter"]), path, 1000)[1][0] == 1_000_000


def test_both_ways_give_the_same_for_one_model(tmp_path: Path) -> None:
    path, texts = trained(tmp_path), pa.array(TEXTS)
    labels, probabilities = language._by_fasttext(texts, path, 1000)
    by_kernel = lid.load(path).identify(texts, 1000)
    assert labels.tolist() == by_kernel[0].tolist()
    assert probabilities.tobytes() == by_kernel[1].tobytes()


@pytest.mark.parametrize("options", [{}, {"loss": "softmax"}])
def test_nulls_are_refused_and_no_texts_give_no_rows(tmp_path: Path, options: dict[str, Any]) -> None:
    path = trained(tmp_path, **options)
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        language.identify(pa.array(["a", None]), path, 10)
    labels, scores = language.identify(pa.array([], pa.string()), path, 10)
    assert (len(labels), len(scores)) == (0, 0)


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.ftz"
    path.write_bytes(b"not a model at all")
    with pytest.raises(SourceError, match=r"broken\.ftz: signature is"):
        language.identify(pa.array(["a"]), path, 10)
