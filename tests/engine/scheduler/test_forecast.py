"""What members are told of their wait in line."""

from copy import deepcopy
from functools import cache
from itertools import product
from random import Random

import pytest

from bench.simulation.clients import OwnLane
from bench.simulation.loads import IMAGE, USUAL, Load
from bench.simulation.measure import Newcomer, Scale, measure, observe
from bench.simulation.world import SimulatedWorld, make_jobs
from bot.engine.scheduler import forecast
from bot.engine.scheduler.durations import Durations
from bot.engine.scheduler.forecast import MIN_FORECAST_SECONDS, SOON, predict
from bot.engine.scheduler.lane import Lane
from bot.engine.scheduler.poll_schedule import Running
from bot.engine.scheduler.queue import Step, Waiting
from bot.engine.scheduler.rate_limit import RateWindow
from bot.engine.tuning import Tuning

TUNING = Tuning()


def a_lane(*, seen: int, limit: int = 60) -> Lane:
    return Lane(RateWindow(limit, TUNING), deepcopy(_learned(seen)), TUNING)


@cache
def _learned(seen: int) -> Durations:
    """What is known when that many jobs were seen, always the same."""
    durations = Durations(lambda work: USUAL[work].median)
    observe(durations, IMAGE, USUAL[IMAGE], Random(1), seen)
    return durations


def waiting(number: int) -> Waiting:
    return Waiting(
        f"{number:02}",
        number,
        number,
        Step.SUBMIT,
        IMAGE,
        not_before=0.0,
        begun=False,
        held=False,
        price=None,
    )


@pytest.mark.promise
@pytest.mark.parametrize(
    ("load", "policy"),
    [
        (Load("images", 60, 60, burst=True), "lane"),
        (Load("images", 60, 60, burst=True), "new lane"),  # it knows a guess alone, and that is double
        (Load("mixed", 60, 20, burst=True), "lane"),
        (Load("images", 60, 8), "lane"),  # more than the key can carry
    ],
    ids=str,
)
def test_nine_of_ten_who_are_told_how_long_they_wait_are_told_within_30_percent(
    load: Load, policy: str
) -> None:
    result = measure(load, policy, Scale(least=1, most=1, lasts=400.0, burst_jobs=60))
    assert result.told is not None
    assert result.told >= 0.7
    assert result.told_well is not None
    assert result.told_well >= 0.9


@pytest.mark.parametrize("guess", [1 / 3, 3.0])
@pytest.mark.parametrize("mix", ["images", "videos"])
def test_a_guess_that_is_wrong_by_three_times_makes_no_wait_untrue(mix: str, guess: float) -> None:
    """Nothing was learned: fewer are told, and to these the time in which all guesses agree."""
    load = Load(mix, 60, 60, burst=True)
    result = measure(load, "new lane", Scale(least=1, burst_jobs=60), new=Newcomer(guess))
    assert result.told is not None
    assert result.told >= 0.3
    assert result.told_well is not None
    assert result.told_well >= 0.9


def test_nobody_is_told_a_time_that_hangs_on_when_the_first_picture_of_a_new_tool_is_ready() -> None:
    """It was told to be a few seconds, and was ten: the guess was a third of the truth."""
    durations = Durations(lambda work: USUAL[work].median / 3)
    lane = Lane(RateWindow(60, TUNING), durations, TUNING)
    lane.sync([waiting(n) for n in range(6)], [], 0.0)
    assert not any(predict(lane, 0.0).starts_in(f"{n:02}", 0.0) for n in range(6))


def test_the_more_such_jobs_were_seen_the_more_are_told_a_time() -> None:
    told: list[int] = []
    for seen in (0, 5, 50):
        lane = a_lane(seen=seen)
        lane.sync([waiting(n) for n in range(20)], [], 0.0)
        foretold = predict(lane, 0.0)
        told.append(sum(foretold.starts_in(f"{n:02}", 0.0) is not None for n in range(20)))
    assert told[0] < told[1] <= told[2]


def test_those_further_back_wait_longer_and_who_hardly_waits_is_told_nothing() -> None:
    lane = a_lane(seen=50)
    lane.sync([waiting(n) for n in range(40)], [], 0.0)
    foretold = predict(lane, 0.0)
    told = [foretold.starts_in(f"{n:02}", 0.0) for n in range(40)]
    known = [wait for wait in told if wait is not None]
    assert told[:5] == [None] * 5
    assert known == sorted(known)
    assert min(known) >= MIN_FORECAST_SECONDS
    assert 60 < known[-1] < 300
    assert foretold.starts_in("nobody", 0.0) is None


@pytest.mark.parametrize(("limit", "running"), [(30, range(6)), (60, range(12)), (300, range(36, 43))])
def test_a_wait_that_one_simulation_finds_short_is_one_that_all_of_them_tell_nothing_of(
    monkeypatch: pytest.MonkeyPatch, limit: int, running: range
) -> None:
    for busy, age, seen in product(running, (5.0, 8.0, 10.0), (0, 50)):
        lane = a_lane(seen=seen, limit=limit)
        others = [Running(f"r{n}", -age, IMAGE) for n in range(busy)]
        lane.sync([waiting(n) for n in range(3)], others, 0.0)
        told: list[list[float | None]] = []
        for soon in (SOON, -1.0):
            monkeypatch.setattr(forecast, "SOON", soon)
            foretold = predict(lane, 0.0)
            told.append([foretold.starts_in(one, 0.0) for one in foretold.starts])
        assert told[0] == told[1]
        assert len(told[0]) == 3


def test_no_time_is_told_that_hangs_on_how_long_jobs_of_an_unknown_tool_take() -> None:
    for seen, told in ((0, False), (50, True)):
        lane = a_lane(seen=seen)
        lane.sync([waiting(n) for n in range(20)], [Running(f"r{n}", -3.0, IMAGE) for n in range(6)], 0.0)
        assert (predict(lane, 0.0).starts_in("12", 0.0) is not None) is told


def test_telling_changes_nothing_that_the_lane_does() -> None:
    def submitted(*, told: bool) -> list[float | None]:
        world = SimulatedWorld(60, Random(3))
        durations = Durations(lambda work: USUAL[work].median)
        lane = Lane(RateWindow(60, TUNING), durations, TUNING)
        own = OwnLane(world, durations, lane)
        jobs = make_jobs([0.0] * 15, [IMAGE] * 15, USUAL, Random(4))
        for job in jobs:
            own.take(job)
        for second in range(0, 60, 5):
            world.run(float(second))
            if told:
                predict(lane, float(second))
        return [job.ends for job in jobs]

    assert submitted(told=True) == submitted(told=False)


def test_a_long_queue_is_predicted_from_the_part_that_was_simulated() -> None:
    lane = a_lane(seen=50)
    lane.sync([waiting(n) for n in range(1000)], [], 0.0)
    starts = predict(lane, 0.0).starts
    waits = [starts.get(f"{n:02}") for n in (300, 600, 999)]
    assert all(wait is not None for wait in waits)
    assert waits == sorted(waits, key=lambda wait: wait or 0.0)
