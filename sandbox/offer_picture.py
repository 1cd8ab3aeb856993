"""Draws docs/offer.png: a photo with the emoji that the bot put under it, one of them tapped on the page.

python -m sandbox.offer_picture [FILE]
"""

import argparse
import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image

from sandbox.demo.people import until
from sandbox.demo.pictures import RESULT_SECONDS, save_files
from sandbox.demo.place import MAYA, NORA
from sandbox.demo.visitor import Visitor
from sandbox.demo.world import prepared_world
from sandbox.discord.browser import find_chromium, launch
from sandbox.panel_pictures import as_png

OFFER_WIDTH, OFFER_HEIGHT, OFFER_SCALE = 660, 760, 1.5  # CSS pixels, and picture pixels for each
OFFERED = 4  # emoji


async def offer() -> bytes:
    """Return the picture as PNG. Raises `RuntimeError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("Chromium wasn't found.")
    with tempfile.TemporaryDirectory() as folder:
        async with prepared_world(Path(folder)) as world, launch(chromium) as browser:
            await world.guest(NORA).command("studii photos offer")
            photo = ("empty-room.jpg", world.photos["empty-room.jpg"], "image/jpeg")
            posted = world.guest(MAYA).post(photo, "What could this room become?")
            await until(lambda: len(posted.reactions) == OFFERED, "the emoji under the photo")
            visitor = await Visitor.come(
                browser, world.site.url, width=OFFER_WIDTH, height=OFFER_HEIGHT, scale=OFFER_SCALE
            )
            await visitor.look_as("Tom")
            await visitor.tap("🛋️")
            await visitor.press_button("Run · ")
            await visitor.sees("is ready", seconds=RESULT_SECONDS)
            await asyncio.sleep(1)  # pictures in it may still arrive
            shown = Image.open(io.BytesIO(await visitor.tab.screenshot())).convert("RGB")
            return await asyncio.to_thread(as_png, shown)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/offer.png"))
    file: Path = parser.parse_args().file
    save_files({file.name: asyncio.run(offer())}, file.parent)


if __name__ == "__main__":
    main()
