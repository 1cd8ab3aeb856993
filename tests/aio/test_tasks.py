"""A shield, loops that survive errors, the order of arrival, and a watch on progress."""

import asyncio
from contextlib import suppress

import pytest

from bot.aio.tasks import FAILING, OPERATION_TIMEOUT, Liveness, WakeUp, run_forever
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def liveness(clock: FakeClock) -> Liveness:
    return Liveness(clock)


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


async def test_a_ring_while_the_loop_is_busy_is_not_lost() -> None:
    wake_up, turns = WakeUp(), list[int]()

    async def turn() -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            wake_up.set()
            wake_up.set()

    task = asyncio.create_task(run_forever("counting", wake_up, turn))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert turns == [0, 1]
