"""Forecasts are made rarely enough to leave the machine to the work."""

import asyncio
import threading
import time
from itertools import pairwise

import pytest

from bot.clock import SystemClock
from bot.engine.lanes import estimates as module
from bot.engine.lanes.estimates import Estimates, Simulations
from bot.engine.scheduler.durations import Durations, Work
from bot.engine.scheduler.forecast import Forecast, predict
from bot.engine.scheduler.lane import Lane
from bot.engine.scheduler.queue import Step, Waiting
from bot.engine.scheduler.rate_limit import RateWindow
from bot.engine.tuning import Tuning

IMAGE = Work("studio", "image")


class Stopwatch:
    """Notes when each forecast was made."""

    def __init__(self) -> None:
        self.made: list[tuple[float, float]] = []
        self.release = threading.Event()
        self.release.set()

    def __call__(self, lane: Lane, now: float) -> Forecast:
        began = time.perf_counter()
        forecast = predict(lane, now)
        self.release.wait(10)
        self.made.append((began, time.perf_counter()))
        return forecast


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    monkeypatch.setattr(module, "predict", watch)
    return watch


def a_lane(*names: str) -> Lane:
    durations = Durations(lambda _: 12.0)
    for _ in range(20):
        durations.learn(IMAGE, 11.0, 13.0, now=0.0)
    lane = Lane(RateWindow(60, Tuning()), durations, Tuning())
    lane.sync([waiting(name) for name in names], [], 0.0)
    return lane


def waiting(name: str) -> Waiting:
    return Waiting(name, 1, 0.0, Step.SUBMIT, IMAGE, not_before=0.0, begun=False, held=False, price=None)


def estimates_of(lane: Lane, simulations: Simulations, tuning: Tuning) -> Estimates:
    return Estimates(lane, simulations, SystemClock(), tuning)


async def test_all_in_line_who_ask_at_once_are_told_from_one_forecast(stopwatch: Stopwatch) -> None:
    tuning, names = Tuning(forecast_holds=60.0), [f"{n:02}" for n in range(40)]
    estimates = estimates_of(a_lane(*names), Simulations(SystemClock(), tuning), tuning)
    told = await asyncio.gather(*(estimates.starts_in(name) for name in names))
    assert len([wait for wait in told if wait is not None]) > 30
    assert len(stopwatch.made) == 1


async def test_however_many_come_one_by_one_forecasts_take_a_third_of_the_time_at_most(
    stopwatch: Stopwatch,
) -> None:
    tuning = Tuning()
    lane = a_lane()
    estimates = estimates_of(lane, Simulations(SystemClock(), tuning), tuning)
    for n in range(6):
        lane.put(waiting(f"{n}"), f"{n}", 0.0)
        await estimates.starts_in(f"{n}")
    assert len(stopwatch.made) == 6
    for (began, ended), (following, _) in pairwise(stopwatch.made):
        assert following - ended >= 0.9 * tuning.forecast_pause * (ended - began)


async def test_who_would_have_to_wait_for_a_forecast_is_told_the_place_alone(stopwatch: Stopwatch) -> None:
    tuning = Tuning(forecast_patience=0.0)
    simulations = Simulations(SystemClock(), tuning)
    names = [f"{n:02}" for n in range(20)]
    busy, other = (estimates_of(a_lane(*names), simulations, tuning) for _ in range(2))
    stopwatch.release.clear()
    first = asyncio.create_task(busy.starts_in("19"))
    await asyncio.sleep(0)
    assert await other.starts_in("19") is None
    stopwatch.release.set()
    assert await first is not None
    assert await other.starts_in("19") is not None
