"""The lane in simulated time: never a 429, however the server counts, and no job is forgotten."""

import pytest

from bench.simulation.clients import OwnLane
from bench.simulation.kills import kills
from bench.simulation.loads import ROUGH, USUAL, Load
from bench.simulation.measure import Scale, measure
from bench.simulation.world import SimulatedWorld
from bot.engine.lane import Durations, Lane
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting

SHORT = Scale(least=1, most=1, lasts=150.0, burst_jobs=1)


@pytest.mark.promise
@pytest.mark.parametrize("counting", ["sliding", "fixed", "bucket"])
def test_the_lane_never_meets_a_429_and_forgets_no_job(counting: Counting) -> None:
    for load in (Load("mixed", 60, 5), Load("images", 60, 30, burst=True)):
        result = measure(load, "lane", SHORT, counting=counting, lasting=ROUGH)
        assert result.refused == 0
        assert result.done == 1.0


def test_an_idle_lane_sees_a_picture_within_a_second_or_so() -> None:
    result = measure(Load("images", 300, 1), "lane", Scale(least=1, most=1, lasts=600.0))
    assert result.mean <= 0.7
    assert result.p95 <= 1.3


def a_life(world: SimulatedWorld) -> OwnLane:
    durations = Durations(lambda work: USUAL[work].median)
    return OwnLane(world, durations, Lane(RateWindow(world.limit, Tuning()), durations, Tuning()))


@pytest.mark.promise
@pytest.mark.parametrize("counting", ["sliding", "fixed", "bucket"])
def test_no_429_after_a_kill_and_an_immediate_restart_however_slow_the_requests(counting: Counting) -> None:
    load = Load("images", 60, 40, burst=True)
    world, mortal, jobs = kills(
        load, a_life, counting=counting, lasting=ROUGH, slow=0.3, every=30.0, lasts=200.0
    )
    assert mortal.deaths >= 2
    assert world.refused == 0
    assert sum(job.seen is not None for job in jobs) >= 10
