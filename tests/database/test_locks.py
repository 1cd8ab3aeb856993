import asyncio
import signal
import sys
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.sqlite_file import instance_lock

HOLDER = """
import asyncio, sys
from bot.sqlite_file import instance_lock

async def hold():
    async with instance_lock(sys.argv[1]):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/studii.db"


async def another_instance(url: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    return process


@pytest.mark.promise
async def test_a_second_instance_is_refused_and_told_why_and_what_to_do(url: str) -> None:
    async with instance_lock(url):
        with pytest.raises(SettingsError, match=r"Another instance .*Stop it first, or .*DATABASE_URL"):
            async with instance_lock(url, patience=0):
                pytest.fail("two instances at once")


@pytest.mark.promise
async def test_whoever_waits_gets_the_lock_when_the_other_one_ends(url: str) -> None:
    held = asyncio.Event()

    async def second() -> None:
        async with instance_lock(url):
            held.set()

    async with instance_lock(url):
        task = asyncio.create_task(second())
        await asyncio.sleep(0.05)
        assert not held.is_set()
    await task
    assert held.is_set()


@pytest.mark.promise
async def test_the_lock_of_a_killed_process_is_free_at_once(url: str) -> None:
    other = await another_instance(url)
    with pytest.raises(SettingsError, match="Another instance"):
        await instance_lock(url, patience=0).__aenter__()
    other.send_signal(signal.SIGKILL)
    await other.wait()
    async with instance_lock(url, patience=0):
        pass
