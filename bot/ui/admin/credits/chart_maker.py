"""Have charts drawn, one at a time. Pillow, which draws them, is imported with the first one."""

import asyncio
from dataclasses import dataclass
from datetime import date

from bot.errors import Refused
from bot.languages import lazy


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


MAX_WAITING_CHARTS = 4  # pictures that may wait at once; each takes some hundredths of a second
MANY_CHARTS = lazy("The bot is drawing other charts right now. Try again in a moment.")


class ChartMaker:
    """Draws one picture at a time, in a thread."""

    def __init__(self) -> None:
        self._drawing = asyncio.Lock()
        self._wanted = 0

    async def usage(self, chart: UsageChart) -> bytes:
        """Return the chart as a PNG. Raises `Refused` if too many are wanted at once."""
        if self._wanted >= MAX_WAITING_CHARTS:
            raise Refused(MANY_CHARTS)
        self._wanted += 1
        try:
            async with self._drawing:
                return await asyncio.to_thread(_drawn, chart)
        finally:
            self._wanted -= 1


def _drawn(chart: UsageChart) -> bytes:
    from bot.ui.admin.credits.chart_picture import draw

    return draw(chart)
