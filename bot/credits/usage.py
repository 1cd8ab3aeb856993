"""The use of credits: reports by day, tool and member, and the ledger as CSV."""

import asyncio
import csv
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from bot.base import ours
from bot.credits import budgets
from bot.credits.ledger import Line, Window
from bot.db import Database
from bot.errors import Refused
from bot.jobs.models import FORGOTTEN_MEMBER, JobState, jobs
from bot.languages import Message, lazy, pgettext, plazy
from bot.servers import settings
from bot.visible_text import visible

LEDGER_PAGE_LINES = 500  # lines of the ledger held in memory at once
# The columns, by names that sentences about them use. Cells are as they are stored, but for words.
LEDGER_HEADINGS: Mapping[str, Message] = {
    "number": plazy("column", "number"),
    "time": plazy("column", "time"),
    "time_utc": plazy("column", "time_utc"),
    "entry": plazy("column", "entry"),
    "credits": plazy("column", "credits"),
    "for_period": plazy("column", "for_period"),
    "member": plazy("column", "member"),
    "job": plazy("column", "job"),
    "tool": plazy("column", "tool"),
    "settings": plazy("column", "settings"),
    "job_state": plazy("column", "job_state"),
}
# Characters at the start of a cell, also in fullwidth form, that make a spreadsheet run it as a formula. Many
# programs also split cells at semicolons and tabs within quotes, so a cell begins after those.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"(^|[;,|\t\r\n])(?=[\s\"']*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
_CREDITS = func.coalesce(func.sum(jobs.c.settled + jobs.c.reserved), 0)


class Span(StrEnum):
    """The spans that reports cover."""

    WEEK = "week"
    DAYS_30 = "days_30"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    DAYS_90 = "days_90"


_DAYS = {Span.WEEK: 7, Span.DAYS_30: 30, Span.DAYS_90: 90}


class Spending(NamedTuple):
    """Credits that jobs of a tool (`what` is its slug) or a member (an id) were charged or have reserved."""

    what: str | int
    credits: int
    jobs: int


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The usage in a span of days. `daily` has each tool's credits by day, in the order of `tools`."""

    budget: budgets.BudgetState
    days: tuple[date, ...]
    tools: tuple[Spending, ...]
    members: tuple[Spending, ...]
    daily: tuple[tuple[int, ...], ...]

    @property
    def credits(self) -> int:
        return sum(tool.credits for tool in self.tools)

    @property
    def jobs(self) -> int:
        return sum(tool.jobs for tool in self.tools)

    @property
    def limit_a_day(self) -> float | None:
        """Return the budget in credits a day, averaged over its period. None for a one-off total."""
        budget, window = self.budget.settings, self.budget.window
        if budget.budget_period is settings.Period.TOTAL or window.start is None or window.end is None:
            return None
        # Rounded: a day of the period may have 23 or 25 hours.
        return budget.budget_limit / max(1, round((window.end - window.start).total_seconds() / 86_400))


def report(session: Session, guild_id: int, span: Span, at: datetime) -> UsageReport:
    """Return the charged and reserved credits, by the day of acceptance in the server's time zone."""
    budget = budgets.state(session, guild_id, at)
    days, edges = days_of(span, budget.settings.timezone, at)
    accepted = (jobs.c.guild_id == guild_id, *Window(edges[0], edges[-1]).holds(jobs.c.created_at))
    tools, members = (
        [
            Spending(what, int(credits_), count)
            for what, credits_, count in session.execute(
                select(one, _CREDITS, func.count())
                .where(*accepted)
                .group_by(one)
                .order_by(_CREDITS.desc(), one)
                .limit(most)
            )
        ]
        for one, most in ((jobs.c.tool, None), (jobs.c.user_id, 5))
    )
    day = case(*((jobs.c.created_at < edge, number) for number, edge in enumerate(edges[1:])))
    by_day = select(day.label("day"), jobs.c.tool, _CREDITS).where(*accepted).group_by("day", jobs.c.tool)
    daily: dict[str | int, list[int]] = defaultdict(lambda: [0] * len(days))
    for number, tool, credits_ in session.execute(by_day):
        daily[tool][number] = int(credits_)
    return UsageReport(
        budget,
        tuple(days),
        tuple(tools),
        tuple(members),
        tuple(tuple(daily[one.what]) for one in tools),
    )


