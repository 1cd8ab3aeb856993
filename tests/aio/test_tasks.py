"""A loop that is woken, and a watch on progress."""

import asyncio

import pytest

from bot.aio.tasks import OPERATION_TIMEOUT, Liveness, WakeUp, run_forever
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
