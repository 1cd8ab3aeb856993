import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
import pytest
import simcord

from bot.clock import SystemClock
from sandbox.discord.page import Page
from sandbox.discord.world import World, build_world
from tests.sandbox.page_client import PageClient
from tests.sandbox.studio_bot import StudioBot


@dataclass(frozen=True)
class Scene:
    bot: StudioBot
    world: World
    page: Page

    async def post(self, text: str) -> int:
        """The bot posts by itself, as it does when a picture is ready; returns the message's id."""
        channel = self.bot.get_channel(self.world.channel.id)
        assert isinstance(channel, discord.TextChannel)
        return (await channel.send(text)).id


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene]:
    bot = StudioBot()
    async with simcord.run(bot) as env:
        world = await build_world(env, SystemClock(), {})
        async with Page(env, world.channel, world.people, SystemClock(), world.turn) as page:
            yield Scene(bot, world, page)


async def test_what_the_bot_posts_appears_without_pressing_anything() -> None:
    async with scene() as here, PageClient.open(here.page.url) as reader:
        await here.post("Your picture is ready")
        await reader.look_until(lambda page: "Your picture is ready" in page.text)


async def test_a_change_that_one_person_alone_can_see_appears_too() -> None:
    async with scene() as here, PageClient.open(here.page.url, viewer=here.world.tom.id) as reader:
        async with here.world.turn:
            await here.world.tom.slash(here.world.channel, "ask", private=True)
        await reader.look_until(lambda page: "Working on it" in page.text)
        await here.bot.asked[-1].edit_original_response(content="Ready, for you alone")
        await reader.look_until(lambda page: "Ready, for you alone" in page.text)


async def test_actions_taken_while_the_bot_publishes_pass() -> None:
    async with scene() as here, PageClient.open(here.page.url) as reader:
        for number in range(3):
            revision = reader.revision
            await here.post(f"Picture {number}")
            await reader.look_until(lambda page, text=f"Picture {number}": text in page.text)
            assert reader.revision > revision
            receipt = await reader.act("send_message", revision=revision, content=f"Thanks for {number}")
            assert receipt["settlement"] == "settled", str(receipt)
        assert [message.content for message in here.world.channel.history()] == [
            "Picture 0", "Thanks for 0", "Picture 1", "Thanks for 1", "Picture 2", "Thanks for 2",
        ]  # fmt: skip


async def test_an_action_on_what_a_persons_own_action_has_changed_is_still_refused() -> None:
    async with scene() as here, PageClient.open(here.page.url) as reader:
        revision = reader.revision
        assert not (await reader.act("send_message", content="First"))["rejected"]
        await here.post("Meanwhile")
        await reader.look_until(lambda page: "Meanwhile" in page.text)
        receipt = await reader.act("send_message", revision=revision, content="Second")
        assert receipt["rejected"]
        assert [message.content for message in here.world.channel.history()] == ["First", "Meanwhile"]


async def test_a_member_on_the_page_and_one_in_the_program_take_turns() -> None:
    async with scene() as here, PageClient.open(here.page.url) as reader:

        async def ask() -> None:
            async with here.world.turn:
                await here.world.tom.slash(here.world.channel, "ask")

        for _ in range(5):
            receipt, _ = await asyncio.gather(reader.act("send_message", content="Hello"), ask())
            assert receipt["settlement"] == "settled", str(receipt)


async def test_the_page_scrolls_to_the_newest_message() -> None:
    async with scene() as here, PageClient.open(here.page.url) as reader:
        for text in ("One", "Two"):
            newest = await here.post(text)
            await reader.look_until(lambda page, message=newest: page.state["targetId"] == str(message))


async def test_the_page_stays_with_a_message_that_its_reader_went_to() -> None:
    async with scene() as here:
        old = await here.post("Old")
        await here.post("New")
        async with PageClient.open(here.page.url) as reader:
            await reader.look_until(lambda page: "New" in page.text)
            assert not (await reader.act("focus", target_id=str(old)))["rejected"]
            await here.post("Newer")
            await reader.look_until(lambda page: "Newer" in page.text)
            assert reader.state["targetId"] == str(old)


async def test_closing_leaves_nothing_behind() -> None:
    bot = StudioBot()
    async with simcord.run(bot) as env:
        world = await build_world(env, SystemClock(), {})
        before = asyncio.all_tasks()
        async with Page(env, world.channel, world.people, SystemClock(), world.turn) as page:
            url = page.url
        await asyncio.wait_for(page.wait_closed(), timeout=1)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
        with pytest.raises(OSError, match="Connect"):
            async with PageClient.open(url):
                pass
