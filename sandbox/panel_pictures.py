"""Draws docs/demo.png, setup.png, tools.png and errors.png: panels and messages, as the page shows them.

python -m sandbox.panel_pictures [FOLDER]
"""

import argparse
import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from PIL import Image

from bot.client.bot import quiet_discord_loggers
from bot.monitoring.logging import configure_logging
from sandbox.discord.browser import find_chromium, launch
from sandbox.discord.page import Page
from sandbox.discord.visitor import Visitor
from sandbox.people import Person
from sandbox.photos import empty_room
from sandbox.pictures import RESULT_IS_THERE, RESULT_SECONDS, save_files
from sandbox.stage import Stage, open_stage
from sandbox.studii import StudiiServer, faults

SCALE = 1.5
MARGIN = 8  # CSS pixels
MESSAGES = "[...document.querySelectorAll('#channel-layout [data-message-id]')]"
GAP = 12  # pixels between pictures that stand below one another


async def panels() -> dict[str, bytes]:
    """Return the pictures by file name, as PNG. Raises `RuntimeError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("Chromium wasn't found.")
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
                made = {"setup.png": await picture(visitor, "Ready.")}
                await visitor.look_as("Maya")
                await visitor.run("tools")
                made["tools.png"] = await picture(visitor, "What you can make here")
                made["demo.png"] = await result(visitor, Path(folder) / "empty-room.jpg")
                made["errors.png"] = stacked([one async for one in errors(visitor, stage, studii, nora)])
                return made


async def result(visitor: Visitor, photo: Path) -> bytes:
    """Return a picture of a job's card, and of its result below it."""
    await asyncio.to_thread(save_files, {photo.name: empty_room()}, photo.parent)
    await visitor.run("virtual-staging", image=photo, options={"style": "scandinavian"})
    await visitor.tab.wait_for(RESULT_IS_THERE, seconds=RESULT_SECONDS)
    return await picture(visitor, "is ready", above=1)


async def errors(visitor: Visitor, stage: Stage, studii: StudiiServer, nora: Person) -> AsyncIterator[bytes]:
    """Yield pictures of three failures: refused inputs, a lost answer, a refused key."""
    maya = Person(stage, stage.world.maya)
    await nora.command("studii log", channel=stage.world.channel)
    for fault, words in (
        (faults.error(400, "Unknown quality: ultra."), "job failed"),
        (faults.DropAfter(), "has an unknown outcome"),
        (faults.error(401, "This key was revoked."), "refused this server's key"),
    ):
        studii.fail("create", fault)
        await maya.command("studio", prompt="A red kite over the harbour", quality="ultra")
        yield await picture(visitor, words)


async def picture(visitor: Visitor, words: str, *, above: int = 0) -> bytes:
    """Show the newest message that has these words, in few colours, so that the file is small.

    `above` is the number of messages before it that are shown too.
    """
    await visitor.sees(words)
    message = f"{MESSAGES}.filter(one => one.innerText.includes({json.dumps(words)})).at(-1)"
    first = f"{MESSAGES}.at({MESSAGES}.indexOf({message}) - {above})"
    await asyncio.sleep(1)  # the page scrolls to the newest message
    await visitor.tab.evaluate(f"{message}.scrollIntoView({{block: 'end', behavior: 'instant'}})")
    box = await visitor.tab.evaluate(
        "((a, b) => [a.left, a.top, b.right, b.bottom])"
        f"({first}.getBoundingClientRect(), {message}.getBoundingClientRect())"
    )
    return await asyncio.to_thread(_cropped, await visitor.tab.screenshot(), box)


def stacked(pictures: Sequence[bytes]) -> bytes:
    """Put the pictures one below the other, in few colours."""
    opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    size = (max(one.width for one in opened), sum(one.height + GAP for one in opened))
    whole = Image.new("RGB", size, opened[0].getpixel((0, 0)))
    top = 0
    for one in opened:
        whole.paste(one, (0, top))
        top += one.height + GAP
    return as_png(whole)


def _cropped(screenshot: bytes, box: list[float]) -> bytes:
    left, top, right, bottom = box
    right = min(right, left + 720)
    shown = Image.open(io.BytesIO(screenshot)).convert("RGB")
    edges = (left - MARGIN, top, right + MARGIN, bottom)  # its neighbours begin at once
    x0, y0, x1, y1 = (round(edge * SCALE) for edge in edges)
    shown = shown.crop((max(0, x0), max(0, y0), min(shown.width, x1), min(shown.height, y1)))
    return as_png(shown)


def as_png(picture: Image.Image) -> bytes:
    """Return the picture as a PNG."""
    held = io.BytesIO()
    picture.save(held, "PNG", optimize=True)
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
