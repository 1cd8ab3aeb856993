"""Erasing: prompts and links of old jobs, what is kept of a member, keys, and all data of a server.

Servers that remove the bot lose their keys at once.

Amounts of credits stay until the server is erased.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, exists, func, select, update
from sqlalchemy.orm import Session

from bot import posts
from bot.base import metadata, wake
from bot.credits import budgets, ledger, requests
from bot.db import Database
from bot.features import styles
from bot.jobs import best_results, confirm, queries, thumbnails, transitions
from bot.jobs.models import (
    FORGOTTEN_MEMBER,
    SENT_STATES,
    TERMINAL_STATES,
    UNKNOWN_MEMBER,
    UNSHOWN_STATES,
    Approval,
    FailureCode,
    Job,
    JobState,
    jobs,
)
from bot.reasons import Reason, ReasonCode
from bot.servers import access, keys, notices, settings

Discard = Callable[..., Awaitable[None]]  # removes files from the spool by name
# Studii has the photo then, so it is kept for being shown beside the result alone.
_PHOTO_WAS_SENT = frozenset({JobState.RUNNING, *UNSHOWN_STATES, JobState.SUCCEEDED, JobState.UNKNOWN})
_log = logging.getLogger(__name__)

BATCH = 500  # jobs in one transaction, so that others don't wait long for the database
_ERASED = {
    "once": None,  # names the member
    "tapped": None,
    "allowance_role": None,
    "inputs": dict[str, str](),
    "source_url": None,
    "source_name": None,
    "source_type": None,
    "source_size": None,
    "source_message_id": None,
    "source_channel_id": None,
    "source_file": None,
    "object_key": None,
    "status_url": None,
    "output_url": None,
    "output_file": None,
    "failure_text": None,
}


async def erase_member(
    db: Database, discard: Discard, user_id: int, at: datetime, guild_id: int | None = None
) -> tuple[int, int]:
    """Erase the member's prompts, links and results, those of running jobs at their end.

    A result that waits for a moderator's decision is not posted. `guild_id`: those in that server alone, else
    in every server. Amounts stay without a name. Return of how many jobs something was erased, and of how
    many it will be when they have ended.
    """
    await db.write(forget_member, user_id, at, guild_id)
    erased = await _scrub_all(db, discard, at)
    return erased, await db.write(_unname_member, user_id, at, guild_id)


async def sweep(db: Database, discard: Discard, at: datetime, keep: timedelta) -> None:
    """Erase data whose retention has ended. Prompts and links are kept for `keep`."""
    for guild_id in await db.write(_tidy, at, keep):
        await db.write(erase_server, guild_id)
        _log.info("All data of server %d was erased, a month after it removed the bot.", guild_id)
    erased = await _scrub_all(db, discard, at, before=at - keep) + await _scrub_all(db, discard, at)
    await db.write(unname, at)
    if erased:
        _log.info("The prompts and links of %d jobs were erased.", erased)


def _tidy(session: Session, at: datetime, keep: timedelta) -> Sequence[int]:
    """Forget the languages of members who have not used the bot for long, blocks that have ended, old
    thumbnails, and that old notices were sent.

    Return servers to erase.
    """
    session.execute(delete(access.Block).where(access.Block.until <= at))
    session.execute(delete(thumbnails.Thumbnail).where(thumbnails.Thumbnail.made_at < at - thumbnails.KEPT))
    told = posts.Post.kind.in_(notices.TO_LOG | notices.TO_MEMBER) & posts.Post.due_at.is_(None)
    session.execute(delete(posts.Post).where(told, posts.Post.changed_at < at - keep))
    session.execute(
        delete(settings.MemberLanguage).where(settings.MemberLanguage.seen_at < at - timedelta(days=365))
    )
    removed = settings.GuildSettings.left_at < at - timedelta(days=30)  # so long they can come back
    return session.scalars(select(settings.GuildSettings.guild_id).where(removed)).all()


async def _scrub_all(db: Database, discard: Discard, at: datetime, *, before: datetime | None = None) -> int:
    erased = 0
    while found := await db.write(scrub, at, before=before):
        erased += len(found)
        await discard(*(name for files in found for name in files))
    return erased


def erasable(session: Session, user_id: int, guild_id: int) -> tuple[int, int]:
    """Return of how many of the member's jobs something can be erased: in this server, and in all."""
    return _not_scrubbed(session, user_id, guild_id), _not_scrubbed(session, user_id, None)


