"""MediaWiki markup to the text that a reader of the page sees, in time linear in its length.

Not by mwparserfromhell: it takes minutes for 100 kB of openers without ends (`{{a|{{a|...`, `<ref><ref>...`, `[http://a `) and
reads 0.7 MB/s of real pages. Templates are not expanded, since their pages are not at hand: they go, but for a few that
wrap words of the sentence (KEPT). Tables, references, files, categories, galleries and comments go; links leave their labels.
"""

import html
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

# Templates whose argument is part of the sentence, by the number of the positional argument (-1: the last).
KEPT = {
    "lang": 2, "transl": -1, "transliteration": -1, "nowrap": 1, "nobr": 1, "small": 1, "big": 1, "em": 1, "strong": 1,
    "nihongo": 1, "smallcaps": 1, "sc": 1, "abbr": 1, "quote": 1, "blockquote": 1, "cquote": 1, "quotation": 1,
    "angle bracket": 1, "var": 1, "mvar": 1, "math": 1, "code": 1, "ill": 1, "interlanguage link": 1, "visible anchor": 1,
}  # fmt: skip
DASHES = {
    "ndash": "–",
    "spaced ndash": " – ",
    "snd": " – ",
    "mdash": "—",
    "spaced mdash": " — ",
    "dash": "–",
    "'": "'",
    "-": "",
    "!": "|",
    "·": " · ",
}
CONVERT = ("convert", "cvt")  # {{convert|5|km}}: number and unit
MAX_DEPTH = 100  # of brackets in brackets, as $wgMaxPPExpandDepth of MediaWiki; deeper ones stand as they are

# Elements that go with their content, and those whose content stands as it is, markup and all.
DROPPED = ("ref", "gallery", "timeline", "imagemap", "score", "graph", "mapframe", "maplink", "templatedata", "inputbox",
           "hiero", "section", "indicator", "includeonly", "noinclude", "references", "templatestyles", "style")  # fmt: skip
