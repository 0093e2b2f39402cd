"""Which kept documents hold a passage word for word, and where; else which of its runs of words are in which.

The index (`inspection.trace_index`) says where the grams of a passage that winnowing keeps stand. A place in a document is
proposed if all of them stand there, each as far from the first as in the passage; it is a match if the words of the document at
that place, read from its Parquet file, are those of the passage. So no match is false, and none is missed: what winnowing keeps
of a passage it keeps in every document that holds the passage.

The rarest gram is looked up first; of the others it is only asked whether they stand where they would have to, by binary
search, so a gram that is in a million documents costs no more than a rare one. Only where every gram is frequent there is
much to do; then the first PLACES are looked at, and the answer says so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import RecipeError
from pipeline.inspection import passages, trace_runs
from pipeline.inspection.passages import Word
from pipeline.inspection.trace_index import Index, Segment
from pipeline.inspection.trace_texts import Texts, documents
from pipeline.kernels.passage_words import LEAST

PLACES = 1 << 22  # of the rarest gram in a segment that are looked at
CHECKED = 1000  # documents whose text is read to count them exactly
RUNS = 10  # that are told
CHARACTERS = 1_000_000  # of a passage
CONTEXT = 60  # characters shown on either side of a match

Places = npt.NDArray[np.int64]
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Match:
    """A document that holds a run of words. `start`, `end`: of the first place, in code points of its text, from the first
    letter of its first word to the last letter of its last one. `places`: how often it holds it. `letters`: whether the first
    place is the passage letter for letter, runs of white space taken as one space. `copies`: rows of its cluster: id, source,
    similarity (in millionths) of documents that were dropped as its copies.
    """

    id: str
    source: str
    url: str
    license: str
    start: int
    end: int
    places: int
    letters: bool
    before: str
    text: str
    after: str
    copies: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The words `first` to `last` (not included) of the passage stand in `documents` documents; `text`: that part of the
    passage."""

    first: int
    last: int
    start: int
    end: int
    text: str
    documents: int
    exact: bool
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """`documents`: how many hold the whole passage; `exact`: whether that number is certain, else it is an upper bound, or of
    the places looked at. `runs`: where none does, its longest runs that are in a document, the longest first; `cut`: whether
    some may be missing."""

    words: int
    documents: int
    exact: bool
    matches: tuple[Match, ...]
    runs: tuple[Run, ...]
    cut: bool

    def to_json(self) -> dict[str, Any]:
        return {"found": bool(self.matches), **asdict(self)}


def trace(index: Index, passage: str, limit: int) -> Traced:
    """Documents that hold the passage, `limit` at most told. Raises RecipeError for a passage too short or too long."""
    words = checked(passage)

    with Texts(index) as texts:
        count, exact, matches = _whole(index, texts, passage, words, limit)
        if matches:
            return Traced(len(words), count, exact, tuple(matches), (), False)
        runs, cut = trace_runs.longest(index, texts, words, lookup)
        found = []
        for first, last in runs[:RUNS]:
            start, end = words[first].start, words[last - 1].end
            own = [Word(word.folded, word.start - start, word.end - start) for word in words[first:last]]
            there, certain, some = _whole(index, texts, passage[start:end], own, limit)
            found.append(Run(first, last, start, end, passage[start:end], there, certain, tuple(some)))
        return Traced(len(words), 0, exact, (), tuple(found), cut or len(runs) > RUNS)


def checked(passage: str) -> list[Word]:
    """The words of a passage that can be looked for. Raises RecipeError."""
    if len(passage) > CHARACTERS:
        raise RecipeError(f"the passage has {len(passage):,} characters", wanted=f"{CHARACTERS:,} at most")
    words = passages.words(passage)
    if len(words) < LEAST:
        raise RecipeError(
            f"the passage has {len(words)} word{'s' * (len(words) != 1)}", wanted=f"{LEAST} or more",
            hint="shorter ones are in too many documents to say anything; punctuation is no word",
        )  # fmt: skip
    return words


