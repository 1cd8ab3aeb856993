from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import discord
import pytest
import simcord

from bot.clock import SystemClock
from tests.support.simulated.cdn import AttachmentTooLargeError, UnknownAttachmentError
from tests.support.simulated.server import SimulatedServer, build_server
from tests.support.simulated.studio_bot import StudioBot

PHOTOS = {"empty-living-room.jpg": b"a room", "mug.jpg": b"a mug", "old_portrait.jpg": b"a face"}


@asynccontextmanager
async def world(bot_permissions: discord.Permissions | None = None) -> AsyncGenerator[SimulatedServer]:
    async with simcord.run(StudioBot()) as env:
        yield await build_server(env, SystemClock(), PHOTOS, bot_permissions=bot_permissions)


async def test_members_have_posted_the_photos_just_now() -> None:
    async with world() as here:
        messages = here.channel.history()
        assert [message.content for message in messages] == ["Empty living room", "Mug", "Old portrait"]
        assert [message.author.id for message in messages] == [here.maya.id, here.tom.id, here.maya.id]
        for message in messages:
            assert SystemClock().now() - message.created_at < timedelta(minutes=1)


async def test_the_bytes_of_a_photo_can_be_had_by_its_address() -> None:
    async with world() as here:
        photo = here.channel.history()[1].attachments[0]
        assert photo.filename == "mug.jpg"
        assert await here.cdn.fetch(photo.url, limit=5) == b"a mug"


async def test_a_photo_larger_than_wanted_is_refused() -> None:
    async with world() as here:
        photo = here.channel.history()[1].attachments[0]
        with pytest.raises(AttachmentTooLargeError, match="5 bytes, more than 4"):
            await here.cdn.fetch(photo.url, limit=4)


async def test_an_unknown_address_is_named() -> None:
    async with world() as here:
        with pytest.raises(UnknownAttachmentError, match=r"https://example\.com/none\.jpg"):
            await here.cdn.fetch("https://example.com/none.jpg", limit=100)


async def test_only_the_admin_may_manage_the_server() -> None:
    async with world() as here:
        bot = here.env.bot
        assert isinstance(bot, StudioBot)
        for person in (here.maya, here.tom, here.admin):
            await person.slash(here.channel, "ask")
        assert [asked.permissions.manage_guild for asked in bot.asked] == [False, False, True]


async def test_the_bot_may_do_what_it_was_invited_for_and_no_more() -> None:
    async with world(discord.Permissions(send_messages=True, manage_messages=True)) as here:
        channel = here.env.bot.get_channel(here.channel.id)
        assert isinstance(channel, discord.TextChannel)
        allowed = channel.permissions_for(channel.guild.me)
        assert allowed.manage_messages
        assert not allowed.manage_channels


async def test_the_bot_goes_by_its_name() -> None:
    async with world() as here:
        channel = here.env.bot.get_channel(here.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.send("Hello")
        assert here.channel.history()[-1].author.name == "Studii"
