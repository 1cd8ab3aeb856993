"""Decide on requests that wait for a moderator's approval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.credits import budgets, ledger
from bot.errors import Refused
from bot.features.wording import credits_message
from bot.features.words import WordEffect, met_by
from bot.jobs import queries, transitions
from bot.jobs.models import UNKNOWN_MEMBER, FailureCode, Job, JobRequest, JobState, MemberContext
from bot.languages import lazy
from bot.reasons import Reason, ReasonCode
from bot.servers import access
from bot.servers.access import ensure_may
from bot.services.service import ToolService, job_in_server
from bot.storage import Transaction

MAX_DECLINE_REASON_CHARACTERS = 200
OWN = lazy("You can't decide on your own job. Ask another moderator.")
NOT_MODERATOR = lazy(
    "Only members with Manage Messages can decide on that here. An admin can change this with "
    "`/studii approval`."
)
NOT_APPROVER = lazy(
    "Only the approvers' role can decide on that here. An admin can change this with `/studii approval`."
)
ALREADY_APPROVED = lazy("That request was already approved.")
REQUEST_OVER = lazy("That request has already ended, so there's nothing to decide. Nothing was charged.")
LOWERED = lazy(
    "Not enough credits: the budget has been lowered since, and reserved credits exceed it by {credits}. "
    "Raise it with `/studii budget`, or decline the request."
)


@dataclass(frozen=True, slots=True)
class Approver:
    """A member who decides."""

    user_id: int
    roles: frozenset[int]
    manages: bool
    moderates: bool


class ApprovalService(ToolService):
    """Decides on requests."""

    async def open_request(self, guild_id: int, job_id: str, approver: Approver) -> Job:
        """Return the job, or the first of its set, if the member may decide on it now.

        Raises `Refused` otherwise.
        """
        async with self._storage.read() as transaction:
            return (await _pending(transaction, guild_id, job_id, approver))[0]

    async def approve(
        self, guild_id: int, job_id: str, approver: Approver, requester: MemberContext | None
    ) -> list[Job]:
        """Let the job continue, with all of its set that wait with it; or end them unpaid.

        They end if their requester may not run them any more. `requester` is their context as it is now, None
        if they have left the server. Return the jobs that were decided on. Raises `Refused` if there are none
        any more, or if their credits are gone.
        """
        async with self._changing() as transaction:
            await transaction.run(ledger.lock, guild_id)
            jobs = await _pending(transaction, guild_id, job_id, approver)
            now = self._clock.now()
            objections = [await self._objection(transaction, job, requester, now) for job in jobs]
            objection = next((one for one in objections if one is not None), None)
            if objection is None:
                budget = await transaction.run(budgets.state, guild_id, now)
                if budget.left < 0:
                    raise Refused(LOWERED.using(credits=credits_message(-budget.left)))
                decided = [await transaction.run(transitions.approve, job.id, now) for job in jobs]
            else:
                decided = [await _end(transaction, job, objection, now) for job in jobs]
            return _those_decided(decided)

    async def decline(self, guild_id: int, job_id: str, approver: Approver, reason: str | None) -> list[Job]:
        """End the job, with all of its set that wait with it, unpaid and with the moderator's reason.

        Raises `Refused` if it was decided on.
        """
        told = declined_because(ReasonCode.DECLINED, reason)
        async with self._changing() as transaction:
            jobs = await _pending(transaction, guild_id, job_id, approver)
            now = self._clock.now()
            return _those_decided([await _end(transaction, job, told, now) for job in jobs])

    async def _objection(
        self, transaction: Transaction, job: Job, requester: MemberContext | None, at: datetime
    ) -> Reason | None:
        """Return why the job may not continue although it was accepted: rules may have changed since."""
        if requester is None:
            return Reason(ReasonCode.REQUESTER_LEFT)
        tool = self._catalog.tools.get(job.tool)
        if tool is None:
            return Reason(ReasonCode.ACCESS_CHANGED)
        config = (await transaction.servers.some([job.guild_id], at))[job.guild_id]
        if job.user_id in config.access.blocked:
            return Reason(ReasonCode.BLOCKED_MEANWHILE)
        request = _request_of(job, requester)
        authors = {job.photo_author} - {None, UNKNOWN_MEMBER, job.user_id}
        refusing = await transaction.run(access.refusing_photos, [one for one in authors if one is not None])
        try:
            ensure_may(config.access, request, tool, author_refuses=bool(refusing))
        except Refused:
            return Reason(ReasonCode.ACCESS_CHANGED)
        rule = met_by(config.words, request, tool)
        refused = rule is not None and rule.effect is WordEffect.REFUSE
        return Reason(ReasonCode.WORDS_CHANGED) if refused else None


async def _pending(transaction: Transaction, guild_id: int, job_id: str, approver: Approver) -> list[Job]:
    """Return the job, or those of its set, that wait for the member's decision. Raises `Refused`."""
    job = await job_to_decide_on(transaction, guild_id, job_id, approver)
    together = [job] if job.set_id is None else await transaction.run(queries.of_set, job.set_id)
    pending = [one for one in together if one.state is JobState.PENDING]
    if not pending:
        raise Refused(
            REQUEST_OVER if all(one.terminal and not one.settled for one in together) else ALREADY_APPROVED
        )
    return pending


def _those_decided(jobs: Sequence[Job | None]) -> list[Job]:
    decided = [job for job in jobs if job is not None]
    if not decided:
        raise Refused(REQUEST_OVER)
    return decided


async def job_to_decide_on(transaction: Transaction, guild_id: int, job_id: str, approver: Approver) -> Job:
    """Return the job, in any state, if it is one on which the member may decide. Raises `Refused`."""
    job = await job_in_server(transaction, guild_id, job_id)
    if job.user_id == approver.user_id:
        raise Refused(OWN)
    rules = await transaction.run(access.approvals, guild_id)
    if not rules.may_approve(approver.roles, manages=approver.manages, moderates=approver.moderates):
        raise Refused(NOT_MODERATOR if rules.approver_role is None else NOT_APPROVER)
    return job


def declined_because(code: ReasonCode, words: str | None) -> Reason:
    """Return the reason with that code, and with the moderator's own words if there are any."""
    return Reason(code, {"detail": words[:MAX_DECLINE_REASON_CHARACTERS]} if words else {})


async def _end(transaction: Transaction, job: Job, reason: Reason, at: datetime) -> Job | None:
    return await transaction.run(
        transitions.fail_unpaid, job.id, JobState.PENDING, FailureCode.DECLINED, reason, at
    )


def _request_of(job: Job, context: MemberContext) -> JobRequest:
    """Return what the job was asked for as a request, with the requester's present context."""
    return JobRequest(
        job.guild_id,
        job.channel_id,
        job.user_id,
        job.tool,
        job.inputs,
        job.source,
        private=job.private,
        context=context,
        photo_author=job.photo_author,
    )
