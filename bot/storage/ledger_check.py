"""Compare the balances on jobs with sums of the ledger's lines, and describe each difference."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.engine import RowMapping

from bot.domain import TERMINAL_STATES, EntryKind, Window
from bot.domain.periods import window
from bot.servers.settings import of
from bot.storage.database.repository import Repository, within
from bot.storage.schema import jobs, ledger

_OF_ADMINS = (EntryKind.GRANT, EntryKind.ADJUST)


class LedgerCheck(Repository):
    """Compares within one transaction. Each method returns sentences, none if everything agrees."""

    async def differences(self, now: datetime) -> list[str]:
        """Return `everything`, and for each server also what differs in its present budget period."""
        wrong = await self.everything()
        for guild_id in await self.guilds():
            settings = await self._session.run(lambda session, one=guild_id: of(session, one))
            wrong += await self.period(guild_id, window(settings.budget, settings.timezone, now))
        return wrong

    async def everything(self) -> list[str]:
        """Compare each job with its lines, each line with its job, and each server's sums."""
        return [*await self._jobs(), *await self._lines(), *await self._servers()]

    async def guilds(self) -> list[int]:
        """Return the ids of the servers that have jobs or lines."""
        query = select(jobs.c.guild_id).union(select(ledger.c.guild_id)).order_by("guild_id")
        return list((await self._session.execute(query)).scalars())

    async def period(self, guild_id: int, window: Window) -> list[str]:
        """Compare what the server and each member spent in the window, by jobs and by lines."""
        mine = select(
            jobs.c.user_id.label("whose"), func.sum(jobs.c.reserved + jobs.c.settled).label("spent")
        )
        by_jobs = mine.where(jobs.c.guild_id == guild_id, *within(jobs.c.created_at, window))
        reserved = select(ledger.c.job_id).where(
            ledger.c.guild_id == guild_id, ledger.c.kind == EntryKind.RESERVE, *within(ledger.c.at, window)
        )
        lines = select(ledger.c.user_id.label("whose"), _spent().label("spent"))
        by_lines = lines.where(ledger.c.guild_id == guild_id, ledger.c.job_id.in_(reserved))
        balances = await self._sums(by_jobs.group_by(jobs.c.user_id))
        written = await self._sums(by_lines.group_by(ledger.c.user_id))
        where = f"Server {guild_id}, current period"
        wrong = _differing(where, {0: sum(balances.values())}, {0: sum(written.values())})
        return wrong + _differing(f"{where}, member {{}}", balances, written)

    async def _jobs(self) -> list[str]:
        return [_about_a_job(row) for row in (await self._session.execute(_wrong_jobs())).mappings()]

    async def _lines(self) -> list[str]:
        of_admins = ledger.c.kind.in_(_OF_ADMINS)
        nobodys = ~of_admins & jobs.c.id.is_(None)
        query = (
            select(ledger.c.id, ledger.c.guild_id, ledger.c.kind, ledger.c.amount, ledger.c.job_id)
            .select_from(ledger.outerjoin(jobs, jobs.c.id == ledger.c.job_id))
            .where(nobodys | (of_admins & (ledger.c.job_id.is_not(None) | ledger.c.period.is_(None))))
            .order_by(ledger.c.id)
        )
        return [_about_a_line(row) for row in (await self._session.execute(query)).mappings()]

    async def _servers(self) -> list[str]:
        spent = func.sum(jobs.c.reserved + jobs.c.settled).label("spent")
        balances = await self._sums(select(jobs.c.guild_id.label("whose"), spent).group_by(jobs.c.guild_id))
        by_lines = select(ledger.c.guild_id.label("whose"), _spent().label("spent")).where(
            ledger.c.kind.not_in(_OF_ADMINS)
        )
        written = await self._sums(by_lines.group_by(ledger.c.guild_id))
        return _differing("Server {} (all time)", balances, written)

    async def _sums(self, query: Any) -> dict[int, int]:
        rows = (await self._session.execute(query)).mappings()
        return {row["whose"]: row["spent"] for row in rows}


def _total(*kinds: EntryKind) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((ledger.c.kind.in_(kinds), ledger.c.amount), else_=0)), 0)


def _spent() -> ColumnElement[int]:
    """Return the sum of the lines that is settled or still reserved."""
    return _total(EntryKind.RESERVE, EntryKind.CORRECT) - _total(EntryKind.RELEASE)


def _count(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)


