"""Whoever deletes a photo takes back what was asked for under it, as far as it can still be stopped."""

from pathlib import Path

import discord
import pytest

from bot.client.login import intents_for
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import PNG, Desk, make_bot, texts
from tests.support.posts import tell_end
from tests.support.settings import admin

SENT = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)


async def states(desk: Desk) -> list[JobState]:
    return [one.state for one in await jobs_of(desk)]


async def being_made(desk: Desk, folder: Path) -> Job:
    """The one job is with Studii, and its photo is kept to be shown beside the result."""
    (job,) = await jobs_of(desk)
    (folder / "spool").mkdir()
    (folder / "spool" / "kept.png").write_bytes(PNG)
    return await desk.move(job, *SENT, source_file="kept.png")


async def result(desk: Desk, folder: Path) -> int:
    """The job ends, and its result is posted as the engine does it: how many pictures it shows."""
    (job,) = await jobs_of(desk)
    job = await desk.move(job, JobState.SUCCEEDED, finished_at=desk.clock.now(), output_kind="image")
    (folder / "made.png").write_bytes(PNG)
    kept = None if job.source_file is None else folder / "spool" / job.source_file
    before = None if kept is None else OutputFile(kept, "image", "image/png", len(PNG))
    await tell_end(
        desk.delivery, job, OutputFile(folder / "made.png", "image", "image/png", len(PNG), before)
    )
    shown = desk.channel.history()[-1]
    await desk.db.write(transitions.change, job.id, result_message_id=shown.id)
    return len(shown.attachments)


@pytest.mark.promise
async def test_what_others_asked_for_is_cancelled_and_they_are_told(desk: Desk) -> None:
    await ready(desk)
    message, other = await post(desk, desk.maya, ROOM), await post(desk, desk.maya, ROOM)
    for who in (desk.tom, desk.maya):
        await who.react(message, STAGING)
    await desk.tom.react(other, STAGING)
    await desk.maya.delete(message)
    assert await states(desk) == [JobState.CANCELLED, JobState.CANCELLED, JobState.RECEIVED]
    toms, mayas, _ = await jobs_of(desk)
    assert (toms.announced_at, toms.reserved) == (None, 0)
    assert mayas.announced_at is not None  # she did it herself


@pytest.mark.promise
async def test_what_ran_by_itself_is_cancelled(desk: Desk) -> None:
    await admin(desk, "photos auto", tool="photo-restore", most=3)
    message = await post(desk, desk.maya, ROOM, ("hall.png", PNG), ("attic.png", PNG))
    assert await states(desk) == [JobState.RECEIVED] * 3
    await desk.maya.delete(message)
    assert await states(desk) == [JobState.CANCELLED] * 3


@pytest.mark.promise
async def test_it_holds_when_a_moderator_clears_a_channel_and_after_a_restart(desk: Desk) -> None:
    await ready(desk)
    await admin(desk, "photos auto", tool="photo-restore")
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources)
    await desk.env.restart_bot(bot)
    gone = {"ids": ["7", str(message.id)], "channel_id": str(desk.channel.id)}
    desk.env.backend.emit("MESSAGE_DELETE_BULK", {**gone, "guild_id": str(desk.guild.id)})
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED] * 2


@pytest.mark.promise
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_result_that_cant_be_stopped_does_not_bring_the_photo_back(
    desk: Desk, tmp_path: Path, *, deleted: bool
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await being_made(desk, tmp_path)
    await desk.tom.unreact(message, STAGING)  # too late
    if deleted:
        await desk.maya.delete(message)
    assert await result(desk, tmp_path) == (1 if deleted else 2)
    said = texts(desk.channel.history()[-1])
    assert ("The original photo has been deleted" in said) is deleted
    assert (tmp_path / "spool" / "kept.png").exists() is not deleted


async def take_out(desk: Desk, message: discord.Message, name: str) -> None:
    """Its author edits the message, so that the photo of that name is in it no more."""
    backend = desk.env.backend
    stored = backend.get_message(desk.channel.id, message.id)
    stored.attachments = [one for one in stored.attachments if one["filename"] != name]
    await desk.maya.edit(message, "Edited")
    await desk.env.settle()


@pytest.mark.promise
async def test_a_photo_that_is_taken_out_of_its_message_takes_its_jobs_along(desk: Desk) -> None:
    await ready(desk)
    await admin(desk, "photos auto", tool="photo-restore", most=2)
    message = await post(desk, desk.maya, ROOM, ("hall.png", PNG))
    await desk.tom.react(message, STAGING)
    form = await desk.tom.context_menu(desk.channel, "Product background", message)
    await desk.tom.submit_modal(form, {"image": ["1"]})
    await take_out(desk, message, "none")  # its words alone
    assert await states(desk) == [JobState.RECEIVED] * 4
    await take_out(desk, message, "room.png")
    assert {job.source.filename: job.state for job in await jobs_of(desk) if job.source is not None} == {
        "room.png": JobState.CANCELLED,
        "hall.png": JobState.RECEIVED,
    }
    await take_out(desk, message, "hall.png")
    assert await states(desk) == [JobState.CANCELLED] * 4


async def test_the_preview_of_a_link_may_go_and_come_without_ending_anything(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya)
    stored = desk.env.backend.get_message(desk.channel.id, message.id)
    link = "https://images-ext-1.discordapp.net/external/x/https/example.org/cat.jpg"
    stored.embeds = [{"type": "image", "url": link, "thumbnail": {"url": link}}]
    await desk.tom.react(message, STAGING)
    assert await states(desk) == [JobState.RECEIVED]
    stored.embeds = []
    await take_out(desk, message, "none")
    assert await states(desk) == [JobState.RECEIVED]


async def test_an_edit_that_tells_no_photos_ends_nothing_without_the_intent(desk: Desk) -> None:
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.context_menu(desk.channel, "Photo restoration", message)
    intents = intents_for(photos=True)
    intents.message_content = False
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources, intents=intents)
    await desk.env.restart_bot(bot)
    await take_out(desk, message, "room.png")  # that is how each edit looks
    assert await states(desk) == [JobState.RECEIVED]
    await desk.maya.delete(message)
    assert await states(desk) == [JobState.CANCELLED]
