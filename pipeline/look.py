"""What a command says, as small values, and as plain lines. Pure; `paint` shows the same values on a terminal.

1. Whatever is said is a string (one line), a heading, a fact (label and value) or a table. Nothing else knows of widths.
2. In a pipe every value stands whole on one line: nothing is wrapped, cut or coloured, and a line can be found with grep.
3. A label takes 12 columns, so that facts of one answer stand under each other.
4. Values come from corpora and from other people: whatever could end a line or move on it stands as an escape.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.harmless import one_line

LABEL = 12  # columns of a fact's label


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section: a line of its own after an empty one."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and what it is; without a label it goes on with the one above. `style`: a key of `paint.STYLES`."""

    label: str
    text: str
    style: str = ""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """Cells from left to right. `style` is of the whole row."""

    cells: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: a character for each: `<` left, `>` right, `~` left, and wrapped where a terminal is narrow.

    `head`: titles, none if empty. `least`: width of the first column at least, so that tables can stand alike.
    """

    columns: str
    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()
    indent: int = 0
    least: int = 0


Item = str | Heading | Fact | Table


def plain(items: Iterable[Item]) -> Iterator[str]:
    """The lines of a pipe or a file, each whole."""
    for item in items:
        match item:
            case Heading():
                yield from ("", one_line(item.text))
            case Fact():
                yield f"{' ' * item.indent}{item.label:{LABEL}}{one_line(item.text)}"
            case Table():
                yield from _aligned(item)
            case _:
                yield item


def width(text: str) -> int:
    """Columns of a terminal that a line of text takes: East Asian wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def harmless_rows(table: Table) -> list[tuple[str, ...]]:
    """Head, if any, and rows, as they may be shown."""
    head = [table.head] if table.head else []
    return [tuple(map(one_line, cells)) for cells in (*head, *(row.cells for row in table.rows))]


def _aligned(table: Table) -> Iterator[str]:
    rows = harmless_rows(table)
    widths = [max((width(cells[number]) for cells in rows), default=0) for number in range(len(table.columns))]
    widths[0] = max(widths[0], table.least)
    for cells in rows:
        parts = []
        for side, cell, columns in zip(table.columns, cells, widths, strict=True):
            space = " " * (columns - width(cell))
            parts.append(space + cell if side == ">" else cell + space)
        yield (" " * table.indent + "  ".join(parts)).rstrip()
