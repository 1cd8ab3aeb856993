"""Sum up what counts against budgets and allowances: credits that were used and granted within a period."""

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Cast,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)

from bot.domain import Usage, Window
from bot.storage.database.repository import Repository
from bot.storage.schema import jobs, ledger


class UsedCredits(NamedTuple):
    """The credits that a server has used within a window, and was granted for it.

    `usage` is that of each member who was asked for, and of all others together as None. `grants` has the
    sums by member, and the server's own as None.
    """

    usage: dict[int | None, Usage]
    grants: dict[int | None, int]

    @property
    def whole(self) -> Usage:
        """Return what all members together have used."""
        used = self.usage.values()
        return Usage(sum(one.settled for one in used), sum(one.reserved for one in used))


class BudgetSums(Repository):
    """The credits that servers and members have used and were granted, within one transaction."""

    async def usage(self, guild_id: int, window: Window, user_id: int | None = None) -> Usage:
        """Return the credits of jobs accepted within the window, of the server or of one member."""
        query = _usage(
            of_member=user_id is not None, starts=window.start is not None, ends=window.end is not None
        )
        which = {"guild": guild_id, "start": window.start, "end": window.end, "user": user_id}
        row = (await self._session.execute(query, which)).mappings().one()
        return Usage(settled=row["settled"], reserved=row["reserved"])

    async def usage_and_grants(
        self, guild_ids: Collection[int], window: Window, period: str, user_ids: Collection[int]
    ) -> dict[int, UsedCredits]:
        """Return what each of the servers has used, by one statement, as each command asks for it.

        `period` is the name under which grants for the window are stored.
        """
        query = _usage_and_grants(
            by_member=bool(user_ids), starts=window.start is not None, ends=window.end is not None
        )
        asked = {"guilds": list(guild_ids), "start": window.start, "end": window.end}
        asked |= {"in_period": period, "members": list(user_ids)}
        found = {guild_id: UsedCredits({}, {}) for guild_id in guild_ids}
        for row in (await self._session.execute(query, asked)).mappings():
            used = found[row["guild_id"]]
            if row["granted"] is not None:
                used.grants[row["who"]] = row["granted"]
            else:
                used.usage[row["who"]] = Usage(row["settled"], row["reserved"])
        return found

    async def grants(self, guild_id: int, period: str) -> dict[int | None, int]:
        """Return the sums of grants for the period, by member. None is the server's own."""
        which = {"guild": guild_id, "in_period": period}
        rows = (await self._session.execute(_GRANTS_BY_MEMBER, which)).mappings()
        return {row["user_id"]: row["amount"] for row in rows}


def _within(*, starts: bool, ends: bool) -> list[ColumnElement[bool]]:
    """Return the conditions that a job was accepted within a window that starts and ends, or not."""
    conditions: list[ColumnElement[bool]] = []
    if starts:
        conditions.append(jobs.c.created_at >= bindparam("start"))
    if ends:
        conditions.append(jobs.c.created_at < bindparam("end"))
    return conditions


def _unsaid() -> Cast[int]:
    """Return a NULL where others of a union have numbers, as PostgreSQL wants to know."""
    return cast(null(), BigInteger)


# Statements, made once (see `Session.execute`).
_GRANTS = ledger.c.job_id.is_(None) & (ledger.c.period == bindparam("in_period"))
_GRANTS_BY_MEMBER = (
    select(ledger.c.user_id, func.sum(ledger.c.amount).label("amount"))
    .where(ledger.c.guild_id == bindparam("guild"), _GRANTS)
    .group_by(ledger.c.user_id)
)


@cache
def _usage(*, of_member: bool, starts: bool, ends: bool) -> Select[int, int]:
    """Return the query of `BudgetSums.usage`."""
    query = select(
        func.coalesce(func.sum(jobs.c.settled), 0).label("settled"),
        func.coalesce(func.sum(jobs.c.reserved), 0).label("reserved"),
    ).where(jobs.c.guild_id == bindparam("guild"), *_within(starts=starts, ends=ends))
    return query.where(jobs.c.user_id == bindparam("user")) if of_member else query


@cache
def _usage_and_grants(*, by_member: bool, starts: bool, ends: bool) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the query of `BudgetSums.usage_and_grants`."""
    guilds: BindParameter[int] = bindparam("guilds", expanding=True)
    members = jobs.c.user_id.in_(bindparam("members", expanding=True))
    who = case((members, jobs.c.user_id)) if by_member else _unsaid()
    used = (
        select(
            jobs.c.guild_id,
            who.label("who"),
            func.sum(jobs.c.settled).label("settled"),
            func.sum(jobs.c.reserved).label("reserved"),
            _unsaid().label("granted"),
        )
        .where(jobs.c.guild_id.in_(guilds), *_within(starts=starts, ends=ends))
        .group_by(jobs.c.guild_id, *([who] if by_member else ()))
    )
    granted = (
        select(ledger.c.guild_id, ledger.c.user_id, _unsaid(), _unsaid(), func.sum(ledger.c.amount))
        .where(ledger.c.guild_id.in_(guilds), _GRANTS)
        .group_by(ledger.c.guild_id, ledger.c.user_id)
    )
    return union_all(used, granted)
