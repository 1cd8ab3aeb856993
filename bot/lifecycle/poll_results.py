"""The transitions of a running job after a poll, with its charge, the key's price and the budget.

`prices` are those with the key with which the job was polled. `job` is as it was before the answer.
"""

from typing import NamedTuple

from bot.domain import FailureCode, Job, JobState
from bot.lifecycle.budget_alerts import watch_budget
from bot.lifecycle.prices import KeyPrices
from bot.lifecycle.transitions import charge_of, fail_paid
from bot.reasons import Reason
from bot.studii import JobReport


class LastAnswer(NamedTuple):
    """The job after its last answer, or None if it was not running any more.

    `repriced`: other reservations may have changed, or other jobs waited for this answer.
    """

    job: Job | None
    repriced: bool


async def record_status(prices: KeyPrices, job: Job, report: JobReport) -> Job | None:
    """Store the status of a job that Studii is still working on, and the charge if none was known."""
    await prices.transaction.lanes.lock(prices.lane)  # its price may change
    await prices.learn_while_running(job, report.credits_charged)
    jobs = prices.transaction.jobs
    return await jobs.update(job.id, JobState.RUNNING, visible=True, studii_status=report.status)


async def record_output(prices: KeyPrices, job: Job, report: JobReport) -> LastAnswer:
    """Store the address of the output, and the last charge. The job runs until the output is here."""
    transaction = prices.transaction
    await transaction.lanes.lock(prices.lane)  # its price may change
    finished = await transaction.jobs.finish_running(
        job.id,
        prices.lane,
        studii_status=report.status,
        output_url=report.output_url,
        output_kind=report.output_kind,
        charged=charge_of(job, report.credits_charged),
    )
    if finished is None:
        return LastAnswer(None, repriced=False)
    changed, before, since = finished
    repriced = await prices.learn_at_end(job, report.credits_charged, (before, since), completed=True)
    if repriced:
        await watch_budget(transaction, job.guild_id, prices.at)
    return LastAnswer(changed, repriced)


async def fail_running(
    prices: KeyPrices, job: Job, code: FailureCode, reason: Reason, *, told: int | None
) -> LastAnswer:
    """Fail a running job at its charge. `told` is the one in the last answer, if that told it."""
    transaction = prices.transaction
    if told is None:
        repriced = job.charged is None  # others may have waited for the price that this answer didn't tell
    else:
        await transaction.lanes.lock(prices.lane)  # its price may change
        last = await transaction.prices.last(prices.lane, job.tool, job.variant)
        repriced = await prices.learn_at_end(job, told, last, completed=False)
    failed = await fail_paid(transaction, job, code, reason, charge_of(job, told), prices.at)
    return LastAnswer(failed, repriced)
