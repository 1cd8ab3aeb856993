"""What counts as a standstill of the engine, and what it insists on."""

from contextlib import suppress

import pytest

from bot.aio.tasks import FAILING, OPERATION_TIMEOUT, Liveness
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def liveness(clock: FakeClock) -> Liveness:
    return Liveness(clock)


def test_work_that_lasts_too_long_while_nothing_else_ends_is_named(
    clock: FakeClock, liveness: Liveness
) -> None:
    clock.advance(10 * OPERATION_TIMEOUT)
    assert liveness.stuck() is None  # without work
    with liveness.operation("poll 12ab"), liveness.operation("upload", 10 * OPERATION_TIMEOUT):
        clock.advance(OPERATION_TIMEOUT - 1)
        assert liveness.stuck() is None
        clock.advance(2)
        assert liveness.stuck() == "poll 12ab has lasted 301 s"
    with liveness.operation("upload", 10 * OPERATION_TIMEOUT):  # which may take its time
        clock.advance(9 * OPERATION_TIMEOUT)
        assert liveness.stuck() is None


def test_looking_for_work_is_no_progress_and_may_hang_itself(clock: FakeClock, liveness: Liveness) -> None:
    with liveness.operation("hanging"):
        for _ in range(4):
            with liveness.operation("looking", progress=False):
                clock.advance(OPERATION_TIMEOUT / 3)
        assert liveness.stuck() is not None
    clock.advance(OPERATION_TIMEOUT)
    with liveness.operation("looking", progress=False):
        clock.advance(OPERATION_TIMEOUT + 1)
        assert liveness.stuck() is not None


def fail(
    liveness: Liveness, clock: FakeClock, seconds: float, *, every: float = 60.0, progress: bool = True
) -> None:
    """For so long nothing but unexpected errors."""
    for _ in range(int(seconds / every)):
        clock.advance(every)
        with suppress(RuntimeError), liveness.operation("poll 12ab", progress=progress):
            raise RuntimeError("nobody foresaw this")


def test_an_engine_in_which_everything_fails_is_stuck_after_a_while(
    clock: FakeClock, liveness: Liveness
) -> None:
    fail(liveness, clock, FAILING + 60)
    assert liveness.stuck() is None
    fail(liveness, clock, 60)
    assert liveness.stuck() == f"everything has failed for {FAILING + 60:.0f} s"


def test_an_operation_that_logged_an_unexpected_error_is_no_progress(
    clock: FakeClock, liveness: Liveness
) -> None:
    while liveness.stuck() is None:
        with liveness.operation("poll 12ab") as outcome:
            outcome.failed = True
        clock.advance(60)
    assert clock.monotonic() > FAILING
    with liveness.operation("poll 12ab"):
        pass
    assert liveness.stuck() is None
