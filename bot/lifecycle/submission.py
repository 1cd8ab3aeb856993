"""The transitions around POST /jobs: a job is claimed, taken by Studii, refused, or unknown."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.catalog import Catalog
from bot.credits import charges
from bot.domain import UNSENT_STATES, FailureCode, Job, JobState
from bot.lifecycle import key_holds
from bot.lifecycle.transitions import fail_unpaid
from bot.reasons import Reason, ReasonCode
from bot.servers import notices
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.storage import JobChanges, Sent, Transaction
from bot.studii import CreatedJob
from bot.vault import CannotDecrypt, Vault

_ANSWER_LOST, _RESTORED = Reason(ReasonCode.ANSWER_LOST), Reason(ReasonCode.RESTORED)
NOT_YET = 0.5  # seconds that a lane leaves a job alone that was not in the expected state
NO_PRICE_YET = 5.0  # the same, while one whose 202 did not say the charge runs; its end wakes the lane

_TO_UNKNOWN = {
    JobState.RECEIVED: JobState.WAITING,
    JobState.PENDING: JobState.WAITING,
    JobState.WAITING: JobState.SUBMITTING,
    JobState.UPLOADING: JobState.SUBMITTING,
    JobState.SUBMITTING: JobState.UNKNOWN,
}
BEFORE_STUDII = tuple(_TO_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a request is sent for next, and the key to send it with. `was_held`: it waited for that."""

    job: Job
    key: StudiiKey
    secret: str = field(repr=False)
    was_held: bool


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A job for which no request can be sent, as its key cannot be decrypted, and the reason."""

    job: Job
    key: StudiiKey
    reason: Reason


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """A job that is not to be sent now, as it is, or None if it no longer belongs to the lane that asked.

    `again`: leave it alone for this many seconds.
    """

    job: Job | None
    again: float | None = None


def needs_upload(job: Job, key_id: int | None) -> bool:
    """Return whether the job's photo has to be uploaded before the job can be submitted with that key.

    `key_id` is None for a job that no key was used for yet.
    """
    return job.source_file is not None and (job.object_key is None or job.key_id != key_id)


async def claim(
    transaction: Transaction,
    catalog: Catalog,
    vault: Vault,
    job_id: str,
    lane: str,
    to: JobState,
    request: Sent,
) -> Claim | NotClaimed | Unreadable:
    """Note that the job's request is sent next, with the lane's key.

    Waiting (or uploading) → uploading or submitting. Changes nothing if the job is not to be sent now. Raises
    `RuntimeError` if another process changes it within the transaction.
    """
    expected = {JobState.WAITING} if to is JobState.UPLOADING else {JobState.WAITING, JobState.UPLOADING}
    job, key = await transaction.jobs.with_key(job_id)
    if job is None or job.state not in expected:
        return NotClaimed(job, NOT_YET)
    if key is None or key.lane != lane or needs_upload(job, key.id) is not (to is JobState.UPLOADING):
        return NotClaimed(None)
    until = job.waits_until(key.id)
    if job.held is not None and until is not None and until > request.at:
        # Another job of its server was refused after the lane had decided on this one.
        return NotClaimed(job)
    sendable = job
    if not job.price_learned or job.reserved > job.estimate:
        verdict = await transaction.run(charges.sendable, catalog, key.lane, job, request.at)
        if isinstance(verdict, Reason):
            code, now = FailureCode.BUDGET, request.at
            return NotClaimed(await fail_unpaid(transaction, job, UNSENT_STATES, code, verdict, now))
        if verdict is None:
            return NotClaimed(await transaction.jobs.get(job_id), NO_PRICE_YET)
        sendable = verdict
    changes = JobChanges(key_id=key.id, held=None, not_before=None, epoch=request.epoch)
    if to is JobState.UPLOADING:
        changes["object_key"] = None  # of another key
    claimed = await transaction.jobs.advance_read(sendable, to, at=request.at, **changes)
    claim = open_key(vault, claimed, key, was_held=job.held is not None)
    if isinstance(claim, Claim):
        await transaction.lanes.add([(lane, request)])
    return claim


def open_key(vault: Vault, job: Job, key: StudiiKey, *, was_held: bool) -> Claim | Unreadable:
    """Return the job's claim with the decrypted key."""
    try:
        return Claim(job, key, vault.unseal(key.ciphertext), was_held)
    except CannotDecrypt as error:
        return Unreadable(job, key, error.told)


async def record_taken(
    transaction: Transaction, catalog: Catalog, claim: Claim, created: CreatedJob, at: datetime
) -> Job | None:
    """Note that Studii has the claimed job, at the charge in its answer: submitting → running.

    That ends a hold of the key. Unknown → running if another instance took the job for lost meanwhile. Its
    result is then a new message. Return None if an admin had ruled on it before that was known.
    """
    job, lane = claim.job, claim.key.lane
    await transaction.lanes.lock(lane)  # its price may change
    changes = JobChanges(
        studii_id=created.id,
        status_url=created.status_url,
        studii_status=created.status,
        charged=created.credits_charged,
        submitted_at=at,
    )
    started = await transaction.jobs.start_running(job.id, JobState.SUBMITTING, at, **changes)
    anew = started is None
    if started is None:
        changes["failure_text"] = None
        started = await transaction.jobs.start_running(job.id, JobState.UNKNOWN, at, **changes)
        if started is None:
            return None
    running = await _post_anew(transaction, started.job) if anew else started.job
    # A job that was held has been taken, so the others go on even if no hold is stored.
    if started.server_held or claim.was_held:
        await key_holds.end(transaction, job.guild_id, at, was_held=claim.was_held)
    if created.credits_charged is None:
        return running
    return await transaction.run(charges.taken, catalog, lane, running, created.credits_charged, at)


async def fail_unknown(
    transaction: Transaction, job: Job, code: FailureCode, reason: Reason, at: datetime
) -> Job | None:
    """Fail an unknown job unpaid: another instance took it for lost before Studii's refusal arrived."""
    failed = await fail_unpaid(transaction, job, JobState.UNKNOWN, code, reason, at)
    return None if failed is None else await _post_anew(transaction, failed)


async def make_unknown(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    """Make a submitting job unknown: Studii may have it or not. Its credits stay reserved; admins are
    told."""
    unknown = await transaction.jobs.advance(job.id, JobState.SUBMITTING, JobState.UNKNOWN, at=at)
    if unknown is not None:
        await tell_unknown(transaction, unknown, at)
    return unknown


async def make_unknown_after_restore(transaction: Transaction, job: Job, at: datetime) -> None:
    """Make a job of any state before Studii unknown: it may have been sent after the restored backup."""
    state = job.state
    while (to := _TO_UNKNOWN.get(state)) is not None:
        changes = JobChanges(held=None, not_before=None, failure_text=_RESTORED)
        await transaction.jobs.advance(job.id, state, to, at=at, **changes)
        state = to
    await tell_unknown(transaction, job, at, _RESTORED)


async def tell_unknown(transaction: Transaction, job: Job, at: datetime, why: Reason = _ANSWER_LOST) -> None:
    """Tell the admins that the job's outcome is unknown."""
    kind, told = NoticeKind.UNKNOWN, {"reason": why.encode()}
    await transaction.run(notices.add, job.guild_id, kind, job.id, at=at, job_id=job.id, details=told)


async def _post_anew(transaction: Transaction, job: Job) -> Job:
    """Give the next message a new number, as the unknown outcome may have been posted already."""
    return await transaction.jobs.update(job.id, posting=job.posting + 1) or job
