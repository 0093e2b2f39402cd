"""Charts as inline SVG: bars, stacked bars of a funnel, histograms with bounds. Pure: values in, Markup out.

Every chart is a figure with its table, so that nothing is told by a picture alone: by screen readers, in print, where
colours are not seen (what is dropped is hatched). Lengths along the page are per cent of its width, and text has the size of
text, so a chart is as readable at 320 pixels as at 1280. Positions are integers, of hundredths of a per cent, so that the
same values give the same bytes everywhere. Texts are escaped here, control characters made visible (`pages.visible`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.inspection.pages import count, visible

LABEL = 34  # characters of a label that fit into 300 pixels beside a number; the table has it whole
BAR, LINE, GAP = 14, 18, 8  # pixels: of a bar, of the line of text above it, between two
PLOT, FOOT, HEAD = 120, 22, 34  # pixels of a histogram: bars, what is written below, and above where bounds are named
BINS = 40  # of a histogram, at most, that is readable at 300 pixels

NARROW = 290  # pixels of a chart in the narrowest window, of 320
DIGIT = 7  # pixels of a digit, at most (style.css: 12 px)

# A pattern for what is dropped, once a page. No picture of its own; charts refer to it by name.
DEFINITIONS = Markup(
    '<svg class="definitions" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="ground" width="6" height="6"/><rect class="stroke" width="3" height="6"/></pattern></defs></svg>'
)
LEGEND = Markup(
    '<span class="legend"><svg width="14" height="14" aria-hidden="true" focusable="false">'
    '<rect class="kept" width="100%" height="100%"/></svg> kept</span> '
    '<span class="legend"><svg width="14" height="14" aria-hidden="true" focusable="false">'
    '<rect class="hatch" width="100%" height="100%"/></svg> dropped</span>'
)
CUT_LEGEND = LEGEND.replace("dropped</span>", Markup("cut</span>"))


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: `kept` and `dropped` are lengths beside each other, of one scale for all bars."""

    label: str
    kept: int
    dropped: int = 0
    note: str = ""  # what is written at its end; else the sum


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold: `at` in hundredths of a per cent of the width; `label` as it is written there."""

    at: int
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below a histogram, `at` in hundredths of a per cent."""

    at: int
    label: str


