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
from bot.errors import Refused
from bot.features import moderation
from bot.features.moderation import _end  # pyright: ignore[reportPrivateUsage]
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, jobs
from bot.jobs.transitions import approve, succeed
from bot.reasons import Reason
from tests.services.credits.bank import Bank, write
from tests.services.credits.moderating_bank import MODERATOR
from tests.support.jobs import settle_job

_MODERATION = "bot.features.moderation"


def ready_at_once(session: Session, job_id: str, source_file: str | None, at: datetime) -> Job | None:
    states = (JobState.RECEIVED, JobState.WAITING)
    return transitions.advance(session, job_id, *states, at=at, source_file=source_file)


class SendsWithoutApproval(Bank):
    replaced = (("bot.jobs.transitions.make_ready", ready_at_once),)


def reserved_again(session: Session, job_id: str, at: datetime) -> Job | None:
    if (approved := approve(session, job_id, at)) is not None:
        ledger.correct(session, [approved], 2 * approved.reserved, at)
    return approved


class ReservesAgainWithApproval(Bank):
    replaced = (("bot.jobs.transitions.approve", reserved_again),)


def charged(session: Session, pending: Sequence[Job], reason: Reason, at: datetime) -> list[Job]:
    reserved = [job.reserved for job in pending]
    ended = _end(session, pending, reason, at)
    for job, amount in zip(ended, reserved, strict=True):
        job.reserved, job.resolved_at = amount, None
        session.flush()
        settle_job(session, job.id, amount, at)
    return ended


class ChargesWhatIsDeclined(Bank):
    replaced = ((f"{_MODERATION}._end", charged),)


def kept(session: Session, pending: Sequence[Job], reason: Reason, at: datetime) -> list[Job]:
    before, after = JobState.PENDING, JobState.FAILED
    why = {"failure": FailureCode.DECLINED, "failure_text": reason}
    ended = [transitions.advance(session, job.id, before, after, at=at, **why) for job in pending]
    return [job for job in ended if job is not None]


class KeepsWhatIsDeclinedReserved(Bank):
    replaced = ((f"{_MODERATION}._end", kept),)


def never_below(session: Session, guild_id: int, at: datetime) -> BudgetState:
    state = budgets.state(session, guild_id, at)
    return replace(state, grants=state.grants + max(0, -state.left))


class ApprovesPastALoweredBudget(Bank):
    replaced = ((f"{_MODERATION}.budgets", SimpleNamespace(state=never_below)),)


def that_one_alone(session: Session, _: int, job_id: str, by: moderation.Approver) -> list[Job]:
    job = queries.get(session, job_id)
    if job is None or job.state is not JobState.PENDING:
        raise Refused(moderation.REQUEST_OVER)
    return [job]


class DecidesOnOneOfASet(Bank):
    replaced = ((f"{_MODERATION}.pending", that_one_alone),)


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


def all_but_pending(session: Session, guild_id: int, at: datetime) -> int:
    unsent: Sequence[JobState] = (JobState.RECEIVED, JobState.WAITING)
    found = [job for job in queries.in_states(session, unsent) if job.guild_id == guild_id]
    return sum(transitions.cancel(session, job.id, at) is not None for job in found)


class KeepsRequestsWithoutAKey(Bank):
    replaced = (("bot.jobs.transitions.cancel_unsent", all_but_pending),)


def unseen(session: Session, job_id: str, file: str, kind: str, at: datetime) -> Job | None:
    if (job := queries.find(session, job_id)) is not None:
        job.result_approval = None
    return succeed(session, job_id, file, kind, at)


class PostsWithoutALook(Bank):
    replaced = (("bot.jobs.transitions.succeed", unseen),)


def unpaid(session: Session, job_id: str, file: str, kind: str, at: datetime) -> Job | None:
    done = succeed(session, job_id, file, kind, at)
    if done is not None and done.state is JobState.REVIEWING:
        done.reserved, done.settled = done.settled, 0
    return done


class PaysWhenItIsLookedAt(Bank):
    replaced = (("bot.jobs.transitions.succeed", unpaid),)


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
            await transaction.run(settle_job, job_id, approved.settled, self.now)
        return approved


class HidesASecondDecision(Bank):
    async def decline_result(self, job_id: str) -> Job:
        with suppress(Refused):
            return await super().decline_result(job_id)
        return await super().release_result(job_id)


class PostsForThoseWhoLeft(Bank):
    async def approve_result(self, job_id: str, *, left: bool) -> Job:
        return await super().approve_result(job_id, left=False)
