"""What counts as a standstill of the engine, and what it insists on."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import pytest

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


async def done(liveness: Liveness, work: Coroutine[Any, Any, bool]) -> None:
    """The task of a request, as a lane watches it."""
    task = asyncio.create_task(work)
    liveness.watch(task, "poll 12ab")
    await asyncio.wait({task})
    await asyncio.sleep(0)


async def meets(error: Exception | None = None, *, unexpected: bool) -> bool:
    if error is not None:
        raise error
    return unexpected


async def test_a_task_that_lasts_too_long_is_named_until_it_is_cancelled() -> None:
    clock = FakeClock()
    liveness = Liveness(clock)

    async def hang() -> bool:
        await asyncio.sleep(3600)
        return False

    task = asyncio.create_task(hang())
    liveness.watch(task, "poll 12ab", 2 * OPERATION_TIMEOUT)
    clock.advance(2 * OPERATION_TIMEOUT)
    assert liveness.stuck() is None
    clock.advance(1)
    assert liveness.stuck() == "poll 12ab has lasted 601 s"
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert liveness.stuck() is None


@pytest.mark.parametrize("error", [None, RuntimeError("nobody foresaw this")])
async def test_a_task_that_met_an_unexpected_error_is_no_progress(error: Exception | None) -> None:
    clock = FakeClock()
    liveness = Liveness(clock)
    while liveness.stuck() is None:
        await done(liveness, meets(error, unexpected=error is None))
        clock.advance(60)
    assert clock.monotonic() > FAILING
    await done(liveness, meets(unexpected=False))
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
