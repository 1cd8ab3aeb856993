"""Save the results of the demo: the outputs, and screenshots of the page."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.demo.visitor import Visitor
from sandbox.demo.world import DemoWorld, prepared_world
from sandbox.discord.browser import Browser, BrowserError, find_chromium, launch

PAGE_WIDTH, PAGE_HEIGHT = 1000, 900  # CSS pixels
RESULT_SECONDS = 40.0
# The newest message is a result whose picture has arrived.
RESULT_IS_THERE = """(result => [...(result?.querySelectorAll('img') ?? [])].some(
    image => image.complete && image.naturalWidth > 200) && result.innerText.includes('Scandinavian')
    && result.innerText.includes('is ready'))([...document.querySelectorAll('#messages > li')].at(-1))"""
FORM_IS_THERE = "document.querySelector('dialog[open]')?.innerText.includes('Virtual staging')"


def named_path(about: str | None, usual: str) -> Path:
    """Return the file or folder that the command line names, `usual` if it names none."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("path", nargs="?", type=Path, default=Path(usual))
    path: Path = parser.parse_args().path
    return path


def save_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files under their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@asynccontextmanager
async def demo_in_browser() -> AsyncGenerator[tuple[DemoWorld, Browser]]:
    """Start a prepared demo and a browser. Raises `BrowserError` where there is no Chromium."""
    chromium = find_chromium()
    if chromium is None:
        raise BrowserError("Chromium wasn't found.")
    with TemporaryDirectory() as folder:
        async with prepared_world(Path(folder)) as world, launch(chromium) as browser:
            yield world, browser


async def save_screenshots(world: DemoWorld, folder: Path) -> bool:
    """Use the page in a real browser and take screenshots. Return False if there is no Chromium.

    Raises BrowserError if the progress or the result does not appear.
    """
    chromium = find_chromium()
    if chromium is None:
        return False
    with TemporaryDirectory() as held:
        photo = Path(held) / "empty-room.jpg"
        await asyncio.to_thread(photo.write_bytes, world.photos[photo.name])
        async with launch(chromium) as browser:
            visitor = await Visitor.come(
                browser, world.site.url, width=PAGE_WIDTH, height=PAGE_HEIGHT, scale=2
            )
            await visitor.run("virtual-staging", image=photo, options={"style": "scandinavian"})
            await visitor.sees("style Scandinavian")
            save_files({"progress.png": await visitor.tab.screenshot()}, folder)
            # The result appears without another press.
            await visitor.tab.wait_for(RESULT_IS_THERE, seconds=RESULT_SECONDS)
            save_files({"page.png": await visitor.tab.screenshot()}, folder)
            await visitor.press_button("Edit")
            await visitor.tab.wait_for(FORM_IS_THERE)
            save_files({"form.png": await visitor.tab.screenshot()}, folder)
    return True
