"""Draws docs/offer.png: a photo with the emoji that the bot put under it, one of them tapped on the page.

python -m sandbox.offer_picture [FILE]
"""

import argparse
import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image

from bot.client.bot import quiet_discord_loggers
from bot.monitoring.logging import configure_logging
from sandbox.discord.browser import find_chromium, launch
from sandbox.discord.page import Page
from sandbox.discord.visitor import Visitor
from sandbox.panel_pictures import as_png
from sandbox.people import Person, until
from sandbox.photos import empty_room
from sandbox.pictures import save_files
from sandbox.stage import open_stage
from sandbox.studii import StudiiServer

WIDTH, HEIGHT = 760, 1000  # CSS pixels
OFFERED = 4  # emoji
GOING = "['in the queue', 'working on it', 'Done'].some(word => document.body.innerText.includes(word))"


async def offer() -> bytes:
    """Return the picture as PNG. Raises `RuntimeError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("Chromium wasn't found.")
    with tempfile.TemporaryDirectory() as folder:
        async with StudiiServer() as studii, open_stage(studii, Path(folder)) as stage:
            world = stage.world
            nora, maya = Person(stage, world.admin), Person(stage, world.maya)
            await nora.set_key(studii.add_key("team", balance=5000).secret, "team", "500")
            await nora.command("studii photos offer")
            photo = await asyncio.to_thread(empty_room)
            posted = await maya.post("empty-room.jpg", photo, "What could this room become?")
            await until(lambda: len(maya.emoji_under(posted)) == OFFERED, "the emoji under the photo")
            page = Page(world.env, world.channel, world.people, stage.clock, world.turn)
            async with page, launch(chromium) as browser:
                visitor = await Visitor.come(browser, page.url, width=WIDTH, height=HEIGHT, scale=2)
                await visitor.look_as("Tom")
                await visitor.tap("🛋️")
                await visitor.sees("Virtual staging", seconds=40)
                await visitor.tab.wait_for(GOING)
                await asyncio.sleep(1)  # the page scrolls to it
                shown = Image.open(io.BytesIO(await visitor.tab.screenshot())).convert("RGB")
                return await asyncio.to_thread(as_png, shown)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/offer.png"))
    file: Path = parser.parse_args().file
    configure_logging("WARNING", "text")
    quiet_discord_loggers()
    save_files({file.name: asyncio.run(offer())}, file.parent)


if __name__ == "__main__":
    main()
