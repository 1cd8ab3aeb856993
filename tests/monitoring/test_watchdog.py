"""A process that stands still is ended, so that it is started again."""

import asyncio
import logging
import subprocess
import sys
import threading
import time

import pytest

from bot.monitoring.watchdog import EXIT_STATUS, Watchdog
from tests.support.patience import PATIENCE

STANDING_STILL = """
import asyncio, time
from bot.monitoring.watchdog import Watchdog

async def main():
    async with Watchdog(lambda: None, beat=0.02, standstill=0.2):
        await asyncio.sleep(0.1)
        time.sleep(30)

asyncio.run(main())
"""


async def test_an_engine_that_makes_no_progress_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()
    answers = [None, None, "poll 12ab has lasted 400 s"]
    async with Watchdog(lambda: answers.pop(0), end=ended.set, beat=0.01):
        await asyncio.wait_for(ended.wait(), PATIENCE)
    assert "poll 12ab has lasted 400 s" in caplog.text


async def test_an_error_in_what_it_asks_is_logged_once_and_it_goes_on_watching(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()
    asked: list[None] = []

    def stuck() -> str | None:
        asked.append(None)
        if len(asked) < 4:
            raise RuntimeError("nobody foresaw this")
        return "poll 12ab has lasted 400 s"

    async with Watchdog(stuck, end=ended.set, beat=0.01):
        await asyncio.wait_for(ended.wait(), PATIENCE)
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.CRITICAL]


async def test_a_healthy_one_is_left_alone_and_its_thread_ends_with_it() -> None:
    ended: list[bool] = []
    async with Watchdog(lambda: None, end=lambda: ended.append(True), beat=0.01, standstill=2.0):
        await asyncio.sleep(0.1)
    assert not ended
    assert "watchdog" not in [thread.name for thread in threading.enumerate()]


async def test_an_event_loop_that_stands_still_is_noticed_from_outside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = threading.Event()
    with caplog.at_level(logging.CRITICAL):
        async with Watchdog(lambda: None, end=ended.set, beat=0.01, standstill=0.1):
            await asyncio.sleep(0.05)
            while not ended.is_set():
                time.sleep(0.01)  # noqa: ASYNC251 - this is the standstill
    assert "stood still" in caplog.text


@pytest.mark.promise
async def test_the_process_really_ends_and_says_where_it_stood() -> None:
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", STANDING_STILL],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == EXIT_STATUS
    assert b"in main" in process.stderr
