"""What `/studii usage` shows: the chart, and the members and tools that used most."""

from collections.abc import Sequence
from datetime import date

from discord import MediaGalleryItem, ui

from bot.catalog import Catalog
from bot.domain import FORGOTTEN_MEMBER, Period, Spending
from bot.domain.spans import Span
from bot.services import PERIOD_WORDS, UsageReport, credit_words, job_words
from bot.ui.admin.charts import Series, UsageChart
from bot.ui.jobs.credits import DEFAULT_HOLDS
from bot.ui.jobs.wording import ALT_LENGTH
from bot.ui.kit.layout import NEUTRAL, Panel, box, lines, rule, small
from bot.ui.kit.text import plain, shortened

FILE_NAME = "usage.png"
SPANS = {
    Span.WEEK: "in the last 7 days",
    Span.DAYS_30: "in the last 30 days",
    Span.THIS_MONTH: "this month",
    Span.LAST_MONTH: "last month",
    Span.DAYS_90: "in the last 90 days",
}
TOP_TOOLS = 5
MAX_SERIES_NAME_CHARACTERS = 40


def usage_chart(report: UsageReport, catalog: Catalog, span: Span) -> UsageChart:
    """Return what the chart shows."""
    series = tuple(
        Series(shortened(_title(tool, catalog), MAX_SERIES_NAME_CHARACTERS), daily)
        for tool, daily in zip(report.tools, report.daily, strict=True)
    )
    limit = report.limit_a_day
    return UsageChart(
        title=f"Studii credits {SPANS[span]}",
        subtitle=f"{credit_words(report.credits)} for {job_words(report.jobs)} · {_range(report.days)}",
        days=report.days,
        series=series,
        limit=limit,
        limit_words=_limit_words(report),
    )


def usage_panel(report: UsageReport, catalog: Catalog, span: Span) -> Panel:
    """Return the panel. The chart has to be sent along as `FILE_NAME`."""
    zone = report.budget.settings.timezone
    words = report.budget.left_words
    return Panel(
        box(
            NEUTRAL,
            f"### 📊 Credits {SPANS[span]}",
            ui.MediaGallery(
                MediaGalleryItem(
                    f"attachment://{FILE_NAME}", description=chart_alt_words(report, catalog, span)
                )
            ),
            rule(),
            lines("**Top members**", *(_line(_member(one), one) for one in report.members))
            if report.members
            else "No one made anything in this period.",
            lines("**Top tools**", *(_line(_named(one, catalog), one) for one in report.tools[:TOP_TOOLS]))
            if report.tools
            else "",
            rule(),
            lines(
                f"Budget: **{report.budget.limit_words}**; {words}.",
                small(DEFAULT_HOLDS) if report.budget.is_default else "",
                small(f"Days in the time zone {plain(zone, 50)}. Includes credits reserved by running jobs."),
            ),
        )
    )


def chart_alt_words(report: UsageReport, catalog: Catalog, span: Span) -> str:
    """Return the chart's description for screen readers."""
    if not report.credits:
        return f"Bar chart of credits per day {SPANS[span]}: nothing was spent."
    per_day = [sum(day) for day in zip(*report.daily, strict=True)]
    highest = max(per_day)
    when = report.days[per_day.index(highest)]
    tools = ", ".join(f"{_title(one, catalog)} {one.credits:,}" for one in report.tools[:3])
    limit = _limit_words(report)
    line = f" Line: {limit}." if limit else ""
    said = (
        f"Bar chart of credits per day {SPANS[span]}, stacked by tool: "
        f"{credit_words(report.credits)} in total, most on {_day(when)} ({highest:,}). {tools}."
        f"{line}"
    )
    return shortened(said, ALT_LENGTH)


def _limit_words(report: UsageReport) -> str:
    limit = report.limit_a_day
    if limit is None:
        return ""
    budget = report.budget.settings.budget
    words = f"budget {budget.limit:,} {PERIOD_WORDS[budget.period].each}"
    return words if budget.period is Period.DAY else f"{words} ≈ {limit:,.0f} a day"


def _member(one: Spending) -> str:
    return "members whose data was erased" if one.what == FORGOTTEN_MEMBER else f"<@{one.what}>"


def _named(one: Spending, catalog: Catalog) -> str:
    tool = catalog.tools.get(str(one.what))
    return f"{tool.emoji} {tool.title}" if tool else plain(str(one.what), MAX_SERIES_NAME_CHARACTERS)


def _title(one: Spending, catalog: Catalog) -> str:
    tool = catalog.tools.get(str(one.what))
    return tool.title if tool else str(one.what)


def _line(name: str, one: Spending) -> str:
    return f"{name} · **{credit_words(one.credits)}** · {job_words(one.jobs)}"


def _range(days: Sequence[date]) -> str:
    first, last = _day(days[0]), _day(days[-1])
    return first if first == last else f"{first} to {last}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
