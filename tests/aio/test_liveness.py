"""What counts as a standstill of the engine."""

from contextlib import suppress

from bot.aio.liveness import FAILING, OPERATION_TIMEOUT, Pulse
from tests.support.clock import FakeClock


def test_an_engine_without_work_is_never_stuck() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    clock.advance(10 * OPERATION_TIMEOUT)
    assert pulse.stuck() is None


def test_work_that_lasts_too_long_while_nothing_else_ends_is_named() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("poll 12ab"):
        clock.advance(OPERATION_TIMEOUT - 1)
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
                clock.advance(OPERATION_TIMEOUT / 2)
        assert pulse.stuck() is None


def test_looking_for_work_is_no_progress_and_may_hang_itself() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("hanging"):
        for _ in range(4):
            with pulse.work("looking", progress=False):
                clock.advance(OPERATION_TIMEOUT / 3)
        assert pulse.stuck() is not None
    clock.advance(OPERATION_TIMEOUT)
    with pulse.work("looking", progress=False):
        clock.advance(OPERATION_TIMEOUT + 1)
        assert pulse.stuck() is not None


def test_a_large_file_may_take_its_time() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.work("upload", 10 * OPERATION_TIMEOUT):
        clock.advance(9 * OPERATION_TIMEOUT)
        assert pulse.stuck() is None


def fail(
    pulse: Pulse, clock: FakeClock, seconds: float, *, every: float = 60.0, progress: bool = True
) -> None:
    """For so long nothing but unforeseen errors."""
    for _ in range(int(seconds / every)):
        clock.advance(every)
        with suppress(RuntimeError), pulse.work("poll 12ab", progress=progress):
            raise RuntimeError("nobody foresaw this")


def test_an_engine_in_which_everything_fails_is_stuck_after_a_while() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    fail(pulse, clock, FAILING + 60)
    assert pulse.stuck() is None
    fail(pulse, clock, 60)
    assert pulse.stuck() == f"everything has failed for {FAILING + 60:.0f} s"


def test_an_error_that_was_met_without_being_raised_is_no_progress_either() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    while pulse.stuck() is None:
        with pulse.work("poll 12ab") as piece:
            piece.stumbled = True
        clock.advance(60)
    assert clock.monotonic() > FAILING


def test_what_fails_beside_what_succeeds_ends_nothing() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    for _ in range(10):
        fail(pulse, clock, FAILING / 2)
        with pulse.work("another"):
            pass
        assert pulse.stuck() is None
        assert pulse.failing_for() == 0.0


def test_errors_that_have_nothing_to_do_with_each_other_end_nothing() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    fail(pulse, clock, 10 * FAILING, every=2 * OPERATION_TIMEOUT)
    assert pulse.stuck() is None


def test_an_idle_engine_that_can_not_look_for_work_is_left_alone_until_there_is_some() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    fail(pulse, clock, 2 * FAILING, progress=False)
    assert pulse.stuck() is None
    pulse.called()
    fail(pulse, clock, FAILING + 120, progress=False)
    assert pulse.stuck() is not None
