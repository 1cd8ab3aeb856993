"""Results, forms and their buttons, as tests of jobs need them."""

from pathlib import Path
from typing import Any

import discord
from simcord import ChannelHandle, InteractionResult, MemberActor

from bot.jobs import transitions
from bot.jobs.models import Job
from bot.jobs.thumbnails import Thumbnail
from bot.media.spool import OutputFile
from tests.support.desk import DONE, PNG, Desk, answer_of, labelled, pieces, press_more, texts
from tests.support.posts import tell_end
from tests.support.presses import press

ROOM = PNG + b"room"
MADE = PNG + b"made"


async def succeeded(
    desk: Desk, folder: Path, *, before: bool = False, channel: ChannelHandle | None = None
) -> discord.Message:
    """Let the job that was accepted last succeed, and return the message with its result."""
    now = desk.clock.now()
    job = await desk.settle(await desk.move(await desk.job(), *DONE, finished_at=now, output_kind="image"), 8)
    await tell_end(desk.delivery, job, files(folder, before=before))
    message = (channel or desk.channel).history()[-1]
    await desk.db.write(transitions.change, job.id, result_message_id=message.id, announced_at=now)
    desk.clock.advance(60)
    return message


async def staged(desk: Desk, folder: Path, *, before: bool = True) -> discord.Message:
    """Maya's room was furnished; before and after stand in the channel."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", ROOM), style="luxury")
    return await succeeded(desk, folder, before=before)


async def posted(desk: Desk, folder: Path, channel: Any, prompt: str) -> Job:
    """Let Maya's job succeed, and post its result."""
    await desk.maya.slash(channel, "studio", prompt=prompt)
    await succeeded(desk, folder, channel=channel)
    return await desk.job()


async def with_thumbnail(desk: Desk, job: Job) -> None:
    row = Thumbnail(job.id, job.guild_id, desk.clock.now(), job.id.encode())
    await desk.db.write(lambda session: session.add(row))


def thumbnails(shown: object) -> list[str]:
    return [piece["media"]["url"] for piece in pieces(shown) if piece["type"] == 11]


def files(folder: Path, *, before: bool = True, size: int | None = None) -> OutputFile:
    (folder / "after.png").write_bytes(MADE)
    (folder / "before.png").write_bytes(ROOM)
    source = OutputFile(folder / "before.png", "image", "image/png", size or len(ROOM)) if before else None
    return OutputFile(folder / "after.png", "image", "image/png", size or len(MADE), source)


async def press_on(desk: Desk, who: Any, message: discord.Message, label: str) -> InteractionResult:
    if label == "Use in…":
        return await press_more(who, message, label)
    return await who.click(message, custom_id=labelled(message, label))


def source_bytes(desk: Desk, job: Job) -> bytes | None:
    assert job.source is not None
    return desk.env.backend.cdn.get(job.source.url)


async def opened(desk: Desk, by: MemberActor, tool: str) -> InteractionResult:
    """Open a tool's form from the list of tools."""
    listed = await by.slash(desk.channel, "help")
    return await by.click(answer_of(listed), custom_id=f"studii:tool:{tool}")


def fields(shown: InteractionResult) -> dict[str, dict[str, Any]]:
    """Return a form's labels by the name of the field in each."""
    assert shown.modal is not None, texts(shown)
    return {one["component"]["custom_id"]: one for one in shown.modal["components"]}


async def pressed(desk: Desk, custom_id: str) -> str:
    """Let Maya press a button with that custom id, and return what she reads."""
    message = await desk.channel_message(custom_id)
    return texts(await press(desk, desk.maya, message, custom_id))


async def result_of(desk: Desk, folder: Path, who: MemberActor, tool: str, **options: object) -> Any:
    """Return the message with the result of a job that the member asks for."""
    await desk.set_key()
    await who.slash(desk.channel, tool, **options)
    return await succeeded(desk, folder)
