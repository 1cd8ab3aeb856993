"""Jobs: as the database would give them, and such as are in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import base
from bot.credits import ledger
from bot.credits.ledger import Line, Window
from bot.db import Database
from bot.jobs import accept, queries
from bot.jobs.models import Hold, Job, JobState, SourcePhoto
from bot.reasons import Reason
from tests.support.clock import NOON
from tests.support.database import given

NOW = datetime(2026, 5, 4, 10, 30, 15, 123456, tzinfo=UTC)
TODAY = Window(NOW - timedelta(hours=10), NOW + timedelta(hours=10))
PHOTO = SourcePhoto("https://cdn.discordapp.com/attachments/1/2/room.png", "room.png", "image/png", 1000)

_numbers = count(1)


def a_job(**changes: Any) -> Job:
    """Return a new text-to-picture job with an id of its own, and with the changes.

    Nothing is reserved for it.
    """
    job = Job(
        id=f"{next(_numbers):016x}",
        guild_id=1,
        channel_id=2,
        user_id=3,
        tool="studio",
        inputs={"mode": "image", "prompt": "a cat"},
        variant="mode=image",
        source=None,
        private=False,
        state=JobState.RECEIVED,
        version=1,
        created_at=NOW,
        changed_at=NOW,
        estimate=5,
        reserved=0,
        settled=0,
    )
    return replace(job, **changes)


def staging(**changes: Any) -> Job:
    """Return a virtual staging job that was just accepted, with the changes."""
    job = a_job(
        id="00112233445566aa",
        guild_id=100,
        channel_id=200,
        user_id=300,
        tool="virtual-staging",
        inputs={"style": "modern", "room": "living"},
        variant="",
        source=PHOTO,
        created_at=NOON,
        changed_at=NOON,
        estimate=8,
        reserved=8,
    )
    return replace(job, **changes)


async def accepted(db: Database, **values: Any) -> Job:
    """Accept a job, with its estimate reserved."""
    job = a_job(**{"reserved": values.get("estimate", 5), **values})
    await db.write(given(accept.store, [job], NOW))
    return job


def keep_job(session: Session, job: Job) -> None:
    """Store a job as it is, without a line in the ledger."""
    session.merge(job)


def settle_job(session: Session, job_id: str, charge: int, at: datetime) -> Job:
    """Settle the job at that charge, in whatever state it is."""
    if (job := queries.find(session, job_id)) is None:
        raise ValueError(job_id)
    return ledger.settle(session, job, charge, at)


async def known(db: Database, job_id: str) -> Job:
    """Return the job as the transaction sees it."""
    job = await db.write(queries.get, job_id)
    assert job is not None
    return job


async def ledger_lines(db: Database, *, job_id: str | None = None, guild_id: int | None = None) -> list[Line]:
    """Return the ledger's lines of a job, of a server, or all, oldest first."""
    query = select(Line).order_by(Line.id)
    if job_id is not None:
        query = query.where(Line.job_id == job_id)
    if guild_id is not None:
        query = query.where(Line.guild_id == guild_id)
    return await db.write(lambda session: list(session.scalars(query)))


async def added(db: Database, **values: Any) -> Job:
    """Store a job as it is, without a line in the ledger."""
    job = a_job(**values)
    await db.write(given(keep_job, job))
    return job


def held(session: Session, guild_id: int, key_id: int, reason: Reason, until: datetime) -> None:
    """Let the server's key be one that Studii has just refused for that reason."""
    base.put(session, Hold, {"guild_id": guild_id}, key_id=key_id, reason=reason, until=until, tries=1)
    base.wake(session, ("holds",))
