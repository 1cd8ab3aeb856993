"""What keeps the engine's parts going."""

import asyncio
import logging

import pytest

from bot.aio import loops
from bot.aio.loops import Bell, Complaints, keep_doing, untorn


async def test_a_ring_while_the_loop_is_busy_is_not_lost() -> None:
    bell, turns = Bell(), list[int]()

    async def turn() -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            bell.ring()
            bell.ring()

    task = asyncio.create_task(keep_doing("counting", bell, turn))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait({task})
    assert turns == [0, 1]


async def test_a_stumble_is_logged_once_and_the_loop_goes_on_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.01)
    bell, turns = Bell(), list[int]()

    async def turn() -> None:
        turns.append(1)
        bell.ring()
        if len(turns) < 4:
            raise RuntimeError("nobody foresaw this")

    async with asyncio.timeout(5):
        await keep_doing("stumbling", bell, turn, until=lambda: len(turns) >= 5)
    with_traceback = [record for record in caplog.records if record.exc_info]
    assert len(with_traceback) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING, logging.WARNING]


def test_what_keeps_failing_is_logged_whole_once_whatever_goes_well_beside_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    complaints = Complaints("a request of a lane")
    pauses: list[float] = []
    for _ in range(4):
        pauses.append(complaints.about(RuntimeError("nobody foresaw this"), "one job"))
        complaints.none("another job")
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING", "WARNING", "WARNING"]
    complaints.none("one job")
    assert complaints.about(RuntimeError("nobody foresaw this"), "one job") == 1.0
    assert caplog.records[-1].levelname == "ERROR"


async def test_cancelling_ends_a_loop_at_once() -> None:
    async def turn() -> None:
        await asyncio.sleep(3600)

    task = asyncio.create_task(keep_doing("sleeping", Bell(), turn))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_must_not_be_torn_ends_before_the_cancellation_is_passed_on() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("whole")

    task = asyncio.create_task(untorn(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["whole"]


async def test_patience_with_such_work_has_an_end() -> None:
    task = asyncio.create_task(untorn(asyncio.sleep(3600), patience=0.01))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_an_error_in_such_work_reaches_who_waits() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await untorn(work())
