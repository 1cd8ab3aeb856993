"""Work that a cancellation must not interrupt."""

import asyncio

import pytest

from bot.aio.shield import shielded
from tests.support.patience import PATIENCE


async def test_work_that_must_not_be_torn_ends_before_the_cancellation_is_passed_on() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("whole")

    task = asyncio.create_task(shielded(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["whole"]


async def test_patience_with_such_work_has_an_end() -> None:
    task = asyncio.create_task(shielded(asyncio.sleep(3600), patience=0.01))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_an_error_in_such_work_reaches_who_waits() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await shielded(work())


async def test_several_cancellations_do_not_interrupt_it_either() -> None:
    going_on, done = asyncio.Event(), list[str]()

    async def work() -> None:
        await going_on.wait()
        done.append("whole")

    task = asyncio.create_task(shielded(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    going_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["whole"]


async def test_an_error_after_the_cancellation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("the answer was lost")

    task = asyncio.create_task(shielded(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "the answer was lost" in caplog.text
