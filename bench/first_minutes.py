"""Times the first minutes of somebody new: from a bare machine to the demo's address, and to a first picture.

python -m bench.first_minutes

It copies what is committed into an empty folder, and runs `make demo` there with an empty environment and an
empty home: with nothing but Python, make and a network. Then it does on the page what the welcome there says.
"""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sandbox.demo.pictures import RESULT_IS_THERE
from sandbox.demo.visitor import Visitor
from sandbox.discord.browser import find_chromium, launch
from sandbox.photos import empty_room

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+/")
PICTURE_TIMEOUT_SECONDS = 600.0  # seconds
# Without these a machine that reaches the network by a proxy of its own would have none.
KEPT = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


async def _committed(folder: Path) -> None:
    copied = await asyncio.create_subprocess_exec("git", "clone", "--quiet", str(ROOT), str(folder))
    if await copied.wait():
        raise RuntimeError("The repository can't be copied.")


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise RuntimeError("The demo has no output.")
    async for line in process.stdout:
        found = ADDRESS.search(line)
        if found:
            return found[0].decode()
    raise RuntimeError("The demo ended before it printed an address.")


async def _first_picture(address: str, folder: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        raise RuntimeError("Chromium wasn't found.")
    photo = folder / "room.jpg"
    await asyncio.to_thread(photo.write_bytes, empty_room())
    async with launch(chromium) as browser:
        visitor = await Visitor.come(browser, address)
        await visitor.sees("Welcome!")
        await visitor.tab.wait_for("!document.querySelector('#tour').hidden", seconds=PICTURE_TIMEOUT_SECONDS)
        await visitor.run("virtual-staging", image=photo, options={"style": "scandinavian"})
        await visitor.tab.wait_for(RESULT_IS_THERE, seconds=PICTURE_TIMEOUT_SECONDS)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    path = os.pathsep.join((str(Path(sys.base_prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"))
    return {**kept, "PATH": path, "HOME": str(home)}


async def main() -> None:
    """Print the two times, and the load of the machine."""
    with TemporaryDirectory(prefix="studii-first-") as name:
        folder, home = Path(name) / "studii", Path(name) / "home"
        home.mkdir()
        await _committed(folder)
        started = perf_counter()
        process = await asyncio.create_subprocess_exec(
            "make",
            "demo",
            cwd=folder,
            env=_environment(home),
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(PICTURE_TIMEOUT_SECONDS):
                address = await _address(process)
                there = perf_counter()
                sys.stdout.write(f"to the address: {there - started:.0f} s\n")
                await _first_picture(address, home)
                sys.stdout.write(f"from there to a first picture: {perf_counter() - there:.0f} s\n")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            await process.wait()
    sys.stdout.write(f"load of this machine at the end: {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    asyncio.run(main())
