"""What a person does on the page, done with the mouse and keyboard of a real browser."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from sandbox.discord.browser import Browser, Tab

MESSAGES = "[...document.querySelectorAll('#messages > li')]"


class Visitor:
    """Someone with the page open in a browser. Raises BrowserError when the page does not follow."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    @classmethod
    async def come(
        cls, browser: Browser, url: str, *, width: int = 1200, height: int = 900, scale: float = 1.0
    ) -> Self:
        """Open the page in a window of width by height CSS pixels."""
        tab = await browser.open(url, width=width, height=height, scale=scale)
        # On a busy machine the first drawing of a channel full of pictures takes its time.
        await tab.wait_for("document.querySelector('#app')?.ariaBusy === 'false'", seconds=60)
        return cls(tab)

    async def look_as(self, name: str) -> None:
        """Become another person."""
        await self.tab.evaluate(
            "(picker => {"
            f"picker.value = [...picker.options].find(one => one.text.startsWith({json.dumps(name)})).value;"
            "picker.dispatchEvent(new Event('change', {bubbles: true})); })"
            "(document.querySelector('#person'))"
        )
        await self.tab.wait_for(
            "document.querySelector('#app').dataset.who === document.querySelector('#person').value"
        )

    async def speak(self, locale: str) -> None:
        """Set the language of one's Discord app."""
        await self.tab.evaluate(
            f"(picker => {{ picker.value = {json.dumps(locale)};"
            "picker.dispatchEvent(new Event('change', {bubbles: true})); })"
            "(document.querySelector('#locale'))"
        )

    async def run(
        self, command: str, *, image: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        """Type a slash command such as "virtual-staging", fill in its options by name, and send it."""
        await self.tab.click("#words")
        await self.tab.type_text(f"/{command}")
        await self.tab.click("#suggestions [aria-selected=true]", text=f"/{command}")
        if image is not None:
            await self.tab.choose_files("#command input[data-option=image]", [image])
        for name, value in (options or {}).items():
            await self.fill_in(name, value)
        await self.tab.click("#command [type=submit]")
        await self.tab.wait_for("document.querySelector('#command').hidden")

    async def fill_in(self, name: str, value: str) -> None:
        """Give an option of the command that is open a value, or choose the one with that name."""
        extra = f"#command [data-extra={name}]"
        if await self.tab.evaluate(f"Boolean(document.querySelector({json.dumps(extra)}))"):
            await self.tab.click(extra)
        await self.tab.evaluate(
            "(field => {"
            f"const choice = [...(field.options ?? [])].find(one => one.text === {json.dumps(value)});"
            f"field.value = choice ? choice.value : {json.dumps(value)};"
            "field.dispatchEvent(new Event('input', {bubbles: true})); field.blur(); })"
            "([...document.querySelectorAll('#command .field')].find(one => "
            f"one.querySelector('label').innerText.replace(' *', '') === {json.dumps(name)})"
            ".querySelector('input, select'))"
        )

    async def post(self, words: str, files: Sequence[Path] = ()) -> None:
        """Write a message, with photos."""
        if files:
            await self.tab.choose_files("#file", files)
        await self.tab.click("#words")
        await self.tab.type_text(words)
        await self.tab.press("Enter")

    async def open_menu(self, words: str) -> None:
        """Open the menu of the newest message that has these words."""
        await self.tab.evaluate(
            f"{MESSAGES}.filter(one => one.innerText.includes({json.dumps(words)})).at(-1).focus()"
        )
        await self.tab.evaluate(
            f"{MESSAGES}.filter(one => one.innerText.includes({json.dumps(words)})).at(-1)"
            ".querySelector('.tools .more').click()"
        )
        await self.tab.wait_for("!document.querySelector('#menu').hidden")

    async def choose(self, label: str) -> None:
        """Choose from the menu that is open."""
        await self.tab.click("#menu [role=menuitem]", text=label)

    async def press_button(self, label: str) -> None:
        """Press the newest button with this label under a message."""
        await self.tab.click("#messages .row button, #messages .section button", text=label)

    async def tap(self, emoji: str) -> None:
        """Tap that emoji under the newest message that has it."""
        await self.tab.click("#messages .reactions button", text=emoji)

    async def sees(self, text: str, *, seconds: float = 15.0) -> None:
        """Wait until the page shows this text."""
        await self.tab.wait_for_text(text, seconds=seconds)
