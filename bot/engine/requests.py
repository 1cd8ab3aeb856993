"""The requests for a job: its photo is uploaded, it is submitted once, and polled until Studii is done.

Each step claims the job, sends, and stores what was met. `not_taken` and `polled` say what each error means
for the job; jobs whose request was in flight when a process ended are read by the same table (`recover`).
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot import posts
from bot.aio.tasks import StoreRetry
from bot.backoff import backoff, delay_at
from bot.base import wake
from bot.catalog import Catalog
from bot.credits import ledger
from bot.engine.context import EngineContext
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning
from bot.errors import Unsure
from bot.jobs import holds, lanes, queries, submission, transitions
from bot.jobs.models import FailureCode, Job, JobState, Trouble
from bot.jobs.submission import NOT_YET, Claim, Done
from bot.media.kinds import content_type_of
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.studii import (
    ApiRefused,
    BadInputs,
    JobNotFound,
    JobReport,
    KeyRefused,
    MalformedAnswer,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    PlanRefused,
    RateLimited,
    StudiiError,
    UploadFailed,
)
from bot.vault import CannotDecrypt

_log = logging.getLogger(__name__)

_CODES: Mapping[type[StudiiError], FailureCode] = {
    BadInputs: FailureCode.INPUTS,
    KeyRefused: FailureCode.KEY,
    OutOfCredits: FailureCode.CREDITS,
    PlanRefused: FailureCode.PLAN,
}


class Requests:
    """Sends what lanes decide on."""

    def __init__(self, context: EngineContext, catalog: Catalog) -> None:
        self._context, self._catalog = context, catalog
        self._db, self._clock, self._tuning = context.db, context.clock, context.tuning
        self._retry = StoreRetry("storing Studii's answer", context.liveness, noun="job")

    async def upload(self, job_id: str, window: RateWindow) -> Done:
        """POST /uploads and PUT the photo (Studii API docs, "Upload a source image").

        The job stays in its state until it is submitted.
        """
        claim = await self._claim(job_id, window, JobState.UPLOADING)
        if isinstance(claim, Done):
            return claim
        path = self._context.spool.path(claim.job.source_file or "")
        content_type, asked = content_type_of(path), False
        try:
            secret = self._secret(claim.key)
            target = await self._context.studii.request_upload(secret, path.name, content_type)
            asked = True
            await self._context.studii.put(target, path, content_type)
        except StudiiError as error:
            return await self._not_taken(claim, error, asked=asked)
        except FileNotFoundError:
            _log.warning("Job %s: its photo is missing from the spool", job_id)
            return await self._not_taken(claim, _PhotoLost(), asked=asked)
        stored: dict[str, Any] = {"object_key": target.object_key, "attempts": 0, "tries": 0}
        return Done(await self._db.write(transitions.change, job_id, JobState.UPLOADING, **stored))

    async def submit(self, job_id: str, window: RateWindow) -> Done:
        """POST /jobs (Studii API docs, "Create a job"), and store what Studii said, with the credits, in one
        transaction. A cancellation has to wait for that."""
        claim = await self._claim(job_id, window, JobState.SUBMITTING)
        if isinstance(claim, Done):
            return claim
        job = claim.job
        try:
            secret = self._secret(claim.key)
            met = await self._context.studii.create_job(secret, job.tool, job.inputs, job.object_key)
        except StudiiError as error:
            return await self._not_taken(claim, error)
        _log.info("Job %s: Studii accepted it as %s", job_id, met.id)
        # Another process may take the job for lost, and only this one knows its id at Studii.
        store, now = submission.record_taken, self._clock.now()
        running = await self._retry.run(job_id, self._db.amend, store, self._catalog, claim, met, now)
        if running is None:
            said = "Job %s: Studii has it as %s, but it was settled before that was known"
            _log.warning(said, job_id, met.id)
        return Done(running)

    async def poll(self, job_id: str, window: RateWindow, age: float) -> Done:
        """GET a job (Studii API docs, "Poll status") that was submitted `age` seconds ago."""
        allowed, job, key = await self._db.write(_to_poll, self._note(window), job_id)
        if job is None or job.state is not JobState.RUNNING or key is None or key.lane != window.lane:
            return Done(None, sent=False)
        if not allowed:
            return Done(job, sent=False, again=NOT_YET)
        met: JobReport | StudiiError
        try:
            secret = self._secret(key)
            met = await self._context.studii.job_status(secret, job.studii_id or "", job.status_url)
        except StudiiError as error:
            met = error
            _log.info("Job %s: a poll of it met %s (%s)", job.id, type(error).__name__, error.reason)
        except Exception:  # the job's own bounds hold for unexpected errors, too
            poll = Poll(self._catalog, self._tuning, window.lane, age, self._clock.now())
            await self._db.write(polled, poll, job.id, MalformedAnswer())
            raise
        if isinstance(met, RateLimited):
            return Done(job, again=met.retry_after, limited=met)
        if isinstance(met, JobReport) and not _is_news(job, met, age, self._tuning):
            return Done(job)
        poll = Poll(self._catalog, self._tuning, window.lane, age, self._clock.now())
        now_is, again = await self._db.write(polled, poll, job.id, met)
        return Done(now_is, sent=not isinstance(met, _Unreadable), again=again)

    async def ask(self, job: Job, key: StudiiKey, window: RateWindow) -> JobReport:
        """GET a job that is not polled any more. Raises what the client raises."""
        secret, now = self._secret(key), self._clock.monotonic()
        if window.free_at(now) != now:
            raise NotSent(reason="the key has no request left now")
        window.begin(now)
        try:
            if not await self._db.write(self._note(window)):
                raise NotSent(reason="other processes leave the key no request now")
            return await self._context.studii.job_status(secret, job.studii_id or "", job.status_url)
        finally:
            window.end(now, self._clock.monotonic())

    def _secret(self, key: StudiiKey) -> str:
        try:
            return self._context.vault.unseal(key.ciphertext)
        except CannotDecrypt as error:
            raise _Unreadable(told=error.told) from None

    def _note(self, window: RateWindow) -> Callable[[Session], bool]:
        """Return what stores until when requests count, before they are sent.

        Where several processes serve servers, it returns False, having stored nothing, if the others have
        used up the key's requests. Until the transaction ends, none of them counts any.
        """
        now, epoch = self._clock.monotonic(), self._context.member.epoch
        noted, shift = window.note(now), self._clock.now().timestamp() - now

        def note(session: Session) -> bool:
            if not session.info["shards"].all:
                lanes.lock(session, window.lane)
                others = lanes.windows(session, [window.lane], epoch or lanes.ALONE)[window.lane]
                window.set_others(until - shift for until in others)
                if others and window.used(now) > window.usable:
                    return False
            lanes.keep_window(session, window.lane, epoch, (until + shift for until in noted))
            return True

        return note

    async def _claim(self, job_id: str, window: RateWindow, to: JobState) -> Claim | Done:
        """Bring the job into the state in which the request is sent, and count the request.

        Return what came of it instead if the job is not to be sent now.
        """
        at, note = self._clock.now(), self._note(window)

        def claim(session: Session) -> Claim | Done:
            if not note(session):
                return Done(queries.get(session, job_id), sent=False, again=NOT_YET)
            epoch = self._context.member.epoch
            return submission.claim(session, self._catalog, job_id, window.lane, to, at, epoch)

        try:
            return await self._db.write(claim)
        except Unsure:  # nothing is sent, so that the job must not be taken for one that may have been
            if to is JobState.SUBMITTING:
                unsent = job_id, self._context.member.epoch, at
                await self._retry.run(job_id, self._db.amend, _not_sent, *unsent)
            raise

    async def _not_taken(self, claim: Claim, error: StudiiError, *, asked: bool = False) -> Done:
        """Store what the failure of an upload or a submission means. `asked`: Studii has answered one."""
        job, now = claim.job, self._clock.now()
        _log.info("Job %s: %s met %s (%s)", job.id, job.state, type(error).__name__, error.reason)

        # Another process may take the job for lost, and only this one knows that Studii refused it.
        known = job.state is JobState.SUBMITTING and not isinstance(error, OutcomeUnknown)
        store = self._db.amend if known else self._db.write
        stored = await self._retry.run(job.id, store, refused, self._tuning, claim, error, now)
        limited = error if isinstance(error, RateLimited) else None
        sent = asked or not isinstance(error, NotSent | _Unreadable)
        return Done(stored, sent=sent, limited=limited)


def _to_poll(
    session: Session, note: Callable[[Session], bool], job_id: str
) -> tuple[bool, Job | None, StudiiKey | None]:
    """Count a poll. Return whether it may be sent, and the job with the key that it was sent with."""
    return note(session), *queries.with_key(session, job_id, sent=True)


class _Unreadable(KeyRefused):
    """The key can't be decrypted: nothing was sent."""


