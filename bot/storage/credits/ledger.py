"""The ledger. Lines are only added; the balances on jobs change in the same transaction.

For each job: reserved + corrections = settled + released + still reserved.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Unpack

from sqlalchemy import ARRAY, BigInteger, Row, bindparam, cast, exists, func, insert, select, update

from bot.domain import EntryKind, Job, JobState
from bot.errors import StudiiBotError
from bot.storage.database.repository import Repository
from bot.storage.jobs import JobChanges, changed_job, job_of
from bot.storage.jobs.rows import columns_of_move
from bot.storage.schema import jobs, ledger


class ReservationError(StudiiBotError):
    """The job has no open reservation: it was settled or released before. A bug, if it is raised."""


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
        await self._session.execute(
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
        await self._session.execute(_ADD_LINES, lines)
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
        self, job: Job, charge: int, to: JobState, at: datetime, **changes: Unpack[JobChanges]
    ) -> Job | None:
        """Do what `Jobs.advance` and `settle` do to a running job by one UPDATE.

        Changes nothing and returns None if the job is not running, or something else is reserved for it than
        for `job`.
        """
        values = columns_of_move([JobState.RUNNING], to, at, changes)
        lines = _settling(job, charge)
        which = {"job": job.id, "expected": JobState.RUNNING, "was_reserved": job.reserved}
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

    async def grant(self, guild_id: int, user_id: int | None, amount: int, period: str, at: datetime) -> None:
        """Grant credits for the period to the server or to one member. A negative amount takes them back."""
        kind = EntryKind.GRANT if amount >= 0 else EntryKind.ADJUST
        values = {"guild_id": guild_id, "user_id": user_id, "kind": kind, "amount": amount}
        await self._session.execute(insert(ledger).values(**values, period=period, at=at))

    async def _open(self, job_id: str) -> Job:
        """Return the job, locked until the transaction ends. Raises `ReservationError` if it is resolved."""
        row = await self._one_row(_OPEN_JOB, {"job": job_id})
        if row is None:
            raise ReservationError(f"Job {job_id} has no open reservation.")
        return job_of(row)

    async def _write(self, job: Job, at: datetime, *lines: tuple[EntryKind, int]) -> None:
        await self._session.execute(_ADD_LINES, [_line(job, kind, amount, at) for kind, amount in lines])

    async def _balance(self, job_id: str, **values: Any) -> Job:
        row = await self._one_row(_BALANCE, {"job": job_id, **values}, named=True)
        if row is None:
            raise ReservationError(f"Job {job_id} has no open reservation.")
        return changed_job(self._session, row)


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
    .where(_SOME_OPEN, ~exists().where(ledger.c.job_id == jobs.c.id, ledger.c.kind == EntryKind.RESERVE))
    .values(reserved=jobs.c.estimate)
)


def _credits(charge: int) -> int:
    if charge < 0:
        raise ValueError("a job can't cost less than 0")
    return charge
