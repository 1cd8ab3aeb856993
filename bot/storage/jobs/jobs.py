"""The table of jobs: one job, and each change of its state as one conditional UPDATE."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Unpack

from sqlalchemy import (
    Column,
    ColumnElement,
    ScalarSelect,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from bot.domain import NEXT_STATES, Job, JobState, StudiiKey
from bot.domain.approvals import Approval
from bot.storage.jobs.rows import JOB_KEY, JobChanges, JobRows, changed_job, columns_of, job_of, row_of
from bot.storage.schema import guilds, holds, jobs, log_channels, prices, studii_keys

_KEY_COLUMNS = tuple(column.label(f"of_key_{column.name}") for column in studii_keys.c)


class Started(NamedTuple):
    """A job that Studii has, whether its server's key is held, and the last charge for its price."""

    job: Job
    server_held: bool
    last_charge: int | None


class Jobs(JobRows):
    """Jobs within one transaction."""

    async def add(self, job: Job) -> None:
        """Insert a new job without a reservation, which `Ledger.reserve` makes."""
        await self.add_all([job])

    async def add_all(self, new: Sequence[Job]) -> None:
        """Insert new jobs, in this order, without their reservations."""
        if new:
            # Their reservations tell of them.
            await self._session.execute(insert(jobs), [row_of(job) for job in new], named=True)

    async def get(self, job_id: str) -> Job | None:
        return await self._one(select(jobs).where(jobs.c.id == job_id))

    async def of_set(self, set_id: str) -> list[Job]:
        """Return the jobs of a set, in the order in which they were asked for."""
        return await self._all(select(jobs).where(jobs.c.set_id == set_id).order_by(jobs.c.number))

    async def with_key(self, job_id: str) -> tuple[Job | None, StudiiKey | None]:
        """Return the job, and the key that its server's new jobs use."""
        query = (
            select(jobs, *_KEY_COLUMNS)
            .join(guilds, guilds.c.guild_id == jobs.c.guild_id, isouter=True)
            .join(studii_keys, studii_keys.c.id == guilds.c.key_id, isouter=True)
            .where(jobs.c.id == job_id)
        )
        found = await self._session.rows(query, lambda row: (job_of(row), _key_of(row)), JOB_KEY)
        return found[0] if found else (None, None)

    async def make_ready(
        self, job_id: str, source_file: str | None, at: datetime, approval: Approval | None = None
    ) -> Job | None:
        """Move a received job to waiting, with the hold of its server's key if there is one.

        With `approval`, a pending one, and note that.

        Return None if it was in another state.
        """

        def of_hold(column: Column[Any]) -> ScalarSelect[Any]:
            return select(column).where(holds.c.guild_id == jobs.c.guild_id).correlate(jobs).scalar_subquery()

        expected = JobState.RECEIVED if approval is None else JobState.PENDING
        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == expected)
            .values(
                state=JobState.WAITING,
                approval=jobs.c.approval if approval is None else approval,
                changed_at=at,
                version=jobs.c.version + 1,
                announced_at=None,
                source_file=source_file,
                held=of_hold(holds.c.reason),
                not_before=of_hold(holds.c.until),
                key_id=func.coalesce(of_hold(holds.c.key_id), jobs.c.key_id),
            )
            .returning(jobs)
        )

    async def announce(
        self, job: Job, at: datetime, *, visible: bool, **changes: Unpack[JobChanges]
    ) -> bool | None:
        """Record that the job's outcome was posted. Return whether its server's log channel shows results.

        Changes nothing and returns None if its state or posting has changed since.
        """
        which = (jobs.c.id == job.id) & (jobs.c.state == job.state) & (jobs.c.posting == job.posting)
        values = {"announced_at": at, "version": jobs.c.version + int(visible)} | columns_of(changes)
        theirs = log_channels.c.guild_id == _returned(jobs.c.guild_id)
        shown = exists().where(theirs, log_channels.c.channel_id.is_not(None), log_channels.c.results)
        announce = update(jobs).where(which).values(values).returning(jobs, shown.label("shown"))
        row = (await self._session.execute(announce, named=True)).mappings().one_or_none()
        if row is None:
            return None
        changed_job(self._session, row)
        return bool(row["shown"])

    async def advance(
        self,
        job_id: str,
        expected: JobState | Collection[JobState],
        to: JobState,
        *,
        at: datetime,
        **changes: Unpack[JobChanges],
    ) -> Job | None:
        """Move the job from one of the `expected` states to `to`. Return None if it was in another state.

        Increments the version and clears `announced_at`. Raises `ValueError` if `NEXT_STATES` does not
        have the change.
        """
        states = [expected] if isinstance(expected, JobState) else list(expected)
        for state in states:
            if to not in NEXT_STATES[state]:
                raise ValueError(f"a job can't change from {state} to {to}")
        values = {"announced_at": None} | columns_of(changes)
        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(states))
            .values(state=to, changed_at=at, version=jobs.c.version + 1, **values)
            .returning(jobs)
        )

    async def start_running(
        self, job_id: str, expected: JobState, lane: str, at: datetime, **changes: Unpack[JobChanges]
    ) -> Started | None:
        """Move the job to running, as `advance` does, and tell what matters to its credits and its server."""
        if JobState.RUNNING not in NEXT_STATES[expected]:
            raise ValueError(f"a job does not go from {expected} to running")
        held = exists().where(holds.c.guild_id == _returned(jobs.c.guild_id))
        start = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == expected)
            .values(
                {"announced_at": None, "state": JobState.RUNNING, "changed_at": at}
                | {"version": jobs.c.version + 1}
                | columns_of(changes)
            )
            .returning(jobs, held.label("server_held"), _price(prices.c.charge, lane).label("last_charge"))
        )
        row = (await self._session.execute(start, named=True)).mappings().one_or_none()
        if row is None:
            return None
        return Started(changed_job(self._session, row), bool(row["server_held"]), row["last_charge"])

    async def finish_running(
        self, job_id: str, lane: str, **changes: Unpack[JobChanges]
    ) -> tuple[Job, int | None, datetime | None] | None:
        """Change a running job, as `update` does.

        Return it with the last charge for its price with the key of `lane`, and when that was first charged.
        """
        finish = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.RUNNING)
            .values({"version": jobs.c.version + 1} | columns_of(changes))
            .returning(
                jobs,
                _price(prices.c.charge, lane).label("last_charge"),
                _price(prices.c.at, lane).label("charged_at"),
            )
        )
        row = (await self._session.execute(finish, named=True)).mappings().one_or_none()
        if row is None:
            return None
        return changed_job(self._session, row), row["last_charge"], row["charged_at"]

    async def update(
        self,
        job_id: str,
        expected: JobState | None = None,
        *,
        visible: bool = False,
        **changes: Unpack[JobChanges],
    ) -> Job | None:
        """Change fields but not the state. `visible` increments the version, so that the card is updated.

        Changes nothing and returns None if the job is in another state than `expected`.
        """
        values = columns_of(changes)
        if visible:
            values["version"] = jobs.c.version + 1
        if not values:
            return await self.get(job_id)
        which = (
            (jobs.c.id == job_id) if expected is None else (jobs.c.id == job_id) & (jobs.c.state == expected)
        )
        return await self._one(update(jobs).where(which).values(values).returning(jobs))

    async def in_states(self, states: Collection[JobState], limit: int | None = None) -> list[Job]:
        """Return jobs in these states, oldest first."""
        query = select(jobs).where(jobs.c.state.in_(list(states))).order_by(jobs.c.number)
        return await self._all(query.limit(limit))

    async def repost(self, job_id: str, channel_id: int, at: datetime) -> Job | None:
        """Have a job's result posted again, in that channel. Return None if its output is not kept."""
        elsewhere = jobs.c.channel_id != channel_id
        kept = jobs.c.announced_at.is_not(None) & jobs.c.output_file.is_not(None)
        return await self._one(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.SUCCEEDED, kept)
            .values(
                posting=jobs.c.posting + 1,
                announced_at=None,
                changed_at=at,
                channel_id=channel_id,
                post_channel_id=None,
                in_thread=None,
                card_message_id=case((elsewhere, None), else_=jobs.c.card_message_id),
            )
            .returning(jobs)
        )


def _price(column: Column[Any], lane: str) -> ScalarSelect[Any]:
    """Return what is known of the job's price with the key of that lane."""
    tool, variant = _returned(jobs.c.tool), _returned(jobs.c.variant)
    same = (prices.c.lane == lane) & (prices.c.tool == tool) & (prices.c.variant == variant)
    return select(column).where(same).scalar_subquery()


def _returned(column: Column[Any]) -> ColumnElement[Any]:
    """Name a job's column with its table, for subqueries within RETURNING.

    SQLAlchemy leaves the table out there on SQLite: `tool = tool` would compare the inner table with itself.
    """
    return literal_column(f"{jobs.name}.{column.name}", column.type)


def _key_of(row: RowMapping) -> StudiiKey | None:
    if row["of_key_id"] is None:
        return None
    return StudiiKey(**{column.name: row[f"of_key_{column.name}"] for column in studii_keys.c})
