"""A shield, loops that survive errors, the order of arrival, and a watch on progress."""

import asyncio
import logging
from contextlib import suppress

import pytest

from bot.aio import tasks
from bot.aio.tasks import FAILING, OPERATION_TIMEOUT, InOrder, Liveness, PlaceInOrder, WakeUp, run_forever
from tests.support.clock import FakeClock


@pytest.mark.parametrize("how", ["leaves", "is cancelled"])
async def test_who_leaves_is_not_waited_for_but_those_before_are(how: str) -> None:
    order, went_on = InOrder(), list[str]()

    async def take(name: str, place: PlaceInOrder) -> None:
        await place.turn()
        went_on.append(name)

    first, second, third = (order.arrive("here") for _ in range(3))
    tasks = [asyncio.create_task(take("second", second)), asyncio.create_task(take("third", third))]
    await asyncio.sleep(0)
    if how == "leaves":
        second.leave()
        second.leave()
    else:
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
    await asyncio.sleep(0)
    assert went_on == []
    await first.turn()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert went_on == (["second", "third"] if how == "leaves" else ["third"])


async def test_who_is_waited_for_too_long_is_overtaken_but_the_others_keep_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "WAIT_FOR_EARLIER", 0.05)
    order = InOrder()
    first, second, third = (order.arrive("here") for _ in range(3))
    await second.turn()
    waiting = asyncio.create_task(third.turn())
    await asyncio.sleep(0)
    assert not waiting.done()  # the first one has not gone, so the third one waits as long for it
    first.leave()
    await waiting


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


async def test_a_stumble_is_logged_once_and_the_loop_goes_on_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "FIRST_RETRY_SECONDS", 0.01)
    wake_up, turns = WakeUp(), list[int]()

    async def turn() -> None:
        turns.append(1)
        wake_up.set()
        if len(turns) == 5:
            raise asyncio.CancelledError
        if len(turns) < 4:
            raise RuntimeError("nobody foresaw this")

    with pytest.raises(asyncio.CancelledError):
        await run_forever("stumbling", wake_up, turn)
    with_traceback = [record for record in caplog.records if record.exc_info]
    assert len(with_traceback) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING, logging.WARNING]
