"""The transitions of a running job after a poll, with its charge, the key's price and the budget.

`lane` is that of the key with which the job was polled.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.credits import charges
from bot.credits.budgets import watch_budget
from bot.jobs import lanes
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.queries import find
from bot.jobs.transitions import charge_of, fail_paid
from bot.reasons import Reason
from bot.studii import JobReport


class LastAnswer(NamedTuple):
    """The job after its last answer, or None if it was not running any more.

    `repriced`: other reservations may have changed, or other jobs waited for this answer.
    """

    job: Job | None
    repriced: bool


def record_status(
    session: Session, catalog: Catalog, lane: str, job_id: str, report: JobReport, at: datetime
) -> Job | None:
    """Store the status of a job that Studii is still working on, and the charge if none was known."""
    lanes.lock(session, lane)  # its price may change
    job = find(session, job_id, JobState.RUNNING)
    if job is not None:
        job.version, job.studii_status = job.version + 1, report.status
        charges.told_while_running(session, catalog, lane, job, report.credits_charged, at)
    return job


def record_output(
    session: Session, catalog: Catalog, lane: str, job_id: str, report: JobReport, at: datetime
) -> LastAnswer:
    """Store the address of the output, and the last charge. The job runs until the output is here."""
    lanes.lock(session, lane)  # its price may change
    job = find(session, job_id, JobState.RUNNING)
    if job is None:
        return LastAnswer(None, repriced=False)
    told, charge = report.credits_charged, charge_of(job, report.credits_charged)
    repriced = charges.told_at_end(session, catalog, lane, job, told, at, completed=True)
    job.version, job.studii_status, job.charged = job.version + 1, report.status, charge
    job.output_url, job.output_kind = report.output_url, report.output_kind
    if repriced:
        watch_budget(session, job.guild_id, at)
    return LastAnswer(job, repriced)


def fail_running(
    session: Session,
    catalog: Catalog,
    lane: str,
    job_id: str,
    code: FailureCode,
    reason: Reason,
    at: datetime,
    *,
    told: int | None,
) -> LastAnswer:
    """Fail a running job at its charge. `told` is the one in the last answer, if that told it."""
    if told is not None:
        lanes.lock(session, lane)  # its price may change
    job = find(session, job_id, JobState.RUNNING)
    if job is None:
        return LastAnswer(None, repriced=False)
    charge, repriced = charge_of(job, told), job.charged is None
    # Others may have waited for the price, whether this answer told it or not.
    if told is not None:
        repriced = charges.told_at_end(session, catalog, lane, job, told, at, completed=False)
    return LastAnswer(fail_paid(session, job_id, code, reason, charge, at), repriced)
