"""Pages about a release: one Jinja2 environment for the static report and the browser.

What a release holds is somebody else's: everything is escaped (autoescape, and an undefined name is an error), and characters
that are invisible or move others are shown by name (`visible`), so that a page looks like what the text says. Pages load
nothing: the style sheet is inlined, and there is no script.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

# Cf that a script needs, and that neither hides nor moves letters: the joiners of Persian and Indic scripts and of emoji.
JOINERS = "\u200c\u200d"
LINE_ENDS = "\u2028\u2029\x85"


@cache
def environment() -> Environment:
    """Templates of this package, with the filters below."""
    found = Environment(
        loader=PackageLoader("pipeline.inspection"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "visible": visible,
        "parted": parted,
        "count": count,
        "size": size,
        "share": share,
        "millionths": millionths,
    }
    return found


def render(template: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(template).render(values)


def parts(template: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The same, piece by piece as it is made."""
    return environment().get_template(template).generate(values)


def visible(text: str) -> Markup:
    """Text escaped for HTML, with its control, format and surrogate characters as `U+202E` in a span of class `odd`.

    Newline and tab stay, and the joiners (U+200C, U+200D). Unicode's general categories Cc, Cf, Cs; line ends beside newline.
    """
    if text.isascii() and text.isprintable():
        return escape(text)
    parts, start = [], 0
    for place, character in enumerate(text):
        if is_odd(character):
            parts += [escape(text[start:place]), _odd(character)]
            start = place + 1
    return Markup("").join([*parts, escape(text[start:])])


def parted(name: str) -> Markup:
    """A name of words with `_` between them, `visible`, which may go on in the next line behind each."""
    return visible(name).replace("_", Markup("_<wbr>"))


def count(number: int) -> str:
    """1,234,567."""
    return f"{number:,}"


def size(number: int) -> str:
    """Bytes in decimal units, three digits or more: 98.9 MB."""
    if number < 1000:
        return f"{number} bytes" if number != 1 else "1 byte"
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:,.1f} {unit}"


def share(part: int, whole: int) -> str:
    """Per cent with one digit; what is more than nothing is never said to be 0.0 %, nor what is less than all 100.0 %."""
    if not whole:
        return "-"
    found = f"{part / whole:.1%}"
    if part and found == "0.0%":
        return "< 0.1%"
    return "> 99.9%" if part != whole and found == "100.0%" else found


def millionths(value: int | None) -> str:
    """A signed row's integer, 1,000,000 times a value, as that value: four significant digits, whole numbers whole."""
    if value is None:
        return ""
    whole, rest = divmod(value, 1_000_000)
    return f"{whole:,}" if not rest else f"{value / 1_000_000:,.4g}"


def is_odd(character: str) -> bool:
    """Whether a character is shown by its name."""
    if character in "\n\t" or character in JOINERS:
        return False
    return character in LINE_ENDS or unicodedata.category(character) in ("Cc", "Cf", "Cs")


def _odd(character: str) -> Markup:
    name = unicodedata.name(character, "control character")
    return Markup('<span class="odd" title="{}">U+{:04X}</span>').format(name, ord(character))
