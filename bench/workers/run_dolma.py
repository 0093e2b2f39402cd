"""Dolma's taggers, one document after the other in one process."""

from typing import Any

import measure
from dolma.core.data_types import Document
from dolma.taggers.c4 import FasterC4Tagger
from dolma.taggers.gopher import GopherTagger

TAGGERS = {"gopher_v1": GopherTagger, "c4_v2": FasterC4Tagger}


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    tagger = TAGGERS[work]()
    return measure.of_strings(job, lambda text: tagger.predict(Document(source="", id="0", text=text)))


if __name__ == "__main__":
    measure.main(prepare, ("dolma",))
