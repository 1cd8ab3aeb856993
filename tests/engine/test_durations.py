"""How long jobs take is learned from what was seen of it, whatever was guessed."""

from math import exp, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.durations import Durations, Model, Work, fit

IMAGE = Work("studio", "image")


def seen(rng: Random, median: float, spread: float, number: int, gap: float) -> list[tuple[float, float]]:
    """Intervals of looks `gap` seconds apart in which jobs of known durations ended."""
    intervals: list[tuple[float, float]] = []
    for _ in range(number):
        took = rng.lognormvariate(log(median), spread)
        low = max(0.0, took - rng.random() * gap)
        intervals.append((low, max(low + gap, took)))
    return intervals


@pytest.mark.parametrize("guess", [4.0, 12.0, 60.0])
@pytest.mark.parametrize("median", [8.0, 20.0])
def test_after_twenty_jobs_the_duration_is_known_within_15_percent(guess: float, median: float) -> None:
    model = fit(guess, seen(Random(7), median, 0.2, 20, 2.0))
    assert model.median == pytest.approx(median, rel=0.15)


def test_without_having_seen_any_the_guess_holds() -> None:
    assert fit(90.0, []).median == pytest.approx(90.0, rel=0.05)


def test_jobs_that_fail_at_once_and_cold_starts_are_seen_for_what_they_are() -> None:
    intervals = [(1.0, 2.0)] * 10 + [(11.0, 13.0)] * 70 + [(50.0, 54.0)] * 20
    model = fit(12.0, intervals)
    assert model.unseen(model.glance(0.0), 4.0)[0] == pytest.approx(0.1, abs=0.05)
    assert model.median == pytest.approx(12.0, rel=0.15)
    # Of those that go on after 25 s, most end around 52 s.
    assert model.left(25.0, 0.5) == pytest.approx(27.0, rel=0.25)


def test_what_was_learned_is_taken_over_and_the_newest_counts() -> None:
    durations = Durations(lambda _: 12.0)
    durations.restore({("studio", "image"): [(39.0, 41.0)] * 100})
    assert durations.model(IMAGE).median == pytest.approx(40.0, rel=0.1)
    for _ in range(100):
        durations.learn(IMAGE, 5.0, 6.0)
    assert durations.model(IMAGE).median == pytest.approx(5.5, rel=0.1)


def models() -> st.SearchStrategy[Model]:
    interval = st.tuples(st.floats(0, 200), st.floats(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return st.builds(fit, st.floats(1, 500), st.lists(interval, max_size=12))


@given(model=models(), last=st.floats(0, 100_000), price=st.floats(0.001, 20))
def test_a_look_is_due_exactly_when_it_is_worth_its_price(model: Model, last: float, price: float) -> None:
    glance = model.glance(last)
    due = model.due(glance, price)
    assert due >= last
    if due < 500_000:
        assert model.unseen(glance, due)[1] == pytest.approx(price, rel=0.02, abs=1e-6 * exp(8))


@given(model=models(), share=st.floats(0.01, 0.99), age=st.floats(0, 1000))
def test_what_is_left_follows_from_what_is_possible(model: Model, share: float, age: float) -> None:
    left = model.left(age, share)
    assert left >= 0
    if model.glance(age).going > 1e-3:
        assert model.unseen(model.glance(age), age + left)[0] == pytest.approx(share, abs=0.01)
