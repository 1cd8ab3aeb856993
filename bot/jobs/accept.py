"""Store accepted jobs. Every command does this, so it is two bulk inserts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from bot.credits import ledger
from bot.jobs.models import Job

_JOBS = cast("Table", Job.__table__)
_COLUMNS = tuple(column.key for column in _JOBS.c if column.key != "number")


def store(session: Session, jobs: Sequence[Job], at: datetime) -> None:
    """Insert new jobs, in this order, with their estimates reserved.

    The caller holds the ledger's lock of their servers, and has checked the limits.
    """
    for job in jobs:
        job.reserved = job.estimate
    if jobs:
        session.execute(insert(_JOBS), [_row(job) for job in jobs])
        ledger.reserve(session, jobs, at)
        session.info["wakes"].update({("job", job.id): job for job in jobs})


def _row(job: Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in _COLUMNS}
