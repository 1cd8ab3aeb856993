"""Sums of jobs and credits: by server, for its admins, and over all servers, for operators."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select

from bot.domain import LedgerLine, Spending, Window
from bot.storage.database.repository import Repository, within
from bot.storage.schema import jobs, ledger


class UsageSums(Repository):
    """A server's spending within one transaction.

    A job counts for the day it was accepted, with its settled and its reserved credits.
    """

    async def by_day(self, guild_id: int, edges: Sequence[datetime]) -> list[tuple[int, str, int]]:
        """Return (number of the day, tool, credits) for the days between consecutive `edges`."""
        days = case(
            *((jobs.c.created_at < edge, literal(number)) for number, edge in enumerate(edges[1:])),
            else_=literal(len(edges) - 1),
        ).label("day")
        query = (
            select(days, jobs.c.tool, _credits())
            .where(*_accepted(guild_id, Window(edges[0], edges[-1])))
            .group_by(days, jobs.c.tool)
        )
        rows = (await self._session.execute(query)).mappings()
        return [(row["day"], row["tool"], row["credits"]) for row in rows]

    async def by_tool(self, guild_id: int, window: Window) -> list[Spending]:
        """Return what each tool spent, the highest first."""
        return await self._top(jobs.c.tool, guild_id, window, None)

    async def by_member(self, guild_id: int, window: Window, limit: int) -> list[Spending]:
        """Return what members spent, the highest first, up to `limit`."""
        return await self._top(jobs.c.user_id, guild_id, window, limit)

    async def lines(self, guild_id: int, window: Window, after: int, limit: int) -> list[LedgerLine]:
        """Return up to `limit` lines of the ledger with ids above `after`, in order."""
        query = (
            select(ledger, jobs.c.tool, jobs.c.variant, jobs.c.state)
            .select_from(ledger.outerjoin(jobs, jobs.c.id == ledger.c.job_id))
            .where(ledger.c.guild_id == guild_id, ledger.c.id > after, *within(ledger.c.at, window))
            .order_by(ledger.c.id)
            .limit(limit)
        )
        rows = (await self._session.execute(query)).mappings()
        names = [one.name for one in fields(LedgerLine)]
        return [LedgerLine(**{name: row[name] for name in names}) for row in rows]

    async def _top(
        self, what: ColumnElement[Any], guild_id: int, window: Window, limit: int | None
    ) -> list[Spending]:
        credits_ = _credits()
        query = (
            select(what.label("what"), credits_, func.count().label("jobs"))
            .where(*_accepted(guild_id, window))
            .group_by(what)
            .order_by(credits_.desc(), what)
            .limit(limit)
        )
        rows = (await self._session.execute(query)).mappings()
        return [Spending(row["what"], row["credits"], row["jobs"]) for row in rows]


class Totals(Repository):
    """Sums over all servers of this process within one transaction."""

    async def jobs(self) -> dict[tuple[str, str], int]:
        """Return the number of jobs by state and tool."""
        ours = self._session.ours(_JOBS, jobs.c.guild_id)
        rows = (await self._session.execute(ours)).mappings()
        return {(str(row["state"]), row["tool"]): row["count"] for row in rows}

    async def credits(self) -> tuple[int, int]:
        """Return the credits that are reserved, and those that were charged."""
        ours = self._session.ours(_JOBS_CREDITS, jobs.c.guild_id)
        row = (await self._session.execute(ours)).mappings().one()
        return int(row["reserved"]), int(row["settled"])


def _credits() -> Any:
    return func.coalesce(func.sum(jobs.c.settled + jobs.c.reserved), 0).label("credits")


def _accepted(guild_id: int, window: Window) -> list[ColumnElement[bool]]:
    return [jobs.c.guild_id == guild_id, *within(jobs.c.created_at, window)]


# Statements, made once (see `Session.execute`).
_JOBS = select(jobs.c.state, jobs.c.tool, func.count().label("count")).group_by(jobs.c.state, jobs.c.tool)
_JOBS_CREDITS = select(
    func.coalesce(func.sum(jobs.c.reserved), 0).label("reserved"),
    func.coalesce(func.sum(jobs.c.settled), 0).label("settled"),
)
