"""Show `/studii credits`: the chart, and the members and tools that used most.

Pillow, which draws the chart, is imported with the first one.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Semaphore
from typing import Any, Literal
from zoneinfo import ZoneInfo

import discord
from discord import ui

from bot.catalog import Catalog
from bot.credits import usage as reports
from bot.credits.budgets import DEFAULT_HOLDS, credit_words
from bot.credits.usage import LEDGER_HEADINGS, Span, Spending, UsageReport, write_ledger
from bot.errors import Refused
from bot.jobs.models import FORGOTTEN_MEMBER
from bot.languages import and_list, day_words, gettext as _, lazy, ngettext, number, sentences
from bot.servers import settings
from bot.ui.jobs.wording import ALT_LENGTH, job_words, state_name
from bot.ui.kit.answers import acknowledge, answer, defer_answer
from bot.ui.kit.layout import NEUTRAL, Panel, boxed, lines, plain, row, shortened, small
from bot.ui.panels.controls import Press, admin, button, marked
from bot.ui.panels.settings import backs
from bot.ui.reading.permissions import server_of


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


@dataclass(frozen=True, slots=True)
class Gauge:
    """The budget of a period: what is spent, reserved and left, with their words, and when it renews."""

    parts: tuple[tuple[str, int], tuple[str, int], tuple[str, int]]
    renewal: str


MAX_WAITING_CHARTS = 4  # pictures that may wait at once; each takes some hundredths of a second
MANY_CHARTS = lazy("The bot is drawing other charts right now. Try again in a moment.")


_drawing, _wanted = Lock(), Semaphore(MAX_WAITING_CHARTS)


async def picture_of(chart: UsageChart | Gauge) -> bytes:
    """Return the picture as a PNG, drawn in a thread, one at a time. Raises `Refused` if many wait."""
    if not _wanted.acquire(blocking=False):
        raise Refused(MANY_CHARTS)
    try:
        return await asyncio.to_thread(_drawn, chart)
    finally:
        _wanted.release()


def _drawn(chart: UsageChart | Gauge) -> bytes:
    from bot.ui.admin.chart_picture import draw, draw_gauge

    with _drawing:
        return draw(chart) if isinstance(chart, UsageChart) else draw_gauge(chart)


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
    """Return what the chart shows: the days from the first to the last with use."""
    used = [place for place, day in enumerate(zip(*report.daily, strict=True)) if any(day)]
    shown = slice(used[0], used[-1] + 1) if used else slice(None)
    series = tuple(
        Series(shortened(catalog.title(str(tool.what)), MAX_SERIES_NAME_CHARACTERS), daily[shown])
        for tool, daily in zip(report.tools, report.daily, strict=True)
    )
    jobs, days = job_words(report.jobs), _range(report.days)
    return UsageChart(
        title=str(_CHART_TITLES[span]),
        # Translators: {credits} is such as "12 credits", {jobs} "3 jobs".
        subtitle=f"{_('{credits} for {jobs}', credits=credit_words(report.credits), jobs=jobs)} · {days}",
        days=report.days[shown],
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
            discord.MediaGalleryItem(
                f"attachment://{FILE_NAME}", description=chart_alt_words(report, catalog, span)
            )
        ),
        ui.Separator(),
        lines(f"**{_('Top members')}**", *(_line(_member(one), one) for one in report.members))
        if report.members
        else _("No one made anything in this period."),
        lines(
            f"**{_('Top tools')}**", *(_line(_named(one, catalog), one) for one in report.tools[:TOP_TOOLS])
        )
        if report.tools
        else "",
        ui.Separator(),
        lines(
            # Translators: {limit} is such as "100 credits a day", {left} "3 of 100 credits left today".
            _("Budget: **{limit}**; {left}.", limit=budget.limit_words, left=budget.left_words),
            small(DEFAULT_HOLDS) if budget.is_default else "",
            small(
                _(
                    "Days in the time zone {zone}. Includes credits reserved by unfinished jobs.",
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
    most = [
        # Translators: a tool, and how many credits it took.
        _("{tool} ({credits})", tool=catalog.title(str(one.what)), credits=number(one.credits))
        for one in report.tools[:3]
    ]
    said = sentences(
        _CHART_OF[span],
        ngettext(
            # Translators: {day} is such as "5 March".
            "{count} credit in total, most on {day} ({highest}).",
            "{count} credits in total, most on {day} ({highest}).",
            report.credits,
            day=day_words(report.days[per_day.index(highest)]),
            highest=highest,
        ),
        # Translators: {tools} is such as "Virtual staging (12), Sky (3), and Video (1)".
        _("Most went to {tools}.", tools=and_list(most)),
        # Translators: {limit} is such as "budget 30 a day".
        _("Line: {limit}.", limit=limit) if limit else "",
    )
    return shortened(said, ALT_LENGTH)


def _limit_words(report: UsageReport) -> str:
    limit = report.limit_a_day
    if limit is None:
        return ""
    budget = report.budget.settings
    each = round(limit)
    match budget.budget_period:
        case settings.Period.WEEK:
            return _("budget {limit} a week ≈ {each} a day", limit=budget.budget_limit, each=each)
        case settings.Period.MONTH:
            return _("budget {limit} a month ≈ {each} a day", limit=budget.budget_limit, each=each)
        case _:
            return _("budget {limit} a day", limit=budget.budget_limit)


def _member(one: Spending) -> str:
    return _("members whose data was erased") if one.what == FORGOTTEN_MEMBER else f"<@{one.what}>"


def _named(one: Spending, catalog: Catalog) -> str:
    slug = str(one.what)
    return f"{catalog.emoji(slug)} {plain(catalog.title(slug), MAX_SERIES_NAME_CHARACTERS)}"


def _line(name: str, one: Spending) -> str:
    return f"{name} · **{credit_words(one.credits)}** · {job_words(one.jobs)}"


def _range(days: Sequence[date]) -> str:
    first, last = day_words(days[0], short=True), day_words(days[-1], short=True)
    # Translators: days, such as "Mar 5".
    return first if first == last else _("{first} to {last}", first=first, last=last)


SPANS = {
    Span.WEEK: lazy("the last 7 days"),
    Span.DAYS_30: lazy("the last 30 days"),
    Span.THIS_MONTH: lazy("this month"),
    Span.LAST_MONTH: lazy("last month"),
    Span.DAYS_90: lazy("the last 90 days"),
}
LEDGER_TITLES = {
    Span.WEEK: lazy("Ledger (the last 7 days)"),
    Span.DAYS_30: lazy("Ledger (the last 30 days)"),
    Span.THIS_MONTH: lazy("Ledger (this month)"),
    Span.LAST_MONTH: lazy("Ledger (last month)"),
    Span.DAYS_90: lazy("Ledger (the last 90 days)"),
}
EVER = "ever"  # in the place of a span


@button("usage:{span}", label=lazy("Usage"), emoji="📊", who=admin)
async def usage(press: Press, span: Literal["shown", "days_30"]) -> None:
    """Show where the credits went in place of the panel, in the last days or in the chosen period."""
    chosen = Span(press.values[0]) if span == "shown" else Span(span)
    interaction, host = press.interaction, press.host
    guild_id = server_of(interaction)
    await acknowledge(interaction)
    report = await host.resources.db.read(reports.report, guild_id, chosen, host.clock.now())
    picture = await picture_of(usage_chart(report, host.catalog, chosen))
    options = [
        discord.SelectOption(label=str(words), value=one, default=one is chosen)
        for one, words in SPANS.items()
    ]
    panel = usage_panel(report, host.catalog, chosen)
    panel.add_item(row(ui.Select[Any](custom_id=usage.id("shown"), options=options)))
    whole = ledger.looking(label=lazy("All time")).of(EVER)
    panel.add_item(row(ledger.of(chosen.value), whole, backs("credits")))
    shown = discord.File(io.BytesIO(picture), filename=FILE_NAME)
    view = marked(panel, let_in=press.let_in)
    await interaction.edit_original_response(view=view, attachments=[shown])


@button("ledger:{span}", label=lazy("Ledger as a file"), emoji="🧾", who=admin)
async def ledger(
    press: Press, span: Literal["week", "days_30", "this_month", "last_month", "days_90", "ever"]
) -> None:
    """Send the ledger of a period as a CSV file."""
    interaction, host = press.interaction, press.host
    guild_id, chosen = server_of(interaction), None if span == EVER else Span(span)
    await defer_answer(interaction)
    zone = ZoneInfo((await host.resources.db.read(settings.of, guild_id)).timezone)
    with TemporaryDirectory(prefix="studii-export-") as folder:
        asked = (guild_id, chosen, host.clock.now(), zone, Path(folder), interaction.filesize_limit)
        path, count = await write_ledger(host.resources.db, *asked, state_name)
        data = await asyncio.to_thread(path.read_bytes)  # no more than Discord takes
        title = lazy("Ledger (all time)") if chosen is None else LEDGER_TITLES[chosen]
        lines_ = ngettext("{count} line.", "{count} lines.", count) if count else _("No entries yet.")
        panel = boxed(
            NEUTRAL,
            f"### 🧾 {title}\n{sentences(lines_, _columns(zone.key))}",
            ui.File(f"attachment://{path.name}"),
        )
        await answer(interaction, panel, [discord.File(io.BytesIO(data), filename=path.name)])


def _columns(zone: str) -> str:
    entries = _(
        # Translators: `reserve`, `correct`, `settle`, `release`, `grant` and `adjust` stay as they are.
        "Each line is one entry: `reserve` when a job is accepted, `correct` when Studii reports "
        "the charge, `settle` or `release` when the job ends; `grant` when an admin adds credits, "
        "`adjust` when one takes some back.\n`{credits}` is the amount. A job's cost is its "
        "`settle`; `correct` can be negative. `{for_period}` is the period of a grant.",
        **LEDGER_HEADINGS,
    )
    if zone in {"UTC", "Etc/UTC"}:
        times = _("`{time}` and `{time_utc}` are both in UTC.", **LEDGER_HEADINGS)
    else:
        times = _("`{time}` is in {zone}, `{time_utc}` in UTC.", zone=zone, **LEDGER_HEADINGS)
    whose = _(
        "`{member}` is a mention: pasted into Discord, it shows who that is. Entries without one are the "
        "server's.",
        **LEDGER_HEADINGS,
    )
    return sentences(entries, times, whose)
