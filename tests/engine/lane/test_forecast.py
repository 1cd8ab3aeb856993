"""What members are told of their wait in line."""

from copy import deepcopy
from functools import cache
from random import Random
from statistics import fmean

import pytest

from bench.simulation.loads import IMAGE, USUAL, VIDEO, Load
from bench.simulation.measure import Newcomer, Scale, measure, observe
from bot.engine.lane import TOLD_FROM, Durations, Lane, Running, Step, Waiting, Work, forecast
from bot.engine.rate import RateWindow
from tests.engine.lane.lanes import TUNING, sync


def a_lane(*, seen: int, limit: int = 60) -> Lane:
    return Lane(RateWindow(limit, TUNING), deepcopy(_learned(seen)), TUNING)


@cache
def _learned(seen: int) -> Durations:
    """What is known when that many jobs were seen, always the same."""
    durations = Durations(lambda work: USUAL[work].median)
    observe(durations, IMAGE, USUAL[IMAGE], Random(1), seen)
    return durations


def waiting(number: int, work: Work = IMAGE) -> Waiting:
    return Waiting(
        f"{number:02}", number, number, Step.SUBMIT, work, not_before=0.0, begun=False, held=False, price=None
    )


@pytest.mark.promise
def test_nine_of_ten_who_are_told_how_long_they_wait_are_told_within_30_percent() -> None:
    loads = (
        (Load("images", 60, 60, burst=True), Newcomer(1.0, 100)),
        (Load("images", 60, 60, burst=True), Newcomer(2.0, 5)),  # it has a wrong guess and has seen few
        (Load("mixed", 60, 60, burst=True), Newcomer(1.0, 100)),
        (Load("images", 60, 8), Newcomer(1.0, 100)),  # more than the key can carry
    )
    told: list[float] = []
    for load, new in loads:
        result = measure(load, "new lane", Scale(least=1, most=1, lasts=400.0, burst_jobs=60), new=new)
        assert result.told == 1.0
        told.append(result.told_well or 0.0)
    assert min(told) >= 0.8
    assert fmean(told) >= 0.9


def test_no_time_is_told_before_some_jobs_of_each_kind_were_seen() -> None:
    lane = a_lane(seen=TOLD_FROM - 1)
    sync(lane, [waiting(n) for n in range(20)], [], 0.0)
    assert forecast(lane.copy(), 0.0) == {}
    lane = a_lane(seen=TOLD_FROM)
    sync(lane, [waiting(n) for n in range(20)], [], 0.0)
    assert forecast(lane.copy(), 0.0).keys() == lane.waiting.keys()
    sync(lane, [waiting(n) for n in range(20)], [Running("r", -3.0, VIDEO)], 0.0)
    assert forecast(lane.copy(), 0.0) == {}


def test_those_further_back_wait_longer() -> None:
    lane = a_lane(seen=50)
    sync(lane, [waiting(n) for n in range(40)], [], 0.0)
    starts = forecast(lane.copy(), 0.0)
    told = [starts[f"{n:02}"] for n in range(40)]
    assert told == sorted(told)
    assert told[4] < 2
    assert 60 < told[-1] < 300


def test_a_long_queue_is_predicted_from_the_part_that_was_simulated() -> None:
    lane = a_lane(seen=50)
    sync(lane, [waiting(n) for n in range(1000)], [], 0.0)
    starts = forecast(lane.copy(), 0.0)
    waits = [starts[f"{n:02}"] for n in (300, 600, 999)]
    assert waits == sorted(waits)
