"""Poll the jobs that Studii has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.aio.batching import Batcher
from bot.aio.retry import ErrorLog
from bot.catalog import Catalog
from bot.engine.context import EngineContext
from bot.engine.lanes.poll_answers import PollAnswers
from bot.engine.lanes.rate_state import RateState, RateStates
from bot.engine.lanes.running_jobs import RunningJobs
from bot.engine.lanes.step_result import StepResult
from bot.jobs import lanes as lane_rows, queries
from bot.jobs.models import Job, JobState
from bot.jobs.submission import NOT_YET, Claim, Unreadable, open_key
from bot.servers import keys as server_keys
from bot.servers.keys import StudiiKey
from bot.storage import Transaction
from bot.studii import JobReport, MalformedAnswer, StudiiError

CLAIMED_AT_ONCE = 500  # in one transaction
TIDIED_EVERY = timedelta(seconds=30)
_Asked = tuple[str, RateState]  # job, and its lane's


class Poller:
    """GETs a job (Studii API docs, "Poll status").

    Polls are recorded in advance, about as many as a lane has just sent in that time: one that is not sent
    until then counts all the same after a restart.
    """

    def __init__(
        self, context: EngineContext, catalog: Catalog, rates: RateStates, known: RunningJobs
    ) -> None:
        self._context = context
        self._rates = rates
        self._known = known
        self._tidied: datetime | None = None
        # After a start with many running jobs, hundreds of lanes poll at the same moment.
        self._claims = Batcher("claiming polls", self._claim_all, max_group=CLAIMED_AT_ONCE)
        self._errors = ErrorLog("polling it", noun="job")
        self._answers = PollAnswers(context, catalog)

    async def poll(self, job_id: str, rate: RateState, age: float) -> StepResult:
        """Poll a job that was submitted `age` seconds ago."""
        claim = await self._claim(job_id, rate)
        if isinstance(claim, StepResult):
            return self._after(job_id, claim)
        job = claim.job
        pause: float | None = None
        met: JobReport | StudiiError
        try:
            met = await self._context.studii.job_status(claim.secret, job.studii_id or "", job.status_url)
        except StudiiError as error:
            met = error
        except Exception as error:  # noqa: BLE001 - logged; the job's own bounds hold for it too
            pause = self._errors.failed(error, job_id)
            met = MalformedAnswer(reason=type(error).__name__)
        else:
            self._errors.succeeded(job_id)
        result = await self._answers.store(job, met, rate.lane, age)
        if pause is not None and result.again is not None:
            result = replace(result, again=self._answers.bounded(pause, age), unexpected=True)
        return self._after(job_id, result)

    async def _claim(self, job_id: str, rate: RateState) -> Claim | StepResult:
        known = self._known.get(job_id)
        if rate.poll_recorded() and known is not None:
            claimed = self._claim_of(known[0], known[1], rate.lane)
        else:
            claimed = await self._claims.ask((job_id, rate))
        if isinstance(claimed, Unreadable):
            refused = await self._answers.key_refused(claimed.job, rate.lane, claimed.reason)
            return replace(refused, sent=False)
        return claimed

    async def _claim_all(
        self, take: Callable[[], Sequence[_Asked]]
    ) -> Sequence[Claim | StepResult | Unreadable]:
        """Return the claim of each job. The polls are recorded before they are sent."""
        claims: list[Claim | StepResult | Unreadable] = []
        async with self._context.storage.write() as transaction:
            asked = take()
            found = await self._read(transaction, [job_id for job_id, _ in asked])
            refused = await self._rates.count_excess(transaction, (rate for _, rate in asked))
            sent: list[RateState] = []
            for job_id, rate in asked:
                job, key = found.get(job_id, (None, None))
                claim = self._claim_of(job, key, rate.lane)
                if isinstance(claim, Claim):
                    if refused[rate.lane] > 0:
                        refused[rate.lane] -= 1
                        claim = StepResult(job, sent=False, again=rate.pause())
                    else:
                        sent.append(rate)
                        self._known.keep(claim.job, claim.key)
                claims.append(claim)
            lanes = {rate.lane: rate for rate in sent}
            ahead = [rate for rate in lanes.values() for _ in range(rate.wanted_ahead())]
            await self._tidy(transaction)
            await self._rates.record_polls(transaction, sent, ahead)
        for rate in ahead:
            rate.granted()
        return claims

    async def _read(
        self, transaction: Transaction, job_ids: Sequence[str]
    ) -> Mapping[str, tuple[Job, StudiiKey | None]]:
        """Return those of the jobs that exist, and their keys: from the database what is not known."""
        known = {job_id: one for job_id in job_ids if (one := self._known.get(job_id)) is not None}
        unknown = [job_id for job_id in job_ids if job_id not in known]
        jobs = await transaction.run(queries.some, unknown) if unknown else {}
        ids = {job.key_id for job in jobs.values() if job.key_id is not None}
        keys = await transaction.run(server_keys.some, ids) if ids else {}
        return {**known, **{job.id: (job, keys.get(job.key_id or 0)) for job in jobs.values()}}

    async def _tidy(self, transaction: Transaction) -> None:
        """Delete records of old requests from time to time."""
        at = self._context.clock.now()
        if self._tidied is None or not timedelta() <= at - self._tidied < TIDIED_EVERY:
            self._tidied = at
            await transaction.run(lane_rows.tidy, at)

    def _claim_of(self, job: Job | None, key: StudiiKey | None, lane: str) -> Claim | StepResult | Unreadable:
        if job is None or job.state is not JobState.RUNNING or job.output_url is not None:
            return StepResult(job, sent=False, again=NOT_YET)
        if key is None or key.lane != lane:
            return StepResult(None, sent=False)
        return open_key(self._context.vault, job, key, was_held=False)

    def _after(self, job_id: str, result: StepResult) -> StepResult:
        job = result.job
        if job is not None and (job.state is not JobState.RUNNING or job.output_url is not None):
            self._errors.succeeded(job_id)
            self._answers.forget(job_id)
        return result
