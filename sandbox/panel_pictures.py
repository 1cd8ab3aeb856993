"""Draws docs/setup.png, help.png, modal.png and staged.png, as the page shows them.

python -m sandbox.panel_pictures [FOLDER]
"""

import asyncio
import io
import json
from collections.abc import Sequence

from PIL import Image

from sandbox.demo.people import sample
from sandbox.demo.pictures import FORM_IS_THERE, RESULT_SECONDS, demo_in_browser, named_path, save_files
from sandbox.demo.place import MAYA, NORA
from sandbox.demo.visitor import MESSAGES, Visitor
from sandbox.demo.world import DemoWorld

PICTURE_SCALE = 1.5
WINDOW_WIDTH = 980  # CSS pixels of the window
MARGIN = 8  # CSS pixels
GAP = 12  # pixels between pictures that stand below or beside one another


async def panels() -> dict[str, bytes]:
    """Return the pictures by file name, as PNG. Raises `BrowserError` where there is no Chromium."""
    async with demo_in_browser() as (world, browser):
        visitor = await Visitor.come(
            browser, world.site.url, width=WINDOW_WIDTH, height=1300, scale=PICTURE_SCALE
        )
        await visitor.look_as("Nora")
        await visitor.run("studii setup")
        made = {"setup.png": await picture(visitor, "Studii in this server")}
        await visitor.look_as("Maya")
        await visitor.run("help")
        made["help.png"] = await picture(visitor, "What you can do here")
        made["modal.png"] = await form(visitor)
        made["staged.png"] = await staged(visitor, world)
        return made


async def form(visitor: Visitor) -> bytes:
    """Return a picture of a tool's form."""
    await visitor.open_menu("Empty room")
    await visitor.choose("Virtual staging")
    await visitor.tab.wait_for(FORM_IS_THERE)
    made = await _shown(visitor, "document.querySelector('dialog')")
    await visitor.tab.press("Escape")
    await visitor.tab.evaluate("document.querySelector('#messages').scrollTop = 1e6")  # and follow what comes
    return made


async def staged(visitor: Visitor, world: DemoWorld) -> bytes:
    """Return a picture of a staged room with its labelled copy and the photo before."""
    await world.guest(NORA).change("results", "staging_label", value="Virtually staged")
    room, maya = sample(world.photos, "room"), world.guest(MAYA)
    await maya.result_after(await maya.command("virtual-staging", image=room, style="scandinavian"))
    await visitor.look_as("Maya")
    return await picture(visitor, "Labelled")


async def picture(visitor: Visitor, words: str) -> bytes:
    """Return a picture of the newest message that has these words."""
    await visitor.sees(words)
    message = f"{MESSAGES}.filter(one => one.innerText.includes({json.dumps(words)})).at(-1)"
    await visitor.tab.evaluate("document.activeElement.blur()")
    return await _shown(visitor, message)


async def _shown(visitor: Visitor, element: str) -> bytes:
    """Return a picture of the element once it stays in the window: pictures that arrive move it."""
    place = f"(box => [box.left, box.top, box.right, box.bottom])({element}.getBoundingClientRect())"
    async with asyncio.timeout(RESULT_SECONDS):
        while True:
            await visitor.tab.evaluate(f"{element}.scrollIntoView({{block: 'end', behavior: 'instant'}})")
            await asyncio.sleep(0.5)
            box = await visitor.tab.evaluate(place)
            shot = await visitor.tab.screenshot()
            seen = 0 < box[3] <= await visitor.tab.evaluate("innerHeight")
            if seen and box == await visitor.tab.evaluate(place):
                return await asyncio.to_thread(_cropped, shot, box)


def joined(pictures: Sequence[bytes], *, beside: bool = False) -> Image.Image:
    """Put the pictures one below the other, or beside each other."""
    opened = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    widths, heights = [one.width for one in opened], [one.height for one in opened]
    gaps = GAP * (len(opened) - 1)
    size = (sum(widths) + gaps, max(heights)) if beside else (max(widths), sum(heights) + gaps)
    whole = Image.new("RGB", size, opened[0].getpixel((0, 0)))
    at = 0
    for one in opened:
        whole.paste(one, (at, 0) if beside else (0, at))
        at += GAP + (one.width if beside else one.height)
    return whole


def _cropped(screenshot: bytes, box: list[float]) -> bytes:
    left, top, right, bottom = box
    right = min(right, left + 720)
    shown = Image.open(io.BytesIO(screenshot)).convert("RGB")
    edges = (left - MARGIN, top, right + MARGIN, bottom)  # its neighbours begin at once
    x0, y0, x1, y1 = (round(edge * PICTURE_SCALE) for edge in edges)
    shown = shown.crop((max(0, x0), max(0, y0), min(shown.width, x1), min(shown.height, y1)))
    return as_png(shown)


def as_png(picture: Image.Image) -> bytes:
    """Return the picture as a PNG."""
    held = io.BytesIO()
    picture.save(held, "PNG", optimize=True)
    return held.getvalue()


def main() -> None:
    """Write the pictures into the folder."""
    folder = named_path(__doc__, "docs")
    save_files(asyncio.run(panels()), folder)


if __name__ == "__main__":
    main()
