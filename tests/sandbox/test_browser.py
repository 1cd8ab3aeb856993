import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import simcord
from PIL import Image

from bot.clock import SystemClock
from sandbox.discord.browser import BrowserError, find_chromium, launch
from sandbox.discord.page import Page
from sandbox.discord.visitor import Visitor
from sandbox.discord.world import build_world
from tests.sandbox.studio_bot import StudioBot

CHROMIUM = find_chromium()


@asynccontextmanager
async def visit() -> AsyncGenerator[tuple[Visitor, StudioBot]]:
    assert CHROMIUM is not None
    bot = StudioBot()
    async with simcord.run(bot) as env:
        world = await build_world(env, SystemClock(), {})
        async with (
            Page(env, world.channel, world.people, SystemClock(), world.turn) as page,
            launch(CHROMIUM) as browser,
        ):
            yield await Visitor.come(browser, page.url, width=700, height=500, scale=2), bot


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
async def test_a_person_uses_the_bot_in_a_real_browser() -> None:
    async with visit() as (visitor, bot):
        await visitor.look_as("Tom")
        await visitor.run("ask", options={"private": "True"})
        await visitor.sees("Working on it")
        await bot.asked[-1].edit_original_response(content="Ready")
        await visitor.sees("Ready")
        assert (bot.asked[-1].user.name, bot.asked[-1].namespace.private) == ("tom", True)
        with Image.open(io.BytesIO(await visitor.tab.screenshot())) as picture:
            assert (picture.format, picture.size) == ("PNG", (1400, 1000))
        with pytest.raises(BrowserError, match="Never"):
            await visitor.sees("Never", seconds=0.1)


async def test_a_browser_that_does_not_start_is_told(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o700)
    with pytest.raises(BrowserError, match="exit code 3"):
        async with launch(program):
            pass
