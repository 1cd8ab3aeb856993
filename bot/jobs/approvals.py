"""Decisions of moderators: on requests before they start, and on results before they are posted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot import posts
from bot.catalog import Catalog
from bot.credits import budgets, ledger
from bot.errors import Refused
from bot.features import words
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
from bot.servers import access, notices

MAX_DECLINE_REASON_CHARACTERS = 200
REQUEST_OVER = lazy("That request has already ended, so there's nothing to decide. Nothing was charged.")
RELEASED = lazy("That result was already approved. Nothing was changed.")


def waiting(
    session: Session, guild_id: int, job_id: str, approver: MemberContext, *, result: bool
) -> list[Job]:
    """Return what waits for the member's decision: a job or those of its set, or a job's `result`.

    Raises `Refused` if nothing does.
    """
    job = _job_of(session, guild_id, job_id, approver)
    if result:
        if job.state is JobState.WITHHELD:
            raise Refused(
                lazy(
                    "That result isn't posted: it was declined, or no one decided in time. Moderators can "
                    "still post it with `/jobs` while it's kept. Nothing was changed."
                )
            )
        return [_with_result(job)]
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
    approver: MemberContext,
    requester: MemberContext | None,
    at: datetime,
    *,
    result: bool,
) -> list[Job]:
    """Let the job continue, with all of its set that wait with it, or be posted; or end them unpaid.

    They end if their requester may not run them any more; a result is withheld if they have left. `requester`
    is their context as it is now, None if they have left the server. Return the jobs that were decided on.
    Raises `Refused` if there are none any more, or if their credits are gone.
    """
    ledger.lock(session, guild_id)
    jobs = waiting(session, guild_id, job_id, approver, result=result)
    if result:
        if requester is None:
            gone = Reason(ReasonCode.RESULT_REQUESTER_LEFT)
            job = transitions.withhold_result(session, jobs[0].id, gone, at)
        else:
            job = transitions.release_result(session, jobs[0].id, at)
        return _decided(session, [job], approver, result=True)
    for job in jobs:
        if (objection := _objection(session, catalog, job, requester, at)) is not None:
            return _end(session, jobs, objection, approver, at)
    budget = budgets.state(session, guild_id, at)
    if budget.left < 0:
        raise Refused(
            lazy(
                "Not enough credits: the budget has been lowered since, and reserved credits exceed it by "
                "{credits}. Raise it with `/studii budget`, or decline the request.",
                credits=budgets.credits_message(-budget.left),
            )
        )
    return _decided(
        session, [transitions.approve(session, job.id, at) for job in jobs], approver, result=False
    )


def decline(
    session: Session,
    guild_id: int,
    job_id: str,
    approver: MemberContext,
    why: str | None,
    at: datetime,
    *,
    result: bool,
) -> list[Job]:
    """End the job unpaid, with all of its set that wait with it; or withhold the `result`. They read `why`.

    Raises `Refused` if it was decided on.
    """
    jobs = waiting(session, guild_id, job_id, approver, result=result)
    code = ReasonCode.RESULT_DECLINED if result else ReasonCode.DECLINED
    reason = Reason(code, {"detail": why[:MAX_DECLINE_REASON_CHARACTERS]} if why else {})
    if not result:
        return _end(session, jobs, reason, approver, at)
    return _decided(
        session, [transitions.withhold_result(session, jobs[0].id, reason, at)], approver, result=True
    )


def decides(session: Session, guild_id: int, approver: MemberContext, rules: access.AccessRules) -> bool:
    """Return whether the member may decide on results here, if there are any, or will be."""
    if not rules.may_approve(approver):
        return False
    return rules.wants_results or bool(queries.page(session, guild_id, None, 0, 1, states=UNSHOWN_STATES))


def kept_result(session: Session, guild_id: int, job_id: str, approver: MemberContext) -> Job:
    """Return a job whose result waits or was withheld, and is kept, for a member who may decide on it.

    Raises `Refused` otherwise.
    """
    job = _with_result(_job_of(session, guild_id, job_id, approver))
    if job.output_file is None:
        raise Refused(lazy("That result isn't kept any more, so there's nothing to post."))
    return job


def release_result(
    session: Session, guild_id: int, job_id: str, approver: MemberContext, at: datetime
) -> list[Job]:
    """Post a result that was withheld after all, or that waits. Raises `Refused` if it isn't kept."""
    job = kept_result(session, guild_id, job_id, approver)
    return _decided(session, [transitions.release_result(session, job.id, at)], approver, result=True)


def _job_of(session: Session, guild_id: int, job_id: str, approver: MemberContext) -> Job:
    """Return the job, in any state, if it is one on which the member may decide. Raises `Refused`."""
    job = queries.in_server(session, guild_id, job_id)
    if job.user_id == approver.user_id:
        raise Refused(lazy("You can't decide on your own job. Ask another moderator."))
    rules = access.of(session, guild_id)
    if not rules.may_approve(approver):
        raise Refused(
            lazy(
                "Only members with Manage Messages can decide on that here. An admin can change this with "
                "`/studii moderation`."
            )
            if rules.settings.approver_role is None
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
    # As it was asked for, with the requester's present context.
    request = JobRequest(
        job.guild_id,
        job.channel_id,
        job.user_id,
        job.tool,
        job.inputs,
        job.source,
        private=job.private,
        context=requester,
        photo_author=job.photo_author,
    )
    refusing = access.refusing_photos(session, [job.photo_author or UNKNOWN_MEMBER])
    try:
        access.ensure_may(may, request, tool, author_refuses=bool(refusing))
    except Refused:
        return Reason(ReasonCode.ACCESS_CHANGED)
    rule = words.met(words.rules(session, job.guild_id), tool.texts(request.inputs))
    refused = rule is not None and rule.effect is words.WordEffect.REFUSE
    return Reason(ReasonCode.WORDS_CHANGED) if refused else None


def _end(
    session: Session, jobs: Sequence[Job], reason: Reason, approver: MemberContext, at: datetime
) -> list[Job]:
    ended = [
        transitions.fail_unpaid(session, job.id, JobState.PENDING, FailureCode.DECLINED, reason, at)
        for job in jobs
    ]
    return _decided(session, ended, approver, result=False)


def _with_result(job: Job) -> Job:
    """Return the job if moderators have not let its result be posted. Raises `Refused` otherwise."""
    if job.state not in (JobState.REVIEWING, JobState.WITHHELD):
        raise Refused(
            RELEASED if job.state is JobState.SUCCEEDED else lazy("That job has no result to decide on.")
        )
    return job


def _decided(
    session: Session, jobs: Sequence[Job | None], approver: MemberContext, *, result: bool
) -> list[Job]:
    """Return the jobs as they are after the decision, and keep for the message that asked who decided.

    Raises `Refused` if there was another decision before.
    """
    decided = [job for job in jobs if job is not None]
    if not decided:
        raise Refused(RELEASED if result else REQUEST_OVER)
    job = decided[0]
    about = (
        (notices.NoticeKind.REVIEW, job.id) if result else (notices.NoticeKind.APPROVAL, job.set_id or job.id)
    )
    if (post := posts.get(session, job.guild_id, *about)) is not None:
        post.details = {**post.details, notices.DECIDED_BY: approver.user_id}
    return decided
