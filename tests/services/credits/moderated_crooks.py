"""Banks with one mistake each where moderators decide: none may go unnoticed."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.credits import budgets, ledger
from bot.credits.budgets import BudgetState
from bot.domain import FailureCode, Job, JobState
from bot.errors import Refused
from bot.lifecycle import transitions
from bot.lifecycle.transitions import make_ready, succeed
from bot.reasons import Reason
from bot.services.moderation import approvals
from bot.services.moderation.approvals import _end  # pyright: ignore[reportPrivateUsage]
from bot.storage import JobChanges, Transaction
from bot.storage.schema import jobs
from tests.services.credits.bank import Bank, write
from tests.services.credits.moderating_bank import MODERATOR
from tests.support.jobs import known

_APPROVALS = "bot.services.moderation.approvals"


async def ready_at_once(transaction: Transaction, job: Job, source_file: str | None, at: datetime) -> Any:
    return await make_ready(transaction, replace(job, approval=None), source_file, at)


class SendsWithoutApproval(Bank):
    replaced = (("tests.services.credits.moderating_bank.make_ready", ready_at_once),)


async def reserved_again(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    approved = await transitions.approve(transaction, job, at)
    await transaction.run(ledger.correct, [job.id], 2 * job.reserved, at)
    return approved


class ReservesAgainWithApproval(Bank):
    replaced = ((f"{_APPROVALS}.approve", reserved_again),)


async def charged(transaction: Transaction, job: Job, reason: Reason, at: datetime) -> Job | None:
    ended = await _end(transaction, job, reason, at)
    if ended is not None:
        again = update(jobs).where(jobs.c.id == job.id).values(reserved=job.reserved, resolved_at=None)
        await write(transaction, again)
        await transaction.run(ledger.settle, job, job.reserved, at)
    return ended


class ChargesWhatIsDeclined(Bank):
    replaced = ((f"{_APPROVALS}._end", charged),)


async def kept(transaction: Transaction, job: Job, reason: Reason, at: datetime) -> Job | None:
    failed, code = JobState.FAILED, FailureCode.DECLINED
    why = JobChanges(failure=code, failure_text=reason)
    return await transaction.jobs.advance(job.id, JobState.PENDING, failed, at=at, **why)


class KeepsWhatIsDeclinedReserved(Bank):
    replaced = ((f"{_APPROVALS}._end", kept),)


def never_below(session: Session, guild_id: int, at: datetime) -> BudgetState:
    state = budgets.state(session, guild_id, at)
    return replace(state, grants=state.grants + max(0, -state.left))


class ApprovesPastALoweredBudget(Bank):
    replaced = ((f"{_APPROVALS}.budgets", SimpleNamespace(state=never_below)),)


async def that_one_alone(transaction: Transaction, _: int, job_id: str, by: approvals.Approver) -> list[Job]:
    job = await transaction.jobs.get(job_id)
    if job is None or job.state is not JobState.PENDING:
        raise Refused(approvals.REQUEST_OVER)
    return [job]


class DecidesOnOneOfASet(Bank):
    replaced = ((f"{_APPROVALS}._pending", that_one_alone),)


class LetsThemApproveTheirOwn(Bank):
    async def approve(self, job_id: str, user_id: int, *, left: bool, by: Any = MODERATOR) -> list[Job]:
        return await super().approve(job_id, user_id, left=left)


class ApprovesForThoseWhoLeft(Bank):
    async def approve(self, job_id: str, user_id: int, *, left: bool, by: Any = MODERATOR) -> list[Job]:
        return await super().approve(job_id, user_id, left=False, by=by)


class RevivesWhatHasEnded(Bank):
    async def approve(self, job_id: str, user_id: int, *, left: bool, by: Any = MODERATOR) -> list[Job]:
        async with self.storage.write() as transaction:
            ended = (jobs.c.id == job_id) & (jobs.c.state == JobState.FAILED)
            await write(transaction, update(jobs).where(ended).values(state=JobState.PENDING))
        return await super().approve(job_id, user_id, left=left, by=by)


class ForgetsThatADayHasPassed(Bank):
    async def end_undecided(self) -> None: ...


class EndsUndecidedTooEarly(Bank):
    replaced = (("bot.engine.workers.housekeeping.APPROVAL_HOURS", 23),)


async def all_but_pending(transaction: Transaction, guild_id: int, at: datetime) -> int:
    unsent: Sequence[JobState] = (JobState.RECEIVED, JobState.WAITING)
    found = [job for job in await transaction.jobs.in_states(unsent) if job.guild_id == guild_id]
    return sum([await transitions.cancel(transaction, job, at) is not None for job in found])


class KeepsRequestsWithoutAKey(Bank):
    replaced = (("bot.services.keys.cancel_unsent", all_but_pending),)


async def unseen(transaction: Transaction, job: Job, file: str, kind: str, at: datetime) -> Job | None:
    return await succeed(transaction, replace(job, result_approval=None), file, kind, at)


class PostsWithoutALook(Bank):
    replaced = (("tests.services.credits.bank.succeed", unseen),)


async def unpaid(transaction: Transaction, job: Job, file: str, kind: str, at: datetime) -> Job | None:
    done = await succeed(transaction, job, file, kind, at)
    if done is not None and done.state is JobState.REVIEWING:
        before = update(jobs).where(jobs.c.id == job.id).values(reserved=done.settled, settled=0)
        await write(transaction, before)
    return done


class PaysWhenItIsLookedAt(Bank):
    replaced = (("tests.services.credits.bank.succeed", unpaid),)


class ReleasesWhatWasSettled(Bank):
    async def decline_result(self, job_id: str) -> Job:
        declined = await super().decline_result(job_id)
        async with self.storage.write() as transaction:
            await write(transaction, update(jobs).where(jobs.c.id == job_id).values(settled=0))
        return declined


class PaysAgainForAnApprovedResult(Bank):
    async def approve_result(self, job_id: str, *, left: bool) -> Job:
        approved = await super().approve_result(job_id, left=left)
        async with self.storage.write() as transaction:
            again = update(jobs).where(jobs.c.id == job_id)
            await write(transaction, again.values(reserved=approved.settled, resolved_at=None))
            await transaction.run(ledger.settle, await known(transaction, job_id), approved.settled, self.now)
        return approved


class HidesASecondDecision(Bank):
    async def decline_result(self, job_id: str) -> Job:
        with suppress(Refused):
            return await super().decline_result(job_id)
        return await super().release_result(job_id)


class PostsForThoseWhoLeft(Bank):
    async def approve_result(self, job_id: str, *, left: bool) -> Job:
        return await super().approve_result(job_id, left=False)