def _not_scrubbed(session: Session, user_id: int, guild_id: int | None) -> int:
    left = _jobs_of(user_id, guild_id) & jobs.c.scrubbed_at.is_(None)
    return session.scalars(select(func.count()).select_from(jobs).where(left)).one()


def forget_member(session: Session, user_id: int, at: datetime, guild_id: int | None = None) -> None:
    """Erase what is kept of the member, in one server or in all, and mark their jobs.

    These are scrubbed once they have ended. Access rules and limits that admins set for the member stay, and
    what the member chose themselves to be protected.
    """
    session.execute(delete(settings.MemberLanguage).filter_by(user_id=user_id))
    here = {"user_id": user_id} if guild_id is None else {"user_id": user_id, "guild_id": guild_id}
    for table in (confirm.Confirmation, confirm.Tapper, requests.CreditRequest, styles.MemberDefaults):
        session.execute(delete(table).filter_by(**here))
    notices.forget_member(session, user_id, guild_id)
    styles.forget_member(session, user_id, guild_id)
    if guild_id is None:
        # A refusal stays, as it protects the member.
        session.execute(
            delete(best_results.BestConsent)
            .filter_by(user_id=user_id)
            .where(best_results.BestConsent.agreed.is_not(False))
        )
    best_results.take_back(session, user_id, guild_id, at)
    theirs = _jobs_of(user_id, guild_id)
    ledger.lock(session, *session.scalars(select(jobs.c.guild_id).where(theirs).distinct()))
    session.execute(update(jobs).where(theirs).values(forgotten_at=at))
    for job in queries.in_states(session, (JobState.REVIEWING,)):
        if job.user_id == user_id and guild_id in {None, job.guild_id}:
            transitions.withhold_result(session, job.id, None, at, told=True)
    wake(session, ("jobs",))


def _unname_member(session: Session, user_id: int, at: datetime, guild_id: int | None) -> int:
    """Remove the member's id from past amounts. Return how many of their jobs are still to be scrubbed."""
    unname(session, at)
    ledger.unname_grants(session, user_id, at, guild_id)
    return _not_scrubbed(session, user_id, guild_id)


@transitions.of_job(*_PHOTO_WAS_SENT)
def hide_photo(_session: Session, job: Job) -> str | None:
    """Keep the job's result from showing its photo, which was deleted in Discord.

    Return the file that the caller discards, if there is one.
    """
    file, job.source_file = job.source_file, None
    return file


def scrub(session: Session, at: datetime, *, before: datetime | None = None) -> list[list[str | None]]:
    """Erase the prompts, links and files' names of some jobs that ended `before`.

    Without a time: of jobs that have ended and are announced, of members who asked to be forgotten. Return
    each one's files, which the caller discards, and asks again until there are no jobs.
    """
    which = jobs.c.scrubbed_at.is_(None)
    if before is not None:
        which &= jobs.c.state.in_((*TERMINAL_STATES, JobState.UNKNOWN)) & (jobs.c.changed_at < before)
    else:
        which &= jobs.c.forgotten_at.is_not(None) & jobs.c.state.in_(TERMINAL_STATES)
        which &= jobs.c.announced_at.is_not(None)
    asked = select(jobs.c.id, jobs.c.source_file, jobs.c.output_file).where(which)
    found = {job_id: files for job_id, *files in session.execute(asked.order_by(jobs.c.number).limit(BATCH))}
    # The author's id is erased, but not that the photo was another member's.
    own = jobs.c.photo_author.is_(None) | (jobs.c.photo_author == jobs.c.user_id)
    erased = {**_ERASED, "photo_author": case((own, None), else_=UNKNOWN_MEMBER)}
    session.execute(update(jobs).where(jobs.c.id.in_(list(found))).values(scrubbed_at=at, **erased))
    thumbnails.drop(session, list(found))
    approved = (jobs.c.approval == Approval.GIVEN) | (jobs.c.result_approval == Approval.GIVEN)
    quoting = posts.Post.job_id.in_(list(found)) & posts.Post.kind.in_(notices.TO_APPROVERS)
    quoting &= posts.Post.job_id.in_(select(jobs.c.id).where(approved))
    for post in session.scalars(select(posts.Post).where(quoting)):  # others say who decided, no more
        posts.change(session, post.guild_id, post.kind, post.key, at)
    if found:
        wake(session, ("jobs",))
    return list(found.values())


