"""Pages that go back to upstream: a record read again, its bytes, and a duplicate's text beside the one that was kept."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pipeline.inspection import show as shows
from pipeline.inspection.browse import documents
from pipeline.inspection.browse.answer import Answer, Elsewhere, as_file
from pipeline.inspection.browse.documents import Found
from pipeline.inspection.browse.faults import NotFound, NotShown
from pipeline.inspection.browse.site import Site
from pipeline.inspection.browse.views_documents import SHORTLY, SHOWN, artifact_of, named
from pipeline.inspection.browse.words import differing
from pipeline.inspection.show import Again, Story

SHOWN_OF_PAGE = 200_000  # characters of a page's blocks
LONGEST = 400_000  # characters of texts that are compared
Why = dict[str, str]  # why it cannot be had: seen, wanted, hint


def beside(site: Site, request: Request) -> Answer | Elsewhere:
    """A duplicate beside the document that was kept, the words that differ marked."""
    found = named(site, request, "/beside")
    if isinstance(found, Elsewhere):
        return found
    kept = documents.kept_for(site.engine, site.opened, found)
    if kept is None:
        raise NotFound(
            f"{found.id} was not dropped for a document of this release",
            hint="from a kept document, its duplicates lead to such a page",
        )
    right = str(documents.text(site.engine, site.opened, kept)["text"])
    facts: dict[str, Any] = {
        "dropped": {"id": found.id, "source": found.row["source"], "url": found.row["url"]},
        "kept": {"id": kept.id, "source": kept.row["source"], "url": kept.row["url"], "text": right},
        "similarity": found.row["similarity"], "reason": found.row["reason"],
    }  # fmt: skip
    return _with_record(site, found, Answer("beside", facts), lambda again: _beside(again, facts["dropped"], right))


def _beside(again: Again | Why, dropped: dict[str, Any], right: str) -> dict[str, Any]:
    text, why, edited = None, None, False
    if isinstance(again, dict):
        why = again
    elif again.text is None or again.text_equal is False:
        why = {"seen": "read again, the record does not give the text that was judged", "hint": ""}
    else:
        text, edited = again.text, again.edited
    left = marked = None
    if text is not None and max(len(text), len(right)) <= LONGEST:
        left, marked = differing(text, right)
    return {"dropped": {**dropped, "text": text}, "why": why, "before_edits": edited, "left": left, "right": marked}


def record(site: Site, request: Request) -> Answer | Elsewhere:
    """The record's bytes as they lie in the artifact, made visible."""
    found = named(site, request, "/record")
    if isinstance(found, Elsewhere):
        return found
    facts = {"id": found.id, "fate": found.fate, "row": found.row, "artifact": artifact_of(site, found)}
    if found.silent:
        raise NotShown(f"{found.id} is not read again: {found.silent}")
    answer = Answer("record", facts, html={"limit": SHOWN})
    return _with_record(site, found, answer, lambda again: _record(again, found.row["charset"]))


def _record(again: Again | Why, charset: str | None) -> dict[str, Any]:
    if isinstance(again, dict):
        unknown = (
            "bytes",
            "record_equal",
            "text_equal",
            "extraction_equal",
            "edited",
            "as_text",
            "hex",
            "charset",
            "text",
        )
        return {"why": again, **dict.fromkeys(unknown)}
    as_text, read_as = _decoded(again.raw[: SHOWN * 4], charset)
    return {
        "why": None, "bytes": len(again.raw), "record_equal": again.record_equal, "text_equal": again.text_equal,
        "extraction_equal": again.extraction_equal, "edited": again.edited,
        "as_text": None if as_text is None else as_text[:SHOWN], "charset": read_as,
        "hex": _hex(again.raw[:4096]), "text": None if again.text is None else again.text[:SHOWN],
    }  # fmt: skip


def page(site: Site, request: Request) -> Answer | Elsewhere:
    """A page's visible text by blocks, in order, those that were cut with their reasons."""
    found = named(site, request, "/page")
    if isinstance(found, Elsewhere):
        return found
    if found.silent:
        raise NotShown(f"{found.id} is not read again: {found.silent}")
    if found.row["extractor"] is None:
        raise NotFound(
            f"{found.id} is no page of which text was taken", hint=f"/documents/{found.id}/record shows its record"
        )
    facts = {"id": found.id, "fate": found.fate, "row": found.row}
    answer = Answer("page", facts, html={"limit": SHOWN_OF_PAGE})
    return _with_record(site, found, answer, lambda again: _page(again, found.story(site.opened)))


def _page(again: Again | Why, story: Story) -> dict[str, Any]:
    if isinstance(again, dict):
        return {"why": again, "blocks": None, "equal": None}
    blocks = shows.page(story, again.raw)
    if isinstance(blocks, str):
        return {"why": {"seen": blocks, "wanted": "", "hint": ""}, "blocks": None, "equal": None}
    return {"why": None, "blocks": [asdict(one) for one in blocks.blocks], "equal": blocks.equal}


def _with_record(site: Site, found: Found, answer: Answer, tell: Callable[[Again | Why], dict[str, Any]]) -> Answer:
    """An answer with what is told of its record: at once, if that is read by then, else as its rest."""

    def told(seconds: float | None = None) -> dict[str, Any]:
        try:
            return tell(site.artifacts.read(site.opened, found, seconds))
        except (NotFound, NotShown) as error:
            return tell({"seen": error.seen, "wanted": error.wanted, "hint": error.hint})

    try:
        return replace(answer, facts={**answer.facts, **told(SHORTLY)})
    except TimeoutError:
        return replace(answer, rest=told)


def raw(site: Site, request: Request) -> Response | Elsewhere:
    """The record's bytes for the disk, if they have the digest that the row says."""
    found = named(site, request, "/raw")
    if isinstance(found, Elsewhere):
        return found
    again = site.artifacts.read(site.opened, found)
    if again.record_equal is False:
        raise NotFound(
            f"read again, the record of {found.id} has another digest than its row says",
            hint=f"/documents/{found.id}/record shows what was read",
        )
    return as_file(again.raw, f"{found.id}.record")


def _decoded(data: bytes, charset: str | None) -> tuple[str | None, str | None]:
    """The bytes as text, if they are any: in the charset of the row, else UTF-8. The end may cut a character."""
    for name in dict.fromkeys((charset, "utf-8")):
        if not name:
            continue
        for cut in range(4):
            try:
                text = data[: len(data) - cut].decode(name)
            except (UnicodeError, LookupError):
                continue
            return (None, None) if "\0" in text else (text, name)
    return None, None


def _hex(data: bytes) -> str:
    """Offset, sixteen bytes, and the ASCII among them, a line each."""
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):47}  {shown}")
    return "\n".join(lines)
