"""What the benchmarks measure, they would see."""

from pathlib import Path

import pytest

from bench.languages import memory
from bench.machine import memory as results
from bench.machine.apart import apart
from bench.machine.reactions import stars_and_mentions, unrelated
from bench.simulation.clients import OwnLane
from bench.simulation.kills import kills
from bench.simulation.loads import ROUGH, USUAL, Load
from bench.simulation.measure import Scale, measure
from bench.simulation.world import SimulatedWorld
from bot.engine.lane import Durations, Lane
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting


@pytest.mark.promise
async def test_unrelated_reactions_cost_no_request_and_no_query_and_one_that_counts_is_counted(
    tmp_path: Path,
) -> None:
    cost = await unrelated(tmp_path, 200)
    assert (cost.number, cost.requests, cost.queries) == (200, 0, 0)


@pytest.mark.promise
async def test_stars_and_mentions_that_are_nobodys_business_cost_no_request_and_few_queries(
    tmp_path: Path,
) -> None:
    cost = await stars_and_mentions(tmp_path, 200)
    assert (cost.number, cost.requests) == (200, 0)
    # Those that were removed: their messages are asked for. Some are the workers' own, every few seconds.
    assert cost.queries <= 200 / 4 * 8 + 20


@pytest.mark.promise
async def test_all_translations_take_less_than_5_mib_beside_babels_data() -> None:
    found = dict(await apart(memory))
    assert 0.5 < found["all catalogues"] < 5
    assert found["Babel's data of all languages"] < 12


SHORT = Scale(least=1, most=1, lasts=150.0, burst_jobs=1)


@pytest.mark.promise
@pytest.mark.parametrize("counting", ["sliding", "fixed", "bucket"])
def test_the_lane_never_meets_a_429_and_forgets_no_job(counting: Counting) -> None:
    for load in (Load("mixed", 60, 5), Load("images", 60, 30, burst=True)):
        result = measure(load, "lane", SHORT, counting=counting, lasting=ROUGH)
        assert result.refused == 0
        assert result.done == 1.0


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


@pytest.mark.promise
async def test_a_result_of_200_mib_adds_at_most_16_mib(tmp_path: Path) -> None:
    assert (await results.measure(tmp_path)).added <= 16 * results.MIB
