"""The table of jobs: one job, and each change of its state as one conditional UPDATE."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Unpack

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    ScalarSelect,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.engine import RowMapping

from bot.domain import Job, JobState
from bot.domain.approvals import Approval
from bot.servers.keys import StudiiKey
from bot.storage.jobs.rows import (
    JOB_KEY,
    LIMIT,
    JobChanges,
    JobRows,
    changed_job,
    columns_of,
    columns_of_move,
    job_of,
    row_of,
)
from bot.storage.schema import guilds, holds, jobs, log_channels, studii_keys

_KEY_COLUMNS = tuple(column.label(f"of_key_{column.name}") for column in studii_keys.c)


class Started(NamedTuple):
    """A job that Studii has, and whether its server's key is held."""

    job: Job
    server_held: bool


class Jobs(JobRows):
    """Jobs within one transaction."""

    async def add_all(self, new: Sequence[Job]) -> None:
        """Insert new jobs, in this order, without their reservations, which `ledger.reserve` makes."""
        if new:
            # Their reservations tell of them.
            await self._session.execute(_ADD, [row_of(job) for job in new], named=True)

    async def get(self, job_id: str) -> Job | None:
        return await self._one(_GET, {"job": job_id})

    async def of_set(self, set_id: str) -> list[Job]:
        """Return the jobs of a set, in the order in which they were asked for."""
        return await self._all(_OF_SET, {"set": set_id})

    async def with_key(self, job_id: str) -> tuple[Job | None, StudiiKey | None]:
        """Return the job, and the key that its server's new jobs use."""
        found = await self._session.rows(_WITH_KEY, _job_and_key_of, JOB_KEY, {"job": job_id})
        return next(iter(found), (None, None))

    async def make_ready(
        self, job_id: str, source_file: str | None, at: datetime, approval: Approval | None = None
    ) -> Job | None:
        """Move a received job to waiting, with the hold of its server's key if there is one.

        With `approval`, a pending one, and note that.

        Return None if it was in another state.
        """
        values: dict[str, Any] = {"changed_at": at, "announced_at": None, "source_file": source_file}
        if approval is None:
            expected = JobState.RECEIVED
        else:
            expected = JobState.PENDING
            values["approval"] = approval
        return await self._one(_MAKE_READY, {"job": job_id, "expected": expected, **values})

    async def announce(
        self, job: Job, at: datetime, *, visible: bool, **changes: Unpack[JobChanges]
    ) -> bool | None:
        """Record that the job's outcome was posted. Return whether its server's log channel shows results.

        Changes nothing and returns None if its state or posting has changed since.
        """
        which = {"job": job.id, "expected": job.state, "posted": job.posting}
        values = {**which, "more": int(visible), "announced_at": at} | columns_of(changes)
        row = await self._one_row(_ANNOUNCE, values, named=True)
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
        values = columns_of_move(states, to, at, changes)
        if len(states) == 1:
            return await self._one(_ADVANCE, {"job": job_id, "expected": states[0], **values})
        return await self._one(_ADVANCE_FROM_SOME, {"job": job_id, "states": states, **values})

    async def advance_read(
        self, job: Job, to: JobState, *, at: datetime, **changes: Unpack[JobChanges]
    ) -> Job:
        """Move a job that this transaction has read, as `advance` does.

        Raises `RuntimeError` if another process has changed it since.
        """
        moved = await self.advance(job.id, job.state, to, at=at, **changes)
        if moved is None:
            raise RuntimeError(f"job {job.id} changed within a transaction")
        return moved

    async def start_running(
        self, job_id: str, expected: JobState, at: datetime, **changes: Unpack[JobChanges]
    ) -> Started | None:
        """Move the job to running, as `advance` does, and return whether its server's key is held."""
        values = columns_of_move([expected], JobState.RUNNING, at, changes)
        row = await self._one_row(_START_RUNNING, {"job": job_id, "expected": expected} | values, named=True)
        return None if row is None else Started(changed_job(self._session, row), bool(row["server_held"]))

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
        if not (values or visible):
            return await self.get(job_id)
        which = {"job": job_id} if expected is None else {"job": job_id, "expected": expected}
        return await self._one(_UPDATES[expected is not None, visible], which | values)

    async def in_states(self, states: Collection[JobState], limit: int | None = None) -> list[Job]:
        """Return jobs in these states, oldest first."""
        query = _IN_STATES if limit is None else _FIRST_IN_STATES
        return await self._all(query, {"states": list(states), "limit": limit})

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


