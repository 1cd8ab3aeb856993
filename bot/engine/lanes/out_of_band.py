"""Requests to Studii that no lane decides on, and that count against a key's limit all the same."""

from bot.engine.context import EngineContext
from bot.engine.lanes.plan_check import ChosenPlan
from bot.engine.lanes.rate_state import RateState, RateStates
from bot.jobs import lanes as lane_rows
from bot.jobs.models import Job
from bot.servers.keys import StudiiKey
from bot.studii import JobReport, RateLimited


class NoRequestLeft(Exception):
    """The key has no request left; try again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no request is available for {seconds:.0f} s")
        self.seconds = seconds


class OutOfBandRequests:
    """Sends requests within the rate limit that the lane of the key keeps to."""

    def __init__(self, context: EngineContext, rates: RateStates) -> None:
        self._context = context
        self._rates = rates

    async def job_status(self, key: StudiiKey, secret: str, job: Job) -> JobReport:
        """GET a job that Studii has. Raises `NoRequestLeft`, and what the client raises."""
        plan = ChosenPlan(key.plan.requests_per_minute, key.plan_chosen_at)
        rate = (await self._rates.open({key.lane: plan}))[key.lane]
        try:
            return await self._job_status(rate, secret, job)
        finally:
            self._rates.close(key.lane)

    async def _job_status(self, rate: RateState, secret: str, job: Job) -> JobReport:
        now = self._context.clock.monotonic()
        if rate.window.free_at(now) != now:
            raise NoRequestLeft(rate.pause())
        rate.window.begin(now)
        sent = False
        try:
            async with self._context.storage.write() as transaction:
                request = await self._rates.next_request(transaction, rate)
                if request is None:
                    raise NoRequestLeft(rate.pause())
                await transaction.run(lane_rows.add, [(rate.lane, request)])
            sent = True
            return await self._context.studii.job_status(secret, job.studii_id or "", job.status_url)
        except RateLimited as error:
            await rate.answered(error)
            raise
        finally:
            rate.window.end(now, self._context.clock.monotonic(), sent=sent)
