"""A server's key is held while Studii refuses it or its account is out of credits.

While it is held, the server's waiting jobs say why they wait, new jobs are refused, and one job tries again
from time to time. A hold begins with `hold` or `hold_running`, and ends with `end` alone.
"""

from datetime import datetime

from bot import posts
from bot.credits import ledger
from bot.domain import FailureCode, Job, JobState
from bot.lifecycle.transitions import fail_unpaid
from bot.reasons import Reason, ReasonCode
from bot.servers import notices
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.storage import Hold, Transaction

_OUT_OF_CREDITS = (FailureCode.CREDITS, NoticeKind.OUT_OF_CREDITS)
_REFUSED = (FailureCode.KEY, NoticeKind.KEY_REFUSED)


async def hold(
    transaction: Transaction,
    key: StudiiKey,
    reason: Reason,
    until: datetime,
    at: datetime,
    *,
    oldest: datetime,
) -> None:
    """Hold the key after Studii refused a job for that reason. Tell the admins once. Jobs that have waited
    for the key since before `oldest` end unpaid.
    """
    since = await _hold(transaction, key, reason, until, at)
    code, _ = _kind(reason)
    for job in await transaction.jobs.in_states({JobState.RECEIVED, JobState.WAITING}):
        if job.guild_id == key.guild_id and job.held and waited_too_long(job, oldest, since):
            await fail_unpaid(transaction, job, job.state, code, reason, at)


def waited_too_long(job: Job, oldest: datetime, since: datetime | None) -> bool:
    """Return whether the job has waited since before `oldest`.

    `since` is when the server's jobs began to wait, or None if that is unknown.
    """
    return job.created_at < oldest and (since is None or since < oldest)


async def hold_running(
    transaction: Transaction, job: Job, key: StudiiKey | None, reason: Reason, until: datetime, at: datetime
) -> Job | None:
    """Hold a running job whose status Studii refuses to return. It is polled again at `until`.

    The server's key, if it has one, is held as well unless it is held already.
    """
    if key is not None:
        there = await find(transaction, key)
        if there is not None and refuses(there, key, at):
            await _tell(transaction, key, reason, at)
        else:
            await _hold(transaction, key, reason, until, at)
    return await transaction.jobs.update(job.id, visible=job.held != reason, held=reason, not_before=until)


async def works_again(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    """End the hold of a running job, and that of its server for the same reason: Studii answers again."""
    there = await transaction.holds.get(job.guild_id)
    if there is not None and job.held is not None and there.reason.code == job.held.code:
        await end(transaction, job.guild_id, at)
    return await transaction.jobs.update(job.id, visible=True, held=None, not_before=None)


async def end(
    transaction: Transaction,
    guild_id: int,
    at: datetime,
    *,
    key: StudiiKey | None = None,
    was_held: bool = False,
) -> None:
    """End the server's hold: its waiting jobs may be sent.

    Running jobs are polled again, with `key` if a new one was set. `was_held`: Studii has taken a held job,
    so the others may be sent even if no hold is stored.
    """
    ended = await transaction.holds.clear(guild_id)
    if not (ended or was_held or key is not None):
        return
    await transaction.run(ledger.lock, guild_id)
    await transaction.job_queue.release_held(guild_id)
    await transaction.holds.poll_from(guild_id, at, None if key is None else key.id)
    for _, kind in (_REFUSED, _OUT_OF_CREDITS):
        await transaction.run(posts.forget, guild_id, kind)


async def try_again(transaction: Transaction, guild_id: int, at: datetime) -> bool:
    """Let one job try the key at once; returns False if it is not held."""
    there = await transaction.holds.get(guild_id)
    if there is None:
        return False
    await transaction.run(ledger.lock, guild_id)
    await transaction.holds.end_wait(guild_id, at)
    await transaction.job_queue.hold(guild_id, there.key_id, there.reason, at)
    await transaction.holds.poll_from(guild_id, at)
    return True


async def find(transaction: Transaction, key: StudiiKey) -> Hold | None:
    """Return the hold of that key. None if it is not held, or if only the key before it was."""
    there = await transaction.holds.get(key.guild_id)
    return there if there is not None and there.key_id == key.id else None


def refuses(there: Hold, key: StudiiKey, at: datetime) -> bool:
    """Return whether no new job is to be sent with that key yet, as it is held until later."""
    return there.key_id == key.id and there.until > at


async def wait_for_hold(transaction: Transaction, job: Job) -> bool:
    """Let an accepted job wait with its server's others, if their key is held. Return whether it waits.

    Its card says why, and it ends with them.
    """
    there = await transaction.holds.get(job.guild_id)
    now = await transaction.jobs.get(job.id)
    if there is None or now is None or now.state is not JobState.RECEIVED:
        return False
    visible = now.held != there.reason
    await transaction.jobs.update(
        job.id, visible=visible, held=there.reason, not_before=there.until, key_id=there.key_id
    )
    return True


def waits_for_credits(there: Hold) -> bool:
    """Return whether the key is held for want of credits, rather than refused."""
    return there.reason.code == ReasonCode.OUT_OF_CREDITS


def has_no_key(job: Job) -> bool:
    """Return whether the job says already that its server has no key."""
    return job.held is not None and job.held.code == ReasonCode.NO_KEY


async def wait_for_key(transaction: Transaction, job: Job) -> Job | None:
    """Let the job wait until its server, which has no key, gets one. The job's card says so."""
    return await transaction.jobs.update(job.id, visible=True, held=Reason(ReasonCode.NO_KEY))


def _kind(reason: Reason) -> tuple[FailureCode, NoticeKind]:
    return _OUT_OF_CREDITS if reason.code == ReasonCode.OUT_OF_CREDITS else _REFUSED


async def _hold(
    transaction: Transaction, key: StudiiKey, reason: Reason, until: datetime, at: datetime
) -> datetime | None:
    """Store the hold, or another failed attempt. Return since when the key is held, or None if unknown."""
    await transaction.run(ledger.lock, key.guild_id)
    before = await find(transaction, key)
    since = at if before is None else before.since
    await transaction.holds.set(key.guild_id, key.id, reason, until, since=since)
    await transaction.job_queue.hold(key.guild_id, key.id, reason, until)
    await _tell(transaction, key, reason, at)
    return since


async def _tell(transaction: Transaction, key: StudiiKey, reason: Reason, at: datetime) -> None:
    told: dict[str, str | int | None] = {"masked": key.masked, "reason": reason.encode()}
    _, kind = _kind(reason)
    await transaction.run(notices.add, key.guild_id, kind, str(key.id), at=at, details=told)
