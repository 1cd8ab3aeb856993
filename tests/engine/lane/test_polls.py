"""When a lane polls what runs: as it may have ended, and rarely once it hangs."""

from itertools import pairwise
from random import Random
from statistics import fmean

import pytest

from bench.simulation.loads import IMAGE, ROUGH, USUAL, VIDEO
from bench.simulation.measure import observe
from bot.engine.lane import Durations, Lane, Rest, Send, Step
from bot.engine.rate import RateWindow
from bot.engine.tuning import HOUR, Tuning
from tests.engine.lane.lanes import TUNING, lane_of, running, sync, take, waiting


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


def polls_of(lane: Lane, until: float) -> list[float]:
    """When the lane polls its one job, which never ends."""
    now, polls = 0.0, list[float]()
    while now < until:
        decision = lane.decide(now)
        if isinstance(decision, Send):
            lane.begin(decision, now)
            lane.end(decision.job_id, now, sent=True)
            lane.put(running(decision.job_id, 0.0), decision.job_id, now)
            polls.append(now)
            continue
        assert decision.until is not None
        now = decision.until
    return polls


def test_polls_come_when_a_job_may_end_and_become_rarer_when_it_hangs() -> None:
    lane = lane_of(300)
    sync(lane, [], [running("job", 0.0, VIDEO)], 0.0)
    polls = polls_of(lane, 3 * HOUR)
    gaps = [b - a for a, b in pairwise(polls)]
    assert min(gaps) >= 1.0 - 1e-9
    assert max(gaps[:5]) <= TUNING.poll_bound + 1.0
    assert max(gaps) <= TUNING.poll_cap + 1.0
    assert len([at for at in polls if at < 60]) < len([at for at in polls if 60 < at < 120])
    assert len([at for at in polls if at > 2 * HOUR]) < 60


def test_after_a_day_a_job_is_polled_hourly() -> None:
    lane = lane_of()
    sync(lane, [], [running("stuck", -90_000.0)], 0.0)
    decision = take(lane)
    lane.end(decision.job_id, 0.1, sent=True)
    lane.put(running("stuck", -90_000.0), "stuck", 0.1)
    rest = lane.decide(1.0)
    assert isinstance(rest, Rest)
    assert rest.until == pytest.approx(HOUR, abs=1)


def unseen(lane: Lane, durations: Durations, took: float, began: float) -> float:
    """For how long one job sits finished; the lane learns from it, as its runner lets it."""
    lane.put(running("job", began), "job", began)
    now = began
    while True:
        decision = lane.decide(now)
        if isinstance(decision, Rest):
            assert decision.until is not None
            now = decision.until
            continue
        lane.begin(decision, now)
        over = now >= began + took
        watch = lane.running["job"]
        lane.end("job", now, sent=True)
        lane.put(None if over else running("job", began), "job", now)
        if over:
            durations.learn(watch.job.work, watch.since.age, watch.age(now))
            return now - began - took


def waits_with_a_guess(wrong: float, number: int, seed: int = 5) -> list[float]:
    """What so many pictures wait to be seen, one after another, on a lane that begins with a guess."""
    durations = Durations(lambda work: wrong * USUAL[work].median)
    thrifty = Tuning(idle_price=0.5)
    lane, rng = Lane(RateWindow(60, thrifty), durations, thrifty), Random(seed)
    return [unseen(lane, durations, USUAL[IMAGE].draw(rng), 100.0 * n) for n in range(number)]


@pytest.mark.parametrize("wrong", [1 / 3, 3.0, 10.0])
def test_a_guess_that_is_wrong_by_a_lot_is_soon_outvoted(wrong: float) -> None:
    waits, right = (
        fmean(wait for seed in range(5, 9) for wait in waits_with_a_guess(guess, 60, seed)[20:])
        for guess in (wrong, 1.0)
    )
    assert waits <= 1.15 * right


@pytest.mark.parametrize("wrong", [3.0, 10.0, 100.0])
def test_a_guess_that_is_far_too_long_keeps_nobody_waiting_for_long(wrong: float) -> None:
    assert max(waits_with_a_guess(wrong, 10)) <= TUNING.poll_bound + 1.0


def test_jobs_that_fail_at_once_or_start_cold_are_seen_soon() -> None:
    durations, rng = Durations(lambda work: USUAL[work].median), Random(6)
    observe(durations, IMAGE, ROUGH[IMAGE], rng, 100)
    lane = Lane(RateWindow(60, TUNING), durations, TUNING)
    at_once = [unseen(lane, durations, rng.uniform(1.0, 3.0), 100.0 * n) for n in range(10)]
    cold = [unseen(lane, durations, 40.0 + USUAL[IMAGE].draw(rng), 5000.0 + 100.0 * n) for n in range(10)]
    assert fmean(at_once) <= 1.5
    assert fmean(cold) <= 3.0


def test_a_lane_with_little_to_do_polls_more_often_than_one_that_needs_its_requests() -> None:
    often: list[int] = []
    for used in (0, 230, 270):
        lane = lane_of(300)
        for _ in range(used):
            lane.rate.begin(0.0)
            lane.rate.end(0.0, 0.0)
        sync(lane, [], [running("job", 0.0, VIDEO)], 0.0)
        often.append(len(polls_of(lane, 60.0)))
    assert often[0] > often[1] > often[2] > 0
