"""What counts as a standstill of the engine."""

from bot.engine.pulse import PATIENCE, Pulse
from tests.support.clock import FakeClock


def test_an_engine_without_work_is_never_stuck() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    clock.advance(10 * PATIENCE)
    assert pulse.stuck() is None


def test_work_that_lasts_too_long_while_nothing_else_ends_is_named() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("poll 12ab"):
        clock.advance(PATIENCE - 1)
        assert pulse.stuck() is None
        clock.advance(2)
        assert pulse.stuck() == "poll 12ab has lasted 301 s"
    assert pulse.stuck() is None


def test_one_piece_of_work_that_hangs_does_not_end_what_others_get_done() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("hanging"):
        for _ in range(10):
            with pulse.work("another"):
                clock.advance(PATIENCE / 2)
        assert pulse.stuck() is None


def test_looking_for_work_is_no_progress_and_may_hang_itself() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("hanging"):
        for _ in range(4):
            with pulse.work("looking", progress=False):
                clock.advance(PATIENCE / 3)
        assert pulse.stuck() is not None
    clock.advance(PATIENCE)
    with pulse.work("looking", progress=False):
        clock.advance(PATIENCE + 1)
        assert pulse.stuck() is not None


def test_a_large_file_may_take_its_time() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("upload", 10 * PATIENCE):
        clock.advance(9 * PATIENCE)
        assert pulse.stuck() is None
