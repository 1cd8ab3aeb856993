"""The chart of a server's usage. matplotlib is imported when the first one is drawn."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.errors import Busy

WAITING = 4  # pictures that may wait at once; each takes some tenths of a second
MOST_SERIES = 7  # more colours than that can't be told apart

# Colours that differ for colour-blind eyes too, on the grey of Discord's dark theme (after Okabe and Ito).
_BACK, _INK, _QUIET, _GRID = "#2b2d31", "#f2f3f5", "#b5bac1", "#4a4d55"
_COLOURS = ("#56b4e9", "#f0a030", "#3fc28f", "#f0e442", "#e58bc0", "#ef6f3c", "#a99cff")
_REST = "#8a8f98"
_LINE = "#ff6b6b"
_FEWEST_DAYS = 7  # the axis has room for at least these, so that the bar of a single day is not a wall
_LINE_LENGTH = 110  # characters of the legend that fit side by side
_SIZE, _DPI = (9.6, 5.0), 150  # inches; Discord shows it some 550 points wide, twice as fine on good screens


@dataclass(frozen=True, slots=True)
class Series:
    """One tool's credits, day by day."""

    title: str
    credits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Credits a day, stacked. `limit` is the budget's line, in credits a day; `limit_words` its label."""

    title: str
    subtitle: str
    days: tuple[date, ...]
    series: tuple[Series, ...]
    limit: float | None = None
    limit_words: str = ""


class ChartMaker:
    """Draws one picture at a time, in a thread."""

    def __init__(self) -> None:
        self._drawing = asyncio.Lock()
        self._wanted = 0

    async def usage(self, chart: UsageChart) -> bytes:
        """Return the chart as a PNG. Raises `Busy` if too many are wanted at once."""
        if self._wanted >= WAITING:
            raise Busy
        self._wanted += 1
        try:
            async with self._drawing:
                return await asyncio.to_thread(draw, chart)
        finally:
            self._wanted -= 1


def draw(chart: UsageChart) -> bytes:
    """Return the chart as a PNG."""
    # pyplot keeps all figures, and is not safe in threads: the figure is built without it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=_SIZE, dpi=_DPI, facecolor=_BACK, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.16, h_pad=0.14)
    axes: Any = figure.add_subplot()
    _frame(axes, chart)
    highest = _bars(axes, chart)
    if not highest:
        words = "nothing was spent in these days"
        axes.text(0.5, 0.45, words, transform=axes.transAxes, ha="center", color=_QUIET, fontsize=14)
    _budget(axes, chart, highest)
    _legend(figure, axes)
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file)
    return file.getvalue()


def _frame(axes: Any, chart: UsageChart) -> None:
    axes.set_facecolor(_BACK)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(colors=_QUIET, labelsize=12, length=0)
    axes.tick_params(axis="x", pad=8)  # otherwise the first day touches the zero of the other axis
    axes.set_title(chart.title, loc="left", color=_INK, fontsize=17, weight="bold", pad=30, parse_math=False)
    axes.text(
        0, 1.035, chart.subtitle, transform=axes.transAxes, color=_QUIET, fontsize=12.5, parse_math=False
    )
    axes.set_ylabel("credits a day", color=_QUIET, fontsize=12)


def _bars(axes: Any, chart: UsageChart) -> int:
    """Draw the stacked bars. Return the height of the highest."""
    places = range(len(chart.days))
    heights = [0] * len(chart.days)
    for series, colour in zip(_bounded(chart.series), (*_COLOURS, _REST), strict=False):
        colour = _REST if series.title == OTHERS else colour
        axes.bar(places, series.credits, bottom=heights, color=colour, width=0.82, label=series.title)
        heights = [height + more for height, more in zip(heights, series.credits, strict=True)]
    step = max(1, -(-len(chart.days) // 8))
    shown = list(places)[::step]
    labels = [f"{chart.days[place].day} {chart.days[place]:%b}" for place in shown]
    axes.set_xticks(shown, labels)
    margin = max(0, _FEWEST_DAYS - len(chart.days)) / 2
    axes.set_xlim(-0.6 - margin, len(chart.days) - 0.4 + margin)
    return max(heights, default=0)


OTHERS = "other tools"


def _bounded(series: Sequence[Series]) -> Sequence[Series]:
    if len(series) <= MOST_SERIES:
        return series
    rest = zip(*(one.credits for one in series[MOST_SERIES - 1 :]), strict=True)
    return (*series[: MOST_SERIES - 1], Series(OTHERS, tuple(sum(day) for day in rest)))


def _budget(axes: Any, chart: UsageChart, highest: int) -> None:
    """Draw the budget's line. Its label is in the legend: next to the line it could cover a bar."""
    top = max(highest, 1) * 1.15
    if chart.limit is not None:
        # A budget far above the usage would flatten the bars: its line is drawn at the upper edge instead.
        above = chart.limit > 2.5 * max(highest, 1) and highest > 0
        if not above:
            top = max(top, chart.limit * 1.15)
        height = top * 0.985 if above else chart.limit
        words = f"{chart.limit_words} (above)" if above else chart.limit_words
        axes.axhline(height, color=_LINE, linewidth=2, linestyle=(0, (5, 3)), label=words)
    axes.set_ylim(0, top)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _legend(figure: Any, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    legend = figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=_columns(labels),
        frameon=False,
        fontsize=11.5,
        labelcolor=_INK,
        handlelength=1.4,
        handleheight=1.0,
        columnspacing=1.4,
    )
    for words in legend.get_texts():
        words.set_parse_math(False)


def _columns(labels: Sequence[str]) -> int:
    """Return how many columns fit, each as wide as the widest label."""
    widest = max(len(label) for label in labels) + 5  # the coloured mark and the gap
    return max(1, min(len(labels), 5, _LINE_LENGTH // widest))
