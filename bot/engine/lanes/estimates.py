"""Predictions of the waits of a lane's jobs, made often enough to be of use and rarely enough to be cheap."""

import asyncio

from bot.clock import Clock
from bot.engine.scheduler.forecast import Forecast, predict
from bot.engine.scheduler.lane import Lane
from bot.engine.tuning import Tuning


class Simulations:
    """Makes the forecasts of all lanes in a thread, one at a time, with a pause after each."""

    def __init__(self, clock: Clock, tuning: Tuning) -> None:
        self._clock = clock
        self._tuning = tuning
        self._turn = asyncio.Lock()
        self._rest_until = 0.0

    async def make(self, lane: Lane) -> tuple[Forecast, float] | None:
        """Return a forecast and the seconds that it took, or None if too many are wanted at the moment."""
        try:
            async with asyncio.timeout(self._tuning.forecast_patience):
                await self._turn.acquire()
        except TimeoutError:
            return None
        try:
            await asyncio.sleep(self._rest_until - self._clock.monotonic())
            began = self._clock.monotonic()
            forecast = await asyncio.to_thread(predict, lane.copy(), began)
            took = self._clock.monotonic() - began
            self._rest_until = began + took * (1.0 + self._tuning.forecast_pause)
            return forecast, took
        finally:
            self._turn.release()


class Estimates:
    """The latest forecast of a lane, renewed when it is asked for."""

    def __init__(self, lane: Lane, simulations: Simulations, clock: Clock, tuning: Tuning) -> None:
        self._lane = lane
        self._simulations = simulations
        self._clock = clock
        self._tuning = tuning
        self._forecast = Forecast(0.0, {})
        self._holds_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def starts_in(self, job_id: str) -> float | None:
        """Return the seconds until a job will probably have been submitted.

        None if it does not wait, or if that is unknown.
        """
        async with self._one_at_a_time:
            if self._lane.waits(job_id) is None:
                return None
            newcomer = job_id not in self._forecast.starts
            if newcomer or self._clock.monotonic() > self._holds_until:
                await self._predict()
        return self._forecast.starts_in(job_id, self._clock.monotonic())

    async def _predict(self) -> None:
        made = await self._simulations.make(self._lane)
        if made is None:
            return
        self._forecast, took = made
        rest = max(self._tuning.forecast_holds, took * self._tuning.forecast_rest)
        self._holds_until = self._forecast.at + rest
