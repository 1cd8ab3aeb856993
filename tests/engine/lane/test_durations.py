"""How long jobs take is learned from what was seen of it, whatever was guessed."""

from random import Random
from statistics import fmean

import pytest
from hypothesis import given, strategies as st

from bench.simulation.loads import IMAGE, USUAL, VIDEO
from bench.simulation.measure import learning, observe
from bot.engine.lane import REMEMBERED, Durations, Work, fit_model


@pytest.mark.parametrize("wrong", [1 / 3, 1.0, 3.0])
@pytest.mark.parametrize("work", [IMAGE, VIDEO])
def test_after_twenty_jobs_their_median_is_known_within_15_percent_nine_times_of_ten(
    work: Work, wrong: float
) -> None:
    """However wrong the guess was; with jobs as those of the bench, seen as the lane sees them."""
    assert learning(work, wrong, times=40).of_these <= 0.15


def test_the_longer_ones_are_known_as_well_whatever_was_guessed() -> None:
    """By the mean the lane reckons how many it can carry."""
    rng = Random(7)
    for wrong in (1 / 3, 3.0):
        durations = Durations(lambda work, wrong=wrong: wrong * USUAL[work].median)
        took = observe(durations, VIDEO, USUAL[VIDEO], rng, 20)
        assert durations.model(VIDEO).mean == pytest.approx(fmean(took), rel=0.15)


def test_a_guess_is_worth_less_with_each_job_that_was_seen() -> None:
    seen = (11.5, 12.5)
    away = [fit_model(36.0, [seen] * number).quantile(0.8) - 12.0 for number in (0, 1, 2, 4, 8, 20)]
    assert away == sorted(away, reverse=True)
    assert away[0] > 40
    assert away[-1] < 3


def test_without_having_seen_any_the_guess_holds() -> None:
    assert fit_model(90.0, []).median == pytest.approx(90.0, rel=0.05)


def test_jobs_that_fail_at_once_and_cold_starts_are_seen_for_what_they_are() -> None:
    intervals = [(1.0, 2.0)] * 10 + [(11.0, 13.0)] * 70 + [(50.0, 54.0)] * 20
    model = fit_model(12.0, intervals)
    assert model.unseen(model.glance(0.0), 4.0)[0] == pytest.approx(0.1, abs=0.05)
    assert model.median == pytest.approx(12.0, rel=0.15)
    # Of those that go on after 25 s, most end around 52 s.
    assert model.unseen(model.glance(25.0), 45.0)[0] < 0.3
    assert model.unseen(model.glance(25.0), 59.0)[0] > 0.7


def test_jobs_that_take_longer_than_any_guess_held_possible_are_seen_between_their_polls() -> None:
    model = fit_model(0.3, [(200_000, 400_000)] * 20)
    assert 200_000 < model.median < 400_000
    assert model.quantile(0.9) - model.quantile(0.1) > 50_000


def test_what_was_learned_is_taken_over_and_the_newest_counts() -> None:
    durations = Durations(lambda _: 12.0)
    durations.restore({("studio", "image"): [(39.0, 41.0)] * 100})
    assert durations.model(IMAGE).median == pytest.approx(40.0, rel=0.1)
    for _ in range(100):
        durations.learn(IMAGE, 5.0, 6.0)
    assert durations.model(IMAGE).median == pytest.approx(5.5, rel=0.1)


def test_few_jobs_count_at_once_and_of_a_hundred_in_a_crowd_each_fifth_brings_those_before_it() -> None:
    durations = Durations(lambda _: 12.0)
    for _ in range(20):
        before = durations.model(IMAGE)
        durations.learn(IMAGE, 39.0, 41.0)
        assert durations.model(IMAGE) is not before
    durations.restore({IMAGE: [(39.0, 41.0)] * REMEMBERED})
    known = durations.model(IMAGE)
    for _ in range(4):
        durations.learn(IMAGE, 5.0, 6.0)
        assert durations.model(IMAGE) is known
    durations.learn(IMAGE, 5.0, 6.0)
    assert durations.model(IMAGE).quantile(0.03) < 10 < known.quantile(0.03)


@given(ages=st.tuples(st.floats(0, 1000), st.floats(0, 1000)), guess=st.floats(1, 500))
def test_what_is_expected_unseen_is_the_integral_of_what_may_have_ended(
    ages: tuple[float, float], guess: float
) -> None:
    model, (last, now) = fit_model(guess, [(10.0, 12.0), (50.0, 60.0)]), sorted(ages)
    since, steps = model.glance(last), 2000
    width = (now - last) / steps
    area = sum(model.unseen(since, last + (n + 0.5) * width)[0] for n in range(steps)) * width
    assert model.unseen(since, now)[1] == pytest.approx(area, rel=0.01, abs=1e-4)
