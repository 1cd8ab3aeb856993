"""How long jobs take is learned from what was seen of it, whatever was guessed."""

from random import Random
from statistics import fmean

import pytest

from bench.simulation.loads import IMAGE, USUAL, VIDEO
from bench.simulation.measure import learning, observe
from bot.engine.lane import Durations, Work, fit_model


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


def test_without_having_seen_any_the_guess_holds() -> None:
    assert fit_model(90.0, []).median == pytest.approx(90.0, rel=0.05)


def test_what_was_learned_is_taken_over_and_the_newest_counts() -> None:
    durations = Durations(lambda _: 12.0)
    durations.restore({("studio", "image"): [(39.0, 41.0)] * 100})
    assert durations.model(IMAGE).median == pytest.approx(40.0, rel=0.1)
    for _ in range(100):
        durations.learn(IMAGE, 5.0, 6.0)
    assert durations.model(IMAGE).median == pytest.approx(5.5, rel=0.1)
