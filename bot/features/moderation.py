"""Let moderators decide on requests before they start, and on results before they are posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.catalog import Catalog
from bot.credits import budgets, ledger
from bot.errors import Refused
from bot.features import words
from bot.features.wording import credits_message
from bot.features.words import WordEffect
from bot.jobs import queries, transitions
from bot.jobs.models import (
    UNKNOWN_MEMBER,
    UNSHOWN_STATES,
    FailureCode,
    Job,
    JobRequest,
    JobState,
    MemberContext,
)
from bot.languages import lazy
from bot.reasons import Reason, ReasonCode
from bot.servers import access

MAX_DECLINE_REASON_CHARACTERS = 200
OWN = lazy("You can't decide on your own job. Ask another moderator.")
REQUEST_OVER = lazy("That request has already ended, so there's nothing to decide. Nothing was charged.")
RELEASED = lazy("That result was already approved. Nothing was changed.")
WITHHELD = lazy(
    "That result isn't posted: it was declined, or no one decided in time. Moderators can still post it with "
    "`/jobs` while it's kept. Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class Approver:
    """A member who decides."""

    user_id: int
    roles: frozenset[int]
    manages: bool
    moderates: bool

    def may_decide(self, rules: access.ApprovalRules) -> bool:
        """Return whether they may decide on requests and results of others."""
        return rules.may_approve(self.roles, manages=self.manages, moderates=self.moderates)


def pending(session: Session, guild_id: int, job_id: str, approver: Approver) -> list[Job]:
    """Return the job, or those of its set, that wait for the member's decision. Raises `Refused`."""
    job = _job_of(session, guild_id, job_id, approver)
    together = [job] if job.set_id is None else queries.of_set(session, job.set_id)
    found = [one for one in together if one.state is JobState.PENDING]
    if not found:
        raise Refused(
            REQUEST_OVER
            if all(one.terminal and not one.settled for one in together)
            else lazy("That request was already approved.")
        )
    return found


def approve(
    session: Session,
    catalog: Catalog,
    guild_id: int,
    job_id: str,
    approver: Approver,
    requester: MemberContext | None,
    at: datetime,
) -> list[Job]:
    """Let the job continue, with all of its set that wait with it; or end them unpaid.

    They end if their requester may not run them any more. `requester` is their context as it is now, None if
    they have left the server. Return the jobs that were decided on. Raises `Refused` if there are none any
    more, or if their credits are gone.
    """
    ledger.lock(session, guild_id)
    jobs = pending(session, guild_id, job_id, approver)
    for job in jobs:
        if (objection := _objection(session, catalog, job, requester, at)) is not None:
            return _end(session, jobs, objection, at)
    budget = budgets.state(session, guild_id, at)
    if budget.left < 0:
        raise Refused(
            lazy(
                "Not enough credits: the budget has been lowered since, and reserved credits exceed it by "
                "{credits}. Raise it with `/studii budget`, or decline the request.",
                credits=credits_message(-budget.left),
            )
        )
    return _those_decided([transitions.approve(session, job.id, at) for job in jobs])


def decline(
    session: Session, guild_id: int, job_id: str, approver: Approver, reason: str | None, at: datetime
) -> list[Job]:
    """End the job, with all of its set that wait with it, unpaid and with the moderator's reason.

    Raises `Refused` if it was decided on.
    """
    jobs = pending(session, guild_id, job_id, approver)
    return _end(session, jobs, _declined(ReasonCode.DECLINED, reason), at)


def decides(session: Session, guild_id: int, approver: Approver, rules: access.ApprovalRules) -> bool:
    """Return whether the member may decide on results here, if there are any, or will be."""
    if not approver.may_decide(rules):
        return False
    return rules.wants_results or bool(queries.page(session, guild_id, None, 0, 1, states=UNSHOWN_STATES))


def waiting_result(session: Session, guild_id: int, job_id: str, approver: Approver) -> Job:
    """Return the job if its result waits for the member's decision. Raises `Refused` otherwise."""
    job = _job_of(session, guild_id, job_id, approver)
    if job.state is JobState.WITHHELD:
        raise Refused(WITHHELD)
    return _with_result(job)


def kept_result(session: Session, guild_id: int, job_id: str, approver: Approver) -> Job:
    """Return a job whose result waits or was withheld, and is kept, for a member who may decide on it.

    Raises `Refused` otherwise.
    """
    job = _with_result(_job_of(session, guild_id, job_id, approver))
    if job.output_file is None:
        raise Refused(lazy("That result isn't kept any more, so there's nothing to post."))
    return job