def _whole(
    index: Index, texts: Texts, passage: str, words: Sequence[Word], limit: int
) -> tuple[int, bool, list[Match]]:
    """How many documents hold all the words, whether that is certain, and the first `limit` of them."""
    grams = passages.kept(words)
    matches: list[Match] = []
    counted = looked = 0
    exact = True
    for segment in index.segments:
        places, all_of_them = proposed(index, segment, grams, len(words))
        exact = exact and all_of_them
        for document, starts in _by_document(index, segment, places, len(words)):
            looked += 1
            if looked > CHECKED and len(matches) >= limit:
                counted, exact = counted + 1, False
                continue
            held = [found for start in starts if (found := texts.holds(segment, document, start, words))]
            counted += bool(held)
            if held and len(matches) < limit:
                matches.append(_match(texts, segment, document, held, passage, words))
    return counted, exact, matches


def proposed(index: Index, segment: Segment, grams: Sequence[tuple[int, int]], count: int) -> tuple[Places, bool]:
    """Numbers of words from which on all grams of a passage of `count` words stand, ascending; and whether that is all."""
    ranges = sorted((*lookup(index, segment, key), place) for place, key in grams)
    ranges.sort(key=lambda one: one[1] - one[0])
    entries = index.array(segment, "entries")
    low, high, first = ranges[0]
    at: Places = (entries[low : min(high, low + PLACES)] & _LOW).astype(np.int64) - first
    at = at[(at >= 0) & (at <= segment.words - count)]
    for own_low, own_high, place in ranges[1:]:
        if not len(at):
            break
        there = entries[own_low:own_high]
        wanted = (at + place).astype(np.uint64) | (there[0] & ~_LOW)
        at = at[there[np.minimum(np.searchsorted(there, wanted), len(there) - 1)] == wanted]
    return at, high - low <= PLACES


def lookup(index: Index, segment: Segment, key: int) -> tuple[int, int]:
    """The entries of a gram: from the first number to before the second."""
    if not segment.entries:
        return 0, 0
    buckets = index.array(segment, "buckets")
    bucket = key >> (64 - segment.bits) if segment.bits else 0
    low, high = int(buckets[bucket]), int(buckets[bucket + 1])
    part = index.array(segment, "entries")[low:high]
    prefix = np.uint64((key >> (32 - segment.bits) & 0xFFFFFFFF) << 32)
    return low + int(np.searchsorted(part, prefix)), low + int(np.searchsorted(part, prefix | _LOW, "right"))


def _by_document(index: Index, segment: Segment, places: Places, count: int) -> Iterator[tuple[int, list[int]]]:
    """Documents with the places in them at which `count` words have room."""
    begins = index.array(segment, "begins")
    own = documents(index, segment, places)
    inside = places + count <= begins[own + 1]
    own, places = own[inside], places[inside]
    cuts = np.flatnonzero(np.diff(own)) + 1
    for part in np.split(np.arange(len(own)), cuts) if len(own) else ():
        yield int(own[part[0]]), places[part].tolist()


def _match(
    texts: Texts, segment: Segment, document: int, held: Sequence[Sequence[Word]], passage: str, words: Sequence[Word]
) -> Match:
    row = texts.row(segment, document)
    text = row["text"].as_py()
    start, end = held[0][0].start, held[0][-1].end
    before, after = passage[: words[0].start].lstrip(), passage[words[-1].end :].rstrip()
    letters = (
        _spaced(text[start:end]) == _spaced(passage[words[0].start : words[-1].end])
        and _spaced(text[max(0, start - 4 * len(before) - 64) : start]).endswith(_spaced(before))
        and _spaced(text[end : end + 4 * len(after) + 64]).startswith(_spaced(after))
    )
    return Match(
        row["id"], row["source"], row["url"], row["license"], start, end, len(held), letters,
        text[max(0, start - CONTEXT) : start], text[start:end], text[end : end + CONTEXT],
        texts.copies(segment, document, row["id"]),
    )  # fmt: skip


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)
