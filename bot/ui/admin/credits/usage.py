"""Show `/studii credits`: the chart, and the members and tools that used most.

Pillow, which draws the chart, is imported with the first one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from discord import MediaGalleryItem, ui

from bot.catalog import Catalog
from bot.credits.usage import Span, Spending, UsageReport
from bot.domain.guilds import Period
from bot.errors import Refused
from bot.features.wording import credit_words, job_words
from bot.jobs.models import FORGOTTEN_MEMBER
from bot.languages import and_list, day_and_month, gettext as _, lazy, ngettext, number, sentences
from bot.ui.account.credits import DEFAULT_HOLDS
from bot.ui.jobs.wording import ALT_LENGTH
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, lines, plain, rule, shortened, small


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


FILE_NAME = "usage.png"
_TITLES = {
    Span.WEEK: lazy("Credits in the last 7 days"),
    Span.DAYS_30: lazy("Credits in the last 30 days"),
    Span.THIS_MONTH: lazy("Credits this month"),
    Span.LAST_MONTH: lazy("Credits last month"),
    Span.DAYS_90: lazy("Credits in the last 90 days"),
}
_CHART_TITLES = {
    Span.WEEK: lazy("Studii credits in the last 7 days"),
    Span.DAYS_30: lazy("Studii credits in the last 30 days"),
    Span.THIS_MONTH: lazy("Studii credits this month"),
    Span.LAST_MONTH: lazy("Studii credits last month"),
    Span.DAYS_90: lazy("Studii credits in the last 90 days"),
}
_CHART_OF = {
    Span.WEEK: lazy("Bar chart of credits per day in the last 7 days, stacked by tool."),
    Span.DAYS_30: lazy("Bar chart of credits per day in the last 30 days, stacked by tool."),
    Span.THIS_MONTH: lazy("Bar chart of credits per day this month, stacked by tool."),
    Span.LAST_MONTH: lazy("Bar chart of credits per day last month, stacked by tool."),
    Span.DAYS_90: lazy("Bar chart of credits per day in the last 90 days, stacked by tool."),
}
TOP_TOOLS = 5
MAX_SERIES_NAME_CHARACTERS = 40


def usage_chart(report: UsageReport, catalog: Catalog, span: Span) -> UsageChart:
    """Return what the chart shows."""
    series = tuple(
        Series(shortened(_title(tool, catalog), MAX_SERIES_NAME_CHARACTERS), daily)
        for tool, daily in zip(report.tools, report.daily, strict=True)
    )
    jobs, days = job_words(report.jobs), _range(report.days)
    return UsageChart(
        title=str(_CHART_TITLES[span]),
        # Translators: {credits} is such as "12 credits", {jobs} "3 jobs".
        subtitle=f"{_('{credits} for {jobs}', credits=credit_words(report.credits), jobs=jobs)} · {days}",
        days=report.days,
        series=series,
        limit=report.limit_a_day,
        limit_words=_limit_words(report),
    )


def usage_panel(report: UsageReport, catalog: Catalog, span: Span) -> Panel:
    """Return the panel. The chart has to be sent along as `FILE_NAME`."""
    budget = report.budget
    return boxed(
        NEUTRAL,
        f"### 📊 {_TITLES[span]}",
        ui.MediaGallery(
            MediaGalleryItem(f"attachment://{FILE_NAME}", description=chart_alt_words(report, catalog, span))
        ),
        rule(),
        lines(f"**{_('Top members')}**", *(_line(_member(one), one) for one in report.members))
        if report.members
        else _("No one made anything in this period."),
        lines(
            f"**{_('Top tools')}**", *(_line(_named(one, catalog), one) for one in report.tools[:TOP_TOOLS])
        )
        if report.tools
        else "",
        rule(),
        lines(
            # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
            _("Budget: **{limit}**; {left}.", limit=budget.limit_words, left=budget.left_words),
            small(DEFAULT_HOLDS) if budget.is_default else "",
            small(
                _(
                    "Days in the time zone {zone}. Includes credits reserved by running jobs.",
                    zone=plain(budget.settings.timezone, 50),
                )
            ),
        ),
    )


def chart_alt_words(report: UsageReport, catalog: Catalog, span: Span) -> str:
    """Return the chart's description for screen readers."""
    if not report.credits:
        return sentences(_CHART_OF[span], _("Nothing was spent."))
    per_day = [sum(day) for day in zip(*report.daily, strict=True)]
    highest = max(per_day)
    limit = _limit_words(report)
    said = sentences(
        _CHART_OF[span],
        ngettext(
            # Translators: {day} is such as "5 March".
            "{count} credit in total, most on {day} ({highest}).",
            "{count} credits in total, most on {day} ({highest}).",
            report.credits,
            day=day_and_month(report.days[per_day.index(highest)]),
            highest=highest,
        ),
        # Translators: {tools} is such as "Virtual staging (12), Sky (3), and Video (1)".
        _("Most went to {tools}.", tools=and_list([_tool_sum(one, catalog) for one in report.tools[:3]])),
        # Translators: {limit} is such as "budget 30 a day".
        _("Line: {limit}.", limit=limit) if limit else "",
    )
    return shortened(said, ALT_LENGTH)


def _tool_sum(one: Spending, catalog: Catalog) -> str:
    # Translators: a tool, and how many credits it took.
    return _("{tool} ({credits})", tool=_title(one, catalog), credits=number(one.credits))


def _limit_words(report: UsageReport) -> str:
    limit = report.limit_a_day
    if limit is None:
        return ""
    budget = report.budget.settings.budget
    each = round(limit)
    match budget.period:
        case Period.WEEK:
            return _("budget {limit} a week ≈ {each} a day", limit=budget.limit, each=each)
        case Period.MONTH:
            return _("budget {limit} a month ≈ {each} a day", limit=budget.limit, each=each)
        case _:
            return _("budget {limit} a day", limit=budget.limit)


def _member(one: Spending) -> str:
    return _("members whose data was erased") if one.what == FORGOTTEN_MEMBER else f"<@{one.what}>"


def _named(one: Spending, catalog: Catalog) -> str:
    tool = catalog.tools.get(str(one.what))
    return f"{tool.emoji} {tool.title}" if tool else plain(str(one.what), MAX_SERIES_NAME_CHARACTERS)


def _title(one: Spending, catalog: Catalog) -> str:
    tool = catalog.tools.get(str(one.what))
    return tool.title if tool else str(one.what)


def _line(name: str, one: Spending) -> str:
    return f"{name} · **{credit_words(one.credits)}** · {job_words(one.jobs)}"


def _range(days: Sequence[date]) -> str:
    first, last = day_and_month(days[0]), day_and_month(days[-1])
    # Translators: days, such as "5 March".
    return first if first == last else _("{first} to {last}", first=first, last=last)
