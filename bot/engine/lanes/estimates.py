"""Forecasts of when the waiting jobs of lanes will be submitted."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from bot.clock import Clock
from bot.engine.lane import MIN_FORECAST_SECONDS, Lane, forecast
from bot.engine.tuning import Tuning


@dataclass(frozen=True, slots=True)
class _Made:
    starts: Mapping[str, float] = field(default_factory=dict[str, float])
    until: float = 0.0  # then it is renewed if it is asked for


class Forecasts:
    """The latest forecast of each lane.

    They are made in a thread, one at a time, and with pauses, to leave the machine to the work.
    """

    def __init__(self, clock: Clock, tuning: Tuning) -> None:
        self._clock = clock
        self._tuning = tuning
        self._made = WeakKeyDictionary[Lane, _Made]()
        self._turn = asyncio.Lock()

    async def starts_in(self, lane: Lane, job_id: str) -> float | None:
        """Return the seconds until a waiting job will probably have been submitted.

        None if that is unknown or only a few seconds away, or if too many forecasts are wanted at the moment.
        """
        if job_id not in lane.waiting:
            return None
        if self._outdated(lane, job_id):
            try:
                async with asyncio.timeout(self._tuning.forecast_patience):
                    await self._turn.acquire()
            except TimeoutError:
                return None
            pause = 0.0
            try:
                if self._outdated(lane, job_id):
                    pause = await self._make(lane)
            finally:
                asyncio.get_running_loop().call_later(pause, self._turn.release)
        now = self._clock.monotonic()
        wait = self._made.get(lane, _Made()).starts.get(job_id, now) - now
        return wait if wait >= MIN_FORECAST_SECONDS else None

    def _outdated(self, lane: Lane, job_id: str) -> bool:
        made = self._made.get(lane, _Made())
        newcomer = bool(made.starts) and job_id not in made.starts
        return newcomer or self._clock.monotonic() >= made.until

    async def _make(self, lane: Lane) -> float:
        """Renew the lane's forecast. Return for how long no other should be made."""
        began = self._clock.monotonic()
        starts = await asyncio.to_thread(forecast, lane.copy(), began)
        took = self._clock.monotonic() - began
        holds = max(self._tuning.forecast_holds, took * self._tuning.forecast_rest)
        self._made[lane] = _Made(starts, began + holds)
        return took * self._tuning.forecast_pause
