"""Actions of members, moderators and admins on accepted jobs: list, cancel, post, and rule on them.

Moderators decide on requests before they start, and on results before they are posted.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot import posts
from bot.catalog import Catalog
from bot.credits import budgets, ledger
from bot.errors import Refused
from bot.features import words
from bot.jobs import queries, transitions
from bot.jobs.models import (
    SENT_STATES,
    UNKNOWN_MEMBER,
    UNSHOWN_STATES,
    FailureCode,
    Job,
    JobRequest,
    JobState,
    MemberContext,
)
from bot.languages import Message, lazy
from bot.reasons import Reason, ReasonCode
from bot.servers import access, notices

_log = logging.getLogger(__name__)

NOT_YOURS_TO_CANCEL = lazy(
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can cancel it."
)
ENDED = lazy("That job has already ended, so there's nothing to cancel.")
# With their pictures, buttons and filters they fit into the 40 components of a message.
JOBS_ON_A_PAGE = 5
MAX_CHARGE_CREDITS = 1_000_000


class CancelNoted(Refused):
    """The job is being sent to Studii: it is cancelled if that doesn't go through."""

    default = lazy(
        "This job is being sent to Studii right now. If Studii doesn't take it, it will be cancelled and "
        "cost nothing. If Studii takes it, the result will arrive."
    )


def page(
    session: Session,
    guild_id: int,
    user_id: int | None,
    number: int,
    states: Collection[JobState] | None = None,
    tool: str | None = None,
) -> tuple[list[Job], bool]:
    """Return a page of a member's jobs, or of all the server's (None), newest first, and whether there are
    older ones.

    Pages count from 0. Only jobs in these states and of this tool, if given, are on it.
    """
    first, most = max(0, number) * JOBS_ON_A_PAGE, JOBS_ON_A_PAGE + 1
    jobs = queries.page(session, guild_id, user_id, first, most, states=states, tool=tool)
    return jobs[:JOBS_ON_A_PAGE], len(jobs) > JOBS_ON_A_PAGE


def of_set(session: Session, set_id: str | None, guild_id: int) -> list[Job]:
    """Return the jobs of a set of the server, in the order in which they were asked for."""
    jobs = [] if set_id is None else queries.of_set(session, set_id)
    return [job for job in jobs if job.guild_id == guild_id]


def number_in_set(session: Session, job_id: str) -> int:
    """Return the place of the job's photo in its set, from 1; 0 if it is of no set."""
    job = queries.get(session, job_id)
    jobs = [] if job is None else of_set(session, job.set_id, job.guild_id)
    return next((number for number, one in enumerate(jobs, 1) if one.id == job_id), 0)


def cancel(
    session: Session, job_id: str, guild_id: int, user_id: int, at: datetime, *, moderates: bool = False
) -> Job:
    """Cancel a job of the server that has not gone to Studii yet, and release its credits.

    Its requester may, and people who moderate. A cancelled job is returned as it is. One that is being sent
    to Studii is returned with `cancel_told`: it is cancelled if Studii doesn't take it (`ensure_cancelled`).
    Raises `Refused` with the reason.
    """
    job = queries.in_server(session, guild_id, job_id)
    if job.user_id != user_id and not moderates:
        raise Refused(NOT_YOURS_TO_CANCEL)
    if job.state is JobState.CANCELLED:
        return job
    told = job.user_id == user_id  # those who cancel their own job know it; others are told
    changed = transitions.cancel(session, job.id, at, told=told) or transitions.change(
        session, job.id, JobState.SUBMITTING, visible=True, cancel_told=told
    )
    if changed is not None:
        return changed
    if job.state is JobState.REVIEWING:
        raise Refused(
            lazy("Studii has already made this, so you can't cancel it. The result waits for a moderator.")
        )
    raise Refused(
        lazy("Studii already has this job, so you can't cancel it. The result will arrive automatically.")
        if job.state in SENT_STATES
        else ENDED
    )


def ensure_cancelled(job: Job) -> Job:
    """Return the job. Raises `CancelNoted` if it depends on Studii now whether it is cancelled."""
    if job.state is not JobState.CANCELLED:
        raise CancelNoted
    _log.info("Job %s is cancelled", job.id)
    return job


def cancel_set(
    session: Session, set_id: str, guild_id: int, user_id: int, at: datetime, *, moderates: bool
) -> int:
    """Cancel those jobs of a set that have not gone to Studii yet, and return how many.

    Its requester may, and people who moderate. Raises `Refused` with the reason.
    """
    ledger.lock(session, guild_id)
    jobs = of_set(session, set_id, guild_id)
    if not jobs:
        raise Refused(queries.UNKNOWN_JOB)
    if any(job.user_id != user_id for job in jobs) and not moderates:
        raise Refused(NOT_YOURS_TO_CANCEL)
    return sum(transitions.cancel(session, job.id, at, told=True) is not None for job in jobs)


