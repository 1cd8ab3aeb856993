"""What counts as a standstill of the engine, and what it insists on."""

from contextlib import suppress

from bot.aio.liveness import FAILING, OPERATION_TIMEOUT, Liveness
from tests.support.clock import FakeClock


def test_an_engine_without_work_is_never_stuck() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    clock.advance(10 * OPERATION_TIMEOUT)
    assert liveness.stuck() is None


def test_work_that_lasts_too_long_while_nothing_else_ends_is_named() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    with liveness.operation("poll 12ab"):
        clock.advance(OPERATION_TIMEOUT - 1)
        assert liveness.stuck() is None
        clock.advance(2)
        assert liveness.stuck() == "poll 12ab has lasted 301 s"
    assert liveness.stuck() is None


def test_one_piece_of_work_that_hangs_does_not_end_what_others_get_done() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    with liveness.operation("hanging"):
        for _ in range(10):
            with liveness.operation("another"):
                clock.advance(OPERATION_TIMEOUT / 2)
        assert liveness.stuck() is None


def test_looking_for_work_is_no_progress_and_may_hang_itself() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    with liveness.operation("hanging"):
        for _ in range(4):
            with liveness.operation("looking", progress=False):
                clock.advance(OPERATION_TIMEOUT / 3)
        assert liveness.stuck() is not None
    clock.advance(OPERATION_TIMEOUT)
    with liveness.operation("looking", progress=False):
        clock.advance(OPERATION_TIMEOUT + 1)
        assert liveness.stuck() is not None


def test_a_large_file_may_take_its_time() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    with liveness.operation("upload", 10 * OPERATION_TIMEOUT):
        clock.advance(9 * OPERATION_TIMEOUT)
        assert liveness.stuck() is None


def fail(
    liveness: Liveness, clock: FakeClock, seconds: float, *, every: float = 60.0, progress: bool = True
) -> None:
    """For so long nothing but unexpected errors."""
    for _ in range(int(seconds / every)):
        clock.advance(every)
        with suppress(RuntimeError), liveness.operation("poll 12ab", progress=progress):
            raise RuntimeError("nobody foresaw this")


def test_an_engine_in_which_everything_fails_is_stuck_after_a_while() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    fail(liveness, clock, FAILING + 60)
    assert liveness.stuck() is None
    fail(liveness, clock, 60)
    assert liveness.stuck() == f"everything has failed for {FAILING + 60:.0f} s"


def test_an_operation_that_logged_an_unexpected_error_is_no_progress() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    while liveness.stuck() is None:
        with liveness.operation("poll 12ab") as outcome:
            outcome.failed = True
        clock.advance(60)
    assert clock.monotonic() > FAILING
    with liveness.operation("poll 12ab"):
        pass
    assert liveness.stuck() is None


def test_what_fails_beside_what_succeeds_ends_nothing() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    for _ in range(10):
        fail(liveness, clock, FAILING / 2)
        with liveness.operation("another"):
            pass
        assert liveness.stuck() is None
        assert liveness.failing_for() == 0.0


def test_errors_that_have_nothing_to_do_with_each_other_end_nothing() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    fail(liveness, clock, 10 * FAILING, every=2 * OPERATION_TIMEOUT)
    assert liveness.stuck() is None


def test_an_idle_engine_that_can_not_look_for_work_is_left_alone_until_there_is_some() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    fail(liveness, clock, 2 * FAILING, progress=False)
    assert liveness.stuck() is None
    liveness.called()
    fail(liveness, clock, FAILING + 120, progress=False)
    assert liveness.stuck() is not None
