"""What `pellucid trace` says, as lines of at most `width` columns. Pure; the command prints them.

Texts are somebody else's: no value can end a line or begin one of ours.
"""

import re
from collections.abc import Iterator
from typing import Any

from pipeline.telling_diff import wrapped

SHOWN = 160  # characters of a match; of a longer one its beginning and its end
COPIES = 3


def lines(found: Any, limit: int, width: int = 80) -> Iterator[str]:
    """The answer: the documents, or the longest runs and their documents."""
    if found.matches:
        yield f"found       in {_count(found)}, {found.words:,} words"
        yield from _matches(found.matches, found.documents, width)
    else:
        yield f"not found   no kept document holds these {found.words:,} words"
        if found.runs:
            longest = found.runs[0]
            yield f"            the longest run of them in a document has {longest.last - longest.first:,}"
        else:
            yield (
                "            nor any 8 of them in a row"
                if not found.cut
                else "            nor was a run of 8 of them found"
            )
        for run in found.runs:
            yield ""
            yield f"words {run.first + 1:,} to {run.last:,}: {run.last - run.first:,} words, in {_count(run)}"
            yield from wrapped(_short(run.text), 6, width)
            yield from _matches(run.matches[:limit], run.documents, width)
    if found.cut:
        yield ""
        yield from wrapped("A bound was reached: there may be other runs, or longer ones.", 0, width)
    yield ""
    yield from wrapped(
        "Of dropped documents a release has no text: only kept ones can be found, and copies of them by their clusters.",
        0, width,
    )  # fmt: skip


def _count(found: Any) -> str:
    about = "" if found.exact else "about "
    return f"{about}{found.documents:,} document{'s' * (found.documents != 1)}"


def _matches(matches: Any, documents: int, width: int) -> Iterator[str]:
    for match in matches:
        yield ""
        yield from wrapped(f"{match.id}  {match.source}  {match.license}", 4, width, first=2)
        yield from wrapped(match.url, 6, width)
        how = "letter for letter" if match.letters else "word for word"
        often = f", {match.places:,} times in all" if match.places > 1 else ""
        yield from wrapped(f"characters {match.start:,} to {match.end:,}, {how}{often}", 6, width)
        yield from wrapped(f"...{_flat(match.before)}[{_short(match.text)}]{_flat(match.after)}...", 6, width)
        if match.copies:
            copies = len(match.copies)
            yield f"      {copies:,} cop{'ies' if copies != 1 else 'y'} of it {'were' if copies != 1 else 'was'} dropped:"
            for copy in match.copies[:COPIES]:
                alike = copy["similarity"] / 1e6
                yield from wrapped(f"{copy['id']}  {copy['source']}  similarity {alike:.3f}", 10, width, first=8)
            if copies > COPIES:
                yield f"        and {copies - COPIES:,} more (--json lists all)"
    if documents > len(matches):
        yield ""
        yield f"  and in {documents - len(matches):,} more (--limit)"


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN // 2]} ... {flat[-SHOWN // 2 :]}"
