"""When a lane polls what runs: as it may have ended, and rarely once it hangs."""

import pytest

from bench.simulation.loads import VIDEO
from bot.engine.lane import Rest, Send, Step
from bot.engine.tuning import HOUR
from tests.engine.lane.lanes import lane_of, running, sync, take, waiting


def test_polls_are_spread_over_the_minute() -> None:
    lane = lane_of(60)
    sync(lane, [], [running(f"{n}", -60.0) for n in range(20)], 0.0)
    for _ in range(3):
        assert take(lane).step is Step.POLL
    rest = lane.decide(0.0)
    assert isinstance(rest, Rest)
    assert rest.until == pytest.approx(60.3 / 58)


def test_the_one_that_has_probably_been_finished_the_longest_is_polled_first() -> None:
    lane = lane_of()
    sync(lane, [], [running("young", -5.0), running("video", -40.0, VIDEO), running("old", -40.0)], 0.0)
    assert take(lane) == Send("old", Step.POLL)


def test_a_job_that_has_very_probably_ended_is_polled_before_another_is_begun() -> None:
    lane = lane_of()
    sync(lane, [waiting("new")], [running("late", -40.0)], 0.0)
    assert take(lane) == Send("late", Step.POLL)
    assert take(lane) == Send("new", Step.SUBMIT)


def test_after_a_day_a_job_is_polled_hourly() -> None:
    lane = lane_of()
    sync(lane, [], [running("stuck", -90_000.0)], 0.0)
    decision = take(lane)
    lane.end(decision.job_id, 0.1, sent=True)
    lane.put(running("stuck", -90_000.0), "stuck", 0.1)
    rest = lane.decide(1.0)
    assert isinstance(rest, Rest)
    assert rest.until == pytest.approx(HOUR, abs=1)