class _PhotoLost(StudiiError):
    """The photo is not in the spool, as after a move to another host: it is fetched again."""

    code = ReasonCode.PHOTO_LOST


def _not_sent(session: Session, job_id: str, epoch: int | None, at: datetime) -> None:
    """Let a job wait whose claim may have been stored, unless another process has it by now."""
    job = queries.get(session, job_id)
    if job is not None and job.epoch == epoch:
        transitions.wait(session, job_id, JobState.SUBMITTING, at)


def refused(session: Session, tuning: Tuning, claim: Claim, error: StudiiError, at: datetime) -> Job | None:
    """Do as `not_taken`, for the request of a claim, unless another process has sent it since."""
    job = queries.get(session, claim.job.id)
    if job is None or job.epoch != claim.job.epoch:
        return None
    return not_taken(session, tuning, job.id, claim.key.id, error, at)


def not_taken(
    session: Session, tuning: Tuning, job_id: str, key_id: int | None, error: StudiiError, at: datetime
) -> Job | None:
    """Say what it means for a job that was claimed with a key that Studii has not taken it or its photo.

    It waits and is tried again, within a bound, ends unpaid, or is unknown and never sent again. One that was
    taken for lost meanwhile ends unpaid.
    """
    job = queries.get(session, job_id)
    if job is None or job.state not in (JobState.UPLOADING, JobState.SUBMITTING, JobState.UNKNOWN):
        return None
    tries, bound = job.attempts + 1, tuning.tries
    changes: dict[str, Any] = {"held": None, "attempts": tries}
    usual = FailureCode.UPLOAD if job.state is JobState.UPLOADING else FailureCode.API
    code = _CODES.get(type(error), usual)
    if job.state is JobState.UNKNOWN and not isinstance(error, OutcomeUnknown):
        return transitions.fail_unpaid(session, job.id, job.state, code, error.told, at)
    match error:
        case OutcomeUnknown():
            _log.warning("Job %s: it is unknown whether Studii accepted it", job.id)
            return submission.make_unknown(session, job.id, at)
        case KeyRefused() | OutOfCredits():
            return _not_served(session, tuning, job, key_id, error, at)
        case _PhotoLost() if job.source is not None and tries < bound:
            transitions.wait(session, job.id, job.state, at, attempts=tries)
            return transitions.give_way(session, job.id, at)
        case ApiRefused() | UploadFailed(too_large_for_any=True) | _PhotoLost():
            bound = 0
        case NotSent():
            tries, bound, code = job.tries + 1, tuning.unsent_tries, FailureCode.API
            changes = {"held": Reason(ReasonCode.UNREACHABLE), "tries": tries}
        case _:
            pass
    if tries >= bound:
        return transitions.fail_unpaid(session, job.id, job.state, code, error.told, at)
    asked = error.retry_after or 0.0 if isinstance(error, RateLimited) else 0.0
    pause = timedelta(seconds=max(backoff(tries, tuning.backoff, tuning.backoff_bound), asked))
    changes["not_before"] = at + pause
    return transitions.wait(session, job.id, job.state, at, **changes)


