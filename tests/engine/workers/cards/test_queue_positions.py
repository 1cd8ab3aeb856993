"""A waiting job's card follows its place in line and the time that was predicted, now and then."""

from datetime import timedelta

from bot.engine.workers.cards.queue_positions import (
    EVERY,
    MAX_SHOWN_POSITIONS,
    UNPLACED_EVERY,
    QueuePositions,
)
from bot.jobs.models import Progress
from tests.support.clock import NOON

LATER = NOON + timedelta(minutes=5)


def ways(**jobs: int | None) -> dict[str, Progress]:
    return {job: Progress(position) for job, position in jobs.items()}


def test_a_card_is_shown_anew_when_its_place_has_moved_and_not_before_a_while() -> None:
    positions = QueuePositions()
    for job, way in ways(a=1, b=2, c=3).items():
        positions.shown(job, way, 100.0)
    now = ways(a=1, b=1, c=2)
    assert positions.moved(now.__getitem__, 100.0 + EVERY - 1) == []
    assert positions.moved(now.__getitem__, 100.0 + EVERY) == ["b", "c"]
    positions.shown("b", now["b"], 120.0)
    assert positions.moved(now.__getitem__, 121.0) == ["c"]


def test_a_card_whose_place_stays_or_ends_is_left_alone() -> None:
    positions = QueuePositions()
    positions.shown("a", Progress(1), 0.0)
    positions.shown("b", Progress(2), 0.0)
    assert positions.moved(ways(a=1, b=None).__getitem__, EVERY) == []
    positions.shown("c", Progress(3), 0.0)
    positions.forget("c")
    assert positions.moved(ways(a=1, b=None, c=2).__getitem__, 2 * EVERY) == []


def test_a_card_that_was_shown_before_its_place_was_known_gets_it_soon() -> None:
    positions = QueuePositions()
    positions.shown("a", Progress(), 0.0)
    assert positions.moved(ways(a=None).__getitem__, UNPLACED_EVERY) == []
    assert positions.moved(ways(a=4).__getitem__, 2 * UNPLACED_EVERY) == ["a"]


def test_a_time_that_was_predicted_and_turns_out_wrong_is_corrected() -> None:
    positions = QueuePositions()
    positions.shown("a", Progress(3, NOON), 0.0)
    shortly = {"a": Progress(3, NOON + timedelta(seconds=10))}
    assert positions.moved(shortly.__getitem__, EVERY) == []
    for drifts in (Progress(3, LATER), Progress(3, None)):
        assert positions.moved({"a": drifts}.__getitem__, 2 * EVERY) == ["a"]


def test_what_is_remembered_is_bounded() -> None:
    positions = QueuePositions()
    for number in range(MAX_SHOWN_POSITIONS + 1):
        positions.shown(str(number), Progress(2), 0.0)
    now: dict[str, Progress] = {"0": Progress(1)}
    moved = positions.moved(lambda job: now.get(job, Progress(2)), EVERY)
    assert moved == []