def totals(session: Session) -> tuple[dict[tuple[str, str], int], int, int]:
    """Return the number of jobs by state and tool, and the credits that are reserved, and were charged.

    Of the servers of this process.
    """
    sums = select(
        jobs.c.state, jobs.c.tool, func.count(), func.sum(jobs.c.reserved), func.sum(jobs.c.settled)
    ).group_by(jobs.c.state, jobs.c.tool)
    rows = session.execute(ours(session, sums, jobs.c.guild_id)).all()
    number = {(str(state), tool): count for state, tool, count, _, _ in rows}
    return number, int(sum(row[3] for row in rows)), int(sum(row[4] for row in rows))


def _ledger_page(
    session: Session, guild_id: int, span: Span | None, at: datetime, after: int
) -> Sequence[Row[Any]]:
    lines = (
        select(Line.id, Line.at, Line.kind, Line.amount, Line.user_id, Line.job_id, Line.period)
        .add_columns(jobs.c.tool, jobs.c.variant, jobs.c.state)
        .outerjoin(jobs, jobs.c.id == Line.job_id)
        .where(Line.guild_id == guild_id, Line.id > after)
    )
    if span is not None:
        _, edges = days_of(span, settings.of(session, guild_id).timezone, at)
        lines = lines.where(*Window(edges[0], edges[-1]).holds(Line.at))
    return session.execute(lines.order_by(Line.id).limit(LEDGER_PAGE_LINES)).all()


def days_of(span: Span, timezone: str, now: datetime) -> tuple[list[date], list[datetime]]:
    """Return the days of the span, up to today at most, and when they start and the last one ends.

    Raises `Refused` for an unknown zone.
    """
    zone = budgets.time_zone(timezone)
    last = now.astimezone(zone).date()
    first = last.replace(day=1)
    if span is Span.LAST_MONTH:
        last = first - timedelta(days=1)
        first = last.replace(day=1)
    elif (days := _DAYS.get(span)) is not None:
        first = last - timedelta(days=days - 1)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return days, [budgets.beginning(day, zone) for day in (*days, days[-1] + timedelta(days=1))]


async def write_ledger(
    db: Database,
    guild_id: int,
    span: Span | None,
    at: datetime,
    zone: ZoneInfo,
    folder: Path,
    limit: int,
    state_words: Callable[[JobState], str],
) -> tuple[Path, int]:
    """Write the ledger's lines of the span (all if None) as CSV into `folder`, zipped if they have more than
    `limit` bytes. Return the file and the number of its lines.

    It is worded in the language that is spoken now; `state_words` says states as the bot's panels do. Page by
    page, so that memory does not grow with the ledger: lines are never changed, so that pages read one after
    the other fit together. Raises `Refused` if it is too large even so.
    """
    path, lines, after = folder / "ledger.csv", 0, 0
    rows: list[list[str | int]] = [[str(one) for one in LEDGER_HEADINGS.values()]]
    while rows:
        await asyncio.to_thread(_append, path, rows)
        page = await db.read(_ledger_page, guild_id, span, at, after)
        rows = [_cells(line, zone, state_words) for line in page]
        lines, after = lines + len(page), page[-1].id if page else after
    if path.stat().st_size > limit:
        path = await asyncio.to_thread(_zipped, path)
        if path.stat().st_size > limit:
            raise Refused(lazy("The ledger is too large for a Discord file. Choose a shorter period."))
    return path, lines


def safe(text: str) -> str:
    """Return text as a cell that no spreadsheet runs as a formula, nor any part of it.

    Spreadsheets skip invisible characters in front of a formula.
    """
    return _FORMULA.sub(r"\1'", visible(text))


def _cells(line: Row[Any], zone: ZoneInfo, state_words: Callable[[JobState], str]) -> list[str | int]:
    return [
        line.id,
        # Without its distance to UTC, which spreadsheets take for text; the next cell is never ambiguous.
        line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        line.kind.value,
        line.amount,
        line.period or "",
        _member(line.user_id),
        # Digits alone, or 12e34567, would be a number.
        # Untranslated: it is a name, like the other cells.
        "" if line.job_id is None else f"job {line.job_id}",
        safe(line.tool or ""),
        safe(line.variant or ""),
        "" if line.state is None else state_words(line.state),
    ]


def _member(user_id: int | None) -> str:
    if user_id is None:
        return ""
    # A bare id of 18 digits would be rounded by spreadsheets; as a mention it is text, and Discord knows it.
    return pgettext("member", "forgotten") if user_id == FORGOTTEN_MEMBER else f"<@{user_id}>"


def _append(path: Path, rows: Sequence[Sequence[str | int]]) -> None:
    # The mark that this encoding writes at the beginning tells spreadsheets that it is UTF-8.
    with path.open("a", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows(rows)


def _zipped(path: Path) -> Path:
    zipped = path.with_suffix(".zip")
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, path.name)
    return zipped
