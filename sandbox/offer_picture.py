"""Draws docs/offer.png: a photo with the emoji that the bot put under it, one of them tapped on the page.

python -m sandbox.offer_picture [FILE]
"""

import asyncio
import io

from PIL import Image

from sandbox.demo.people import sample, until
from sandbox.demo.pictures import RESULT_SECONDS, demo_in_browser, named_path, save_files
from sandbox.demo.place import MAYA, NORA, PHOTO_DESK
from sandbox.demo.visitor import Visitor
from sandbox.panel_pictures import as_png

OFFER_WIDTH, OFFER_HEIGHT, OFFER_SCALE = 660, 760, 1.5  # CSS pixels, and picture pixels for each
OFFERED = 4  # emoji


async def offer() -> bytes:
    """Return the picture as PNG. Raises `BrowserError` where there is no Chromium."""
    async with demo_in_browser() as (world, browser):
        await world.guest(NORA).change("photos", "offers", str(PHOTO_DESK))
        posted = world.guest(MAYA).post("What could this room become?", sample(world.photos, "room"))
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
    file = named_path(__doc__, "docs/offer.png")
    save_files({file.name: asyncio.run(offer())}, file.parent)


if __name__ == "__main__":
    main()
