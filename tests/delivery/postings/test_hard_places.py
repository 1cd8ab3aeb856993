"""Results that may not, or can not, be told where they were asked for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from bot.servers.notices import NoticeKind
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, texts
from tests.support.posts import Posted, Undeliverable, a_post, deliver, tell_end
from tests.support.simulated.delivery import NoDrawing, delivery_on
from tests.ui.jobs.late import rows


async def done(desk: Desk, channel: Any = None, **asked: Any) -> Job:
    await desk.set_key()
    await desk.maya.slash(channel or desk.channel, "studio", prompt="A red kite", **asked)
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    return await desk.move(await desk.job(), *states, finished_at=desk.clock.now())


def output(folder: Path, size: int | None = None) -> OutputFile:
    file = folder / "out.png"
    file.write_bytes(PNG)
    return OutputFile(file, "image", "image/png", size or len(PNG))


def posted_in_channel(desk: Desk) -> int:
    return len(desk.channel.history())


@pytest.mark.promise
async def test_a_private_result_is_shown_to_its_person_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await done(desk, private=True)
        assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None)
        assert posted_in_channel(desk) == 0
        seen = desk.channel.history(viewer=desk.maya)
        assert "is ready" in texts(seen[-1])


async def test_a_private_result_whose_arrival_discord_did_not_confirm_is_seen_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        job = await done(desk, private=True)
        (answer,) = await rows(desk)
        for _ in range(2):
            assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None)
            # As if the process had died before it knew.
            await desk.db.write(lambda session: session.add(replace(answer)))
        (seen,) = desk.channel.history(viewer=desk.maya)
        assert [await file.read() for file in seen.attachments] == [PNG]


async def test_a_private_video_that_is_too_large_is_a_link(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        video = {"output_kind": "video", "output_url": "https://files.example/out.mp4"}
        job = replace(await done(desk, private=True), **video)
        file = replace(output(tmp_path, 30_000_000), kind="video", content_type="video/mp4")
        assert await tell_end(desk.delivery, job, file) == Posted(None)
        (seen,) = desk.channel.history(viewer=desk.maya)
        assert "[Open the video](<https://files.example/out.mp4>)" in texts(seen)


async def test_a_private_result_comes_by_dm_when_its_interaction_has_expired(
    desk: Desk, tmp_path: Path
) -> None:
    job = await done(desk, private=True)
    desk.clock.advance(16 * 60)
    assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None, by_dm=True)
    assert posted_in_channel(desk) == 0
    sent = [call.path for call in desk.env.http_requests if call.method == "POST"]
    assert sent[-1].endswith("/messages")
    assert str(desk.channel.id) not in sent[-1]


@pytest.mark.promise
async def test_when_the_bot_may_not_post_any_more_the_result_comes_by_dm(desk: Desk, tmp_path: Path) -> None:
    job = await done(desk)
    closed = desk.channel_for_the_bot("closed", attach_files=False)
    moved = replace(job, channel_id=closed.id)
    assert await tell_end(desk.delivery, moved, output(tmp_path)) == Posted(None, by_dm=True)
    assert closed.history() == []


@pytest.mark.promise
async def test_nothing_comes_by_dm_from_a_place_that_may_be_age_restricted(
    desk: Desk, tmp_path: Path
) -> None:
    job = await done(desk, private=True)
    desk.clock.advance(16 * 60)
    elsewhere = replace(job, channel_id=123, age_restricted=None)
    said = await tell_end(desk.delivery, elsewhere, output(tmp_path))
    assert isinstance(said, Undeliverable)
    assert "results from there can't be shown elsewhere" in said.reason


async def test_the_end_of_a_private_job_from_an_age_restricted_channel_is_told_without_what_it_is(
    desk: Desk,
    tmp_path: Path,
) -> None:
    job = replace(await done(desk, private=True), age_restricted=True)
    desk.clock.advance(16 * 60)  # nothing can be shown in place of its progress any more
    assert isinstance(await tell_end(desk.delivery, job, output(tmp_path)), Undeliverable)
    told_of = {"user": desk.maya.id}
    post = a_post(desk.guild.id, NoticeKind.ENDED, job.nonce, desk.clock.now(), told_of)
    await deliver(desk, post, None)  # see `test_announce`
    dm = await desk.bot.create_dm(discord.Object(desk.maya.id))
    (told,) = [message async for message in dm.history()]
    assert "Use `/jobs` in that server" in texts(told)
    assert job.inputs
    assert not [value for value in job.inputs.values() if value in texts(told)]
    assert not told.attachments


@pytest.mark.promise
async def test_a_picture_that_is_too_large_is_posted_smaller(tmp_path: Path) -> None:
    class Fitting(NoDrawing):
        async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
            assert limit <= 10 * 1024 * 1024
            return b"\xff\xd8\xffsmaller"

    async with open_desk(tmp_path) as desk:
        job = await done(desk)
        delivery = delivery_on(desk.bot, desk.bot.catalog, desk.clock, Fitting())
        await tell_end(delivery, job, output(tmp_path, 30_000_000))
        (file,) = desk.channel.history()[-1].attachments
        assert await file.read() == b"\xff\xd8\xffsmaller"


DELETES = BOT_PERMISSIONS | discord.Permissions(manage_channels=True)


@pytest.mark.promise
@pytest.mark.parametrize("later", [0, 3600])
async def test_when_the_channel_was_deleted_the_result_comes_by_dm(tmp_path: Path, later: int) -> None:
    async with open_desk(tmp_path, permissions=DELETES) as desk:
        job = await done(desk)
        channel = desk.bot.get_channel(desk.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.delete()
        desk.clock.advance(later)
        assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None, by_dm=True)
        dm = await desk.bot.create_dm(discord.Object(desk.maya.id))
        (message,) = [message async for message in dm.history()]
        assert len(message.attachments) == 1
        assert f"I can't post in <#{job.channel_id}> any more" in texts(message)


async def test_when_the_bot_was_removed_nothing_is_sent_anywhere(desk: Desk, tmp_path: Path) -> None:
    job = replace(await done(desk), guild_id=1, channel_id=2)
    assert isinstance(await tell_end(desk.delivery, job, output(tmp_path)), Undeliverable)
    assert posted_in_channel(desk) == 0
