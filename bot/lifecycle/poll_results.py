"""The transitions of a running job after a poll, with its charge, the key's price and the budget.

`lane` is that of the key with which the job was polled. `job` is as it was before the answer.
"""

from datetime import datetime
from typing import NamedTuple

from bot.catalog import Catalog
from bot.credits import charges
from bot.credits.budgets import watch_budget
from bot.domain import FailureCode, Job, JobState
from bot.lifecycle.transitions import charge_of, fail_paid
from bot.reasons import Reason
from bot.storage import Transaction
from bot.studii import JobReport


class LastAnswer(NamedTuple):
    """The job after its last answer, or None if it was not running any more.

    `repriced`: other reservations may have changed, or other jobs waited for this answer.
    """

    job: Job | None
    repriced: bool


async def record_status(
    transaction: Transaction, catalog: Catalog, lane: str, job: Job, report: JobReport, at: datetime
) -> Job | None:
    """Store the status of a job that Studii is still working on, and the charge if none was known."""
    await transaction.lanes.lock(lane)  # its price may change
    await transaction.run(charges.told_while_running, catalog, lane, job, report.credits_charged, at)
    running, status = JobState.RUNNING, report.status
    return await transaction.jobs.update(job.id, running, visible=True, studii_status=status)


async def record_output(
    transaction: Transaction, catalog: Catalog, lane: str, job: Job, report: JobReport, at: datetime
) -> LastAnswer:
    """Store the address of the output, and the last charge. The job runs until the output is here."""
    await transaction.lanes.lock(lane)  # its price may change
    told = report.credits_charged
    changed = await transaction.jobs.update(
        job.id,
        JobState.RUNNING,
        visible=True,
        studii_status=report.status,
        output_url=report.output_url,
        output_kind=report.output_kind,
        charged=charge_of(job, told),
    )
    if changed is None:
        return LastAnswer(None, repriced=False)
    repriced = await transaction.run(charges.told_at_end, catalog, lane, job, told, at, completed=True)
    if repriced:
        await transaction.run(watch_budget, job.guild_id, at)
    return LastAnswer(changed, repriced)


async def fail_running(
    transaction: Transaction,
    catalog: Catalog,
    lane: str,
    job: Job,
    code: FailureCode,
    reason: Reason,
    at: datetime,
    *,
    told: int | None,
) -> LastAnswer:
    """Fail a running job at its charge. `told` is the one in the last answer, if that told it."""
    if told is None:
        repriced = job.charged is None  # others may have waited for the price that this answer didn't tell
    else:
        await transaction.lanes.lock(lane)  # its price may change
        repriced = await transaction.run(charges.told_at_end, catalog, lane, job, told, at, completed=False)
    failed = await fail_paid(transaction, job, code, reason, charge_of(job, told), at)
    return LastAnswer(failed, repriced)