def _of_hold(column: Column[Any]) -> ScalarSelect[Any]:
    """Return what is known of the hold of the job's server."""
    return select(column).where(holds.c.guild_id == jobs.c.guild_id).correlate(jobs).scalar_subquery()


def _returned(column: Column[Any]) -> ColumnElement[Any]:
    """Name a job's column with its table, for subqueries within RETURNING.

    SQLAlchemy leaves the table out there on SQLite: `tool = tool` would compare the inner table with itself.
    """
    return literal_column(f"{jobs.name}.{column.name}", column.type)


def _job_and_key_of(row: RowMapping) -> tuple[Job, StudiiKey | None]:
    if row["of_key_id"] is None:
        return job_of(row), None
    key = {column.name: row[f"of_key_{column.name}"] for column in studii_keys.c}
    return job_of(row), StudiiKey(**key)


# Statements, made once (see `Session.execute`). What an UPDATE sets beside this comes with its values.
_IS_JOB = jobs.c.id == bindparam("job")
_IN_STATE = jobs.c.state == bindparam("expected")
_IS_IN_ONE = jobs.c.state.in_(bindparam("states", expanding=True))
_ONE_MORE = {"version": jobs.c.version + 1}

_ADD = insert(jobs)
_GET = select(jobs).where(_IS_JOB)
_OF_SET = select(jobs).where(jobs.c.set_id == bindparam("set")).order_by(jobs.c.number)
_IN_STATES = select(jobs).where(_IS_IN_ONE).order_by(jobs.c.number)
_FIRST_IN_STATES = _IN_STATES.limit(LIMIT)
_WITH_KEY = (
    select(jobs, *_KEY_COLUMNS)
    .join(guilds, guilds.c.guild_id == jobs.c.guild_id, isouter=True)
    .join(studii_keys, studii_keys.c.id == guilds.c.key_id, isouter=True)
    .where(_IS_JOB)
)
_UPDATE = update(jobs).where(_IS_JOB)
_UPDATE_IN_STATE = _UPDATE.where(_IN_STATE)
_MAKE_READY = _UPDATE_IN_STATE.values(
    state=JobState.WAITING,
    held=_of_hold(holds.c.reason),
    not_before=_of_hold(holds.c.until),
    key_id=func.coalesce(_of_hold(holds.c.key_id), jobs.c.key_id),
    **_ONE_MORE,
).returning(jobs)
_ADVANCE_READ = _UPDATE_IN_STATE.values(_ONE_MORE)
_ADVANCE = _ADVANCE_READ.returning(jobs)
_ADVANCE_FROM_SOME = _UPDATE.where(_IS_IN_ONE).values(_ONE_MORE).returning(jobs)
# By whether the state is given, and whether the version is incremented.
_UPDATES = {
    (False, False): _UPDATE.returning(jobs),
    (False, True): _UPDATE.values(_ONE_MORE).returning(jobs),
    (True, False): _UPDATE_IN_STATE.returning(jobs),
    (True, True): _ADVANCE,
}
_START_RUNNING = _ADVANCE_READ.returning(
    jobs, exists().where(holds.c.guild_id == _returned(jobs.c.guild_id)).label("server_held")
)
_ANNOUNCE = (
    _UPDATE_IN_STATE.where(jobs.c.posting == bindparam("posted"))
    .values(version=jobs.c.version + bindparam("more", type_=Integer))
    .returning(
        jobs,
        exists()
        .where(
            log_channels.c.guild_id == _returned(jobs.c.guild_id),
            log_channels.c.channel_id.is_not(None),
            log_channels.c.results,
        )
        .label("shown"),
    )
)
