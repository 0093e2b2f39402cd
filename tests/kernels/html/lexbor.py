"""Trees of lexbor, by selectolax, as lines that ours can be compared with."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.kernels.html.trees import Line


def lexbor_lines(data: bytes) -> list[Line]:
    """The tree that lexbor makes of UTF-8. selectolax does not show the contents of templates, nor namespaces."""
    root = LexborHTMLParser(data.decode("utf-8", "surrogatepass")).root
    assert root is not None
    found: list[Line] = []
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        name = (node.tag or "").lower()
        if name == "-text":
            text = node.text_content or ""
            if found and found[-1][0] == depth and found[-1][1].startswith('"'):
                found[-1] = (depth, found[-1][1][:-1] + text + '"')
            else:
                found.append((depth, f'"{text}"'))
        elif name[:1] not in "-_!":
            found.append((depth, f"<{name}>"))
            found += sorted((depth + 1, f'{key.lower()}="{value or ""}"') for key, value in node.attributes.items())
            waiting += [(child, depth + 1) for child in reversed(children(node))]
    return found


def children(node: LexborNode) -> list[LexborNode]:
    found = []
    child = node.child
    while child is not None:
        found.append(child)
        child = child.next
    return found


def without_template_contents(lines: list[Line]) -> list[Line]:
    """Our lines with what lexbor_lines does not have left out."""
    kept: list[Line] = []
    hidden: int | None = None  # the depth of a template's contents
    for depth, text in lines:
        if hidden is not None and depth >= hidden:
            continue
        hidden = None
        if text == "content":
            hidden = depth
            continue
        if text.startswith("<") and " " in text:
            text = "<" + text.split(" ", 1)[1]
        kept.append((depth, text))
    return kept
