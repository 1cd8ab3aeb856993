"""Draws docs/setup.png, docs/tools.png and docs/error.png: what people see, as the page shows it.

python -m sandbox.panel_pictures [FOLDER]
"""

import argparse
import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image

from bot.client import quiet_discord_loggers
from bot.logs import configure_logging
from sandbox.discord.browser import find_chromium, launch
from sandbox.discord.page import Page
from sandbox.discord.visitor import Visitor
from sandbox.people import Person
from sandbox.stage import open_stage
from sandbox.studii import StudiiServer, faults

SCALE = 1.5
MARGIN = 8  # CSS pixels
NEWEST = "[...document.querySelectorAll('#channel-layout [data-message-id]')].at(-1)"


async def panels() -> dict[str, bytes]:
    """The pictures by file name, as PNG. Raises `RuntimeError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("There is no Chromium here.")
    with tempfile.TemporaryDirectory() as folder:
        async with StudiiServer() as studii, open_stage(studii, Path(folder)) as stage:
            world = stage.world
            nora = Person(stage, world.admin)
            page = Page(world.env, world.channel, world.people, stage.clock, world.turn)
            async with page, launch(chromium) as browser:
                visitor = await Visitor.come(browser, page.url, height=1300, scale=SCALE)
                await visitor.look_as("Nora")
                await nora.set_key(studii.add_key("team", balance=5000).secret, "team", "500")
                await visitor.run("studii setup")
                await visitor.sees("Ready.")
                made = {"setup.png": await picture(visitor)}
                await visitor.look_as("Maya")
                await visitor.run("tools")
                await visitor.sees("What you can make here")
                made["tools.png"] = await picture(visitor)
                studii.fail("create", faults.error(400, "Unknown quality: ultra."), times=1)
                maya = Person(stage, world.maya)
                await maya.command("studio", prompt="A red kite over the harbour", quality="ultra")
                await visitor.sees("did not work out")
                made["error.png"] = await picture(visitor)
                return made


async def picture(visitor: Visitor) -> bytes:
    """The newest message alone, in few colours, so that the file is small."""
    await asyncio.sleep(1)  # the page scrolls to it
    await visitor.tab.evaluate(f"{NEWEST}.scrollIntoView({{block: 'end', behavior: 'instant'}})")
    box = await visitor.tab.evaluate(
        f"(b => [b.left, b.top, b.right, b.bottom])({NEWEST}.getBoundingClientRect())"
    )
    return await asyncio.to_thread(_cropped, await visitor.tab.screenshot(), box)


def _cropped(screenshot: bytes, box: list[float]) -> bytes:
    left, top, right, bottom = box
    right = min(right, left + 720)
    shown = Image.open(io.BytesIO(screenshot)).convert("RGB")
    edges = (left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)
    x0, y0, x1, y1 = (round(edge * SCALE) for edge in edges)
    shown = shown.crop((max(0, x0), max(0, y0), min(shown.width, x1), min(shown.height, y1)))
    held = io.BytesIO()
    shown.quantize(256).save(held, "PNG", optimize=True)
    return held.getvalue()


def main() -> None:
    """Write the pictures into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    folder: Path = parser.parse_args().folder
    configure_logging("WARNING", "text")
    quiet_discord_loggers()
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in asyncio.run(panels()).items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
