"""What may be shown in the channel for the best results, and how."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.engine.messages import Starred
from bot.features.posting import PostingRules
from bot.jobs.best_results import BEST
from bot.jobs.models import Job
from bot.posts import Gone, Later, Never, NotHere, Outcome, Post, Stands
from tests.delivery.finished import finished, output, posted
from tests.support.desk import Desk, pieces, texts


def best_of(desk: Desk, job: Job, message: discord.Message, there: int) -> Post:
    about: dict[str, Any] = {"channel": message.channel.id, "message": message.id}
    now = desk.clock.now()
    post = Post(desk.guild.id, BEST, str(message.id), now, now, f"c{there}", now, about, job_id=job.id)
    post.id = 1
    return post


async def show(desk: Desk, post: Post, job: Job) -> Outcome:
    return await desk.delivery.send(post, Starred(job, PostingRules(best_channel_id=int(post.place[1:]))))


async def starred(desk: Desk, folder: Path, there: int) -> tuple[Job, Post]:
    job = await finished(desk)
    return job, best_of(desk, job, await posted(desk, job, output(folder)), there)


async def shown_in(desk: Desk, channel_id: int) -> list[discord.Message]:
    channel = desk.bot.get_channel(channel_id)
    assert isinstance(channel, discord.TextChannel)
    return [one async for one in channel.history()]


async def test_a_result_is_shown_once_with_its_maker_and_a_link_and_can_be_taken_back(
    desk: Desk, tmp_path: Path
) -> None:
    there = desk.channel_for_the_bot("best-of").id
    job, best = await starred(desk, tmp_path, there)
    said = await show(desk, best, job)
    (message,) = await shown_in(desk, there)
    assert said == Stands(message.id)
    assert f"by <@{desk.maya.id}>" in texts(message)
    assert [user.id for user in message.mentions] in ([], [desk.maya.id])
    (link,) = (one["url"] for one in pieces(message) if one["type"] == 2)
    assert link.endswith(f"/{best.details['channel']}/{best.key}")
    assert await desk.delivery.find(best) == said
    best.message_id = message.id
    assert await desk.delivery.delete(best) == Gone()
    assert not await shown_in(desk, there)


@pytest.mark.promise
async def test_nothing_leaves_an_age_restricted_or_hidden_channel(desk: Desk, tmp_path: Path) -> None:
    there = desk.channel_for_the_bot("best-of").id
    job, best = await starred(desk, tmp_path, there)
    assert await show(desk, best, replace(job, age_restricted=True)) == Never()
    staff = desk.guild.create_text_channel(
        "staff", overwrites={desk.guild.default_role: discord.PermissionOverwrite(view_channel=False)}
    )
    await desk.env.settle()
    best.details = {**best.details, "channel": staff.id}
    assert await show(desk, best, job) == Never()
    assert not await shown_in(desk, there)


@pytest.mark.promise
async def test_what_is_hidden_stays_behind_a_spoiler_and_the_photo_before_is_left_out(
    desk: Desk, tmp_path: Path
) -> None:
    there = desk.channel_for_the_bot("best-of").id
    job = await finished(desk)
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    names = ("studio-1.png", "before-1.png")
    view = discord.ui.LayoutView()
    view.add_item(
        discord.ui.MediaGallery(
            *(discord.MediaGalleryItem(f"attachment://{one}", spoiler=True) for one in names)
        )
    )
    path = output(tmp_path).path
    message = await channel.send(view=view, files=[discord.File(path, one) for one in names])
    await show(desk, best_of(desk, job, message, there), job)
    (found,) = await shown_in(desk, there)
    (item,) = next(one["items"] for one in pieces(found) if one["type"] == 12)
    assert item["spoiler"] is True


async def test_a_channel_that_is_closed_is_told_apart_from_a_result_that_is_gone(
    desk: Desk, tmp_path: Path
) -> None:
    closed = desk.channel_for_the_bot("best-of", send_messages=False).id
    opened = desk.channel_for_the_bot("open").id
    await desk.env.settle()
    job, best = await starred(desk, tmp_path, closed)
    assert isinstance(await show(desk, best, job), NotHere)
    best.place = f"c{opened}"
    where = f"/channels/{best.details['channel']}/messages/{best.key}"
    desk.env.inject_error("GET", where, status=503, times=1)
    assert isinstance(await show(desk, best, job), Later)
    await desk.channel.history()[-1].delete()
    assert await show(desk, best, job) == Never()
