"""Draws docs/set.png: the two messages with the results of six photos, as the page shows them on a phone.

python -m sandbox.set_picture [--width PIXELS] [FILE]
"""

import argparse
import asyncio
from pathlib import Path

from sandbox.demo.people import text_of, until
from sandbox.demo.pictures import RESULT_SECONDS, demo_in_browser, save_files
from sandbox.demo.place import MAYA, PHOTO_DESK, TOM
from sandbox.demo.visitor import Visitor
from sandbox.demo.world import DemoWorld
from sandbox.panel_pictures import PICTURE_SCALE, as_png, joined, picture

PHOTOS = 6
NARROW, HEIGHT = 420, 2200  # CSS pixels, in which a message with three pairs has room


async def a_set(width: int = NARROW) -> bytes:
    """Return the picture as PNG. Raises `BrowserError` where there is no Chromium."""
    async with demo_in_browser() as (world, browser):
        first = await _post(world)
        visitor = await Visitor.come(browser, world.site.url, width=width, height=HEIGHT, scale=PICTURE_SCALE)
        await visitor.look_as("Maya")
        last = f"to {PHOTOS} of {PHOTOS}"
        await visitor.sees(last, seconds=RESULT_SECONDS)
        messages = [await picture(visitor, words) for words in (f"1. {first}", last)]
        # A third of the bytes that all colours would take.
        return await asyncio.to_thread(lambda: as_png(joined(messages, beside=True).quantize(256)))


async def _post(world: DemoWorld) -> str:
    """Have a set made of the samples, and return the name of its first photo."""
    names = sorted(world.photos)
    files = [
        (f"{Path(name).stem}{'-again' * (number >= len(names))}.jpg", world.photos[name], "image/jpeg")
        for number, name in enumerate((names * PHOTOS)[:PHOTOS])
    ]
    posted = world.guest(TOM).post("Could these be restored?", *files)
    form = await world.guest(MAYA).menu("Photo restoration", posted)
    await world.guest(MAYA).fill_in(form, {"image": [f"first {PHOTOS}"]})

    def there() -> bool:
        return any(f"**{PHOTOS}.** " in text_of(one) for one in world.discord.in_channel(PHOTO_DESK))

    await until(there, "the set's last message")
    return files[0][0]


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/set.png"))
    parser.add_argument("--width", type=int, default=NARROW, help="CSS pixels of the window")
    given = parser.parse_args()
    save_files({given.file.name: asyncio.run(a_set(given.width))}, given.file.parent)


if __name__ == "__main__":
    main()
