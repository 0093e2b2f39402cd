"""datatrove's filters, one document after the other in one process, with its default words or those of str.split()."""

import inspect
import warnings
from typing import Any

import measure
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.filters.base_filter import get_filter_result
from datatrove.utils.text import split_into_parts
from datatrove.utils.word_tokenizers import WordTokenizer

WORKS: dict[str, tuple[Any, ...]] = {
    "gopher_quality": (GopherQualityFilter,),
    "gopher_repetition": (GopherRepetitionFilter,),
    "fineweb": (FineWebQualityFilter,),
    "features": (GopherQualityFilter, GopherRepetitionFilter, FineWebQualityFilter),
    "c4": (C4QualityFilter,),
    "chain": (LanguageFilter, GopherRepetitionFilter, GopherQualityFilter, C4QualityFilter, FineWebQualityFilter),
}


class Whitespace(WordTokenizer):
    """Words of str.split(); a line is one sentence."""

    def word_tokenize(self, text: str) -> list[str]:
        return text.split()

    def sent_tokenize(self, text: str) -> list[str]:
        return [line for line in text.splitlines() if line.strip()]

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        spans, start = [], 0
        for line in text.splitlines(keepends=True):
            spans.append((start, start + len(line)))
            start += len(line)
        return spans


def filters(work: str, words: str, model: str) -> list[Any]:
    made = []
    for kind in WORKS[work]:
        if kind is LanguageFilter:
            import fasttext

            kind._requires_dependencies = []  # it asks for another distribution of the same module
            step = kind(languages=["en"])
            step.model._model = fasttext.FastText._FastText(model)  # else it downloads lid.176.bin
        else:
            step = kind()
            if words == "whitespace" and "language" in inspect.signature(kind.__init__).parameters:
                step.language = Whitespace()
        made.append(step)
    return made


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    name, _, words = work.partition("/")
    steps, ends_early = filters(name, words, job["model"]), name == "chain"

    def judge(text: str) -> bool:
        document = Document(text, "0", metadata={})
        whole = True
        for step in steps:
            passed, _ = get_filter_result(step.filter(document))
            whole &= passed
            if ends_early and not passed:
                return False
        return whole

    warm, run, facts = measure.of_strings(job, judge)
    if name == "chain" and words == "whitespace":
        facts["survivors"] = sum(judge(text) for text in measure.read(job["documents"]).to_pylist())
    split_into_parts.cache_clear()
    return warm, run, facts


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)  # numpy, on the mean word length of a text without words
    measure.main(prepare, ("datatrove", "spacy", "fasttext-community"))