def _not_served(
    session: Session, tuning: Tuning, job: Job, key_id: int | None, error: StudiiError, at: datetime
) -> Job | None:
    """Let all of the server's jobs wait, as they would fail too: one of them tries again now and then."""
    ledger.lock(session, job.guild_id)  # before the job's row, as its others may be held
    key = keys.current(session, job.guild_id)
    if key is None or key.id != key_id:
        # Set or taken out since it was sent: the refusal says nothing of the server's key now.
        return transitions.wait(session, job.id, job.state, at)
    if isinstance(error, KeyRefused):
        transitions.wait(session, job.id, job.state, at)
    else:
        transitions.fail_unpaid(session, job.id, job.state, FailureCode.CREDITS, error.told, at)
    until = at + timedelta(seconds=delay_at(tuning.key_retries, holds.tried(session, key) + 1))
    holds.hold(session, key, error.told, until, at, oldest=at - timedelta(seconds=tuning.held_bound))
    return queries.find(session, job.id)


def recover(session: Session, tuning: Tuning, job_ids: Collection[str], at: datetime) -> None:
    """Say what it means for jobs that a request was in flight when a process ended, or met an unexpected
    error: an upload is made again, as it costs nothing; what was being submitted is unknown."""
    for job_id in job_ids:
        job = queries.get(session, job_id)
        uploading = job is not None and job.state is JobState.UPLOADING
        not_taken(session, tuning, job_id, None, UploadFailed() if uploading else OutcomeUnknown(), at)


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll of a job that was submitted `age` seconds ago, with the key of `lane`."""

    catalog: Catalog
    tuning: Tuning
    lane: str
    age: float
    at: datetime


Next = tuple[Job | None, float | None]  # a job now, and the seconds until its next poll, if known


def polled(session: Session, poll: Poll, job_id: str, met: JobReport | StudiiError) -> Next:
    """Say what the answer to a poll means for a job.

    Without a report, it continues unless it is certain that it doesn't.
    """
    if isinstance(met, JobReport):
        lanes.lock(session, poll.lane)  # its price may change
    if isinstance(met, KeyRefused) and (found := queries.get(session, job_id)) is not None:
        ledger.lock(session, found.guild_id)  # before the job's row, as its others may be held
    job = queries.get(session, job_id, locked=True)
    if job is None or job.state is not JobState.RUNNING or job.output_url is not None:
        return job, None
    return (
        _reported(session, poll, job, met) if isinstance(met, JobReport) else _failed(session, poll, job, met)
    )


def _reported(session: Session, poll: Poll, job: Job, report: JobReport) -> Next:
    told = report.credits_charged
    if job.not_before is not None:
        job = holds.works_again(session, job.id, poll.at) or job
    if report.failed:
        why = Reason(ReasonCode.STUDII_FAILED, {"detail": report.error} if report.error else {})
        return _end(session, poll, job, FailureCode.STUDII, why, told)
    if report.succeeded and report.output_url is not None:
        if submission.record_output(session, poll.catalog, poll.lane, job, report, poll.at):
            wake(session, ("lanes",))
        return job, None
    lasts = _count(job, Trouble.NO_ADDRESS if report.succeeded else None, poll.at)
    if report.succeeded:
        if lasts < poll.tuning.url_grace:
            return job, None
        unsafe, missing = ReasonCode.OUTPUT_UNSAFE_ADDRESS, ReasonCode.OUTPUT_WITHOUT_ADDRESS
        why = Reason(unsafe if report.output_refused else missing)
        return _end(session, poll, job, FailureCode.OUTPUT, why, told)
    if poll.age >= poll.tuning.lost_after:
        return _end(session, poll, job, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED))
    _still_running(session, poll, job)
    if report.status != job.studii_status or (job.charged is None and told):
        submission.record_status(session, poll.catalog, poll.lane, job, report, poll.at)
    return job, None


def _failed(session: Session, poll: Poll, job: Job, error: StudiiError) -> Next:
    tuning = poll.tuning
    if isinstance(error, JobNotFound):  # a single one may be a mistake
        lasts = _count(job, Trouble.MISSING, poll.at)
        if job.tries >= tuning.missing_polls and lasts >= tuning.missing_over:
            return _end(session, poll, job, FailureCode.LOST, Reason(ReasonCode.UNKNOWN_TO_STUDII))
        return job, _bounded(tuning, tuning.missing_over / (tuning.missing_polls - 1), poll.age)
    if poll.age >= tuning.lost_after:
        return _end(session, poll, job, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED))
    if isinstance(error, KeyRefused):
        return _key_refused(session, poll, job, error.told)
    _still_running(session, poll, job)
    if job.trouble != Trouble.MISSING:  # an error between 404s says nothing of them
        _count(job, Trouble.ERROR, poll.at)
    pause = backoff(max(1, job.tries), tuning.first_poll, tuning.backoff_bound)
    return job, _bounded(tuning, pause, poll.age)


def _still_running(session: Session, poll: Poll, job: Job) -> None:
    """Tell the requester and the admins once that the job has been running for a day."""
    if poll.age < poll.tuning.hourly_after or job.held is not None:
        return
    posts.want(session, job.guild_id, NoticeKind.STILL_RUNNING, job.id, at=poll.at, job_id=job.id)
    told = Reason(ReasonCode.RUNNING_FOR_A_DAY)
    transitions.change(session, job.id, visible=True, held=told)


def _key_refused(session: Session, poll: Poll, job: Job, reason: Reason) -> Next:
    """Let the job continue with the server's current key if that is another one, else hold it."""
    current = keys.current(session, job.guild_id)
    own = None if job.key_id is None else session.get(StudiiKey, job.key_id)
    if current is not None and current.id != job.key_id:
        transitions.change(session, job.id, key_id=current.id)
        return None, None
    if current is None and (own is None or not own.ciphertext):
        return _end(session, poll, job, FailureCode.KEY, Reason(ReasonCode.KEY_REMOVED))
    _still_running(session, poll, job)
    _count(job, Trouble.KEY, poll.at)
    pause = delay_at(poll.tuning.key_retries, job.tries)
    until = poll.at + timedelta(seconds=pause)
    return holds.hold_running(session, job.id, current, reason, until, poll.at), pause


