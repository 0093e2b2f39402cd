"""What a command says, on a terminal: in colour, and wrapped to its width. The values are those of `look`.

Nothing is cut off: what is too long for a line goes on under its own beginning. Text breaks between words; a word that no line
holds (a URL, a Package URL, a path) breaks after one of `/ ? & # @ , ;`, a digest anywhere. Markup of rich in a value is
text like any other: only `Text` objects are printed. NO_COLOR and TERM=dumb are heeded by rich.
"""

import re
from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Table as RichTable
from rich.text import Text

from pipeline import look
from pipeline.harmless import one_line, printable

STYLES = {"": "", "good": "green", "bad": "bold red", "warn": "yellow", "faint": "dim", "strong": "bold"}
MARKS = {"ok": "good", "FALSE": "bad", "FAIL": "bad", "-": "warn", "run": "warn", "done": "good"}
NARROWEST = 12  # columns that a wrapped cell asks for, if its text has as many
_PIECES = re.compile(r"[^/?&#@,;]*[/?&#@,;]+|[^/?&#@,;]+")
_LABELLED = re.compile(r"(?:\S.{0,10} +|  +)(?<=  )")  # what stands before the value of a line that has a label


def paint(items: Iterable[look.Item], console: Console) -> None:
    """Print to a terminal."""
    for item in items:
        match item:
            case look.Heading():
                _put(console, Text())
                _put(console, Text(one_line(item.text), "bold cyan"))
            case look.Fact():
                _fact(item, console)
            case look.Table():
                _rows(item, console)
            case _:
                for line in printable(item).split("\n"):
                    _line(line, console)


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns that hold `text`, of which only spaces at breaks are lost."""
    columns, lines, line = max(columns, 1), [""], 0
    for word in re.findall(r"\s+|\S+", text):
        if line + look.width(word) <= columns:
            lines[-1], line = lines[-1] + word, line + look.width(word)
            continue
        if word.isspace():
            continue
        if look.width(word) <= columns:
            lines, line = [*lines, word], look.width(word)
            continue
        for piece in _chopped(word, columns):
            if line + look.width(piece) > columns:
                lines, line = [*lines, ""], 0
            lines[-1], line = lines[-1] + piece, line + look.width(piece)
    return [line.rstrip() for line in lines if line.strip()] or [""]


def _chopped(word: str, columns: int) -> Iterator[str]:
    for piece in _PIECES.findall(word):
        while look.width(piece) > columns:
            end = next(end for end in range(len(piece), 0, -1) if look.width(piece[:end]) <= columns or end == 1)
            yield piece[:end]
            piece = piece[end:]
        if piece:
            yield piece


class Wrapped:
    """A cell whose text is wrapped by `wrap`."""

    def __init__(self, text: str, style: str) -> None:
        self.text, self.style = text, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("\n".join(wrap(self.text, options.max_width)), self.style, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        columns = look.width(self.text)
        return Measurement(min(columns, NARROWEST), columns).with_maximum(options.max_width)


def _fact(fact: look.Fact, console: Console) -> None:
    before = " " * fact.indent + f"{fact.label:{look.LABEL}}"
    lines = wrap(one_line(fact.text), console.width - len(before))
    for number, line in enumerate(lines):
        label = Text(before if number == 0 else " " * len(before), "dim" if not fact.style else STYLES[fact.style])
        _put(console, label.append(line, STYLES[fact.style] or "not dim"))


def _line(line: str, console: Console) -> None:
    label = _LABELLED.match(line)
    before = label.group() if label else ""
    for number, rest in enumerate(wrap(line[len(before) :], console.width - len(before))):
        _put(console, Text((before if number == 0 else " " * len(before)) + rest))


def _table(table: look.Table, columns: int) -> RichTable:
    """A column that is to stand whole does, unless it takes more than half of the terminal."""
    shown = RichTable(box=None, show_header=bool(table.head), pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    rows = look.harmless_rows(table)
    sides = "".join(
        "~" if side == "<" and max((look.width(cells[number]) for cells in rows), default=0) > columns // 2 else side
        for number, side in enumerate(table.columns)
    )
    head = rows.pop(0) if table.head else ("",) * len(table.columns)
    for number, (side, title) in enumerate(zip(sides, head, strict=True)):
        shown.add_column(
            Text(title), justify="right" if side == ">" else "left", no_wrap=side != "~", overflow="fold",
            min_width=table.least if number == 0 and table.least else None,
        )  # fmt: skip
    for row, cells in zip(table.rows, rows, strict=True):
        style = STYLES[row.style]
        shown.add_row(*(
            Wrapped(cell, style) if side == "~" else Text(cell, style or STYLES[MARKS.get(cell, "")])
            for side, cell in zip(sides, cells, strict=True)
        ))  # fmt: skip
    return shown


def _rows(table: look.Table, console: Console) -> None:
    """A table without the spaces that rich puts behind its lines: whoever copies one copies what was said."""
    for line in console.render_lines(
        Padding(_table(table, console.width), (0, 0, 0, table.indent), expand=False), pad=False
    ):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        console.print(Segments([*line, Segment.line()]), end="")


def _put(console: Console, text: Text) -> None:
    console.print(text, highlight=False, no_wrap=True, overflow="ignore", crop=False)
