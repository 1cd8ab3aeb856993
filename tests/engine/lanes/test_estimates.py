"""Forecasts are made rarely enough to leave the machine to the work."""

import asyncio
import threading
import time
from itertools import pairwise

import pytest

from bot.clock import SystemClock
from bot.engine.lane import Durations, Lane, RateWindow, Step, Waiting, Work, forecast
from bot.engine.lanes import estimates as module
from bot.engine.lanes.estimates import Forecasts
from bot.engine.tuning import Tuning

IMAGE = Work("studio", "image")


class Stopwatch:
    """Notes when each forecast was made."""

    def __init__(self) -> None:
        self.made: list[tuple[float, float]] = []
        self.release = threading.Event()
        self.release.set()

    def __call__(self, lane: Lane, now: float) -> dict[str, float]:
        began = time.perf_counter()
        starts = forecast(lane, now)
        self.release.wait(10)
        self.made.append((began, time.perf_counter()))
        return starts


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    monkeypatch.setattr(module, "forecast", watch)
    return watch


def a_lane(*names: str) -> Lane:
    durations = Durations(lambda _: 12.0)
    for _ in range(20):
        durations.learn(IMAGE, 11.0, 13.0)
    lane = Lane(RateWindow(60, Tuning()), durations, Tuning())
    lane.sync([waiting(name) for name in names], [], 0.0)
    return lane


def waiting(name: str) -> Waiting:
    return Waiting(name, 1, 0.0, Step.SUBMIT, IMAGE, not_before=0.0, begun=False, held=False, price=None)


async def test_all_in_line_who_ask_at_once_are_told_from_one_forecast(stopwatch: Stopwatch) -> None:
    names = [f"{n:02}" for n in range(40)]
    lane, forecasts = a_lane(*names), Forecasts(SystemClock(), Tuning(forecast_holds=60.0))
    told = await asyncio.gather(*(forecasts.starts_in(lane, name) for name in names))
    assert len([wait for wait in told if wait is not None]) > 30
    assert len(stopwatch.made) == 1


async def test_however_many_come_one_by_one_forecasts_take_a_third_of_the_time_at_most(
    stopwatch: Stopwatch,
) -> None:
    tuning = Tuning()
    lane, forecasts = a_lane(), Forecasts(SystemClock(), tuning)
    for n in range(6):
        lane.put(waiting(f"{n}"), f"{n}", 0.0)
        await forecasts.starts_in(lane, f"{n}")
    assert len(stopwatch.made) == 6
    for (began, ended), (following, _) in pairwise(stopwatch.made):
        assert following - ended >= 0.9 * tuning.forecast_pause * (ended - began)


async def test_who_would_have_to_wait_for_a_forecast_is_told_the_place_alone(stopwatch: Stopwatch) -> None:
    forecasts = Forecasts(SystemClock(), Tuning(forecast_patience=0.0, forecast_pause=0.0))
    names = [f"{n:02}" for n in range(40)]
    busy, other = a_lane(*names), a_lane(*names)
    stopwatch.release.clear()
    first = asyncio.create_task(forecasts.starts_in(busy, "39"))
    await asyncio.sleep(0)
    assert await forecasts.starts_in(other, "39") is None
    stopwatch.release.set()
    assert await first is not None
    await asyncio.sleep(0)
    assert await forecasts.starts_in(other, "39") is not None