def _end(
    session: Session, poll: Poll, job: Job, code: FailureCode, reason: Reason, told: int | None = None
) -> Next:
    """Fail the job. `told` is the charge in the last answer, if that told it."""
    if submission.fail_running(session, poll.catalog, poll.lane, job, code, reason, poll.at, told=told):
        wake(session, ("lanes",))
    _log.info("Job %s failed (%s)", job.id, code)
    return job, None


def _is_news(job: Job, report: JobReport, age: float, tuning: Tuning) -> bool:
    """Return whether an answer has to be stored: most say that the job goes on as before."""
    over = report.failed or report.succeeded or age >= tuning.lost_after
    told = report.status != job.studii_status or (job.charged is None and bool(report.credits_charged))
    lasts = age >= tuning.hourly_after and job.held is None
    return over or told or lasts or job.trouble is not None or job.not_before is not None


def _count(job: Job, trouble: Trouble | None, at: datetime) -> float:
    """Count what polls in a row met. Return the seconds since the first of these."""
    again = trouble is not None and job.trouble == trouble
    job.tries = job.tries + 1 if again else int(trouble is not None)
    since = job.troubled_at if again and job.troubled_at is not None else at
    job.trouble, job.troubled_at = trouble, None if trouble is None else since
    return (at - since).total_seconds()


def _bounded(tuning: Tuning, pause: float, age: float) -> float:
    """Return the pause after a poll that learned nothing, bounded by a share of the job's age.

    A job may end in that pause: its requester then waits longer by at most that share.
    """
    return min(pause, max(tuning.first_poll, tuning.poll_share * age))