VERBATIM = ("nowiki", "math", "chem", "ce", "pre", "source", "syntaxhighlight", "code")

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"\{\{\{[^{}]*+\}\}\}")
_ELEMENT = re.compile(rf"<(/?)({'|'.join((*DROPPED, *VERBATIM))})(?=[\s/>])([^<>]*)>", re.IGNORECASE)
_BRACKETS = re.compile(r"\{\{|\}\}|\[\[|\]\]|^[ \t:*#]*\{\||^[ \t]*\|\}(?!\})", re.MULTILINE)
_OPENS = {"{{": "}}", "[[": "]]", "{|": "|}"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,10})*|simple|nds-nl", re.ASCII)
# Possessive quantifiers: no bracket without its end is tried twice.
_EXTERNAL = re.compile(r"\[(?:(?:(?:https?|ftp|irc|news):)?//|mailto:)[^\s\[\]<]*+[ \t]*+([^\[\]\n]*+)\]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"<br\s*+/?\s*+>|</(?:p|div|li|blockquote|tr|h[1-6])\s*+>", re.IGNORECASE)
_QUOTES = re.compile(r"'{2,}")
_MAGIC = re.compile(r"__[A-Z]{3,}__")
_VERBATIM_MARK = re.compile("\x02(\\d+)\x03")
_LIST = re.compile(r"[*#:;]+[ \t]*")
_EMPTY_BRACKETS = re.compile(r" ?[(（][\s,;:–/]*+[)）]")
_BRACKET_START = re.compile(r"([(（])[ \t,;:]+")
_COMMAS = re.compile(r",(?:[ \t]?,)+")
_BRACKET_END = re.compile(r"(?<![ \t,;])[ \t,;]{1,20}([)）])")
_SPACES = re.compile(r"[ \t\u00a0]+")
_SPACE_BEFORE = re.compile(r" ([,.;:!?)](?:\s|$))")
_GAPS = re.compile(r"\n{3,}")


def to_text(source: str, hidden: Sequence[str] = ()) -> str:
    """The readable text of wikitext. `hidden`: lower-case names of namespaces whose links are not shown (files, categories)."""
    source = source.replace("\x02", "").replace("\x03", "")
    source = _COMMENT.sub("", source)
    source, verbatim = _cut_elements(source)
    source = _resolve(_PARAMETER.sub("", source), {*hidden, "file", "image", "media", "category"})
    source = _EXTERNAL.sub(r"\1", source)
    source = _TAG.sub("", _BREAK.sub("\n", source))
    source = _MAGIC.sub("", _QUOTES.sub("", source))
    source = html.unescape(source)
    text = "\n".join(_without_empty_sections(_lines(source)))
    text = _VERBATIM_MARK.sub(lambda found: html.unescape(verbatim[int(found[1])]), text)
    return _GAPS.sub("\n\n", text).strip()


def _cut_elements(source: str) -> tuple[str, list[str]]:
    """The source without DROPPED elements, with marks in place of VERBATIM ones, and what the marks stand for."""
    tags = list(_ELEMENT.finditer(source))
    closes: dict[str, list[int]] = {}
    for index, tag in enumerate(tags):
        if tag[1]:
            closes.setdefault(tag[2].lower(), []).append(index)
    out: list[str] = []
    verbatim: list[str] = []
    at = 0
    for index, tag in enumerate(tags):
        if tag.start() < at:
            continue
        out.append(source[at : tag.start()])
        at = tag.end()
        name, following = tag[2].lower(), closes.get(tag[2].lower(), [])
        position = bisect_left(following, index + 1)
        if tag[1] or tag[3].endswith("/") or position == len(following):
            continue  # alone: only the tag goes
        close = tags[following[position]]
        if name in VERBATIM:
            out.append(f"\x02{len(verbatim)}\x03")
            verbatim.append(source[tag.end() : close.start()])
        at = close.end()
    out.append(source[at:])
    return "".join(out), verbatim


def _resolve(source: str, hidden: set[str]) -> str:
    """Templates, links and tables, the innermost first, by one pass with a stack of what is open."""
    stack: list[tuple[str, list[str]]] = [("", [])]  # what closes it, and its content so far
    at = 0
    for token in _BRACKETS.finditer(source):
        stack[-1][1].append(source[at : token.start()])
        at = token.end()
        what = token[0][-2:]
        if what in _OPENS:
            if len(stack) <= MAX_DEPTH:
                stack.append((_OPENS[what], []))
            else:
                stack[-1][1].append(token[0])
        elif any(close == what for close, _ in stack):
            while stack[-1][0] != what:  # opened inside and not closed: it stands as it is
                _unclosed(stack)
            content = "".join(stack.pop()[1])
            stack[-1][1].append(_template(content) if what == "}}" else _link(content, hidden) if what == "]]" else "")
        elif what != "|}":
            stack[-1][1].append(token[0])
    stack[-1][1].append(source[at:])
    while len(stack) > 1:
        _unclosed(stack)
    return "".join(stack[0][1])


def _unclosed(stack: list[tuple[str, list[str]]]) -> None:
    """The opener on top of the stack has no end: its content goes on in what is around it."""
    _, content = stack.pop()
    stack[-1][1].extend(content)


def _template(content: str) -> str:
    name, *arguments = content.split("|")
    name = " ".join(name.replace("_", " ").split()).lower()
    if name in DASHES:
        return DASHES[name]
    positional = [argument for argument in arguments if "=" not in argument]
    named = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    positional = positional or [named[key] for key in ("1", "text", "quote") if key in named]
    if name in CONVERT and len(positional) > 1:
        return f"{positional[0].strip()} {positional[1].strip()}"
    if name.startswith("lang-") and positional:
        return positional[0].strip()
    if name in KEPT and positional:
        wanted = KEPT[name]
        return positional[min(wanted, len(positional)) - 1 if wanted > 0 else -1].strip()
    return ""


def _link(content: str, hidden: set[str]) -> str:
    target, bar, label = content.partition("|")
    target = target.strip()
    if not target.startswith(":"):
        prefix, colon, _ = target.partition(":")
        prefix = " ".join(prefix.replace("_", " ").split()).lower()
        if colon and (prefix in hidden or (not bar and _LANGUAGE.fullmatch(prefix))):
            return ""
    if bar and label.strip():
        return label
    shown = target.lstrip(":")
    if bar:  # the pipe trick: `[[Help:Name (kind)|]]` shows Name
        shown = shown.partition(":")[2] or shown
        shown = shown.partition(" (")[0]
    return shown


def _lines(source: str) -> Iterator[tuple[int, str]]:
    """Each line as text, with the level of the heading that it is, or 0."""
    for line in source.split("\n"):
        line = line.strip()
        if line.startswith("----") and not line.strip("-"):
            continue
        if line.startswith(("|", "!", "{|", "}}")):  # what a table or template left that was not closed
            continue
        level = _level(line)
        if level:
            line = line[level:-level].strip()
        else:
            mark = _LIST.match(line)
            if mark:
                line = line[mark.end() :]
                if line and ("*" in mark[0] or "#" in mark[0]):
                    line = f"- {line}"
        line = _EMPTY_BRACKETS.sub("", _SPACES.sub(" ", line))
        line = _COMMAS.sub(",", _BRACKET_END.sub(r"\1", _BRACKET_START.sub(r"\1", line)))
        line = _SPACE_BEFORE.sub(r"\1", line).strip()
        if line in ("-", "–", "•", ".", ",", ";"):
            continue
        yield level, line


def _level(line: str) -> int:
    """The level of the heading that a line is: the number of `=` on both sides, at most 6 (Help:Formatting); or 0."""
    before = len(line) - len(line.lstrip("="))
    after = len(line) - len(line.rstrip("="))
    return min(before, after, 6) if before < len(line) else 0


def _without_empty_sections(lines: Iterator[tuple[int, str]]) -> list[str]:
    """The lines without headings that have nothing under them, neither text nor a section that has."""
    out: list[str] = []
    open_headings: list[tuple[int, int]] = []  # level, and index in `out`, of headings with no text under them so far
    for level, line in lines:
        if level:
            while open_headings and open_headings[-1][0] >= level:
                del out[open_headings.pop()[1] :]
            open_headings.append((level, len(out)))
            out += ["", line, ""]
            continue
        if line:
            open_headings.clear()
        out.append(line)
    if open_headings:
        del out[open_headings[0][1] :]
    return out
