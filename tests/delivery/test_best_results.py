"""What may be shown in the channel for the best results, and how."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.delivery import BestPoster
from bot.delivery.errors import RETRY_SECONDS
from bot.features.posting import PostingRules
from bot.jobs.best_results import BestResult
from bot.jobs.delivery import ChannelGone, Posted, TryLater, Undeliverable
from bot.jobs.models import Job
from tests.delivery.finished import MESSAGES, finished, output, posted
from tests.support.desk import Desk, open_desk, pieces, texts
from tests.support.simulated.delivery import context_on


def poster(desk: Desk) -> BestPoster:
    async def read(url: str, _: int) -> bytes:
        return await desk.bot.http.get_from_cdn(url)

    context = context_on(desk.bot, desk.bot.catalog, desk.clock, readers=desk.bot.readers)
    return BestPoster(context, read)


async def starred(desk: Desk, folder: Path, **changes: Any) -> tuple[Job, BestResult]:
    job = await finished(desk)
    message = await posted(desk, replace(job, **changes), output(folder))
    best = BestResult(
        message.id,
        desk.guild.id,
        message.channel.id,
        job.id,
        job.user_id,
        wanted=True,
        since=desk.clock.now(),
    )
    return replace(job, **changes), best


async def shown_in(desk: Desk, channel_id: int) -> list[discord.Message]:
    channel = desk.bot.get_channel(channel_id)
    assert isinstance(channel, discord.TextChannel)
    return [one async for one in channel.history()]


async def test_a_result_is_shown_once_with_its_maker_and_a_link_and_can_be_taken_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        there = desk.channel_for_the_bot("best-of").id
        job, best = await starred(desk, tmp_path)
        showcase, rules = poster(desk), PostingRules(best_channel_id=there)
        said = await showcase.show(best, job, rules)
        (message,) = await shown_in(desk, there)
        assert said == Posted(message.id, there)
        assert f"by <@{desk.maya.id}>" in texts(message)
        assert [user.id for user in message.mentions] in ([], [desk.maya.id])
        (link,) = (one["url"] for one in pieces(message) if one["type"] == 2)
        assert link.endswith(f"/{best.channel_id}/{best.message_id}")
        # As after a kill between Discord's taking it and its being stored.
        begun = replace(best, begun_at=desk.clock.now())
        desk.clock.advance(10 * 60)
        assert await showcase.show(begun, job, rules) == said
        assert await showcase.hide(begun, rules) is None
        assert not await shown_in(desk, there)


@pytest.mark.promise
async def test_nothing_leaves_an_age_restricted_or_hidden_channel(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        there = desk.channel_for_the_bot("best-of").id
        job, best = await starred(desk, tmp_path)
        showcase, rules = poster(desk), PostingRules(best_channel_id=there)
        refused = await showcase.show(best, replace(job, age_restricted=True), rules)
        assert isinstance(refused, Undeliverable)
        staff = desk.guild.create_text_channel(
            "staff", overwrites={desk.guild.default_role: discord.PermissionOverwrite(view_channel=False)}
        )
        await desk.env.settle()
        hidden = await showcase.show(replace(best, channel_id=staff.id), job, rules)
        assert isinstance(hidden, Undeliverable)
        assert not await shown_in(desk, there)


@pytest.mark.promise
async def test_what_is_hidden_stays_behind_a_spoiler_and_the_photo_before_is_left_out(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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
        best = BestResult(
            message.id, desk.guild.id, channel.id, job.id, job.user_id, wanted=True, since=desk.clock.now()
        )
        await poster(desk).show(best, job, PostingRules(best_channel_id=there))
        (found,) = await shown_in(desk, there)
        (item,) = next(one["items"] for one in pieces(found) if one["type"] == 12)
        assert item["spoiler"] is True


async def test_a_channel_that_is_closed_is_told_apart_from_a_result_that_is_gone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        closed = desk.channel_for_the_bot("best-of", send_messages=False).id
        opened = desk.channel_for_the_bot("open").id
        await desk.env.settle()
        job, best = await starred(desk, tmp_path)
        showcase = poster(desk)
        assert isinstance(await showcase.show(best, job, PostingRules(best_channel_id=closed)), ChannelGone)
        await desk.channel.history()[-1].delete()
        gone = await showcase.show(best, job, PostingRules(best_channel_id=opened))
        assert isinstance(gone, Undeliverable)


async def test_while_discord_is_busy_a_result_is_shown_asked_about_and_hidden_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        there = desk.channel_for_the_bot("best-of").id
        job, best = await starred(desk, tmp_path)
        showcase, rules = poster(desk), PostingRules(best_channel_id=there)
        desk.env.inject_error("POST", MESSAGES, status=503, times=2)
        assert await showcase.show(best, job, rules) == TryLater(RETRY_SECONDS)
        assert await showcase.ask(best, job, rules) == TryLater(RETRY_SECONDS)
        begun = replace(best, begun_at=desk.clock.now(), posted_channel_id=there, posted_message_id=4000)
        desk.env.inject_error("DELETE", "/channels/*/messages/*", status=503, times=1)
        assert await showcase.hide(begun, rules) == RETRY_SECONDS


async def test_where_discord_refuses_a_result_is_not_shown_asked_about_or_hidden(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        there = desk.channel_for_the_bot("best-of").id
        job, best = await starred(desk, tmp_path)
        showcase, rules = poster(desk), PostingRules(best_channel_id=there)
        desk.env.inject_error("POST", MESSAGES, status=403, code=50001, times=1)
        assert isinstance(await showcase.show(best, job, rules), ChannelGone)
        desk.env.inject_error("POST", MESSAGES, status=403, code=50007, times=1)
        assert isinstance(await showcase.ask(best, job, rules), Undeliverable)
        begun = replace(best, begun_at=desk.clock.now(), posted_channel_id=there, posted_message_id=4000)
        desk.env.inject_error("DELETE", "/channels/*/messages/*", status=403, code=50001, times=1)
        assert await showcase.hide(begun, rules) is None


async def test_a_result_whose_file_discord_finds_too_large_is_shown_without_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        there = desk.channel_for_the_bot("best-of").id
        job, best = await starred(desk, tmp_path)
        desk.env.inject_error("POST", MESSAGES, status=413, code=40005, times=1)
        said = await poster(desk).show(best, job, PostingRules(best_channel_id=there))
        (message,) = await shown_in(desk, there)
        assert said == Posted(message.id, there)
        assert not message.attachments
        assert f"by <@{desk.maya.id}>" in texts(message)