def unname(session: Session, at: datetime) -> None:
    """Remove the ids of forgotten members from amounts of past periods.

    Those of a budget's current period lose the name at its end, or the member could use an allowance twice.
    """
    named = jobs.c.forgotten_at.is_not(None) & (jobs.c.user_id != FORGOTTEN_MEMBER)
    for guild_id in session.scalars(select(jobs.c.guild_id).where(named).distinct()).all():
        period, name = budgets.budget_period(settings.of(session, guild_id), at)
        if period.start is not None:
            ledger.unname(session, guild_id, period.start, name)


def erase_retired_keys(session: Session, before: datetime) -> None:
    """Erase retired keys that no job runs with, and all that were retired before `before`."""
    running = exists().where(jobs.c.key_id == keys.StudiiKey.id, jobs.c.state.in_(SENT_STATES))
    unused = (
        update(keys.StudiiKey)
        .where(keys.StudiiKey.retired_at.is_not(None), keys.StudiiKey.ciphertext != b"")
        .where(~running | (keys.StudiiKey.retired_at < before))
        .values(ciphertext=b"")
    )
    if session.connection().execute(unused).rowcount:
        wake(session, ("servers",))


def erase_server(session: Session, guild_id: int) -> None:
    """Delete all rows of the server, in every table."""
    for table in reversed(metadata.sorted_tables):
        if "guild_id" in table.c:
            session.execute(delete(table).where(table.c.guild_id == guild_id))
    wake(session, ("servers",))


def left(session: Session, guild_id: int, at: datetime) -> None:
    """Record that the server removed the bot. Its keys are erased now, the rest later unless it returns.

    Jobs that were not sent are cancelled, unpaid. Jobs at Studii end, at the charge that Studii told.
    """
    ledger.lock(session, guild_id)
    transitions.cancel_unsent(session, guild_id, at)
    for job in queries.in_states(session, (JobState.RUNNING, JobState.REVIEWING)):
        if job.guild_id == guild_id:  # of these, what its state allows
            removed, charge = Reason(ReasonCode.SERVER_REMOVED), transitions.charge_of(job)
            transitions.fail_paid(session, job.id, FailureCode.LOST, removed, charge, at)
            transitions.withhold_result(session, job.id, Reason(ReasonCode.RESULT_SERVER_REMOVED), at)
    settings.change(session, guild_id, key_id=None, left_at=at, missing_since=None, greeted_at=None)
    session.execute(
        update(keys.StudiiKey)
        .where(keys.StudiiKey.guild_id == guild_id)
        .values(ciphertext=b"", retired_at=at)
    )
    _log.info("The bot was removed from server %d; its keys were erased.", guild_id)


def part(session: Session, gone: Collection[int], at: datetime) -> None:
    """Forget the servers that have removed the bot, if they are few.

    If they are many, something else may be wrong: nothing of theirs is erased, and what waits there is not
    sent, until they are seen again or the operator lets them be forgotten (`python -m bot forget-servers`).
    """
    fresh = sorted(set(gone) - settings.missing(session).keys())
    if len(fresh) <= 3:  # more at a time are forgotten at the operator's word alone
        for guild_id in fresh:
            left(session, guild_id, at)
        return
    settings.set_missing(session, fresh, at)
    _log.warning(
        "Discord reports that %d servers removed the bot while it was offline. Their Studii keys "
        "are kept, and their waiting jobs are not sent. If the report is right, run: python -m "
        "bot forget-servers",
        len(fresh),
    )


def _jobs_of(user_id: int, guild_id: int | None) -> ColumnElement[bool]:
    mine = jobs.c.user_id == user_id
    return mine if guild_id is None else mine & (jobs.c.guild_id == guild_id)
