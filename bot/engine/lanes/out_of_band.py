"""Requests to Studii that no lane decides on, and that count against a key's limit all the same."""

import asyncio

from bot.domain import Job, StudiiKey
from bot.engine.context import EngineContext, StepResult
from bot.engine.lanes.rate_state import Limits, recall
from bot.engine.scheduler.plan_check import Chosen
from bot.studii import JobReport, RateLimited

LATER = 5.0  # seconds, when room comes only with an answer


class NoRoom(Exception):
    """The key has no request left; `seconds` until it is worth trying again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no request is left for {seconds:.0f} s")
        self.seconds = seconds


class OutOfBandRequests:
    """Sends requests within the limits of the lane; if it does not run, within what is stored of it."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._at_work: dict[str, Limits] = {}
        self._turn = asyncio.Lock()  # what one has begun the next one has to see

    def works(self, lane: str, limits: Limits) -> None:
        """The lane has begun."""
        self._at_work[lane] = limits

    def rests(self, lane: str) -> None:
        """It has ended."""
        self._at_work.pop(lane, None)

    async def job_status(self, key: StudiiKey, secret: str, job: Job) -> JobReport:
        """GET a job that Studii has. Raises `NoRoom`, and what the client raises."""
        with self._context.in_flight.request(key.lane):
            limits = await self._begin(key)
            try:
                return await self._context.studii.job_status(secret, job.studii_id or "", job.status_url)
            except RateLimited as error:
                told = StepResult(None, limited=True, retry_after=error.retry_after)
                news = limits.answered(told, self._context.clock.monotonic())
                if news is not None:
                    await limits.keep(news)
                raise
            finally:
                limits.rate.end(self._context.clock.monotonic())

    async def _begin(self, key: StudiiKey) -> Limits:
        """Note the request, or find that there is no room for it."""
        async with self._turn:
            limits = self._at_work.get(key.lane) or await self._left_behind(key)
            now = self._context.clock.monotonic()
            if limits.rate.room(now) < 1:
                free_at = limits.rate.next_room(now)
                raise NoRoom(LATER if free_at is None else max(free_at - now, 0.0))
            limits.rate.begin(now)
            try:
                async with self._context.storage.write() as tx:
                    settled = self._context.in_flight.settled(key.lane)
                    await tx.lanes.record(key.lane, self._context.clock.now(), settled)
            except BaseException:
                limits.rate.end(self._context.clock.monotonic(), sent=False)
                raise
            return limits

    async def _left_behind(self, key: StudiiKey) -> Limits:
        memory = (await recall(self._context, [key.lane]))[key.lane]
        plan = Chosen(key.plan.requests_per_minute, key.plan_chosen_at)
        return Limits(key.lane, plan, memory, self._context)