@dataclass(frozen=True, slots=True)
class Table:
    """The values of a chart. `numbers`: how many of the columns, from the right, hold numbers. `foot`: the sums, if any."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Markup]]
    numbers: int = 1
    foot: Sequence[str] = ()


def bars(name: str, title: str, description: str, items: Sequence[Bar], legend: bool = False) -> Markup:
    """Horizontal bars, each under its label and number, as an SVG. `name`: unique in the page, of letters and `-`."""
    most = max((bar.kept + bar.dropped for bar in items), default=0)
    step = LINE + BAR + GAP
    parts = []
    for place, bar in enumerate(items):
        top = place * step
        kept, dropped = _part(bar.kept, most), _part(bar.dropped, most)
        parts.append(
            Markup('<text x="0" y="{}">{}</text><text class="soft" x="100%" y="{}" text-anchor="end">{}</text>').format(
                top + LINE - 5,
                visible(short(bar.label)),
                top + LINE - 5,
                visible(bar.note or count(bar.kept + bar.dropped)),
            )
        )
        parts.append(_rect("track", 0, top + LINE, 10_000, BAR))
        if bar.kept:
            parts.append(_rect("kept" if legend else "bar", 0, top + LINE, kept, BAR))
        if bar.dropped:
            parts.append(_rect("hatch", kept, top + LINE, dropped, BAR))
    return _svg(name, title, description, len(items) * step, Markup("").join(parts))


def histogram(
    name: str, title: str, description: str, columns: Sequence[tuple[int, int]], ticks: Sequence[Tick],
    bounds: Sequence[Bound] = (),
) -> Markup:  # fmt: skip
    """Columns of equal width, each of (kept, dropped), the dropped ones on top; thresholds as labelled lines across."""
    most = max((kept + dropped for kept, dropped in columns), default=0)
    head = HEAD if bounds else 6
    width = 10_000 // max(1, len(columns))
    parts = []
    for place, (kept, dropped) in enumerate(columns):
        low, high = _height(kept, most), _height(kept + dropped, most)
        left = place * 10_000 // max(1, len(columns))
        if kept:
            parts.append(_rect("kept", left, head + PLOT - low, width * 9 // 10, low))
        if dropped:
            parts.append(_rect("hatch", left, head + PLOT - high, width * 9 // 10, max(1, high - low)))
    parts.append(Markup('<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>').format(head + PLOT, head + PLOT))
    for tick, anchor in _fitting(ticks):
        parts.append(
            Markup('<text class="soft" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                percent(tick.at), head + PLOT + 16, anchor, tick.label
            )
        )
    for place, (bound, anchor) in enumerate(_apart(bounds[:2])):
        parts.append(
            Markup(
                '<line class="bound" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
                '<text class="at" x="{0}" dx="{5}" y="{1}" dy="10" text-anchor="{3}">{4}</text>'
            ).format(
                percent(bound.at),
                place * 15,
                head + PLOT,
                anchor,
                visible(bound.label),
                "4" if anchor == "start" else "-4",
            )
        )
    return _svg(name, title, description, head + PLOT + FOOT, Markup("").join(parts))


def _apart(bounds: Sequence[Bound]) -> list[tuple[Bound, str]]:
    """One or two bounds, from the upper label to the lower, each with its anchor: away from the other one, where there is room;
    else it is the upper one, so that no line goes through it."""
    if len(bounds) < 2:
        return [(bound, "start" if bound.at < 5_000 else "end") for bound in bounds]
    left, right = sorted(bounds, key=lambda bound: bound.at)
    pair = [(left, "end" if left.at > 3_500 else "start"), (right, "start" if right.at < 6_500 else "end")]
    return pair if pair[0][1] == "start" else pair[::-1]


def _fitting(ticks: Sequence[Tick]) -> Iterator[tuple[Tick, str]]:
    """Those whose labels do not overlap where the chart is NARROW, from the left, each with its anchor."""
    free = 0  # where the next label may begin
    for tick in ticks:
        width = len(tick.label) * DIGIT * 10_000 // NARROW
        if tick.at * 2 < width:
            anchor, start = "start", tick.at
        elif tick.at + width // 2 > 10_000:
            anchor, start = "end", tick.at - width
        else:
            anchor, start = "middle", tick.at - width // 2
        if start >= free:
            yield tick, anchor
            free = start + width + DIGIT * 10_000 // NARROW


def figure(svg: Markup, caption: str | Markup, values: Table, folded: bool = True) -> Markup:
    """A chart with its caption and its table beneath; `folded`: the table opens on request (print shows it opened or not)."""
    shown = table(values)
    if folded:
        shown = Markup('<details class="values"><summary>{}</summary>{}</details>').format(
            Markup('The numbers<span class="unseen"> of: {}</span>').format(visible(values.caption)), shown
        )
    return Markup('<figure class="chart">{}<figcaption>{}</figcaption>{}</figure>').format(svg, _shown(caption), shown)


def table(values: Table) -> Markup:
    first = len(values.columns) - values.numbers
    number = Markup(' class="number"')
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(number if at >= first else "", _shown(name))
        for at, name in enumerate(values.columns)
    )
    body = Markup("").join(Markup("<tr>{}</tr>\n").format(_cells(row, first)) for row in values.rows)
    foot = Markup("<tfoot><tr>{}</tr></tfoot>").format(_cells(values.foot, first)) if values.foot else ""
    return Markup(
        '<div class="wide" tabindex="0" role="region" aria-label="{}"><table><caption>{}</caption>'
        "<thead><tr>{}</tr></thead>\n<tbody>{}</tbody>{}</table></div>"
    ).format(plain(values.caption), visible(values.caption), head, body, foot)


def short(label: str) -> str:
    """A label as it fits beside its number: the middle is left out of long ones, as their ends tell them apart."""
    return label if len(label) <= LABEL else f"{label[: LABEL // 2 - 1]}…{label[-(LABEL // 2) :]}"


def plain(text: str) -> str:
    """Text for a place that takes no element, an attribute or a title: what `visible` shows, as text."""
    return visible(text).striptags()


def percent(hundredths: int) -> str:
    """12.5% of 1250, without digits that say nothing."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def _shown(value: str | Markup) -> Markup:
    return value if isinstance(value, Markup) else visible(value)


def _cells(row: Sequence[str | Markup], first: int) -> Markup:
    cells = []
    for at, value in enumerate(row):
        shown = _shown(value)
        if at == 0:
            cells.append(
                Markup('<th scope="row"{}>{}</th>').format(Markup(' class="number"') if first == 0 else "", shown)
            )
        else:
            cells.append(Markup('<td class="{}">{}</td>').format("number" if at >= first else "words", shown))
    return Markup("").join(cells)


def _svg(name: str, title: str, description: str, height: int, inner: Markup) -> Markup:
    return Markup(
        '<svg class="plot" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}</svg>'
    ).format(name, height, plain(title), plain(description), inner)


def _rect(kind: str, left: int, top: int, width: int, height: int) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, percent(left), top, percent(width), height
    )


def _part(value: int, whole: int) -> int:
    """A length in hundredths of a per cent; something is never nothing."""
    return max(25, value * 10_000 // whole) if value and whole else 0


def _height(value: int, most: int) -> int:
    return max(1, value * PLOT // most) if value and most else 0
