"""Rows of the table of jobs, and what they are in the domain."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Integer, Select, Update, bindparam, func, select
from sqlalchemy.engine import RowMapping

from bot.domain import NEXT_STATES, TERMINAL_STATES, FailureCode, Job, JobState, SourcePhoto
from bot.domain.approvals import Approval
from bot.reasons import Reason
from bot.storage.database.repository import Repository
from bot.storage.database.session import Session
from bot.storage.database.unreadable import json_object
from bot.storage.schema import jobs

JOB_KEY = (jobs.c.number,)
LAST_WORDS = (*TERMINAL_STATES, JobState.UNKNOWN)  # the states in which a message says how a job ended
LIMIT = bindparam("limit", type_=Integer)
NEEDS_FILES = (
    jobs.c.source_file.is_not(None)
    | jobs.c.output_file.is_not(None)
    | jobs.c.state.in_((JobState.RECEIVED, JobState.RUNNING))
)
_FIELDS = tuple(field.name for field in fields(Job) if field.name != "source")
_SOME = select(jobs).where(jobs.c.id.in_(bindparam("job_ids", expanding=True)))
_SOURCE = {
    "source_url": "url",
    "source_name": "filename",
    "source_type": "content_type",
    "source_size": "size",
    "source_message_id": "message_id",
    "source_channel_id": "channel_id",
}


class JobChanges(TypedDict, total=False):
    """The fields of a job that may change. Its state and credits are changed by methods of their own."""

    source: SourcePhoto | None
    charged: int | None
    not_before: datetime | None
    held: Reason | None
    attempts: int
    source_file: str | None
    key_id: int | None
    object_key: str | None
    studii_id: str | None
    status_url: str | None
    studii_status: str | None
    submitted_at: datetime | None
    output_url: str | None
    output_kind: str | None
    output_file: str | None
    finished_at: datetime | None
    failure: FailureCode | None
    failure_text: Reason | None
    card_message_id: int | None
    card_version: int
    posting: int
    result_message_id: int | None
    announced_at: datetime | None
    cancel_told: bool | None
    epoch: int | None
    card_superseded_at: datetime | None
    post_channel_id: int | None
    result_channel_id: int | None
    in_thread: bool | None
    result_by_dm: bool | None
    result_approval: Approval | None
    set_message: int | None


class JobRows(Repository):
    """Reads and changes jobs within one transaction."""

    async def some(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Return the jobs that exist, by id."""
        return {job.id: job for job in await self._all(_SOME, {"job_ids": list(job_ids)})}

    async def _lock_servers_of(self, job_ids: Collection[str]) -> None:
        if len(job_ids) > 1:
            await lock_servers_of(self._session, jobs.c.id.in_(list(job_ids)))

    async def _one(
        self, statement: Select[Any] | Update, values: Mapping[str, Any] | None = None
    ) -> Job | None:
        if isinstance(statement, Update):
            row = await self._one_row(statement, values, named=True)
            return None if row is None else changed_job(self._session, row)
        return next(iter(await self._all(statement, values)), None)

    async def _all(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Job]:
        return await self._session.rows(query, job_of, JOB_KEY, values)


async def lock_servers_of(session: Session, which: ColumnElement[bool]) -> None:
    """Take the locks of these jobs' servers before several of the jobs are changed.

    `bot.credits.ledger.lock` has the order of all locks.
    """
    if session.beside_others:
        mine = select(jobs.c.guild_id).where(which).distinct()
        servers = mine.order_by(jobs.c.guild_id).subquery("servers")
        await session.execute(select(func.pg_advisory_xact_lock(servers.c.guild_id)))


def changed_job(session: Session, row: RowMapping) -> Job:
    """Return the job of a row that a statement has changed, and name it."""
    job = session.changes.jobs[row["id"]] = job_of(row)
    return job


def columns_of_move(
    states: Collection[JobState], to: JobState, at: datetime, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of a job's columns after it has moved from one of the states to `to`.

    What was posted of the earlier state is not of this one. Raises `ValueError` if `NEXT_STATES` does not
    have the change.
    """
    for state in states:
        if to not in NEXT_STATES[state]:
            raise ValueError(f"a job can't change from {state} to {to}")
    return {"state": to, "changed_at": at, "announced_at": None} | columns_of(changes)


def job_of(row: RowMapping, inputs: Mapping[str, str] | None = None) -> Job:
    """Return the job of a row, with `inputs` in place of the row's if they are given."""
    values: dict[str, Any] = {name: row[name] for name in _FIELDS if name != "inputs"}
    values["inputs"] = json_object(row["inputs"]) if inputs is None else inputs
    if row["source_url"] is not None:
        values["source"] = SourcePhoto(**{name: row[column] for column, name in _SOURCE.items()})
    else:
        values["source"] = None
    return Job(**values)


def row_of(job: Job) -> dict[str, Any]:
    row = {name: getattr(job, name) for name in _FIELDS} | _source_columns(job.source)
    return row | {"inputs": dict(job.inputs), "reserved": 0, "settled": 0}


def columns_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = changes.keys() - JobChanges.__annotations__.keys()
    if unknown:
        raise ValueError(f"these fields of a job can't be changed: {', '.join(sorted(unknown))}")
    columns = dict(changes)
    if "source" in columns:
        columns |= _source_columns(columns.pop("source"))
    return columns


def _source_columns(source: SourcePhoto | None) -> dict[str, Any]:
    return {column: getattr(source, name, None) for column, name in _SOURCE.items()}
