"""End what has waited for too long, as unknown outcomes do, and remove files and keys that nobody needs."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.db import WRITE_TIMEOUT
from bot.engine.context import EngineContext
from bot.jobs import confirm, lanes, queries, transitions
from bot.jobs.holds import waited_too_long
from bot.jobs.models import APPROVAL_HOURS, FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import privacy, settings

_log = logging.getLogger(__name__)

_NOT_APPROVED, _NOT_SEEN = Reason(ReasonCode.NOT_APPROVED), Reason(ReasonCode.RESULT_NOT_SEEN)
_MISSING, _NOBODY_RULED = Reason(ReasonCode.SERVER_MISSING), Reason(ReasonCode.NOBODY_RULED)


async def housekeep(context: EngineContext) -> None:
    """Do each periodic task once."""
    now, tuning, write = context.clock.now(), context.tuning, context.db.write

    def before(seconds: float) -> datetime:
        return now - timedelta(seconds=seconds)

    await write(_drop_undelivered, before(tuning.undelivered_bound), within=WRITE_TIMEOUT)
    await write(_rule_by_time, before(tuning.unruled_bound), now, within=WRITE_TIMEOUT)
    await write(_end_unapproved, now - timedelta(hours=APPROVAL_HOURS), now, within=WRITE_TIMEOUT)
    if erased := await write(privacy.erase_retired_keys, before(tuning.old_key_bound)):
        _log.info("The secrets of %d unused keys were erased", erased)
    await write(_end_where_missing, before(tuning.held_bound), now, within=WRITE_TIMEOUT)
    await write(lanes.tidy, now)
    await write(confirm.forget_over, now)


def _drop_undelivered(session: Session, oldest: datetime) -> None:
    """Drop outputs that were not posted or were withheld, and that nobody wanted for a long while."""
    for job in queries.undelivered(session, oldest):
        transitions.change(session, job.id, output_file=None, source_file=None)


def _rule_by_time(session: Session, oldest: datetime, at: datetime) -> None:
    """Count an unknown outcome as charged, at what was reserved, if no admin has ruled on it for long."""
    for job in queries.in_states(session, {JobState.UNKNOWN}):
        if job.changed_at < oldest:
            transitions.apply_ruling(session, job.id, job.reserved, _NOBODY_RULED, at)
            _log.info("Job %s: no one settled it, so it counts as charged", job.id)


def _end_unapproved(session: Session, oldest: datetime, at: datetime) -> None:
    """End requests unpaid on which no moderator has decided for long, and don't post such results."""
    for job in queries.in_states(session, {JobState.PENDING, JobState.REVIEWING}):
        if job.changed_at > oldest:
            continue
        if job.state is JobState.PENDING:
            why = (FailureCode.DECLINED, _NOT_APPROVED, at)
            transitions.fail_unpaid(session, job.id, JobState.PENDING, *why)
        else:
            transitions.withhold_result(session, job.id, _NOT_SEEN, at)


def _end_where_missing(session: Session, oldest: datetime, at: datetime) -> None:
    """End jobs unpaid that have waited for a day in a server that seems to have removed the bot."""
    missing = settings.missing(session)
    for job in queries.in_states(session, {JobState.WAITING}) if missing else ():
        if job.guild_id in missing and waited_too_long(job, oldest, missing[job.guild_id]):
            transitions.fail_unpaid(session, job.id, JobState.WAITING, FailureCode.API, _MISSING, at)
