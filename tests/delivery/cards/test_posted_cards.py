"""Cards of jobs that a tap started: posted by the bot itself, under the photo."""

from pathlib import Path

import discord

from bot.delivery.errors import RETRY_SECONDS
from bot.jobs.delivery import Posted, TryLater, Undeliverable
from bot.jobs.models import Job, Progress
from tests.delivery.finished import MESSAGES
from tests.reactions.taps import ROOM, STAGING, post, ready
from tests.support.desk import Desk, make_bot, open_desk, texts


async def tapped(desk: Desk) -> tuple[discord.Message, Job]:
    await ready(desk)
    photo = await post(desk, desk.maya, ROOM)
    await desk.tom.react(photo, STAGING)
    return photo, await desk.job()


async def test_the_card_is_a_silent_reply_to_the_photo_that_pings_nobody(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        photo, job = await tapped(desk)
        assert isinstance(await desk.delivery.post_card(job, Progress(position=2)), Posted)
        card = desk.channel.history()[-1]
        assert card.reference is not None
        assert card.reference.message_id == photo.id
        assert card.flags.suppress_notifications
        assert f"<@{desk.tom.id}>" in texts(card)
        sent = desk.env.http_requests[-1].json
        assert sent is not None
        assert sent["allowed_mentions"] == {"parse": []}
        assert (sent["nonce"], sent["enforce_nonce"]) == (f"{job.id}-card", True)


async def test_a_card_that_was_posted_before_a_restart_is_found_and_not_posted_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        _, job = await tapped(desk)
        posted = await desk.delivery.post_card(job, Progress())
        count = len(desk.channel.history())
        bot, delivery = make_bot(desk.bot.catalog, desk.clock, desk.services)
        await desk.env.restart_bot(bot)
        desk.clock.advance(3600)  # longer than Discord remembers a nonce
        assert await delivery.post_card(job, Progress()) == posted
        assert len(desk.channel.history()) == count


async def test_where_the_bot_may_not_write_the_job_goes_on_without_a_card(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        _, job = await tapped(desk)
        bot = desk.env.bot.user
        assert bot is not None
        state = desk.env.backend.get_guild(desk.guild.id)
        (role,) = state.members[bot.id].role_ids
        desk.env.backend.edit_role(desk.guild.id, role, {"permissions": 1 << 10})
        everyone = {"permissions": 1 << 10}
        desk.env.backend.edit_role(desk.guild.id, desk.guild.id, everyone)
        await desk.env.settle()
        count = len(desk.channel.history())
        assert isinstance(await desk.delivery.post_card(job, Progress()), Undeliverable)
        assert len(desk.channel.history()) == count


async def test_while_discord_is_busy_a_card_is_posted_and_looked_for_later(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        _, job = await tapped(desk)
        desk.env.inject_error("POST", MESSAGES, status=503, times=1)
        assert await desk.delivery.post_card(job, Progress()) == TryLater(RETRY_SECONDS)
        desk.env.inject_error("GET", MESSAGES, status=503, times=1)
        assert await desk.delivery.find_card(job) == TryLater(RETRY_SECONDS)


async def test_a_channel_that_discord_closes_gets_no_card_and_is_not_looked_through(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        _, job = await tapped(desk)
        desk.env.inject_error("POST", MESSAGES, status=403, code=50001, times=1)
        assert isinstance(await desk.delivery.post_card(job, Progress()), Undeliverable)
        desk.env.inject_error("GET", MESSAGES, status=403, code=50001, times=1)
        assert isinstance(await desk.delivery.find_card(job), Undeliverable)
