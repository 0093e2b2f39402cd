"""Score a text against a truth, each benchmark's way.

`words` is WCXB's `evaluate.py` (multiset of lower-case words), `shingles` is Scrapinghub's (4-grams of words, normalised a
page), `passages` is trafilatura's `tests/eval_common.py` (passages found after white space is folded). The tests of
agreement with the benchmarks' own code are in bench/html/agreement.py, since that code is not part of this project.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

_WORD = re.compile(r"\w+")
# Of Chinese and Japanese each character is a word: line breaks of the source do not part words there.
_WORD_OF_ANY_SCRIPT = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Passages found that must be there, found that must not, missing that must be there, rightly missing."""

    found: int
    wrong: int
    missing: int
    absent: int


@dataclass(frozen=True, slots=True)
class PassageScore:
    """Trafilatura's figures over all passages of all pages."""

    precision: float
    recall: float
    accuracy: float
    f1: float


def words(predicted: str, truth: str) -> Score:
    """Compare two texts as multisets of words (WCXB)."""
    left, right = _WORD.findall(predicted.lower()), _WORD.findall(truth.lower())
    if not right:
        perfect = 0.0 if left else 1.0
        return Score(perfect, perfect, perfect)
    shared = sum((Counter(left) & Counter(right)).values())
    if not shared:
        return Score(0.0, 0.0, 0.0)
    precision, recall = shared / len(left), shared / len(right)
    return Score(precision, recall, 2 * precision * recall / (precision + recall))


def passage_share(text: str, passages: Sequence[str]) -> float:
    """Return the share of passages in a text (WCXB's snippet check)."""
    folded = text.lower()
    return sum(passage.lower() in folded for passage in passages) / len(passages) if passages else 1.0


def shingles(predicted: Sequence[str], truth: Sequence[str]) -> Score:
    """Compare many texts by 4-grams of words (Scrapinghub): means over pages, F1 of the means."""
    precisions, recalls = [], []
    for left, right in zip(map(_shingles, predicted), map(_shingles, truth), strict=True):
        shared = sum((left & right).values())
        if left:
            precisions.append(shared / left.total())
        if right:
            recalls.append(shared / right.total())
    precision, recall = mean(precisions or [0.0]), mean(recalls or [0.0])
    both = precision + recall
    return Score(precision, recall, 2 * precision * recall / both if both else 0.0)


def passages(text: str, must: Sequence[str], must_not: Sequence[str]) -> Counts:
    """Look for the passages of one page (trafilatura)."""
    folded = _fold(text)
    found = sum(_fold(passage) in folded for passage in must)
    wrong = sum(_fold(passage) in folded for passage in must_not)
    return Counts(found, wrong, len(must) - found, len(must_not) - wrong)


def passage_score(counts: Sequence[Counts]) -> PassageScore:
    """Add up the passages of all pages (trafilatura's confusion matrix)."""
    found, wrong = sum(one.found for one in counts), sum(one.wrong for one in counts)
    missing, absent = sum(one.missing for one in counts), sum(one.absent for one in counts)
    return PassageScore(
        precision=_ratio(found, found + wrong),
        recall=_ratio(found, found + missing),
        accuracy=_ratio(found + absent, found + wrong + missing + absent),
        f1=_ratio(2 * found, 2 * found + wrong + missing),
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What of a known source's words and characters was found, and how many characters are of no source."""

    words: int
    words_found: int
    characters: int
    characters_found: int
    written: int
    boilerplate: int


def found(predicted: str, truth: str, optional: str) -> Found:
    """Compare a text with its source, as multisets of words and of characters that are not white space.

    Letters, digits and marks that the truth and the optional text together do not have are boilerplate; bullets, bars
    between table cells and the like, which an extractor adds, are not.
    """
    words_left, words_right = _words(predicted), _words(truth)
    left, right = _characters(predicted), _characters(truth)
    return Found(
        words=words_right.total(),
        words_found=(words_left & words_right).total(),
        characters=right.total(),
        characters_found=(left & right).total(),
        written=left.total(),
        boilerplate=sum(
            count
            for character, count in (left - right - _characters(optional)).items()
            if unicodedata.category(character)[0] in "LNM"
        ),
    )


def _words(text: str) -> Counter[str]:
    return Counter(_WORD_OF_ANY_SCRIPT.findall(text.lower()))


def _characters(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _WORD.findall(text)
    grams = (tuple(tokens[start : start + 4]) for start in range(max(1, len(tokens) - 3)))
    return Counter(gram for gram in grams if gram)


def _fold(text: str) -> str:
    return " ".join(text.split())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
