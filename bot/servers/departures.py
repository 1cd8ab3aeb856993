"""Servers that remove the bot."""

import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from bot.credits import ledger
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings

_log = logging.getLogger(__name__)

MAX_FORGOTTEN_UNASKED = 3  # servers that are forgotten at a time without the operator's word


def left(session: Session, guild_id: int, at: datetime) -> None:
    """Record that the server removed the bot. Its keys are erased now, the rest later unless it returns.

    Jobs that were not sent are cancelled, unpaid. Jobs at Studii end, at the charge that Studii told.
    """
    ledger.lock(session, guild_id)
    transitions.cancel_unsent(session, guild_id, at)
    removed, unseen = Reason(ReasonCode.SERVER_REMOVED), Reason(ReasonCode.RESULT_SERVER_REMOVED)
    for job in queries.in_states(session, (JobState.RUNNING, JobState.REVIEWING)):
        if job.guild_id == guild_id and job.state is JobState.RUNNING:
            charge = transitions.charge_of(job)
            transitions.fail_paid(session, job.id, FailureCode.LOST, removed, charge, at)
        elif job.guild_id == guild_id:
            transitions.withhold_result(session, job.id, unseen, at)
    settings.set_key(session, guild_id, None, at)
    keys.erase(session, guild_id, at)
    settings.went(session, guild_id, at)
    _log.info("The bot was removed from server %d; its keys were erased.", guild_id)


def part(session: Session, gone: Collection[int], at: datetime) -> None:
    """Forget the servers that have removed the bot, if they are few.

    If they are many, something else may be wrong: nothing of theirs is erased, and what waits there is not
    sent, until they are seen again or the operator lets them be forgotten (`python -m bot forget-servers`).
    """
    fresh = sorted(set(gone) - set(settings.missing(session)))
    if len(fresh) <= MAX_FORGOTTEN_UNASKED:
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