@cache
def _wrong_jobs() -> Select[Any]:
    sums = _sums_of_a_job()
    return (
        select(jobs.c.id, jobs.c.guild_id, jobs.c.state, jobs.c.reserved, jobs.c.settled)
        .add_columns(jobs.c.resolved_at, *(column.label(name) for name, column in sums.items()))
        .select_from(jobs.outerjoin(ledger, ledger.c.job_id == jobs.c.id))
        .group_by(jobs.c.number)
        .having(_wrong_with_a_job(sums))
        .order_by(jobs.c.number)
    )


def _sums_of_a_job() -> dict[str, ColumnElement[Any]]:
    kind = ledger.c.kind
    ends = case((kind.in_((EntryKind.SETTLE, EntryKind.RELEASE)), ledger.c.at))
    return {
        "put_aside": _total(EntryKind.RESERVE, EntryKind.CORRECT),
        "paid": _total(EntryKind.SETTLE),
        "released": _total(EntryKind.RELEASE),
        "reserves": _count(kind == EntryKind.RESERVE),
        "settles": _count(kind == EntryKind.SETTLE),
        "releases": _count(kind == EntryKind.RELEASE),
        "first_end": func.min(ends),
        "last_end": func.max(ends),
        "elsewhere": _count(ledger.c.guild_id != jobs.c.guild_id),
        "of_others": _count(ledger.c.id.is_not(None) & ledger.c.user_id.is_distinct_from(jobs.c.user_id)),
    }


def _wrong_with_a_job(of: Mapping[str, Any]) -> ColumnElement[bool]:
    open_, ended = jobs.c.resolved_at.is_(None), jobs.c.state.in_(list(TERMINAL_STATES))
    ends = of["settles"] + of["releases"]
    return or_(
        of["put_aside"] - of["paid"] - of["released"] != jobs.c.reserved,
        of["paid"] != jobs.c.settled,
        ~open_ & (jobs.c.reserved != 0),
        of["reserves"] > 1,
        of["settles"] > 1,
        of["releases"] > 1,
        of["first_end"] != of["last_end"],  # a settlement whose rest is released at once is one resolution
        and_(ended, open_, of["reserves"] > 0),
        and_(~open_, ends == 0),
        and_(open_, ends > 0),
        of["elsewhere"] > 0,
        of["of_others"] > 0,
    )


def _about_a_job(row: RowMapping) -> str:
    said = [
        f"its balances are {row['reserved']} reserved and {row['settled']} settled, but its ledger "
        f"lines add up to {row['put_aside']} reserved, {row['paid']} settled and "
        f"{row['released']} released"
    ]
    open_, ends = row["resolved_at"] is None, row["settles"] + row["releases"]
    if row["reserves"] > 1:
        said.append(f"it was reserved {row['reserves']} times")
    if max(row["settles"], row["releases"]) > 1 or row["first_end"] != row["last_end"]:
        said.append("its reservation was resolved more than once")
    if row["state"] in TERMINAL_STATES and open_ and row["reserves"]:
        said.append(f"it is {row['state']}, but its reservation was never resolved")
    if open_ and ends:
        said.append("its ledger lines resolve its reservation, but its row is open")
    if not open_ and not ends:
        said.append("its row is resolved, but no ledger line resolves it")
    if row["elsewhere"]:
        said.append(f"ledger lines that belong to another server: {row['elsewhere']}")
    if row["of_others"]:
        said.append(f"ledger lines that belong to another member: {row['of_others']}")
    # Untranslated: the operator reads it.
    return f"Job {row['id']} of server {row['guild_id']}: {'; '.join(said)}."


def _about_a_line(row: RowMapping) -> str:
    line = f"Ledger line {row['id']} of server {row['guild_id']} ({row['kind']}, {row['amount']})"
    if row["kind"] in _OF_ADMINS:
        of_job = f"belongs to job {row['job_id']}" if row["job_id"] is not None else "has no period"
        return f"{line} was made by an admin, but {of_job}."
    job = "no job" if row["job_id"] is None else f"job {row['job_id']}, which is unknown"
    return f"{line} belongs to {job}."


def _differing(where: str, balances: Mapping[int, int], written: Mapping[int, int]) -> list[str]:
    return [
        f"{where.format(whose)}: its jobs have {balances.get(whose, 0)} credits reserved or "
        f"charged, its ledger lines {written.get(whose, 0)}."
        for whose in sorted(balances.keys() | written.keys())
        if balances.get(whose, 0) != written.get(whose, 0)
    ]
