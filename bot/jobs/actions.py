"""Actions of members, moderators and admins on accepted jobs: list, cancel, post, and rule on them."""

import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from bot.credits import budgets, ledger
from bot.errors import Refused
from bot.jobs import queries, transitions
from bot.jobs.models import SENT_STATES, UNSHOWN_STATES, Job, JobState
from bot.languages import Message, lazy
from bot.reasons import Reason, ReasonCode

_log = logging.getLogger(__name__)

NOT_YOURS_TO_CANCEL = lazy(
    "Only the person who asked for this, or a moderator (Manage Messages or Manage Server), can cancel it."
)
# With their pictures, lists and buttons they fit into the 40 components of a message.
JOBS_ON_A_PAGE = 9
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
        else lazy("That job has already ended, so there's nothing to cancel.")
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
    return lazy(
        "That was already settled: charged {credits}. Nothing was changed.",
        credits=budgets.credits_message(job.settled),
    )
