"""When a forecast is made: rarely enough that it never takes the machine, soon enough to be of use."""

import asyncio

from bot.clock import Clock
from bot.engine.scheduler.forecast import Forecast, foretell
from bot.engine.scheduler.lane import Lane
from bot.engine.scheduler.tuning import Tuning


class Rehearsals:
    """Makes the forecasts of all lanes in a thread, one at a time, with a rest after each."""

    def __init__(self, clock: Clock, tuning: Tuning) -> None:
        self._clock = clock
        self._tuning = tuning
        self._turn = asyncio.Lock()
        self._rest_until = 0.0

    async def make(self, lane: Lane) -> tuple[Forecast, float] | None:
        """A lane's forecast, and how many seconds it took; None: too many are wanted just now."""
        try:
            async with asyncio.timeout(self._tuning.forecast_patience):
                await self._turn.acquire()
        except TimeoutError:
            return None
        try:
            await asyncio.sleep(self._rest_until - self._clock.monotonic())
            began = self._clock.monotonic()
            forecast = await asyncio.to_thread(foretell, lane.copy(), began)
            took = self._clock.monotonic() - began
            self._rest_until = began + took * (1.0 + self._tuning.forecast_pause)
            return forecast, took
        finally:
            self._turn.release()


class Outlook:
    """The newest forecast of a lane."""

    def __init__(self, lane: Lane, rehearsals: Rehearsals, clock: Clock, tuning: Tuning) -> None:
        self._lane = lane
        self._rehearsals = rehearsals
        self._clock = clock
        self._tuning = tuning
        self._forecast = Forecast(0.0, {})
        self._holds_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def starts_in(self, job_id: str) -> float | None:
        """Seconds until a waiting job will probably have been submitted; None: it does not wait, or nobody
        can say."""
        async with self._one_at_a_time:
            if self._lane.waits(job_id) is None:
                return None
            newcomer = job_id not in self._forecast.starts
            if newcomer or self._clock.monotonic() > self._holds_until:
                await self._foretell()
        return self._forecast.starts_in(job_id, self._clock.monotonic())

    async def _foretell(self) -> None:
        made = await self._rehearsals.make(self._lane)
        if made is None:
            return
        self._forecast, took = made
        rest = max(self._tuning.forecast_holds, took * self._tuning.forecast_rest)
        self._holds_until = self._forecast.at + rest
