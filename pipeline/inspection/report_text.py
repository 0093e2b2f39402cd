"""What the report makes of single texts, names and numbers: shortened, counted, linked."""

from markupsafe import Markup

from pipeline.inspection.pages import count, visible

PASSAGE, LINES = 600, 14  # characters and lines of a sample
STRING = 160  # characters of a URL, a path, a detail


def passage(text: str) -> str:
    """The beginning of a text: some PASSAGE characters, whole words, and LINES lines at most."""
    begun = text.strip()
    lines = begun[: PASSAGE + 1].split("\n")
    if len(begun) > PASSAGE:
        shown = begun[:PASSAGE]
        if not begun[PASSAGE].isspace() and (end := max(shown.rfind(" "), shown.rfind("\n"))) > PASSAGE // 2:
            shown = shown[:end]
        lines = shown.split("\n")
    return "\n".join(lines[:LINES]).strip()


def cut(text: str, most: int = STRING) -> str:
    """A string of somebody else's, as long as it may be: the middle is left out of longer ones."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2 - 1) :]}"


def several(number: int, one: str, many: str = "") -> str:
    """1 source, 2 sources."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def short_purl(purl: str) -> str:
    """A Package URL without qualifiers and subpath: the package and its version."""
    return cut(purl.partition("?")[0].partition("#")[0])


def alike(similarity: int) -> str:
    """A similarity with three digits, so that columns of it are even; rounded down, so that 1 is 1."""
    return f"{similarity // 1_000_000}.{similarity % 1_000_000 // 1000:03d}"


def link(url: str) -> Markup:
    """A document's URL: a link if it is one of the web that looks like what it is, else its text."""
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= 2000
    if plain and url.startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, cut(url))
    return Markup("<code>{}</code>").format(visible(cut(url)))
