"""End what has waited for too long, as unknown outcomes do, and remove files and keys that nobody needs."""

import logging
from datetime import timedelta

from bot.engine.context import EngineContext
from bot.jobs import lanes, queries, transitions
from bot.jobs.holds import waited_too_long
from bot.jobs.models import APPROVAL_HOURS, FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import privacy, settings

_log = logging.getLogger(__name__)

_NOT_APPROVED, _NOT_SEEN = Reason(ReasonCode.NOT_APPROVED), Reason(ReasonCode.RESULT_NOT_SEEN)
_MISSING, _NOBODY_RULED = Reason(ReasonCode.SERVER_MISSING), Reason(ReasonCode.NOBODY_RULED)


async def housekeep(context: EngineContext) -> None:
    """Run all periodic tasks once."""
    await _drop_undelivered(context)
    await _rule_by_time(context)
    await _end_unapproved(context)
    await _forget_keys(context)
    await _end_where_missing(context)
    await context.storage.db.write(lanes.tidy, context.clock.now())


async def _drop_undelivered(context: EngineContext) -> None:
    """Drop outputs that were not posted or were withheld, and that nobody wanted for a long while."""
    async with context.storage.write() as transaction:
        oldest = context.clock.now() - timedelta(seconds=context.tuning.undelivered_bound)
        for job in await transaction.run(queries.undelivered, oldest):
            await transaction.run(transitions.change, job.id, output_file=None, source_file=None)


async def _rule_by_time(context: EngineContext) -> None:
    """Count an unknown outcome as charged, at what was reserved, if no admin has ruled on it for long."""
    async with context.storage.write() as transaction:
        now = context.clock.now()
        oldest = now - timedelta(seconds=context.tuning.unruled_bound)
        for job in await transaction.run(queries.in_states, {JobState.UNKNOWN}):
            if job.changed_at < oldest:
                await transaction.run(transitions.apply_ruling, job.id, job.reserved, _NOBODY_RULED, now)
                _log.info("Job %s: no one settled it, so it counts as charged", job.id)


async def _end_unapproved(context: EngineContext) -> None:
    """End requests unpaid on which no moderator has decided for long, and don't post such results."""
    async with context.storage.write() as transaction:
        now = context.clock.now()
        oldest = now - timedelta(hours=APPROVAL_HOURS)
        for job in await transaction.run(queries.in_states, {JobState.PENDING}):
            if job.changed_at <= oldest:
                code = FailureCode.DECLINED
                await transaction.run(
                    transitions.fail_unpaid, job.id, JobState.PENDING, code, _NOT_APPROVED, now
                )
        for job in await transaction.run(queries.in_states, {JobState.REVIEWING}):
            if job.changed_at <= oldest:
                await transaction.run(transitions.withhold_result, job.id, _NOT_SEEN, now)


async def _forget_keys(context: EngineContext) -> None:
    """Delete replaced and removed keys when their running jobs have ended, or after a day."""
    oldest = context.clock.now() - timedelta(seconds=context.tuning.old_key_bound)
    erased = await context.storage.db.write(privacy.erase_retired_keys, oldest)
    if erased:
        _log.info("The secrets of %d unused keys were erased", erased)


async def _end_where_missing(context: EngineContext) -> None:
    """End jobs unpaid that have waited for a day in a server that seems to have removed the bot."""
    async with context.storage.write() as transaction:
        now = context.clock.now()
        oldest = now - timedelta(seconds=context.tuning.held_bound)
        missing = await transaction.run(settings.missing)
        waiting = await transaction.run(queries.in_states, {JobState.WAITING}) if missing else []
        for job in waiting:
            if job.guild_id in missing and waited_too_long(job, oldest, missing[job.guild_id]):
                await transaction.run(
                    transitions.fail_unpaid, job.id, JobState.WAITING, FailureCode.API, _MISSING, now
                )