def approve_result(
    session: Session, guild_id: int, job_id: str, approver: Approver, at: datetime, *, left: bool
) -> Job:
    """Let a result that waits be posted. Withhold it if its requester has `left` the server.

    Raises `Refused` if it was decided on.
    """
    job, gone = waiting_result(session, guild_id, job_id, approver), Reason(ReasonCode.RESULT_REQUESTER_LEFT)
    if left:
        return _decided(transitions.withhold_result(session, job.id, gone, at))
    return _decided(transitions.release_result(session, job.id, at))


def decline_result(
    session: Session, guild_id: int, job_id: str, approver: Approver, reason: str | None, at: datetime
) -> Job:
    """Withhold a result that waits, with the reason. Raises `Refused` if it was decided on."""
    job = waiting_result(session, guild_id, job_id, approver)
    told = _declined(ReasonCode.RESULT_DECLINED, reason)
    return _decided(transitions.withhold_result(session, job.id, told, at))


def release_result(session: Session, guild_id: int, job_id: str, approver: Approver, at: datetime) -> Job:
    """Post a result that was withheld after all, or that waits. Raises `Refused` if it isn't kept."""
    job = kept_result(session, guild_id, job_id, approver)
    return _decided(transitions.release_result(session, job.id, at))


def _job_of(session: Session, guild_id: int, job_id: str, approver: Approver) -> Job:
    """Return the job, in any state, if it is one on which the member may decide. Raises `Refused`."""
    job = queries.in_server(session, guild_id, job_id)
    if job.user_id == approver.user_id:
        raise Refused(OWN)
    rules = access.approvals(session, guild_id)
    if not approver.may_decide(rules):
        raise Refused(
            lazy(
                "Only members with Manage Messages can decide on that here. An admin can change this with "
                "`/studii moderation`."
            )
            if rules.approver_role is None
            else lazy(
                "Only the approvers' role can decide on that here. An admin can change this with "
                "`/studii moderation`."
            )
        )
    return job


def _objection(
    session: Session, catalog: Catalog, job: Job, requester: MemberContext | None, at: datetime
) -> Reason | None:
    """Return why the job may not continue although it was accepted: rules may have changed since."""
    if requester is None:
        return Reason(ReasonCode.REQUESTER_LEFT)
    tool = catalog.tools.get(job.tool)
    if tool is None:
        return Reason(ReasonCode.ACCESS_CHANGED)
    may = access.of(session, job.guild_id, at)
    if job.user_id in may.blocked:
        return Reason(ReasonCode.BLOCKED_MEANWHILE)
    where = (job.guild_id, job.channel_id, job.user_id)
    # As it was asked for, with the requester's present context.
    request = JobRequest(
        *where,
        job.tool,
        job.inputs,
        job.source,
        private=job.private,
        context=requester,
        photo_author=job.photo_author,
    )
    authors = {job.photo_author} - {None, UNKNOWN_MEMBER, job.user_id}
    refusing = access.refusing_photos(session, [one for one in authors if one is not None])
    try:
        access.ensure_may(may, request, tool, author_refuses=bool(refusing))
    except Refused:
        return Reason(ReasonCode.ACCESS_CHANGED)
    rule = words.met(words.rules(session, job.guild_id), tool.texts(request.inputs))
    refused = rule is not None and rule.effect is WordEffect.REFUSE
    return Reason(ReasonCode.WORDS_CHANGED) if refused else None


def _declined(code: ReasonCode, words: str | None) -> Reason:
    """Return the reason with that code, and with the moderator's own words if there are any."""
    return Reason(code, {"detail": words[:MAX_DECLINE_REASON_CHARACTERS]} if words else {})


def _end(session: Session, jobs: Sequence[Job], reason: Reason, at: datetime) -> list[Job]:
    state, code = JobState.PENDING, FailureCode.DECLINED
    return _those_decided([transitions.fail_unpaid(session, job.id, state, code, reason, at) for job in jobs])


def _those_decided(jobs: Sequence[Job | None]) -> list[Job]:
    decided = [job for job in jobs if job is not None]
    if not decided:
        raise Refused(REQUEST_OVER)
    return decided


def _with_result(job: Job) -> Job:
    """Return the job if moderators have not let its result be posted. Raises `Refused` otherwise."""
    if job.state not in (JobState.REVIEWING, JobState.WITHHELD):
        raise Refused(
            RELEASED if job.state is JobState.SUCCEEDED else lazy("That job has no result to decide on.")
        )
    return job


def _decided(job: Job | None) -> Job:
    """Return the job as it is after the decision. Raises `Refused` if there was another one before."""
    if job is None:
        raise Refused(RELEASED)
    return job
