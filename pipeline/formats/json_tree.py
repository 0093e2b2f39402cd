"""JSON trees: subtrees are records; the strings in them, chosen by patterns, are their text.

A pattern is an RFC 6901 pointer in which `*` stands for any one key or index and `**` for any number of them.

A record's raw bytes are the RFC 8785 form of its subtree, whose keys are sorted. Its text comes in the order of the file,
which the hint `source` keeps. Tags and entities in strings that hold HTML are undone.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.formats import strict_json
from pipeline.formats.html_text import all_text
from pipeline.formats.interface import RECORD_LIMIT, Format, Member, Options
from pipeline.model import Document, Fault, Pointer, Record, Refusal
from pipeline.trust import canonical

_MARKUP = re.compile(
    r"</?(?:a|b|blockquote|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|s|small|span|strong|sub|sup|table|tbody|td"
    r"|th|thead|tr|u|ul)(?:\s[^<>]*+)?/?>|<!--|&(?:amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[nm]dash|hellip|#\d{1,7}|#x[0-9a-f]{1,6});",
    re.IGNORECASE,
)

Path = tuple[str | int, ...]


def records(member: Member, options: Options) -> Iterator[Record | Fault]:
    """The subtrees that `options["records"]` chooses; one Fault where the member is no JSON or holds none of them."""
    none = Pointer(member.name, None, None, 0)
    raw = member.stream.read(RECORD_LIMIT + 1)
    if len(raw) > RECORD_LIMIT:
        yield Fault(none, "unreadable:too_large", f"more than {RECORD_LIMIT:,} bytes")
        return
    try:
        tree = strict_json.loads(strict_json.text_of(raw))
    except strict_json.NotJson as error:
        yield Fault(none, error.reason, error.detail, None)
        return
    index = 0
    try:
        for path, subtree in matches(tree, parse(options["records"])):
            yield _record(Pointer(member.name, None, None, index, pointer(path)), subtree)
            index += 1
    except RecursionError:
        yield Fault(Pointer(member.name, None, None, index), "unreadable:too_deep", "nested too deep to search")
        return
    if not index:
        yield Fault(none, "unreadable:no_records", f"nothing in it matches {options['records']!r}")


def _record(place: Pointer, subtree: Any) -> Record | Fault:
    try:
        return Record(place, canonical.dumps(subtree), {"source": json.dumps(subtree, ensure_ascii=False)})
    except (canonical.NotCanonical, RecursionError) as error:
        return Fault(place, "unreadable:json", str(error)[:200])


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """The chosen strings of the subtree, one after another; with `headings`, the keys that lead to each above it."""
    try:
        tree = strict_json.loads(record.hints.get("source") or strict_json.text_of(record.raw))
        patterns = [parse(pattern) for pattern in options["text"]]
        # In the order of the patterns, then of the file; what an earlier pattern chose is not chosen again.
        chosen = {path: (value, pattern) for pattern in patterns for path, value in matches(tree, pattern)}
        title = options.get("title")
        titles = [value for _, value in matches(tree, parse(title))] if title is not None else []
    except (strict_json.NotJson, RecursionError) as error:
        return Fault(record.pointer, "unreadable:too_deep", str(error)[:200], record.raw)
    lines: list[str] = []
    above: list[str] = []
    for path, (value, pattern) in chosen.items():
        if not isinstance(value, str) or not (text := plain(value)):
            continue
        if options["headings"]:
            keys = _headings(path, pattern)
            same = next(
                (i for i, (a, b) in enumerate(zip(keys, above, strict=False)) if a != b), min(len(keys), len(above))
            )
            if keys[same:]:
                lines += ["", *keys[same:]] if lines else keys[same:]
            above = keys
        lines.append(text)
    if not lines:
        return Refusal("no_text", "no string where the text patterns point")
    first = next((value for value in titles if isinstance(value, str) and value), None)
    return Document("\n".join(lines), title=plain(first) if first else None, charset="utf-8")


def _headings(path: Path, pattern: Sequence[str]) -> list[str]:
    """The keys of a path that stand above a text: not the indices, and not the fixed names that the pattern ends with."""
    fixed = 0
    while fixed < len(pattern) and pattern[-1 - fixed] not in ("*", "**"):
        fixed += 1
    return [key for key in path[: len(path) - fixed] if isinstance(key, str)]


def plain(text: str) -> str:
    """A string without its HTML, if it has any; line ends as newlines, none at the ends."""
    if _MARKUP.search(text):
        text = all_text(text)[0]
    return text.replace("\r\n", "\n").strip()


def parse(pattern: str) -> tuple[str, ...]:
    """The unescaped steps of a pattern."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pattern.split("/")[1:])


def pointer(path: Path) -> str:
    """RFC 6901 pointer of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def matches(tree: Any, steps: Sequence[str]) -> Iterator[tuple[Path, Any]]:
    """Every place that a pattern matches, in the order of the file, once each. A place is tried by all steps at once."""
    return _walk(tree, (), frozenset(_closure({0}, steps)), steps)


def _walk(node: Any, path: Path, at: frozenset[int], steps: Sequence[str]) -> Iterator[tuple[Path, Any]]:
    """`at`: the positions in `steps` that may come next here, as in a non-deterministic automaton."""
    if len(steps) in at:
        yield path, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        following = {
            position if steps[position] == "**" else position + 1
            for position in at
            if position < len(steps) and steps[position] in ("*", "**", str(key))
        }
        if following:
            yield from _walk(child, (*path, key), frozenset(_closure(following, steps)), steps)


def _closure(positions: set[int], steps: Sequence[str]) -> set[int]:
    """The positions and those behind each `**` among them, which may stand for nothing."""
    found = set(positions)
    for position in sorted(positions):
        while position < len(steps) and steps[position] == "**":
            position += 1
            found.add(position)
    return found


FORMAT = Format(records, extract, kernels="html")
