"""Which words differ between two texts.

Words are what stands between white space, so a line that is broken elsewhere differs in nothing. Texts are aligned as in
patience diff (Bram Cohen): runs of three words that stand once in each text are anchors, the longest chain of them that is in
order in both is kept, and what lies between two anchors is compared word by word, if it is short.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

ANCHOR = 3  # words
SHORT = 40_000  # pairs of words that are compared one by one
_WORD = re.compile(r"\s*\S+\s*$|\s*\S+")

Part = tuple[bool, str]  # whether it is in both texts, and a stretch of one


def differing(left: str, right: str) -> tuple[list[Part], list[Part]]:
    """Both texts cut into stretches that are in both or in one alone; joined, the stretches of each are the text."""
    ours, theirs = _cut(left), _cut(right)
    mine, other = [piece.strip() for piece in ours], [piece.strip() for piece in theirs]
    same_left, same_right = [False] * len(ours), [False] * len(theirs)
    for start, place, length in _matches(mine, other):
        same_left[start : start + length] = [True] * length
        same_right[place : place + length] = [True] * length
    return _stretches(ours, same_left), _stretches(theirs, same_right)


def _cut(text: str) -> list[str]:
    return _WORD.findall(text) or ([text] if text else [])


def _stretches(pieces: Sequence[str], same: Sequence[bool]) -> list[Part]:
    found: list[tuple[bool, list[str]]] = []
    for piece, both in zip(pieces, same, strict=True):
        if not found or found[-1][0] != both:
            found.append((both, []))
        found[-1][1].append(piece)
    return [(both, "".join(parts)) for both, parts in found]


def _matches(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal words: start in each, length."""
    i = j = 0
    for start, place in [*_anchors(left, right), (len(left), len(right))]:
        if start < i or place < j:  # an anchor inside the run that the last one grew into
            continue
        yield from _gap(left, right, (i, start), (j, place))
        length = 0
        while (
            start + length < len(left) and place + length < len(right) and left[start + length] == right[place + length]
        ):
            length += 1
        if length:
            yield start, place, length
        i, j = start + length, place + length


def _gap(
    left: Sequence[str], right: Sequence[str], here: tuple[int, int], there: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    """The same between two anchors; what is too long to compare differs as a whole, but for its ends."""
    (i, end), (j, stop) = here, there
    while end > i and stop > j and left[end - 1] == right[stop - 1]:
        end, stop = end - 1, stop - 1
        yield end, stop, 1
    while i < end and j < stop and left[i] == right[j]:
        yield i, j, 1
        i, j = i + 1, j + 1
    if 0 < (end - i) * (stop - j) <= SHORT:
        for match in SequenceMatcher(None, left[i:end], right[j:stop], autojunk=False).get_matching_blocks():
            if match.size:
                yield i + match.a, j + match.b, match.size


def _anchors(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Places of runs that stand once in each, ascending in both."""
    once_left, once_right = _once(left), _once(right)
    pairs = [(place, once_right[run]) for run, place in once_left.items() if run in once_right]
    pairs.sort()
    tails: list[int] = []  # the smallest place in the right text at which a chain of each length ends
    ends: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            ends.append(number)
        else:
            tails[length], ends[length] = place, number
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    runs = [tuple(words[place : place + ANCHOR]) for place in range(len(words) - ANCHOR + 1)]
    often = Counter(runs)
    return {run: place for place, run in enumerate(runs) if often[run] == 1}
