"""A page's text, by the extractor that a recipe names, and what of the page's text is not in it.

Extractors: `default` is ours: the page as blocks of text, each kept or cut for a reason. `all_text` is the same without a
decision: everything but what the page hides. `trafilatura` and `resiliparse` are those libraries with their own rules; of them
only the counts of characters are known.

Characters are code points that are not white space: what an extractor lays out anew (indents, line breaks) does not count.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pipeline.formats.interface import TAG_LIMIT, TooLarge
from pipeline.model import Cut, Extraction

if TYPE_CHECKING:
    from pipeline.kernels.html.main_content import Decision

# A change of what the extractor keeps or how it writes text asks for a new version.
VERSION = "1"


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text and title, and what of it is in the text."""

    text: str
    title: str | None
    extraction: Extraction


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One block of a page: its text, why it was cut (None: it was kept), and its characters."""

    text: str
    reason: str | None
    characters: int


def page_text(source: str, options: Mapping[str, Any]) -> PageText:
    """Return the text of a page. `options`: extractor, boilerplate, links, output, as the recipe has them.

    Raises TooLarge for a page of more than TAG_LIMIT tags.
    """
    named = options.get("extractor", "default")
    if named == "trafilatura":
        return _by_trafilatura(source)
    if named == "resiliparse":
        return _by_resiliparse(source)
    from pipeline.kernels.html import render
    from pipeline.kernels.html.reasons import REASONS

    decided = _decided(source, options)
    blocks, why = decided.blocks, decided.reasons
    keep = (why == 0).astype("uint8")
    markdown, links = options.get("output") == "markdown", bool(options.get("links"))
    if options.get("boilerplate") == "mark":
        names = [REASONS[i] if i else None for i in why.tolist()]
        text = render.render_marked(decided.tree, blocks, names, markdown=markdown, links=links)
    else:
        text = render.render(decided.tree, blocks, keep, markdown=markdown, links=links)
    cuts: dict[str, list[int]] = {}
    for reason, characters in zip(why.tolist(), blocks.characters.tolist(), strict=True):
        if reason:
            count = cuts.setdefault(REASONS[reason], [0, 0])
            count[0] += 1
            count[1] += characters
    visible = blocks.visible_characters
    listed = tuple(Cut(reason, *cuts[reason]) for reason in sorted(cuts))
    extraction = Extraction(
        f"{'pellucid' if named == 'default' else named}/{VERSION}",
        visible,
        visible - sum(cut.characters for cut in listed),
        listed,
    )
    return PageText(text, _title(decided.tree), extraction)


def page_blocks(source: str, options: Mapping[str, Any]) -> list[PageBlock]:
    """Return every block of a page in order, kept or cut; empty for extractors that are not ours. Raises TooLarge."""
    if options.get("extractor", "default") not in ("default", "all_text"):
        return []
    from pipeline.kernels.html import render
    from pipeline.kernels.html.reasons import REASONS

    decided = _decided(source, options)
    texts = render.block_texts(decided.tree, decided.blocks)
    return [
        PageBlock(text, REASONS[reason] if reason else None, characters)
        for text, reason, characters in zip(
            texts, decided.reasons.tolist(), decided.blocks.characters.tolist(), strict=True
        )
    ]


def all_text(source: str) -> tuple[str, str | None]:
    """Return the text and the title of a page or fragment, nothing cut but what it hides."""
    page = page_text(source, {"extractor": "all_text"})
    return page.text, page.title


def extractor_identity() -> dict[str, str]:
    """Return name, version and the SHA-256 of the model file of our own extractor."""
    from pipeline.kernels.html import model

    return {"name": "pellucid", "version": VERSION, "model_sha256": model.sha256()}


def _decided(source: str, options: Mapping[str, Any]) -> "Decision":
    from pipeline.kernels.html.main_content import extractor

    if (tags := source.count("<")) > TAG_LIMIT:
        raise TooLarge(f"a page of {tags:,} tags; at most {TAG_LIMIT:,}")
    try:
        data = source.encode()
    except UnicodeEncodeError:  # a lone surrogate, as JSON can have
        data = re.sub("[\ud800-\udfff]", "\ufffd", source).encode()
    ours = extractor()
    return ours.all_text(data) if options.get("extractor") == "all_text" else ours.decide(data)


def _title(tree: Any) -> str | None:
    from pipeline.kernels.html.names import TAG

    for node in range(tree.count):
        if tree.tag[node] == TAG["title"] and tree.kind[node] == 1 and tree.namespace[node] == 0:
            inside = range(node + 1, int(tree.end[node]))
            return " ".join("".join(tree.text_of(child) for child in inside).split()) or None
    return None


def _by_resiliparse(source: str) -> PageText:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(source)
    text = extract_plain_text(tree, main_content=True, preserve_formatting=True, list_bullets=True)
    title = " ".join((tree.title or "").split()) or None
    return PageText(text, title, _counted(source, text, f"resiliparse/{version('resiliparse')}"))


def _by_trafilatura(source: str) -> PageText:
    import trafilatura

    text = trafilatura.extract(source) or ""
    title = _title_of(source)
    return PageText(text, title, _counted(source, text, f"trafilatura/{version('trafilatura')}"))


def _title_of(source: str) -> str | None:
    return _title(_decided(source, {"extractor": "all_text"}).tree)


def _counted(source: str, text: str, name: str) -> Extraction:
    """How many characters the page has, as ours counts them, and how many the other extractor's text has."""
    blocks = _decided(source, {"extractor": "all_text"}).blocks
    return Extraction(name, blocks.visible_characters, len("".join(text.split())), ())
