"""What most tests do first, done once before the workers are forked, which then share what came of it."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.cheap.all_shared import share_all
from tests.support.database import no_power_cut, sqlite_in_place
from tests.support.desk import PNG, open_desk
from tests.support.pseudo.spoken import speak_pseudo


def take_first_steps() -> None:
    """Make the database's template, open the bot in a simulated server, and let a member start a job."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        share_all(patch)
        sqlite_in_place(patch)
        no_power_cut(patch)
        speak_pseudo(patch)
        asyncio.run(_start_a_job(Path(folder)))


async def _start_a_job(folder: Path) -> None:
    async with open_desk(folder) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", PNG), style="luxury")
