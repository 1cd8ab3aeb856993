"""Draws docs/languages.png: one panel of the demo in three languages, side by side.

python -m sandbox.language_picture [FILE]
"""

import argparse
import asyncio
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sandbox.demo.visitor import Visitor
from sandbox.demo.world import prepared_world
from sandbox.discord.browser import find_chromium, launch
from sandbox.panel_pictures import GAP, PICTURE_SCALE, WINDOW_WIDTH, as_png, picture

SHOWN_LOCALES = ("de", "pt-BR", "ja")
BAR = "▰▰▰"  # of what is left, in every language


async def panel_in_languages() -> bytes:
    """Return the picture as PNG. Raises `RuntimeError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("Chromium wasn't found.")
    with tempfile.TemporaryDirectory() as folder:
        async with prepared_world(Path(folder)) as world, launch(chromium) as browser:
            visitor = await Visitor.come(
                browser, world.site.url, width=WINDOW_WIDTH, height=1300, scale=PICTURE_SCALE
            )
            await visitor.look_as("Maya")
            shown: list[bytes] = []
            for locale in SHOWN_LOCALES:
                await visitor.speak(locale)
                await visitor.run("credits")
                await asyncio.sleep(1)
                shown.append(await picture(visitor, BAR))
            return beside(shown)


def beside(pictures: Sequence[bytes]) -> bytes:
    """Put the pictures beside each other."""
    opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    size = (sum(one.width + GAP for one in opened) - GAP, max(one.height for one in opened))
    whole = Image.new("RGB", size, opened[0].getpixel((0, 0)))
    left = 0
    for one in opened:
        whole.paste(one, (left, 0))
        left += one.width + GAP
    return as_png(whole)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/languages.png"))
    file: Path = parser.parse_args().file
    file.write_bytes(asyncio.run(panel_in_languages()))


if __name__ == "__main__":
    main()
