"""A job that has ended, its file, and what was posted of it."""

from pathlib import Path
from typing import Any

import discord

from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from tests.support.desk import PNG, Desk
from tests.support.posts import Posted, tell_end

MESSAGES = "/channels/*/messages"
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def finished(desk: Desk, **changes: Any) -> Job:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    given = {
        "finished_at": desk.clock.now(),
        "output_url": "https://files.example/out.png",
        "output_kind": "image",
    }
    job = await desk.move(await desk.job(), *DONE, **(given | changes))
    return await desk.settle(job, 8)


def output(folder: Path, kind: str = "image", size: int | None = None) -> OutputFile:
    path = folder / "output"
    path.write_bytes(PNG)
    return OutputFile(path, kind, "image/png" if kind == "image" else "video/mp4", size or len(PNG))


async def posted(desk: Desk, job: Job, file: OutputFile | None) -> discord.Message:
    before = len(desk.channel.history())
    outcome = await tell_end(desk.delivery, job, file)
    history = desk.channel.history()
    assert len(history) == before + 1
    assert outcome == Posted(history[-1].id)
    return history[-1]
