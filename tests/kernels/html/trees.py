"""Write trees in the form of html5lib-tests, so that they can be compared: ours, those of its .dat files, and html5lib's."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.kernels.html.parser import TEXT, Tree

FIXTURES = Path(__file__).parents[2] / "fixtures" / "html5lib-tests"
PREFIXES = ("", "svg ", "math ")

Line = tuple[int, str]  # depth, and what stands there


def lines(tree: Tree) -> list[Line]:
    """Return a tree's lines: elements, their attributes sorted, texts; names in lower case."""
    written: list[Line] = []
    depths = {0: -1}
    for node in range(1, tree.count):
        depth = depths[int(tree.parent[node])] + 1
        depths[node] = depth
        if tree.kind[node] == TEXT:
            written.append((depth, f'"{tree.text_of(node)}"'))
            continue
        name = tree.name(node)
        written.append((depth, f"<{PREFIXES[tree.namespace[node]]}{name}>"))
        written += sorted((depth + 1, f'{key}="{value}"') for key, value in tree.attributes_of(node).items())
        if name == "template" and tree.namespace[node] == 0:
            written.append((depth + 1, "content"))
            depths[node] = depth + 1
    return written


class Case(NamedTuple):
    """A case of a .dat file."""

    file: str
    number: int
    data: bytes
    expected: list[Line]


def cases(path: Path) -> Iterator[Case]:
    """Read a .dat file, except cases of fragments and of pages with scripts on: this parser has neither."""
    blocks = ("\n" + path.read_bytes().decode("utf-8", "surrogatepass")).split("\n#data\n")[1:]
    for number, block in enumerate(blocks, 1):
        data, *sections = _sections(block)
        named = dict(sections)
        if "document-fragment" in named or "script-on" in named:
            continue
        yield Case(path.name, number, data[1].encode("utf-8", "surrogatepass"), _expected(named["document"]))


def _sections(block: str) -> Iterator[tuple[str, str]]:
    """Split "data" from what follows it under lines of one word: the errors, the document, ..."""
    name, body = "data", []
    for line in block.split("\n"):
        if line in ("#errors", "#new-errors", "#document", "#document-fragment", "#script-on", "#script-off"):
            yield name, "\n".join(body)
            name, body = line[1:], []
        else:
            body.append(line)
    yield name, "\n".join(body)


def _expected(document: str) -> list[Line]:
    """Read a document's lines. Comments and doctypes are left out, and texts that meet then are one."""
    found: list[Line] = []
    for entry in ("\n" + document.rstrip("\n")).split("\n| ")[1:]:
        text = entry.lstrip(" ")
        depth = (len(entry) - len(text)) // 2
        if text.startswith("<!"):
            continue
        if text.startswith('"'):
            if found and found[-1][0] == depth and found[-1][1].startswith('"'):
                found[-1] = (depth, found[-1][1][:-1] + text[1:])
                continue
        elif text.startswith("<"):
            text = text.lower()
        elif text != "content":
            name, _, value = text.partition("=")
            text = f"{_attribute_name(name)}={value}"
        found.append((depth, text))
    return _sorted_attributes(found)


def _attribute_name(name: str) -> str:
    """Undo what the standard does to attributes of SVG and MathML ("xlink href", "viewBox"): our names are as in the page."""
    prefix, space, local = name.partition(" ")
    return (f"{prefix}:{local}" if space and prefix in ("xlink", "xml", "xmlns") else name).lower()


def _sorted_attributes(found: list[Line]) -> list[Line]:
    written: list[Line] = []
    waiting: list[Line] = []
    for line in found:
        if line[1][0] not in '<"' and line[1] != "content":
            waiting.append(line)
            continue
        written += sorted(waiting)
        waiting = []
        written.append(line)
    return written + sorted(waiting)
