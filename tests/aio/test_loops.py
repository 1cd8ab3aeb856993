"""What keeps the engine's parts going."""

import asyncio
import logging

import pytest

from bot.aio import tasks
from bot.aio.tasks import WakeUp, run_forever


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
