"""A headless Chromium, driven the way a person drives a browser, over its DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import json
import os
import shutil
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_SECONDS = 30.0
BROWSER_ANSWER_SECONDS = 20.0
POLL_SECONDS = 0.05


class BrowserError(RuntimeError):
    """The browser did not start, broke off, or did not do what it was asked."""


def find_chromium() -> Path | None:
    """Find the Chromium of this machine. None if it has none."""
    found = next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
    return Path(found) if found else None


@asynccontextmanager
async def launch(executable: Path) -> AsyncGenerator["Browser"]:
    """Run a browser with an empty profile, and end it with everything that belongs to it.

    Raises BrowserError when it does not start within 30 s.
    """
    with TemporaryDirectory(prefix="studii-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            executable,
            *FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            # Its sockets lie in a folder of its own making: inside the profile, to go with it.
            env={**os.environ, "TMPDIR": profile},
            # Of its own session: Ctrl-C is for us, and its helpers can be ended together with it.
            start_new_session=True,
        )
        try:
            address = await _debugging_address(process, Path(profile))
            async with (
                aiohttp.ClientSession() as session,
                # A screenshot in one frame is larger than aiohttp's default limit.
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                browser = Browser(socket)
                try:
                    yield browser
                finally:
                    await browser.close()
        finally:
            await _end(process)


async def _debugging_address(process: asyncio.subprocess.Process, profile: Path) -> str:
    # Chromium tells the port that it took in this file.
    told = profile / "DevToolsActivePort"
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                lines = await asyncio.to_thread(_lines, told)
                if len(lines) >= 2:
                    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
                await asyncio.sleep(POLL_SECONDS)
            raise BrowserError(f"Chromium ended at once with exit code {process.returncode}.")
    raise BrowserError(f"Chromium did not start within {START_SECONDS:.0f} s.")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


async def _end(process: asyncio.subprocess.Process) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), timeout=5)
            break
    # Its helpers outlive it for a moment, and would write into the profile that is about to go.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Browser:
    """A running browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._reader = asyncio.create_task(self._read(), name="browser reader")

    async def open(self, url: str, *, width: int = 1280, height: int = 900, scale: float = 1.0) -> "Tab":
        """Open a page in a window of width by height CSS pixels, drawn with scale pixels for each."""
        target = await self.call("Target.createTarget", {"url": "about:blank"})
        attached = await self.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        tab = Tab(self, attached["sessionId"])
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        await tab.call("Emulation.setDeviceMetricsOverride", size)
        await tab.call("Page.navigate", {"url": url})
        await tab.wait_for("document.readyState === 'complete'")
        return tab

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        """Have the browser do one thing of its protocol. Raises BrowserError when it refuses or is gone."""
        if self._reader.done():
            raise BrowserError("The browser is gone.")
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": dict(params or {})}
        if session is not None:
            message["sessionId"] = session
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(BROWSER_ANSWER_SECONDS):
                await self._socket.send_str(json.dumps(message))
                return await answer
        except (TimeoutError, aiohttp.ClientError) as error:
            raise BrowserError(f"The browser did not answer {method}.") from error
        finally:
            del self._answers[number]

    async def close(self) -> None:
        """Ask the browser to end."""
        with suppress(BrowserError):
            await self.call("Browser.close")
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(frame.data))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(BrowserError("The browser is gone."))

    def _take(self, message: dict[str, Any]) -> None:
        answer = self._answers.get(message.get("id", 0))
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(BrowserError(str(message["error"].get("message"))))
        else:
            answer.set_result(message["result"])


class Tab:
    """One open page. Elements are named by CSS selectors."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    async def call(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Have this page do one thing of the protocol."""
        return await self._browser.call(method, params, self._session)

    async def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression, or of its promise.

        Raises BrowserError if it throws.
        """
        answer = await self.call(
            "Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True}
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"The page's script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def wait_for(self, condition: str, *, seconds: float = 15.0) -> None:
        """Wait until a JavaScript expression is true. Raises BrowserError when it is not in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not await self.evaluate(f"Boolean({condition})"):
            if loop.time() > deadline:
                raise BrowserError(f"The page did not come to this within {seconds:.0f} s: {condition}")
            await asyncio.sleep(POLL_SECONDS)

    async def wait_for_text(self, text: str, *, seconds: float = 15.0) -> None:
        """Wait until the page shows this text."""
        await self.wait_for(f"document.body.innerText.includes({json.dumps(text)})", seconds=seconds)

    async def click(self, selector: str, *, text: str = "", button: str = "left") -> None:
        """Click an element with the mouse once it is there: the last visible one that holds the text."""
        find = (
            f"[...document.querySelectorAll({json.dumps(selector)})].filter(element => "
            f"element.getClientRects().length && element.innerText.includes({json.dumps(text)})).at(-1)"
        )
        await self.wait_for(find)
        x, y = await self.evaluate(
            f"(element => {{ element.scrollIntoView({{block: 'nearest', behavior: 'instant'}});"
            "const box = element.getBoundingClientRect();"
            f"return [box.x + box.width / 2, box.y + box.height / 2]; }})({find})"
        )
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": x, "y": y, "button": button, "clickCount": 1}
            await self.call("Input.dispatchMouseEvent", event)

    async def type_text(self, text: str) -> None:
        """Type into whatever has the focus."""
        await self.call("Input.insertText", {"text": text})

    async def press(self, key: str) -> None:
        """Press a key such as Enter, Tab, Escape or ArrowDown."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}.get(key, 0)
        event: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        if key == "Enter":
            event["text"] = "\r"
        await self.call("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        await self.call("Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "code": key})

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        """Choose files in a file input."""
        document = await self.call("DOM.getDocument", {"depth": 0})
        node = await self.call(
            "DOM.querySelector", {"nodeId": document["root"]["nodeId"], "selector": selector}
        )
        if not node["nodeId"]:
            raise BrowserError(f"The page has no {selector}.")
        paths = [str(file.absolute()) for file in files]
        await self.call("DOM.setFileInputFiles", {"nodeId": node["nodeId"], "files": paths})

    async def screenshot(self) -> bytes:
        """Return a PNG of the window, once all pictures and fonts in it are there."""
        await self.wait_for("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        await self.evaluate("document.fonts.ready.then(() => true)")
        answer = await self.call("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(answer["data"])
