"""Draws docs/languages.png: one panel of the demo in three languages, side by side.

python -m sandbox.language_picture [FILE]
"""

import asyncio

from sandbox.demo.pictures import demo_in_browser, named_path, save_files
from sandbox.demo.visitor import Visitor
from sandbox.panel_pictures import PICTURE_SCALE, WINDOW_WIDTH, as_png, joined, picture

SHOWN_LOCALES = ("de", "pt-BR", "ja")
EMOJI = "💳"  # of the panel, in every language


async def panel_in_languages() -> bytes:
    """Return the picture as PNG. Raises `BrowserError` where there is no Chromium."""
    async with demo_in_browser() as (world, browser):
        visitor = await Visitor.come(
            browser, world.site.url, width=WINDOW_WIDTH, height=1300, scale=PICTURE_SCALE
        )
        await visitor.look_as("Maya")
        shown: list[bytes] = []
        for locale in SHOWN_LOCALES:
            await visitor.speak(locale)
            await visitor.run("credits")
            await asyncio.sleep(1)
            shown.append(await picture(visitor, EMOJI))
        return as_png(joined(shown, beside=True))


def main() -> None:
    """Write the picture."""
    file = named_path(__doc__, "docs/languages.png")
    save_files({file.name: asyncio.run(panel_in_languages())}, file.parent)


if __name__ == "__main__":
    main()
