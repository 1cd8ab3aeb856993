"""What a person does on the page, done with the mouse and keyboard of a real browser."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from sandbox.discord.browser import Browser, BrowserError, Tab

SENDS = 4
SEND_SECONDS = 5.0


class Visitor:
    """Someone with the page open in a browser. Raises BrowserError when the page does not follow."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    @classmethod
    async def come(
        cls, browser: Browser, url: str, *, width: int = 1200, height: int = 900, scale: float = 1.0
    ) -> Self:
        """Open the page in a window of width by height CSS pixels, and close its list of messages."""
        tab = await browser.open(url, width=width, height=height, scale=scale)
        # On a busy machine the first drawing of a channel full of pictures takes its time.
        await tab.wait_for(
            "document.querySelector('#preview-app')?.getAttribute('aria-busy') === 'false'", seconds=60
        )
        if await tab.evaluate("document.querySelector('#messages-toggle').ariaExpanded === 'true'"):
            await tab.click("#messages-toggle")
        return cls(tab)

    async def look_as(self, name: str) -> None:
        """Become another member."""
        await self.tab.evaluate(
            "(picker => {"
            f"picker.value = [...picker.options].find(option => option.text === {json.dumps(name)}).value;"
            "picker.dispatchEvent(new Event('change', {bubbles: true})); })"
            "(document.querySelector('#viewer-picker'))"
        )
        await self.tab.wait_for(
            "(picker => !picker.disabled && "
            f"picker.selectedOptions[0]?.text === {json.dumps(name)})"
            "(document.querySelector('#viewer-picker'))"
        )

    async def run(
        self, command: str, *, image: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        """Type a slash command such as "virtual-staging", fill in its options by name, and send it."""
        await self.tab.click("#channel-composer-input")
        await self.tab.type_text(f"/{command}")
        await self.tab.click(".command-popup [role=option]", text=f"/{command}")
        await self.tab.wait_for("document.querySelector('[data-command-mode=true]')")
        if image is not None:
            await self._add_option("image")
            await self.tab.choose_files("input[type=file][data-option=image]", [image])
        for name, value in (options or {}).items():
            await self._add_option(name)
            await self.tab.click(f".command-option-input[data-option={name}]")
            await self.tab.type_text(value)
        await self._send()

    async def _send(self) -> None:
        """Press Send, also if a list of suggestions opens late and takes the first press."""
        for _ in range(SENDS):
            # Leaves the list of suggestions, which would lie over the button.
            await self.tab.press("Escape")
            await self.tab.click("#send-message")
            try:
                await self.tab.wait_for(
                    "!document.querySelector('[data-command-mode=true]')", seconds=SEND_SECONDS
                )
            except BrowserError:
                continue
            return
        raise BrowserError(f"The command was not sent in {SENDS} tries.")

    async def press_button(self, label: str) -> None:
        """Press the newest button with this label under a message."""
        await self.tab.click("#channel-layout [data-message-id] button", text=label)

    async def tap(self, emoji: str) -> None:
        """Tap that emoji under the newest message that has it."""
        await self.tab.click("#channel-layout button.reaction-chip", text=emoji)

    async def sees(self, text: str, *, seconds: float = 15.0) -> None:
        """Wait until the page shows this text."""
        await self.tab.wait_for_text(text, seconds=seconds)

    async def _add_option(self, name: str) -> None:
        pill = f".command-pill[data-option={name}]"
        if not await self.tab.evaluate(f"Boolean(document.querySelector({json.dumps(pill)}))"):
            await self.tab.click(".command-ghost")
            await self.tab.click(".command-popup [role=option]", text=name)
            await self.tab.wait_for(f"document.querySelector({json.dumps(pill)})")
