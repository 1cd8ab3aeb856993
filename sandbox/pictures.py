"""Save the results of the demo: the outputs, and screenshots of the page."""

from collections.abc import Mapping
from pathlib import Path

from sandbox.discord.browser import find_chromium, launch
from sandbox.discord.page import Page
from sandbox.discord.visitor import Visitor

WIDTH, HEIGHT = 760, 1000  # CSS pixels
RESULT_SECONDS = 40.0


def save_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files under their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


async def save_screenshots(page: Page, photo: Path, folder: Path) -> bool:
    """Use the page in a real browser and take screenshots. Return False if there is no Chromium.

    Raises BrowserError if the card or the result does not appear.
    """
    chromium = find_chromium()
    if chromium is None:
        return False
    async with launch(chromium) as browser:
        visitor = await Visitor.come(browser, page.url, width=WIDTH, height=HEIGHT, scale=2)
        await visitor.run("virtual-staging", image=photo, options={"style": "scandinavian"})
        await visitor.sees("style scandinavian")
        save_files({"card.png": await visitor.tab.screenshot()}, folder)
        # The result appears without another press.
        await visitor.tab.wait_for(RESULT_IS_THERE, seconds=RESULT_SECONDS)
        save_files({"page.png": await visitor.tab.screenshot()}, folder)
        await visitor.press_button("Edit")
        await visitor.tab.wait_for(FORM_IS_THERE)
        save_files({"form.png": await visitor.tab.screenshot()}, folder)
    return True


# The form stands there with what the result was asked for.
FORM_IS_THERE = "(form => !form.hidden && form.innerText.includes('Virtual staging'))" + (
    "(document.querySelector('#modal-root'))"
)
# The newest message has a picture that has arrived, and its card knows.
RESULT_IS_THERE = """(([card, result]) => {
    const picture = [...(result?.querySelectorAll('img') ?? [])].some(
        image => image.complete && image.naturalWidth > 200);
    return picture && result.innerText.includes('is ready') && card.innerText.includes('Done in')
        && card.innerText.includes('scandinavian');
})([...document.querySelectorAll('#channel-layout [data-message-id]')].slice(-2))"""
