"""Draws with Pillow, which the bot needs for photos anyway: usage, and what is left of a budget."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from PIL import Image, ImageDraw

from bot.languages import day_words, gettext as _, number
from bot.media.drawing import FallbackFont
from bot.ui.admin.usage import Gauge, Series, UsageChart

# Discord shows it some 550 points wide, on phones 300 to 340, where its smallest letters are 10 points high.
WIDTH, HEIGHT = 960, 760
MAX_SERIES = 7  # more colours than that can't be told apart

# Colours that differ for colour-blind eyes too, on the grey of Discord's dark theme (after Okabe and Ito).
_BACK, _INK, _QUIET, _GRID = "#2b2d31", "#f2f3f5", "#b5bac1", "#4a4d55"
_COLOURS = ("#56b4e9", "#f0a030", "#3fc28f", "#f0e442", "#e58bc0", "#ef6f3c", "#a99cff")
_REST = "#8a8f98"
_LINE = "#ff6b6b"

_TITLE = FallbackFont(46, "Semibold")  # Untranslated: a font
_SUBTITLE, _NOTHING = FallbackFont(34), FallbackFont(38)
_UNIT, _AXIS, _LEGEND = FallbackFont(32), FallbackFont(34), FallbackFont(36)
_AT_THE_EDGE = FallbackFont(36, "Semibold")  # Untranslated: a font

_LEFT, _RIGHT, _TITLE_Y, _SUBTITLE_Y, _PLOT_Y = 30, 24, 20, 80, 196
_ROW, _MARK, _GAP = 52, 36, 44  # of the legend: a line's height, the coloured mark, the space after an entry
_DATES, _BETWEEN_DATES = 64, 36  # the height of the line of dates, and the space from one to the next
_BAR = 0.82  # of a day's width
_MIN_DAYS = 7  # the axis has room for at least these, so that the bar of a single day is not a wall
_MAX_LINES = 6
_FLATTENS = 2.5  # times the highest bar: a budget above that is an arrow at the upper edge, with its figure


_SPENT, _RESERVED, _LEFT_OVER = "#f0a030", "#f0e442", "#3fc28f"
_GAUGE_Y, _GAUGE_BAR, _GAUGE_MARGIN = 26, 70, 18  # where its bar begins, the bar's height, and what is below

_LegendEntry = tuple[str, str, int]  # the words, the colour of its mark, and half the mark's height


def draw(chart: UsageChart) -> bytes:
    """Return the chart as a PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _BACK)
    pen = ImageDraw.Draw(image)
    _TITLE.write(pen, (_LEFT, _TITLE_Y), chart.title, _INK)
    _SUBTITLE.write(pen, (_LEFT, _SUBTITLE_Y), chart.subtitle, _QUIET)
    series = _bounded(chart.series)
    heights = [sum(day) for day in zip(*(one.credits for one in series), strict=True)]
    highest = max(heights, default=0)
    above = chart.limit is not None and chart.limit > _FLATTENS * max(highest, 1) and highest > 0
    legend = _lines(_entries(chart, series))
    upper = HEIGHT - 18 - _ROW * len(legend)
    _draw_legend(pen, legend, upper)
    plot = _Plot.fitting(chart, highest, above=above, legend=upper)
    plot.draw_grid(pen)
    plot.draw_bars(pen, series)
    plot.draw_dates(pen, chart.days)
    if not highest:
        middle = (plot.left + plot.right) / 2, (plot.upper + plot.lower) / 2
        _NOTHING.write(pen, middle, _("nothing was spent on these days"), _QUIET, anchor="mm")
    if chart.limit is not None:
        (plot.draw_arrow if above else plot.draw_limit)(pen, chart.limit)
    return _png(image)