def post_here(session: Session, job_id: str, user_id: int, channel_id: int, at: datetime) -> Job:
    """Post the result of one's own job, which could not be posted, in that channel.

    Raises `Refused` if the result is not kept (any more), or is another member's.
    """
    job = queries.get(session, job_id)
    if job is None:
        raise Refused(queries.UNKNOWN_JOB)
    if job.user_id != user_id:
        raise Refused(lazy("Only the person who asked for this can post it."))
    posted = transitions.repost(session, job_id, channel_id, at)
    if posted is None:
        raise Refused(
            lazy("That result was already posted, or has been deleted. Run it again to get a new one.")
        )
    return posted


def rule(session: Session, guild_id: int, job_id: str, charge: int | None, at: datetime) -> Job:
    """Settle a job of unknown outcome at `charge` credits, or release it if Studii never took it: None.

    Raises `Refused` if it was settled before.
    """
    if charge is not None and not 0 <= charge <= MAX_CHARGE_CREDITS:
        raise Refused(
            lazy(
                "The charge must be a whole number from 0 to {most}. Nothing was settled.",
                most=MAX_CHARGE_CREDITS,
            )
        )
    job = queries.in_server(session, guild_id, job_id)
    code = ReasonCode.RULED_RELEASED if charge is None else ReasonCode.RULED_CHARGED
    ruled = transitions.apply_ruling(session, job.id, charge, Reason(code), at)
    if ruled is None:
        raise Refused(_settled(job))
    return ruled


def ensure_unruled(session: Session, guild_id: int, job_id: str) -> Job:
    """Return the job if it is still to be ruled on. Raises `Refused` otherwise."""
    job = queries.in_server(session, guild_id, job_id)
    if job.state is not JobState.UNKNOWN:
        raise Refused(_settled(job))
    return job


def _settled(job: Job) -> Message:
    if job.state in (JobState.RUNNING, JobState.SUCCEEDED, *UNSHOWN_STATES):
        return lazy("Studii's answer has arrived, so there's nothing to settle any more.")
    if job.state is not JobState.FAILED:
        return lazy("That job doesn't need to be settled.")
    if not job.settled:
        return lazy("That was already settled: nothing was charged. Nothing was changed.")
    charged = budgets.credits_message(job.settled)
    return lazy("That was already settled: charged {credits}. Nothing was changed.", credits=charged)


MAX_DECLINE_REASON_CHARACTERS = 200
OWN = lazy("You can't decide on your own job. Ask another moderator.")
REQUEST_OVER = lazy("That request has already ended, so there's nothing to decide. Nothing was charged.")
RELEASED = lazy("That result was already approved. Nothing was changed.")
WITHHELD = lazy(
    "That result isn't posted: it was declined, or no one decided in time. Moderators can still post it with "
    "`/jobs` while it's kept. Nothing was changed."
)


def waiting(
    session: Session, guild_id: int, job_id: str, approver: MemberContext, *, result: bool
) -> list[Job]:
    """Return what waits for the member's decision: a job or those of its set, or a job's `result`.

    Raises `Refused` if nothing does.
    """
    job = _job_of(session, guild_id, job_id, approver)
    if result:
        if job.state is JobState.WITHHELD:
            raise Refused(WITHHELD)
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
        about, gone = (session, jobs[0].id), Reason(ReasonCode.RESULT_REQUESTER_LEFT)
        if requester is None:
            job = transitions.withhold_result(*about, gone, at)
        else:
            job = transitions.release_result(*about, at)
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
    approved = [transitions.approve(session, job.id, at) for job in jobs]
    return _decided(session, approved, approver, result=False)


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
    """End the job, with all of its set that wait with it, unpaid; or withhold the `result`. `why` is told.

    Raises `Refused` if it was decided on.
    """
    jobs = waiting(session, guild_id, job_id, approver, result=result)
    code = ReasonCode.RESULT_DECLINED if result else ReasonCode.DECLINED
    reason = Reason(code, {"detail": why[:MAX_DECLINE_REASON_CHARACTERS]} if why else {})
    if not result:
        return _end(session, jobs, reason, approver, at)
    withheld = transitions.withhold_result(session, jobs[0].id, reason, at)
    return _decided(session, [withheld], approver, result=True)


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
        raise Refused(OWN)
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
    refused = rule is not None and rule.effect is words.WordEffect.REFUSE
    return Reason(ReasonCode.WORDS_CHANGED) if refused else None


def _end(
    session: Session, jobs: Sequence[Job], reason: Reason, approver: MemberContext, at: datetime
) -> list[Job]:
    state, code = JobState.PENDING, FailureCode.DECLINED
    ended = [transitions.fail_unpaid(session, job.id, state, code, reason, at) for job in jobs]
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
