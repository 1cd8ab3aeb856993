"""A process that stands still is ended, so that it is started again."""

import asyncio
import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE

PROGRAM = """
import asyncio, time
from bot.monitoring import watchdog

async def main():
    async with watchdog(lambda: {stuck}, beat=0.02, standstill=0.5):
        await asyncio.sleep({asleep})
        time.sleep({blocked})
    time.sleep(0.7)  # nobody watches any more

asyncio.run(main())
"""


async def ended(**what: object) -> tuple[int, str]:
    """The status of a process, and what it wrote."""
    process = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM.format(**what)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return process.returncode, process.stderr.decode()


@pytest.mark.promise
async def test_the_process_really_ends_and_says_where_it_stood() -> None:
    status, said = await ended(stuck=None, asleep=0.1, blocked=30)
    assert status == 1
    assert "in main" in said


async def test_one_whose_engine_makes_no_progress_ends_with_the_reason() -> None:
    status, said = await ended(stuck="'poll 12ab has lasted 400 s'", asleep=30, blocked=0)
    assert status == 1
    assert "poll 12ab has lasted 400 s" in said
    assert "in live" in said


async def test_one_that_works_is_left_alone() -> None:
    assert await ended(stuck=None, asleep=1.5, blocked=0) == (0, "")


async def test_an_error_in_what_it_asks_is_logged_and_the_loop_is_watched() -> None:
    status, said = await ended(stuck="1 / 0", asleep=0.1, blocked=30)
    assert status == 1
    assert "ZeroDivisionError" in said