def draw_gauge(gauge: Gauge) -> bytes:
    """Return a bar of what is spent, reserved and left, and what its colours mean, as a PNG."""
    parts = list(zip(gauge.parts, (_SPENT, _RESERVED, _LEFT_OVER), strict=True))
    legend = _lines([(words, colour, 14) for (words, _), colour in parts])
    lower = _GAUGE_Y + _GAUGE_BAR
    below = lower + _GAUGE_MARGIN + _ROW * len(legend)
    image = Image.new("RGB", (WIDTH, below + _ROW * bool(gauge.renewal) + _GAUGE_MARGIN), _BACK)
    pen = ImageDraw.Draw(image)
    _draw_legend(pen, legend, lower + _GAUGE_MARGIN)
    _LEGEND.write(pen, (_LEFT, below + _ROW // 2), gauge.renewal, _QUIET, anchor="lm")
    left, whole = float(_LEFT), max(1, sum(amount for (_, amount), _ in parts))
    for (_words, amount), colour in parts:
        right = left + (WIDTH - _RIGHT - _LEFT) * amount / whole
        if amount:  # a little is never nothing
            pen.rectangle((left, _GAUGE_Y, max(left + 3, right - 3), lower), colour)
        left = right
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Plot:
    """The part with the bars: where it is, and the credits at its upper edge."""

    left: int
    right: int
    upper: int
    lower: int
    top: float
    days: int

    @classmethod
    def fitting(cls, chart: UsageChart, highest: int, *, above: bool, legend: int) -> "_Plot":
        """Return the plot that leaves room for the legend, which begins at `legend`."""
        top = max(highest, 1) * 1.15
        if chart.limit is not None and not above:
            top = max(top, chart.limit * 1.15)
        widest = max(_AXIS.width(number(value)) for value in grid_values(top))
        return cls(_LEFT + round(widest) + 14, WIDTH - _RIGHT, _PLOT_Y, legend - _DATES, top, len(chart.days))

    def y(self, amount: float) -> int:
        """Return the height of an amount of credits."""
        return round(self.lower - amount / self.top * (self.lower - self.upper))

    def x(self, place: float) -> float:
        """Return where a day begins. A chart of few days has the room of more, half of it at each side."""
        room = max(self.days, _MIN_DAYS)
        return self.left + (place + (room - self.days) / 2) * (self.right - self.left) / room

    def draw_grid(self, pen: ImageDraw.ImageDraw) -> None:
        """Draw a line for each round amount of credits, and the amount beside it."""
        _UNIT.write(pen, (_LEFT, self.upper - 12), _("credits a day"), _QUIET, anchor="ls")
        for value in grid_values(self.top):
            y = self.y(value)
            pen.line((self.left, y, self.right, y), _GRID, 2)
            _AXIS.write(pen, (self.left - 12, y), number(value), _QUIET, anchor="rm")

    def draw_bars(self, pen: ImageDraw.ImageDraw, series: Sequence[Series]) -> None:
        """Draw each day's credits, one tool above the other."""
        heights = [0] * self.days
        for one, colour in zip(series, _colours(series), strict=True):
            for place, amount in enumerate(one.credits):
                lower, upper = self.y(heights[place]), self.y(heights[place] + amount)
                heights[place] += amount
                if upper < lower:
                    left = round(self.x(place + (1 - _BAR) / 2))
                    right = max(left, round(self.x(place + (1 + _BAR) / 2)) - 1)
                    pen.rectangle((left, upper, right, lower - 1), colour)

    def draw_dates(self, pen: ImageDraw.ImageDraw, days: Sequence[date]) -> None:
        """Name the days below the bars, as many as have room."""
        named = [day_words(day, short=True) for day in days]
        room = max(map(_AXIS.width, named)) + _BETWEEN_DATES
        for place in range(0, len(days), max(1, math.ceil(room / (self.x(1) - self.x(0))))):
            words = named[place]
            half = _AXIS.width(words) / 2
            middle = min(max(self.x(place + 0.5), _LEFT + half), WIDTH - _RIGHT - half)
            _AXIS.write(pen, (middle, self.lower + 6), words, _QUIET, anchor="ma")

    def draw_limit(self, pen: ImageDraw.ImageDraw, amount: float) -> None:
        """Draw the budget's line. Its name is in the legend: beside the line it could cover a bar."""
        y = self.y(amount)
        for left in range(self.left, self.right, 32):
            pen.rectangle((left, y - 2, min(left + 19, self.right), y + 1), _LINE)

    def draw_arrow(self, pen: ImageDraw.ImageDraw, amount: float) -> None:
        """Draw an arrow beyond the upper edge, and the amount of the budget, to which no bar comes near."""
        tip, foot, x = self.upper - 48, self.upper - 8, self.right - 16
        pen.polygon([(x, tip), (x - 15, tip + 20), (x + 15, tip + 20)], _LINE)
        pen.rectangle((x - 4, tip + 20, x + 3, foot), _LINE)
        _AT_THE_EDGE.write(pen, (x - 26, self.upper - 14), number(round(amount)), _LINE, anchor="rs")


def grid_values(top: float) -> range:
    """Return the amounts up to `top` that get a line: whole credits, in steps of 1, 2 or 5 and zeros."""
    step = 1
    while top / step > _MAX_LINES:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return range(0, int(top) + 1, step)


def _bounded(series: Sequence[Series]) -> Sequence[Series]:
    if len(series) <= MAX_SERIES:
        return series
    rest = zip(*(one.credits for one in series[MAX_SERIES - 1 :]), strict=True)
    return (*series[: MAX_SERIES - 1], Series(_("other tools"), tuple(sum(day) for day in rest)))


def _colours(series: Sequence[Series]) -> list[str]:
    others = _("other tools")
    return [_REST if one.title == others else _COLOURS[place] for place, one in enumerate(series)]


def _entries(chart: UsageChart, series: Sequence[Series]) -> list[_LegendEntry]:
    entries = [(one.title, colour, 14) for one, colour in zip(series, _colours(series), strict=True)]
    return entries if chart.limit is None else [*entries, (chart.limit_words, _LINE, 3)]


def _lines(entries: Sequence[_LegendEntry]) -> list[list[tuple[int, _LegendEntry]]]:
    """Return what the colours mean in as many lines as that needs, each entry with where it begins."""
    lines: list[list[tuple[int, _LegendEntry]]] = []
    left = WIDTH
    for entry in entries:
        width = _MARK + 12 + round(_LEGEND.width(entry[0]))
        if left + width > WIDTH - _RIGHT:
            lines.append([])
            left = _LEFT
        lines[-1].append((left, entry))
        left += width + _GAP
    return lines


def _draw_legend(
    pen: ImageDraw.ImageDraw, lines: Sequence[Sequence[tuple[int, _LegendEntry]]], upper: int
) -> None:
    for place, line in enumerate(lines):
        middle = upper + _ROW * place + _ROW // 2
        for x, (words, colour, half) in line:
            pen.rectangle((x, middle - half, x + _MARK - 1, middle + half - 1), colour)
            _LEGEND.write(pen, (x + _MARK + 12, middle), words, _INK, anchor="lm")
