"""What the demo leaves behind: the outputs, and pictures of the page."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.discord.browser import find_chromium, launch
from sandbox.discord.page import Page


def save_outputs(outputs: Mapping[str, bytes], folder: Path) -> None:
    """Write the outputs under their names."""
    folder.mkdir(exist_ok=True)
    for name, data in outputs.items():
        (folder / name).write_bytes(data)


async def save_screenshots(page: Page, folder: Path) -> bool:
    """Take a picture of the page as it is; whether there is a Chromium to take it with."""
    chromium = find_chromium()
    if chromium is None:
        return False
    async with launch(chromium) as browser:
        tab = await browser.open(page.url, width=1100, height=1400, scale=2)
        await tab.wait_for_text("Tom")
        (folder / "page.png").write_bytes(await tab.screenshot())
    return True
