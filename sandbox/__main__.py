"""`python -m sandbox`: the demo. The bot in a browser page, with a tour that plays beside it."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.markup import escape

from sandbox.demo.bot import BotEndedError, running_bot, until_ready
from sandbox.demo.pictures import save_files, save_screenshots
from sandbox.demo.place import build, furnish
from sandbox.demo.site import Site
from sandbox.demo.site import Tour as Shown
from sandbox.demo.tour import Tour
from sandbox.discord.browser import BrowserError
from sandbox.discord.emulator import DiscordServer
from sandbox.photos import sample_photos
from sandbox.studii import StudiiServer

OUTPUT = Path("demo-output")
LARGEST = 100 * 1024 * 1024  # bytes of a file that can be fetched again


class Demo:
    """The demo: Discord, Studii and the page in this process, the bot in another."""

    def __init__(self, studii: StudiiServer, discord: DiscordServer, site: Site, console: Console) -> None:
        self.site = site
        self._studii = studii
        self._discord = discord
        self._console = console
        self._photos: Mapping[str, bytes] = {}

    async def prepare(self, bot: asyncio.Task[int]) -> None:
        """Post the sample photos, and set the server's key once the bot is there."""
        self._photos = await asyncio.to_thread(sample_photos)
        furnish(self._discord, self._photos)
        self.site.changed()
        await until_ready(self._discord, bot)
        self.site.changed()
        await self.tour().set_key()
        self.site.tour.play = self.play

    def tour(self) -> Tour:
        """Return a tour of its own."""
        return Tour(self._discord, self._studii, self.site.acts, self._photos)

    async def play(self, shown: Shown) -> None:
        """Play the tour on the page alone."""
        await self.take(self.tour(), shown)

    async def take(self, tour: Tour, shown: Shown) -> bool:
        """Take the tour on the page and in the terminal. Returns whether all went well."""
        shown.running, shown.total, shown.number, shown.failed = True, len(tour.steps), 0, False
        try:
            async for step, taken in tour.take():
                if taken is None:
                    shown.number += 1
                    shown.title, shown.detail = step.title, ""
                else:
                    shown.detail, shown.failed = taken.detail, taken.failed
                    mark = "[red]✘[/]" if taken.failed else "[green]✔[/]"
                    words = f"{mark} {escape(taken.title)}\n  [dim]{escape(taken.detail)}[/]"
                    self._console.print(words, highlight=False)
                self.site.changed()
        finally:
            shown.running = False
            self.site.changed()
        return not shown.failed

    async def save(self, tour: Tour) -> bool:
        """Save what the tour made, and pictures of the page."""
        await asyncio.to_thread(save_files, tour.outputs, OUTPUT)
        try:
            seen = await save_screenshots(self.site.url, self._photos, OUTPUT)
        except BrowserError as error:
            self._console.print(f"[red]✘[/] The page failed in the browser: {escape(str(error))}")
            return False
        without = "" if seen else " Chromium wasn't found, so there are no pictures of the page."
        self._console.print(f"\nThe results are in [bold]{OUTPUT}/[/].{without}")
        return True


@asynccontextmanager
async def open_demo(folder: Path, console: Console, *, port: int = 0) -> AsyncGenerator[tuple[Demo, asyncio.Task[int]]]:
    """Start everything; yield the demo, and the task that ends with the bot's process."""
    async with AsyncExitStack() as opened:
        studii = await opened.enter_async_context(StudiiServer())
        discord = DiscordServer(message_content=True, keep_files=LARGEST)
        build(discord)
        await opened.enter_async_context(discord)
        bot = await opened.enter_async_context(running_bot(discord, studii, folder))
        site = await opened.enter_async_context(Site(discord, port=port))
        yield Demo(studii, discord, site, console), bot


async def run(console: Console, *, once: bool, tour: bool, port: int) -> bool:
    """Run the demo until the bot ends. Returns whether all went well."""
    with TemporaryDirectory(prefix="studii-demo-") as folder:
        async with open_demo(Path(folder), console, port=port) as (demo, bot):
            console.print(
                f"[bold]Studii for Discord[/], with a simulated Discord and Studii on this machine: "
                f"[bold]{demo.site.url}[/]",
                highlight=False,
                soft_wrap=True,
            )
            await demo.prepare(bot)
            if once:
                taken = demo.tour()
                return await demo.take(taken, demo.site.tour) and await demo.save(taken)
            console.print("Open it in a browser. Press Ctrl-C to stop.")
            if tour:
                await demo.take(demo.tour(), demo.site.tour)
            await asyncio.wait({bot})  # not awaited itself, as it would be cancelled with this
            console.print("[red]✘[/] The bot has ended.")
            return False


async def until_stopped(console: Console, *, once: bool, tour: bool, port: int) -> bool:
    """Run the demo until it has ended or somebody ends it. Returns whether all went well."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, stop.set)
    demo = asyncio.create_task(run(console, once=once, tour=tour, port=port))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({demo, stopped}, return_when=asyncio.FIRST_COMPLETED)
    ended_early = not demo.done()
    demo.cancel()
    stopped.cancel()
    (outcome, _) = await asyncio.gather(demo, stopped, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome is True or (ended_early and not once)


def main() -> int:
    """Read the arguments, run the demo, and return the process's exit status."""
    parser = argparse.ArgumentParser(prog="make demo ARGS=…", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play the tour, save what was made, and stop")
    parser.add_argument("--tour", action="store_true", help="play the tour at once")
    parser.add_argument(
        "--port", type=int, default=0, help="the page's port on 127.0.0.1 (default: a free one)"
    )
    given = parser.parse_args()
    console = Console()
    try:
        well = asyncio.run(until_stopped(console, once=given.once, tour=given.tour, port=given.port))
    except (BotEndedError, OSError) as error:
        console.print(f"[red]✘[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
