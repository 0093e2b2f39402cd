"""fastText's own binding on the characters that ours reads; and whether both say the same."""

from pathlib import Path
from typing import Any

import fasttext
import measure
import numpy as np

from pipeline.curate import language
from pipeline.kernels import lid

CHARACTERS = 1000


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"])
    model = fasttext.load_model(job["model"])
    cut = [text[:CHARACTERS].replace("\n", " ") for text in texts.to_pylist()]  # not timed
    lines = [text + "\n" for text in cut]
    inner = model.f.predict

    def api() -> None:
        for text in cut:
            model.predict(text)

    def binding() -> None:
        for line in lines:
            inner(line, 1, 0.0, "strict")

    run = {"predict": api, "binding": binding}[work]
    found = [inner(line, 1, 0.0, "strict") for line in lines]
    labels = [answer[0][1].removeprefix("__label__") if answer else "und" for answer in found]
    theirs = np.array([answer[0][0] if answer else 0 for answer in found], np.float32)
    our_labels, ours = lid.load(Path(job["model"])).identify(texts, CHARACTERS)
    through, _ = language.identify(texts, Path(job["model"]), CHARACTERS)
    facts = {
        "documents": len(texts),
        "bytes": sum(len(text.encode()) for text in texts.to_pylist()),
        "labels_unequal": sum(a != b or a != c for a, b, c in zip(labels, our_labels, through, strict=True)),
        "probabilities_unequal": int((theirs != ours).sum()),
        "largest_difference": float(np.abs(theirs - ours).max(initial=0)),
    }
    return run, run, facts


if __name__ == "__main__":
    measure.main(prepare, ("fasttext-community",))
