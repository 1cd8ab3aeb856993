"""The ledger. Lines are only added; the balances on jobs change in the same transaction.

For each job: reserved + corrections = settled + released + still reserved.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Unpack

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Cast,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    null,
    select,
    union_all,
    update,
)

from bot.domain import EntryKind, Job, JobState, LedgerEntry, Usage, Window
from bot.errors import StudiiBotError
from bot.storage.database.repository import Repository
from bot.storage.jobs import JobChanges, changed_job, job_of
from bot.storage.jobs.rows import columns_of_move
from bot.storage.schema import jobs, ledger


class ReservationError(StudiiBotError):
    """The job has no open reservation: it was settled or released before. A bug, if it is raised."""


class UsedCredits(NamedTuple):
    """What a server has used within a window, and was granted for it.

    `usage` is that of each member who was asked for, and of all others together as None. `grants` has the
    sums by member, and the server's own as None.
    """

    usage: dict[int | None, Usage]
    grants: dict[int | None, int]

    @property
    def whole(self) -> Usage:
        """What all members together have used."""
        used = self.usage.values()
        return Usage(sum(one.settled for one in used), sum(one.reserved for one in used))


class Ledger(Repository):
    """The ledger within one transaction."""

    async def lock(self, *guild_ids: int) -> None:
        """Keep other transactions from accepting jobs for these servers until this one ends.

        A transaction that needs several locks takes them in this order, so that no two transactions wait for
        each other: lanes' by name (`Lanes.lock`), servers' by id, then rows. Two kinds of transactions change
        rows of several jobs: those that learn a price with a key, which hold its lane's lock and its
        servers', and those that hold their server's. SQLite has one write transaction at a time anyway.
        """
        if guild_ids and not self._session.on_sqlite:
            ids = func.unnest(cast(sorted(set(guild_ids)), ARRAY(BigInteger))).column_valued("guild_id")
            await self._session.execute(select(func.pg_advisory_xact_lock(ids)))

    async def reserve_all(self, accepted: Sequence[Job], at: datetime) -> list[Job]:
        """Reserve the estimates of these jobs, whose rows must exist. Return the jobs as they are then.

        Raises `ReservationError` if credits were reserved for one of them before.
        """
        if not accepted:
            return []
        these = {"job_ids": [job.id for job in accepted]}
        if (await self._session.execute(_RESERVE, these, named=True)).rowcount != len(accepted):
            ids = ", ".join(job.id for job in accepted)
            raise ReservationError(f"Of {ids} one is unknown, or credits were already reserved for it.")
        await self._session.execute_later(
            _ADD_LINES, [_line(job, EntryKind.RESERVE, job.estimate, at) for job in accepted]
        )
        reserved = [replace(job, reserved=job.estimate) for job in accepted]
        self._session.changes.jobs |= {job.id: job for job in reserved}
        return reserved

    async def correct(self, job_id: str, charge: int, at: datetime) -> Job:
        """Change the reservation to what Studii charges, higher or lower."""
        return await self.correct_changed(await self._open(job_id), charge, at)

    async def correct_changed(self, job: Job, charge: int, at: datetime) -> Job:
        """Change the reservation of a job that this transaction has read or changed."""
        if _credits(charge) == job.reserved:
            return job
        corrected = await self._balance(job.id, reserved=charge)
        await self._write(job, at, (EntryKind.CORRECT, charge - job.reserved))
        return corrected

    async def correct_all(self, job_ids: Collection[str], charge: int, at: datetime) -> None:
        """Change the reservations of these jobs to what they will probably be charged.

        Raises `ReservationError` if one was settled or released before.
        """
        these = {"job_ids": list(job_ids)}
        found = (await self._session.execute(_OPEN_RESERVATIONS, these)).all()
        if missing := set(job_ids) - {job.id for job in found}:
            raise ReservationError(f"Job {min(missing)} has no open reservation.")
        changed = [job for job in found if job.reserved != _credits(charge)]
        if not changed:
            return
        lines = [_line(job, EntryKind.CORRECT, charge - job.reserved, at) for job in changed]
        await self._session.execute_later(_ADD_LINES, lines)
        await self._session.execute(_CORRECT_ALL, {**these, "reserved": charge})

    async def settle(self, job: Job, charge: int, at: datetime) -> Job:
        """Settle a job that this transaction has read or changed. Release the rest of its reservation.

        Raises `ReservationError` if it was settled or released before.
        """
        lines = _settling(job, charge)
        settled = await self._balance(job.id, reserved=0, settled=charge, resolved_at=at)
        await self._write(job, at, *lines)
        return settled

    async def settle_and_move(
        self,
        job: Job,
        charge: int,
        expected: JobState,
        to: JobState,
        at: datetime,
        **changes: Unpack[JobChanges],
    ) -> Job | None:
        """Do what `Jobs.advance` and `settle` do by one UPDATE.

        Changes nothing and returns None if the job is in another state than `expected`, or something else is
        reserved for it than for `job`.
        """
        values = columns_of_move([expected], to, at, changes)
        lines = _settling(job, charge)
        which = {"job": job.id, "expected": expected, "was_reserved": job.reserved}
        values |= {"reserved": 0, "settled": charge, "resolved_at": at}
        row = await self._one_row(_SETTLE_AND_MOVE, which | values, named=True)
        if row is None:
            return None
        await self._write(job, at, *lines)
        return changed_job(self._session, row)

    async def release(self, job: Job, at: datetime) -> Job:
        """Release the whole reservation of a job that this transaction has read or changed.

        Raises `ReservationError` if it was settled or released before.
        """
        released = await self._balance(job.id, reserved=0, resolved_at=at)
        await self._write(job, at, (EntryKind.RELEASE, job.reserved))
        return released

    async def usage(self, guild_id: int, window: Window, user_id: int | None = None) -> Usage:
        """Return the credits of jobs accepted within the window, of the server or of one member."""
        query = _usage(
            of_member=user_id is not None, starts=window.start is not None, ends=window.end is not None
        )
        which = {"guild": guild_id, "start": window.start, "end": window.end, "user": user_id}
        row = (await self._session.execute(query, which)).mappings().one()
        return Usage(settled=row["settled"], reserved=row["reserved"])

    async def grant(self, guild_id: int, user_id: int | None, amount: int, period: str, at: datetime) -> None:
        """Grant credits for the period to the server or to one member. A negative amount takes them back."""
        kind = EntryKind.GRANT if amount >= 0 else EntryKind.ADJUST
        values = {"guild_id": guild_id, "user_id": user_id, "kind": kind, "amount": amount}
        await self._session.execute(insert(ledger).values(**values, period=period, at=at))

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

    async def entries(self, *, job_id: str | None = None, guild_id: int | None = None) -> list[LedgerEntry]:
        """Return the lines of a job, of a server, or all, oldest first."""
        query = select(ledger).order_by(ledger.c.id)
        if job_id is not None:
            query = query.where(ledger.c.job_id == job_id)
        if guild_id is not None:
            query = query.where(ledger.c.guild_id == guild_id)
        return [LedgerEntry(**row) for row in (await self._session.execute(query)).mappings()]

    async def _open(self, job_id: str) -> Job:
        """Return the job, locked until the transaction ends. Raises `ReservationError` if it is resolved."""
        row = await self._one_row(_OPEN_JOB, {"job": job_id})
        if row is None:
            raise ReservationError(f"Job {job_id} has no open reservation.")
        return job_of(row)

    async def _write(self, job: Job, at: datetime, *lines: tuple[EntryKind, int]) -> None:
        await self._session.execute_later(
            _ADD_LINES, [_line(job, kind, amount, at) for kind, amount in lines]
        )

    async def _balance(self, job_id: str, **values: Any) -> Job:
        row = await self._one_row(_BALANCE, {"job": job_id, **values}, named=True)
        if row is None:
            raise ReservationError(f"Job {job_id} has no open reservation.")
        return changed_job(self._session, row)


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


def _settling(job: Job, charge: int) -> list[tuple[EntryKind, int]]:
    """Return the kinds and amounts of the lines with which a job is settled."""
    if _credits(charge) > job.reserved:
        return [(EntryKind.CORRECT, charge - job.reserved), (EntryKind.SETTLE, charge)]
    rest = job.reserved - charge
    return [(EntryKind.SETTLE, charge), *([(EntryKind.RELEASE, rest)] if rest else [])]


def _line(job: Job | Row[Any], kind: EntryKind, amount: int, at: datetime) -> dict[str, Any]:
    whose = {"guild_id": job.guild_id, "user_id": job.user_id, "job_id": job.id}
    return {**whose, "kind": kind, "amount": amount, "at": at}


# Statements, made once (see `Session.execute`).
_OPEN = (jobs.c.id == bindparam("job")) & jobs.c.resolved_at.is_(None)
_OPEN_JOB = select(jobs).where(_OPEN).with_for_update()
_BALANCE = update(jobs).where(_OPEN).returning(jobs)
_AS_READ = (jobs.c.state == bindparam("expected")) & (jobs.c.reserved == bindparam("was_reserved"))
_SETTLE_AND_MOVE = _BALANCE.where(_AS_READ).values(version=jobs.c.version + 1)
_ADD_LINES = insert(ledger).inline()
_GRANTS = ledger.c.job_id.is_(None) & (ledger.c.period == bindparam("in_period"))
_GRANTS_BY_MEMBER = (
    select(ledger.c.user_id, func.sum(ledger.c.amount).label("amount"))
    .where(ledger.c.guild_id == bindparam("guild"), _GRANTS)
    .group_by(ledger.c.user_id)
)
_SOME_OPEN = jobs.c.id.in_(bindparam("job_ids", expanding=True)) & jobs.c.resolved_at.is_(None)
_OPEN_RESERVATIONS = (
    select(jobs.c.id, jobs.c.guild_id, jobs.c.user_id, jobs.c.reserved)
    .where(_SOME_OPEN)
    .order_by(jobs.c.number)
    .with_for_update()
)
_CORRECT_ALL = update(jobs).where(_SOME_OPEN)
_RESERVE = (
    update(jobs)
    .where(
        _SOME_OPEN,
        ~exists().where(ledger.c.job_id == jobs.c.id, ledger.c.kind == EntryKind.RESERVE),
    )
    .values(reserved=jobs.c.estimate)
)


@cache
def _usage(*, of_member: bool, starts: bool, ends: bool) -> Select[int, int]:
    """Return the query of `Ledger.usage`."""
    query = select(
        func.coalesce(func.sum(jobs.c.settled), 0).label("settled"),
        func.coalesce(func.sum(jobs.c.reserved), 0).label("reserved"),
    ).where(jobs.c.guild_id == bindparam("guild"), *_within(starts=starts, ends=ends))
    return query.where(jobs.c.user_id == bindparam("user")) if of_member else query


@cache
def _usage_and_grants(*, by_member: bool, starts: bool, ends: bool) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the query of `Ledger.usage_and_grants`."""
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


def _credits(charge: int) -> int:
    if charge < 0:
        raise ValueError("a job can't cost less than 0")
    return charge
