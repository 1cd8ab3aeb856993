"""Films docs/demo.gif: a member furnishes a room, changes the style, and taps an emoji, on the demo's page.

python -m sandbox.demo_film [FILE]
"""

import asyncio
import io
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from PIL import Image

from sandbox.demo.pictures import (
    FORM_IS_THERE,
    RESULT_IS_THERE,
    RESULT_SECONDS,
    demo_in_browser,
    named_path,
    save_files,
)
from sandbox.demo.place import NORA, PHOTO_DESK
from sandbox.demo.visitor import Visitor
from sandbox.demo.world import DemoWorld
from sandbox.discord.browser import Tab

FILM_WIDTH, FILM_HEIGHT = 860, 640  # CSS pixels
FRAME_SECONDS = 0.25  # seconds between two pictures
MAX_STILL_SECONDS = 1.6  # seconds that nothing may happen: waiting is shortened to this
LAST = 3.0  # seconds that the last picture stands
COLOURS = 255


class Film:
    """Pictures of the page, each with the seconds that it stands."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._taken: list[tuple[bytes, float]] = []

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Take pictures while the context is open."""
        taking = asyncio.create_task(self._take(), name="camera")
        try:
            yield
        finally:
            taking.cancel()
            await asyncio.wait({taking})

    async def _take(self) -> None:
        while True:
            started = monotonic()
            self._taken.append((await self._tab.screenshot(), started))
            await asyncio.sleep(max(0.0, started + FRAME_SECONDS - monotonic()))

    def cut(self) -> bytes:
        """Return the film as a GIF, without repeated pictures and with shortened waiting."""
        frames: list[Image.Image] = []
        lasting: list[float] = []
        ends = [at for _, at in self._taken[1:]] + [self._taken[-1][1] + LAST]
        before = b""
        for (data, at), end in zip(self._taken, ends, strict=True):
            if data == before:
                lasting[-1] = min(MAX_STILL_SECONDS, lasting[-1] + end - at)
                continue
            before = data
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            frames.append(picture.quantize(COLOURS, dither=Image.Dither.NONE))
            lasting.append(min(MAX_STILL_SECONDS, end - at))
        lasting[-1] = LAST
        held = io.BytesIO()
        durations = [round(seconds * 1000) for seconds in lasting]
        frames[0].save(
            held, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True
        )
        return held.getvalue()


async def play(world: DemoWorld, visitor: Visitor, photo: Path) -> None:
    """Do what the film shows."""
    await asyncio.sleep(1.5)
    await visitor.tab.click("#words")
    for letter in "/virt":
        await visitor.tab.type_text(letter)
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.6)
    await visitor.tab.press("Enter")
    await visitor.tab.choose_files("#command input[data-option=image]", [photo])
    await asyncio.sleep(1.0)
    await visitor.fill_in("style", "scandinavian")
    await asyncio.sleep(0.8)
    await visitor.tab.click("#command [type=submit]")
    await visitor.tab.wait_for(RESULT_IS_THERE, seconds=RESULT_SECONDS)
    await asyncio.sleep(2.0)
    await visitor.post("What about this one?", [photo])
    await visitor.tab.wait_for(
        "document.querySelectorAll('#messages > li:last-child .reactions button').length > 3"
    )
    await asyncio.sleep(1.0)
    await visitor.tap("🛋️")
    await visitor.press_button("Run · ")
    done = "[...document.querySelectorAll('#messages > li')].at(-1).innerText.includes('is ready')"
    await visitor.tab.wait_for(done, seconds=RESULT_SECONDS)
    await asyncio.sleep(2.0)
    await visitor.press_button("Edit")
    await visitor.tab.wait_for(FORM_IS_THERE)
    await asyncio.sleep(1.0)


async def film() -> bytes:
    """Return the film as a GIF. Raises `BrowserError` where there is no Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        async with demo_in_browser() as (world, browser):
            photo = Path(folder) / "empty-room.jpg"
            await asyncio.to_thread(photo.write_bytes, world.photos[photo.name])
            await world.guest(NORA).change("photos", "offers", str(PHOTO_DESK))
            visitor = await Visitor.come(browser, world.site.url, width=FILM_WIDTH, height=FILM_HEIGHT)
            taken = Film(visitor.tab)
            async with taken.running():
                await play(world, visitor, photo)
            return await asyncio.to_thread(taken.cut)


def main() -> None:
    """Write the film."""
    file = named_path(__doc__, "docs/demo.gif")
    save_files({file.name: asyncio.run(film())}, file.parent)


if __name__ == "__main__":
    main()
